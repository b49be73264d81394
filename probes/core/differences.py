r"""Differences between two models, with intervals: paired where both were shown the same, else from two intervals.

With a_i and b_i what the models gave for observation i = 1..n, and d_i = a_i - b_i:

- **paired**: the mean of d; expanded percentile bootstrap over observations (Hesterberg, "What teachers should
  know about the bootstrap", The American Statistician 2015): the ends are the quantiles at
  Phi(-+ sqrt(n/(n-1)) t_{n-1}) in place of 2.5 and 97.5 %, without which few templates would make intervals that
  are too narrow. p: random signs of d, two-tailed, exact where there are few. Observations that belong together
  are drawn, and flipped, together.
- **from two intervals** (MOVER: Zou, Donner, "Construction of confidence limits about effect measures: a general
  approach", Statistics in Medicine 2008): with estimates a, b and intervals (l_a, u_a), (l_b, u_b)

      L = a - b - sqrt((a - l_a)^2 + (u_b - b)^2),    U = a - b + sqrt((u_a - a)^2 + (b - l_b)^2)

  which takes the two for independent. Models that are shown the same pictures agree in what is hard, so that it is
  wider than a paired interval would be; it tests nothing.

Exchanging the models flips every sign exactly: resampling is done on the differences turned so that their mean is
not below zero. Resampling has a seed of its own, since a comparison is no run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from probes.core.comparison import Difference
from probes.core.resampling import RESAMPLES, at_least, p_value, sign_flips, stratified_weights
from probes.core.statistics import LEVEL

Float64 = NDArray[np.float64]

SEED = 0
UNPAIRED = "from the two intervals, as if the models had been shown different things"
SINGLE = "one observation: there is no interval"
FEWEST = 2
FEW, MORE = 200, 9_999
"""Of up to so many observations so many resamples are drawn: their ends lie farther out, where draws are rare."""


def paired(
    what: str,
    first: ArrayLike,
    second: ArrayLike,
    *,
    over: str,
    unit: str,
    clusters: NDArray[np.intp] | None = None,
    note: str = "",
) -> Difference:
    """The mean of what two models gave for the same n observations, first less second.

    Args:
        what: in words.
        first, second: (n,).
        over: what the observations are.
        unit: what they are measured in.
        clusters: (n,), which observations belong together; each for itself if nothing is said.
        note: what else has to be known.
    """
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    interval, p = paired_interval(one - other, clusters)
    low, high = (None, None) if interval is None else interval
    return Difference(
        what=what,
        first=float(one.mean()),
        second=float(other.mean()),
        difference=float((one - other).mean()),
        low=low,
        high=high,
        n=len(one),
        over=over,
        p=p,
        unit=unit,
        note=note if interval is not None else f"{note}; {SINGLE}".lstrip("; "),
    )


def paired_interval(
    differences: Float64, clusters: NDArray[np.intp] | None = None
) -> tuple[tuple[float, float] | None, float | None]:
    """95 % interval of the mean of differences (n,), and its two-tailed sign-flip p; None for one observation."""
    groups = np.arange(len(differences)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    count = int(groups.max()) + 1
    if count < FEWEST:
        return None, None
    turn = _turn(differences)
    sums = np.bincount(groups, weights=turn * differences, minlength=count)
    sizes = np.bincount(groups, minlength=count).astype(np.float64)
    strata = np.zeros(count, dtype=np.intp)
    resamples = MORE if count <= FEW else RESAMPLES
    draws = np.concatenate([(w @ sums) / (w @ sizes) for w in stratified_weights(strata, resamples, SEED)])
    low, high = (turn * end for end in expanded_ends(draws, count))
    flips, exact = sign_flips(count, SEED)
    observed, extreme, arrangements = np.abs(sums.sum()), 0, 0
    for signs in flips:
        extreme += int(at_least(np.abs(signs.astype(np.float64) @ sums), observed).sum())
        arrangements += len(signs)
    p = float(p_value(np.asarray(extreme), arrangements, exact))
    return (min(low, high), max(low, high)), p


def _turn(differences: Float64) -> float:
    """1 or -1: turns differences so that their mean is not below zero, or where it is zero the first is not."""
    mean = float(differences.mean())
    first = next((float(value) for value in differences if value), 0.0)
    return -1.0 if (mean or first) < 0 else 1.0


def expanded_ends(draws: Float64, n: int) -> tuple[float, float]:
    """Ends of the 95 % expanded percentile interval of draws (B,) of n observations; see the module."""
    reach = np.sqrt(n / (n - 1)) * scipy.stats.t.ppf((1 + LEVEL) / 2, n - 1)
    tail = float(scipy.stats.norm.sf(reach))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def from_intervals(what: str, first: Any, second: Any, *, over: str, unit: str, note: str = "") -> Difference:
    """The difference of two estimates from their intervals alone; see the module.

    Args:
        what: in words.
        first, second: anything with `value`, `low`, `high` and `n`; ends of None leave no interval.
        over: what n counts.
        unit: what they are measured in.
        note: what else has to be known.
    """
    a, b = float(first.value), float(second.value)
    low = high = None
    if None not in (first.low, first.high, second.low, second.high):
        low = a - b - float(np.hypot(a - first.low, second.high - b))
        high = a - b + float(np.hypot(first.high - a, b - second.low))
    told = UNPAIRED if low is not None else ""
    return Difference(
        what=what, first=a, second=b, difference=a - b, low=low, high=high, n=min(first.n, second.n), over=over,
        unit=unit, note="; ".join(filter(None, (told, note))),
    )  # fmt: skip


def plain(what: str, first: float, second: float, *, n: int, over: str, unit: str, note: str = "") -> Difference:
    """A difference of two numbers that nothing was repeated for: it has no interval."""
    one, other = float(first), float(second)
    return Difference(
        what=what, first=one, second=other, difference=one - other, n=n, over=over, unit=unit, note=note
    )
