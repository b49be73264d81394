"""Sweeps: the map finds what was planted, a stopped one covers the picture, and the search finds the best mark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes import red_circle
from probes.core.errors import Cancelled
from probes.core.probe import run
from probes.core.report import Report
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.sweep import places
from tests.fakes import PixelBackend
from tests.red_circle.test_effects import BACKEND, PARAMS

PROBE = red_circle.PROBE


def test_the_map_is_highest_where_the_text_lives():
    result = run(PROBE, replace(PARAMS, grid=12), BACKEND).result
    assert result.sweep.whole
    cells = result.sweep.cells(0)
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    assert np.hypot((column + 0.5) / 12 - 0.25, (row + 0.5) / 12 - 0.25) < 0.17
    other = result.sweep.cells(1)
    assert cells.max() > 2 * other.max()


def test_a_place_of_the_map_is_the_logit_of_the_mark_drawn_there():
    result = run(PROBE, replace(PARAMS, grid=4), BACKEND).result
    picture, mark = PARAMS.images[0], PARAMS.marks[0]
    prompts = [template.replace("{}", "planted") for template in PARAMS.templates]
    texts = BACKEND.encode_texts(prompts)
    for (x, y), logits in zip(result.sweep.places, result.sweep.logits, strict=True):
        drawn = BACKEND.encode_images([draw(picture, Treatment((mark.moved_to(x, y),)))])
        assert logits[0] == pytest.approx(float(BACKEND.logits(drawn, texts).mean()), abs=1e-4)


def test_every_beginning_of_the_order_covers_the_picture():
    every = places(14)
    assert len({tuple(place) for place in every.tolist()}) == 196
    quarter = every[:49]
    counts = np.histogram2d(*quarter.T, bins=2, range=((0, 1), (0, 1)))[0]
    assert counts.min() >= 8


def test_texts_are_encoded_once_and_the_sweep_in_batches():
    class Counting(PixelBackend):
        texts = 0
        requests: tuple[int, ...] = ()

        def encode_texts(self, texts, progress=lambda share, doing: None):
            type(self).texts += len(texts)
            return super().encode_texts(texts, progress)

        def encode_images(self, pictures, progress=lambda share, doing: None):
            type(self).requests += (len(pictures),)
            return super().encode_images(pictures, progress)

    names = tuple(f"text {number}" for number in range(20))
    run(PROBE, replace(PARAMS, texts=names, grid=14, foveal=False), Counting())
    assert Counting.texts == 20 * len(PARAMS.templates)
    assert sorted(Counting.requests, reverse=True)[1:8] == [28] * 7


def test_curves_have_placebos_and_tell_what_is_planted():
    result = run(PROBE, replace(PARAMS, curves=True), BACKEND).result
    colours = {one.name: one.changes[0] for one in result.curves if one.what == "colour"}
    assert max(colours, key=colours.get) == "red"
    widths = [one for one in result.curves if one.what == "width"]
    assert [one.value for one in widths] == sorted(one.value for one in widths)
    assert widths[-1].changes[0] > widths[0].changes[0]
    here = {one.name: one for one in result.curves if one.what == "radius"}[f"{PARAMS.marks[0].radius:.3g}"]
    assert here.changes[0] == pytest.approx(result.effects[0].change.value, abs=1e-5)
    assert all(one.elsewhere is not None for one in widths)


def test_the_search_finds_a_mark_at_least_as_good_as_any_it_tried():
    result = run(PROBE, replace(PARAMS, grid=6, seek="planted"), BACKEND).result
    best = result.found
    inside = ((result.sweep.places > 0.1) & (result.sweep.places < 0.9)).all(axis=1)  # seen whole
    highest = (result.sweep.logits[inside, 0] - result.sweep.unmarked[0]).max()
    assert best.change >= highest - 1e-6
    assert best.mark.colour == "red"
    assert np.hypot(best.mark.centre[0] - 0.25, best.mark.centre[1] - 0.25) < 0.2
    assert any(str(best.mark) in warning and "best of many" in warning for warning in result.warnings())
    redrawn = run(PROBE, replace(PARAMS, marks=(best.mark,)), BACKEND).result
    assert redrawn.effects[0].change.value == pytest.approx(best.change, abs=1e-5)


def test_a_stopped_run_leaves_what_was_shown_last():
    seen: list[Report] = []

    def stop(share: float, doing: str) -> None:
        if "at place 57" in doing:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(PROBE, replace(PARAMS, grid=14), BACKEND, stop, seen.append)
    last = seen[-1].result
    assert len(last.sweep.places) == 56
    assert not last.sweep.whole
    assert any("The map has 56 of 196 places" in warning for warning in last.warnings())
    assert np.isfinite(last.sweep.cells(0)).sum() == 56
    drawn = PROBE.figures(last)["map"]
    assert "56 of 196" in drawn.layout.title.text
    whole = run(PROBE, replace(PARAMS, grid=14), BACKEND).result
    assert last.effects == whole.effects


def test_several_marks_the_first_is_slid_and_the_others_stay():
    second = replace(PARAMS.marks[0].moved_to(0.25, 0.25))
    away = PARAMS.marks[0].moved_to(0.8, 0.8)
    alone = run(PROBE, replace(PARAMS, marks=(away,), grid=5), BACKEND).result.sweep.cells(0)
    both = run(PROBE, replace(PARAMS, marks=(away, second), grid=5), BACKEND).result.sweep.cells(0)
    assert both.min() > alone.min() + 0.1
