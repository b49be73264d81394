"""What every part of a run works with: the picture taken apart, the texts, other pictures."""

from __future__ import annotations

from dataclasses import dataclass

from probes.attention_heads.gathering import Others, others
from probes.attention_heads.parameters import AttentionHeadsParams
from probes.core.decomposition import Decomposition
from probes.core.errors import FieldError, ModelError
from probes.core.model import Backend, Float32, Progress
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts, ensemble


@dataclass(frozen=True)
class Asked:
    """What every part of a run works with.

    Attributes:
        params: what the visitor chose.
        backend: the model.
        picture: the picture.
        own: the same, taken apart by token.
        texts: (m, d), unit embeddings of the texts.
        others: other pictures, taken apart.
    """

    params: AttentionHeadsParams
    backend: Backend
    picture: Picture
    own: Decomposition
    texts: Float32
    others: Others


def ask(params: AttentionHeadsParams, backend: Backend, progress: Progress) -> Asked:
    """Take the picture and the others apart.

    Raises:
        FieldError: too few of one's own pictures can be read, or what is to be off is no part of the tower.
    """
    texts = ensemble(encode_prompts(backend, params.texts, params.templates))
    (picture,) = params.images
    own = backend.decompose([picture], by_token=True)
    try:
        params.switches.check(own.outputs.shape[1], own.outputs.shape[2], own.mlps.shape[1])
    except ModelError as error:
        raise FieldError("off", str(error)) from None
    return Asked(params, backend, picture, own, texts, others(params, backend, progress))
