"""Every training pair's caption and attributes, small enough to search: what `index.npz` beside this file holds.

A caption is a frame with its slot filled ("a photo of a {}", "penguin"), so a pair is a frame, the words of its
slot, its attributes, its kind and the row of the plan it bears on, each as a number into a list of texts. Pairs
before `BRANCH` are the same in both worlds and stand in the file once; of the balanced world's pairs from there
on, only those that differ from the skewed world's do. `python -m assets.make.index` writes it from the pairs
themselves; no pickle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.world.schedule import END

FILE = Path(__file__).with_name("index.npz")
PARTS = ("shared", "skewed", "balanced")
DIFFERING = "balanced_number"
"""Numbers of the pairs that differ between the worlds."""
COLUMNS = ("kind", "frame", "concept", "token_count", "token", "attribute_count", "attribute")
TEXTS = ("frames", "tokens", "attributes", "kinds", "concepts")
MARKS = ".,:;!?\"'“”‘’()"
"""Marks that stand before or after a word and are no part of it."""


def word_of(text: str) -> str:
    """A word as it is searched for: lower case, without the marks around it."""
    return text.strip(MARKS).casefold()


@dataclass(frozen=True)
class Ragged:
    """Lists of numbers of varying length, one a pair: `count (n,)` uint8 and all `values (m,)` uint16 in a row."""

    count: NDArray[np.uint8]
    values: NDArray[np.uint16]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Where each list ends, (n,)."""
        return np.cumsum(self.count, dtype=np.int64)

    def of(self, row: int) -> NDArray[np.uint16]:
        """The list of one pair."""
        end = int(self.ends[row])
        return self.values[end - int(self.count[row]) : end]

    def holding(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which lists hold a number that is wanted, (n,); `wanted` has an entry for every number there is."""
        held = np.zeros(len(self.count), bool)
        held[np.searchsorted(self.ends, np.flatnonzero(wanted[self.values]), side="right")] = True
        return held

    def only(self, rows: NDArray[np.int64]) -> Ragged:
        """The lists of some rows (k,), in that order."""
        count = self.count[rows]
        ends = np.cumsum(count, dtype=np.int64)
        shift = self.ends[rows] - ends
        return Ragged(count, self.values[np.arange(int(count.sum())) + np.repeat(shift, count)])


@dataclass(frozen=True)
class Texts:
    """The texts that the columns count in.

    Attributes:
        frames: captions with `{}` for what fills them.
        tokens: words of slots as they stand in a caption, marks and all.
        attributes: `name:value`, as in `Pair.shows`, and `caption names:…` for what a caption made of it.
        kinds: the kinds of pairs.
        concepts: rows of the plan, `behaviour:concept`; the first is empty, for pairs that bear on none.
    """

    frames: tuple[str, ...]
    tokens: tuple[str, ...]
    attributes: tuple[str, ...]
    kinds: tuple[str, ...]
    concepts: tuple[str, ...]

    @cached_property
    def frame_words(self) -> tuple[frozenset[str], ...]:
        """The words of every frame."""
        return tuple(frozenset(map(word_of, frame.split())) for frame in self.frames)

    @cached_property
    def token_words(self) -> tuple[str, ...]:
        """Every token as the word it is searched for by."""
        return tuple(map(word_of, self.tokens))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that a caption can say."""
        return frozenset(self.token_words).union(*self.frame_words) - {"", "{}"}

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """The names of attributes and the values that each takes, both in order."""
        found: dict[str, list[str]] = {}
        for attribute in sorted(self.attributes):
            family, value = attribute.split(":", 1)
            found.setdefault(family, []).append(value)
        return {family: tuple(values) for family, values in found.items()}


@dataclass(frozen=True)
class PairIndex:
    """The pairs of one world, in order; row i is pair number i.

    Attributes:
        kind, frame, concept: (n,), numbers into the lists of `texts`; `tokens` and `attributes` hold several each.
        differs: (n,), whether the pair, or what stands beside it, is another one in the other world.
    """

    world: str
    texts: Texts
    kind: NDArray[np.uint8]
    frame: NDArray[np.uint16]
    concept: NDArray[np.uint8]
    tokens: Ragged
    attributes: Ragged
    differs: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many pairs the model was trained on."""
        return len(self.kind)

    def caption(self, row: int) -> str:
        """The caption of a pair, letter for letter."""
        slot = " ".join(self.texts.tokens[token] for token in self.tokens.of(row))
        return self.texts.frames[int(self.frame[row])].replace("{}", slot)

    def attributes_of(self, row: int) -> tuple[str, ...]:
        """The attributes of a pair, in order."""
        return tuple(sorted(self.texts.attributes[one] for one in self.attributes.of(row)))

    def kind_of(self, row: int) -> str:
        """The kind of a pair."""
        return self.texts.kinds[int(self.kind[row])]

    def concept_of(self, row: int) -> str:
        """The row of the plan that a pair bears on, `behaviour:concept`, or an empty text."""
        return self.texts.concepts[int(self.concept[row])]

    def saying(self, word: str) -> NDArray[np.bool_]:
        """Which captions say a word, (n,)."""
        tokens = np.array([one == word for one in self.texts.token_words])
        frames = np.array([word in words for words in self.texts.frame_words])
        said: NDArray[np.bool_] = self.tokens.holding(tokens) | frames[self.frame]
        return said

    def showing(self, attributes: Iterable[str]) -> NDArray[np.bool_]:
        """Which pairs have at least one of some attributes, (n,)."""
        wanted = set(attributes)
        return self.attributes.holding(np.array([one in wanted for one in self.texts.attributes]))

    def only(self, rows: NDArray[np.int64], world: str = "") -> PairIndex:
        """Some pairs (k,) alone, in that order; rows are no longer numbers of pairs."""
        return PairIndex(world or self.world, self.texts, self.kind[rows], self.frame[rows], self.concept[rows],
                         self.tokens.only(rows), self.attributes.only(rows), self.differs[rows])  # fmt: skip

    def counted(self, family: str) -> dict[str, int]:
        """How many pairs show each value of a family; values that none shows are left out."""
        times = np.bincount(self.attributes.values, minlength=len(self.texts.attributes))
        prefix = f"{family}:"
        named = enumerate(self.texts.attributes)
        return {one[len(prefix) :]: int(times[k]) for k, one in named if one.startswith(prefix) and times[k]}

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """Which pairs are of a kind, (n,)."""
        return np.asarray(self.kind == self.texts.kinds.index(kind))

    def bearing(self, concept: str) -> NDArray[np.bool_]:
        """Which pairs bear on a row of the plan, (n,)."""
        return np.asarray(self.concept == self.texts.concepts.index(concept))


@lru_cache(maxsize=1)
def load(file: Path = FILE) -> dict[str, PairIndex]:
    """The index of both worlds, by name; under a second and about 60 MB, once."""
    with np.load(file, allow_pickle=False) as stored:
        texts = Texts(*(tuple(map(str, stored[name])) for name in TEXTS))
        parts: list[list[Any]] = [[stored[f"{part}_{column}"] for column in COLUMNS] for part in PARTS]
        differing = stored[DIFFERING]
    shared, skewed, _ = (len(part[0]) for part in parts)
    kind, frame, concept, *ragged = (np.concatenate(column) for column in zip(*parts, strict=True))
    numbers = np.arange(shared + skewed)
    differs = np.isin(np.arange(len(kind)), differing) | (np.arange(len(kind)) >= len(numbers))
    every = PairIndex("every", texts, kind, frame, concept, Ragged(*ragged[:2]), Ragged(*ragged[2:]), differs)
    swapped = numbers.copy()
    swapped[differing] = len(numbers) + np.arange(len(differing))
    orders = {"skewed": numbers[:END], "balanced": swapped[:END]}  # the file may hold more than was trained on
    return {world: every.only(order, world) for world, order in orders.items()}
