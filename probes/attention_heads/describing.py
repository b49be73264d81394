"""What the heads of a tower are about: phrases by TextSpan, how steady they are, how much variance is a head's.

With t_i (d,) what a head writes to picture i of n (`probes.core.decomposition`), x_i the picture's embedding, and
covariances over pictures divided by n:

    share       u^T Cov(t) u / tr Cov(t)      of the head's variance, along a phrase's direction u (`textspan`)
    kept        share of resamples of the pictures in which the phrase is picked again
    embedding   tr Cov(t, x) / tr Cov(x)      of the embedding's variance; those of all parts of a tower sum to 1,
                                              and a part that works against the others is below 0

    chance      what as many phrases explain whose embeddings were turned by one random rotation: as far apart from
                one another as before, and without their meaning. Mean over `ROTATIONS`.

A phrase that is steady need not mean anything: of the phrases of a rotated list as many are. What speaks for a
head's phrases is how much more than chance they explain.

Intervals are 95 % percentile bootstraps over pictures. That of a share holds the direction fixed: it does not tell
that a phrase was picked because it fits these very pictures, which is what `kept` is for.

Reference: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916, sections 4.1 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.attention_heads.textspan import FLAT, Span, span, stability
from probes.core.decomposition import Decomposition
from probes.core.model import Float32, Progress, no_progress
from probes.core.resampling import bootstrap_weights, ends

Float64 = NDArray[np.float64]

STEADY = 0.5
"""A phrase is steady if it is picked again in at least this share of the resamples."""
SHOWN = 6
"""Pictures told at either end of a direction."""
RESAMPLES = 999
"""Of the intervals, which cost little; how many for `kept` is the caller's choice."""
ROTATIONS = 3
"""Each costs as much as finding the phrases."""
FEW = 10
"""With fewer pictures than this an interval over pictures means nothing, and none is given."""


@dataclass(frozen=True)
class Direction:
    """A row of the table `directions`: one phrase of a head.

    Attributes:
        layer, head: counted from 0.
        place: 1 for the phrase picked first.
        share: of the head's variance along what is left of the phrase, 0 to 1.
        low, high: its 95 % interval over pictures; None with fewer than `FEW`.
        cumulative: the share together with the phrases before it.
        kept: share of resamples in which the phrase is picked again; None where there were none.
        steady: whether `kept` is at least `STEADY`; None where there were no resamples.
    """

    layer: int
    head: int
    place: int
    phrase: str
    share: float
    low: float | None
    high: float | None
    cumulative: float
    kept: float | None
    steady: bool | None


@dataclass(frozen=True)
class Extremes:
    """Which pictures of the set lie at the ends of a direction, the outermost first; never one at both ends.

    Attributes:
        layer, head, place: of the direction, as in `Direction`.
        low_pictures: away from the phrase.
        high_pictures: towards the phrase.
    """

    layer: int
    head: int
    place: int
    low_pictures: tuple[int, ...]
    high_pictures: tuple[int, ...]


