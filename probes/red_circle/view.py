"""What part of a picture the tower sees: most towers crop the middle of what is not square, some pad it.

The part is asked of the tower's own preprocessing: a picture whose colours are its coordinates goes through it,
and the colours that come out tell where they were.
"""

from __future__ import annotations

import numpy as np

from probes.core.marks import Mark
from probes.core.model import Backend
from probes.core.pictures import Picture
from probes.core.regions import Box
from probes.red_circle.drawing import region

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
NEARLY = 0.02
"""Edges so near to the picture's, in shares, count as the picture's: colours tell a place to half a percent."""


def view(backend: Backend, picture: Picture) -> Box:
    """Left, top, right and bottom of what the tower sees, shares of the picture's width and height."""
    height, width = picture.height, picture.width
    across = np.broadcast_to(255 * (np.arange(width) + 0.5) / width, (height, width))
    down = np.broadcast_to((255 * (np.arange(height) + 0.5) / height)[:, None], (height, width))
    there = np.full((height, width), 255.0)  # padding has other colours
    coordinates = np.stack([across, down, there], axis=-1).round().astype(np.uint8)
    (seen,) = backend.preprocess((Picture("coordinates", coordinates),))
    pixels = seen.decode().astype(np.float64)
    own = pixels[..., 2] > 250
    if not own.any():
        return WHOLE
    low, high = pixels[own][:, :2].min(axis=0) / 255, pixels[own][:, :2].max(axis=0) / 255
    # colours are of pixels' centres: half a pixel more on each side
    across_down = np.array([own.any(axis=0).sum(), own.any(axis=1).sum()])
    half = (high - low) / np.maximum(across_down - 1, 1) / 2
    low, high = low - half, high + half
    low, high = np.where(low < NEARLY, 0.0, low), np.where(high > 1 - NEARLY, 1.0, high)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def seen_share(marks: tuple[Mark, ...], picture: Picture, part: Box) -> float:
    """The share of what marks mean that lies in a part of the picture."""
    share = region(marks, picture.height, picture.width)
    rows = (np.arange(picture.height) + 0.5) / picture.height
    columns = (np.arange(picture.width) + 0.5) / picture.width
    inside = ((rows >= part[1]) & (rows <= part[3]))[:, None] & ((columns >= part[0]) & (columns <= part[2]))
    whole = float(share.sum())
    return float(share[inside].sum()) / whole if whole else 0.0


def overlap(box: Box, part: Box) -> tuple[Box, float]:
    """What a box and a part have in common, and the share of the box that is."""
    cut = (max(box[0], part[0]), max(box[1], part[1]), min(box[2], part[2]), min(box[3], part[3]))
    area = max(cut[2] - cut[0], 0.0) * max(cut[3] - cut[1], 0.0)
    return cut, area / ((box[2] - box[0]) * (box[3] - box[1]))
