"""The effect of a mark: planted, absent, false-positive rates, and what a headline may say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes import red_circle
from probes.core.errors import FieldError
from probes.core.marks import Mark
from probes.core.model import Capability
from probes.core.probe import run
from probes.core.statistics import rank_p
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.effects import DRAWN, FOVEAL, beyond_interval, effects
from probes.red_circle.parameters import RedCircleParams
from probes.red_circle.placebos import elsewhere
from probes.red_circle.science import pixels_marked
from tests.fakes import CARD, SIDE, PixelBackend, grey, noise

PROBE = red_circle.PROBE
BARE = {"grid": 0, "curves": False}


def redness_at(x: float, y: float) -> np.ndarray:
    """A text that means: red in one corner of the tower's view."""
    pattern = np.zeros((SIDE, SIDE, 3))
    row, column = int(y * SIDE), int(x * SIDE)
    pattern[row - 2 : row + 3, column - 2 : column + 3] = (3.0, -1.5, -1.5)
    return pattern


def circle_at(x: float, y: float, radius: float = 0.1, width: float = 0.05) -> tuple[Mark, ...]:
    return (Mark("circle", ((x, y),), radius, width=width),)


BACKEND = PixelBackend({"planted": redness_at(0.25, 0.25)})
PARAMS = RedCircleParams(
    images=(noise(1, 64, 64),), marks=circle_at(0.25, 0.25), texts=("planted", "other"), **BARE
)


def test_a_planted_effect_is_found_with_its_sign():
    result = run(PROBE, PARAMS, BACKEND).result
    planted, other = result.effects
    assert planted.beyond.value > 0
    assert planted.p_adjusted <= 0.02
    assert other.p_adjusted > 0.02
    assert result.strongest().text == "planted"
    assert result.headline().startswith("The red circle, beyond its placebos, moved “planted” by +")
    assert f"{planted.beyond.value:+.2f} (95 % interval" in result.headline()
    assert planted.beyond.interval.low <= planted.beyond.value <= planted.beyond.interval.high


def test_the_same_circle_elsewhere_is_not_found():
    result = run(PROBE, replace(PARAMS, marks=circle_at(0.7, 0.7)), BACKEND).result
    assert result.effects[0].p_adjusted > 0.05
    assert "moved no text clearly" in result.headline()


def test_other_colours_and_shapes_tell_what_the_text_means():
    """The text means redness: other colours at the place do less, another red shape does as much or more."""
    planted = run(PROBE, PARAMS, BACKEND).result.effects[0]
    kinds = {kind.name: kind for kind in planted.kinds}
    assert set(kinds) == {"colour", "shape", "scattered"}
    assert (kinds["colour"].n, kinds["shape"].n, kinds["scattered"].n) == (6, 3, 39)
    assert kinds["colour"].mean < 0.5 * planted.change.value
    assert kinds["shape"].mean > kinds["colour"].mean
    assert abs(kinds["scattered"].mean) < 0.5 * planted.change.value
    assert planted.beyond_ink


def test_an_effect_of_ink_anywhere_is_not_called_the_marks():
    """A text that means red anywhere rises with scattered ink as with the circle; its place does not matter."""
    everywhere = np.tile((3.0, -1.5, -1.5), (SIDE, SIDE, 1))
    result = run(PROBE, PARAMS, PixelBackend({"planted": everywhere})).result
    planted = result.effects[0]
    scattered = next(kind for kind in planted.kinds if kind.name == "scattered")
    assert planted.change.value > 0.1
    assert scattered.mean == pytest.approx(planted.change.value, rel=0.35)
    assert planted.p_adjusted > 0.05


def test_what_scattered_ink_does_as_well_is_said_in_the_headline():
    result = run(PROBE, PARAMS, BACKEND).result
    planted = result.effects[0]
    ink = tuple(replace(kind, p=0.4) if kind.name == "scattered" else kind for kind in planted.kinds)
    told = replace(result, effects=(replace(planted, kinds=ink), *result.effects[1:])).headline()
    assert "But the same ink, scattered, moved it as far" in told


