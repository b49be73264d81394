r"""Where an answer comes from: the similarity of one picture to a text as a sum over parts of the tower.

A picture's unit embedding is an exact sum of terms, x = sum_p t^p, over heads, MLPs and constants
(`probes.core.decomposition`). With a text's unit embedding y the direct effect of a part is t^p . y, and the
effects sum to the similarity x . y. Where several texts are given, y is the first less the mean of the others, and
the effects sum to the difference of the similarities.

A head may add the same to every picture. `usual` is the mean of its effect over other pictures, `beyond` the
effect less that: what mean ablation of the head takes away before the rest is brought back to unit length. p
counts the other pictures whose effect strays from the mean of all as far, (1 + #)/(1 + n). It is corrected over
heads by the largest stray of any head, in standard deviations of that head (single-step maxT, Westfall & Young
1993): a rank among n pictures is never below 1/(1 + n), and a correction that multiplies it by the number of heads
would call none.

References: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916, sections 3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.arrays import Floats, Packed
from probes.core.decomposition import Decomposition
from probes.core.model import Float32
from probes.core.switches import Switches

Float64 = NDArray[np.float64]

FLAT = 1e-9
"""Standard deviation in cosine below which effects in float32 are equal but for rounding."""
TIE = 1e-6
MOST_SWITCHABLE = 600
"""Parts up to which their products are kept, so that a page can switch any of them off by itself."""


@dataclass(frozen=True)
class HeadEffect:
    """A row of the table `heads`: what one head adds to the similarity.

    Attributes:
        layer, head: counted from 0.
        effect: in cosine.
        usual: mean of the effect over other pictures.
        beyond: the effect less that.
        p, p_adjusted: of the effect among those of other pictures, two-tailed; corrected over heads (maxT).
    """

    layer: int
    head: int
    effect: float
    usual: float
    beyond: float
    p: float
    p_adjusted: float

    @property
    def name(self) -> str:
        """The head as it is written, such as `L4H2`."""
        return str(Switches.of_heads([(self.layer, self.head)]))


@dataclass(frozen=True)
class MlpEffect:
    """A row of the table `mlps`: what one MLP adds to the similarity, in cosine."""

    layer: int
    effect: float
    usual: float
    beyond: float


@dataclass(frozen=True)
class RestEffect:
    """A row of the table `rest`: what neither heads nor MLPs add, in cosine."""

    part: str
    effect: float


@dataclass(frozen=True)
class Check:
    """The row of the table `check`: whether the parts sum to the whole.

    Attributes:
        reconstruction_error: largest absolute difference between the sum of terms and the embedding.
        similarity: of the picture and the text by the model, or the difference of similarities.
        sum_of_terms: the sum of all effects.
    """

    reconstruction_error: float
    similarity: float
    sum_of_terms: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects:
    """Direct effects of all parts on a text, and where they look.

    Attributes:
        heads: (2, L, H), on the first text and on the mean of the others (zero where there are none).
        mlps: (2, M).
        initial, constant: (2,), what enters the first layer, and biases.
        usual_heads, usual_mlps: (2, L, H) and (2, M), means over other pictures.
        p, p_adjusted: (L, H), of the difference of the two.
        similarity: (2,), by the model.
        usual_similarity: (2,), mean over other pictures.
        maps: (2, L, H, rows, columns), effect through each patch.
        attention: (L, H, rows, columns), how much the token that is read attends to each patch; empty where the
            model's attention cannot be read.
        elsewhere: (2, L, H), effect through tokens that are no patch.
        products: (P, P), inner products of what each part writes beyond its mean over other pictures, heads layer
            by layer, then MLPs; empty where there are more than `MOST_SWITCHABLE`.
        onto: (P,), inner products of the same with the picture's embedding.
        error: largest absolute difference between the sum of terms and the embedding.
        layers: their names.
        others: how many other pictures.
    """

    heads: Floats
    mlps: Floats
    initial: Floats
    constant: Floats
    usual_heads: Floats
    usual_mlps: Floats
    p: Floats
    p_adjusted: Floats
    similarity: Floats
    usual_similarity: Floats
    maps: Packed
    attention: Packed
    elsewhere: Floats
    products: Packed
    onto: Packed
    error: float
    layers: tuple[str, ...]
    others: int

    @property
    def contrast(self) -> Float64:
        """Effects of heads on the first text less the mean of the others, (L, H)."""
        contrast: Float64 = self.heads[0] - self.heads[1]
        return contrast

    @property
    def rows(self) -> tuple[HeadEffect, ...]:
        """All heads, layer by layer."""
        usual = self.usual_heads[0] - self.usual_heads[1]
        return tuple(
            HeadEffect(
                layer, head, float(effect), float(usual[layer, head]), float(effect - usual[layer, head]),
                float(self.p[layer, head]), float(self.p_adjusted[layer, head]),
            )
            for (layer, head), effect in np.ndenumerate(self.contrast)
        )  # fmt: skip

    @property
    def mlp_rows(self) -> tuple[MlpEffect, ...]:
        """All MLPs."""
        effects, usual = self.mlps[0] - self.mlps[1], self.usual_mlps[0] - self.usual_mlps[1]
        return tuple(
            MlpEffect(layer, float(effect), float(mean), float(effect - mean))
            for layer, (effect, mean) in enumerate(zip(effects, usual, strict=True))
        )

    @property
    def rest(self) -> tuple[RestEffect, ...]:
        """What is left."""
        named = ("what enters the first layer", self.initial), ("biases", self.constant)
        return tuple(RestEffect(part, float(values[0] - values[1])) for part, values in named)

    @property
    def check(self) -> Check:
        """Whether the parts sum to the whole."""
        parts = self.heads.sum(axis=(1, 2)) + self.mlps.sum(axis=1) + self.initial + self.constant
        return Check(self.error, float(self.similarity[0] - self.similarity[1]), float(parts[0] - parts[1]))


def effects(own: Decomposition, others: Decomposition, texts: Float32, attention: Float32 | None) -> Effects:
    """The direct effects of one picture's parts on a text, and on the mean of other texts.

    Args:
        own: one picture, taken apart by token.
        others: n other pictures, taken apart.
        texts: (m, d), unit embeddings; the first is asked about.
        attention: (1, L, H, T) of the picture; None where it cannot be read.

    Raises:
        ValueError: the picture was not taken apart by token.
    """
    rest = texts[1:].mean(axis=0) if len(texts) > 1 else np.zeros_like(texts[0])
    directions = np.stack([texts[0], rest]).astype(np.float32)
    by_token = own.token_effects(directions)[0]  # (2, L, H, T)
    rows, columns = own.grid or (1, by_token.shape[-1] - own.prefix)
    shape = (*by_token.shape[:3], rows, columns)
    usual = others.effects(directions)  # (n, 2, L, H)
    heads = own.effects(directions)[0].astype(np.float64)
    products, onto = _products(own, others)
    p, adjusted = strays(heads[0] - heads[1], (usual[:, 0] - usual[:, 1]).astype(np.float64))
    return Effects(
        heads=heads,
        mlps=(own.mlps[0] @ directions.T).T.astype(np.float64),
        initial=(directions @ own.initial[0]).astype(np.float64),
        constant=(directions @ own.constant[0]).astype(np.float64),
        usual_heads=usual.mean(axis=0, dtype=np.float64),
        usual_mlps=(others.mlps.mean(axis=0, dtype=np.float64) @ directions.T).T,
        p=p,
        p_adjusted=adjusted,
        similarity=(directions @ own.embedding[0]).astype(np.float64),
        usual_similarity=directions.astype(np.float64) @ others.embedding.mean(axis=0, dtype=np.float64),
        maps=np.ascontiguousarray(by_token[..., own.prefix :].reshape(shape), dtype=np.float32),
        attention=_over_patches(attention, own.prefix, rows, columns),
        elsewhere=by_token[..., : own.prefix].sum(axis=-1, dtype=np.float64),
        products=products,
        onto=onto,
        error=own.error,
        layers=own.layers,
        others=len(others.embedding),
    )


def strays(values: Float64, others: Float64) -> tuple[Float64, Float64]:
    """How far one picture's values (L, H) stray among those of n others (n, L, H): p, and p corrected over heads.

    A head that does the same to every picture strays nowhere.
    """
    count = len(others)
    every = np.concatenate([values[None], others])
    spread = every.std(axis=0)
    far = np.divide(np.abs(every - every.mean(axis=0)), spread, out=np.zeros_like(every), where=spread > FLAT)
    reached = far[1:] >= far[0] * (1 - TIE)
    largest = far[1:].max(axis=(1, 2))[:, None, None] >= far[0] * (1 - TIE)
    p, adjusted = ((1 + one.sum(axis=0)) / (1 + count) for one in (reached, largest))
    return p, adjusted


def _over_patches(attention: Float32 | None, prefix: int, rows: int, columns: int) -> Float32:
    if attention is None:
        return np.zeros((0, 0, rows, columns), np.float32)
    patches = attention[0, ..., prefix:]
    return np.ascontiguousarray(patches.reshape(*patches.shape[:2], rows, columns), dtype=np.float32)


def _products(own: Decomposition, others: Decomposition) -> tuple[Float32, Float32]:
    """Inner products among what each part writes beyond its mean over other pictures, and with the embedding."""
    _, layers, heads, _ = own.outputs.shape
    if layers * heads + own.mlps.shape[1] > MOST_SWITCHABLE:
        return np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
    mean = others.outputs.mean(axis=0, dtype=np.float64)
    beyond = np.einsum("lhe,lhed->lhd", own.outputs[0] - mean, own.writes, optimize=True)
    mlps = own.mlps[0] - others.mlps.mean(axis=0, dtype=np.float64)
    every = np.concatenate([beyond.reshape(layers * heads, -1), mlps])
    return (every @ every.T).astype(np.float32), (every @ own.embedding[0]).astype(np.float32)
