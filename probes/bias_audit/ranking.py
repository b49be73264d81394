r"""Who is near a word: skew, NDKL, entropy and selection rates of the k pictures nearest to it.

Pictures are ranked by cosine to a word. With p_k(a) the share of group a in the first k and p*(a) its desired
share, 1/G (`equal_opportunity`) or its share in all pictures (`demographic_parity`), natural logarithms (Geyik
2019):

    skew_a@k = ln(p_k(a) / p*(a)); a share of zero is replaced by 1/k          max_skew, min_skew: over a
    ndkl     = (1/Z) sum_{i=1..k} KL(p_i || p*) / log2(i + 1),  Z = sum_{i=1..k} 1 / log2(i + 1)
    entropy  = -sum_a p_k(a) ln p_k(a) / ln G
    selection_rate_a = pictures of a in the first k / pictures of a            difference, ratio: over a,
    Fairlearn's

Tied pictures share the places of their block: each counts as the block's shares of groups, so that the order in
which pictures are given does not matter.

Intervals: bootstrap over pictures within groups, which keeps the groups' sizes. p: groups' labels swapped,
one-tailed toward more bias (large max_skew, ndkl and difference; small min_skew, entropy and ratio). Under a
swap the groups of the first k are a draw without replacement from all labels, whatever the word: one null serves
all words.

All but the selection rate of a group measure a distance, which chance alone keeps from its best value, and
resampling does so once more: resamples lie off the value by about as much as the value lies off the truth. Their
intervals are therefore percentile intervals less that bias (mean of the resamples less the value; Efron &
Tibshirani 1993, chapter 10), within the measure's range. Where there is little to find, NDKL's still lies too
high, since a value that can only err to one side cannot be centred on the truth; p does not suffer from that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.bias_audit.audited import Codes, Grouping, Measure, Scores
from probes.core.resampling import SWAPS, at_least, ends, ends_of_distance, p_value, stratified_weights, swapped

Float64 = NDArray[np.float64]

RESAMPLES = 999
VARIANTS = ("equal_opportunity", "demographic_parity")
DIFFERENCE, RATIO = "difference", "ratio"
SPARE = 8
"""Standard deviations of places beyond k that are kept, since a resample may draw the nearest pictures seldom."""
AT_ONCE = 250_000
"""Resamples times places that are held at once."""
GREATER = {"max_skew": True, "ndkl": True, DIFFERENCE: True, "min_skew": False, "entropy": False, RATIO: False}
"""Whether more bias is a greater value."""
RANGES = {
    "max_skew": (0.0, np.inf), "min_skew": (-np.inf, 0.0), "ndkl": (0.0, np.inf), "entropy": (0.0, 1.0),
    DIFFERENCE: (0.0, 1.0), RATIO: (0.0, 1.0),
}  # fmt: skip
"""What the distances can be, from their definitions."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The pictures nearest to each of c words.

    Attributes:
        places: (c, T) pictures from the nearest on.
        shares: (c, T, G) what each counts as: its own group, or its block's shares where pictures tie.
    """

    places: NDArray[np.intp]
    shares: NDArray[np.float64]


def nearest(scores: NDArray[np.floating], codes: Codes, groups: int, count: int) -> Nearest:
    """The `count` nearest pictures to every column of scores (n, c)."""
    n, columns = scores.shape
    if count < n:
        candidates = np.argpartition(-scores, count - 1, axis=0)[:count]
    else:
        candidates = np.broadcast_to(np.arange(n)[:, None], (n, columns))
    near = np.take_along_axis(scores, candidates, axis=0)
    order = np.argsort(-near, axis=0, kind="stable")
    places = np.take_along_axis(candidates, order, axis=0).T
    ranked = np.take_along_axis(near, order, axis=0).T
    shares = np.eye(groups)[codes[places]]
    tied = ranked[:, 1:] == ranked[:, :-1]
    # Pictures left out may tie with the last that is in.
    last = (scores == ranked[:, -1]).sum(axis=0) > (ranked == ranked[:, -1:]).sum(axis=1)
    for column in np.flatnonzero(tied.any(axis=1) | last):
        _share(shares[column], ranked[column], scores[:, column], codes, groups)
    return Nearest(places, shares)


def _share(
    shares: Float64, ranked: NDArray[np.floating], scores: NDArray[np.floating], codes: Codes, groups: int
) -> None:
    """Give the pictures of every tied block the block's shares, in place."""
    blocks, starts, counts = np.unique(-ranked, return_index=True, return_counts=True)
    for value, start, count in zip(-blocks, starts, counts, strict=True):
        members = codes[scores == value]
        if len(members) > 1:
            shares[start : start + count] = np.bincount(members, minlength=groups) / len(members)


def skews(counts: NDArray[np.floating], k: int, desired: Float64) -> Float64:
    """ln(p_k / p*) of counts (..., G) in the first k."""
    filled = np.where(counts > 0, counts, 1.0)
    return np.asarray(np.log(filled / k / desired))


