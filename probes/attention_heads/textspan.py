r"""TextSpan: phrases that span what an attention head writes (Gandelsman, Efros & Steinhardt 2024, algorithm 1).

For one head, C (n, d) holds its terms of n pictures, less their mean, and T (m, d) the unit embeddings of m
phrases, projected onto the space the head can write to. Then, step by step:

    pick    p = argmax_t Var(C t)           the phrase whose inner products with the rows of C vary most
    remove  u = t_p / ||t_p||,  C <- C - C u u^T,  T <- T - T u u^T

The share of a pick is Var(C u) / tr Cov(C): what its direction adds to the picks before it. No more phrases are
picked than the rank of Cov(C), which is the head's width e or n - 1 at most.

Nothing here is done in d dimensions. With C = Z Q, the rows of Q (r, d) an orthonormal basis of the row space of
the head's `writes` (e, d), r <= e, all inner products are those of the coordinates Z (n, r) and T Q^T (m, r). Nor
are the phrases deflated. With P what removes the picks so far, t' = P t what is left of a phrase, and u = P u the
new direction,

    t'.u = t.u          Var(C t') <- Var(C t') - 2 (t.u) (t.g) + (t.u)^2 u^T g          g = P Cov u
                        ||t'||^2  <- ||t'||^2 - (t.u)^2

so that a step costs two products of a matrix (m, r) and a vector, or with a matrix (r, B) for B resamples of the
pictures at once. All of it is in float64.

Norms of phrases matter:

    kept    as published: what is left of a phrase keeps its length, so that a phrase of which little is left wins
            only if that little varies much. A phrase far from what the head can write is short from the start.
    unit    what is left of each phrase is made a unit vector again: picked is the direction that explains most,
            however little of its phrase it is. Late picks may have little to do with their words, and in the last
            of all r dimensions every phrase is the same direction.

In both, a phrase of which less than `LEFT` is left is out. So is every further copy of a picked phrase.

The published code takes the row space from the outputs of its 50 000 pictures, before they are centred, cut to the
head's width. That is the row space of `writes` wherever there are many more pictures than dimensions; with few,
`writes` keeps what a phrase means to a head from depending on which pictures were at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32, Progress, no_progress
from probes.core.resampling import TIE, bootstrap_weights
from probes.core.threads import one_blas_thread

Float64 = NDArray[np.float64]

Norms = Literal["kept", "unit"]

LEFT = 1e-3
"""Length of a unit phrase below which what is left of it is rounding, be it that of half precision."""
AT_ONCE = 40
"""Resamples that are picked for at once: a few numbers for each of them and each phrase are held."""
CHUNK = 500
"""Phrases whose products of coordinates are held at once."""
NONE = -1
"""In place of a phrase where none is picked."""
NOTHING = 1e-9
"""Share of the head's variance below which a direction is not worth speaking of."""
FLAT = 1e-12
"""Variance by mean square below which outputs in float32 are constant but for rounding."""
RANK = 1e-6
"""Singular value by the largest one below which a dimension of `writes` in float32 is none."""


@dataclass(frozen=True, eq=False)
class Span:
    """The phrases picked for one head, k of them, in their order.

    Attributes:
        picks: (k,), which phrases.
        shares: (k,), the share of the head's variance that each direction adds; they sum to 1 at most.
        directions: (k, d), unit and orthogonal to one another: what was left of each phrase when it was picked.
        scores: (n, k), the coordinate of each centred picture along each direction.
        variance: of the head's terms over pictures, summed over dimensions (divided by n, not n - 1).
    """

    picks: NDArray[np.intp]
    shares: Float64
    directions: Float32
    scores: Float32
    variance: float

    @property
    def cumulative(self) -> Float64:
        """The share of the head's variance that each pick explains together with those before it, (k,)."""
        return np.cumsum(self.shares)


@dataclass(frozen=True, eq=False)
class _Head:
    """One head in coordinates of the space it can write to.

    Attributes:
        basis: (r, d), orthonormal rows.
        pictures: (n, r), centred.
        phrases: (m, r).
        floor: variance up to which the head is taken for constant.
    """

    basis: Float64
    pictures: Float64
    phrases: Float64
    floor: float

    def covariance(self, weights: NDArray[np.floating] | None = None) -> Float64:
        """Covariance of the pictures, (r, r), each counted as often as weights (n,) say; they sum to n."""
        n = len(self.pictures)
        if weights is None:
            return self.pictures.T @ self.pictures / n
        mean = weights @ self.pictures / n
        covariance: Float64 = (weights[:, None] * self.pictures).T @ self.pictures / n - np.outer(mean, mean)
        return covariance


