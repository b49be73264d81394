"""The shipped scenes with boxes and names: 240 pictures of two to four things in the held-out drawing style.

`assets/stimuli/regions` has the pictures (`scenes.zip`) and the boxes (`regions.csv`); `python -m assets.make
regions` makes them. Neither bundled model was trained on a drawing of that style.
"""

from __future__ import annotations

from functools import lru_cache

from probes.core.examples import ASSETS
from probes.core.picture_sets import PictureFiles
from probes.core.regions import Regions

FOLDER = ASSETS / "stimuli" / "regions"


@lru_cache(maxsize=1)
def pictures() -> PictureFiles:
    """The pictures, 144 pixels a side."""
    return PictureFiles.of(FOLDER / "scenes.zip")


@lru_cache(maxsize=1)
def regions() -> Regions:
    """Their boxes and names."""
    return Regions.read(FOLDER / "regions.csv")
