r"""What every picture has to be compared with every caption for: retrieval, the contrastive loss, and uniformity.

Similarities are never held for all pairs at once: blocks of rows are computed, and each block serves every move
(`probes.modality_gap.moves`) before the next one is. With L_ij = scale s_ij:

    loss         the mean over i of -(L_ii - ln sum_j exp L_ij) and -(L_ii - ln sum_j exp L_ji), in nats (CLIP), or
                 sum_j softplus(-z_ij (L_ij + bias)), z_ij = 1 on the diagonal and else -1 (SigLIP)
    R@k          the share of pictures (captions) whose own caption (picture) is among the k most similar; a
                 caption of the same picture, or the picture of the same caption, is right as well, and so is a
                 tie
    uniformity   ln mean_{i<j} exp(-2 ||x_i - x_j||^2) (Wang & Isola 2020); interval by the bootstrap of the linear
                 part of this U-statistic (Hoeffding 1948)

Exponentials are taken of scale (s - c), with c the largest similarity of a right answer, in float32 where the
right answers lie so close together that none vanishes beside another, and else in float64 with c = 1, where
nothing vanishes for scales up to 300.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32, Progress, no_progress
from probes.core.threads import one_blas_thread
from probes.modality_gap.moves import Affine, Move

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]

BLOCK = 512
"""Rows of a product whose every entry is needed once."""
BLOCK_BYTES = 64_000_000
"""Bytes of a product of which strips are taken: large, since threads of the product go on to spin after it."""
STRIP_BYTES = 1_500_000
"""Bytes of a strip of similarities, which every step on it finds in the processor's cache."""
TIE = 2e-6
"""Similarities that differ by less are a tie: that is float32's rounding of a product."""
LARGEST_SCALE = 300.0
RECALLS = (1, 5)


@dataclass(frozen=True)
class Scoring:
    """How the model's own loss is taken.

    Attributes:
        scale: the factor on cosines.
        bias: added to them; only the sigmoid loss knows one.
        sigmoid: whether it is SigLIP's loss and not CLIP's.
    """

    scale: float
    bias: float = 0.0
    sigmoid: bool = False


@dataclass(frozen=True, eq=False)
class Compared:
    """What comparing all pairs after one move gave.

    Attributes:
        losses: of each pair, (n,) for each scoring.
        image_ranks, text_ranks: how many others come before the right answer, (n,): of captions for a picture,
            and of pictures for a caption.
    """

    losses: tuple[Float64, ...]
    image_ranks: Rows
    text_ranks: Rows

    def loss(self, place: int) -> float:
        """The mean loss under the scoring at that place."""
        return float(self.losses[place].mean())

    def recall(self, k: int) -> tuple[float, float]:
        """R@k from pictures to captions, and from captions to pictures."""
        return float((self.image_ranks < k).mean()), float((self.text_ranks < k).mean())