def span(
    outputs: Float32,
    writes: Float32,
    texts: Float32 | Float64,
    count: int,
    norms: Norms = "kept",
) -> Span:
    """TextSpan of one head; see the module.

    Args:
        outputs: (n, e), the head's output for each picture.
        writes: (e, d), what the head does with its output.
        texts: (m, d), unit embeddings of the phrases.
        count: how many phrases are picked; fewer where there is nothing left to explain.
        norms: what becomes of the length of phrases.
    """
    # at these sizes two threads take several times as long as one where cores are shared
    with one_blas_thread():
        head = _head(outputs, writes, texts)
        covariance = head.covariance()
        found = _picked(head, covariance[None], count, norms)
        picks = found.of(0)
        units = found.units[0, : len(picks)]
        return Span(
            picks=picks,
            shares=found.shares[0, : len(picks)],
            directions=(units @ head.basis).astype(np.float32),
            scores=(head.pictures @ units.T).astype(np.float32),
            variance=float(np.trace(covariance)),
        )


def span_all(
    outputs: Float32,
    writes: Float32,
    texts: Float32,
    count: int,
    progress: Progress = no_progress,
    norms: Norms = "kept",
) -> tuple[tuple[Span, ...], ...]:
    """TextSpan of every head: L layers of H. One head is worked on at a time, so that memory stays small.

    Args:
        outputs: (n, L, H, e).
        writes: (L, H, e, d).
        texts: (m, d), unit embeddings of the phrases.
        count: how many phrases are picked for each head.
        progress: told after each head.
        norms: what becomes of the length of phrases.
    """
    layers, heads = writes.shape[:2]
    exact = np.asarray(texts, dtype=np.float64)  # once, not once a head
    found = []
    for layer in range(layers):
        row = []
        for head in range(heads):
            row.append(span(outputs[:, layer, head], writes[layer, head], exact, count, norms))
            done = layer * heads + head + 1
            progress(done / (layers * heads), f"TextSpan: head {done} of {layers * heads}")
        found.append(tuple(row))
    return tuple(found)


def stability(
    outputs: Float32,
    writes: Float32,
    texts: Float32 | Float64,
    count: int,
    resamples: int,
    seed: int,
    norms: Norms = "kept",
    progress: Progress = no_progress,
) -> Float64:
    """How often each phrase that `span` picks is picked again when the pictures are drawn anew, (k,).

    The share of bootstrap resamples of the pictures in which the phrase is among the first `count`, in whatever
    place. Of two phrases that mean the same, either may be picked, so that both seem unstable.

    Args:
        outputs, writes, texts, count, norms: as for `span`.
        resamples: B.
        seed: of the draws.
        progress: told now and then.
    """
    with one_blas_thread():
        head = _head(outputs, writes, texts)
        picks = _picked(head, head.covariance()[None], count, norms).of(0)
    again, done = np.zeros(len(picks)), 0
    for weights in bootstrap_weights(len(outputs), resamples, seed):
        for start in range(0, len(weights), AT_ONCE):
            rows = weights[start : start + AT_ONCE].astype(np.float64)
            with one_blas_thread():
                covariances = np.stack([head.covariance(row) for row in rows])
                drawn = _picked(head, covariances, count, norms).picks
            again += (drawn[:, :, None] == picks).any(axis=1).sum(axis=0)
            done += len(rows)
            progress(done / resamples, "TextSpan: resampling pictures")
    return again / resamples


def stability_all(
    outputs: Float32,
    writes: Float32,
    texts: Float32,
    count: int,
    resamples: int,
    seed: int,
    progress: Progress = no_progress,
    norms: Norms = "kept",
) -> tuple[tuple[Float64, ...], ...]:
    """How often each phrase that `span_all` picks is picked again: for each head (k,), L layers of H.

    All heads are asked about the same resamples. One head is worked on at a time, so that memory stays small.

    Args:
        outputs, writes, texts, count, norms: as for `span_all`.
        resamples: B.
        seed: of the draws.
        progress: told after each head.
    """
    layers, heads = writes.shape[:2]
    exact = np.asarray(texts, dtype=np.float64)  # once, not once a head
    found = []
    for layer in range(layers):
        row = []
        for head in range(heads):
            asked = outputs[:, layer, head], writes[layer, head], exact, count, resamples, seed, norms
            row.append(stability(*asked))
            done = layer * heads + head + 1
            progress(done / (layers * heads), f"TextSpan: resampling pictures, head {done} of {layers * heads}")
        found.append(tuple(row))
    return tuple(found)


def _head(outputs: Float32, writes: Float32, texts: Float32 | Float64) -> _Head:
    exact = np.asarray(writes, dtype=np.float64)
    _, singular, rows = np.linalg.svd(exact, full_matrices=False)
    basis = rows[singular > RANK * singular.max(initial=0.0)]
    pictures = np.asarray(outputs, dtype=np.float64) @ (exact @ basis.T)
    return _Head(
        basis=basis,
        pictures=pictures - pictures.mean(axis=0),
        phrases=np.asarray(texts, dtype=np.float64) @ basis.T,
        floor=FLAT * float((pictures**2).sum(axis=1).mean()),
    )