def normalised_entropy(counts: NDArray[np.floating], k: int) -> Float64:
    """Entropy of the shares of counts (..., G) in the first k, over ln G."""
    return np.asarray(scipy.special.entr(counts / k).sum(axis=-1) / np.log(counts.shape[-1]))


def discount(k: int) -> Float64:
    """Weights of the places of a ranking, (k,), that add up to one."""
    weights = 1 / np.log2(np.arange(2, k + 2))
    return np.asarray(weights / weights.sum())


def ndkl(sequence: NDArray[np.floating], desired: Float64) -> Float64:
    """NDKL of rankings (..., k, G) toward each of some desired shares (v, G): (..., v).

    A place of a ranking is one group, or a tied block's shares.
    """
    k = sequence.shape[-2]
    shares = np.cumsum(sequence, axis=-2) / np.arange(1, k + 1)[:, None]
    weights = discount(k)
    # KL(p || p*) = sum p ln p - sum p ln p*; both are summed over places before the desired shares come in.
    own = np.tensordot(scipy.special.xlogy(shares, shares).sum(axis=-1), weights, axes=([-1], [0]))
    mean = np.einsum("...kg,k->...g", shares, weights)
    return np.asarray(np.maximum(np.asarray(own)[..., None] - mean @ np.log(desired).T, 0.0))


def desired_shares(codes: Codes, groups: int) -> Float64:
    """Desired shares in the order of `VARIANTS`, (2, G)."""
    pool = np.bincount(codes, minlength=groups) / len(codes)
    return np.stack([np.full(groups, 1 / groups), pool])


@dataclass(frozen=True, eq=False)
class Statistics:
    """Every ranking measure: arrays (..., 2) by variant, (...) or (..., G).

    `most` and `least` are the groups that attain the skews, -1 where several do.
    """

    max_skew: Float64
    min_skew: Float64
    ndkl: Float64
    entropy: Float64
    selection_rate: Float64
    difference: Float64
    ratio: Float64
    most: NDArray[np.intp]
    least: NDArray[np.intp]


def statistics(sequence: NDArray[np.floating], sizes: NDArray[np.intp], desired: Float64) -> Statistics:
    """Every ranking measure of rankings (..., k, G)."""
    k = sequence.shape[-2]
    counts = sequence.sum(axis=-2)
    by_variant = np.stack([skews(counts, k, shares) for shares in desired], axis=-2)
    rates = counts / sizes
    high, low = rates.max(axis=-1), rates.min(axis=-1)
    return Statistics(
        max_skew=by_variant.max(axis=-1),
        min_skew=by_variant.min(axis=-1),
        ndkl=ndkl(sequence, desired),
        entropy=normalised_entropy(counts, k),
        selection_rate=rates,
        difference=high - low,
        ratio=np.divide(low, high, out=np.ones_like(high), where=high > 0),
        most=_holder(by_variant),
        least=_holder(-by_variant),
    )


def _holder(values: Float64) -> NDArray[np.intp]:
    """The group with the largest value, (...,) of values (..., G); -1 where several have it."""
    several = (values == values.max(axis=-1, keepdims=True)).sum(axis=-1) > 1
    return np.where(several, -1, values.argmax(axis=-1))


