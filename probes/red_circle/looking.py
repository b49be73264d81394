"""What a model makes of marks while a hand still moves them."""

from __future__ import annotations

import numpy as np

from probes.core.glance import Glance, GlanceRow
from probes.core.model import Backend, probabilities
from probes.core.prompts import encode_prompts, ensemble
from probes.red_circle.drawing import draw, working_copy
from probes.red_circle.effects import template_logits
from probes.red_circle.parameters import RedCircleParams
from probes.red_circle.science import pixels_marked

ROWS = 8


def glance(params: RedCircleParams, backend: Backend) -> Glance:
    """Probabilities and logits without and with the marks: one picture is encoded, the rest cached."""
    picture = working_copy(params.images[0], backend.card.image_size)
    pictures = (picture, draw(picture, params.treatment))
    texts = encode_prompts(backend, params.texts, params.templates)
    images = backend.encode_images(pictures)
    logits = template_logits(backend, images, texts).mean(axis=1)
    shares = probabilities(backend.card, backend.logits(images, ensemble(texts)))
    before, after = backend.preprocess(pictures)
    rows = tuple(
        GlanceRow(text, float(shares[0, place]), float(shares[1, place]), float(np.diff(logits[:, place])[0]))
        for place, text in enumerate(params.texts[:ROWS])
    )
    seen = pixels_marked(before.decode(), after.decode())
    note = (
        ""
        if seen
        else "The mark cannot be seen at the size at which the tower sees the picture, or lies outside of it."
    )
    return Glance(rows, max(0, len(params.texts) - ROWS), (before, after), note)
