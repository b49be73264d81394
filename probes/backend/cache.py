"""Embeddings that were computed before, by content.

A key is the SHA-256 of everything the value depends on: weights, configuration, preprocessing or tokenizer,
precision, and the content of the picture or text. In memory the least recently used leave first, within a budget
of bytes; the second store, on disk, takes only what is marked to be kept.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from cachetools import LRUCache

from probes.core.model import Float32, Progress

MEMORY_BYTES = 256 * 1024**2


def key_of(*parts: str) -> str:
    """A key for these parts, 64 hexadecimal digits; where one part ends and the next begins counts."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", errors="surrogatepass")
        digest.update(f"{len(encoded)}:".encode())
        digest.update(encoded)
    return digest.hexdigest()


def remembered(
    memory: Store,
    keys: Sequence[str],
    width: int,
    size: int,
    compute: Callable[[Sequence[int]], Float32],
    progress: Progress,
    doing: str,
) -> Float32:
    """Rows by key, from memory where they are, else computed and kept, (n, d).

    Args:
        memory: where rows are kept.
        keys: of n rows.
        width: d.
        size: most rows to compute at once.
        compute: the rows at some positions.
        progress: told how far it is.
        doing: what is being done, in words.
    """
    rows = np.empty((len(keys), width), np.float32)
    missing = []
    for place, key in enumerate(keys):
        row = memory.get(key)
        if row is None:
            missing.append(place)
        else:
            rows[place] = row
    for start in range(0, len(missing), size):
        progress(start / len(missing), doing)
        chosen = missing[start : start + size]
        rows[chosen] = compute(chosen)
        for place in chosen:
            memory.put(keys[place], rows[place].copy())
    progress(1.0, doing)
    return rows


class Store(Protocol):
    """Where arrays are kept by key."""

    def get(self, key: str) -> Float32 | None:
        """The array, read-only, or None."""

    def put(self, key: str, value: Float32) -> None:
        """Keep an array; may silently not do so."""


class MemoryStore:
    """Arrays in memory, the least recently used leaving first.

    Args:
        budget: most bytes of all arrays together. An array larger than that is not kept.
    """

    def __init__(self, budget: int = MEMORY_BYTES) -> None:
        self._entries: LRUCache[str, Float32] = LRUCache(maxsize=budget, getsizeof=lambda value: value.nbytes)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return int(self._entries.currsize)

    def get(self, key: str) -> Float32 | None:
        """The array, read-only, or None."""
        with self._lock:
            return self._entries.get(key)

    def put(self, key: str, value: Float32) -> None:
        """Keep a copy of the array, unless it is larger than the whole budget."""
        kept = np.array(value, dtype=np.float32)  # a copy: a row must not keep its batch alive
        kept.flags.writeable = False
        with self._lock:
            if kept.nbytes <= self._entries.maxsize:
                self._entries[key] = kept

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
