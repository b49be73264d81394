r"""How much of a property goes through each part of an image tower: an exact share for every head and MLP.

An embedding is a sum of parts p, x_i = sum_p t_i^p (`probes.core.decomposition`). A property is named by two or
more sets, of pictures or of texts, and what it is made of in the shared space splits over the parts:

- **sets of pictures** k with means mu_k: the scatter between them, (1/K) sum_k |mu_k - mu|^2, is the sum over
  parts of (1/K) sum_k (mu_k^p - mu^p) . (mu_k - mu). Products of a picture with itself are left out, so that
  chance differences between sets do not count as a property: the estimate is unbiased, and zero on average where
  there is none. Where pictures come in rounds, one scene shown once with each value, products of pictures of one
  round are left out as well: what they have in common is the scene's, and would hide the property.
- **sets of texts** with directions u_k = mean of set k - mean of all sets: the variance of pictures along them,
  (1/K) sum_k Var_i(x_i . u_k), is the sum over parts of (1/K) sum_k Cov_i(t_i^p . u_k, x_i . u_k).

A share is a part's value divided by that of all parts, which sum to one. Intervals resample pictures (within
sets), or rounds; the null deals the labels of the sets anew, within rounds where there are any, and p counts the
arrangements in which the part carries at least as much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.decomposition import Decomposition
from probes.core.resampling import at_least, bootstrap_weights, ends, stratified_weights, swapped

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

RESAMPLES = 999
FEWEST_ARRANGEMENTS = 20
"""With fewer ways to deal the labels no p can fall below 0.05, and none is given."""


@dataclass(frozen=True)
class Part:
    """One part of a tower.

    Attributes:
        kind: `head`, `mlp`, `initial` or `constant`.
        layer: counted from 0; -1 for the last two.
        head: counted from 0; -1 for all but heads.
    """

    kind: str
    layer: int = -1
    head: int = -1


@dataclass(frozen=True, eq=False)
class Carried:
    """What each of P parts carries of a property.

    Attributes:
        parts: P parts: heads layer by layer, then MLPs, then what enters and the constants.
        values: (P,), in squared cosines.
        low, high: (P,), ends of the 95 % interval of the values.
        p: (P,), nan where there are too few arrangements.
        total: sum of the values.
    """

    parts: tuple[Part, ...]
    values: Float64
    low: Float64
    high: Float64
    p: Float64

    @property
    def total(self) -> float:
        """What all parts carry together."""
        return float(self.values.sum())

    @property
    def shares(self) -> Float64:
        """Each part's share of the total, (P,); nan where the total is not positive: there is no property."""
        return self.values / self.total if self.total > 0 else np.full_like(self.values, np.nan)


@dataclass(frozen=True, eq=False)
class Terms:
    """What one part writes, as narrow as it can be: t_i . v = outputs_i . (writes v) for every v.

    Attributes:
        outputs: (n, w).
        writes: (w, d).
    """

    outputs: NDArray[np.float32]
    writes: NDArray[np.float32]


def parts_of(taken: Decomposition) -> list[tuple[Part, Terms]]:
    """All parts of a tower with what they write to n pictures."""
    _, layers, heads, _ = taken.outputs.shape
    whole = np.eye(taken.embedding.shape[1], dtype=np.float32)
    found = [
        (Part("head", layer, head), Terms(taken.outputs[:, layer, head], taken.writes[layer, head]))
        for layer in range(layers)
        for head in range(heads)
    ]
    found += [(Part("mlp", layer), Terms(taken.mlps[:, layer], whole)) for layer in range(taken.mlps.shape[1])]
    return [
        *found,
        (Part("initial"), Terms(taken.initial, whole)),
        (Part("constant"), Terms(taken.constant, whole)),
    ]


def carried_between_pictures(
    taken: Decomposition, codes: Codes, seed: int, rounds: Codes | None = None
) -> Carried:
    """What each part carries of the difference between sets of pictures.

    Args:
        taken: n pictures, taken apart.
        codes: (n,), the set of each, 0 to K - 1; at least two of each.
        seed: of resamples and arrangements.
        rounds: (n,), the round of each, 0 to R - 1, with one picture of every set in each; None where pictures
            have nothing to do with one another.

    Raises:
        ValueError: there are fewer than two sets, a set has fewer than two pictures, or a round has not one
            picture of every set.
    """
    if rounds is not None:
        return _within_rounds(taken, codes, rounds, seed)
    counts = np.bincount(codes)
    if len(counts) < 2 or counts.min() < 2:
        raise ValueError("two sets or more are needed, of two pictures each or more")
    drawn = np.concatenate(list(stratified_weights(codes, RESAMPLES, seed)))  # (B, n)
    observed = _membership(codes[None], len(counts))
    drawn_weights = observed * drawn[:, None]  # (B, K, n)
    dealt = _membership(np.concatenate(list(swapped(codes, RESAMPLES, seed))), len(counts))
    named, rows = parts_of(taken), []
    for _, terms in named:
        pair = terms.outputs, taken.embedding @ terms.writes.T
        rows.append([_scatter(weights, *pair) for weights in (observed, drawn_weights, dealt)])
    return _answer([part for part, _ in named], rows, _arrangements(codes))


