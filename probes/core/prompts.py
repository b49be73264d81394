"""Labels and templates: prompts, their embeddings, and ensembles of them (Radford 2021, section 3.1.4).

Symbols: t templates, l labels, d the width of the shared space.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.controls import Lines
from probes.core.model import Backend, Float32, Progress, no_progress
from probes.core.pictures import Picture

SLOT = "{}"

TEMPLATES = ("{}", "a photo of {}", "a picture of {}", "a drawing of {}", "an emoji of {}")
"""Templates for labels that bring their own article, such as "a cat"."""

LABELS_CONTROL = Lines(
    label="Labels",
    help="One a line, with its article: a cat, an apple, two dogs.",
    fewest=2,
    most=2000,
)

TEMPLATES_CONTROL = Lines(
    label="Templates",
    help="One a line; {} stands for the label. Several are averaged, and their spread is the uncertainty.",
    fewest=1,
    most=100,
    slot=SLOT,
    advanced=True,
)


def prompts(labels: Sequence[str], templates: Sequence[str]) -> tuple[str, ...]:
    """Every template filled with every label, template by template: t x l texts."""
    return tuple(template.replace(SLOT, label) for template in templates for label in labels)


def encode_prompts(
    backend: Backend, labels: Sequence[str], templates: Sequence[str], progress: Progress = no_progress
) -> Float32:
    """Unit embeddings of every label in every template, (t, l, d)."""
    embeddings = backend.encode_texts(prompts(labels, templates), progress)
    return embeddings.reshape(len(templates), len(labels), -1)


def ensemble(embeddings: NDArray[np.floating], axis: int = 0) -> Float32:
    """Mean over the axis of templates, brought back to unit length."""
    mean = embeddings.mean(axis=axis, dtype=np.float64)
    unit: Float32 = (mean / np.linalg.norm(mean, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def text_warnings(backend: Backend, texts: Sequence[str], most: int = 3) -> tuple[str, ...]:
    """Sentences on texts that are cut off or unlike the model's training; beyond `most` they are counted."""
    found = [
        f"“{tokens.text}” is too long for the model: its last {tokens.dropped} tokens are cut off."
        for tokens in backend.tokens(texts)
        if tokens.truncated
    ]
    unfamiliar = zip(texts, backend.unfamiliar_texts(texts), strict=True)
    found += [f"“{text}”: {warning}" for text, warning in unfamiliar if warning]
    if len(found) > most:
        more = len(found) - most
        found = [*found[:most], f"So it is with {more} more {'text' if more == 1 else 'texts'}."]
    return tuple(found)


def picture_warnings(backend: Backend, pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Sentences on what was done to read pictures, and on those unlike the model's training."""
    noted = [f"{picture.name}: {note}." for picture in pictures for note in picture.notes]
    unfamiliar = zip(pictures, backend.unfamiliar_pictures(pictures), strict=True)
    return (*noted, *(f"{picture.name}: {warning}" for picture, warning in unfamiliar if warning))
