"""Which heads carry a property, one row a part of the tower, and the heads to switch off for it.

What a part carries is measured in `probes.attention_heads.carrying`. Parts are named as they are switched off:
`L4H2` for a head, `M4` for an MLP, both counted from 0. P-values are corrected over all heads, the family that is
searched (Benjamini-Hochberg).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probes.attention_heads.carrying import Carried, Part, leading
from probes.core.statistics import SIGNIFICANT, benjamini_hochberg
from probes.core.switches import Switches


@dataclass(frozen=True)
class HeadShare:
    """A row of the table `found`: what one part of the image tower carries of a property.

    Attributes:
        part: as it is switched off, such as `L4H2` or `M4`; `initial` and `constant` cannot be.
        kind: `head`, `mlp`, `initial` or `constant`.
        layer, head: counted from 0; -1 where the part has none.
        value: what it carries, in squared cosines.
        share: of what all parts carry together, which sums to 1 over parts; None where they carry nothing.
        low, high: 95 % interval of the share over pictures, with the total held at its value.
        p: one-tailed, how often the part carries as much when the values are dealt to the pictures by chance; None
            where there are too few ways to deal them.
        p_adjusted: corrected over heads; None for parts that are none.
    """

    part: str
    kind: str
    layer: int
    head: int
    value: float
    share: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None

    @property
    def clear(self) -> bool:
        """Whether it is a head beyond what chance deals."""
        return self.p_adjusted is not None and self.p_adjusted <= SIGNIFICANT


def rows(carried: Carried) -> tuple[HeadShare, ...]:
    """The table `found`: all parts, those that carry most first."""
    adjusted = _adjusted(carried)
    total = carried.total
    order = np.argsort(-carried.values, kind="stable")
    return tuple(_row(carried, int(place), total, adjusted.get(int(place))) for place in order)


def _adjusted(carried: Carried) -> dict[int, float]:
    """Corrected p of each head by its place among the parts; nothing where no p is given."""
    heads = [place for place, part in enumerate(carried.parts) if part.kind == "head"]
    if np.isnan(carried.p).any():
        return {}
    return dict(zip(heads, benjamini_hochberg(carried.p[heads].tolist()), strict=True))


def _row(carried: Carried, place: int, total: float, adjusted: float | None) -> HeadShare:
    part, p = carried.parts[place], float(carried.p[place])
    ends = carried.values[place], carried.low[place], carried.high[place]
    share, low, high = (float(end) / total for end in ends) if total > 0 else (None, None, None)
    return HeadShare(
        part=named(part),
        kind=part.kind,
        layer=part.layer,
        head=part.head,
        value=float(carried.values[place]),
        share=share,
        low=low,
        high=high,
        p=None if np.isnan(p) else p,
        p_adjusted=adjusted,
    )


def named(part: Part) -> str:
    """A part as it is switched off; its kind where it cannot be."""
    if part.kind == "head":
        return str(Switches.of_heads([(part.layer, part.head)]))
    return str(Switches(mlps=frozenset([part.layer]))) if part.kind == "mlp" else part.kind


def best(carried: Carried, count: int) -> Switches:
    """The heads that carry most of a property, at most `count` of them, to be switched off.

    Only heads that carry something and, where a p is given, are clear of chance once it is corrected over heads
    (p_adjusted at most 0.05): fewer than `count`, possibly none, where there are no more.
    """
    adjusted = _adjusted(carried)
    found = [
        (carried.parts[place].layer, carried.parts[place].head)
        for place in leading(carried)
        if carried.values[place] > 0 and adjusted.get(place, 0.0) <= SIGNIFICANT
    ]
    return Switches.of_heads(found[:count])
