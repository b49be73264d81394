"""How well maps fit masks, counted over all things at once: what `segmented` is held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probes.attention_heads.segmenting import measured, miou
from probes.core.resampling import RESAMPLES, bootstrap_weights, ends
from probes.core.statistics import Interval


@dataclass(frozen=True)
class Fit:
    n: int
    accuracy: float
    miou: float
    miou_interval: Interval
    average_precision: float
    precision_interval: Interval


def fit(maps, truth, pictures, seed):
    """Over n things, of which those of one picture are resampled together."""
    pixels, precision = measured(maps, truth)
    _, codes = np.unique(pictures, return_inverse=True)
    weights = np.concatenate(list(bootstrap_weights(int(codes.max()) + 1, RESAMPLES, seed)))[:, codes]
    total = pixels.sum(axis=0)
    return Fit(
        n=len(maps),
        accuracy=float((total[0] + total[2]) / total.sum()),
        miou=float(miou(total)),
        miou_interval=_interval(miou(weights.astype(np.float64) @ pixels)),
        average_precision=float(precision.mean()),
        precision_interval=_interval(weights @ precision / weights.sum(axis=1)),
    )


def _interval(draws):
    low, high = ends(draws)
    return Interval(float(low), float(high))
