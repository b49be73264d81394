"""The pairs that are compared every one with every other: which, what is right for each, what that measures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Progress
from probes.core.resampling import bootstrap_weights, ends
from probes.core.statistics import wilson
from probes.modality_gap import association
from probes.modality_gap.closed_form import FEWER, RESAMPLES, Measured
from probes.modality_gap.gathering import Pairs
from probes.modality_gap.moves import Move, shift
from probes.modality_gap.moves import gaps as moves_gaps
from probes.modality_gap.pairwise import Compared, Scoring, compare, same_as, uniformity
from probes.modality_gap.result import Moved, TemperatureRow
from probes.modality_gap.separability import separability

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

COMPARED = 5_000
"""Pairs that are compared every one with every other, unless all are asked for."""
MANY_RIGHT = 50
"""Right answers for each pair, on average, beyond which repeated captions are left alone."""
SCALES = (1.0, 10.0, 20.0, 30.0, 50.0, 100.0)
"""Logit scales at which the best shift is looked for (after Liang 2022, figure 3)."""
FEW = 500
"""Pairs of which it is looked for."""


def chosen(n: int, all_pairs: bool, seed: int) -> Rows:
    """Places of the pairs that are compared, in order."""
    if all_pairs or n <= COMPARED:
        return np.arange(n)
    return np.sort(np.random.default_rng([seed, 15]).choice(n, COMPARED, replace=False))


def right_answers(pairs: Pairs, places: Rows) -> tuple[tuple[Rows, Rows] | None, tuple[str, ...]]:
    """Right answers besides a pair's own (captions of an equal picture and the reverse), and cautions.

    Rows that are equal to the last bit are of equal pictures or captions.
    """
    found: list[tuple[Rows, Rows]] = []
    cautions = []
    for what, rows in (("pictures", pairs.images), ("captions", pairs.texts)):
        keys = [rows[place].tobytes() for place in places]
        repeated = len(keys) - len(set(keys))
        if not repeated:
            continue
        same = same_as(keys, MANY_RIGHT * len(keys))
        if same is None:
            cautions.append(f"{repeated:,} {what} repeat an earlier one; each has only its own partner for right.")
        else:
            cautions.append(f"{repeated:,} {what} repeat an earlier one; any partner of an equal one is right.")
            found.append(same)
    if not found:
        return None, tuple(cautions)
    pictures: Rows = np.concatenate([part[0] for part in found])
    captions: Rows = np.concatenate([part[1] for part in found])
    return (pictures, captions), tuple(cautions)


def pairwise_measures(
    pairs: Pairs, places: Rows, unmoved: Compared, seed: int, progress: Progress
) -> Sequence[Measured]:
    """Uniformity, separability, retrieval and losses of the compared pairs, with intervals."""
    n = len(places)
    images, texts = pairs.images[places], pairs.texts[places]
    found = []
    weights = list(bootstrap_weights(n, RESAMPLES if n <= COMPARED else FEWER, seed))
    for name, rows in (("uniformity_image", images), ("uniformity_text", texts)):
        value, potentials = uniformity(rows, progress)
        # the linear part: each pair counts twice for what it adds to the mean of all potentials
        draws = np.concatenate([1 + 2 * ((w @ potentials) / n / potentials.mean() - 1) for w in weights])
        low, high = ends(value + np.log(np.maximum(draws, 1e-12)))
        found.append(Measured(name, value, float(low), float(high), n))
    few = slice(0, COMPARED)
    found += separability(images[few], texts[few], seed)
    for k in (1, 5):
        for name, ranks in (("image_to_text", unmoved.image_ranks), ("text_to_image", unmoved.text_ranks)):
            hits = int((ranks < k).sum())
            interval = wilson(hits, n)
            found.append(Measured(f"r{k}_{name}", hits / n, interval.low, interval.high, n))
    for name, losses in zip(("loss", "loss_scale_1"), unmoved.losses, strict=True):
        low, high = ends(np.concatenate([(w @ losses) / n for w in weights]))
        found.append(Measured(name, float(losses.mean()), float(low), float(high), n))
    return found


def after(
    pairs: Pairs, moves: Sequence[Move], compared: Sequence[Compared], direction: Float64
) -> Sequence[Moved]:
    """Everything that is followed, after each move."""
    gaps = moves_gaps(moves, pairs.images, pairs.texts, direction)
    return [_after(pairs, *one) for one in zip(moves, compared, gaps, strict=True)]


def _after(pairs: Pairs, move: Move, compared: Compared, gap: float) -> Moved:
    (r1_image, r1_text), (r5_image, r5_text) = compared.recall(1), compared.recall(5)
    zero_shot, leaning = None, None
    if pairs.classes is not None and pairs.of_class is not None:
        zero_shot = association.accuracy(pairs.images, pairs.classes, pairs.of_class, move).value
    if pairs.people is not None:
        leaning = association.effect_size(*association.leanings(pairs.people, move))
    loss, loss_scale_1 = compared.loss(0), compared.loss(1)
    return Moved(gap, loss, loss_scale_1, r1_image, r1_text, r5_image, r5_text, zero_shot, leaning)


def temperatures(pairs: Pairs, places: Rows, direction: Float64, own: Scoring) -> tuple[TemperatureRow, ...]:
    """Where along the shift the loss is least, at several logit scales."""
    few = places[:FEW]
    deltas = [round(-1 + 0.2 * step, 1) for step in range(11)]
    scales = sorted({*SCALES, round(own.scale, 4)})
    scorings = [Scoring(scale, own.bias, own.sigmoid) for scale in scales]
    moved = compare(pairs.images[few], pairs.texts[few], [shift(direction, d) for d in deltas], scorings)
    found = []
    for place, scale in enumerate(scales):
        losses = [one.loss(place) for one in moved]
        best = int(np.argmin(losses))
        found.append(TemperatureRow(scale, deltas[best], losses[best], losses[deltas.index(0.0)], len(few)))
    return tuple(found)
