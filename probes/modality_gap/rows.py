"""Row by row: products and distances of paired unit rows, in float64 sums, a block of rows at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32

Float64 = NDArray[np.float64]

BLOCK = 8_192
"""Rows that are held in float64 at once."""


def dots(one: Float32, other: Float32) -> Float64:
    """x_i . y_i of rows (n, d), (n,)."""
    return np.concatenate(
        [
            np.einsum("ij,ij->i", one[a : a + BLOCK].astype(np.float64), other[a : a + BLOCK].astype(np.float64))
            for a in range(0, len(one), BLOCK)
        ]
    )


def distances(one: Float32, other: Float32) -> tuple[Float64, Float64]:
    """||x_i - y_i|| and its square of rows (n, d), (n,) each; no difference of large numbers is taken."""
    squares = np.concatenate(
        [
            np.square(one[a : a + BLOCK].astype(np.float64) - other[a : a + BLOCK]).sum(axis=1)
            for a in range(0, len(one), BLOCK)
        ]
    )
    return np.sqrt(squares), squares


def along(rows: Float32, direction: Float64) -> Float64:
    """Rows (n, d) along a direction (d,), (n,)."""
    return np.asarray(rows @ direction.astype(np.float32), dtype=np.float64)


def mean(rows: Float32) -> Float64:
    """The mean of rows (n, d), (d,)."""
    return np.asarray(rows.mean(axis=0, dtype=np.float64))


def gap_direction(images: Float32, texts: Float32) -> tuple[Float64, float]:
    """The unit vector from the captions' mean to the pictures', (d,), and the gap; any unit vector for no gap."""
    difference = mean(images) - mean(texts)
    gap = float(np.linalg.norm(difference))
    if gap == 0:
        return np.eye(len(difference))[0], 0.0
    return difference / gap, gap


def normalised(rows: Float32) -> Float32:
    """Rows (n, d) at unit length; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Float32 = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit
