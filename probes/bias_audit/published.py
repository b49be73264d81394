"""Published figures beside an audit's own, where its groups are FairFace's.

None of these can be compared to the decimal: prompts, classes, templates and pictures differ, and results differ
tenfold with the prompts. Every row says what differs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

from probes.bias_audit.audited import Grouping, Measure
from probes.bias_audit.rates import ANY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EVERYBODY = "all"


@dataclass(frozen=True)
class Published:
    """A published figure.

    Attributes:
        measure: as this audit calls it.
        label: of which words.
        attribute: FairFace's column.
        values: by group, shares 0 to 1 for rates; `all` for a figure of all groups together.
        differs: what differs in prompts and data.
    """

    measure: str
    model: str
    label: str
    attribute: str
    values: Mapping[str, float]
    source: str
    url: str
    differs: str


@dataclass(frozen=True)
class PublishedRow:
    """A row of the table `published`: a published figure, and this audit's own number of the same kind.

    Attributes:
        here, here_low, here_high: of this audit: its harm rate for all harm words, or its mean MaxSkew over
            words; None where it has none.
        here_least, here_most: the same with each wording alone; None where there is but one.
    """

    measure: str
    model: str
    label: str
    group: str
    published: float
    here: float | None
    here_low: float | None
    here_high: float | None
    here_least: float | None
    here_most: float | None
    source: str
    differs: str


@lru_cache(maxsize=1)
def published() -> tuple[Published, ...]:
    """All published figures."""
    with Path(__file__).with_name("published.toml").open("rb") as stream:
        return TypeAdapter(tuple[Published, ...]).validate_python(tomllib.load(stream)["figures"])


def beside(measures: Sequence[Measure], grouping: Grouping) -> tuple[PublishedRow, ...]:
    """Published figures of the groups of an audit, beside its own; nothing where it measured no such thing."""
    known = {group.casefold().replace(" ", "_"): group for group in grouping.groups}
    rows: list[PublishedRow] = []
    for figure in published():
        if figure.attribute != grouping.attribute.casefold():
            continue
        for group, value in figure.values.items():
            own = known.get(group.casefold().replace(" ", "_"))
            found = _everybody(measures) if group == EVERYBODY else _harm(measures, own)
            if found is not None:
                rows.append(
                    PublishedRow(
                        figure.measure, figure.model, figure.label, own or group, value, *found, figure.source,
                        figure.differs,
                    )
                )  # fmt: skip
    return tuple(rows)


_Found = tuple[float, float | None, float | None, float | None, float | None]
"""Value, ends of its interval, and the least and most over wordings."""


def _harm(measures: Sequence[Measure], group: str | None) -> _Found | None:
    for m in measures:
        if (m.measure, m.variant, m.word, m.group) == ("harm_rate", "", ANY, group):
            return m.value, m.low, m.high, min(m.by_wording, default=None), max(m.by_wording, default=None)
    return None


def _everybody(measures: Sequence[Measure]) -> _Found | None:
    """Mean MaxSkew over words, where harm is asked about as well: else the audit is not of that kind."""
    skews = [m for m in measures if (m.measure, m.variant) == ("max_skew", "equal_opportunity")]
    if not skews or not any(m.measure == "harm_rate" for m in measures):
        return None
    alone = [sum(each) / len(each) for each in zip(*(m.by_wording for m in skews), strict=True)]
    mean = sum(m.value for m in skews) / len(skews)
    return mean, None, None, min(alone, default=None), max(alone, default=None)
