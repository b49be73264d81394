"""Accuracy over groups of pictures and in the worst of them, and how it changes, with intervals and p.

The worst group is the worst of all pairs of label and group, if each has `FEWEST` pictures or more, as Gandelsman
et al. (2024) measure it; else the worst of the groups, since of many small cells the worst is that of chance.

Intervals: percentile bootstrap over pictures within cells; that of the worst group, which chance keeps low and
resampling lower still, is moved by the bias that resampling shows; Wilson's where all pictures of a group are
alike. p of a change: two-tailed, before and after exchanged in pictures by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.resampling import (
    RESAMPLES,
    at_least,
    ends,
    ends_of_distance,
    p_value,
    sign_flips,
    stratified_weights,
)
from probes.core.statistics import wilson

FEWEST = 30
"""Pictures in a pair of label and group below which its accuracy says little."""
ALL, WORST = "all pictures", "worst group"

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Groups:
    """Over which of n pictures accuracy is told: all, each of G groups, and the worst of C cells.

    Attributes:
        names: `all pictures`, the groups, `worst group`.
        group: (n,), the group of each picture, 0 to G - 1.
        cells: what the cells are called.
        cell: (n,), the cell of each picture, 0 to C - 1; cells lie within groups.
        worst_of: what the cells are, in words.
    """

    names: tuple[str, ...]
    group: Codes
    cells: tuple[str, ...]
    cell: Codes
    worst_of: str

    @classmethod
    def of(cls, labels: Sequence[str], groups: Sequence[str]) -> Groups:
        """The groups of n pictures, in the order in which they come."""
        names = tuple(dict.fromkeys(groups))
        group = np.array([names.index(one) for one in groups], np.intp)
        pairs = [f"{label}, {one}" for label, one in zip(labels, groups, strict=True)]
        large = min(Counter(pairs).values()) >= FEWEST
        cells = tuple(dict.fromkeys(pairs)) if large else names
        cell = np.array([cells.index(one) for one in pairs], np.intp) if large else group
        worst_of = "all pairs of label and group" if large else "all groups"
        return cls((ALL, *names, WORST), group, cells, cell, worst_of)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pictures of all and of each group, 1 + G."""
        return len(self.group), *np.bincount(self.group).tolist()

    @property
    def member(self) -> Float64:
        """Which pictures are among all, in each group and in each cell, (n, 1 + G + C) of 0 and 1."""
        columns = [np.ones((len(self.group), 1))]
        columns += [(codes[:, None] == np.arange(codes.max() + 1)) for codes in (self.group, self.cell)]
        return np.concatenate(columns, axis=1)

    def told(self, counts: Float64) -> Float64:
        """Shares of all, of each group and in the worst cell, (b, 2 + G), of counts (b, 1 + G + C)."""
        shares, split = counts / self.member.sum(axis=0), len(self.names) - 1
        return np.concatenate([shares[:, :split], shares[:, split:].min(axis=1, keepdims=True)], axis=1)

    def accuracy(self, hits: NDArray[np.floating] | Bools) -> Float64:
        """Shares of hits (b, n) of all, of each group and in the worst cell, (b, 2 + G).

        Hits may be counted more than once, as in a resample that keeps the sizes of cells.
        """
        return self.told(hits @ self.member)

    def exactly(self, hits: Bools) -> Float64:
        """The same of hits (n,), in Fairlearn's terms, (2 + G,)."""
        from fairlearn.metrics import MetricFrame  # takes a second to import

        nothing, told = np.zeros(len(hits), int), hits.astype(int)
        by_group, by_cell = (
            MetricFrame(metrics=_share, y_true=nothing, y_pred=told, sensitive_features=codes)
            for codes in (self.group, self.cell)
        )
        shares = [float(by_group.by_group.loc[place]) for place in range(len(self.names) - 2)]
        return np.array([float(by_group.overall), *shares, float(by_cell.group_min())])

    def worst(self, hits: Bools) -> int:
        """The cell in which the share of hits (n,) is smallest."""
        shares = (hits @ self.member) / self.member.sum(axis=0)
        return int(shares[len(self.names) - 1 :].argmin())


def _share(y_true: NDArray[np.integer], y_pred: NDArray[np.integer]) -> float:
    return float(np.mean(y_pred))


@dataclass(frozen=True, eq=False)
class Change:
    """Accuracy before and after, of all, each group and the worst group, (2 + G,) each.

    Attributes:
        before, after, change: after less before.
        before_ends, after_ends, change_ends: (low, high) of the 95 % intervals.
        p: of the changes.
    """

    before: Float64
    after: Float64
    change: Float64
    before_ends: tuple[Float64, Float64]
    after_ends: tuple[Float64, Float64]
    change_ends: tuple[Float64, Float64]
    p: Float64


def changed(groups: Groups, before: Bools, after: Bools, seed: int) -> Change:
    """How accuracy changes from one answer to another, paired over pictures.

    Args:
        groups: of n pictures.
        before, after: (n,), whether each picture is recognised.
        seed: of resamples and exchanges.
    """
    first, second = groups.exactly(before), groups.exactly(after)
    weights = np.concatenate(list(stratified_weights(groups.cell, RESAMPLES, seed)))
    drawn = groups.accuracy(weights * before), groups.accuracy(weights * after)
    change = second - first
    return Change(
        before=first,
        after=second,
        change=change,
        before_ends=_interval(groups, first, drawn[0], groups.worst(before)),
        after_ends=_interval(groups, second, drawn[1], groups.worst(after)),
        change_ends=_moved(drawn[1] - drawn[0], change, -1.0),
        p=_exchanged_p(groups, before, after, change, seed),
    )


def _interval(groups: Groups, value: Float64, draws: Float64, worst: int) -> tuple[Float64, Float64]:
    """Ends (2 + G,) of intervals of accuracies; resampling what is all alike tells nothing, and Wilson's do."""
    low, high = _moved(draws, value, 0.0)
    for place, n in enumerate((*groups.sizes, int((groups.cell == worst).sum()))):
        if value[place] in (0, 1):
            cut = wilson(int(value[place] * n), n)
            low[place], high[place] = cut.low, cut.high
    return low, high


def _moved(draws: Float64, value: Float64, least: float) -> tuple[Float64, Float64]:
    """Ends (2 + G,) of percentile intervals, that of the worst group moved by its bias."""
    low, high = ends(draws)
    moved = ends_of_distance(draws[:, -1:], value[-1:], least, 1.0)
    low[-1], high[-1] = moved[0][0], moved[1][0]
    return low, high


def _exchanged_p(groups: Groups, before: Bools, after: Bools, change: Float64, seed: int) -> Float64:
    """P (2 + G,) of changes. Only pictures that change matter: few of them are exchanged in every way there is."""
    differ = np.flatnonzero(before != after)
    if not len(differ):
        return np.ones(len(change))
    member = groups.member
    gain = (after.astype(np.float64) - before)[differ, None] * member[differ]  # what each adds when it changes
    flips, exact = sign_flips(len(differ), seed)
    reached, arrangements = np.zeros(len(change), np.intp), 0
    for signs in flips:
        moved = (1 - signs.astype(np.float64)) / 2 @ gain
        dealt = groups.told(after @ member - moved) - groups.told(before @ member + moved)
        reached += at_least(np.abs(dealt), np.abs(change)).sum(axis=0)
        arrangements += len(signs)
    return p_value(reached, arrangements, exact)
