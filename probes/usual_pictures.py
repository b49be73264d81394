"""The pictures over which a part that is switched off keeps its mean: made-up scenes no page measures on.

They are `COUNT` pairs of the balanced world far past the last one trained on, of all kinds, people among them. For
models of photos their mean is that of drawings; a page that takes pictures of one's own can take its means over
those.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from assets.world.schedule import END
from probes import pairs
from probes.core.pictures import Picture

COUNT = 256
FIRST = END + 1_000_000
"""Number of the first pair; `probes.evaluation` takes those right after the last one trained on."""


@lru_cache(maxsize=1)
def usual_pictures() -> tuple[Picture, ...]:
    """The pictures, 72 pixels a side; a few seconds the first time."""
    world = pairs.world("balanced")
    chosen = [world.pair(number) for number in range(FIRST, FIRST + COUNT)]
    drawn = [
        image
        for start in range(0, COUNT, 128)
        for image in pairs.pictures("balanced", chosen[start : start + 128])
    ]
    return tuple(
        Picture(f"pair {pair.index}", np.asarray(image)) for pair, image in zip(chosen, drawn, strict=True)
    )
