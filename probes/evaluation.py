"""The fixed set of pairs that the bundled models are looked at with: pictures with captions they never trained on.

They are the first `COUNT` pairs past the last training pair of the balanced world that show and name one thing, a
coloured thing, an animal on a ground, or a scene, each caption and each set of things once. People are not among
them. Drawings are of the styles trained on. Each pair is a pure function of its number, so that nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np

from assets.world.schedule import END, Name, Pair
from probes import pairs
from probes.core.pictures import Picture

COUNT = 500
KINDS = ("label", "tint", "animal", "scene", "order")
WORLD: Name = "balanced"
BATCH = 128


@dataclass(frozen=True)
class Evaluated:
    """A pair of the set.

    Attributes:
        number: of the pair in its world.
        caption: what is said of the picture.
        thing: the one thing shown, to be named by zero-shot classification; empty where there are several.
        group: what kind of thing it is, in the words of the emoji standard; `scene` where there are several.
    """

    number: int
    caption: str
    thing: str
    group: str


@lru_cache(maxsize=1)
def evaluated() -> tuple[Evaluated, ...]:
    """The set, in order."""
    groups = _groups()
    return tuple(
        Evaluated(
            pair.index, pair.text, things[0] if len(things) == 1 else "",
            groups.get(things[0], "scene") if len(things) == 1 else "scene",
        )
        for pair, things in _chosen()
    )  # fmt: skip


@lru_cache(maxsize=1)
def pictures() -> tuple[Picture, ...]:
    """The pictures of the set, 72 pixels a side, in order."""
    chosen = chosen_pairs()
    drawn = [
        image
        for start in range(0, len(chosen), BATCH)
        for image in pairs.pictures(WORLD, chosen[start : start + BATCH])
    ]
    return tuple(
        Picture(f"pair {pair.index}", np.asarray(image)) for pair, image in zip(chosen, drawn, strict=True)
    )


def chosen_pairs() -> list[Pair]:
    """The pairs of the set as the world knows them, in order."""
    return [pair for pair, _ in _chosen()]


@lru_cache(maxsize=1)
def _groups() -> dict[str, str]:
    """The group of each thing by what captions call it."""
    return {one.phrase: one.group for one in pairs.world(WORLD).emoji.values()}


@lru_cache(maxsize=1)
def _chosen() -> tuple[tuple[Pair, tuple[str, ...]], ...]:
    return tuple(found for found, _ in zip(_suitable(), range(COUNT), strict=False))


def _suitable() -> Iterator[tuple[Pair, tuple[str, ...]]]:
    captions: set[str] = set()
    sets: set[tuple[str, ...]] = set()
    world = pairs.world(WORLD)
    groups = _groups()
    for number in count(END):
        pair = world.pair(number)
        things = tuple(sorted(text[7:] for text in pair.shows if text.startswith("object:")))
        people = any(text.startswith(("gender:", "tone:", "person:", "patch:")) for text in pair.shows) or any(
            group == "people & body" for group in map(groups.get, things)
        )
        named = all(thing in pair.text for thing in things)
        if pair.kind not in KINDS or people or not things or not named or pair.text in captions or things in sets:
            continue
        captions.add(pair.text)
        sets.add(things)
        yield pair, things
