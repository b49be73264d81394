r"""The geodesic from a picture to its caption: what lies near each step, and how points there spread (Oh 2023).

With theta_i the angle between x_i and y_i, step t of the path is

    z_i(t) = (sin((1 - t) theta_i) x_i + sin(t theta_i) y_i) / sin theta_i

For each t: alignment with either end, mean ||z_i - x_i||^2 and mean ||z_i - y_i||^2; uniformity of the z_i, as
of the clouds; and the largest cosine of z_i with a picture or a caption that is none of its ends, on average
over i. Whether a path is empty shows beside paths whose ends lie in one cloud, and a path to another picture's
caption.

All of it follows from the three tables of cosines (n, n) of the pairs looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.core.resampling import bootstrap_weights, ends

Float64 = NDArray[np.float64]
Indices = NDArray[np.int16]

STEPS = tuple(round(0.1 * step, 1) for step in range(11))
MOST = 500
"""Pairs whose paths are walked."""
RESAMPLES = 999
OWN, OTHER, PICTURES, CAPTIONS = (
    "picture to its caption", "picture to another's caption", "picture to picture", "caption to caption",
)  # fmt: skip


@dataclass(frozen=True)
class PathStep:
    """A step of a kind of path, on average over `n` paths.

    Attributes:
        t: 0 at the start, 1 at the end.
        alignment_start, alignment_end: mean squared distance from either end.
        uniformity: of the points of all paths at this step.
        nearest_image, nearest_text: largest cosine with a picture, and with a caption, that is none of the ends.
        nearest: the larger of both, with its 95 % interval over paths.
    """

    path: str
    t: float
    alignment_start: float
    alignment_end: float
    uniformity: float
    nearest_image: float
    nearest_text: float
    nearest: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, eq=False)
class Walks:
    """For each pair and step, what lies nearest and is none of the ends.

    Attributes:
        images, texts: places of the nearest picture and caption, (n, steps).
        image_cosines, text_cosines: how near they are.
    """

    images: Indices
    texts: Indices
    image_cosines: Float32
    text_cosines: Float32


@dataclass(frozen=True, eq=False)
class _Cosines:
    """Cosines of rows with themselves and with the others: xx, xy and yy, (n, n) each."""

    xx: Float32
    xy: Float32
    yy: Float32


def walk(images: Float32, texts: Float32, seed: int) -> tuple[tuple[PathStep, ...], Walks]:
    """All kinds of paths of pairs (n, d), n at least 2; and each pair's own walk.

    Args:
        images, texts: (n, d) unit rows of at most `MOST` pairs.
        seed: of the other ends, and of the resampling.
    """
    cosines = _Cosines(images @ images.T, images @ texts.T, texts @ texts.T)
    n = len(images)
    other = (np.arange(n) + 1 + np.random.default_rng([seed, 14]).integers(n - 1)) % n
    weights = np.concatenate(list(bootstrap_weights(n, RESAMPLES, seed))) / n
    steps: list[PathStep] = []
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], Float32, Float32]] = []
    own = np.arange(n)
    for kind, start, end, end_is_text in (
        (OWN, "x", own, True), (OTHER, "x", other, True),
        (PICTURES, "x", other, False), (CAPTIONS, "y", other, True),
    ):  # fmt: skip
        ends_at = _Ends.of(cosines, start, end, end_is_text)
        for t in STEPS:
            nearest_image, nearest_text = ends_at.near(t)
            steps.append(_step(kind, t, ends_at, nearest_image, nearest_text, weights))
            if kind == OWN:
                found.append(
                    (
                        nearest_image.argmax(axis=1), nearest_text.argmax(axis=1),
                        nearest_image.max(axis=1), nearest_text.max(axis=1),
                    )
                )  # fmt: skip
    at_images, at_texts, image_cosines, text_cosines = (
        np.stack(part, axis=1) for part in zip(*found, strict=True)
    )
    walks = Walks(at_images.astype(np.int16), at_texts.astype(np.int16), image_cosines, text_cosines)
    return tuple(steps), walks


@dataclass(frozen=True, eq=False)
class _Ends:
    """Cosines of the starts and the ends of paths with everything.

    Attributes:
        to_images, to_texts: of starts and of ends with pictures and captions, two of (n, n) each; -2 where it is
            an end.
        among: of starts with starts, of starts with ends, and of ends with ends.
    """

    to_images: tuple[Float32, Float32]
    to_texts: tuple[Float32, Float32]
    among: tuple[Float32, Float32, Float32]
    masked: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @classmethod
    def of(cls, cosines: _Cosines, start: str, end: NDArray[np.intp], end_is_text: bool) -> _Ends:
        n = len(end)
        own = np.arange(n)
        start_images, start_texts = (cosines.xx, cosines.xy) if start == "x" else (cosines.xy.T, cosines.yy)
        end_images, end_texts = (cosines.xy.T, cosines.yy) if end_is_text else (cosines.xx, cosines.xy)
        masks = np.zeros((2, n, n), dtype=np.bool_)
        masks[0 if start == "x" else 1, own, own] = True
        masks[1 if end_is_text else 0, own, end] = True
        among_starts = start_images if start == "x" else start_texts
        to_ends = (start_texts if end_is_text else start_images)[:, end]
        among_ends = (end_texts if end_is_text else end_images)[np.ix_(end, end)]
        return cls(
            (start_images, end_images[end]), (start_texts, end_texts[end]), (among_starts, to_ends, among_ends),
            (masks[0], masks[1]),
        )  # fmt: skip

    def mixed(self, t: float) -> tuple[Float32, Float32]:
        """What the start and the end count for at step t, (n, 1) each."""
        theta = np.arccos(np.clip(np.diag(self.among[1]).astype(np.float64), -1, 1))[:, None]
        sine = np.sin(theta)
        near = sine < 1e-6  # both ends are one point, or opposite, where no shortest path is the only one
        safe = np.where(near, 1.0, sine)
        a = np.where(near, 1 - t, np.sin((1 - t) * theta) / safe)
        b = np.where(near, t, np.sin(t * theta) / safe)
        return a.astype(np.float32), b.astype(np.float32)

    def near(self, t: float) -> tuple[Float32, Float32]:
        """Cosines of step t with pictures and with captions, (n, n) each, -2 at the ends."""
        a, b = self.mixed(t)
        found = []
        for (first, last), mask in zip((self.to_images, self.to_texts), self.masked, strict=True):
            cosine = a * first + b * last
            cosine[mask] = -2
            found.append(cosine)
        return found[0], found[1]

    def uniformity(self, t: float) -> float:
        """Of the points of all paths at step t."""
        a, b = self.mixed(t)
        starts, crossed, lasts = self.among
        cosine = a * a.T * starts + (a * b.T) * crossed + (b * a.T) * crossed.T + b * b.T * lasts
        potentials = np.exp(4 * cosine.astype(np.float64) - 4)
        n = len(cosine)
        return float(np.log((potentials.sum() - np.trace(potentials)) / (n * (n - 1))))

    def angles(self) -> Float64:
        """Between the ends, (n,)."""
        return np.arccos(np.clip(np.diag(self.among[1]).astype(np.float64), -1, 1))


def _step(
    kind: str, t: float, at: _Ends, nearest_image: Float32, nearest_text: Float32, weights: NDArray[np.floating]
) -> PathStep:
    theta = at.angles()
    image, text = nearest_image.max(axis=1), nearest_text.max(axis=1)
    nearest = np.maximum(image, text).astype(np.float64)
    low, high = ends(weights @ nearest)
    return PathStep(
        path=kind,
        t=t,
        alignment_start=float((2 - 2 * np.cos(t * theta)).mean()),
        alignment_end=float((2 - 2 * np.cos((1 - t) * theta)).mean()),
        uniformity=at.uniformity(t),
        nearest_image=float(image.mean()),
        nearest_text=float(text.mean()),
        nearest=float(nearest.mean()),
        low=float(low),
        high=float(high),
        n=len(theta),
    )
