"""What every part of a run works with: the picture at its working size, the texts and their embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Backend, Capability, Float32, Progress
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts
from probes.core.regions import Box
from probes.red_circle import accused
from probes.red_circle.drawing import working_copy
from probes.red_circle.effects import template_logits
from probes.red_circle.parameters import WHOM, RedCircleParams
from probes.red_circle.view import view
from probes.red_circle.visual_prompts import Style

SWEPT = 60
"""Texts that are mapped and pointed at: the first so many."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What every part of a run works with.

    Attributes:
        params: what the visitor chose.
        backend: the model.
        picture: what is drawn on, at its working size.
        names: the texts, and the labels that accuse where they are asked of this picture.
        texts: unit embeddings (t, l, d) of the names in every template.
        unmarked: embedding (1, d) of the picture.
        view: the part of the picture that the tower sees.
    """

    params: RedCircleParams
    backend: Backend
    picture: Picture
    names: tuple[str, ...]
    texts: Float32
    unmarked: Float32
    view: Box

    def logits(self, images: Float32) -> Float64:
        """Logits (n, l) of the first SWEPT texts, mean over templates."""
        logits: Float64 = template_logits(self.backend, images, self.texts[:, :SWEPT]).mean(axis=1)
        return logits

    def measured(self, pictures: Sequence[Picture]) -> Float64:
        """The same of pictures."""
        return self.logits(self.backend.encode_images(pictures))

    @property
    def style(self) -> Style:
        """How regions are marked: as the first mark is."""
        first = self.params.marks[0]
        able = self.params.foveal and self.backend.card.can(Capability.FOCUS)
        return Style(first.colour, first.width, self.params.strength, able)


def ask(params: RedCircleParams, backend: Backend, progress: Progress) -> Asked:
    """Encode the texts and the unmarked picture."""
    picture = working_copy(params.images[0], backend.card.image_size)
    names = params.texts
    if params.accusing and params.whom != WHOM[0]:
        names = tuple(dict.fromkeys((*names, *params.accusing, *accused.NEUTRAL)))
    texts = encode_prompts(backend, names, params.templates, progress)
    return Asked(params, backend, picture, names, texts, backend.encode_images([picture]), view(backend, picture))
