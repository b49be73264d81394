"""The programs that made everything under `assets/`: run `python -m assets.make --help` to see the steps."""
