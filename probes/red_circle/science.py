"""The red-circle lab: marks on a picture, foveal attention, sweeps, pointing, and a circle round a person.

What is measured stands with its formula in the module of its name: `effects` (against `placebos`), `sweep`,
`pointing`, `accused`. Here they are put together: what is asked first is answered first, and each part is shown
as soon as it is there, so that whoever stops the work keeps what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from probes.core.errors import FieldError
from probes.core.model import Backend, Capability, Float32, Progress, probabilities
from probes.core.pictures import RGB, Picture
from probes.core.prompts import encode_prompts, ensemble, picture_warnings, text_warnings
from probes.core.watching import in_steps, part, show
from probes.red_circle import accused, effects, naming, sweep
from probes.red_circle.asked import SWEPT, Asked, ask
from probes.red_circle.drawing import draw, focus
from probes.red_circle.effects import DRAWN, FOVEAL, PlaceboChange, template_logits
from probes.red_circle.parameters import (
    LEAST_PLACEBOS,
    WHOM,
    RedCircleParams,
)
from probes.red_circle.placebos import Placebo, colours, drawn, elsewhere, scattered, shapes
from probes.red_circle.result import RedCircleResult
from probes.red_circle.view import seen_share

__all__ = ["RedCircleParams", "RedCircleResult", "measure", "pixels_marked", "preview"]

VISIBLE = 24
"""A channel of a pixel of the tower's view has to change by more than this, of 255, to count as marked."""
FOR_PEOPLE = 480
"""Pixels on the long side of the pictures that a report keeps."""

Float64 = NDArray[np.float64]


def preview(params: RedCircleParams) -> Picture:
    """The marked picture, without asking a model."""
    return draw(params.images[0], params.treatment)


def measure(params: RedCircleParams, backend: Backend, progress: Progress) -> RedCircleResult:
    """Draw the marks and their placebos, and compare what each does to every text; then what was asked besides."""
    asked = ask(params, backend, part(progress, 0.0, 0.05))
    result = _effects(asked, part(progress, 0.05, 0.3))
    steps: list[tuple[Callable[[Asked, RedCircleResult, Progress], RedCircleResult], float]] = [
        (_swept, 0.55), (_curved, 0.65), (_sought, 0.75),
        (naming.picked, 0.8), (naming.pointed, 0.95), (_accused, 1.0),
    ]  # fmt: skip
    result = in_steps(steps, asked, result, 0.3, progress)
    progress(1.0, "done")
    return result


def _effects(asked: Asked, progress: Progress) -> RedCircleResult:
    """The first and main part: the effect of the marks against their placebos, and that of foveal attention."""
    params, backend, picture = asked.params, asked.backend, asked.picture
    away = elsewhere(picture, params.treatment, params.placebos, params.seed, asked.view)
    if len(away) < LEAST_PLACEBOS:
        raise FieldError("marks", "what the tower sees has no room for the same mark elsewhere: make it smaller")
    others = (*away, *colours(params.treatment), *shapes(picture, params.treatment))
    strewn = scattered(picture, params.treatment, params.seed)
    marked = draw(picture, params.treatment)
    images = backend.encode_images([marked, *drawn(picture, others), *strewn], part(progress, 0.0, 0.8))
    both = np.concatenate([asked.unmarked, images[:1]])
    kinds = [*(placebo.kind for placebo in others), *("scattered" for _ in strewn)]
    found = _found(asked, DRAWN, both, _by_kind(kinds, images[1:]))
    told = [*(placebo.what for placebo in others), *(f"{number + 1}" for number in range(len(strewn)))]
    changes = _changes(asked, DRAWN, kinds, told, images[1:])
    looked: tuple[effects.Effect, ...] = ()
    if asked.style.foveal:
        looked, more = _foveal(asked, away, part(progress, 0.8, 1.0))
        changes += more
    before, after = backend.preprocess((picture, marked))
    seen = seen_share(params.marks, picture, asked.view)
    return RedCircleResult(
        picture=picture.name,
        marks=params.marks,
        outside=params.outside,
        called=params.treatment.describe(),
        effects=(*found, *looked),
        placebos=tuple(changes),
        unmarked=before,
        marked=after,
        shown=picture.thumbnail(FOR_PEOPLE),
        drawn=draw(_small(picture), params.treatment).thumbnail(FOR_PEOPLE),
        pixels_marked=pixels_marked(before.decode(), after.decode()),
        view=asked.view,
        seen=seen,
        cautions=_cautions(asked),
    )


def _small(picture: Picture) -> Picture:
    """The picture at the size at which a report keeps it: a line drawn there is as smooth as the page is."""
    longest = max(picture.width, picture.height)
    return picture if longest <= FOR_PEOPLE else Picture(picture.name, picture.thumbnail(FOR_PEOPLE).decode())