def test_changes_equal_a_short_independent_version():
    result = run(PROBE, PARAMS, BACKEND).result
    treatment = Treatment(PARAMS.marks)
    away = [draw(PARAMS.images[0], one.treatment) for one in elsewhere(PARAMS.images[0], treatment, 99, 0)]
    rows = BACKEND.encode_images((PARAMS.images[0], draw(PARAMS.images[0], treatment), *away)).astype(np.float64)
    for effect in result.effects:
        prompts = [template.replace("{}", effect.text) for template in PARAMS.templates]
        logits = 20.0 * rows @ BACKEND.encode_texts(prompts).T.astype(np.float64)
        by_hand = (logits[1] - logits[0]).mean()
        placebos = (logits[2:] - logits[0]).mean(axis=1)
        assert effect.change.value == pytest.approx(by_hand, abs=1e-5)
        assert effect.change.n == len(PARAMS.templates)
        assert effect.placebo_mean == pytest.approx(placebos.mean(), abs=1e-5)
        assert effect.beyond.value == pytest.approx(by_hand - placebos.mean(), abs=1e-5)
        as_far = np.abs(placebos - (placebos.sum() + by_hand) / 100) >= abs(
            by_hand - (placebos.sum() + by_hand) / 100
        )
        assert effect.beyond.p == pytest.approx((1 + as_far.sum()) / 100)


def test_the_interval_is_over_placements_and_templates():
    """Against a plain bootstrap, one draw at a time; either source of spread alone widens it."""
    rng = np.random.default_rng(0)
    change, away = rng.normal(1, 0.5, (4, 1)), rng.normal(0, 1, (30, 4, 1))
    low, high = beyond_interval(change, away, 0)
    draws = []
    for _ in range(4000):
        t, k = rng.integers(4, size=4), rng.integers(30, size=30)
        draws.append((change[t, 0] - away[np.ix_(k, t, [0])][..., 0].mean(axis=0)).mean())
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.06)
    one_template = beyond_interval(change[:1], away[:, :1], 0)
    assert one_template[1][0] - one_template[0][0] > 0
    still = beyond_interval(change, np.zeros_like(away), 0)
    assert still[0][0] < change.mean() < still[1][0]


@pytest.mark.slow
def test_the_interval_covers_the_truth():
    """Placements and templates drawn anew: the interval of the mean holds the truth in about 95 % of samples."""
    rng = np.random.default_rng(1)
    held, few = 0, 300
    for repetition in range(few):
        wording = rng.normal(0, 0.5, (12, 1))
        away = rng.normal(0, 1, (40, 12, 1)) + rng.normal(0, 1, (40, 1, 1))
        low, high = beyond_interval(1.0 + wording, away, repetition)
        held += low[0] <= 1.0 <= high[0]
    assert 0.90 <= held / few <= 0.99


@pytest.mark.slow
def test_five_percent_of_circles_without_effect_are_called_effects():
    # Places drawn from the placebos' own distribution: the null of the rank test holds exactly.
    rng = np.random.default_rng(0)
    called = 0
    for repetition in range(300):
        params = RedCircleParams(
            images=(noise(repetition, 48, 48),),
            marks=circle_at(*rng.uniform(0.25, 0.75, 2), radius=0.05, width=0.08),
            texts=("one", "two"),
            templates=("{}",),
            placebos=39,
            seed=repetition,
            **BARE,
        )
        called += run(PROBE, params, PixelBackend()).result.effects[0].beyond.p <= 0.05
    assert 0.02 <= called / 300 <= 0.08


def test_a_circle_that_vanishes_is_said_to_vanish():
    thin = RedCircleParams(images=(grey(60, 60),), marks=circle_at(0.5, 0.5, 0.1, 0.002), **BARE)
    result = run(PROBE, thin, PixelBackend()).result
    assert result.pixels_marked == 0
    assert "vanishes" in result.headline()


