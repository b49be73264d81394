"""TextSpan of every head: seconds and memory on the shape of ViT-B-32, from random numbers.

It runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import time

import numpy as np

from bench.apart import Timed, apart, peak
from probes.attention_heads.textspan import span_all, stability_all
from probes.core.model import Float32

PICTURES, PHRASES, LAYERS, HEADS, HEAD_WIDTH, WIDTH = 1_000, 4_000, 12, 12, 64, 512
PICKS, RESAMPLES = 5, 40


def drawn() -> tuple[Float32, Float32, Float32]:
    """Outputs (n, L, H, e), writes (L, H, e, d) and unit texts (m, d)."""
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(PICTURES, LAYERS, HEADS, HEAD_WIDTH)).astype(np.float32)
    writes = (rng.normal(size=(LAYERS, HEADS, HEAD_WIDTH, WIDTH)) / WIDTH).astype(np.float32)
    texts = rng.normal(size=(PHRASES, WIDTH)).astype(np.float32)
    return outputs, writes, texts / np.linalg.norm(texts, axis=1, keepdims=True)


def picked() -> Timed:
    """The phrases of every head."""
    given = drawn()
    began = time.perf_counter()
    span_all(*given, PICKS)
    return Timed(time.perf_counter() - began, peak())


def steadied() -> Timed:
    """How often each is picked again in resamples of the pictures."""
    given = drawn()
    began = time.perf_counter()
    stability_all(*given, PICKS, RESAMPLES, 0)
    return Timed(time.perf_counter() - began, peak())


def spans() -> dict[str, Timed]:
    """Each measurement by name, in a process of its own."""
    return {"picked": apart(picked), "steadied": apart(steadied)}
