"""Point and name: which region of the picture each text is, and how often that is right where names are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from probes import scenes
from probes.core.model import Backend, Float32, Progress, no_progress
from probes.core.picture_sets import PictureFiles, Unreadable
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts, text_warnings
from probes.core.regions import Box, Region, Regions
from probes.core.watching import show
from probes.red_circle import pointing
from probes.red_circle.asked import SWEPT, Asked
from probes.red_circle.effects import template_logits
from probes.red_circle.parameters import GRID, MARKS, SCENES
from probes.red_circle.pointing import Scene
from probes.red_circle.result import RedCircleResult
from probes.red_circle.view import overlap, view
from probes.red_circle.visual_prompts import encoded

SHOWN_EVERY = 40
"""Pictures after which the count so far is shown."""
TOLD = 5
"""Sentences of a kind that are told one by one."""
SEEN = 0.5
"""Share of a region that the tower has to see."""
LOOKED_AT = 60
"""Pictures of a set of which it is told whether they are unlike the model's training."""

Float64 = NDArray[np.float64]


def picked(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    """Which region of this picture each text is."""
    regions, hidden = _seen(_regions(asked), asked.view)
    if hidden:
        result = replace(result, cautions=(*result.cautions, _hidden(asked.picture.name, hidden)))
    if len(regions) < 2:
        return result
    names = asked.names[:SWEPT]
    rows = encoded(asked.backend, asked.picture, [one.box for one in regions], asked.style, progress)
    logits = asked.logits(rows.reshape(-1, rows.shape[-1])).reshape(*rows.shape[:2], -1)
    found = pointing.picks(names, regions, pointing.scores(logits), asked.style)
    return replace(result, picks=tuple(found))


def _regions(asked: Asked) -> tuple[Region, ...]:
    """The regions of the picture on the page that the texts are looked for in."""
    params, picture = asked.params, asked.params.images[0]
    if len(params.regions):
        return () if len(params.set) else params.regions.of(picture.name, picture.width, picture.height)
    if params.among == MARKS:
        aspect = picture.width / picture.height
        boxes = [mark.box(aspect) for mark in params.marks]
        cut = [tuple(min(max(end, 0.0), 1.0) for end in box) for box in boxes]
        return tuple(
            Region("", (box[0], box[1], box[2], box[3]), f"mark {number + 1}") for number, box in enumerate(cut)
        )
    if params.among == GRID:
        n = params.cells
        return tuple(
            Region(
                "", (column / n, row / n, (column + 1) / n, (row + 1) / n), f"row {row + 1}, column {column + 1}"
            )
            for row in range(n)
            for column in range(n)
        )
    return ()


def _seen(regions: Sequence[Region], part: Box) -> tuple[tuple[Region, ...], int]:
    """Regions of which the tower sees at least half, cut to what it sees, and how many others there are."""
    found = []
    for one in regions:
        cut, share = overlap(one.box, part)
        if share >= SEEN:
            found.append(replace(one, box=cut))
    return tuple(found), len(regions) - len(found)


def _hidden(name: str, count: int) -> str:
    those = "one region is" if count == 1 else f"{count} regions are"
    return f"{name}: {those} left out, since the tower sees less than half of them."


def pointed(asked: Asked, result: RedCircleResult, progress: Progress) -> RedCircleResult:
    """How often each visual prompt finds what has a name, where names are known."""
    params, backend = asked.params, asked.backend
    regions, files = params.regions, params.set
    if not len(regions):
        if params.among != SCENES:
            return result
        regions, files = scenes.regions(), scenes.pictures()
    shown, told = _scenes(backend, regions, files, params.images[0])
    wrong = [f"{regions.name}, row {problem.row}: {problem.reason}." for problem in regions.problems]
    told += _shortened(wrong, "rows")
    if not shown:
        return replace(result, cautions=(*result.cautions, *told))
    called = tuple(dict.fromkeys(region.name for scene in shown for region in scene.regions if region.name))
    texts = encode_prompts(backend, called, params.templates)

    def logits(images: Float32) -> Float64:
        named: Float64 = template_logits(backend, images, texts).mean(axis=1)
        return named

    found: list[pointing.Answers] = []
    for number, scene in enumerate(shown):
        progress(number / len(shown), f"picture {number + 1} of {len(shown)}")
        found.append(pointing.answered(backend, scene, called, logits, asked.style, no_progress))
        if number % SHOWN_EVERY == SHOWN_EVERY - 1:
            table = pointing.accuracy(found, asked.style, params.seed)
            so_far = f"Pointing is counted on {number + 1} of {len(shown)} pictures."
            show(progress, replace(result, pointing=table, cautions=(*result.cautions, *told, so_far)))
    table = pointing.accuracy(found, asked.style, params.seed)
    told += text_warnings(backend, called)
    if len(files):  # of the one picture on the page it is told already
        told += _unfamiliar(backend, [scene.picture for scene in shown])
    return replace(result, pointing=table, cautions=(*result.cautions, *told))


def _unfamiliar(backend: Backend, pictures: Sequence[Picture]) -> list[str]:
    """A sentence on pictures of a set that are unlike the model's training, if there are any."""
    asked = pictures[:LOOKED_AT]
    strange = sum(warning is not None for warning in backend.unfamiliar_pictures(asked))
    if not strange:
        return []
    return [
        f"Of {len(asked)} pictures of the set, {strange} are unlike anything this model was trained on: "
        "what it says of them means little."
    ]


def _scenes(
    backend: Backend, regions: Regions, files: PictureFiles, own: Picture
) -> tuple[list[Scene], list[str]]:
    """Pictures that ask a question, and sentences on those that do not."""
    told: list[str] = []
    found = []
    views: dict[tuple[int, int], Box] = {}
    for picture in files.read(files.names) if len(files) else (own,):
        if isinstance(picture, Unreadable):
            told.append(f"{picture.name}: {picture.reason}.")
            continue
        size = (picture.width, picture.height)
        if size not in views:
            views[size] = view(backend, picture)
        cut, hidden = _seen(regions.of(picture.name, *size), views[size])
        if hidden:
            told.append(_hidden(picture.name, hidden))
        scene = Scene(picture, cut)
        if len(scene.regions) > 1 and scene.asked:
            found.append(scene)
    if not found:
        told.append(
            "No picture has two regions and a name that only one of them bears: there is nothing to count."
        )
    return found, _shortened(told, "pictures")


def _shortened(told: list[str], what: str) -> list[str]:
    """The first sentences, and how many there are besides."""
    rest = len(told) - TOLD
    return told if rest <= 0 else [*told[:TOLD], f"So it is with {rest} more {what}."]