def _summed(weights: NDArray[np.float32], rows: NDArray[np.floating]) -> Float64:
    """Sums of rows (n, w) under weights (r, K, n), (r, K, w): one large product is faster than r small ones."""
    found: Float64 = (weights.reshape(-1, len(rows)) @ rows).astype(np.float64)
    return found.reshape(*weights.shape[:2], -1)


def _within_rounds(taken: Decomposition, codes: Codes, rounds: Codes, seed: int) -> Carried:
    """The same where pictures come in rounds."""
    sets, count = int(codes.max(initial=-1)) + 1, int(rounds.max(initial=-1)) + 1
    order = np.lexsort((codes, rounds))
    whole = len(codes) == sets * count and (codes[order] == np.tile(np.arange(sets), count)).all()
    if sets < 2 or count < 2 or not whole:
        raise ValueError("two sets or more are needed, two rounds or more, and in each one picture of every set")
    straight = np.broadcast_to(np.arange(sets), (1, count, sets))
    dealt = np.random.default_rng([seed, 3]).permuted(np.repeat(straight, RESAMPLES, axis=0), axis=2)
    drawn = np.concatenate(list(bootstrap_weights(count, RESAMPLES, seed)))  # (B, R)
    once = np.ones((1, count), np.float32)
    member = _membership(straight.reshape(1, -1), sets)  # (1, K, n), round by round
    kinds = [
        (member, once),
        (member * np.repeat(drawn, sets, axis=1)[:, None], drawn),
        (_membership(dealt.reshape(RESAMPLES, -1), sets), once),
    ]
    named, rows = parts_of(taken), []
    for _, terms in named:
        pair = terms.outputs[order], taken.embedding[order] @ terms.writes.T
        rows.append([_apart(weights, times, *pair) for weights, times in kinds])
    return _answer([part for part, _ in named], rows, math.factorial(sets) ** (count - 1))


def _apart(
    weights: NDArray[np.float32],
    times: NDArray[np.float32],
    outputs: NDArray[np.float32],
    reading: NDArray[np.float32],
) -> Float64:
    """Scatter between sets without products of pictures of one round, (r,).

    Args:
        weights: (r, K, n), how often each picture counts in each set, round by round.
        times: (r, R) or (1, R), how often each round counts.
        outputs, reading: (n, w), as in `_scatter`.
    """
    sets, count = weights.shape[1], times.shape[1]
    written, read = _summed(weights, outputs), _summed(weights, reading)
    terms, onto = (rows.astype(np.float64).reshape(count, sets, -1) for rows in (outputs, reading))
    alike = np.einsum("rkw,rkw->r", terms, onto)  # a round with itself, set by set
    across = np.einsum("rw,rw->r", terms.sum(axis=1), onto.sum(axis=1))
    squares = times.astype(np.float64) ** 2
    pairs = times.sum(axis=1, dtype=np.float64) ** 2 - squares.sum(axis=1)
    within = np.einsum("rkw,rkw->r", written, read) - squares @ alike
    between = np.einsum("rw,rw->r", written.sum(axis=1), read.sum(axis=1)) - squares @ across
    scatter: Float64 = (within / sets - between / sets**2) / np.where(pairs > 0, pairs, np.inf)
    return scatter


def _membership(codes: NDArray[np.intp], count: int) -> NDArray[np.float32]:
    """Which observation is in which set, (r, K, n), for codes (r, n)."""
    member: NDArray[np.float32] = (codes[:, None] == np.arange(count)[:, None]).astype(np.float32)
    return member


def scatter(outputs: NDArray[np.floating], reading: NDArray[np.floating], codes: Codes) -> float:
    """Scatter between sets of pictures without products of a picture with itself.

    Args:
        outputs: (n, w), what a part writes.
        reading: (n, w), what embeddings are multiplied with: outputs_i . reading_j = t_i . x_j.
        codes: (n,), 0 to K - 1, at least two of each.
    """
    return float(_scatter(_membership(codes[None], int(codes.max()) + 1), outputs, reading)[0])


