"""Attention heads, taken apart and put to work: where an answer comes from, and what else was asked.

What is measured stands with its formula in the module of its name: `effects`, and those that `steps` puts to work.
Here they are put together: what is asked first is answered first,
and each part is shown as soon as it is there, so that whoever stops the work keeps what is done.
"""

from __future__ import annotations

from probes.attention_heads import steps
from probes.attention_heads.asked import Asked, ask
from probes.attention_heads.effects import effects
from probes.attention_heads.parameters import AttentionHeadsParams
from probes.attention_heads.result import AttentionHeadsResult
from probes.core.model import Backend, Capability, Progress
from probes.core.prompts import picture_warnings, text_warnings
from probes.core.watching import in_steps, part

__all__ = ["AttentionHeadsParams", "AttentionHeadsResult", "measure"]

STEPS: tuple[tuple[steps.Step, float], ...] = (
    (steps.texted, 0.17),
    (steps.described, 0.35),
    (steps.found, 0.45),
    (steps.ablated, 0.55),
    (steps.worded, 0.7),
    (steps.dropped, 0.8),
    (steps.segmented, 1.0),
)
"""What is done after the first part, and the share of the work that is done then."""


def measure(params: AttentionHeadsParams, backend: Backend, progress: Progress) -> AttentionHeadsResult:
    """Take the picture apart, and answer what was asked besides."""
    begun = 0.15
    asked = ask(params, backend, part(progress, 0.0, begun))
    result = in_steps(STEPS, asked, _effects(asked), begun, progress)
    progress(1.0, "done")
    return result


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
        logit_scale=backend.card.logit_scale,
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
