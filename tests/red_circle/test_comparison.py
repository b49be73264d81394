"""What a mark does to one model beyond another: against a plain version, planted, and for earlier reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.core.comparison import LeftOut
from probes.core.model import no_progress
from probes.core.statistics import Estimate, Interval
from probes.red_circle.comparison import OTHER_PROMPTS, OTHER_QUESTIONS, PLACES_ALONE, _interval, compare
from probes.red_circle.effects import DRAWN, FOVEAL
from probes.red_circle.pointing import Pointed
from probes.red_circle.science import RedCircleParams, measure
from probes.red_circle.visual_prompts import ENSEMBLE
from tests.fakes import SIDE, PixelBackend, noise

TEXTS = ("a circle", "a dog")


@pytest.fixture(scope="module")
def results():
    """The first model takes what is red in one place for a circle; to the second all texts are noise."""
    red = np.zeros((SIDE, SIDE, 3))
    red[5:11, 5:11, 0] = 100.0
    red[5:11, 5:11, 1:] = -100.0
    templates = ("{}", "a photo of {}", "one {}", "my {}", "the {}", "this {}")
    meanings = {template.replace("{}", "a circle"): red for template in templates}
    params = RedCircleParams(
        images=(noise(0),), texts=TEXTS, templates=templates, grid=0, curves=False, foveal=False, seed=1
    )
    return [measure(params, backend, no_progress) for backend in (PixelBackend(meanings=meanings), PixelBackend())]


def test_the_difference_is_the_mark_s_less_the_placebos_(results):
    found = {each.what: each for each in compare(*results)}
    one = found["mark on “a circle”, beyond placebos"]
    changes, placebos = [], []
    for result in results:
        changes.append(result.of(DRAWN)[0].change.value)
        placebos.append(np.array([p.changes[0] for p in result.placebos if p.kind == "elsewhere"]))
    apart = placebos[0] - placebos[1]
    assert one.difference == pytest.approx(changes[0] - changes[1] - apart.mean(), abs=1e-5)
    everything = np.append(apart, changes[0] - changes[1])
    far = np.abs(everything - everything.mean())
    assert one.p == pytest.approx(np.mean(far >= far[-1] - 1e-6))
    assert one.n == len(apart)
    assert one.over == "placements and 6 templates"


def test_what_is_planted_lies_within_its_interval_and_beyond_zero(results):
    one = next(each for each in compare(*results) if "a circle" in each.what)
    assert one.low < one.difference < one.high
    assert one.low > 0
    assert one.p < 0.05


def test_intervals_cover_a_planted_difference_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    covered, runs = 0, 60
    for _ in range(runs):  # what placements and templates add, each drawn anew
        placements, templates = rng.normal(0, 1, 30), 1.0 + rng.normal(0, 0.5, 8)
        low, high = _interval(templates.mean() - placements.mean(), templates, placements)
        covered += low <= 1.0 <= high
    assert 0.88 <= covered / runs <= 1.0


def test_by_template_averages_to_what_is_beyond(results):
    for effect in results[0].of(DRAWN):
        assert np.mean(effect.by_template) == pytest.approx(effect.beyond.value, abs=1e-5)


def test_earlier_reports_are_compared_over_placements_alone(results):
    older = [replace(r, effects=tuple(replace(e, by_template=()) for e in r.effects)) for r in results]
    one = compare(*older)[0]
    assert one.note == PLACES_ALONE
    assert one.over == "placements"
    assert one.high - one.low < compare(*results)[0].high - compare(*results)[0].low


def test_other_placebos_leave_the_two_intervals(results):
    moved = replace(results[1], placebos=tuple(replace(p, what=p.what + "!") for p in results[1].placebos))
    one = compare(results[0], moved)[0]
    first, second = (result.of(DRAWN)[0].beyond for result in results)
    below = np.hypot(first.value - first.interval.low, second.interval.high - second.value)
    assert one.low == pytest.approx(first.value - second.value - below)
    assert one.p is None


def test_people_and_pointing_are_compared_where_both_have_them(results):
    def more(result, value, correct):
        row = Pointed(
            "red circle", correct, 40, correct / 40, correct / 40 - 0.1, correct / 40 + 0.1, 0.5, 20, 0.1, 0.1
        )
        return replace(
            result, accused=Estimate(value, 48, "pictures", Interval(value - 1, value + 1)), pointing=(row,)
        )

    found = {each.what: each for each in compare(more(results[0], 3.0, 30), more(results[1], 1.0, 20))}
    people = found["circle round a person, accusing labels beyond others"]
    assert (people.difference, people.low) == (2.0, pytest.approx(2 - np.sqrt(2)))
    assert found["pointing by red circle"].difference == pytest.approx(0.25)
    alone = compare(more(results[0], 3.0, 30), results[1])
    assert not [each for each in alone if each.unit == "share right"]


def pointed(result, prompts, **given):
    """A result with rows of `pointing`, as those of forty questions."""
    row = Pointed("", 30, 40, 0.75, 0.6, 0.9, 0.5, 20, 0.1, 0.1)
    every = (*prompts, ENSEMBLE, *(f"{name}, subtracted" for name in (*prompts, ENSEMBLE)))
    return replace(result, pointing=tuple(replace(row, prompt=name, **given) for name in every))


def rows_of(found):
    return [each.what for each in found if not isinstance(each, LeftOut) and each.unit == "share right"]


def test_all_prompts_together_are_compared_only_where_they_are_the_same_prompts(results):
    one, other = pointed(results[0], ("circle", FOVEAL)), pointed(results[1], ("circle",))
    found = compare(one, other)
    assert rows_of(found) == ["pointing by circle", "pointing by circle, subtracted"]
    assert [each for each in found if isinstance(each, LeftOut)] == [OTHER_PROMPTS]
    assert len(rows_of(compare(one, pointed(results[1], ("circle", FOVEAL))))) == 6


@pytest.mark.parametrize("given", [{"total": 39}, {"pictures": 19}, {"chance": 0.4}])
def test_pointing_at_other_questions_is_not_compared(results, given):
    found = compare(pointed(results[0], ("circle",)), pointed(results[1], ("circle",), **given))
    assert rows_of(found) == []
    assert [each for each in found if isinstance(each, LeftOut)] == [OTHER_QUESTIONS]
