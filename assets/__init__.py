"""What Clipspect ships besides code: pictures, a small CLIP, and in `assets.make` what made them."""