@dataclass(frozen=True)
class HeadVariance:
    """A row of the table `variances`: how much of what differs between pictures is in one head.

    Attributes:
        layer, head: counted from 0.
        directions: how many phrases were picked; fewer than asked where the head has no more dimensions.
        explained: share of the head's variance that they explain together.
        chance: the same of phrases without meaning.
        variance: of what the head writes, summed over dimensions, in squared cosines.
        embedding: share of the embedding's variance that goes through the head; None where it has none.
        low, high: its 95 % interval over pictures; None with fewer than `FEW`.
    """

    layer: int
    head: int
    directions: int
    explained: float
    chance: float
    variance: float
    embedding: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Description:
    """What all heads of a tower are about.

    Attributes:
        layers: L names.
        heads: H, how many heads a layer has.
        pictures: n, how many pictures the variance is over.
        phrases: m, how many phrases there were to pick from.
        asked: how many phrases a head was to get.
        resamples: of the pictures, for `kept`.
        variance: of the embedding, summed over dimensions.
        directions: of all heads, layer by layer, each head's in their order.
        extremes: one for each direction, in the same order.
        variances: one for each head, layer by layer.
    """

    layers: tuple[str, ...]
    heads: int
    pictures: int
    phrases: int
    asked: int
    resamples: int
    variance: float
    directions: tuple[Direction, ...]
    extremes: tuple[Extremes, ...]
    variances: tuple[HeadVariance, ...]

    def of(self, layer: int, head: int) -> tuple[Direction, ...]:
        """The directions of one head, the first one first."""
        return tuple(one for one in self.directions if (one.layer, one.head) == (layer, head))

    def extremes_of(self, layer: int, head: int) -> tuple[Extremes, ...]:
        """Which pictures lie at the ends of the directions of one head."""
        return tuple(one for one in self.extremes if (one.layer, one.head) == (layer, head))

    @property
    def fewer(self) -> tuple[HeadVariance, ...]:
        """Heads with fewer phrases than asked: they have no more dimensions in which these pictures differ."""
        return tuple(one for one in self.variances if one.directions < self.asked)


def describe(
    taken: Decomposition,
    phrases: Sequence[str],
    texts: Float32,
    count: int,
    resamples: int,
    seed: int,
    progress: Progress = no_progress,
) -> Description:
    """Say of every head what it is about.

    Args:
        taken: n pictures, taken apart.
        phrases: m phrases.
        texts: (m, d), their unit embeddings.
        count: how many phrases each head gets, at most as many as it has dimensions.
        resamples: of the pictures, for how steady phrases are; 0 to leave it out.
        seed: of all resamples.
        progress: told after each head.

    Raises:
        ValueError: there is not one embedding for each phrase.
    """
    if len(phrases) != len(texts):
        raise ValueError(f"{len(phrases)} phrases do not go with {len(texts)} embeddings")
    n, layers, heads, _ = taken.outputs.shape
    exact = np.asarray(texts, dtype=np.float64)
    turned = _turned(exact, seed)
    whole = _Whole.of(taken.embedding, seed)
    directions: list[Direction] = []
    extremes: list[Extremes] = []
    variances = []
    for layer in range(layers):
        for head in range(heads):
            outputs, writes = taken.outputs[:, layer, head], taken.writes[layer, head]
            found = span(outputs, writes, exact, count)
            kept = stability(outputs, writes, exact, count, resamples, seed) if resamples else None
            shares, embedding = whole.intervals(outputs, writes, found)
            directions += _directions(layer, head, phrases, found, kept, shares)
            extremes += [
                Extremes(layer, head, place + 1, *_ends(scores)) for place, scores in enumerate(found.scores.T)
            ]
            explained = float(found.shares.sum())
            chance = np.mean([span(outputs, writes, one, count).shares.sum() for one in turned])
            variances.append(
                HeadVariance(layer, head, len(found.picks), explained, float(chance), found.variance, *embedding)
            )
            done = layer * heads + head + 1
            progress(done / (layers * heads), f"Describing heads: {done} of {layers * heads}")
    return Description(
        taken.layers, heads, n, len(phrases), count, resamples, whole.variance, tuple(directions),
        tuple(extremes), tuple(variances),
    )  # fmt: skip


def _turned(texts: Float64, seed: int) -> list[Float64]:
    """The embeddings of phrases (m, d), each time turned by another rotation."""
    rotations = scipy.stats.ortho_group(texts.shape[1], seed=np.random.default_rng([seed, 41]))
    return [texts @ rotations.rvs() for _ in range(ROTATIONS)]


