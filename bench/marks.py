"""The red-circle lab: from a mark that was moved to new bars, and a whole sweep."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from app import stage
from bench.cases import drawn
from probes.backend import load
from probes.core.model import Backend, no_progress
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.red_circle import PROBE
from probes.red_circle.looking import glance
from probes.red_circle.parameters import RedCircleParams
from probes.red_circle.science import preview

MOVES = 30
TEXTS = tuple(f"a thing of kind {number}" for number in range(20))


@dataclass(frozen=True)
class Timed:
    """Milliseconds of moves (median, least, most), and seconds of a sweep of 14 x 14 places for 20 texts."""

    move: tuple[float, float, float]
    sweep: float
    one_by_one: float


def marks(spec: str, picture: Picture | None = None) -> Timed:
    """Time a model.

    Args:
        spec: of the model.
        picture: what is drawn on; the page's example unless one is given.
    """
    backend = load(spec)
    params = PROBE.example()
    if picture is not None:
        params = replace(params, images=(picture,), outside="as it is")
    times = [_move(params, backend, number) for number in range(MOVES + 3)][3:]
    bare = replace(
        params, texts=TEXTS, outside="as it is", curves=False, foveal=False, among="nothing", placebos=5
    )
    run(PROBE, replace(bare, grid=0), backend)  # texts and placebos come from the cache from here on
    start = time.perf_counter()
    run(PROBE, bare, backend)
    whole = time.perf_counter() - start
    return Timed((statistics.median(times), min(times), max(times)), whole, _single(bare, backend))


def _move(params: RedCircleParams, backend: Backend, number: int) -> float:
    """Milliseconds of the server's work for one move to a place where the mark has not been."""
    (mark,) = params.marks
    moved = replace(params, marks=(mark.moved_to(0.25 + 0.017 * number, 0.3 + 0.013 * number),))
    start = time.perf_counter()
    small = replace(moved, images=(stage.small(moved.images[0]),))
    stage.data_uri(preview(small))
    glance(moved, backend)
    return 1000 * (time.perf_counter() - start)


def _single(params: RedCircleParams, backend: Backend) -> float:
    """Seconds of encoding as many marked pictures one by one."""
    params = replace(params, images=(stage.small(params.images[0]),))
    frames = [
        preview(replace(params, marks=(params.marks[0].moved_to(0.2 + 0.003 * n, 0.7 - 0.002 * n),)))
        for n in range(196)
    ]
    start = time.perf_counter()
    for frame in frames:
        backend.encode_images([frame], no_progress)
    return time.perf_counter() - start


def photo() -> Picture:
    """A picture of twelve megapixels."""
    (small,) = drawn(1)
    return Picture("photo", small.rgb.repeat(6, axis=0).repeat(6, axis=1)[:3000, :4000])