@dataclass(frozen=True, eq=False)
class _Picks:
    """What is picked for each of B covariances, in `most` steps at most.

    Attributes:
        picks: (B, most), which phrases, in their order; NONE after the last.
        units: (B, most, r), their directions; zeros after the last.
        shares: (B, most), of variance; zeros after the last.
    """

    picks: NDArray[np.intp]
    units: Float64
    shares: Float64

    def of(self, row: int) -> NDArray[np.intp]:
        """The phrases picked for one of the covariances, (k,)."""
        picks = self.picks[row]
        picked: NDArray[np.intp] = picks[picks != NONE]
        return picked


def _picked(head: _Head, covariances: Float64, count: int, norms: Norms) -> _Picks:
    """Pick phrases for each of B covariances (B, r, r) at once; those that have no more to pick stand still."""
    phrases, rows = head.phrases, np.arange(len(covariances))
    totals = np.trace(covariances, axis1=1, axis2=2)
    ranks = _ranks(covariances, totals, head.floor)
    most = max(0, min(count, int(ranks.max(initial=0)), len(phrases)))
    picks = np.full((len(rows), most), NONE, dtype=np.intp)
    units, shares = np.zeros((len(rows), most, phrases.shape[1])), np.zeros((len(rows), most))
    variance = _along(phrases, covariances)
    left = np.tile(np.einsum("mr,mr->m", phrases, phrases), (len(rows), 1))
    for step in range(most):
        best = np.where(ranks > step, _best(variance, left, norms), NONE)
        before = units[:, :step]
        unit = _apart(_apart(phrases[best], before), before)  # twice, or rounding would tilt it
        length = np.linalg.norm(unit, axis=1, keepdims=True)
        unit = np.divide(unit, length, out=np.zeros_like(unit), where=(best != NONE)[:, None])
        pulled = np.einsum("bqr,br->bq", covariances, unit)
        explained = np.einsum("br,br->b", unit, pulled)
        goes_on = (best != NONE) & (explained > NOTHING * totals)
        ranks = np.where(goes_on, ranks, 0)
        picks[goes_on, step], units[goes_on, step] = best[goes_on], unit[goes_on]
        shares[goes_on, step] = explained[goes_on] / totals[goes_on]
        if step + 1 == most or not goes_on.any():
            break
        along, across = unit @ phrases.T, _apart(pulled, before) @ phrases.T  # (B, m) each
        variance += along * (along * explained[:, None] - 2 * across)
        left -= along**2
    return _Picks(picks, units, shares)


def _along(phrases: Float64, covariances: Float64) -> Float64:
    """Variance along each phrase, t C t, (B, m), for phrases (m, r) and covariances (B, r, r).

    Of many C as one product of their different entries, r (r + 1) / 2 each, with those of t t^T: half the work.
    """
    found = np.empty((len(covariances), len(phrases)))
    if len(covariances) == 1:
        found[0] = np.einsum("mr,mr->m", phrases @ covariances[0], phrases)
        return found
    one, other = np.triu_indices(covariances.shape[1])
    entries, columns = covariances[:, one, other], np.ascontiguousarray(phrases.T)
    entries *= np.where(one == other, 1.0, 2.0)
    for start in range(0, len(phrases), CHUNK):
        part = columns[:, start : start + CHUNK]
        found[:, start : start + CHUNK] = entries @ (part[one] * part[other])
    return found


def _ranks(covariances: Float64, totals: Float64, floor: float) -> NDArray[np.intp]:
    """In how many dimensions there is variance, (B,), of covariances (B, r, r) with traces (B,)."""
    varied = np.linalg.eigvalsh(covariances) > NOTHING * totals[:, None]
    ranks: NDArray[np.intp] = np.where(totals > floor, np.count_nonzero(varied, axis=1), 0)
    return ranks


def _best(variance: Float64, left: Float64, norms: Norms) -> NDArray[np.intp]:
    """The phrases to pick, (B,), from variance and squared length of what is left of each, (B, m).

    NONE where nothing is left. Of phrases that are equal but for rounding the first, so that copies of a phrase do
    not take turns.
    """
    usable = left > LEFT**2
    scores = np.where(usable, variance if norms == "kept" else variance / np.where(usable, left, 1.0), -np.inf)
    highest = scores.max(axis=1, keepdims=True)
    lowest = np.where(np.isfinite(highest), highest - TIE * np.abs(highest), np.inf)
    return np.where(usable.any(axis=1), np.argmax(scores >= lowest, axis=1), NONE)


def _apart(rows: Float64, units: Float64) -> Float64:
    """Rows (B, r), each less its projection on orthonormal units (B, k, r) of its own."""
    along = np.einsum("bkr,br->bk", units, rows)
    apart: Float64 = rows - np.einsum("bk,bkr->br", along, units)
    return apart
