"""What is kept of single pairs: both views, where moves take them, what paths pass, and moments of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.modality_gap.closed_form import closed_forms
from probes.modality_gap.cloud import Axes, distances_along
from probes.modality_gap.gathering import Pairs
from probes.modality_gap.moves import Move
from probes.modality_gap.pairwise import Compared
from probes.modality_gap.path import Walks
from probes.modality_gap.result import Cloud, DrawnWalks, EachPair, Moment, TrainingRow
from probes.modality_gap.rows import along, distances, dots, gap_direction

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

MOST_KEPT = 20_000
"""Pairs up to which each is kept by itself: 0.5 MB of a report."""


def draw(pairs: Pairs, few: Rows, direction: Float64, moves: Sequence[Move], walks: Walks | None) -> Cloud:
    """What is drawn of some of the pairs.

    Args:
        pairs: all of them; `few` (n,) are the places of those to draw.
        direction: the unit gap of all.
        moves: what is done to them, nothing first.
        walks: of the drawn pairs; None where others were walked.
    """
    images, texts = pairs.images[few], pairs.texts[few]
    axes = Axes.of(images, texts, direction)
    lengths = None
    if pairs.lengths is not None:
        lengths = pairs.lengths.reshape(2, -1)[:, few].ravel().astype(np.float32)
    drawn = None
    if walks is not None:
        drawn = DrawnWalks(*(np.asarray(part, dtype=np.float32) for part in vars(walks).values()))
    return Cloud(
        few.astype(np.float32),
        _of(pairs.captions, few),
        _of(pairs.names, few),
        _of(pairs.labels, few),
        axes.views(images, texts, direction),
        axes.gap_cosine,
        distances_along(images, texts, direction),
        distances(images, texts)[0].astype(np.float32),
        lengths,
        {move.name: axes.moved(move, images, texts) for move in moves[1:]},
        drawn,
    )


def _of(told: tuple[str, ...] | None, few: Rows) -> tuple[str, ...] | None:
    return None if told is None else tuple(told[place] for place in few)


def pair_by_pair(pairs: Pairs, direction: Float64, unmoved: Compared) -> EachPair | None:
    """What single pairs add to some measures; None where there are too many to keep."""
    if len(pairs) > MOST_KEPT:
        return None
    found = (
        along(pairs.images, direction) - along(pairs.texts, direction), dots(pairs.images, pairs.texts),
        unmoved.losses[0], unmoved.image_ranks < 1, unmoved.text_ranks < 1,
    )  # fmt: skip
    return EachPair(*(np.asarray(values, dtype=np.float32) for values in found))


def moment(
    title: str, seen: int | None, logit_scale: float | None, images: Float32, texts: Float32, seed: int
) -> Moment:
    """The pairs (n, d) of a moment of training: its row, and its clouds along their own gap and beside it."""
    found = {one.measure: one for one in closed_forms(images, texts, seed)}
    similarities = images @ texts.T
    own = np.arange(len(images))
    direction, gap = gap_direction(images, texts)
    axes = Axes.of(images, texts, direction).sphere[:2].T.astype(np.float32)
    row = TrainingRow(
        title,
        seen,
        logit_scale,
        gap,
        found["gap"].low,
        found["gap"].high,
        found["rmg"].value,
        found["cosine_matched"].value,
        found["cosine_unmatched"].value,
        found["cosine_image_image"].value,
        found["cosine_text_text"].value,
        float((similarities.argmax(axis=1) == own).mean()),
        float((similarities.T.argmax(axis=1) == own).mean()),
        len(images),
    )
    return Moment(row, np.concatenate([images @ axes, texts @ axes]))
