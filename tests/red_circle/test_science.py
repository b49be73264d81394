"""The effect of a circle: planted, absent, and false-positive rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes import red_circle
from probes.core.errors import FieldError
from probes.core.probe import run
from probes.red_circle.science import RedCircleParams, pixels_marked
from tests.fakes import SIDE, PixelBackend, grey, noise

PROBE = red_circle.PROBE


def redness_at(x: float, y: float) -> np.ndarray:
    """A text that means: red in one corner of the tower's view."""
    pattern = np.zeros((SIDE, SIDE, 3))
    row, column = int(y * SIDE), int(x * SIDE)
    pattern[row - 2 : row + 3, column - 2 : column + 3] = (3.0, -1.5, -1.5)
    return pattern


BACKEND = PixelBackend({"planted": redness_at(0.25, 0.25)})
PARAMS = RedCircleParams(image=(noise(1),), at=(0.25, 0.25), radius=0.1, width=0.05, labels=("planted", "other"))


def test_a_planted_effect_is_found_with_its_sign():
    result = run(PROBE, PARAMS, BACKEND).result
    planted, other = result.effects
    assert planted.beyond.value > 0
    assert planted.p_adjusted <= 0.02
    assert other.p_adjusted > 0.02
    assert result.strongest().label == "planted"
    assert "circle here moved “planted” by +" in result.headline()
    assert f"{planted.beyond.value:+.2f} (95 % interval" in result.headline()
    assert planted.beyond.interval.low <= planted.beyond.value <= planted.beyond.interval.high


def test_the_same_circle_elsewhere_is_not_found():
    result = run(PROBE, replace(PARAMS, at=(0.7, 0.7)), BACKEND).result
    assert result.effects[0].p_adjusted > 0.05
    assert "moved no label clearly" in result.headline()


def test_changes_equal_a_short_independent_version():
    result = run(PROBE, PARAMS, BACKEND).result
    from probes.red_circle.marks import draw

    unmarked, marked = BACKEND.encode_images((PARAMS.image[0], draw(PARAMS.image[0], PARAMS.circle)))
    for effect in result.effects:
        by_hand = [
            20.0 * float((marked.astype(np.float64) - unmarked) @ BACKEND.encode_texts([text])[0])
            for text in (template.replace("{}", effect.label) for template in PARAMS.templates)
        ]
        assert effect.change.value == pytest.approx(np.mean(by_hand), abs=1e-5)
        assert effect.change.n == len(PARAMS.templates)
        assert effect.beyond.value == pytest.approx(effect.change.value - effect.placebo_mean)


@pytest.mark.slow
def test_five_percent_of_circles_without_effect_are_called_effects():
    # Places drawn from the placebos' own distribution: the null of the rank test holds exactly.
    rng = np.random.default_rng(0)
    called = 0
    for repetition in range(300):
        params = RedCircleParams(
            image=(noise(repetition, 48, 48),),
            at=tuple(rng.uniform(0.25, 0.75, 2)),
            radius=0.05,
            width=0.08,
            labels=("one", "two"),
            templates=("{}",),
            placebos=39,
            seed=repetition,
        )
        result = run(PROBE, params, PixelBackend()).result
        called += result.effects[0].beyond.p <= 0.05
    assert 0.02 <= called / 300 <= 0.08


def test_a_circle_that_vanishes_is_said_to_vanish():
    thin = RedCircleParams(image=(grey(900, 900),), radius=0.06, width=0.002)
    result = run(PROBE, thin, PixelBackend()).result
    assert result.pixels_marked == 0
    assert "vanishes" in result.headline()


def test_pixels_marked_counts_what_changed():
    before = np.zeros((4, 4, 3), np.uint8)
    after = before.copy()
    after[0, 0, 2] = 200
    after[1, 1, 0] = 10
    assert pixels_marked(before, after) == 1 / 16


def test_no_room_for_placebos_is_said_beside_the_radius():
    with pytest.raises(FieldError) as caught:
        run(PROBE, replace(PARAMS, radius=0.49), BACKEND)
    assert caught.value.field == "radius"
    assert "smaller" in caught.value.message


def test_preview_is_the_marked_picture():
    assert (PROBE.preview(PARAMS).rgb == (255, 0, 0)).all(axis=-1).any()
