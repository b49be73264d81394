"""Small audits whose answers are known."""

from __future__ import annotations

import numpy as np

from probes.bias_audit.audited import Grouping, Scores


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def grouping(codes, names=("first", "second", "third", "fourth")):
    codes = np.asarray(codes, dtype=np.intp)
    return Grouping("attribute", tuple(names[: codes.max() + 1]), codes)


def scores(cosines, words=None, templates=None):
    """Scores from cosines (n, t, l), or (n, l) for one template."""
    cosines = np.asarray(cosines, dtype=np.float32)
    if cosines.ndim == 2:
        cosines = cosines[:, None]
    words = words or tuple(f"word {i}" for i in range(cosines.shape[2]))
    templates = templates or tuple(f"{i} {{}}" for i in range(cosines.shape[1]))
    return Scores(tuple(words), tuple(templates), cosines)


def noise(seed, n=120, t=3, words=4, groups=2):
    """Cosines that know nothing of the groups, and groups of unequal sizes."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n) % (groups + 1) % groups)
    return scores(rng.normal(0, 0.1, (n, t, words))), grouping(codes)


def of(measures, measure, variant=None, word=None, group=None):
    return [
        m
        for m in measures
        if m.measure == measure
        and variant in (None, m.variant)
        and word in (None, m.word)
        and group in (None, m.group)
    ]
