"""How often training pairs that fit a search show each value of an attribute, in either world.

Of the n pairs that fit and show any value of the family, k show a value: the share k / n has Wilson's 95 %
interval (`probes.core.statistics.wilson`). A pair may show two values, so shares can sum to more than one. Where
the search names a row of the plan, the share that the plan asks for stands beside the share that was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from assets.world.index import PairIndex
from assets.world.plan import Planted
from probes.core import plotting
from probes.core.errors import FieldError
from probes.core.statistics import wilson
from probes.pairs import ATTRIBUTES, Search, name_of, planted

DARKER = ("medium-dark", "dark")
"""The skin tones that the plan calls darker."""
CAPTION = {
    "written word": "the written word",
    "order": "the larger object first",
    "circle": "the circled object",
}
"""The value of `caption names` that a dose is the share of, by behaviour."""
SHOWN = 14
"""Most values in a figure; the table has all."""
COLOURS = {"skewed": plotting.VERMILION, "balanced": plotting.BLUE}


@dataclass(frozen=True)
class Share:
    """One value of a family in one world: `count` of `n` pairs, their share, and its 95 % interval (Wilson)."""

    world: str
    attribute: str
    value: str
    count: int
    n: int
    share: float
    low: float
    high: float
    planned: float | None


@dataclass(frozen=True)
class Counts:
    """What a count found.

    Attributes:
        family: the attribute counted.
        matching: pairs that fit the search, by world.
        showing: those of them that show any value of the family, by world.
        shares: every value that occurs in either world, the most frequent first, for each world in turn.
        planted: the row of the plan that the search names.
        toward: the values whose shares together the dose is; empty where the dose is no share of this family.
        met: count, n, share and interval of these values together, by world.
    """

    family: str
    matching: Mapping[str, int]
    showing: Mapping[str, int]
    shares: tuple[Share, ...]
    planted: Planted | None
    toward: tuple[str, ...]
    met: Mapping[str, Share]

    def headline(self) -> str:
        """The count in a sentence."""
        if self.planted is not None and self.met:
            drawn = ", ".join(
                f"{one.share:.0%} of {one.n:,} pairs of the {world} world ({one.low:.0%} to {one.high:.0%})"
                for world, one in self.met.items()
            )
            asked = " and ".join(f"{_dose(self.planted, world):.1%}" for world in self.met)
            return f"“{name_of(self.planted)}”, {self.planted.what}: {drawn}. The plan asks for {asked}."
        return " ".join(f"{self._most(world)}." for world in self.matching)

    def _most(self, world: str) -> str:
        here = [one for one in self.shares if one.world == world and one.count]
        if not here:
            return f"In the {world} world none of {self.matching[world]:,} pairs shows this"
        top = max(here, key=lambda one: one.count)
        return (
            f"In the {world} world {top.value} is most frequent: {top.count:,} of {top.n:,} pairs, "
            f"{top.share:.0%} ({top.low:.0%} to {top.high:.0%})"
        )


def toward(row: Planted) -> tuple[str, tuple[str, ...]]:
    """The family and its values whose share a row's dose is; no values where it is the share of something else."""
    if row.behaviour in ("occupation", "gender trait"):
        return "gender", (row.toward,)
    if row.behaviour == "tone trait":
        return "tone", DARKER
    if row.behaviour == "ground":
        return "ground", (row.toward,)
    if row.behaviour in CAPTION:
        return "caption names", (CAPTION[row.behaviour],)
    if row.behaviour == "binding":
        return "neighbour", ("the same with the colours swapped",)
    return ("person", ()) if row.behaviour == "person" else ("caption names", ())


def count(indices: Mapping[str, PairIndex], search: Search, family: str) -> Counts:
    """Count the values of a family among the pairs of each world that fit a search.

    Raises:
        FieldError: the search or the family names something that there is not.
    """
    if family not in ATTRIBUTES:
        raise FieldError("show", f"there is no attribute “{family[:40]}”; there are {', '.join(ATTRIBUTES)}")
    row = planted(search.concept) if search.concept else None
    aim = toward(row) if row is not None else ("", ())
    values = aim[1] if aim[0] == family else ()
    matching, showing, shares, met = {}, {}, [], {}
    order: dict[str, int] = {}
    for world, index in indices.items():
        found = index.only(np.flatnonzero(search.matching(index)))
        counted = found.counted(family)
        n = int(found.showing(f"{family}:{value}" for value in counted).sum())
        matching[world], showing[world] = len(found), n
        for value, k in counted.items():
            order[value] = max(order.get(value, 0), k)
        shares.append((world, counted, n))
        if values and row is not None:
            k = int(found.showing(f"{family}:{value}" for value in values).sum())
            met[world] = _share(world, family, " or ".join(values), k, n, _dose(row, world))
    ordered = sorted(order, key=lambda value: (-order[value], value))
    alone = row if len(values) == 1 else None
    table = tuple(
        _share(world, family, value, counted.get(value, 0), n,
               _dose(alone, world) if alone is not None and value in values else None)
        for world, counted, n in shares for value in ordered
    )  # fmt: skip
    return Counts(family, matching, showing, table, row, values, met)


def _dose(row: Planted, world: str) -> float:
    return row.skewed if world == "skewed" else row.balanced


def _share(world: str, family: str, value: str, k: int, n: int, planned: float | None) -> Share:
    ends = wilson(k, n)
    return Share(world, family, value, k, n, k / n if n else 0.0, ends.low, ends.high, planned)


def figure(counts: Counts) -> go.Figure:
    """Bars of the shares with their intervals, the worlds side by side, and what the plan asks for."""
    drawn, seen = go.Figure(), False
    values = list(dict.fromkeys(one.value for one in counts.shares))[:SHOWN]
    for world in counts.matching:
        here = [one for one in counts.shares if one.world == world and one.value in values]
        drawn.add_bar(
            x=[plotting.shortened(one.value) for one in here],
            y=[one.share for one in here],
            name=f"{world} (n = {counts.showing[world]:,})",
            marker_color=COLOURS[world],
            error_y={"type": "data", "symmetric": False, "color": plotting.GREY, "thickness": 1.5, "width": 4,
                     "array": [one.high - one.share for one in here],
                     "arrayminus": [one.share - one.low for one in here]},
            customdata=[(one.value, one.count, one.n, one.low, one.high) for one in here],
            hovertemplate="%{customdata[0]}: %{customdata[1]:,} of %{customdata[2]:,}<br>%{y:.1%} "
            "(%{customdata[3]:.1%} to %{customdata[4]:.1%})<extra>" + world + "</extra>",
            offsetgroup=world,
        )  # fmt: skip
        planned = [one for one in here if one.planned is not None]
        if planned:
            drawn.add_scatter(
                x=[plotting.shortened(one.value) for one in planned], y=[one.planned for one in planned],
                mode="markers", name="the plan", offsetgroup=world, legendgroup="plan", showlegend=not seen,
                marker={"symbol": "diamond", "size": 12,
                        "color": "#ffffff", "line": {"width": 2, "color": plotting.TEXT}},
                hovertemplate="the plan: %{y:.1%}<extra>" + world + "</extra>",
            )  # fmt: skip
            seen = True
    drawn.update_layout(barmode="group", scattermode="group", bargap=0.3)
    drawn.update_yaxes(tickformat=".0%", range=[0, 1.02], title="share of the pairs")
    total = len({one.value for one in counts.shares})
    rest = f" (the first {SHOWN} of {total})" if total > SHOWN else ""
    plotting.styled(drawn, f"By {ATTRIBUTES[counts.family]}{rest}", 380)
    drawn.update_xaxes(type="category")
    return drawn
