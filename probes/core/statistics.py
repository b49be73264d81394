"""Estimates, intervals and tests: thin, named wrappers around `scipy.stats`, so that all probes choose alike.

Conventions, said once: intervals are 95 % percentile-bootstrap intervals; tests are two-tailed permutation
tests whose p-values count the observed arrangement among the permutations (exact when there are few, sampled
with +1 smoothing otherwise); families of tests are corrected after Benjamini and Hochberg (1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

LEVEL = 0.95
SIGNIFICANT = 0.05
"""What a corrected p is at most where a difference is called clear."""
RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """The ends of a 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A number with what is needed to judge it.

    Attributes:
        value: the estimate.
        n: how many observations it rests on.
        over: what those observations are, such as `templates` or `placements`.
        interval: 95 % interval; None where n = 1 leaves none to compute.
        p: two-tailed p-value of the claim that it is not zero; None where nothing was tested.
    """

    value: float
    n: int
    over: str
    interval: Interval | None = None
    p: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the interval; twice the value where there is none."""
        return (self.value, self.value) if self.interval is None else (self.interval.low, self.interval.high)

    def describe(self, form: str = "+.2f", unit: str = "") -> str:
        """The estimate in words: value, interval and n."""
        value = f"{self.value:{form}}{unit}"
        if self.interval is None:
            return f"{value} (no interval from n = {self.n} {self.over})"
        ends = f"{self.interval.low:{form}} to {self.interval.high:{form}}{unit}"
        return f"{value} (95 % interval {ends}, n = {self.n} {self.over})"


def wilson(k: int, n: int) -> Interval:
    """95 % Wilson score interval of the share k of n (Wilson 1927); 0 to 1 for n = 0."""
    if n == 0:
        return Interval(0.0, 1.0)
    found = scipy.stats.binomtest(k, n).proportion_ci(LEVEL, method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap_interval(samples: ArrayLike, seed: int) -> Interval | None:
    """95 % percentile-bootstrap interval of the mean of samples, (n,).

    None for n = 1, where a bootstrap would report a width of zero.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.size < 2:
        return None
    if np.ptp(values) == 0.0:
        return Interval(float(values[0]), float(values[0]))
    result = scipy.stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=LEVEL,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
        vectorized=True,
        batch=1000,
    )
    low, high = result.confidence_interval
    return Interval(float(low), float(high))


def mean_estimate(samples: ArrayLike, over: str, seed: int) -> Estimate:
    """Mean of samples (n,) with its bootstrap interval."""
    values = np.asarray(samples, dtype=np.float64)
    return Estimate(float(values.mean()), values.size, over, bootstrap_interval(values, seed))


def sign_flip_p(differences: ArrayLike, seed: int) -> float:
    """Two-tailed p-value of a mean paired difference under random flips of sign, (n,).

    Null: each difference is as likely to have either sign. Exact up to 2^13 flips.
    """
    values = np.asarray(differences, dtype=np.float64)
    result = scipy.stats.permutation_test(
        (values, np.zeros_like(values)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        alternative="two-sided",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def rank_p(observed: float, placebos: ArrayLike) -> float:
    """Two-tailed p-value of one observation among exchangeable placebos, (k,).

    Null: the observation is one more placebo. p = (1 + #{|placebo - m| >= |observed - m|}) / (1 + k), with m
    the mean of all k + 1 values, so that the p-value is exact under the null; the smallest is 1/(k + 1).
    """
    values = np.asarray(placebos, dtype=np.float64)
    centre = (values.sum() + observed) / (values.size + 1)
    # A tolerance keeps equal effects equal when they differ by rounding: logits come in float32.
    at_least = np.abs(values - centre) >= np.abs(observed - centre) - 1e-6
    return float((1 + at_least.sum()) / (1 + values.size))


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values adjusted for the false-discovery rate of the family (Benjamini & Hochberg 1995)."""
    if not p_values:
        return ()
    return tuple(float(p) for p in scipy.stats.false_discovery_control(np.asarray(p_values)))
