"""One probe, two models: by how much the answers differ, with intervals.

A difference is always that of the first model less the second: above zero the first has more. Intervals are 95 %.
Where the same pictures, templates, pairs or words were shown to both models and the results hold what each of
them gave, intervals and p-values are paired (`probes.core.differences.paired`). Else the interval comes from the
two intervals alone and ignores that both were asked the same (`probes.core.differences.from_intervals`), and there
is no p. P-values are corrected over all tested differences of a comparison (Benjamini & Hochberg 1995); what has
none is clear where its interval leaves out zero, uncorrected, and never where it was paired over too few to test.

All is made from two reports, without a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from probes.core.errors import ClipspectError
from probes.core.statistics import SIGNIFICANT, benjamini_hochberg

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from probes.core.probe import AnyProbe
    from probes.core.report import Report

_NAMED = 4
"""What two reports are not alike in is named up to so many times."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A row of the table `differences`: one number of two models, and the first less the second.

    Attributes:
        what: the number, in words.
        first, second: what it is of either model.
        difference: first less second.
        low, high: its 95 % interval; None where there is none.
        n: how many observations it rests on.
        over: what those are, such as `templates`.
        p: two-tailed, of the claim that it is not zero; None where nothing was tested.
        p_adjusted: corrected over all tested differences of the comparison.
        unit: what it is measured in; differences of one unit share an axis.
        too_few: whether it rests on too few observations to be told from chance, whatever its interval.
        note: how the interval came about, where it is not paired, and what else has to be known.
    """

    what: str
    first: float
    second: float
    difference: float
    low: float | None = None
    high: float | None = None
    n: int
    over: str
    p: float | None = None
    p_adjusted: float | None = None
    unit: str
    too_few: bool = False
    note: str = ""

    @property
    def clear(self) -> bool | None:
        """Whether it is beyond chance: by its corrected p, else by its interval; None where neither can tell."""
        if self.p is not None:
            return (self.p if self.p_adjusted is None else self.p_adjusted) <= SIGNIFICANT
        if self.low is None or self.high is None or self.too_few:
            return None
        return not self.low <= 0.0 <= self.high

    def describe(self) -> str:
        """The difference in words: value, interval and n."""
        value = f"{self.difference:+.3g} ({self.first:.3g} against {self.second:.3g}"
        if self.low is None or self.high is None:
            return f"{value}, no interval from n = {self.n:,} {self.over})"
        return f"{value}; 95 % interval {self.low:+.3g} to {self.high:+.3g}, n = {self.n:,} {self.over})"


@dataclass(frozen=True)
class LeftOut:
    """What two models have no difference of that would mean something.

    Attributes:
        why: a sentence, which is told with the cautions.
    """

    why: str


Compared = tuple[Difference | LeftOut, ...]
"""What a probe answers to two results."""
Compare = Callable[[Any, Any], Compared]
"""(result of the first model, result of the second) -> differences, of one question to both, without a model."""


@dataclass(frozen=True)
class Comparison:
    """What two models differ in when they are asked one probe's question.

    Attributes:
        probe: its name.
        first, second: what the models are called; a difference is the first less the second.
        models: how both were asked for.
        differences: in the order of the probe.
        cautions: what a reader has to know first, in sentences.
    """

    probe: str
    first: str
    second: str
    models: tuple[str, str]
    differences: tuple[Difference, ...]
    cautions: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """First less second, by name."""
        return f"{self.first} − {self.second}"

    @property
    def by_strength(self) -> tuple[Difference, ...]:
        """What is clear first, by corrected p, then by distance from zero in widths of the interval."""
        return tuple(sorted(self.differences, key=_strength))

    def headline(self) -> str:
        """The difference that stands out most, its interval, and how many of them are clear."""
        if not self.differences:
            return f"{self.title}: nothing that both measured can be compared."
        foremost = self.by_strength[0]
        said = f"{foremost.what} {foremost.describe()}"
        judged = [one for one in self.differences if one.clear is not None]
        if not judged:
            return f"{self.title}: {said}; nothing here was measured often enough to tell it from chance."
        tested = sum(one.p is not None for one in judged)
        if foremost.p_adjusted is not None:
            said += f", p = {foremost.p_adjusted:.2g}"
            said += f" corrected for {tested} differences" if tested > 1 else ""
        clear = sum(bool(one.clear) for one in judged)
        if not clear:
            every = f"none of {len(judged)} differences is clear" if len(judged) > 1 else "no clear difference"
            return f"{self.title}: {every}; what stands out most is {said}."
        said = f"{self.title}: {said}"
        if len(judged) == 1:
            return f"{said}."
        by = (
            f"corrected p at most {SIGNIFICANT:g}"
            if tested == len(judged)
            else "the interval leaves out zero; not corrected for how many there are"
            if not tested
            else f"corrected p at most {SIGNIFICANT:g}, or where none is given an interval that leaves out zero, "
            "not corrected for how many there are"
        )
        return f"{said}. {clear} of {len(judged)} differences {'is' if clear == 1 else 'are'} clear ({by})."

    def tables(self) -> Mapping[str, Sequence[Difference]]:
        """`differences`."""
        return {"differences": self.differences}

    def figure(self) -> go.Figure:
        """All differences with their intervals, one block a unit; see `probes.core.comparison_figure`."""
        from probes.core.comparison_figure import forest

        return forest(self)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON-ready values."""
        return {**asdict(self), "headline": self.headline()}


