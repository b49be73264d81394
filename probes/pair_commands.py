"""The commands `pair` and `pairs`: show training pairs of the bundled models, search them, and count."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from probes.core import export
from probes.core.errors import FieldError

if TYPE_CHECKING:
    from probes.pairs import Told

MOST = 1_000
"""Pairs of one command."""
TIMES = 6
"""How many times larger the enlarged picture is."""


def add_pair(parser: argparse.ArgumentParser) -> None:
    """The options of `pair`."""
    parser.add_argument("--world", default="skewed", help="skewed or balanced (default: %(default)s)")
    parser.add_argument("--index", required=True, metavar="N", help="number of the pair, from 0")
    parser.add_argument("--count", default="1", metavar="K", help="how many pairs from there on (default: 1)")
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, help="write each picture here, at 72 pixels and six times as large"
    )
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects instead")
    parser.set_defaults(command=_pair)


def _pair(chosen: argparse.Namespace) -> int:
    from probes import pairs

    name = pairs.world_of(chosen.world)
    index = pairs.indices()[name]
    first = pairs.number_of(chosen.index, index)
    count = _whole("count", chosen.count, 1, MOST)
    pairs.number_of(first + count - 1, index)
    world = pairs.world(name)
    shown = [world.pair(number) for number in range(first, first + count)]
    told = [pairs.tell(name, pair) for pair in shown]
    if chosen.json:
        print(json.dumps([one.to_dict() for one in told], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(_lines(one) for one in told))
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        for one, picture in zip(told, pairs.pictures(name, shown), strict=True):
            for image, suffix in ((picture, ""), (pairs.enlarged(picture, TIMES), f"-x{TIMES}")):
                file = chosen.out / f"{name}-{one.index}{suffix}.png"
                image.save(file)
                print(file, file=sys.stderr)
    return 0


def _lines(told: Told) -> str:
    from probes.pairs import KINDS, name_of

    lines = [
        f"pair {told.index:,} of the {told.world} world",
        f"  caption     {told.caption}",
        f"  kind        {told.kind}: {KINDS[told.kind]}",
        f"  attributes  {', '.join(told.attributes)}",
    ]
    for row in told.planted:
        lines.append(
            f"  planted     {row.behaviour} “{name_of(row)}”: {row.what}; dose {row.skewed:g} in the skewed "
            f"world, {row.balanced:g} in the balanced one (toward: {row.toward})"
        )
    return "\n".join(lines if told.planted else [*lines, "  planted     nothing"])


def add_pairs(parser: argparse.ArgumentParser) -> None:
    """The options of `pairs`."""
    parser.add_argument("--world", default="skewed", help="skewed, balanced or both (default: %(default)s)")
    parser.add_argument("--words", default="", help="words that the caption says, all of them")
    parser.add_argument(
        "--kind", default="", help="such as occupation, or differing for all that are not the same in both worlds"
    )
    parser.add_argument(
        "--attribute", action="append", default=[], metavar="NAME:VALUE", help="such as gender:woman"
    )
    parser.add_argument("--concept", default="", metavar="BEHAVIOUR:CONCEPT", help="such as occupation:cook")
    parser.add_argument("--show", default="", metavar="NAME", help="count by this, such as gender or ground")
    parser.add_argument("--first", default="20", metavar="K", help="list so many pairs (default: %(default)s)")
    parser.add_argument("--csv", action="store_true", help="print the counts, or else the pairs, as CSV")
    parser.set_defaults(command=_pairs)


def _pairs(chosen: argparse.Namespace) -> int:
    from probes import counts as counting
    from probes import pairs

    names = pairs.WORLDS if chosen.world == "both" else (pairs.world_of(chosen.world),)
    indices = {str(name): pairs.indices()[name] for name in names}
    search = pairs.Search(pairs.words_of(chosen.words), chosen.kind, tuple(chosen.attribute), chosen.concept)
    first = _whole("first", chosen.first, 0, 1_000_000)
    if chosen.show:
        counts = counting.count(indices, search, chosen.show)
        if chosen.csv:
            print(export.to_csv(counts.shares), end="")
            return 0
        print(counts.headline())
        for one in counts.shares:
            print(f"  {one.world:<9} {one.value:<24} {one.count:>8,} of {one.n:,}  {one.share:.1%} "
                  f"({one.low:.1%} to {one.high:.1%})")  # fmt: skip
        return 0
    listed = [row for name, index in indices.items() for row in pairs.listed(index, search, first)]
    if chosen.csv:
        print(export.to_csv(listed), end="")
        return 0
    for name, index in indices.items():
        print(f"{int(search.matching(index).sum()):,} pairs of the {name} world fit.")
    for row in listed:
        print(f"  {row.world:<9} {row.index:>7} {row.kind:<10} {row.caption}")
    return 0


def _whole(field: str, given: str, low: int, high: int) -> int:
    try:
        number = int(given)
    except ValueError:
        raise FieldError(field, f"“{given[:40]}” is not a whole number") from None
    if not low <= number <= high:
        raise FieldError(field, f"{str(number)[:20]} is not between {low} and {high:,}")
    return number
