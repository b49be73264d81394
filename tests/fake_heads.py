"""Heads for the fake tower of `tests.fakes`: each owns pixels of its own, so that every number is known.

The picture is cut into 4 x 4 patches; with 4 layers of 4 heads, head h of layer l owns patch number 4 l + h,
writes its pixels and attends to nothing else. The one MLP writes nothing.
"""

from __future__ import annotations

import numpy as np

from probes.core.decomposition import Decomposition

LAYERS, HEADS, GRID = 4, 4, (4, 4)
PATCHES = GRID[0] * GRID[1]


def owners(side: int) -> np.ndarray:
    """Number of the patch of each of the embedding's dimensions, (side * side * 3,)."""
    step = side // GRID[0]
    rows, columns = np.mgrid[:side, :side] // step
    return np.repeat((rows * GRID[1] + columns).ravel(), 3)


def decomposed(embeddings: np.ndarray, side: int, by_token: bool) -> Decomposition:
    """The embeddings (n, side * side * 3) as sums of what each head writes."""
    n, d = embeddings.shape
    patch = owners(side)
    wide = d // PATCHES
    outputs = np.zeros((n, LAYERS, HEADS, PATCHES, wide), np.float32)
    writes = np.zeros((LAYERS, HEADS, wide, d), np.float32)
    for number in range(PATCHES):
        place, dimensions = divmod(number, HEADS), np.flatnonzero(patch == number)
        outputs[(slice(None), *place, number)] = embeddings[:, dimensions]
        writes[place][np.arange(wide), dimensions] = 1.0
    nothing = np.zeros((n, d), np.float32)
    return Decomposition(
        outputs=outputs.sum(axis=3), writes=writes, mlps=np.zeros((n, 1, d), np.float32), initial=nothing,
        constant=nothing, embedding=embeddings, error=0.0, layers=tuple(f"layer {n}" for n in range(LAYERS)),
        by_token=outputs if by_token else None, prefix=0, grid=GRID,
    )  # fmt: skip


def attention(n: int) -> np.ndarray:
    """Attention of every head on its own patch, (n, L, H, T)."""
    own = np.eye(PATCHES, dtype=np.float32).reshape(LAYERS, HEADS, PATCHES)
    return np.repeat(own[None], n, axis=0)
