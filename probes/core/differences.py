r"""Differences between two models, with intervals: paired where both were shown the same, else from two intervals.

With a_i and b_i what the models gave for observation i = 1..n, and d_i = a_i - b_i:

- **paired**: the mean of d; expanded percentile bootstrap over observations (Hesterberg, "What teachers should
  know about the bootstrap", The American Statistician 2015): the ends are the quantiles at
  Phi(-+ sqrt(n/(n-1)) t_{n-1}) in place of 2.5 and 97.5 %, without which few templates would make intervals that
  are too narrow. p: random signs of d, two-tailed, exact where there are few. Observations that belong together
  are drawn, and flipped, together.
- **paired, of fewer than 6**: no p could fall to 0.05, so that there is none and nothing is called clear. No
  resample leaves the range of so few, and the range of two leaves out the truth half the time: the interval is
  Student's ("The probable error of a mean", Biometrika 1908), mean -+ t_{n-1} s / sqrt(n). Of k groups that belong
  together, with sums S, sizes m and residuals e = S - mean m (Cochran, "Sampling techniques", 1977, 6.3),

      mean = sum S / sum m,    s / sqrt(n) = sqrt(k/(k-1) sum e^2) / sum m,    t with k - 1 degrees of freedom
- **from two intervals** (MOVER: Zou, Donner, "Construction of confidence limits about effect measures: a general
  approach", Statistics in Medicine 2008): with estimates a, b and intervals (l_a, u_a), (l_b, u_b)

      L = a - b - sqrt((a - l_a)^2 + (u_b - b)^2),    U = a - b + sqrt((u_a - a)^2 + (b - l_b)^2)

  which takes the two for independent. Models that are shown the same pictures agree in what is hard, so that it is
  wider than a paired interval would be; it tests nothing.

Exchanging the models flips every sign exactly: resampling is done on the differences turned so that their mean is
not below zero. Resampling has a seed of its own, since a comparison is no run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from probes.core.comparison import Difference
from probes.core.resampling import RESAMPLES, at_least, p_value, sign_flips, stratified_weights
from probes.core.statistics import LEVEL, Estimate

Float64 = NDArray[np.float64]

SEED = 0
UNPAIRED = "from the two intervals, as if the models had been shown different things"
SINGLE = "one observation: there is no interval"
TOGETHER = "all of them belong together: there is no interval"
FEWEST = 2
FEWEST_TESTED = 6
"""With fewer observations no p of random signs, 2 / 2^n at least, could fall to 0.05, and none is given."""
UNTESTED = f"too few for a test: fewer than {FEWEST_TESTED} allow no p of 0.05; the interval is Student's"
UNTESTED_GROUPS = "in {count} groups that belong together; " + UNTESTED
FEW, MORE = 200, 9_999
"""Of up to so many observations so many resamples are drawn: their ends lie farther out, where draws are rare."""


@dataclass(frozen=True)
class End:
    """One model's number with its interval, as `from_intervals` takes it.

    Attributes:
        value: what was measured.
        low, high: ends of its 95 % interval; None where it has none.
        n: what it was measured on.
    """

    value: float
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, one: Estimate) -> End:
        """An estimate and its interval, if it has one."""
        low, high = (None, None) if one.interval is None else (one.interval.low, one.interval.high)
        return cls(one.value, low, high, one.n)


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
    one, other = (np.asarray(values, dtype=np.float64)[:, None] for values in (first, second))
    (found,) = paired_columns([what], one, other, over=over, unit=unit, clusters=clusters, note=note)
    return found


def paired_columns(
    what: Sequence[str],
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    *,
    over: str,
    unit: str,
    clusters: NDArray[np.intp] | None = None,
    note: str = "",
) -> tuple[Difference, ...]:
    """As `paired` for several numbers of the same observations: c names and values (n, c)."""
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    low, high, p = paired_intervals(one - other, clusters)
    count = int(_groups(len(one), clusters).max()) + 1
    known, tested = count >= FEWEST, count >= FEWEST_TESTED
    told = "; ".join(filter(None, (note, "" if tested else _few(len(one), count))))
    return tuple(
        Difference(
            what=name,
            first=float(one[:, c].mean()),
            second=float(other[:, c].mean()),
            difference=float((one - other)[:, c].mean()),
            low=float(low[c]) if known else None,
            high=float(high[c]) if known else None,
            n=len(one),
            over=over,
            p=float(p[c]) if tested else None,
            unit=unit,
            too_few=not tested,
            note=told,
        )
        for c, name in enumerate(what)
    )


def _groups(n: int, clusters: NDArray[np.intp] | None) -> NDArray[np.intp]:
    """Which group each of n observations belongs to, numbered without gaps."""
    return np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]


def _few(n: int, count: int) -> str:
    """What n observations in `count` groups are too few for."""
    if count < FEWEST:
        return SINGLE if n == 1 else TOGETHER
    return UNTESTED if count == n else UNTESTED_GROUPS.format(count=count)


def paired_intervals(
    differences: Float64, clusters: NDArray[np.intp] | None = None
) -> tuple[Float64, Float64, Float64]:
    """95 % intervals of the means of differences (n, c) and their two-tailed sign-flip p: low, high, p, (c,) each.

    All are not-a-number for one observation, and p for fewer than `FEWEST_TESTED`.
    """
    groups = _groups(len(differences), clusters)
    count, columns = int(groups.max()) + 1, differences.shape[1]
    if count < FEWEST:
        nothing = np.full(columns, np.nan)
        return nothing, nothing, nothing
    turn = turns(differences.mean(axis=0), differences)
    sums = np.zeros((count, columns))
    np.add.at(sums, groups, turn * differences)
    sizes = np.bincount(groups, minlength=count).astype(np.float64)
    if count < FEWEST_TESTED:
        return *turned(*student_ends(sums, sizes), turn), np.full(columns, np.nan)
    strata = np.zeros(count, dtype=np.intp)
    resamples = MORE if count <= FEW else RESAMPLES
    weights = stratified_weights(strata, resamples, SEED)
    low, high = expanded_ends(np.concatenate([(w @ sums) / (w @ sizes)[:, None] for w in weights]), count)
    flips, exact = sign_flips(count, SEED)
    observed, extreme, arrangements = np.abs(sums.sum(axis=0)), np.zeros(columns, dtype=np.int64), 0
    for signs in flips:
        extreme += at_least(np.abs(signs.astype(np.float64) @ sums), observed).sum(axis=0)
        arrangements += len(signs)
    return *turned(low, high, turn), p_value(extreme, arrangements, exact)


def turns(means: Float64, differences: Float64) -> Float64:
    """1 or -1 (c,): turns means (c,) so that none is below zero; where one is zero, the first of its differences.

    Args:
        means: (c,).
        differences: (n, c).
    """
    first = differences[(differences != 0).argmax(axis=0), np.arange(differences.shape[1])]
    return np.where(np.where(means != 0, means, first) < 0, -1.0, 1.0)


def turned(low: Float64, high: Float64, turn: Float64) -> tuple[Float64, Float64]:
    """Ends of intervals of what was turned by -1, turned back."""
    back = turn < 0
    return np.where(back, -high, low) + 0.0, np.where(back, -low, high) + 0.0


def student_ends(sums: Float64, sizes: Float64) -> tuple[Float64, Float64]:
    """Ends of Student's 95 % intervals of the means of groups: their sums (k, c) and sizes (k,)."""
    count, total = len(sizes), sizes.sum()
    means = sums.sum(axis=0) / total
    squares = ((sums - means * sizes[:, None]) ** 2).sum(axis=0)
    reach = scipy.stats.t.ppf((1 + LEVEL) / 2, count - 1) * np.sqrt(count / (count - 1) * squares) / total
    return means - reach, means + reach


def expanded_ends(draws: Float64, n: int) -> tuple[Float64, Float64]:
    """Ends of 95 % expanded percentile intervals over the first axis of draws (B, ...) of n observations."""
    reach = np.sqrt(n / (n - 1)) * scipy.stats.t.ppf((1 + LEVEL) / 2, n - 1)
    tail = float(scipy.stats.norm.sf(reach))
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


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
