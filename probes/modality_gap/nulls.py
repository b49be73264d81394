r"""What chance alone gives: captions dealt anew, and pictures and captions changing places.

    pairs shuffled      captions are dealt to pictures by chance, so that only what belongs together is undone;
                        null of the measures of pairs
    modalities swapped  within each pair, picture and caption change places by a coin, so that only which is
                        which is undone; null of the gap: || sum_i e_i (x_i - y_i) || / n with signs e_i
    chance              1/n for R@1, and one half for a classifier of two

P-values count the arrangements at least as extreme as the observed one, itself included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.core.resampling import ends, p_value
from probes.modality_gap.closed_form import Measured

Float64 = NDArray[np.float64]

SHUFFLES, AT_ONCE = 999, 111
SHUFFLED, SWAPPED = "pairs shuffled", "modalities swapped"


@dataclass(frozen=True)
class Null:
    """A measure against what chance gives.

    Attributes:
        value: on the compared pairs.
        null: its mean under the null; `null_low` and `null_high` hold 95 % of its draws.
        p: of a value at least as far out, one-tailed on the side on which pairs belong together, or a gap is wide.
        n: pairs compared.
    """

    measure: str
    kind: str
    value: float
    null: float
    null_low: float
    null_high: float
    p: float
    n: int


def nulls(images: Float32, texts: Float32, measured: Mapping[str, Measured], seed: int) -> tuple[Null, ...]:
    """The nulls of the gap and of the measures of pairs.

    Args:
        images, texts: (n, d) unit rows of the compared pairs.
        measured: measures of the same pairs, of which the cosines within a modality are taken.
        seed: of shuffles and swaps.
    """
    n = len(images)
    similarities = images @ texts.T
    wide = (2 - measured["cosine_image_image"].value - measured["cosine_text_text"].value) / 4
    dealings = _Dealings(similarities, similarities.argmax(axis=1), similarities.T.argmax(axis=1), wide)
    observed, draws = dealings.measure(np.arange(n)[None]), dealings.by_chance(seed)
    gap, swapped = _swapped(images, texts, seed)
    return (
        _null("gap", SWAPPED, gap, swapped, True, n),
        *(_null(name, SHUFFLED, float(observed[name][0]), draws[name], name in _LARGER, n) for name in draws),
    )


_LARGER = ("cosine_matched", "r1_image_to_text", "r1_text_to_image")
"""Measures that are larger where pairs belong together."""


@dataclass(frozen=True, eq=False)
class _Dealings:
    """Cosines (n, n), the nearest caption and picture of each, and the spread within the modalities."""

    similarities: Float32
    best_caption: NDArray[np.intp]
    best_picture: NDArray[np.intp]
    wide: float

    def measure(self, dealt: NDArray[np.integer]) -> dict[str, Float64]:
        """Measures of pairs for ways to deal captions, (b, n): picture i gets caption dealt[b, i]."""
        n = len(self.similarities)
        own = self.similarities[np.arange(n), dealt]
        matched = own.mean(axis=1, dtype=np.float64)
        far = (1 - matched) / 2
        apart = np.sqrt(np.maximum(2 - 2 * own, 0)).mean(axis=1, dtype=np.float64)
        return {
            "paired_distance": apart,
            "rmg": far / (far + self.wide),
            "cosine_matched": matched,
            "alignment": 2 - 2 * matched,
            "r1_image_to_text": (dealt == self.best_caption).mean(axis=1),
            "r1_text_to_image": (self.best_picture[dealt] == np.arange(n)).mean(axis=1),
        }

    def by_chance(self, seed: int) -> dict[str, Float64]:
        """The same for captions dealt by chance, `SHUFFLES` times."""
        rng = np.random.default_rng([seed, 12])
        order = np.arange(len(self.similarities), dtype=np.int32)
        parts = [
            self.measure(rng.permuted(np.broadcast_to(order, (AT_ONCE, len(order))), axis=1))
            for _ in range(SHUFFLES // AT_ONCE)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _swapped(images: Float32, texts: Float32, seed: int) -> tuple[float, Float64]:
    rng = np.random.default_rng([seed, 13])
    n = len(images)
    signs = 1 - 2 * rng.integers(0, 2, (SHUFFLES, n), dtype=np.int8).astype(np.float32)
    difference = images - texts
    gap = float(np.linalg.norm(difference.mean(axis=0, dtype=np.float64)))
    return gap, np.linalg.norm(signs @ difference, axis=1).astype(np.float64) / n


def _null(name: str, kind: str, value: float, draws: Float64, larger: bool, n: int) -> Null:
    tie = 1e-6
    extreme = draws >= value - tie if larger else draws <= value + tie
    p = float(p_value(np.asarray(extreme.sum()), len(draws), exact=False))
    low, high = ends(draws)
    return Null(name, kind, value, float(draws.mean()), float(low), float(high), p, n)
