r"""Resampling of many numbers at once: bootstrap weights, label swaps and sign flips, as matrices.

With scores S (n, c) of n observations, a bootstrap mean of every column is one row of W S / n, where W (B, n)
counts how often each observation was drawn; a swap of labels or a flip of signs is such a row as well. So all
resamples of all columns are one matrix product, taken in chunks that fit into memory.

Conventions as in `probes.core.statistics`: 95 % percentile intervals; p-values count the observed arrangement
among the arrangements, all of them where there are at most `EXACT`, else `SWAPS` dealt by chance:
p = (1 + #{as extreme}) / (1 + SWAPS).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from probes.core.statistics import LEVEL

Float64 = NDArray[np.float64]

RESAMPLES = 1_999
SWAPS = 9_999
EXACT = 10_000
"""Where there are at most so many arrangements, all are counted."""
CHUNK = 60_000_000
"""Bytes of weights that are held at once."""
TIE = 1e-9
"""Relative tolerance that keeps equal arrangements equal when they differ by rounding."""


def stratified_weights(strata: NDArray[np.intp], resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each observation is drawn when every stratum is resampled with replacement by itself.

    Args:
        strata: (n,), the stratum of each observation, 0 to S - 1; all zero for a plain bootstrap.
        resamples: B.
        seed: of the draws.

    Yields:
        (b, n) counts, B rows in all; in each row a stratum's counts add up to its size.
    """
    rng = np.random.default_rng([seed, 0])
    members = [np.flatnonzero(strata == stratum) for stratum in range(int(strata.max()) + 1)]
    for rows in _chunks(resamples, len(strata)):
        weights = np.zeros((rows, len(strata)), dtype=np.float32)
        for places in members:
            if len(places):
                weights[:, places] = rng.multinomial(len(places), np.full(len(places), 1 / len(places)), size=rows)
        yield weights


def bootstrap_weights(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each of n observations is drawn with replacement: (b, n) counts, `resamples` rows in all.

    Of many observations counted several times as fast as `stratified_weights` deals them.
    """
    rng = np.random.default_rng([seed, 11])
    rows = max(1, CHUNK // (4 * n))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.empty((count, n), dtype=np.float32)
        for row in weights:
            row[:] = np.bincount(rng.integers(n, size=n, dtype=np.int32), minlength=n)
        yield weights


def swapped(codes: NDArray[np.intp], swaps: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Labels dealt anew by chance, sizes of groups kept: (b, n) codes, `swaps` rows in all."""
    rng = np.random.default_rng([seed, 1])
    for rows in _chunks(swaps, 2 * len(codes)):
        yield rng.permuted(np.broadcast_to(codes, (rows, len(codes))), axis=1)


def splits(n: int, first: int, seed: int) -> tuple[Iterator[NDArray[np.float32]], bool]:
    """Ways to split n observations into `first` and the rest, and whether these are all the ways there are.

    A way is a row of (b, n), 1 for the first part and 0 for the rest.
    """
    if math.comb(n, first) <= EXACT:
        every = list(combinations(range(n), first))
        masks = np.zeros((len(every), n), dtype=np.float32)
        for row, places in enumerate(every):
            masks[row, list(places)] = 1
        return iter([masks]), True
    codes = (np.arange(n) >= first).astype(np.intp)
    return ((1 - dealt).astype(np.float32) for dealt in swapped(codes, SWAPS, seed)), False


def sign_flips(n: int, seed: int) -> tuple[Iterator[NDArray[np.float32]], bool]:
    """Signs of n observations: (b, n) of -1 and 1, and whether these are all the ways there are."""
    if 2**n <= EXACT:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return iter([(1 - 2 * bits).astype(np.float32)]), True
    rng = np.random.default_rng([seed, 2])
    chunks = _chunks(SWAPS, n)
    return ((1 - 2 * rng.integers(0, 2, (rows, n))).astype(np.float32) for rows in chunks), False


def p_value(as_extreme: NDArray[np.integer], arrangements: int, exact: bool) -> Float64:
    """P from how many arrangements are at least as extreme as the observed one; see the module."""
    counted = np.asarray(as_extreme, dtype=np.float64)
    return counted / arrangements if exact else (1 + counted) / (1 + arrangements)


def ends(draws: NDArray[np.floating]) -> tuple[Float64, Float64]:
    """Ends of the 95 % percentile interval over the first axis of draws (B, ...)."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


def ends_of_distance(
    draws: NDArray[np.floating], value: NDArray[np.floating], least: float, most: float
) -> tuple[Float64, Float64]:
    """Ends of a 95 % interval of distances (...), of draws (B, ...), within their range.

    Chance keeps a distance from its best value, and resampling does so once more. The percentile interval is
    therefore moved by the bias that resampling shows, mean of the draws less the value (Efron & Tibshirani 1993,
    chapter 10). It holds the value.
    """
    low, high = ends(draws)
    bias = draws.mean(axis=0) - value
    low, high = np.maximum(low - bias, least), np.minimum(high - bias, most)
    return np.minimum(low, value), np.maximum(high, value)


def at_least(values: NDArray[np.floating], observed: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether values reach the observed ones, but for rounding."""
    slack = TIE * np.maximum(np.abs(observed), np.finfo(np.float32).tiny)
    if values.dtype == np.float32:
        slack = slack * 1e3  # float32 rounds at 1e-7
    reached: NDArray[np.bool_] = values >= observed - slack
    return reached


def _chunks(rows: int, columns: int) -> Iterator[int]:
    at_once = max(1, CHUNK // (4 * columns))
    for start in range(0, rows, at_once):
        yield min(at_once, rows - start)
