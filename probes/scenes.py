"""The shipped scenes with boxes and names: 240 pictures of two to four things in the held-out drawing style.

`assets/stimuli/regions` has the pictures (`scenes.zip`), the boxes (`regions.csv`) and whose each pixel is
(`masks.zip`); `python -m assets.make regions` makes them. Neither bundled model was trained on a drawing of that
style.
"""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from probes.core.examples import ASSETS
from probes.core.picture_sets import PictureFiles
from probes.core.regions import Regions

FOLDER = ASSETS / "stimuli" / "regions"


@lru_cache(maxsize=1)
def pictures() -> PictureFiles:
    """The pictures, 144 pixels a side."""
    return PictureFiles.of(FOLDER / "scenes.zip")


@lru_cache(maxsize=1)
def masks() -> dict[str, NDArray[np.uint8]]:
    """Whose each pixel of each picture is, (144, 144): 0 the ground's, k that of its k-th region."""
    with zipfile.ZipFile(FOLDER / "masks.zip") as archive:
        return {
            name: np.asarray(Image.open(io.BytesIO(archive.read(name))), dtype=np.uint8)
            for name in archive.namelist()
        }


@lru_cache(maxsize=1)
def regions() -> Regions:
    """Their boxes and names."""
    return Regions.read(FOLDER / "regions.csv")
