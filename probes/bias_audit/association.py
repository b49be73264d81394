r"""Association of words with groups: differences of means, SC-EAT and WEAT.

With s_il the cosine of picture i and word l (mean over templates), for a group g of n_g pictures:

    association_difference_gl = mean_{i in g} s_il - mean_{i not in g} s_il
    sc_eat_gl                 = association_difference_gl / std_i(s_il)          (ddof = 1, over all pictures)

With s(w, A, B) = mean_a cos(w, a) - mean_b cos(w, b), targets X, Y and attributes A, B (Caliskan 2017; iEAT,
Steed 2021, where all are pictures):

    d = (mean_{x in X} s(x, A, B) - mean_{y in Y} s(y, A, B)) / std_{X u Y}(s)   (ddof = 1)

Intervals: bootstrap over pictures within groups (targets within X and within Y). p: groups' labels swapped,
two-tailed; the std does not change under a swap, so a difference and its SC-EAT share their p. WEAT: one-tailed,
share of splits of X u Y into parts of the same sizes whose difference is at least as large; exact where there
are at most 10,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes.bias_audit.audited import Codes, Grouping, Measure, Scores
from probes.core.model import Float32
from probes.core.resampling import RESAMPLES, SWAPS, at_least, ends, p_value, splits, stratified_weights, swapped
from probes.core.statistics import benjamini_hochberg

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Differences:
    """Every group against all other pictures, for every column: arrays (G, c); see the module."""

    value: Float64
    low: Float64
    high: Float64
    standardised: Float64
    standardised_low: Float64
    standardised_high: Float64
    p: Float64


def difference(scores: NDArray[np.floating], codes: Codes, groups: int) -> Float64:
    """Mean of each group less the mean of all others, (groups, c), of scores (n, c)."""
    sums = _sums(np.eye(groups)[codes].T, scores.astype(np.float64))
    sizes = np.bincount(codes, minlength=groups)[:, None]
    return np.asarray(sums / sizes - (sums.sum(axis=0) - sums) / (len(codes) - sizes))


def _sums(weights: NDArray[np.floating], scores: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(weights @ scores)


def differences(scores: Float32, codes: Codes, groups: int, seed: int) -> Differences:
    """Every group against all others with intervals and p-values, of scores (n, c)."""
    values = difference(scores, codes, groups)
    spread = scores.astype(np.float64).std(axis=0, ddof=1)
    # Means are subtracted before the products in float32: cosines of one word differ in the second decimal only.
    centred = scores - scores.mean(axis=0, dtype=np.float64).astype(np.float32)
    draws, spreads = _bootstrap(centred, codes, groups, seed)
    low, high = ends(draws)
    scaled = np.divide(draws, spreads[:, None], out=np.zeros_like(draws), where=spreads[:, None] > 0)
    scaled_low, scaled_high = ends(scaled)
    standardised = np.divide(values, spread, out=np.zeros_like(values), where=spread > 0)
    p = _swap_p(centred, values, codes, groups, seed)
    return Differences(values, low, high, standardised, scaled_low, scaled_high, p)


def _bootstrap(
    centred: Float32, codes: Codes, groups: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Differences (B, G, c) and standard deviations over all pictures (B, c) of resamples within groups."""
    n, columns = centred.shape
    sizes = np.bincount(codes, minlength=groups).astype(np.float32)[:, None]
    squares = centred * centred
    places = [np.flatnonzero(codes == group) for group in range(groups)]
    draws = np.empty((RESAMPLES, groups, columns), dtype=np.float32)
    spreads = np.empty((RESAMPLES, columns), dtype=np.float32)
    done = 0
    for weights in stratified_weights(codes, RESAMPLES, seed):
        sums = np.stack([weights[:, own] @ centred[own] for own in places], axis=1)
        whole = sums.sum(axis=1, keepdims=True)
        until = done + len(weights)
        draws[done:until] = sums / sizes - (whole - sums) / (n - sizes)
        variance = (weights @ squares - whole[:, 0] ** 2 / n) / (n - 1)
        spreads[done:until] = np.sqrt(np.maximum(variance, 0))
        done = until
    return draws, spreads