def _directions(
    layer: int,
    head: int,
    phrases: Sequence[str],
    found: Span,
    kept: Float64 | None,
    intervals: list[tuple[float | None, float | None]],
) -> list[Direction]:
    rows = []
    for place, pick in enumerate(found.picks):
        again = None if kept is None else float(kept[place])
        rows.append(
            Direction(
                layer, head, place + 1, phrases[pick], float(found.shares[place]), *intervals[place],
                float(found.cumulative[place]), again, None if again is None else again >= STEADY,
            )
        )  # fmt: skip
    return rows


def _ends(scores: Float32) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The pictures with the lowest and the highest scores (n,)."""
    order = np.argsort(scores, kind="stable")
    shown = min(SHOWN, len(order) // 2)
    return tuple(order[:shown].tolist()), tuple(order[::-1][:shown].tolist())


@dataclass(frozen=True, eq=False)
class _Whole:
    """The embeddings that heads are a part of, and how often each picture counts in each resample.

    Attributes:
        rows: (n, d), embeddings less their mean.
        weights: (B, n), sums of rows are 1; none with few pictures.
        means: (B, d), of `rows` in each resample.
        varied: (B,), variance of the embedding in each.
        variance: in all pictures.
    """

    rows: Float64
    weights: Float64
    means: Float64
    varied: Float64
    variance: float

    @classmethod
    def of(cls, embedding: Float32, seed: int) -> _Whole:
        n = len(embedding)
        rows = _centred(embedding)
        drawn = np.concatenate([np.zeros((0, n)), *bootstrap_weights(n, RESAMPLES if n >= FEW else 0, seed)]) / n
        means, squares = drawn @ rows, (rows**2).sum(axis=1)
        flat = FLAT * float((embedding.astype(np.float64) ** 2).sum(axis=1).mean())
        variance = float(squares.mean())
        varied = drawn @ squares - (means**2).sum(axis=1)
        return cls(rows, drawn, means, varied, variance if variance > flat else 0.0)

    def intervals(
        self, outputs: Float32, writes: Float32, found: Span
    ) -> tuple[list[tuple[float | None, float | None]], tuple[float | None, float | None, float | None]]:
        """Intervals of the shares of a head's directions; the head's share of the embedding and its interval."""
        rows, onto = _narrow(outputs, writes)
        written = self.weights @ rows  # (B, e), means
        read = self.rows @ onto.T  # (n, e): rows_i . read_j = t_i . x_j
        along = (rows * read).sum(axis=1)
        own = self.weights @ (rows**2).sum(axis=1) - (written**2).sum(axis=1)
        scores = found.scores.astype(np.float64)
        shares = _ratios(self.weights @ scores**2 - (self.weights @ scores) ** 2, own)
        if self.variance == 0:
            return _intervals(shares), (None, None, None)
        common = self.weights @ along - (written * (self.means @ onto.T)).sum(axis=1)
        (interval,) = _intervals(_ratios(common[:, None], self.varied))
        return _intervals(shares), (float(along.mean()) / self.variance, *interval)


def _narrow(outputs: Float32, writes: Float32) -> tuple[Float64, Float64]:
    """A head's terms less their mean as rows (n, e) in an orthonormal basis (e, d) of what it can write."""
    left, singular, basis = np.linalg.svd(writes.astype(np.float64), full_matrices=False)
    return _centred(outputs) @ (left * singular), basis


def _centred(values: NDArray[np.floating]) -> Float64:
    exact = values.astype(np.float64)
    centred: Float64 = exact - exact.mean(axis=0)
    return centred


def _ratios(parts: Float64, wholes: Float64) -> Float64:
    """Parts (B, k) by wholes (B,); without the rows in which there is nothing to divide."""
    some = wholes > 0
    ratios: Float64 = parts[some] / wholes[some, None]
    return ratios


def _intervals(draws: Float64) -> list[tuple[float | None, float | None]]:
    """Ends of the interval of each column of draws (B, k); None without draws."""
    if not len(draws):
        return [(None, None)] * draws.shape[1]
    low, high = ends(draws)
    return list(zip(low.tolist(), high.tolist(), strict=True))
