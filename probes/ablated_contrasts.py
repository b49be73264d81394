r"""How a calibrated behaviour changes as heads of the image tower are switched off, against heads dealt by chance.

Of a behaviour, `probes.contrasts` gives the change of log-odds d_cs of each concept c in each scene s. Summed up:

    slope = sum_c (z_c - mean z) m_c / sum_c (z_c - mean z)^2,       m_c = mean_s d_cs

with z_c the dose planted in the skewed world, 0 to 1: by how much the change of log-odds grows from a concept of
dose 0 to one of dose 1, by least squares. The same doses stand on the balanced model, where no slope was planted.
With b the slope of the skewed model whole, b' of the same with heads off and b0 of the balanced model,

    share of the way = (b - b') / (b - b0).

Intervals: percentile bootstrap over scenes, the same scenes of all models at once; the concepts, the heads and the
pictures that heads were found with are held. Switched off is as in `probes.backend.switched`, x' being the unit
vector of x - sum_off (t - mean t). That is linear in the terms but for the length, and |x'|^2 is a form in the
products of a picture's terms, so that a set of heads costs a few numbers a picture:

    slope(off) = sum_i (A_i . s) / sqrt(s . G_i s),    s = (1, -1 where off else 0)
    A_i, G_i: products of (x, t^1 - mean, ..., t^P - mean) with what picture i counts for in the slope, and with
              one another.

Heads by chance: sets of as many heads, all of them where they are at most `SETS`, else `SETS` dealt. `the same
layers` deals in each layer as many as were switched off there, since late layers write more to the embedding than
early ones: it asks whether these heads matter, not whether these layers do. `all layers` deals among all. P is
one-tailed: the share of sets that bring the slope as low or lower (+1 where dealt).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.ablating import without
from probes.contrasts import Contrast
from probes.core.decomposition import Decomposition
from probes.core.model import Float32
from probes.core.resampling import RESAMPLES, ends, p_value, stratified_weights
from probes.core.statistics import Estimate, Interval
from probes.core.switches import Switches

SETS = 999
AMONG = ("the same layers", "all layers")
"""Where heads are dealt from by chance."""
TIE = 1e-5
"""Relative difference of slopes that are equal but for rounding: products are in float32."""
AT_ONCE = 40_000_000
"""Bytes of numbers that are held at once."""

Float64 = NDArray[np.float64]
Heads = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ByChance:
    """The slope with as many heads off that were dealt by chance.

    Attributes:
        among: one of AMONG.
        sets: how many sets of heads.
        all_there_are: whether these are all the sets there are.
        mean: of their slopes; low and high the middle 95 % of them.
        p: share of sets that bring the slope as low; p_adjusted: corrected over behaviours and numbers of heads.
    """

    among: str
    sets: int
    all_there_are: bool
    mean: float
    low: float
    high: float
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Off:
    """The skewed model with the heads off that carry a property most.

    Attributes:
        heads: how many.
        switches: which, as they are written.
        slope: with its interval over scenes.
        way: share of the way from the skewed to the balanced model, with its interval over scenes.
        by_chance: as many heads by chance, one for each of AMONG.
        accuracy: zero-shot, on pictures that show one thing; interval over pictures.
    """

    heads: int
    switches: str
    slope: Estimate
    way: Estimate
    by_chance: tuple[ByChance, ...]
    accuracy: Estimate


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slope of one contrast for embeddings of its pictures.

    Attributes:
        contrast: what is measured.
        doses: (C,), of its concepts.
        texts: (m, d), see `Contrast.texts`.
        seed: of the resamples.
    """

    contrast: Contrast
    doses: Float64
    texts: Float32
    seed: int

    @cached_property
    def of_concepts(self) -> Float64:
        """What each concept's mean counts for in the slope, (C,)."""
        apart = self.doses - self.doses.mean()
        weights: Float64 = apart / (apart @ apart)
        return weights

    @cached_property
    def of_logits(self) -> Float64:
        """What the logit of each picture and label counts for in the slope, (N, m)."""
        one = self.contrast
        each = self.of_concepts[one.concept] / np.bincount(one.concept)[one.concept]
        found = np.zeros((len(one.pictures), len(one.labels)))
        for arms, weights, count in zip(one.arms, one.weights, each, strict=True):
            found[arms[0]] += count * weights
            np.add.at(found, arms[1:], -count * weights / (len(arms) - 1))
        return found

    @cached_property
    def directions(self) -> Float64:
        """What each picture's embedding is multiplied with for its part of the slope, (N, d)."""
        directions: Float64 = self.of_logits @ self.texts.astype(np.float64)
        return directions

    def value(self, images: Float32) -> float:
        """The slope for unit embeddings (N, d)."""
        return float(np.einsum("nd,nd->", self.directions, images, dtype=np.float64))

    def draws(self, images: Float32) -> Float64:
        """The same for every resample of the scenes, (B,)."""
        one = self.contrast
        shape = len(one.concepts), len(one.strata)
        found, there = np.zeros(shape), np.zeros(shape)
        found[one.concept, one.scene] = one.differences(images @ self.texts.T)
        there[one.concept, one.scene] = 1
        parts = []
        for weights in stratified_weights(one.strata, RESAMPLES, self.seed):
            counts = weights.astype(np.float64)
            parts.append((counts @ found.T) / (counts @ there.T) @ self.of_concepts)
        return np.concatenate(parts)

    def estimate(self, images: Float32) -> Estimate:
        """The slope with its interval over scenes."""
        return self._estimate(self.value(images), self.draws(images))

    def way(self, whole: Float32, off: Float32, even: Slopes, balanced: Float32) -> Estimate:
        """Share of the way to another model's slope, the same scenes resampled of all.

        Args:
            whole, off: the pictures by this model, and with heads off, (N, d).
            even: the same contrast with the other model's texts.
            balanced: the pictures by the other model, (N, d).
        """
        value = (self.value(whole) - self.value(off)) / (self.value(whole) - even.value(balanced))
        first = self.draws(whole)
        return self._estimate(value, (first - self.draws(off)) / (first - even.draws(balanced)))

    def _estimate(self, value: float, draws: Float64) -> Estimate:
        low, high = ends(draws)
        return Estimate(value, len(self.contrast.strata), "scenes", Interval(float(low), float(high)))


