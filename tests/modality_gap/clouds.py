"""Clouds of unit rows whose measures can be worked out by hand, and float64 versions of the measures."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp


def unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pairs(n: int, d: int, gap: float = 1.0, noise: float = 0.7, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that share a part, with a gap planted along one direction."""
    rng = np.random.default_rng(seed)
    shared, direction = rng.normal(size=(n, d)), np.eye(d)[0] * gap * np.sqrt(d) / 2
    images, texts = (unit(shared + sign * direction + noise * rng.normal(size=(n, d))) for sign in (1, -1))
    return images, texts


def cones(n: int, half_angle: float, between: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows round two axes: each at `half_angle` from its own, evenly, and the axes at the angle `between`."""
    turn = 2 * np.pi * np.arange(n) / n
    ring = np.zeros((2, n, 6))
    ring[0, :, 2], ring[0, :, 3] = np.cos(turn), np.sin(turn)
    ring[1, :, 4], ring[1, :, 5] = np.cos(turn), np.sin(turn)
    axes = np.zeros((2, 6))
    axes[0, 0], axes[1, 0], axes[1, 1] = 1, np.cos(between), np.sin(between)
    images, texts = (
        np.cos(half_angle) * axis + np.sin(half_angle) * around for axis, around in zip(axes, ring, strict=True)
    )
    return images.astype(np.float32), texts.astype(np.float32)


def plainly(images: np.ndarray, texts: np.ndarray) -> dict[str, float]:
    """Every measure from whole tables of cosines in float64, written down as the formulas say."""
    x, y = images.astype(np.float64), texts.astype(np.float64)
    n = len(x)
    apart = ~np.eye(n, dtype=bool)
    xx, xy, yy = x @ x.T, x @ y.T, y @ y.T
    matched = np.diag(xy).mean()
    far = (1 - matched) / 2
    wide = ((1 - xx[apart].mean()) / 2 + (1 - yy[apart].mean()) / 2) / 2
    squared = ((x - y) ** 2).sum(1)
    return {
        "gap": float(np.linalg.norm(x.mean(0) - y.mean(0))),
        "paired_distance": float(np.sqrt(squared).mean()),
        "rmg": float(far / (far + wide)),
        "cosine_matched": float(matched),
        "cosine_unmatched": float(xy[apart].mean()),
        "cosine_image_image": float(xx[apart].mean()),
        "cosine_text_text": float(yy[apart].mean()),
        "alignment": float(squared.mean()),
        "uniformity_image": float(np.log(np.exp(-2 * (2 - 2 * xx[apart])).mean())),
        "uniformity_text": float(np.log(np.exp(-2 * (2 - 2 * yy[apart])).mean())),
    }


def clip_loss(similarities: np.ndarray, scale: float) -> float:
    logits = scale * similarities.astype(np.float64)
    return float((logsumexp(logits, axis=1) + logsumexp(logits, axis=0)).mean() / 2 - np.diag(logits).mean())


def sigmoid_loss(similarities: np.ndarray, scale: float, bias: float) -> float:
    logits = scale * similarities.astype(np.float64) + bias
    sign = 2 * np.eye(len(logits)) - 1
    return float(np.logaddexp(0, -sign * logits).sum(1).mean())


def turned(rows: np.ndarray, seed: int = 5) -> np.ndarray:
    """Rows after a rotation that depends on the seed alone."""
    d = rows.shape[1]
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    return (rows.astype(np.float64) @ q).astype(np.float32)
