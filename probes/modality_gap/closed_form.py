r"""Measures of two clouds of unit rows that sums alone give, O(n d) each, with a bootstrap over pairs.

x_i and y_i (n, d) are the unit embeddings of picture i and of its caption, X and Y the sums of their rows, and
s_i = x_i . y_i. For weights w_i (how often pair i was drawn; all 1 for the estimate itself), W = sum w, q = sum
w^2:

    gap                 || sum w x - sum w y || / W
    paired_distance     sum w ||x_i - y_i|| / W
    alignment           sum w ||x_i - y_i||^2 / W                       (Wang & Isola 2020, alpha = 2)
    cosine_matched      sum w s / W
    cosine_unmatched    ((sum w x) . (sum w y) - sum w^2 s) / (W^2 - q)
    cosine_image_image  (||sum w x||^2 - q) / (W^2 - q)                 the cone (Liang 2022)
    cosine_text_text    (||sum w y||^2 - q) / (W^2 - q)
    rmg                 D_m / (D_m + (D_x + D_y) / 2), D = (1 - cosine) / 2 of matched, image_image and text_text
                                                                        (Schrodi 2025)

Means over i != j leave out a pair drawn twice meeting itself (w^2 in q): counted, it would draw every resampled
cosine towards 1. Intervals are 95 % percentile intervals; that of the gap, a distance, is less the bias that
resampling shows (`probes.core.resampling.ends_of_distance`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.core.resampling import bootstrap_weights, ends, ends_of_distance
from probes.modality_gap.rows import distances, dots

Float64 = NDArray[np.float64]

RESAMPLES = 1_999
MANY, FEWER = 20_000, 499
"""Beyond so many pairs, fewer resamples are drawn: the ends of the interval have little left to gain."""
NAMES = (
    "gap", "paired_distance", "rmg", "cosine_matched", "cosine_unmatched", "cosine_image_image",
    "cosine_text_text", "alignment",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """A measure with its 95 % interval over `n` pairs; the ends are None where there is no interval."""

    measure: str
    value: float
    low: float | None
    high: float | None
    n: int


def closed_forms(images: Float32, texts: Float32, seed: int) -> tuple[Measured, ...]:
    """All measures of this module, in the order of `NAMES`.

    Args:
        images, texts: (n, d) unit rows, n at least 2; row i of both is one pair.
        seed: of the resampling.
    """
    n = len(images)
    scalars = np.stack([dots(images, texts), *distances(images, texts)], axis=1)
    value = _formulas(np.ones((1, n), dtype=np.float32), images, texts, scalars)[0]
    count = RESAMPLES if n <= MANY else FEWER
    draws = np.concatenate(
        [_formulas(weights, images, texts, scalars) for weights in bootstrap_weights(n, count, seed)]
    )
    draws = draws[np.isfinite(draws).all(axis=1)]  # of two pairs, every other draw has one pair alone
    low, high = ends(draws)
    low[0], high[0] = ends_of_distance(draws[:, 0], value[0], 0.0, 2.0)
    rows = zip(NAMES, value, low, high, strict=True)
    return tuple(Measured(name, float(v), float(lo), float(hi), n) for name, v, lo, hi in rows)


def _formulas(weights: Float32, images: Float32, texts: Float32, scalars: Float64) -> Float64:
    """The measures for each row of weights, (b, measures).

    Args:
        weights: (b, n).
        images, texts: (n, d).
        scalars: (n, 3): s_i, ||x_i - y_i||, ||x_i - y_i||^2.
    """
    x, y = (np.asarray(weights @ rows, dtype=np.float64) for rows in (images, texts))
    total = weights.sum(axis=1, dtype=np.float64)
    squares = np.square(weights, dtype=np.float32)
    q = squares.sum(axis=1, dtype=np.float64)
    matched, paired, squared = (weights @ scalars.astype(np.float32)).T.astype(np.float64) / total
    others = total**2 - q
    others = np.where(others > 0, others, np.nan)  # one pair alone was drawn: there are no two to compare
    unmatched = ((x * y).sum(axis=1) - squares @ scalars[:, 0].astype(np.float32)) / others
    cone_x, cone_y = (((z * z).sum(axis=1) - q) / others for z in (x, y))
    gap = np.linalg.norm(x - y, axis=1) / total
    far, wide = (1 - matched) / 2, (2 - cone_x - cone_y) / 4
    return np.stack([gap, paired, far / (far + wide), matched, unmatched, cone_x, cone_y, squared], axis=1)
