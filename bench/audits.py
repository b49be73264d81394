"""Bias audits: a large one from embeddings, against resampling word by word; and the page's shipped one.

Each runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import time

import numpy as np
from scipy import stats

from bench.apart import Timed, apart, peak
from probes.backend import load
from probes.bias_audit import PROBE
from probes.bias_audit.association import adjusted, association_measures, weat_measure
from probes.bias_audit.audited import Grouping, Scores
from probes.bias_audit.class_design import class_design
from probes.bias_audit.ranking import ranking_measures
from probes.bias_audit.rates import harm_rates
from probes.core.model import Float32
from probes.core.probe import run
from probes.core.resampling import RESAMPLES

PICTURES, WORDS, TEMPLATES, WIDTH, GROUPS = 10_954, 400, 11, 512, 7
LOOPED = 4
"""Words whose intervals are computed one by one, to tell how long all would take."""


def _unit(rng: np.random.Generator, *shape: int) -> Float32:
    rows = rng.normal(size=shape).astype(np.float32)
    unit: Float32 = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return unit


def large() -> Timed:
    """Every measure with its interval, and class design, from embeddings."""
    rng = np.random.default_rng(0)
    images, texts = _unit(rng, PICTURES, WIDTH), _unit(rng, TEMPLATES, WORDS, WIDTH)
    who = Grouping("group", tuple("abcdefg"), rng.integers(0, GROUPS, PICTURES))
    words, templates = tuple(map(str, range(WORDS))), tuple(map(str, range(TEMPLATES)))
    began = time.perf_counter()
    scores = Scores.of(images, texts, words, templates)
    found = [*ranking_measures(scores, who, 100, 0)]
    associated = time.perf_counter()
    found += association_measures(scores, who, 0)
    associated = time.perf_counter() - associated
    few, harmful = Scores.of(images, texts[:, :17], words[:17], templates), np.arange(17) >= GROUPS
    found += harm_rates(few, harmful, who, 0)
    class_design(few, harmful, np.zeros(17, dtype=bool), who, 0)
    x, y = (images[who.codes == code] for code in (0, 1))
    found.append(
        weat_measure(x, y, texts[:, :8], texts[:, 8:16], variant="pictures, texts", word="", group="", seed=0)
    )
    adjusted(found)
    seconds = time.perf_counter() - began
    return Timed(seconds, peak(), _looped(scores.mean, who) / associated)


def _looped(scores: Float32, who: Grouping) -> float:
    """Seconds that intervals and p-values of all differences would take, one word and group at a time."""
    began = time.perf_counter()
    for word in range(LOOPED):
        inside = scores[who.codes == 0, word], scores[who.codes != 0, word]
        stats.bootstrap(inside, _gap, n_resamples=RESAMPLES, method="percentile", rng=0, vectorized=True, batch=99)
        stats.permutation_test(inside, _gap, n_resamples=RESAMPLES, vectorized=True, rng=0, batch=99)
    # five times as many swaps are dealt as resamples are drawn
    return (time.perf_counter() - began) / LOOPED * WORDS * GROUPS


def _gap(one: Float32, other: Float32, axis: int) -> Float32:
    found: Float32 = one.mean(axis=axis) - other.mean(axis=axis)
    return found


def shipped() -> Timed:
    """The audit that the page opens with, pictures and texts embedded on the way."""
    backend = load("bundled:skewed")
    backend.encode_texts(["anything"])
    began = time.perf_counter()
    run(PROBE, PROBE.example(), backend)
    return Timed(time.perf_counter() - began, peak())


def audits() -> dict[str, Timed]:
    """Every audit by name, each in a process of its own."""
    return {"large": apart(large), "shipped": apart(shipped)}
