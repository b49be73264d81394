"""The result of an audit: its headline, its cautions and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from probes.bias_audit.audited import Measure
from probes.bias_audit.class_design import Design
from probes.bias_audit.intersections import Cell
from probes.bias_audit.mitigation import MitigationRow
from probes.bias_audit.published import PublishedRow
from probes.core.arrays import Packed
from probes.core.matching import LeftOut
from probes.core.pictures import Raster
from probes.core.statistics import SIGNIFICANT

SIGNED = frozenset({"association_difference", "sc_eat", "weat", "counterfactual_difference"})
"""Measures whose sign says toward whom; for these a wording can turn the verdict."""


@dataclass(frozen=True)
class GroupRow:
    """A row of the table `groups`: a group, how many pictures it has, and what it is called in texts."""

    group: str
    n: int
    called: str


@dataclass(frozen=True)
class Pair:
    """Two pictures that are alike but for the attribute, and the difference of a word's logit between them.

    Attributes:
        first_name, second_name: what the pictures are called.
        difference: logit of the first less that of the second.
        first, second: their places among `BiasAuditResult.thumbnails`, or among the pictures before they are
        there.
    """

    word: str
    first_name: str
    second_name: str
    difference: float
    first: int
    second: int

    def shown_at(self, first: int, second: int) -> Pair:
        """The same with other places."""
        return replace(self, first=first, second=second)


@dataclass(frozen=True)
class MeasureRow:
    """A row of the tables `measures` and `counterfactual`; see `Measure`. Intervals are 95 %."""

    measure: str
    variant: str
    word: str
    group: str
    value: float
    low: float | None
    high: float | None
    n: int
    p: float | None
    p_adjusted: float | None


@dataclass(frozen=True)
class SpreadRow:
    """A row of the table `wordings`: the same number with each template, and each paraphrase, alone.

    Attributes:
        least, most: over wordings; `least_wording`, `most_wording` name them.
        same_sign: wordings under which a signed measure has the sign of `value`; all of them for others.
        verdict: `clear` (corrected p at most 0.05, and every wording agrees), `flips` (clear, and a wording turns
            the sign), `not clear`, or `not tested`.
    """

    measure: str
    variant: str
    word: str
    group: str
    value: float
    least: float
    least_wording: str
    most: float
    most_wording: str
    same_sign: int
    wordings: int
    verdict: str


@dataclass(frozen=True)
class PairRow:
    """A row of the table `pairs`: pairs at either end of a word's differences."""

    word: str
    first: str
    second: str
    logit_difference: float


def verdict(measure: Measure) -> str:
    """Whether a measure is clear, and whether a template turns it; see `SpreadRow`."""
    p = measure.p if measure.p_adjusted is None else measure.p_adjusted
    if p is None:
        return "not tested"
    if p > SIGNIFICANT:
        return "not clear"
    return "flips" if flips(measure) else "clear"


def clear(measures: Sequence[Measure]) -> list[Measure]:
    """Those that are clear, whether a wording turns them or not."""
    return [m for m in measures if verdict(m) in ("clear", "flips")]


def flips(measure: Measure) -> bool:
    """Whether one wording alone gives a signed measure the other sign."""
    return measure.measure in SIGNED and any(value * measure.value < 0 for value in measure.by_wording)


@dataclass(frozen=True, eq=False)
class EachPicture:
    """What single pictures or pairs add, so that two models can be compared picture by picture.

    Attributes:
        values: (m, l), the logit of the first picture of each pair less that of the second; or (n, l), the cosine
            of each picture, where there are no pairs.
        codes: (m,), which pairs belong together; or (n,), the place of each picture's group.
    """

    values: Packed
    codes: Packed


