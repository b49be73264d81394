"""Both clouds in few dimensions: principal components, a sphere with the gap for its axis, and UMAP.

The first two are linear, so that a moved cloud is drawn exactly without its embeddings (`explorer.js`): with P the
projection, (x - t) a is drawn at (P x - P t) a.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.arrays import Packed
from probes.core.errors import Cancelled
from probes.core.model import Float32, Progress, no_progress
from probes.core.threads import one_blas_thread
from probes.modality_gap.moves import Move
from probes.modality_gap.rows import along

Float64 = NDArray[np.float64]

DIMENSIONS = 3


@dataclass(frozen=True, eq=False)
class View:
    """A linear view of both clouds.

    Attributes:
        points: (2n, 3), pictures first, before the centre is taken off.
        gap: (3,), where the unit gap points.
        centre: (3,).
        shares: (3,), share of the variance of both clouds along each axis.
    """

    points: Packed
    gap: Packed
    centre: Packed
    shares: Packed


@dataclass(frozen=True, eq=False)
class Axes:
    """The axes of both views, (3, d) each, and how near the first component is to the gap."""

    pca: Float64
    sphere: Float64
    centre: Float64
    shares: Float64
    gap_cosine: float

    @classmethod
    def of(cls, images: Float32, texts: Float32, direction: Float64) -> Axes:
        """Axes for unit rows (n, d) of both clouds and the unit gap (d,)."""
        centre = (images.sum(axis=0, dtype=np.float64) + texts.sum(axis=0, dtype=np.float64)) / (2 * len(images))
        products = sum(np.asarray(rows.T @ rows, dtype=np.float64) for rows in (images, texts))
        covariance = products / (2 * len(images)) - np.outer(centre, centre)
        values, vectors = _leading(covariance)
        pca = vectors * np.where(np.arange(len(vectors)) == 0, _sign(vectors[0] @ direction), 1)[:, None]
        without = covariance - np.outer(direction, direction @ covariance)
        without -= np.outer(without @ direction, direction)
        _, beside = _leading(without)
        sphere = np.concatenate([direction[None], beside[: DIMENSIONS - 1]])
        total = max(float(np.trace(covariance)), 1e-12)
        return cls(pca, sphere, centre, np.maximum(values, 0) / total, float(abs(vectors[0] @ direction)))

    def views(self, images: Float32, texts: Float32, direction: Float64) -> dict[str, View]:
        """Both views of rows (n, d)."""
        none = _packed(np.zeros(DIMENSIONS))
        return {
            "pca": View(
                _points(self.pca, images, texts), _packed(self.pca @ direction), _packed(self.pca @ self.centre),
                _packed(self.shares),
            ),
            "sphere": View(
                _points(self.sphere, images, texts), _packed(self.sphere @ direction), none, none,
            ),
        }  # fmt: skip

    def moved(self, move: Move, images: Float32, texts: Float32) -> dict[str, Packed]:
        """Where both views see rows (n, d) after a move, (2n, 3) each."""
        moved = move.images(images), move.texts(texts)
        return {"pca": _points(self.pca, *moved), "sphere": _points(self.sphere, *moved)}


def _points(axes: Float64, images: Float32, texts: Float32) -> Packed:
    projection = axes.T.astype(np.float32)
    return _packed(np.concatenate([images @ projection, texts @ projection]))


def _packed(values: Any) -> Packed:
    return np.asarray(values, dtype=np.float32)


def _leading(symmetric: Float64) -> tuple[Float64, Float64]:
    """The three largest eigenvalues and their vectors as rows, signs fixed; padded where there are fewer."""
    d = len(symmetric)
    # threads gain nothing on so small a matrix, and wait for one another for seconds where cores are shared
    with one_blas_thread():
        values, vectors = scipy.linalg.eigh(symmetric, subset_by_index=[max(0, d - DIMENSIONS), d - 1])
    order = np.argsort(-values)
    rows = vectors[:, order].T
    rows = rows * np.array([_sign(row[np.abs(row).argmax()]) for row in rows])[:, None]
    missing = DIMENSIONS - len(rows)
    return np.pad(values[order], (0, missing)), np.pad(rows, ((0, missing), (0, 0)))


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0


def umap_points(
    images: Float32, texts: Float32, dimensions: int, seed: int, progress: Progress = no_progress
) -> Float32:
    """Both clouds by UMAP (McInnes 2018) with cosine distances, (2n, 3); the third is zero in two dimensions.

    The first call in a process compiles for some seconds. One map is made at a time: what UMAP is compiled with
    need not bear two threads at once.
    """
    while not _umap.acquire(timeout=WAIT):
        progress(0.0, "UMAP: waiting for its turn")
    try:
        return _umap_points(np.concatenate([images, texts]), dimensions, seed, progress)
    finally:
        _umap.release()


_umap = threading.Lock()
WAIT = 0.3
"""Seconds between two looks at whether a map still waits, or nobody wants it any more."""


def _umap_points(rows: Float32, dimensions: int, seed: int, progress: Progress) -> Float32:
    progress(0.0, "UMAP: getting ready")
    from umap import UMAP  # compiles with numba when imported

    told = {"disable": False, "file": _Bar(progress), "bar_format": "{n}/{total}", "mininterval": 0.1}
    made = UMAP(
        n_components=dimensions, n_neighbors=min(15, len(rows) - 1), metric="cosine", random_state=seed, n_jobs=1,
        n_epochs=200 if len(rows) <= 4_000 else 100, init="pca" if len(rows) > 4 * dimensions else "random",
        tqdm_kwds=told,
    )  # fmt: skip
    progress(0.05, "UMAP: finding neighbours")
    points = np.asarray(made.fit_transform(rows), dtype=np.float32)
    progress(1.0, "UMAP: done")
    return np.pad(points, ((0, 0), (0, DIMENSIONS - dimensions)))


class _Bar:
    """Takes what UMAP's progress bar writes and tells it to a `Progress`.

    Whoever stops the work is heard when UMAP is done: the bar holds a lock of the whole process while it writes,
    and an error raised there would leave it locked for everybody.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str) -> None:
        """A line such as 40/200."""
        done, slash, total = text.strip().rpartition("/")
        if slash and done.strip().isdigit() and total.strip().isdigit():
            share = int(done) / max(int(total), 1)
            with contextlib.suppress(Cancelled):
                self._progress(0.1 + 0.9 * share, f"UMAP: epoch {int(done)} of {int(total)}")

    def flush(self) -> None:
        """Nothing is held back."""


def distances_along(images: Float32, texts: Float32, direction: Float64) -> Packed:
    """How far each row lies along the unit gap, (2n,)."""
    return _packed(np.concatenate([along(images, direction), along(texts, direction)]))
