"""Attention heads, taken apart and put to work: where an answer comes from, and what else was asked.

What is measured stands with its formula in the module of its name: `effects`, `describing`, `finding`, `ablating`,
`dropping`, `words`, `text_heads`, `segmented`. Here they are put together: what is asked first is answered first,
and each part is shown as soon as it is there, so that whoever stops the work keeps what is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from probes import evaluation
from probes.attention_heads.ablating import Labelled, ablate, layer_by_layer
from probes.attention_heads.describing import describe
from probes.attention_heads.effects import effects
from probes.attention_heads.gathering import Others, others
from probes.attention_heads.nearest import nearest
from probes.attention_heads.parameters import AttentionHeadsParams
from probes.attention_heads.phrases import phrases
from probes.attention_heads.result import AttentionHeadsResult
from probes.core.decomposition import Decomposition
from probes.core.model import Backend, Capability, Float32, Progress
from probes.core.pictures import Picture
from probes.core.prompts import TEMPLATES, encode_prompts, ensemble, picture_warnings, text_warnings
from probes.core.watching import Watched, part, show

__all__ = ["AttentionHeadsParams", "AttentionHeadsResult", "measure"]

NEAR = 6
"""Pictures nearest by one head."""
UNFINISHED = "Not all that was asked is in this answer: the work is not done, or was stopped."


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


Step = Callable[[Asked, AttentionHeadsResult, Progress], AttentionHeadsResult]


def measure(params: AttentionHeadsParams, backend: Backend, progress: Progress) -> AttentionHeadsResult:
    """Take the picture apart, and answer what was asked besides."""
    asked = _ask(params, backend, part(progress, 0.0, 0.15))
    result = _effects(asked)
    steps: list[tuple[Step, float]] = [(_described, 0.5), (_ablated, 0.6), (_layers, 1.0)]
    done = 0.15
    for step, share in steps:
        _show(progress, result)
        result = step(asked, result, _showing(progress, done, share))
        done = share
    progress(1.0, "done")
    return result


def _showing(progress: Progress, start: float, end: float) -> Progress:
    """A part of the progress through which results can still be shown."""
    return Watched(part(progress, start, end), lambda result: _show(progress, result))


def _show(progress: Progress, result: AttentionHeadsResult) -> None:
    """Show what there is; should it be the last that is seen, it says so."""
    show(progress, replace(result, cautions=(*result.cautions, UNFINISHED)))


def _ask(params: AttentionHeadsParams, backend: Backend, progress: Progress) -> Asked:
    texts = ensemble(encode_prompts(backend, params.texts, params.templates))
    picture = params.images[0]
    own = backend.decompose([picture], by_token=True)
    return Asked(params, backend, picture, own, texts, others(params, backend, progress))


def _effects(asked: Asked) -> AttentionHeadsResult:
    """The first and main part: what every part adds to the similarity."""
    backend, picture = asked.backend, asked.picture
    attention = backend.attention([picture]) if backend.card.can(Capability.ATTEND) else None
    (view,) = backend.preprocess((picture,))
    return AttentionHeadsResult(
        model=backend.card.spec,
        picture=picture.name,
        texts=asked.params.texts,
        view=view,
        effects=effects(asked.own, asked.others.taken, asked.texts, attention),
        over=asked.others.name,
        cautions=_cautions(asked),
    )


def _cautions(asked: Asked) -> tuple[str, ...]:
    told = [*picture_warnings(asked.backend, (asked.picture,)), *text_warnings(asked.backend, asked.params.texts)]
    left_out = asked.others.left_out
    if left_out:
        told.append(f"{len(left_out)} of your pictures cannot be read, such as {left_out[0].name}: "
                    f"{left_out[0].reason}.")  # fmt: skip
    if not len(asked.params.pictures) and not asked.backend.card.spec.startswith("bundled"):
        told.append(
            "What is usual for a head is measured on made-up drawings: bring pictures like those your model is "
            "used on."
        )
    return tuple(told)


def _described(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    params, set_ = asked.params, asked.others
    if not params.phrases_a_head:
        return result
    listed = params.phrases or phrases()
    texts = asked.backend.encode_texts(listed, part(progress, 0.0, 0.3))
    found = describe(
        set_.taken, listed, texts, params.phrases_a_head, params.resamples, params.seed, part(progress, 0.3, 1.0)
    )
    itself = next((at for at, digest in enumerate(set_.digests) if digest == asked.picture.digest), None)
    near = nearest(set_.taken, asked.own, NEAR, itself).astype(np.float32)
    return replace(result, description=found, nearest=near, names=set_.names)


def _ablated(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    switches = asked.params.switches
    if not switches:
        return result
    return replace(result, ablated=ablate(_evaluated(asked, progress), switches, asked.params.seed))


def _layers(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    if not asked.params.layer_by_layer:
        return result
    return replace(result, layers=layer_by_layer(_evaluated(asked, progress)))


def _evaluated(asked: Asked, progress: Progress) -> Labelled:
    """The scenes of one thing that are kept for evaluation, and the names of all things among them."""
    every = evaluation.evaluated()
    chosen = [place for place, one in enumerate(every) if one.thing]
    names = sorted({every[place].thing for place in chosen})
    pictures = evaluation.pictures()
    taken = asked.backend.decompose([pictures[place] for place in chosen], progress=progress)
    texts = ensemble(encode_prompts(asked.backend, names, TEMPLATES))
    labels = np.array([names.index(every[place].thing) for place in chosen], dtype=np.intp)
    return Labelled(taken, labels, texts, asked.others.taken)