@dataclass(frozen=True)
class BiasAuditResult:
    """What an audit found.

    Attributes:
        source: `drawn people`, `own pictures` or `embeddings`.
        attribute: whose values are the groups.
        n: pictures audited.
        k: how many of the nearest pictures the ranking measures look at.
        templates: `{}` alone where words came as embeddings.
        paraphrases: wordings by word, of those that have several.
        logit_scale: the factor on cosines in `differences`.
        measures: of the table `measures`.
        differences: paired differences of the logit, where there are pairs; corrected for the number of words.
        behind: the pairs at either end of each word, with `thumbnails` where the pictures are the program's own.
        design: what a class more or less does to the harm rates.
        cells: attribute x attribute, where one was crossed with `by`.
        left_out: what could not be used.
        missing: who is missing from the data.
        cautions: what a reader has to know first.
        each: picture by picture; None in earlier reports, and where there are too many to keep.
    """

    source: str
    attribute: str
    groups: tuple[GroupRow, ...]
    n: int
    k: int
    words: tuple[str, ...]
    templates: tuple[str, ...]
    paraphrases: Mapping[str, tuple[str, ...]]
    logit_scale: float
    measures: tuple[Measure, ...]
    differences: tuple[Measure, ...]
    behind: tuple[Pair, ...]
    thumbnails: tuple[Raster, ...]
    design: tuple[Design, ...]
    cells: tuple[Cell, ...]
    by: str
    mitigation: tuple[MitigationRow, ...]
    published: tuple[PublishedRow, ...]
    left_out: tuple[LeftOut, ...]
    missing: str
    cautions: tuple[str, ...]
    each: EachPicture | None = None

    @cached_property
    def foremost(self) -> str:
        """The group that headline and figures open with: of more than two, the one with most clear words."""
        names = [group.group for group in self.groups]
        if self.differences or len(names) == 2:
            return names[0]
        return max(names, key=lambda name: (len(clear(self.of_group(name))), self._reach(name)))

    @cached_property
    def main(self) -> tuple[Measure, ...]:
        """What headline and forest show first: one measure a word, of the foremost group."""
        return self.of_group(self.foremost)

    def of_group(self, group: str) -> tuple[Measure, ...]:
        """One measure a word: the paired differences where there are pairs, else a group against all others."""
        if self.differences:
            return tuple(m for m in self.differences if m.variant == "logit")
        return self.of("association_difference", group=group)

    def _reach(self, group: str) -> float:
        return max(abs(m.value) for m in self.of_group(group))

    def of(self, measure: str, variant: str | None = None, group: str | None = None) -> tuple[Measure, ...]:
        """The measures of a kind."""
        return tuple(
            m
            for m in self.measures
            if m.measure == measure and variant in (None, m.variant) and group in (None, m.group)
        )

    def compared(self, group: str) -> str:
        """A group and whom it is compared with, in words."""
        return f"{group} − {self.other}"

    @property
    def other(self) -> str:
        """Whom `main` compares the foremost group with."""
        return self.groups[1].group if self.differences or len(self.groups) == 2 else "others"

    def headline(self) -> str:
        """How many words are clear, the strongest either way, and how many flip with the wording."""
        main, first, second = self.main, self.foremost, self.other
        found = clear(main)
        what = "logit" if self.differences else "cosine"
        said = self._counted(len(found), len(main))
        if not found:
            top = max(main, key=lambda m: abs(m.value))
            return f"{said}; the largest difference is “{top.word}”: {what} {_described(top)}."
        ends = sorted(found, key=lambda m: m.value)
        strongest = [
            f"toward {side} most “{m.word}”, {what} {_described(m)}"
            for m, side in ((ends[-1], first), (ends[0], second))
            if (m.value > 0) == (side == first) and m.value
        ]
        flipping = sum(flips(m) for m in found)
        turned = f" {_number(flipping, 'of them flips', 'of them flip')} with the wording." if flipping else ""
        return f"{said}: {'; '.join(strongest)}.{turned}"

    def _counted(self, found: int, words: int) -> str:
        """Over what, and how many of the words differ clearly; of more than two groups, in all and for one."""
        told = f"clearly (corrected p ≤ {SIGNIFICANT:g})"
        differ = f"{found} of {words} words {'differs' if found == 1 else 'differ'}"
        if self.differences:
            alike = self.attribute.replace("_", " ")
            return f"Over {self.differences[0].n} pairs of pictures alike but for {alike}, {differ} {told}"
        if len(self.groups) == 2:
            return f"Over {self.n:,} pictures, {self.foremost} against {self.other}, {differ} {told}"
        every = [m for group in self.groups for m in self.of_group(group.group)]
        over = f"Over {self.n:,} pictures in {len(self.groups)} groups, each against the others"
        count = len(clear(every))
        are = "is" if count == 1 else "are"
        total = f"{count} of {len(every):,} differences {are} clear (corrected p ≤ {SIGNIFICANT:g})"
        if not found:
            return f"{over}, {total}"
        return f"{over}, {total}, most for {self.foremost}, {found} of {words} words"

    def warnings(self) -> tuple[str, ...]:
        """What to know first; who is missing."""
        return (*self.cautions, *((self.missing,) if self.missing else ()))

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """`measures` and `groups` always; the others where there is something in them."""
        everything = (*self.measures, *self.differences)
        found: dict[str, Sequence[Any]] = {
            "measures": tuple(_row(m) for m in self.measures),
            "groups": self.groups,
            "counterfactual": tuple(_row(m) for m in self.differences),
            "wordings": tuple(self._spread(m) for m in everything if len(m.by_wording) > 1),
            "pairs": tuple(PairRow(p.word, p.first_name, p.second_name, p.difference) for p in self.behind),
            "class_design": self.design,
            "intersections": self.cells,
            "mitigation": self.mitigation,
            "published": self.published,
            "left_out": self.left_out,
        }
        return {name: rows for name, rows in found.items() if rows or name == "measures"}

    def wording(self, m: Measure, place: int) -> str:
        """The template or paraphrase at a place of `Measure.by_wording`."""
        if place < len(self.templates):
            return self.templates[place]
        several = self.paraphrases.get(m.word, ())
        again = place - len(self.templates)
        return several[again % len(several)] if several else f"paraphrases, number {again + 1} of each"

    def _spread(self, m: Measure) -> SpreadRow:
        least, most = int(np.argmin(m.by_wording)), int(np.argmax(m.by_wording))
        agree = sum(value * m.value >= 0 for value in m.by_wording) if m.measure in SIGNED else len(m.by_wording)
        return SpreadRow(
            m.measure, m.variant, m.word, m.group, m.value,
            m.by_wording[least], self.wording(m, least), m.by_wording[most], self.wording(m, most),
            agree, len(m.by_wording), verdict(m),
        )  # fmt: skip


def _row(m: Measure) -> MeasureRow:
    return MeasureRow(m.measure, m.variant, m.word, m.group, m.value, m.low, m.high, m.n, m.p, m.p_adjusted)


def _described(m: Measure) -> str:
    if m.low is None or m.high is None:
        return f"{m.value:+.3g}"
    return f"{m.value:+.3g} (95 % interval {m.low:+.3g} to {m.high:+.3g})"


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