def _by_kind(kinds: Sequence[str], images: Float32) -> dict[str, Float32]:
    return {kind: images[[one == kind for one in kinds]] for kind in dict.fromkeys(kinds)}


def _found(asked: Asked, prompt: str, both: Float32, placebos: dict[str, Float32]) -> tuple[effects.Effect, ...]:
    backend = asked.backend
    # one product for all, so that equal pictures have equal logits to the last digit
    logits = template_logits(backend, np.concatenate([both, *placebos.values()]), asked.texts)
    ends = np.cumsum([len(both), *(len(rows) for rows in placebos.values())])
    first, *others = np.split(logits, ends[:-1])
    return effects.effects(
        prompt,
        asked.names,
        first,
        probabilities(backend.card, backend.logits(both, ensemble(asked.texts))),
        dict(zip(placebos, others, strict=True)),
        asked.params.seed,
    )


def _changes(
    asked: Asked, prompt: str, kinds: Sequence[str], told: Sequence[str], images: Float32
) -> list[PlaceboChange]:
    rows = template_logits(asked.backend, np.concatenate([asked.unmarked, images]), asked.texts).mean(axis=1)
    return [
        PlaceboChange(prompt, kind, what, row - rows[0])
        for kind, what, row in zip(kinds, told, rows[1:], strict=True)
    ]


def _foveal(
    asked: Asked, away: Sequence[Placebo], progress: Progress
) -> tuple[tuple[effects.Effect, ...], list[PlaceboChange]]:
    """The effect of looking where the marks are, against looking elsewhere."""
    picture = asked.picture
    marks = [asked.params.marks, *(placebo.treatment.marks for placebo in away)]
    focuses = [focus(one, picture.height, picture.width) for one in marks]
    rows = asked.backend.encode_focused([picture] * len(focuses), focuses, asked.params.strength, progress)
    both = np.concatenate([asked.unmarked, rows[:1]])
    found = _found(asked, FOVEAL, both, {"elsewhere": rows[1:]})
    told = [placebo.what for placebo in away]
    return found, _changes(asked, FOVEAL, ["elsewhere"] * len(away), told, rows[1:])


def _cautions(asked: Asked) -> tuple[str, ...]:
    params, backend, original = asked.params, asked.backend, asked.params.images[0]
    told = [*picture_warnings(backend, (asked.picture,)), *text_warnings(backend, asked.names)]
    if asked.picture.rgb.shape != original.rgb.shape:
        told.append(
            f"{original.name}: brought from {original.width} x {original.height} to {asked.picture.width} x "
            f"{asked.picture.height} before marks were drawn; the tower sees {backend.card.image_size[0]} a side."
        )
    if params.foveal and not backend.card.can(Capability.FOCUS):
        told.append(f"No foveal attention: {backend.card.lacks[Capability.FOCUS]}.")
    if len(asked.names) > SWEPT:
        told.append(f"Maps, curves and regions are of the first {SWEPT} texts.")
    return tuple(told)


def _swept(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    if not asked.params.grid:
        return result
    unmarked = asked.logits(asked.unmarked)[0]
    for so_far in sweep.slid(
        asked.picture, asked.params.treatment, asked.params.grid, unmarked, asked.measured, progress
    ):
        result = replace(result, sweep=so_far)
        show(progress, result)
    return result


def _curved(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    if not asked.params.curves:
        return result
    unmarked = asked.logits(asked.unmarked)[0]
    points = sweep.curves(
        asked.picture, asked.params.treatment, unmarked, asked.measured, asked.params.seed, asked.view, progress
    )
    return replace(result, curves=tuple(points))


def _sought(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    wanted = asked.params.seek
    if not wanted:
        return result
    texts = encode_prompts(asked.backend, (wanted,), asked.params.templates)

    def measured(pictures: Sequence[Picture]) -> Float64:
        logits: Float64 = template_logits(asked.backend, asked.backend.encode_images(pictures), texts).mean(axis=1)
        return logits

    unmarked = float(template_logits(asked.backend, asked.unmarked, texts).mean())
    found = sweep.strongest(
        asked.picture,
        asked.params.treatment,
        wanted,
        unmarked,
        asked.params.grid or 7,
        asked.view,
        measured,
        progress,
    )
    return replace(result, found=found)


def _accused(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    params = asked.params
    if not params.accusing or params.whom != WHOM[0]:
        return result
    found, further = accused.accused(
        asked.backend, params.accusing, params.templates, params.marks[0], params.seed, progress
    )
    told = text_warnings(asked.backend, params.accusing)
    return replace(result, people=found, accused=further, cautions=(*result.cautions, *told))


def pixels_marked(before: RGB, after: RGB) -> float:
    """Share of the tower's pixels that the mark changed visibly, from two views (h, w, 3)."""
    difference = np.abs(before.astype(np.int16) - after.astype(np.int16)).max(axis=-1)
    return float((difference > VISIBLE).mean())
