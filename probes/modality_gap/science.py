"""Measuring the modality gap: the pairs, their measures, their moves, their paths and what they looked like before.

The formulas stand where they are computed: sums in `closed_form`, comparisons of every pair with every other in
`pairwise`, moves in `moves`, nulls in `nulls`, paths in `path`, views in `cloud`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Backend, Progress
from probes.core.statistics import wilson
from probes.modality_gap import association, gathering
from probes.modality_gap.closed_form import RESAMPLES, Measured, bootstrap_weights, closed_forms
from probes.modality_gap.gathering import Pairs
from probes.modality_gap.drawing import draw, moment
from probes.modality_gap.moves import Move, interventions, shift
from probes.modality_gap.nulls import Null, nulls
from probes.modality_gap.pairwise import Compared, Scoring, compare, same_as, uniformity
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.path import MOST, walk
from probes.modality_gap.result import (
    TABLE_DELTAS,
    DimensionRow,
    Intervention,
    ModalityGapResult,
    Moment,
    Moved,
    Shifted,
    TemperatureRow,
)
from probes.modality_gap.rows import along, gap_direction
from probes.modality_gap.separability import separability
from probes.modality_gap.training import snapshots
from probes.core.resampling import ends

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

COMPARED = 5_000
"""Pairs that are compared every one with every other, unless all are asked for."""
SMOOTH = 1_500
"""Up to so many compared pairs the shift is computed at every twentieth, else at every quarter."""
SCALES = (1.0, 10.0, 20.0, 30.0, 50.0, 100.0)
"""Logit scales at which the best shift is looked for (Liang 2022, figure 3)."""
FEW = 500
"""Pairs of which it is looked for."""
MANY_RIGHT = 50
"""Right answers for each pair, on average, beyond which repeated captions are left alone."""


def measure(params: ModalityGapParams, backend: Backend, progress: Progress) -> ModalityGapResult:
    """Everything about the gap of the given pairs."""
    given = None if len(params.embeddings) else gathering.stimuli(params)
    pairs = (
        gathering.of_files(params)
        if given is None
        else gathering.embed(params, given, backend, _part(progress, 0.0, 0.4))
    )
    scoring = _scoring(params, backend)
    direction, gap = gap_direction(pairs.images, pairs.texts)
    progress(0.4, "measuring the clouds")
    found = list(closed_forms(pairs.images, pairs.texts, params.seed))
    chosen = _chosen(params, len(pairs))
    few = chosen[: min(len(chosen), COMPARED)]
    deltas = _deltas(len(chosen))
    others = interventions(pairs.images, pairs.texts, direction, gap, params.dropped)
    moves = [*(shift(direction, delta) for delta in deltas), *others[1:]]
    right, caution = _right(pairs, chosen)
    compared = compare(
        pairs.images[chosen], pairs.texts[chosen], moves, [scoring, Scoring(1.0, scoring.bias, scoring.sigmoid)],
        right, _part(progress, 0.45, 0.7),
    )  # fmt: skip
    unmoved = compared[deltas.index(0.0)]
    found += _pairwise_measures(pairs, chosen, unmoved, params.seed, _part(progress, 0.7, 0.8))
    still = shift(direction, 0.0)
    association_p = None
    if pairs.classes is not None and pairs.of_class is not None:
        found.append(association.accuracy(pairs.images, pairs.classes, pairs.of_class, still))
    if pairs.people is not None:
        leaning, association_p = association.association(pairs.people, still, params.seed)
        found.append(leaning)
    steps = [_moved(pairs, move, one, direction) for move, one in zip(moves, compared, strict=True)]
    shifts = tuple(Shifted(delta, moved) for delta, moved in zip(deltas, steps, strict=False))
    done = [shifts[deltas.index(0.0)].moved, *steps[len(deltas) :]]
    progress(0.82, "dealing captions anew")
    against = nulls(
        pairs.images[few], pairs.texts[few], {m.measure: m for m in found}, params.seed
    )
    path, walks = walk(pairs.images[few[:MOST]], pairs.texts[few[:MOST]], params.seed)
    progress(0.9, "looking back at training")
    return ModalityGapResult(
        model=backend.card.name,
        source=pairs.source,
        n=len(pairs),
        compared=len(chosen),
        logit_scale=scoring.scale,
        sigmoid=scoring.sigmoid,
        measures=tuple(found),
        nulls=against,
        shifts=shifts,
        interventions=tuple(
            Intervention(move.name, TITLES.get(move.name) or _dropped_title(move), moved)
            for move, moved in zip(others, done, strict=True)
        ),
        dimensions=_dimensions(direction),
        path=path,
        temperatures=_temperatures(pairs, few[:FEW], direction, scoring),
        training=_training(params, backend, given, pairs, few, params.seed),
        cloud=draw(pairs, few, direction, others, walks if len(few) <= MOST else None),
        people=_people(params, pairs),
        association_p=association_p,
        cautions=pairs.cautions + caution,
    )


TITLES = {
    "none": "As it is",
    "both": "Gap closed, both sides moved",
    "images": "Gap closed, pictures moved",
    "texts": "Gap closed, captions moved",
    "centred": "Each side centred",
}
"""What interventions are called."""


def _dropped_title(move: Move) -> str:
    count = len(move.dropped)
    return "Top gap dimension dropped" if count == 1 else f"Top {count} gap dimensions dropped"


def _part(progress: Progress, low: float, high: float) -> Progress:
    """A progress that tells of a part of the whole."""
    return lambda share, doing: progress(low + (high - low) * share, doing)


def _scoring(params: ModalityGapParams, backend: Backend) -> Scoring:
    card = backend.card
    scale = params.logit_scale or min(card.logit_scale, 300.0)
    return Scoring(scale, card.logit_bias, card.sigmoid)


def _chosen(params: ModalityGapParams, n: int) -> Rows:
    """Places of the pairs that are compared, in order."""
    if params.all_pairs or n <= COMPARED:
        return np.arange(n)
    return np.sort(np.random.default_rng([params.seed, 15]).choice(n, COMPARED, replace=False))


def _deltas(n: int) -> list[float]:
    """Steps of the shift, among them those of the table."""
    return [round(-1 + 0.05 * step, 2) for step in range(41)] if n <= SMOOTH else list(TABLE_DELTAS)


def _right(pairs: Pairs, chosen: Rows) -> tuple[tuple[Rows, Rows] | None, tuple[str, ...]]:
    """Right answers besides a pair's own: captions of the same picture, pictures of the same caption."""
    found, cautions = [], []
    for what, rows in (("pictures", pairs.images), ("captions", pairs.texts)):
        keys = [rows[place].tobytes() for place in chosen]
        if len(set(keys)) == len(keys):
            continue
        same = same_as(keys, len(keys), MANY_RIGHT * len(keys))
        repeated = len(keys) - len(set(keys))
        if same is None:
            cautions.append(f"{repeated:,} {what} repeat an earlier one; each has only its own partner for right.")
        else:
            cautions.append(f"{repeated:,} {what} repeat an earlier one; any partner of an equal one is right.")
            found.append(same)
    if not found:
        return None, tuple(cautions)
    rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
    return (rows, columns), tuple(cautions)


