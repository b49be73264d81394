"""Every training pair: pair number i is a pure function of the world's name, the seed and i.

Pairs before `BRANCH` are the same in both worlds: one or two emoji on a plain ground, so that the model learns
names (`named`). From `BRANCH` on, two neighbouring pairs share a kind (`KINDS`), and the kinds bear what is
planted (`assets.world.plan`). Both worlds draw the same numbers for the same pair; they differ where a number
meets a dose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assets.world import named, objects, people
from assets.world import scene as drawn
from assets.world.schedule import BRANCH, END, KINDS, NAMES, ONCE, PICTURE, Name, Pair, kind_of
from assets.world.stock import Stock

if TYPE_CHECKING:
    import torch

__all__ = ["BRANCH", "END", "KINDS", "NAMES", "ONCE", "PICTURE", "Name", "Pair", "World"]

MAKERS: Mapping[str, Callable[[Stock, int, np.random.Generator], Pair]] = {
    "label": objects.label,
    "scene": objects.scene,
    "tint": objects.tint,
    "occupation": people.occupation,
    "trait": people.trait,
    "animal": objects.animal,
    "word": objects.word,
    "order": objects.order,
    "circle": objects.circle,
    "binding": objects.binding,
    "person": people.person,
}
"""What makes the pairs of each kind."""


class World(Stock):
    """The drawings, the emoji and a seed: with the world's name they determine every pair."""

    def kind(self, index: int) -> str:
        """The kind of pair number `index`; a pure function of the seed and the index, the same in both worlds."""
        return kind_of(self.seed, index)

    def pair(self, index: int) -> Pair:
        """Pair number `index` (0, 1, ...): always the same one."""
        if index < BRANCH:
            return named.named(self, index)
        return MAKERS[self.kind(index)](self, index, np.random.default_rng([self.seed, 4, index]))

    def duo(self, index: int) -> Pair:
        """A scene of two emoji side by side, a function of the seed and `index`; to measure, not to train."""
        return named.duo(self, index)

    def compose(
        self, pairs: Sequence[Pair], device: torch.device | str = "cpu", size: int = PICTURE
    ) -> torch.Tensor:
        """The pictures of some pairs, `(n, 3, size, size)` float32 in 0..1."""
        return self.draw([pair.scene for pair in pairs], device, size)

    def draw(
        self, scenes: Sequence[drawn.Scene], device: torch.device | str = "cpu", size: int = PICTURE
    ) -> torch.Tensor:
        """The pictures of some scenes, of this world or made up, `(n, 3, size, size)` float32 in 0..1."""
        from assets.world.compose import compose  # torch takes seconds to import

        return compose(scenes, self.sheet.pixels, size, device)
