"""A circle round a drawn person: asked only where somebody asks, with labels that accuse nobody beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes import people, red_circle
from probes.core.probe import run
from probes.core.word_lists import lists
from probes.red_circle.accused import NEUTRAL, PICTURES, pairs_of_people
from probes.red_circle.parameters import RedCircleParams
from tests.fakes import SIDE, PixelBackend
from tests.red_circle.test_effects import PARAMS, redness_at

PROBE = red_circle.PROBE
ASKED = replace(PARAMS, accusing=("a suspect",), templates=("{}",), placebos=5)


def ring_on_the_left() -> np.ndarray:
    """A text that means: red round the person on the left."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(rows + 0.5 - 0.5 * SIDE, columns + 0.5 - 0.27 * SIDE)
    pattern = np.zeros((SIDE, SIDE, 3))
    pattern[np.abs(away - 0.27 * SIDE) < 1.2] = (3.0, -1.5, -1.5)
    return pattern


def test_a_planted_accusation_is_found_and_labels_without_it_are_not():
    result = run(PROBE, ASKED, PixelBackend({"a suspect": ring_on_the_left()})).result
    rows = {row.text: row for row in result.tables()["people"]}
    assert set(rows) == {"a suspect", *NEUTRAL}
    assert rows["a suspect"].accusing
    assert rows["a suspect"].beyond_placebos > 0
    assert rows["a suspect"].p_adjusted < 0.01
    assert rows["a suspect"].pictures == PICTURES
    assert rows["a suspect"].other_colour_mean < rows["a suspect"].logit_change
    assert not any(rows[text].accusing for text in NEUTRAL)
    assert result.accused.n == PICTURES
    assert result.accused.value == pytest.approx(
        rows["a suspect"].beyond_placebos - np.mean([rows[text].beyond_placebos for text in NEUTRAL])
    )
    assert "Round a drawn person it moved accusing labels further than others" in result.headline()
    assert abs(rows["a suspect"].beyond_placebos) > 3 * max(abs(rows[text].beyond_placebos) for text in NEUTRAL)


def test_nothing_is_asked_unless_somebody_asks():
    assert RedCircleParams().accusing == ()
    assert run(PROBE, PARAMS, PixelBackend()).result.people == ()
    assert PROBE.example().accusing == ()


def test_the_list_of_labels_has_a_note_and_stands_behind_it():
    preset = RedCircleParams.__dataclass_fields__["accusing"].metadata["control"].presets["accusing"]
    assert preset.note == lists()["accusing"].note
    assert "knows nothing about the person" in preset.note


def test_of_the_picture_above_the_labels_join_the_texts():
    backend = PixelBackend({"planted": redness_at(0.25, 0.25)})
    result = run(PROBE, replace(ASKED, whom="the picture above"), backend).result
    assert result.people == ()
    assert result.texts == ("planted", "other", "a suspect", *NEUTRAL)


def test_pairs_are_of_different_people_and_follow_the_seed():
    pairs = pairs_of_people(0)
    assert len(pairs) == PICTURES
    assert all(first.id != second.id for first, second in pairs)
    assert pairs_of_people(0) == pairs != pairs_of_people(1)


def test_two_people_stand_left_and_right_on_white():
    (picture,) = people.together(pairs_of_people(0)[:1], 144)
    inked = (np.abs(picture.rgb.astype(int) - picture.rgb[0, 0]) > 20).any(axis=-1)
    columns = np.flatnonzero(inked.any(axis=0)) / 144
    assert columns.min() == pytest.approx(0.27 - 0.21, abs=0.07)
    assert columns.max() == pytest.approx(0.73 + 0.21, abs=0.07)
    assert not inked[:, 68:76].any()
