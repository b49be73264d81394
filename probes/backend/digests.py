"""Names for weights: equal digests mean equal names, shapes, types and values of all weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from probes.backend.device import cores


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over all weights and buffers, hexadecimal.

    Each tensor is hashed by itself, in parallel (hashlib lets other threads run), then their digests in the
    order of the names.
    """
    names = sorted(state)
    with ThreadPoolExecutor(max_workers=min(8, cores())) as pool:
        digests = list(pool.map(lambda name: _tensor_digest(name, state[name]), names))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _tensor_digest(name: str, tensor: Tensor) -> str:
    values = tensor.detach().to("cpu").contiguous()
    digest = hashlib.sha256(f"{name}|{tuple(values.shape)}|{values.dtype}|".encode())
    digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
