"""The one place where models are loaded and asked: everything above it sees `probes.core.model.Backend`.

    from probes.backend import load
    backend = load("bundled")
    images, texts = backend.encode_images(pictures), backend.encode_texts(["a cat", "a dog"])
    backend.logits(images, texts)

`catalogue()` lists what can be loaded, `installed()` what needs no network, `bundled()` what comes with Clipspect;
`lacks()` says what a model cannot do before it is loaded.
Importing this package imports neither torch nor open_clip; loading a model does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.backend.listing import Entry, bundled, catalogue, installed, lacks
from probes.core.model import Progress, no_progress

if TYPE_CHECKING:
    from probes.backend.clip import Clip
    from probes.backend.switched import Switched

__all__ = ["Entry", "bundled", "catalogue", "fetch", "installed", "lacks", "load"]


def fetch(spec: str, progress: Progress = no_progress) -> None:
    """Download a model's files unless they are on disk; nothing is loaded.

    Raises:
        ModelError: the specification is malformed, or the files cannot be had.
    """
    from probes.backend import loading, specs

    loading.resolve(specs.parse(spec).whole, progress)


def load(
    spec: str, *, device: str = "auto", precision: str = "auto", progress: Progress = no_progress
) -> Clip | Switched:
    """The model of that specification, from memory if it is loaded, else from disk or the hub.

    Args:
        spec: see `probes.backend.specs`.
        device: `auto`, `cpu`, `cuda`, `cuda:1` or `mps`.
        precision: in which pictures and texts are encoded: `auto`, `float32` or `bfloat16`.
        progress: told how far a download is.

    Raises:
        ModelError: the specification is malformed, or the model is unknown, unreachable, unsafe or too large.
    """
    from probes.backend.pool import models

    return models().load(spec, device=device, precision=precision, progress=progress)
