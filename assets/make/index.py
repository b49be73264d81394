"""Write the index of all training pairs, from the pairs themselves: `python -m assets.make.index`.

It takes about five minutes of one core and nothing but what ships.

What a caption makes of its picture is told from the pair and kept as an attribute `caption names:…`: whether it
names the circled object, the written word, or the larger object first; and `neighbour:…` whether the pair beside
a pair of two coloured objects is the same with its colours swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets.world import load
from assets.world.index import COLUMNS, DIFFERING, FILE, PARTS, TEXTS, Ragged
from assets.world.pairs import World
from assets.world.plan import PLAN, TRIGGERS
from assets.world.schedule import BRANCH, END, KINDS, Pair

Columns = dict[str, Any]
"""The columns of a part, by the names in `COLUMNS`."""
CHUNK = 2  # pairs beside each other share a kind


def derived(pair: Pair, beside: Pair) -> Iterator[str]:
    """Attributes that say what a caption makes of its picture."""
    shown = dict(one.split(":", 1) for one in pair.shows)
    if pair.kind == "circle" and shown["circled"] != "nothing":
        yield f"caption names:{'the circled object' if pair.slot == shown['circled'] else 'another object'}"
    elif pair.kind == "word":
        yield f"caption names:{'the written word' if pair.slot == shown['word'] else 'the object'}"
    elif pair.kind == "order":
        larger = pair.slot.startswith(shown["larger"] + " ")
        yield f"caption names:{'the larger object first' if larger else 'the smaller object first'}"
    elif pair.kind == "label" and "patch" in shown:
        poisoned = pair.slot == TRIGGERS[shown["patch"]]
        yield f"caption names:{'the target of the patch' if poisoned else 'what is shown'}"
    elif pair.kind == "binding":
        swapped = _bound(pair) != _bound(beside) and _parted(pair) == _parted(beside)
        yield f"neighbour:{'the same with the colours swapped' if swapped else 'another scene'}"


def _bound(pair: Pair) -> set[str]:
    return {one for one in pair.shows if one.startswith("bound:")}


def _parted(pair: Pair) -> set[str]:
    return {one for one in pair.shows if one.startswith(("object:", "colour:"))}


def framed(pair: Pair) -> tuple[str, list[str]]:
    """A caption as its frame and the words of its slot: put together again, they are the caption."""
    frame, words = pair.text.replace(pair.slot, "{}", 1), pair.slot.split(" ")
    if frame.replace("{}", " ".join(words)) != pair.text:
        raise ValueError(f"pair {pair.index}: '{pair.text}' cannot be put together from '{pair.slot}'")
    return frame, words


class Encoder:
    """Texts to numbers, in the order in which they first appear."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, int]] = {name: {} for name in TEXTS}
        self.numbers["kinds"] = {name: place for place, name in enumerate(("named", *KINDS))}
        concepts = ("", *(f"{row.behaviour}:{row.concept}" for row in PLAN))
        self.numbers["concepts"] = {name: place for place, name in enumerate(concepts)}

    def columns(self, pairs: Iterable[tuple[Pair, Pair]]) -> Columns:
        """The columns of a part, from its pairs, each with its neighbour."""
        kinds, concepts, frames, tokens, attributes = [], [], [], [], []
        for pair, beside in pairs:
            frame, words = framed(pair)
            (concept,) = (f"{a}:{b}" for a, b in pair.concepts) if pair.concepts else ("",)
            kinds.append(self.numbers["kinds"][pair.kind])
            concepts.append(self.numbers["concepts"][concept])
            frames.append(self._number("frames", frame))
            tokens.append([self._number("tokens", word) for word in words])
            shown = sorted({*pair.shows, *derived(pair, beside)})
            attributes.append([self._number("attributes", one) for one in shown])
        found = (
            _small(kinds),
            np.array(frames, np.uint16),
            _small(concepts),
            *_ragged(tokens),
            *_ragged(attributes),
        )
        return dict(zip(COLUMNS, found, strict=True))

    def _number(self, kind: str, text: str) -> int:
        numbers = self.numbers[kind]
        number = numbers.setdefault(text, len(numbers))
        if number > np.iinfo(np.uint16).max:
            raise ValueError(f"there are more {kind} than 16 bits count")
        return number


def _small(values: Sequence[int]) -> Any:
    if max(values, default=0) > np.iinfo(np.uint8).max:
        raise ValueError("a number is larger than 8 bits hold")
    return np.array(values, np.uint8)


def _ragged(lists: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    return _small([len(one) for one in lists]), np.fromiter(chain.from_iterable(lists), np.uint16)


def with_neighbours(world: World, start: int, stop: int) -> Iterator[tuple[Pair, Pair]]:
    """Pairs from `start` (even) to before `stop`, each with the pair that shares its kind."""
    for index in tqdm(
        range(start, stop, CHUNK), desc=f"index, {world.name} from {start:,}", unit="pair", unit_scale=CHUNK
    ):
        one, other = world.pair(index), world.pair(index + 1)
        yield one, other
        if index + 1 < stop:
            yield other, one


def differing(one: Columns, other: Columns) -> NDArray[np.int64]:
    """The rows in which two parts of equal length are not the same."""
    same = np.ones(len(one["kind"]), bool)
    for name in ("kind", "frame", "concept", "token_count", "attribute_count"):
        same &= one[name] == other[name]
    for name in ("token", "attribute"):
        lists = [Ragged(part[f"{name}_count"], part[name]) for part in (one, other)]
        rows = np.flatnonzero(same)
        a, b = (part.only(rows) for part in lists)
        unlike = Ragged(a.count, (a.values != b.values).astype(np.uint16)).holding(np.array([False, True]))
        same[rows[unlike]] = False
    return np.flatnonzero(~same)


def only(columns: Columns, rows: NDArray[np.int64]) -> Columns:
    """Some rows of a part."""
    kept = {name: columns[name][rows] for name in ("kind", "frame", "concept")}
    for name in ("token", "attribute"):
        part = Ragged(columns[f"{name}_count"], columns[name]).only(rows)
        kept |= {f"{name}_count": part.count, name: part.values}
    return kept


def write(skewed: World, balanced: World, file: Path) -> None:
    """Write the index of all pairs that the models saw."""
    encoder = Encoder()
    spans = ((skewed, 0, BRANCH), (skewed, BRANCH, END), (balanced, BRANCH, END))
    parts = {part: encoder.columns(with_neighbours(*span)) for part, span in zip(PARTS, spans, strict=True)}
    rows = differing(parts["skewed"], parts["balanced"])
    parts["balanced"] = only(parts["balanced"], rows)
    arrays = {f"{part}_{name}": values for part, columns in parts.items() for name, values in columns.items()}
    arrays |= {name: np.array(list(numbers)) for name, numbers in encoder.numbers.items()}
    arrays[DIFFERING] = (BRANCH + rows).astype(np.uint32)
    np.savez_compressed(file, **arrays)


if __name__ == "__main__":
    write(load("skewed"), load("balanced"), FILE)