class Ablations:
    """The slope without any set of heads; see the module.

    Args:
        slopes: what is measured.
        taken: the pictures of its contrast, taken apart.
        usual: other pictures, over which what is off keeps its mean.
    """

    def __init__(self, slopes: Slopes, taken: Decomposition, usual: Decomposition) -> None:
        self.shape = (taken.outputs.shape[1], taken.outputs.shape[2])
        mean = usual.outputs.mean(axis=0, dtype=np.float64).astype(np.float32)
        count, width = 1 + self.shape[0] * self.shape[1], taken.embedding.shape[1]
        n = len(taken.embedding)
        self._along, self._gram = np.empty((n, count)), np.empty((n, count, count), np.float32)
        step = max(1, AT_ONCE // (4 * count * width))
        for start in range(0, n, step):
            some = slice(start, start + step)
            beyond = np.einsum("nlhe,lhed->nlhd", taken.outputs[some] - mean, taken.writes, optimize=True)
            rows = np.concatenate([taken.embedding[some, None], beyond.reshape(-1, count - 1, width)], axis=1)
            self._along[some] = np.einsum("npd,nd->np", rows, slopes.directions[some])
            self._gram[some] = rows @ rows.transpose(0, 2, 1)

    def slopes(self, sets: Sequence[Heads]) -> Float64:
        """The slope with each set of heads off, (R,)."""
        parts = []
        step = max(1, AT_ONCE // (8 * self._gram[..., 0].size))
        for start in range(0, len(sets), step):
            signs = self._signs(sets[start : start + step])
            squared = ((self._gram @ signs.T.astype(np.float32)) * signs.T).sum(axis=1)
            parts.append((self._along @ signs.T / np.sqrt(squared)).sum(axis=0))
        return np.concatenate(parts)

    def _signs(self, sets: Sequence[Heads]) -> Float64:
        signs = np.zeros((len(sets), self._along.shape[1]))
        signs[:, 0] = 1
        for row, heads in enumerate(sets):
            signs[row, [1 + layer * self.shape[1] + head for layer, head in heads]] = -1
        return signs

    def by_chance(self, heads: Heads, among: str, seed: int) -> ByChance:
        """As many heads dealt by chance; p is not corrected yet."""
        observed = self.slopes([heads])
        sets, all_there_are = dealt(heads, self.shape, among, seed)
        found = self.slopes(sets)
        low, high = ends(found)
        reached = np.asarray((found <= observed + TIE * np.abs(observed)).sum())
        p = float(p_value(reached, len(sets), all_there_are))
        return ByChance(among, len(sets), all_there_are, float(found.mean()), float(low), float(high), p, p)


def dealt(heads: Heads, shape: tuple[int, int], among: str, seed: int) -> tuple[list[Heads], bool]:
    """Sets of as many heads, and whether these are all there are; see the module.

    Args:
        heads: those that were chosen, which are one of the sets.
        shape: layers, and heads of each.
        among: one of AMONG.
        seed: of the dealings.
    """
    layers, count = shape
    pools = (
        [([(layer, head) for head in range(count)], many) for layer, many in Counter(h[0] for h in heads).items()]
        if among == AMONG[0]
        else [([(layer, head) for layer in range(layers) for head in range(count)], len(heads))]
    )
    if prod(comb(len(pool), many) for pool, many in pools) <= SETS:
        every = product(*(combinations(pool, many) for pool, many in pools))
        return [tuple(head for part in parts for head in part) for parts in every], True
    rng = np.random.default_rng([seed, 41])
    return list(_by_chance(pools, rng)), False


def _by_chance(
    pools: Sequence[tuple[Sequence[tuple[int, int]], int]], rng: np.random.Generator
) -> Iterator[Heads]:
    for _ in range(SETS):
        yield tuple(pool[int(at)] for pool, many in pools for at in rng.permutation(len(pool))[:many])


def written_by_heads(slopes: Slopes, taken: Decomposition) -> float:
    """Share of the slope that heads write themselves; the rest is written by MLPs, the input and biases."""
    heads = np.einsum("nlhe,lhed->nd", taken.outputs, taken.writes, optimize=True)
    return slopes.value(heads) / slopes.value(taken.embedding)


def switched_off(
    slopes: Slopes,
    taken: Decomposition,
    usual: Decomposition,
    even: Slopes,
    balanced: Float32,
    chosen: Sequence[tuple[Switches, Estimate]],
) -> tuple[Off, ...]:
    """What switching off does, for each choice of heads; p-values are not corrected yet.

    Args:
        slopes: what is measured.
        taken: its pictures, taken apart by the skewed model.
        usual: other pictures, taken apart by the same.
        even: the same contrast with the balanced model's texts.
        balanced: its pictures (N, d) as the balanced model embeds them.
        chosen: which heads, each with the zero-shot accuracy that the model has without them.
    """
    ablations = Ablations(slopes, taken, usual)
    found = []
    for switches, accuracy in chosen:
        heads = switches.off(ablations.shape[1])
        images = without(taken, usual, switches)
        found.append(
            Off(
                heads=len(heads),
                switches=str(switches),
                slope=slopes.estimate(images),
                way=slopes.way(taken.embedding, images, even, balanced),
                by_chance=tuple(ablations.by_chance(heads, among, slopes.seed) for among in AMONG),
                accuracy=accuracy,
            )
        )
    return tuple(found)
