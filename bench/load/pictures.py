"""What each visitor brings: pictures and embeddings of their own, told apart by name and by content."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

_OWNER = re.compile(rb"\bv(\d{3})-\d+\.")


def name(visitor: int, place: int, suffix: str) -> str:
    """What a file is called; no other visitor has one of that name."""
    return f"v{visitor:03d}-{place}.{suffix}"


def strangers(text: bytes, visitor: int) -> set[int]:
    """Other visitors whose files are named."""
    return {int(found) for found in _OWNER.findall(text)} - {visitor}


def picture(visitor: int, place: int) -> bytes:
    """A PNG of coloured squares that no other visitor has."""
    rng = np.random.default_rng((visitor, place))
    squares = rng.integers(0, 256, size=(4, 5, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.kron(squares, np.ones((48, 48, 1), dtype=np.uint8))).save(stream, format="PNG")
    return stream.getvalue()


def pairs(visitor: int, place: int) -> bytes:
    """An .npz of sixty pairs of embeddings of width eight whose gap depends on the visitor."""
    rng = np.random.default_rng((visitor, place))
    images = rng.normal(size=(60, 8))
    stream = io.BytesIO()
    np.savez(stream, images=images, texts=images + rng.normal(size=(60, 8)) + rng.uniform(0.5, 3))
    return stream.getvalue()
