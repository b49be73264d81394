"""A measurement in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timed:
    """Seconds of a measurement, its peak memory in bytes, and perhaps a ratio, such as that to the plain way."""

    seconds: float
    peak: int
    ratio: float | None = None


def apart(work: Callable[[], Timed]) -> Timed:
    """What `work` measures in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work).result()


def peak() -> int:
    """Peak memory of this process in bytes.

    On Linux by the kernel's high-water mark of this program alone: `ru_maxrss` outlives exec there, and so would
    tell the peak of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