def compare(
    images: Float32,
    texts: Float32,
    moves: Sequence[Move],
    scorings: Sequence[Scoring],
    right: tuple[Rows, Rows] | None = None,
    progress: Progress = no_progress,
) -> tuple[Compared, ...]:
    """Losses and ranks after each move.

    Args:
        images, texts: (n, d) unit rows.
        moves: what is done to them.
        scorings: the losses to take.
        right: places (picture, caption) of right answers besides the diagonal, (r,) each.
        progress: told the share that is done.
    """
    n = len(images)
    answers = _Right.of(images, texts, right)
    work = [_Moved.of(part, answers, scorings) for part in Affine.of(moves, images, texts)]
    tallies = [_Tally.empty(n, scorings) for _ in moves]
    height = max(1, min(255, STRIP_BYTES // (4 * n)))
    room = _Room(height, n)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        tall = max(height, BLOCK_BYTES // (4 * n))
        for start in range(0, n, tall):
            progress(start / n, "comparing every picture with every caption")
            block = images[start : start + tall] @ texts.T
            strips = [(a, min(a + height, len(block))) for a in range(0, len(block), height)]

            def one(strip: tuple[int, int], block: Float32 = block, start: int = start) -> list[_Strip]:
                a, b = strip
                return [moved.strip(block[a:b], start + a, scorings, room) for moved in work]

            with one_blas_thread():  # strips run side by side, each on one
                for (a, b), done in zip(strips, pool.map(one, strips), strict=True):
                    for tally, part in zip(tallies, done, strict=True):
                        tally.add(start + a, start + b, part)
    progress(1.0, "comparing every picture with every caption")
    return tuple(tally.finish(moved, scorings) for tally, moved in zip(tallies, work, strict=True))


@dataclass(frozen=True, eq=False)
class _Strip:
    """What a strip of similarities adds: sums along its rows, along its columns, and ranks."""

    by_row: list[NDArray[np.floating]]
    by_column: list[NDArray[np.floating]]
    image_ranks: Rows
    text_ranks: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Right:
    """Places of right answers, the diagonal first, and their similarities before any move, (r,) each."""

    rows: Rows
    columns: Rows
    similar: Float32

    @classmethod
    def of(cls, images: Float32, texts: Float32, besides: tuple[Rows, Rows] | None) -> _Right:
        own = np.arange(len(images))
        found = [(own, own)] if besides is None else [(own, own), besides]
        rows, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
        similar = np.concatenate(
            [
                np.einsum("ij,ij->i", images[rows[part]], texts[columns[part]])
                for part in np.array_split(np.arange(len(rows)), len(rows) // 16_384 + 1)
            ]
        )
        return cls(rows, columns, similar)


@dataclass(frozen=True, eq=False)
class _Moved:
    """A move made ready: its affine parts, and the similarity of each one's best right answer."""

    affine: Affine
    diagonal: Float32
    image_right: Float32
    text_right: Float32
    centres: tuple[tuple[float, ...], tuple[bool, ...]]

    @classmethod
    def of(cls, affine: Affine, right: _Right, scorings: Sequence[Scoring]) -> _Moved:
        i, j = right.rows, right.columns
        similar = right.similar + affine.p[i] + affine.q[j]
        if affine.images.shape[1]:
            similar -= np.einsum("ij,ij->i", affine.images[i], affine.texts[j])
        similar *= affine.a[i] * affine.b[j]
        best = np.full((2, len(affine.p)), -2, dtype=np.float32)
        np.maximum.at(best[0], i, similar)
        np.maximum.at(best[1], j, similar)
        return cls(affine, similar[: len(affine.p)], best[0], best[1], _centres(best, scorings))

    def strip(self, plain: Float32, start: int, scorings: Sequence[Scoring], room: _Room) -> _Strip:
        """Everything of a strip of similarities as they were before the move."""
        rows, affine = slice(start, start + len(plain)), self.affine
        count = len(plain)
        moved, above, grown = room.moved[:count], room.above[:count], room.grown[:count]
        np.add(plain, affine.q, out=moved)
        if affine.images.shape[1]:  # what dropped dimensions add
            moved -= np.matmul(affine.images[rows], affine.texts.T, out=grown)
        moved += affine.p[rows, None]
        moved *= affine.b
        moved *= affine.a[rows, None]
        np.greater(moved, self.image_right[rows, None] + TIE, out=above)
        image_ranks = np.array([np.count_nonzero(row) for row in above], dtype=np.intp)
        np.greater(moved, self.text_right + TIE, out=above)
        text_ranks = np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8)  # strips have at most 255 rows
        by_row, by_column = [], []
        for scoring, centre, narrow in zip(scorings, *self.centres, strict=True):
            filled = _fill(grown, moved, scoring, centre) if narrow else _wide(moved, scoring, centre)
            # products with ones are sums, several times as fast
            by_row.append(filled.sum(axis=1))
            by_column.append(filled.sum(axis=0))
        return _Strip(by_row, by_column, image_ranks, text_ranks)


def _centres(right: Float32, scorings: Sequence[Scoring]) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """What is taken off similarities before exponentials, and whether float32 holds them all, for each scoring."""
    least, most = float(right.min()), float(right.max())
    narrow = tuple(
        not s.sigmoid and s.scale * (most - least) <= 60 and s.scale * (1 - most) <= 80 for s in scorings
    )
    return tuple(most if held else 1.0 for held in narrow), narrow


def _fill(grown: Float32, similarities: Float32, scoring: Scoring, centre: float) -> Float32:
    """exp(scale (s - c)) in float32, in a place of its own."""
    np.subtract(similarities, np.float32(centre), out=grown)
    np.multiply(grown, np.float32(scoring.scale), out=grown)
    return np.exp(grown, out=grown)


def _wide(similarities: Float32, scoring: Scoring, centre: float) -> Float64:
    """exp(scale (s - c)) in float64, or softplus(scale s + bias) for the sigmoid loss."""
    wide = similarities.astype(np.float64)
    if scoring.sigmoid:
        wide *= scoring.scale
        wide += scoring.bias
        return np.logaddexp(0.0, wide, out=wide)
    wide -= centre
    wide *= scoring.scale
    return np.exp(wide, out=wide)


class _Room(threading.local):
    """Memory that a thread uses for strip after strip: fresh memory would cost more than the sums."""

    def __init__(self, height: int, n: int) -> None:
        self.moved = np.empty((height, n), dtype=np.float32)
        self.grown = np.empty((height, n), dtype=np.float32)
        self.above = np.empty((height, n), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class _Tally:
    """Sums over all strips so far, of one move."""

    by_row: list[Float64]
    by_column: list[Float64]
    image_ranks: Rows
    text_ranks: Rows

    @classmethod
    def empty(cls, n: int, scorings: Sequence[Scoring]) -> _Tally:
        sums = [[np.zeros(n) for _ in scorings] for _ in range(2)]
        return cls(sums[0], sums[1], np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp))

    def add(self, start: int, stop: int, part: _Strip) -> None:
        for row_sums, column_sums, rows, columns in zip(
            self.by_row, self.by_column, part.by_row, part.by_column, strict=True
        ):
            row_sums[start:stop] = rows
            column_sums += columns
        self.image_ranks[start:stop] = part.image_ranks
        self.text_ranks[:] += part.text_ranks

    def finish(self, moved: _Moved, scorings: Sequence[Scoring]) -> Compared:
        own = moved.diagonal.astype(np.float64)
        losses = []
        for scoring, rows, columns, centre in zip(
            scorings, self.by_row, self.by_column, moved.centres[0], strict=True
        ):
            if scoring.sigmoid:
                # the diagonal is wanted to be large: softplus(-l) = softplus(l) - l
                losses.append((rows + columns) / 2 - (scoring.scale * own + scoring.bias))
            else:
                loss = (np.log(rows) + np.log(columns)) / 2 + scoring.scale * (centre - own)
                losses.append(np.maximum(loss, 0.0))  # rounding alone can make it negative
        return Compared(tuple(losses), self.image_ranks, self.text_ranks)


def uniformity(rows: Float32, progress: Progress = no_progress) -> tuple[float, Float64]:
    """The uniformity of unit rows (n, d), and the mean potential of each row with all others, (n,)."""
    n = len(rows)
    sums = np.zeros(n)
    for start, block in _upper(rows, progress):
        count = len(block)
        np.exp(4 * block - 4, out=block)  # -2 ||x - y||^2 = 4 x . y - 4
        square = block[:, :count]
        square[np.diag_indices(count)] = 0
        sums[start : start + count] += block.sum(axis=1, dtype=np.float64)
        sums[start + count :] += block[:, count:].sum(axis=0, dtype=np.float64)
    means = sums / (n - 1)
    return float(np.log(means.mean())), means


def _upper(rows: Float32, progress: Progress) -> Iterator[tuple[int, Float32]]:
    """Blocks of the upper triangle of similarities: where they start, and (b, n - start)."""
    for start in range(0, len(rows), BLOCK):
        progress(start / len(rows), "comparing every one with every other")
        yield start, rows[start : start + BLOCK] @ rows[start:].T


def same_as(keys: Sequence[object], most: int) -> tuple[Rows, Rows] | None:
    """Places (i, j), i != j, of things that have the same key; None where there are more than `most`."""
    groups: dict[object, list[int]] = {}
    for place, key in enumerate(keys):
        groups.setdefault(key, []).append(place)
    several = [np.array(places) for places in groups.values() if len(places) > 1]
    if sum(len(places) * (len(places) - 1) for places in several) > most:
        return None
    rows = [np.repeat(places, len(places)) for places in several]
    columns = [np.tile(places, len(places)) for places in several]
    i = np.concatenate([np.zeros(0, dtype=np.intp), *rows]).astype(np.intp)
    j = np.concatenate([np.zeros(0, dtype=np.intp), *columns]).astype(np.intp)
    other = i != j
    return i[other], j[other]
