"""Where a model runs and in which precision it encodes.

Weights stay float32 everywhere. `bfloat16` means autocast around the two encoders alone: matrix products in
bfloat16, norms and the returned embeddings in float32. Whatever has to hold to 1e-5 (decomposition, attention,
gradients) always runs in float32.

`auto` takes bfloat16 on a GPU that has it in hardware, and on a CPU with AMX, where it is several times faster
than float32. AVX512-BF16 alone does not suffice: on a Xeon that has it without AMX a matrix product took longer in
bfloat16 than in float32. Timing it at the start was tried and given up: on a busy machine the answer changed from
one start to the next, and with it every number. Models below `SMALL_MODEL` weights, which are fast anyway, stay
float32: the bundled models give the same numbers on every CPU.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil
import torch

from probes.core.errors import ModelError

PRECISIONS = ("auto", "float32", "bfloat16")
SMALL_MODEL = 50_000_000
"""Weights below which a model is fast enough in float32 on any CPU."""


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
    if device.type == "cpu" and parameters >= SMALL_MODEL and cpu_has_amx():
        return "bfloat16"
    return "float32"


@lru_cache(maxsize=1)
def cpu_has_amx() -> bool:
    """Whether the CPU multiplies matrices in bfloat16 (AMX). Known on Linux alone; elsewhere the answer is no."""
    flags = Path("/proc/cpuinfo")
    return flags.is_file() and "amx_bf16" in flags.read_text(encoding="utf-8", errors="replace").split()


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
