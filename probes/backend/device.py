"""Where a model runs and in which precision it encodes.

Weights stay float32 everywhere. `bfloat16` means autocast around the two encoders alone: matrix products in
bfloat16, norms and the returned embeddings in float32. Whatever has to hold to 1e-5 (decomposition, attention,
gradients) always runs in float32.

`auto` takes bfloat16 on a GPU that has it in hardware. On a CPU it is a gamble: with AMX it is several times
faster than float32, with AVX512-BF16 alone it can be slower. So a CPU that claims bfloat16 is timed once a
process on one small matrix product, and models below `SMALL_MODEL` weights, which are fast anyway, stay float32:
the bundled models give the same numbers on every CPU.
"""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil
import torch

from probes.core.errors import ModelError

PRECISIONS = ("auto", "float32", "bfloat16")
SMALL_MODEL = 50_000_000
WORTHWHILE = 1.5
"""How many times faster bfloat16 has to be than float32 to be taken on a CPU."""


@dataclass(frozen=True)
class Placement:
    """Where and how a model encodes.

    Attributes:
        device: torch's device.
        precision: `float32` or `bfloat16`.
    """

    device: torch.device
    precision: str

    def autocast(self) -> AbstractContextManager[object]:
        """The context the encoders run in."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def choose_device(asked: str = "auto") -> torch.device:
    """The device of that name; `auto` takes CUDA before Apple's MPS before the CPU.

    Raises:
        ModelError: this machine has no such device.
    """
    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise ModelError(f"{asked!r} is not a device; write auto, cpu, cuda, cuda:1 or mps") from None
    there = {"cpu": True, "mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
    if not there.get(device.type, False):
        raise ModelError(f"this machine has no {device.type} device that torch can use; choose auto or cpu")
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        if index >= torch.cuda.device_count():
            raise ModelError(f"this machine has {torch.cuda.device_count()} CUDA devices and no cuda:{index}")
        return torch.device("cuda", index)
    return torch.device(device.type)


def choose_precision(asked: str, device: torch.device, parameters: int) -> str:
    """`float32` or `bfloat16` for a model of so many weights on a device.

    Raises:
        ModelError: `asked` is not one of `PRECISIONS`.
    """
    if asked not in PRECISIONS:
        raise ModelError(f"{asked!r} is not a precision; write auto, float32 or bfloat16")
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type == "cpu" and parameters >= SMALL_MODEL and cpu_has_bfloat16():
        return "bfloat16" if cpu_bfloat16_speedup() >= WORTHWHILE else "float32"
    return "float32"


@lru_cache(maxsize=1)
def cpu_has_bfloat16() -> bool:
    """Whether the CPU claims bfloat16 arithmetic (AMX, AVX512-BF16 or Arm's BF16)."""
    flags = Path("/proc/cpuinfo")
    if not flags.is_file():
        return False  # macOS and Windows: not known without asking a compiler, so float32
    words = set(flags.read_text(encoding="utf-8", errors="replace").split())
    return not words.isdisjoint({"amx_bf16", "avx512_bf16", "bf16"})


@lru_cache(maxsize=1)
def cpu_bfloat16_speedup() -> float:
    """Time of a matrix product in float32 over its time in bfloat16, best of three each (about 30 ms once)."""
    return _matmul_seconds(torch.float32) / _matmul_seconds(torch.bfloat16)


def _matmul_seconds(dtype: torch.dtype) -> float:
    left, right = torch.ones(1024, 768, dtype=dtype), torch.ones(768, 768, dtype=dtype)
    best = float("inf")
    for _ in range(4):  # the first one also warms up
        start = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - start)
    return best


def cores() -> int:
    """CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_bytes(device: torch.device) -> int:
    """Memory that can still be had on a device, in bytes. Limits of a container count."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return min(free, int(limit.read_text()) - int(used.read_text()) + _reclaimable())
    except (OSError, ValueError):  # no such limit here ("max" is not a number)
        return free


def _reclaimable() -> int:
    """Bytes the container holds as file cache and would give back."""
    for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0
