"""Which pictures of a set are near to one picture by one head alone.

With t_i (d,) what a head writes to picture i of the set, m their mean and t what it writes to the picture, two
are as alike as the cosine of t - m and t_i - m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.textspan import FLAT
from probes.core.decomposition import Decomposition

Float64 = NDArray[np.float64]

NOBODY = -1
"""In place of a picture where a head tells none apart."""


def cosines(taken: Decomposition, own: Decomposition) -> Float64:
    """How alike one picture and each of a set are by each head alone, (L, H, n), -1 to 1.

    The cosine of what the head writes to the two, both less the mean over the set: without that, the part that a
    head writes to every picture would make all of them alike. nan where the head writes the same to all.

    Args:
        taken: the set of n pictures.
        own: one picture, by the same tower.
    """
    writes = taken.writes.astype(np.float64)
    meeting = writes @ writes.transpose(0, 1, 3, 2)  # (L, H, e, e), inner products of what is written
    outputs = taken.outputs.astype(np.float64)
    mean = outputs.mean(axis=0)
    found = np.empty((*writes.shape[:2], len(outputs)))
    for layer, head in np.ndindex(*writes.shape[:2]):
        product, place = meeting[layer, head], (layer, head)
        floor = FLAT * _squares(outputs[:, layer, head], product).mean()
        rows, row = outputs[:, layer, head] - mean[place], own.outputs[:, layer, head] - mean[place]
        squares, square = _squares(rows, product), _squares(row, product)
        differs = (squares > floor) & (square > floor)
        lengths = np.sqrt(np.where(differs, squares * square, 1.0))
        found[place] = np.where(differs, np.clip(rows @ product @ row[0] / lengths, -1, 1), np.nan)
    return found


def _squares(rows: Float64, product: Float64) -> Float64:
    """Squared lengths (n,) of rows (n, e) with the inner product (e, e)."""
    squares: Float64 = np.einsum("ne,ne->n", rows @ product, rows)
    return squares


def nearest(taken: Decomposition, own: Decomposition, count: int, without: int | None = None) -> NDArray[np.intp]:
    """The pictures of a set that are nearest to one picture by each head alone, (L, H, count), the nearest first.

    By `cosines`; of equals the first. NOBODY where a head tells no more pictures apart.

    Args:
        taken: the set of n pictures.
        own: one picture, by the same tower.
        count: how many, at most n.
        without: the picture's own place in the set, if it is in it and is not to be found itself.
    """
    found = cosines(taken, own)
    if without is not None:
        found[:, :, without] = np.nan
    order = np.argsort(-found, axis=2, kind="stable")[:, :, :count]  # nan comes last
    undefined = np.isnan(np.take_along_axis(found, order, axis=2))
    return np.where(undefined, NOBODY, order)
