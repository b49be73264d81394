"""Measuring the modality gap: pairs, their measures, moves and paths, and what they looked like before.

The formulas stand where they are computed: sums in `closed_form`, comparisons of every pair with every other in
`pairwise`, moves in `moves`, nulls in `nulls`, paths in `path`, views in `cloud`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Backend, Progress
from probes.modality_gap import association, comparing, gathering
from probes.modality_gap.closed_form import Measured, closed_forms
from probes.modality_gap.drawing import draw, moment, pair_by_pair
from probes.modality_gap.gathering import Pairs
from probes.modality_gap.moves import Move, interventions, shift
from probes.modality_gap.nulls import nulls
from probes.modality_gap.pairwise import LARGEST_SCALE, Compared, Scoring, compare
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.path import MOST, walk
from probes.modality_gap.result import (
    TABLE_DELTAS,
    DimensionRow,
    Intervention,
    ModalityGapResult,
    Moment,
    Shifted,
)
from probes.modality_gap.rows import gap_direction
from probes.modality_gap.training import snapshots

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

SMOOTH = 1_500
"""Up to so many compared pairs the shift is computed at every twentieth, else at every quarter."""
TITLES = {
    "none": "As it is",
    "both": "Gap closed, both sides moved",
    "images": "Gap closed, pictures moved",
    "texts": "Gap closed, captions moved",
    "centred": "Each side centred",
}
"""What interventions are called."""


def measure(params: ModalityGapParams, backend: Backend, progress: Progress) -> ModalityGapResult:
    """Everything about the gap of the given pairs."""
    given = None if len(params.embeddings) else gathering.stimuli(params)
    if given is None:
        pairs = gathering.of_files(params)
    else:
        pairs = gathering.embed(params, given, backend, _part(progress, 0.0, 0.4))
    scoring, seed = _scoring(params, backend), params.seed
    direction, gap = gap_direction(pairs.images, pairs.texts)
    chosen = comparing.chosen(len(pairs), params.all_pairs, seed)
    few = chosen if len(chosen) <= comparing.COMPARED else comparing.chosen(len(pairs), False, seed)
    others = interventions(pairs.images, pairs.texts, direction, gap, params.dropped)
    progress(0.4, "measuring the clouds")
    found, p = _on_their_own(pairs, direction, seed)
    shifts, done, unmoved, compared, cautions = _moved(pairs, chosen, direction, others, scoring, seed, progress)
    progress(0.82, "dealing captions anew")
    against = nulls(pairs.images[few], pairs.texts[few], {m.measure: m for m in found}, seed)
    path, walks = walk(pairs.images[few[:MOST]], pairs.texts[few[:MOST]], seed)
    found += compared
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
        interventions=done,
        dimensions=_dimensions(direction),
        path=path,
        temperatures=comparing.temperatures(pairs, few, direction, scoring),
        training=_training(params, backend, given, pairs, few),
        cloud=draw(pairs, few, direction, others, walks if len(few) <= MOST else None),
        people=_people(params, pairs),
        association_p=p,
        cautions=pairs.cautions + cautions,
        each=pair_by_pair(pairs, direction, unmoved),
    )


def _on_their_own(pairs: Pairs, direction: Float64, seed: int) -> tuple[list[Measured], float | None]:
    """What needs no comparison of all with all: sums, zero-shot accuracy, and the association with its p."""
    found, p = list(closed_forms(pairs.images, pairs.texts, seed)), None
    still = shift(direction, 0.0)
    if pairs.classes is not None and pairs.of_class is not None:
        found.append(association.accuracy(pairs.images, pairs.classes, pairs.of_class, still))
    if pairs.people is not None:
        leaning, p = association.association(pairs.people, still, seed)
        found.append(leaning)
    return found, p


def _moved(
    pairs: Pairs,
    chosen: Rows,
    direction: Float64,
    others: Sequence[Move],
    scoring: Scoring,
    seed: int,
    progress: Progress,
) -> tuple[tuple[Shifted, ...], tuple[Intervention, ...], Compared, Sequence[Measured], tuple[str, ...]]:
    """What the shift and the interventions do, and what the unmoved pairs measure, all from one comparison."""
    deltas = _deltas(len(chosen))
    moves = [*(shift(direction, delta) for delta in deltas), *others[1:]]
    right, cautions = comparing.right_answers(pairs, chosen)
    scorings = [scoring, Scoring(1.0, scoring.bias, scoring.sigmoid)]
    images, texts = pairs.images[chosen], pairs.texts[chosen]
    compared = compare(images, texts, moves, scorings, right, _part(progress, 0.45, 0.7))
    unmoved = compared[deltas.index(0.0)]
    measured = comparing.pairwise_measures(pairs, chosen, unmoved, seed, _part(progress, 0.7, 0.8))
    steps = comparing.after(pairs, moves, compared, direction)
    shifts = tuple(Shifted(delta, step) for delta, step in zip(deltas, steps, strict=False))
    outcomes = [shifts[deltas.index(0.0)].moved, *steps[len(deltas) :]]
    done = tuple(Intervention(m.name, _title(m), step) for m, step in zip(others, outcomes, strict=True))
    return shifts, done, unmoved, measured, cautions


def _title(move: Move) -> str:
    if move.name in TITLES:
        return TITLES[move.name]
    count = len(move.dropped)
    return "Top gap dimension dropped" if count == 1 else f"Top {count} gap dimensions dropped"


def _part(progress: Progress, low: float, high: float) -> Progress:
    """A progress that tells of a part of the whole."""
    return lambda share, doing: progress(low + (high - low) * share, doing)


def _scoring(params: ModalityGapParams, backend: Backend) -> Scoring:
    card = backend.card
    scale = params.logit_scale or min(card.logit_scale, LARGEST_SCALE)
    return Scoring(scale, card.logit_bias, card.sigmoid)


def _deltas(n: int) -> list[float]:
    """Steps of the shift, among them those of the table."""
    return [round(-1 + 0.05 * step, 2) for step in range(41)] if n <= SMOOTH else list(TABLE_DELTAS)


def _dimensions(direction: Float64) -> tuple[DimensionRow, ...]:
    shares = direction**2 / float((direction**2).sum())
    return tuple(DimensionRow(int(d), float(shares[d])) for d in np.argsort(-shares, kind="stable"))


def _training(
    params: ModalityGapParams, backend: Backend, given: gathering.Stimuli | None, pairs: Pairs, few: Rows
) -> tuple[Moment, ...]:
    """The same pairs with random weights, at moments of training where they are known, and now."""
    if given is None:
        return ()
    found, seed = [], params.seed
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