def test_a_mark_that_the_tower_crops_away_is_said_to_be_outside_of_its_view():
    class Cropping(PixelBackend):
        def _view(self, picture):
            edge = (picture.width - picture.height) // 2
            middle = picture.rgb[:, edge : picture.width - edge]
            return super()._view(type(picture)(picture.name, middle))

    params = RedCircleParams(images=(noise(1, 60, 180),), marks=circle_at(0.1, 0.5, 0.2), **BARE)
    result = run(PROBE, params, Cropping()).result
    assert result.seen < 0.02
    assert result.view == pytest.approx((1 / 3, 0, 2 / 3, 1), abs=0.03)
    assert "never sees this mark" in result.headline()
    inside = run(PROBE, replace(params, marks=circle_at(0.5, 0.5, 0.2)), Cropping()).result
    assert inside.seen == pytest.approx(1.0, abs=0.02)
    for row in inside.placebos:  # one that the tower never sees would be none
        if row.kind == "elsewhere":
            assert 0.33 < float(row.what.split(",")[0]) < 0.67
    assert any("sees only a part of this picture" in warning for warning in inside.warnings())
    partly = run(PROBE, replace(params, marks=circle_at(1 / 3, 0.5, 0.2)), Cropping()).result
    assert partly.seen == pytest.approx(0.5, abs=0.05)
    assert any("50% of the marks lie there" in warning for warning in partly.warnings())


def test_foveal_attention_is_asked_only_of_towers_that_can():
    able = PixelBackend({"planted": redness_at(0.25, 0.25)}, card=replace(CARD, lacks={}))
    looked = run(PROBE, PARAMS, able).result.of(FOVEAL)
    assert [effect.text for effect in looked] == ["planted", "other"]
    result = run(PROBE, PARAMS, BACKEND).result
    assert not result.looked
    assert any(CARD.lacks[Capability.FOCUS] in warning for warning in result.warnings())
    assert not run(PROBE, replace(PARAMS, foveal=False), able).result.looked
    still = run(PROBE, replace(PARAMS, strength=0.0), able).result.of(FOVEAL)
    assert all(effect.change.value == pytest.approx(0, abs=1e-6) for effect in still)


def test_one_text_alone_is_asked_and_its_probability_explained():
    result = run(PROBE, replace(PARAMS, texts=("planted",)), BACKEND).result
    assert result.effects[0].probability_marked == 1.0
    assert any("always 100 %" in warning for warning in result.warnings())


def test_tables_have_the_promised_columns():
    tables = run(PROBE, replace(PARAMS, grid=2), BACKEND).to_dict()["tables"]
    promised = ["text", "mark", "prompt", "logit_change", "probability_change", "low", "high", "placebo_mean", "p"]
    assert list(tables["effects"][0])[:9] == promised
    assert list(tables["sweep"][0]) == ["text", "x", "y", "logit"]
    assert tables["pointing"] == []
    row = tables["effects"][0]
    assert row["mark"] == "circle 0.25,0.25 0.1 width=0.05"
    assert row["prompt"] == DRAWN
    assert row["low"] <= row["logit_change"] <= row["high"]


def test_pixels_marked_counts_what_changed():
    before = np.zeros((4, 4, 3), np.uint8)
    after = before.copy()
    after[0, 0, 2] = 200
    after[1, 1, 0] = 10
    assert pixels_marked(before, after) == 1 / 16


def test_no_room_for_placebos_is_said_beside_the_marks():
    with pytest.raises(FieldError) as caught:
        run(PROBE, replace(PARAMS, marks=circle_at(0.5, 0.5, 0.49)), BACKEND)
    assert caught.value.field == "marks"
    assert "smaller" in caught.value.message


def test_preview_is_the_marked_picture():
    assert (PROBE.preview(PARAMS).rgb == (255, 0, 0)).all(axis=-1).any()


def test_a_glance_is_what_the_answer_will_say_of_the_picture():
    seen, result = PROBE.glance(PARAMS, BACKEND), run(PROBE, PARAMS, BACKEND).result
    for row, effect in zip(seen.rows, result.effects, strict=True):
        assert row.text == effect.text
        assert row.change == pytest.approx(effect.change.value, abs=1e-5)
        assert (row.before, row.after) == pytest.approx((effect.probability_unmarked, effect.probability_marked))
    assert seen.views == (result.unmarked, result.marked)


def test_families_are_corrected_over_texts():
    rng = np.random.default_rng(0)
    both, away = rng.normal(size=(2, 1, 5)), rng.normal(size=(39, 1, 5))
    found = effects(DRAWN, "abcde", both, np.full((2, 5), 0.2), {"elsewhere": away}, 0)
    ps = [effect.beyond.p for effect in found]
    changes = (both[1] - both[0])[0]
    assert ps == [rank_p(changes[place], (away[:, 0, place] - both[0, 0, place])) for place in range(5)]
    assert all(effect.p_adjusted >= effect.beyond.p for effect in found)
