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

so that a step costs two products of a matrix (m, r) and a vector. All of it is in float64.

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
AT_ONCE = 20
"""Resamples between two reports of progress."""
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
        picks, units, shares = _picked(head, covariance, count, norms)
        return Span(
            picks=picks,
            shares=shares,
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
        picks, _, _ = _picked(head, head.covariance(), count, norms)
    again, done = np.zeros(len(picks)), 0
    for weights in bootstrap_weights(len(outputs), resamples, seed):
        for start in range(0, len(weights), AT_ONCE):
            rows = weights[start : start + AT_ONCE].astype(np.float64)
            with one_blas_thread():
                for row in rows:
                    again += np.isin(picks, _picked(head, head.covariance(row), count, norms)[0])
            done += len(rows)
            progress(done / resamples, "TextSpan: resampling pictures")
    return again / resamples


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


def _picked(
    head: _Head, covariance: Float64, count: int, norms: Norms
) -> tuple[NDArray[np.intp], Float64, Float64]:
    """Phrases (k,), their unit directions (k, r) and shares of variance (k,), k at most `count`."""
    phrases, total = head.phrases, float(np.trace(covariance))
    rank = int(np.count_nonzero(np.linalg.eigvalsh(covariance) > NOTHING * total)) if total > head.floor else 0
    most = max(0, min(count, rank, len(phrases)))
    picks: list[int] = []
    units, shares = np.zeros((most, len(covariance))), np.zeros(most)
    variance = np.einsum("mr,mr->m", phrases @ covariance, phrases)
    left = np.einsum("mr,mr->m", phrases, phrases)
    while len(picks) < most:
        pick = _best(variance, left, norms)
        if pick is None:
            break
        before = units[: len(picks)]
        unit = _apart(_apart(phrases[pick], before), before)  # twice, or rounding would tilt it
        unit /= np.linalg.norm(unit)
        pulled = covariance @ unit
        explained = float(unit @ pulled)
        if explained <= NOTHING * total:
            break
        along, across = phrases @ unit, phrases @ _apart(pulled, before)
        variance += along * (along * explained - 2 * across)
        left -= along**2
        units[len(picks)], shares[len(picks)] = unit, explained / total
        picks.append(pick)
    return np.array(picks, dtype=np.intp), units[: len(picks)], shares[: len(picks)]


def _best(variance: Float64, left: Float64, norms: Norms) -> int | None:
    """The phrase to pick, from variance and squared length of what is left of each, (m,); None if nothing is left.

    Of phrases that are equal but for rounding the first, so that copies of a phrase do not take turns.
    """
    usable = left > LEFT**2
    if not usable.any():
        return None
    scores = np.where(usable, variance if norms == "kept" else variance / np.where(usable, left, 1.0), -np.inf)
    highest = scores.max()
    return int(np.argmax(scores >= highest - TIE * abs(highest)))


def _apart(row: Float64, units: Float64) -> Float64:
    """Row (r,) less its projection on orthonormal units (k, r)."""
    apart: Float64 = row - (units @ row) @ units
    return apart