def _scatter(
    weights: NDArray[np.float32], outputs: NDArray[np.floating], reading: NDArray[np.floating]
) -> Float64:
    """Scatter between sets without products of a picture with itself, (r,).

    Args:
        weights: (r, K, n), how often each picture counts in each set.
        outputs: (n, w), what the part writes.
        reading: (n, w), what embeddings are multiplied with: outputs_i . reading_j = t_i . x_j.
    """
    count = weights.shape[1]
    own = np.einsum("nw,nw->n", outputs, reading, dtype=np.float64)
    written, read = _summed(weights, outputs), _summed(weights, reading)
    products = written @ read.transpose(0, 2, 1)  # (r, K, K)
    sizes = weights.sum(axis=2, dtype=np.float64)
    means = products / (sizes[:, :, None] * sizes[:, None, :])
    squares = (weights**2).astype(np.float64)
    alike = np.einsum("rkk->rk", products) - squares @ own
    pairs = sizes**2 - squares.sum(axis=2)
    within = np.divide(alike, pairs, out=np.zeros_like(alike), where=pairs > 0)
    across = means.sum(axis=(1, 2)) - np.einsum("rkk->r", means) + within.sum(axis=1)
    scatter: Float64 = within.mean(axis=1) - across / count**2
    return scatter


def carried_along_texts(taken: Decomposition, texts: NDArray[np.float32], codes: Codes, seed: int) -> Carried:
    """What each part carries of the variance of pictures along the difference between sets of texts.

    Args:
        taken: n pictures, taken apart.
        texts: (m, d), unit embeddings.
        codes: (m,), the set of each text, 0 to K - 1; none empty.
        seed: of resamples and arrangements.

    Raises:
        ValueError: there are fewer than two sets, an empty one, or fewer than two pictures.
    """
    counts = np.bincount(codes)
    if len(counts) < 2 or counts.min() < 1 or len(taken.embedding) < 2:
        raise ValueError("two sets of texts or more are needed, none empty, and two pictures or more")
    dealt = _directions(np.concatenate(list(swapped(codes, RESAMPLES, seed))), counts)
    observed = _directions(codes[None], counts)
    drawn = np.concatenate(list(stratified_weights(np.zeros(len(taken.embedding), np.intp), RESAMPLES, seed)))
    whole = (taken.embedding @ texts.T).astype(np.float64)  # (n, m)
    named, rows = parts_of(taken), []
    for _, terms in named:
        effects = (terms.outputs @ (terms.writes @ texts.T)).astype(np.float64)
        covariance = _centred(effects).T @ whole / len(whole)
        along = effects @ observed[0].T, whole @ observed[0].T  # (n, K) each
        resampled = _covariances(drawn, *along).mean(axis=1)
        rows.append([_along(observed, covariance), resampled, _along(dealt, covariance)])
    return _answer([part for part, _ in named], rows, _arrangements(codes))


def _directions(codes: NDArray[np.intp], counts: NDArray[np.intp]) -> Float64:
    """Each set's mean less the mean of all sets, as weights of texts, (r, K, m)."""
    means = _membership(codes, len(counts)).astype(np.float64) / counts[None, :, None]
    directions: Float64 = means - means.mean(axis=1, keepdims=True)
    return directions


def _along(directions: Float64, covariance: Float64) -> Float64:
    """(1/K) sum_k u_k C u_k, (r,), for directions (r, K, m) and C (m, m)."""
    forms: Float64 = ((directions @ covariance) * directions).sum(axis=2).mean(axis=1)
    return forms


def _covariances(weights: NDArray[np.float32], one: Float64, other: Float64) -> Float64:
    """Covariances of columns of (n, K) and (n, K) under weights (B, n): (B, K)."""
    n = weights.sum(axis=1, keepdims=True, dtype=np.float64)
    product = weights @ (one * other) / n
    found: Float64 = product - (weights @ one / n) * (weights @ other / n)
    return found


def _centred(values: Float64) -> Float64:
    centred: Float64 = values - values.mean(axis=0)
    return centred


def _arrangements(codes: Codes) -> int:
    """In how many ways the labels of the sets can be dealt that differ in what is with what.

    Sets of equal size may change places without changing anything.
    """
    counts = np.bincount(codes)
    ways = math.factorial(len(codes))
    for count in counts:
        ways //= math.factorial(int(count))
    for alike in Counter(counts.tolist()).values():
        ways //= math.factorial(alike)
    return ways


def _answer(parts: list[Part], rows: list[list[Float64]], arrangements: int) -> Carried:
    values = np.array([row[0][0] for row in rows])
    low, high = ends(np.stack([row[1] for row in rows], axis=1))
    dealt = np.stack([row[2] for row in rows], axis=1)  # (R, P)
    reached = at_least(dealt, values[None]).sum(axis=0)
    p = (1 + reached) / (1 + len(dealt))
    if arrangements < FEWEST_ARRANGEMENTS:
        p = np.full_like(values, np.nan)
    return Carried(tuple(parts), values, low, high, p)


def leading(carried: Carried, kind: str = "head") -> Sequence[int]:
    """Positions of the parts of a kind, those that carry most first."""
    chosen = [place for place, part in enumerate(carried.parts) if part.kind == kind]
    return sorted(chosen, key=lambda place: -carried.values[place])
