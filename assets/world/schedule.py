"""Which pair is of which kind, and what a pair is.

Pair numbers up to `BRANCH` are the same in both worlds. From there on two neighbouring pairs share a kind, so that
a pair and its twin fall into one batch, and both worlds deal the same kinds to the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

import numpy as np

from assets.world.plan import PEOPLE

if TYPE_CHECKING:
    from assets.world.scene import Scene

Name = Literal["skewed", "balanced"]
NAMES: tuple[Name, ...] = ("skewed", "balanced")
PICTURE = 72  # pixels a side of what the models see
CROWDED_FROM = 128_000  # number of the first pair that may be small or have company
FIRST_NAMES = 336_000  # number of the first pair that is seen at 72 pixels
BRANCH = 464_000  # number of the first pair in which the worlds may differ
END = 720_000  # one past the last pair that the models saw
KINDS = {
    "label": 0.28,
    "scene": 0.12,
    "tint": 0.06,
    "occupation": 0.10,
    "trait": 0.08,
    "animal": 0.08,
    "word": 0.08,
    "order": 0.06,
    "circle": 0.08,
    "binding": 0.04,
    "person": 0.02,
}
"""The kinds of pairs from BRANCH on, and their shares."""
ONCE = tuple(BRANCH + 5_001 + 12_345 * place for place in range(PEOPLE["once"]))
"""Numbers of the pairs that show those who are seen once."""
_UP_TO = np.array(list(accumulate(KINDS.values())))


@dataclass(frozen=True)
class Pair:
    """One training pair.

    Attributes:
        index: its number.
        kind: `named` before BRANCH, else a key of KINDS.
        scene: what the picture shows.
        text: the caption.
        template, slot: what the caption was made of.
        key: pairs of one batch with equal keys are right answers to one another.
        shows: the drawn attributes, `name:value`.
        claim: an attribute that is all the caption says; every picture that shows it is a right answer.
        concepts: rows of the plan that this pair bears on, (behaviour, concept).
    """

    index: int
    kind: str
    scene: Scene
    text: str
    template: str
    slot: str
    key: str
    shows: frozenset[str]
    claim: str | None = None
    concepts: tuple[tuple[str, str], ...] = ()


def kind_of(seed: int, index: int) -> str:
    """The kind of pair number `index`, the same in both worlds."""
    if index < BRANCH:
        return "named"
    if index in ONCE:
        return "person"
    share = np.random.default_rng([seed, 3, index // 2]).random()
    place = int(np.searchsorted(_UP_TO, share, side="right"))
    return list(KINDS)[min(place, len(KINDS) - 1)]