def _swap_p(centred: Float32, values: Float64, codes: Codes, groups: int, seed: int) -> Float64:
    """Two-tailed p of every difference (G, c) with labels swapped."""
    n = len(codes)
    sizes = np.bincount(codes, minlength=groups).astype(np.float32)
    whole = centred.sum(axis=0)
    extreme = np.zeros(values.shape, dtype=np.int64)
    counted = 1 if groups == 2 else groups  # the other of two groups is its mirror
    size = sizes[:counted, None]
    if groups == 2:
        masks, exact = splits(n, int(sizes[0]), seed)
        marks = ((mask[:, None] for mask in masks), exact)
    else:
        dealt = (
            np.stack([codes_ == g for g in range(groups)], axis=1).astype(np.float32)
            for codes_ in swapped(codes, SWAPS, seed)
        )
        marks = (dealt, False)
    observed = np.abs(values[:counted]).astype(np.float32)
    arrangements = 0
    for mark in marks[0]:
        for some in np.array_split(mark, -(-len(mark) // 256)):
            sums = (some.reshape(-1, n) @ centred).reshape(len(some), counted, -1)
            found = np.abs(sums / size - (whole - sums) / (n - size))
            extreme[:counted] += at_least(found, observed).sum(axis=0)
            arrangements += len(some)
    extreme[counted:] = extreme[:1] if groups == 2 else extreme[counted:]
    return p_value(extreme, arrangements, marks[1])


def association_measures(scores: Scores, grouping: Grouping, seed: int) -> tuple[Measure, ...]:
    """`association_difference` and `sc_eat` of every word and group; two groups mirror each other."""
    groups = len(grouping.groups)
    found = differences(scores.mean, grouping.codes, groups, seed)
    every = scores.by_wording
    n, wordings, words = every.shape
    flat = every.reshape(n, wordings * words)
    alone = difference(flat, grouping.codes, groups).reshape(groups, wordings, words)
    spread = flat.std(axis=0, ddof=1, dtype=np.float64).reshape(wordings, words)
    scaled = np.divide(alone, spread, out=np.zeros_like(alone), where=spread > 0)
    kinds = (
        ("association_difference", found.value, found.low, found.high, alone),
        ("sc_eat", found.standardised, found.standardised_low, found.standardised_high, scaled),
    )
    return tuple(
        Measure(
            measure=kind,
            variant="",
            word=word,
            group=group,
            value=float(value[g, w]),
            low=float(low[g, w]),
            high=float(high[g, w]),
            n=n,
            p=float(found.p[g, w]),
            by_wording=_several(each[g, :, w]),
        )
        for kind, value, low, high, each in kinds
        for w, word in enumerate(scores.words)
        for g, group in enumerate(grouping.groups)
    )


def _several(values: NDArray[np.floating]) -> tuple[float, ...]:
    """A number with each wording alone; nothing where there is but one."""
    return tuple(float(value) for value in values) if len(values) > 1 else ()


@dataclass(frozen=True)
class Weat:
    """An effect size d with its interval, one-tailed p, whether that is exact, and the number of targets."""

    effect: float
    low: float
    high: float
    p: float
    exact: bool
    n: int


def weat(first: NDArray[np.floating], second: NDArray[np.floating], seed: int) -> Weat:
    """WEAT from the associations s(w, A, B) of the targets X (n,) and Y (m,).

    Raises:
        ValueError: a set has fewer than two targets.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("a set of targets needs two at least")
    values = np.concatenate([first, second]).astype(np.float64)
    x, n = len(first), len(values)
    effect = _effect(values[None], x)[0]
    draws = []
    strata = (np.arange(n) >= x).astype(np.intp)
    centred = values - values.mean()
    for weights in stratified_weights(strata, RESAMPLES, seed):
        w = weights.astype(np.float64)
        gap = w[:, :x] @ centred[:x] / x - w[:, x:] @ centred[x:] / (n - x)
        variance = (w @ centred**2 - (w @ centred) ** 2 / n) / (n - 1)
        spread = np.sqrt(np.maximum(variance, 0))
        draws.append(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0))
    low, high = ends(np.concatenate(draws))
    masks, exact = splits(n, x, seed)
    observed = np.array(centred[:x].sum())
    extreme = arrangements = 0
    for mask in masks:
        extreme += int(at_least(mask.astype(np.float64) @ centred, observed).sum())
        arrangements += len(mask)
    p = p_value(np.array(extreme), arrangements, exact)
    return Weat(float(effect), float(low), float(high), float(p), exact, n)


def _effect(values: Float64, x: int) -> Float64:
    """Effect sizes of rows (r, n) whose first x columns are X."""
    gap = values[:, :x].mean(axis=1) - values[:, x:].mean(axis=1)
    spread = values.std(axis=1, ddof=1)
    return np.asarray(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0))


def leaning(targets: Float32, a: Float32, b: Float32) -> Float64:
    """s(w, A, B) of targets with each template, (t, n).

    Args:
        targets: (n, d) pictures, or (t, n, d) texts in the same templates as the attributes.
        a: (t, A, d).
        b: (t, B, d).
    """
    toward = a.mean(axis=1, dtype=np.float64) - b.mean(axis=1, dtype=np.float64)
    every = np.broadcast_to(targets, (len(toward), *targets.shape[-2:]))
    return np.asarray(np.einsum("tnd,td->tn", every.astype(np.float64), toward))


def weat_measure(
    x: Float32, y: Float32, a: Float32, b: Float32, *, variant: str, word: str, group: str, seed: int
) -> Measure:
    """A row of measure `weat`; arguments as in `leaning`, variant such as `pictures, texts`."""
    first, second = leaning(x, a, b), leaning(y, a, b)
    found = weat(first.mean(axis=0), second.mean(axis=0), seed)
    alone = _effect(np.concatenate([first, second], axis=1), first.shape[1])
    return Measure(
        "weat", variant, word, group, found.effect, found.low, found.high, found.n, found.p, _several(alone)
    )


def adjusted(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """The same with p corrected within each family of measure and variant (Benjamini & Hochberg 1995).

    The mirrored rows of two groups double every p of a family and so change nothing.
    """
    families: dict[tuple[str, str], list[int]] = {}
    for place, m in enumerate(measures):
        if m.p is not None:
            families.setdefault((m.measure, m.variant), []).append(place)
    found = list(measures)
    for places in families.values():
        corrected = benjamini_hochberg([measures[place].p or 0.0 for place in places])
        for place, p in zip(places, corrected, strict=True):
            found[place] = replace(found[place], p_adjusted=p)
    return tuple(found)