def _pairwise_measures(
    pairs: Pairs, chosen: Rows, unmoved: Compared, seed: int, progress: Progress
) -> Sequence[Measured]:
    """Uniformity, separability, retrieval and losses, with intervals."""
    n = len(chosen)
    images, texts = pairs.images[chosen], pairs.texts[chosen]
    found = []
    weights = list(bootstrap_weights(n, RESAMPLES if n <= COMPARED else 499, seed))
    for name, rows in (("uniformity_image", images), ("uniformity_text", texts)):
        value, potentials = uniformity(rows, progress)
        # the linear part: each pair counts twice for what it adds to the mean of all potentials
        mean = potentials.mean()
        draws = np.concatenate([1 + 2 * ((w @ potentials) / n / mean - 1) for w in weights])
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


def _moved(pairs: Pairs, move: Move, compared: Compared, direction: Float64) -> Moved:
    """Everything that is followed, after a move."""
    (r1_image, r1_text), (r5_image, r5_text) = compared.recall(1), compared.recall(5)
    zero_shot = None
    if pairs.classes is not None and pairs.of_class is not None:
        zero_shot = association.accuracy(pairs.images, pairs.classes, pairs.of_class, move).value
    leaning = None
    if pairs.people is not None:
        leaning = association.effect_size(*association.leanings(pairs.people, move))
    return Moved(
        _gap_after(pairs, move, direction), compared.loss(0), compared.loss(1), r1_image, r1_text, r5_image, r5_text,
        zero_shot, leaning,
    )  # fmt: skip


def _gap_after(pairs: Pairs, move: Move, direction: Float64) -> float:
    """The gap after a move: signed along the old direction for a shift, else its length."""
    if move.name == "shift":
        half = float(move.image_offset @ direction)
        sides = []
        for rows, step in ((pairs.images, -half), (pairs.texts, half)):
            t = along(rows, direction)
            sides.append(float(((t + step) / np.sqrt(np.maximum(1 + 2 * step * t + step**2, 1e-12))).mean()))
        return sides[0] - sides[1]
    total = np.zeros(len(direction))
    for start in range(0, len(pairs), 16_384):
        part = slice(start, start + 16_384)
        total += move.images(pairs.images[part]).sum(axis=0, dtype=np.float64)
        total -= move.texts(pairs.texts[part]).sum(axis=0, dtype=np.float64)
    return float(np.linalg.norm(total)) / len(pairs)


def _dimensions(direction: Float64) -> tuple[DimensionRow, ...]:
    shares = direction**2 / float((direction**2).sum())
    return tuple(DimensionRow(int(d), float(shares[d])) for d in np.argsort(-shares, kind="stable"))


def _temperatures(pairs: Pairs, few: Rows, direction: Float64, own: Scoring) -> tuple[TemperatureRow, ...]:
    """Where along the shift the loss is least, at several logit scales."""
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


def _training(
    params: ModalityGapParams,
    backend: Backend,
    given: gathering.Stimuli | None,
    pairs: Pairs,
    few: Rows,
    seed: int,
) -> tuple[Moment, ...]:
    """The same pairs with random weights, at moments of training where they are known, and now."""
    if given is None:
        return ()
    found = []
    fresh = backend.untrained(seed) if params.untrained else None
    if fresh is not None:
        images, texts = fresh.encode_images(given.pictures), fresh.encode_texts(given.captions)
        found.append(moment("random weights", None, fresh.card.logit_scale, images[few], texts[few], seed))
    if not len(params.images):
        for one in snapshots(backend.card.spec):
            found.append(moment(one.title, one.pictures, one.logit_scale, one.images, one.texts, seed))
    now = moment("this model", None, backend.card.logit_scale, pairs.images[few], pairs.texts[few], seed)
    return (*found, now)


def _people(params: ModalityGapParams, pairs: Pairs) -> str:
    if pairs.people is None:
        return ""
    one, other = pairs.people.one_name, pairs.people.other_name
    return (
        f"drawn people, {one} against {other}, and “{params.words[0][:40]}” and the like against "
        f"“{params.other_words[0][:40]}” and the like"
    )


