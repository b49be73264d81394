"""Fresh scenes of the glass world, for calibrations: dealt apart from training pairs, shown to probes as pictures.

A stage draws in the held-out style, which no training pair shows, or, where that style lacks the drawings, in the
training styles. Its random streams are `[seed, STREAM, ...]`; those of training pairs never have STREAM second.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from assets import world
from assets.world import Style
from assets.world.captions import fill
from assets.world.pairs import World
from assets.world.scene import Scene, Thing
from probes.core.pictures import Picture

STREAM = 7
BATCH = 128


class Stage:
    """A set of drawings to make scenes of, with the jitter of training pairs.

    Args:
        world: only its drawings and emoji matter here, not what is planted.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    def thing(
        self,
        rng: np.random.Generator,
        label: str,
        scale: tuple[float, float],
        at: tuple[float, float] | None = None,
    ) -> Thing:
        """The drawing of an emoji's label, of a size between two shares of the side, near a place or anywhere."""
        return self.world.thing(rng, self.world.by_label[label], scale, at)

    def word(self, word: str) -> int:
        """The row of a written word among the drawings."""
        return self.world.marks["word", word]

    def twins(self, one: str, other: str) -> list[tuple[int, int]]:
        """Rows of the drawings of two labels that have style and skin tone in common, in order."""
        rows: list[dict[tuple[str, int], int]] = []
        for label in (one, other):
            base = self.world.by_label[label]
            codes = {0: base} | {t: code for (b, t), code in self.world.toned.items() if b == base}
            rows.append(
                {
                    (self.world.sheet.style[row], t): row
                    for t, code in codes.items()
                    for row in self.world.rows[code]
                }
            )
        return [(rows[0][key], rows[1][key]) for key in sorted(rows[0].keys() & rows[1].keys())]

    def pictures(self, scenes: Sequence[Scene], name: str) -> tuple[Picture, ...]:
        """The scenes as pictures of the size that the bundled models see, named by number."""
        found: list[Picture] = []
        for start in range(0, len(scenes), BATCH):
            pixels = self.world.draw(scenes[start : start + BATCH]).permute(0, 2, 3, 1).numpy()
            frames = (255 * pixels).round().astype(np.uint8)
            found += [Picture(f"{name} {start + i + 1}", frame) for i, frame in enumerate(frames)]
        return tuple(found)


def stream(seed: int, *key: int) -> np.random.Generator:
    """Random numbers of a scene, apart from those of any training pair."""
    return np.random.default_rng([seed, STREAM, *key])


def named(word: str) -> str:
    """A word with its article, as a label: `an owl`."""
    return fill("a {}", word)


@lru_cache(maxsize=2)
def open_stage(style: Style) -> Stage:
    """The stage with the drawings of the held-out style, or of the training styles."""
    return Stage(world.load("balanced", style=style))
