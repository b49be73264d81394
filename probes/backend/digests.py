"""Names for weights, and for what else makes embeddings."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from probes.backend.cache import key_of
from probes.backend.device import cores

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes, types and values of all weights and buffers, hexadecimal.

    Each tensor is hashed by itself, in parallel (hashlib lets other threads run), then their digests in the
    order of the names.
    """
    names = sorted(state)
    with ThreadPoolExecutor(max_workers=min(8, cores())) as pool:
        digests = list(pool.map(lambda name: _tensor_digest(name, state[name]), names))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def modules_digest(model: nn.Module, config: Mapping[str, Any]) -> str:
    """SHA-256 over a model's modules and configuration, hexadecimal."""
    modules = _ADDRESS.sub("", repr(model))  # functions show where they lie in memory, other in every process
    return key_of(modules, json.dumps(config, sort_keys=True, default=str))


def _tensor_digest(name: str, tensor: Tensor) -> str:
    values = tensor.detach().to("cpu").contiguous()
    digest = hashlib.sha256(f"{name}|{tuple(values.shape)}|{values.dtype}|".encode())
    digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