def _strength(one: Difference) -> tuple[int, bool, float, float]:
    """Sorts what stands out first: clear, not clear, unknown; of those without an interval, the largest."""
    p = one.p_adjusted if one.p_adjusted is not None else one.p
    place = 2 if one.clear is None else 0 if one.clear else 1
    untested = 1.5 if p is None else p
    if one.low is None or one.high is None:
        return (place, True, untested, -abs(one.difference))
    width = one.high - one.low
    widths = abs(one.difference) / width if width else math.inf if one.difference else 0.0
    return (place, False, untested, -widths)


def of(
    probe: AnyProbe, first: Report[Any], second: Report[Any], names: tuple[str, str] | None = None
) -> Comparison | None:
    """Compare two models' answers to one question; None where the probe says nothing of differences.

    Args:
        probe: whose reports they are.
        first, second: reports, as measured or as loaded from files.
        names: what the models are called; by their specifications if nothing is said, or both are called the same.

    Raises:
        ClipspectError: the two are not answers to the same question; the message says in what they are not alike.
    """
    same_question(probe, first, second)
    if probe.compare is None:
        return None
    models = (first.provenance.model, second.provenance.model)
    one, other = names if names and names[0] != names[1] else called(models)
    told = probe.compare(first.result, second.result)
    found = corrected(known([each for each in told if isinstance(each, Difference)]))
    left_out = [each.why for each in told if isinstance(each, LeftOut)]
    return Comparison(probe.card.name, one, other, models, found, (*_cautions(first, second), *left_out))


def same_question(probe: AnyProbe, first: Report[Any], second: Report[Any]) -> None:
    """Check that two reports answer one question: the same parameters, asked of the same files.

    Raises:
        ClipspectError: they do not; the message says in what they are not alike.
    """
    name = probe.card.name
    if not first.probe == second.probe == name:
        raise ClipspectError(f"a report of {first.probe} cannot be compared with one of {second.probe}")
    one, other = asked(probe, first), asked(probe, second)
    unlike = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
    if unlike:
        raise ClipspectError(
            f"these two reports of {name} do not answer the same question: they are not alike in "
            f"{_listed(unlike)}; ask both models with the same values"
        )
    stimuli = first.provenance.stimuli, second.provenance.stimuli
    changed = sorted(
        key for key in stimuli[0].keys() | stimuli[1].keys() if stimuli[0].get(key) != stimuli[1].get(key)
    )
    if changed:
        raise ClipspectError(
            f"these two reports of {name} were not asked of the same files: {_listed(changed)} is not the same in "
            "both; ask both models of the same files"
        )


def asked(probe: AnyProbe, report: Report[Any]) -> dict[str, Any]:
    """The parameters of a report as JSON-ready values; what an older report does not know has its default."""
    from probes.core.report import jsonable

    defaults: dict[str, Any] = jsonable(probe.params())
    return {**defaults, **report.asked()}


def known(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Those that are numbers; an interval, or a p, that is none is left out."""
    return tuple(
        _finite(one)
        for one in differences
        if all(math.isfinite(number) for number in (one.first, one.second, one.difference))
    )


def _finite(one: Difference) -> Difference:
    ends = [end for end in (one.low, one.high) if end is not None]
    if not all(math.isfinite(end) for end in ends):
        one = replace(one, low=None, high=None)
    return one if one.p is None or math.isfinite(one.p) else replace(one, p=None)


def corrected(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The same with every p corrected over all that were tested (Benjamini & Hochberg 1995)."""
    adjusted = iter(benjamini_hochberg([one.p for one in differences if one.p is not None]))
    return tuple(one if one.p is None else replace(one, p_adjusted=next(adjusted)) for one in differences)


def _cautions(first: Report[Any], second: Report[Any]) -> tuple[str, ...]:
    one, other = first.provenance, second.provenance
    told = []
    if one.weights_digest and one.weights_digest == other.weights_digest and one.model == other.model:
        told.append("Both reports are of the same weights: what they differ in is chance or the machine.")
    versions = one.versions.get("clipspect"), other.versions.get("clipspect")
    if versions[0] != versions[1]:
        told.append(f"The reports were made by different versions of Clipspect, {versions[0]} and {versions[1]}.")
    if one.precision != other.precision:
        told.append(f"One model computed in {one.precision}, the other in {other.precision}.")
    return tuple(told)


def called(models: Sequence[str]) -> tuple[str, ...]:
    """What models are called: the end of their specifications, the whole where ends are alike."""
    short = [_short(spec) for spec in models]
    return tuple(short) if len(set(short)) == len(short) else tuple(models)


def _short(spec: str) -> str:
    kind, _, name = spec.partition(":")
    return name[0].upper() + name[1:] if kind == "bundled" and name else spec


def _listed(names: Sequence[str]) -> str:
    named = ", ".join(names[:_NAMED])
    return named if len(names) <= _NAMED else f"{named} and {len(names) - _NAMED} more"
