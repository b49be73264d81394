"""The gap as it grew: embeddings of the fixed set of pairs at moments of the bundled models' training.

`assets/models/snapshots.npz` holds, for s moments that both models share, `images` and `texts` (s, n, d) float16,
`stage` (s,), `pictures` (s,) seen so far, `logit_scale` (s,), and `numbers` (n,) of the pairs. It is made by
`python -m assets.make snapshots`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from probes.core.embeddings import unit_rows
from probes.core.examples import ASSETS
from probes.core.model import Float32

FILE = ASSETS / "models" / "snapshots.npz"
BUNDLED = ("bundled:skewed", "bundled:balanced")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A moment of training.

    Attributes:
        title: in a few words.
        pictures: seen so far.
        logit_scale: of the model then.
        images, texts: (n, d) unit rows of the fixed set.
    """

    title: str
    pictures: int
    logit_scale: float
    images: Float32
    texts: Float32


def snapshots(spec: str) -> tuple[Snapshot, ...]:
    """The moments of training of a model, in order; none for models that are not the bundled ones."""
    return _read() if spec in BUNDLED and FILE.exists() else ()


@lru_cache(maxsize=1)
def _read() -> tuple[Snapshot, ...]:
    with np.load(FILE, allow_pickle=False) as arrays:
        stages, pictures, scales = (arrays[key] for key in ("stage", "pictures", "logit_scale"))
        return tuple(
            Snapshot(
                _title(str(stage), int(seen)), int(seen), float(scale), _unit(arrays["images"][k]),
                _unit(arrays["texts"][k]),
            )
            for k, (stage, seen, scale) in enumerate(zip(stages, pictures, scales, strict=True))
        )  # fmt: skip


def _unit(rows: NDArray[np.float16]) -> Float32:
    return unit_rows(rows, FILE.name)[0]


def _title(stage: str, seen: int) -> str:
    return "before training, 48 px" if seen == 0 else f"{seen:,} pictures"
