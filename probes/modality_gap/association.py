r"""What is followed while the clouds move: zero-shot accuracy, and how two groups of drawn people lean to words.

The association is the effect size of the word embedding association test with pictures (Caliskan 2017; Steed
2021): with s(p) the mean cosine of picture p with the words less that with the other words,

    d = (mean of s over one group - mean of s over the other) / standard deviation of s over both (ddof = 1)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.core.resampling import SWAPS, ends, p_value, stratified_weights, swapped
from probes.core.statistics import wilson
from probes.modality_gap.closed_form import RESAMPLES, Measured
from probes.modality_gap.gathering import People
from probes.modality_gap.moves import Move

Float64 = NDArray[np.float64]


def leanings(people: People, move: Move) -> tuple[Float64, Float64]:
    """S of the people of either group after a move."""
    words, other_words = (
        move.texts(rows).mean(axis=0, dtype=np.float64) for rows in (people.words, people.other_words)
    )
    one, other = (move.images(rows) @ (words - other_words) for rows in (people.one, people.other))
    return np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)


def effect_size(one: Float64, other: Float64) -> float:
    """D of two groups' leanings; 0 where nobody differs from anybody."""
    spread = float(np.concatenate([one, other]).std(ddof=1))
    return 0.0 if spread == 0 else float(one.mean() - other.mean()) / spread


def association(people: People, move: Move, seed: int) -> tuple[Measured, float]:
    """D with its interval over people, and its two-tailed p from dealing people to groups by chance."""
    one, other = leanings(people, move)
    both = np.concatenate([one, other])
    codes = np.repeat([0, 1], [len(one), len(other)])
    draws = []
    for weights in stratified_weights(codes, RESAMPLES, seed):
        first, second = weights[:, codes == 0], weights[:, codes == 1]
        mean = (weights @ both) / len(both)
        variance = np.maximum((weights @ both**2) / len(both) - mean**2, 1e-24)
        spread = np.sqrt(variance * len(both) / (len(both) - 1))
        draws.append(((first @ one) / len(one) - (second @ other) / len(other)) / spread)
    low, high = ends(np.concatenate(draws))
    observed = abs(one.mean() - other.mean())
    tied = observed * (1 - 1e-9)
    extreme = sum(int((_apart(both, dealt) >= tied).sum()) for dealt in swapped(codes, SWAPS, seed))
    p = float(p_value(np.asarray(extreme), SWAPS, exact=False))
    return Measured("association", effect_size(one, other), float(low), float(high), len(both)), p


def _apart(both: Float64, dealt: NDArray[np.intp]) -> Float64:
    """How far the means of dealt groups are apart, (b,)."""
    inside = (dealt == 0).astype(np.float64)
    count = inside.sum(axis=1)
    total = inside @ both
    apart: Float64 = np.abs(total / count - (both.sum() - total) / (len(both) - count))
    return apart


def accuracy(images: Float32, classes: Float32, of_class: NDArray[np.intp], move: Move) -> Measured:
    """Zero-shot accuracy after a move, over pictures that have a class, with Wilson's interval.

    Args:
        images: (n, d) unit rows.
        classes: (k, d), the text of each class.
        of_class: (n,), -1 for pictures without one.
        move: what is done to both.
    """
    judged = of_class >= 0
    similarities = move.images(images[judged]) @ move.texts(classes).T
    right = similarities.argmax(axis=1) == of_class[judged]
    interval = wilson(int(right.sum()), len(right))
    return Measured("zero_shot", float(right.mean()), interval.low, interval.high, len(right))
