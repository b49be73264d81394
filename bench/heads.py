"""Attention heads: taking 1,000 pictures apart against encoding them, and how memory grows with their number.

Each runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import statistics
import time
from functools import partial

import numpy as np

from bench.apart import Timed, apart, peak
from probes.backend import load
from probes.core.pictures import Picture

SPEC = "bundled:skewed"
PICTURES, MANY = 1_000, 5_000
REPEATS = 3


def noise(count: int, seed: int) -> list[Picture]:
    """Pictures of the size that the bundled models see, so that preprocessing costs both ways little."""
    rng = np.random.default_rng(seed)
    return [Picture(f"{n}", rng.integers(0, 256, (72, 72, 3), dtype=np.uint8)) for n in range(count)]


def against_encoding() -> Timed:
    """Seconds of taking 1,000 pictures apart, a batch at a time; the ratio is to encoding as many fresh ones."""
    backend = load(SPEC, precision="float32")
    backend.encode_images(noise(64, 0))
    ratios, seconds = [], []
    for repeat in range(REPEATS):
        fresh = noise(PICTURES, 1 + repeat)
        began = time.perf_counter()
        backend.encode_images(fresh)
        encoded = time.perf_counter() - began
        began = time.perf_counter()
        for part in backend.decompose_each(fresh):
            del part
        seconds.append(time.perf_counter() - began)
        ratios.append(seconds[-1] / encoded)
    return Timed(statistics.median(seconds), peak(), statistics.median(ratios))


def streamed(count: int) -> Timed:
    """Peak memory of taking pictures apart a batch at a time; the pictures themselves are made on the way."""
    backend = load(SPEC, precision="float32")
    began = time.perf_counter()
    for start in range(0, count, PICTURES):
        for part in backend.decompose_each(noise(PICTURES, 100 + start)):
            del part
    return Timed(time.perf_counter() - began, peak())


def heads() -> dict[str, Timed]:
    """Each measurement by name, in a process of its own."""
    return {
        "taken apart": apart(against_encoding),
        "few": apart(partial(streamed, PICTURES)),
        "many": apart(partial(streamed, MANY)),
    }