def _joined(parts: list[Statistics]) -> Statistics:
    names = Statistics.__dataclass_fields__
    return Statistics(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def point(scores: NDArray[np.floating], codes: Codes, groups: int, k: int) -> Statistics:
    """Every ranking measure of every column of scores (n, c), columns first; 1 <= k < n."""
    sizes, desired = np.bincount(codes, minlength=groups), desired_shares(codes, groups)
    at_once = max(1, 20_000_000 // (len(scores) + k * groups))
    return _joined(
        [
            statistics(nearest(some, codes, groups, k).shares, sizes, desired)
            for some in np.array_split(scores, -(-scores.shape[1] // at_once), axis=1)
        ]
    )


def resampled(scores: NDArray[np.floating], codes: Codes, groups: int, k: int, seed: int) -> list[Statistics]:
    """Bootstrap draws of every ranking measure, column by column: arrays (B, ...)."""
    n = len(scores)
    sizes, desired = np.bincount(codes, minlength=groups), desired_shares(codes, groups)
    count = min(n, int(k + SPARE * np.sqrt(k) + 4 * SPARE))
    near = nearest(scores, codes, groups, count)
    weights = np.concatenate([w.astype(np.uint8) for w in stratified_weights(codes, RESAMPLES, seed)])
    found = []
    for places, shares in zip(near.places, near.shares, strict=True):
        drawn = weights[:, places].astype(np.int32)
        before = np.cumsum(drawn, axis=1) - drawn
        kept = np.clip(k - before, 0, drawn)
        if (kept.sum(axis=1) < k).any():  # a resample that draws the nearest very seldom: take all pictures
            return resampled_slowly(scores, codes, groups, k, weights)
        at_once = max(1, AT_ONCE // k)
        parts = []
        for some in np.array_split(kept, -(-len(kept) // at_once)):
            index = np.repeat(np.tile(np.arange(count), len(some)), some.ravel()).reshape(len(some), k)
            parts.append(statistics(shares[index], sizes, desired))
        found.append(_joined(parts))
    return found


def resampled_slowly(
    scores: NDArray[np.floating], codes: Codes, groups: int, k: int, weights: NDArray[np.uint8]
) -> list[Statistics]:
    """The same with whole rankings, for when the nearest pictures do not reach."""
    n = len(scores)
    sizes, desired = np.bincount(codes, minlength=groups), desired_shares(codes, groups)
    near = nearest(scores, codes, groups, n)
    return [
        _joined([statistics(np.repeat(shares, row[places], axis=0)[None, :k], sizes, desired) for row in weights])
        for places, shares in zip(near.places, near.shares, strict=True)
    ]


def null(codes: Codes, groups: int, k: int, seed: int) -> Statistics:
    """Every ranking measure with labels swapped, (SWAPS, ...); the same for all words, see the module."""
    sizes, desired = np.bincount(codes, minlength=groups), desired_shares(codes, groups)
    each = np.eye(groups)
    at_once = max(1, AT_ONCE // k)
    parts = []
    for dealt in swapped(codes, SWAPS, seed):
        first = dealt[:, :k]
        parts += [
            statistics(each[some], sizes, desired) for some in np.array_split(first, -(-len(first) // at_once))
        ]
    return _joined(parts)


def _p(name: str, observed: Float64, chance: NDArray[np.floating]) -> Float64:
    """One-tailed p of observed (c, ...) against draws (SWAPS, ...) in the direction of more bias."""
    sign = 1.0 if GREATER[name] else -1.0
    reached = [at_least(sign * chance, sign * one).sum(axis=0) for one in observed]
    return p_value(np.array(reached), len(chance), exact=False)


def ranking_measures(scores: Scores, grouping: Grouping, k: int, seed: int) -> tuple[Measure, ...]:
    """Every ranking measure of every word.

    Args:
        scores: of all words.
        grouping: of the pictures.
        k: places that count, at least 1 and fewer than there are pictures: all of them depend on no model.
        seed: of resamples and swaps.
    """
    codes, groups = grouping.codes, len(grouping.groups)
    n, words = scores.mean.shape
    wordings = scores.wordings
    here = point(scores.mean, codes, groups, k)
    alone = point(scores.by_wording.reshape(n, -1), codes, groups, k) if wordings > 1 else None
    draws = resampled(scores.mean, codes, groups, k, seed)
    chance = null(codes, groups, k, seed)
    rows: list[Measure] = []
    for kind in ("max_skew", "min_skew", "ndkl"):
        for v, variant in enumerate(VARIANTS):
            holder = {"max_skew": here.most, "min_skew": here.least}.get(kind)
            whose = ["" if place < 0 else grouping.groups[place] for place in _at(holder, v, words)]
            rows += _rows(kind, kind, variant, whose, (v,), scores, here, alone, draws, chance)
    nobody = [""] * words
    rows += _rows("entropy", "entropy", "", nobody, (), scores, here, alone, draws, chance)
    for g, group in enumerate(grouping.groups):
        rows += _rows(
            "selection_rate", "selection_rate", "", [group] * words, (g,), scores, here, alone, draws, None,
            int(grouping.sizes[g]),
        )  # fmt: skip
    for kind in (DIFFERENCE, RATIO):
        rows += _rows("selection_rate", kind, kind, nobody, (), scores, here, alone, draws, chance)
    return tuple(rows)


def _at(holder: NDArray[np.intp] | None, variant: int, words: int) -> list[int]:
    return [-1] * words if holder is None else [int(place) for place in holder[:, variant]]


def _rows(
    measure: str,
    statistic: str,
    variant: str,
    whose: list[str],
    at: tuple[int, ...],
    scores: Scores,
    here: Statistics,
    alone: Statistics | None,
    draws: list[Statistics],
    chance: Statistics | None,
    n: int = 0,
) -> list[Measure]:
    """Rows of one statistic, word by word; `at` picks the variant or group from the last axis."""
    count, words = scores.mean.shape
    value = getattr(here, statistic)[(slice(None), *at)]
    drawn = np.stack([getattr(draw, statistic)[(slice(None), *at)] for draw in draws], axis=1)
    low, high = ends_of_distance(drawn, value, *RANGES[statistic]) if statistic in RANGES else ends(drawn)
    by_wording = None
    if alone is not None:
        by_wording = getattr(alone, statistic)[(slice(None), *at)].reshape(-1, words)
    p = None if chance is None else _p(statistic, value, getattr(chance, statistic)[(slice(None), *at)])
    return [
        Measure(
            measure, variant, word, whose[w], float(value[w]), float(low[w]), float(high[w]), n or count,
            None if p is None else float(p[w]),
            () if by_wording is None else tuple(float(one) for one in by_wording[:, w]),
        )
        for w, word in enumerate(scores.words)
    ]  # fmt: skip
