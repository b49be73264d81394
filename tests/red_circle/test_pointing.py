"""Pointing: planted answers are found, guesses are at chance, and subtraction takes away what all texts gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes import red_circle
from probes.core.errors import FieldError
from probes.core.picture_sets import PictureFiles
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.core.regions import Region, Regions
from probes.red_circle.parameters import GRID, MARKS
from probes.red_circle.pointing import Answers, Scene, accuracy, scores, variants
from probes.red_circle.visual_prompts import PROMPTS, Style, names
from tests.fakes import CARD, SIDE, PixelBackend, noise
from tests.red_circle.test_effects import BACKEND, PARAMS, circle_at

PROBE = red_circle.PROBE
STYLE = Style("red", 0.05, 2.0, foveal=False)
COUNT = 2 * (len(PROMPTS) + 1)


def redness(x0: int, x1: int) -> np.ndarray:
    pattern = np.zeros((SIDE, SIDE, 3))
    pattern[:, x0:x1] = (3.0, -1.5, -1.5)
    return pattern


LEFT_RIGHT = PixelBackend({"left": redness(0, 8), "right": redness(8, 16)})
CSV = b"x0,y0,x1,y1,name\n0.1,0.2,0.4,0.8,left\n0.6,0.2,0.9,0.8,right\n"


def test_a_region_with_a_name_is_found_by_a_circle_where_that_is_planted():
    params = replace(PARAMS, regions=Regions.read(CSV, "r.csv"), marks=circle_at(0.25, 0.25, 0.1, 0.1))
    result = run(PROBE, params, LEFT_RIGHT).result
    circle = next(row for row in result.pointing if row.prompt == "circle")
    assert (circle.correct, circle.total, circle.value, circle.chance) == (2, 2, 1.0, 0.5)
    assert circle.low < circle.value == circle.high
    assert [row.prompt for row in result.pointing] == list(variants(STYLE))
    picked = {(one.prompt, one.text): one.region for one in result.picks}
    assert len(picked) == COUNT * len(PARAMS.texts)


def test_a_grid_and_marks_are_regions_too():
    grid = run(PROBE, replace(PARAMS, among=GRID, cells=3), BACKEND).result
    assert {(one.x0, one.y0) for one in grid.picks} <= {(c / 3, r / 3) for c in range(3) for r in range(3)}
    planted = next(one for one in grid.picks if one.prompt == "circle" and one.text == "planted")
    assert planted.region == 1  # the text lives in the upper left
    two = (*circle_at(0.7, 0.7), *circle_at(0.25, 0.25))
    chosen = run(PROBE, replace(PARAMS, marks=two, among=MARKS), BACKEND).result
    assert next(one for one in chosen.picks if one.text == "planted").name == "mark 2"
    with pytest.raises(FieldError, match="at least two marks"):
        run(PROBE, replace(PARAMS, among=MARKS), BACKEND)


def test_subtracted_scores_lose_what_a_region_gains_with_every_text():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 5))
    lifted = logits + rng.normal(size=(3, 4, 1)) * 10
    plain, subtracted = np.split(scores(logits), 2)
    assert plain[:3] == pytest.approx(logits)
    assert plain[3] == pytest.approx(logits.mean(axis=0))
    by_hand = np.array(
        [[[row[t] - np.delete(row, t).mean() for t in range(5)] for row in table] for table in logits]
    )
    assert subtracted[:3] == pytest.approx(by_hand)
    assert np.split(scores(lifted), 2)[1] == pytest.approx(subtracted)
    alone = scores(logits[..., :1])
    assert alone[:4] == pytest.approx(alone[4:])


def test_accuracy_of_guesses_is_at_chance_and_called_so():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(150):
        regions = int(rng.integers(2, 5))
        asked = np.arange(regions)
        taken = rng.integers(regions, size=(COUNT, regions))
        found.append(Answers(taken == asked, taken, asked, regions))
    table = accuracy(found, STYLE, 0)
    chance = sum(1 for one in found for _ in one.asked) and np.mean(
        [1 / one.regions for one in found for _ in one.asked]
    )
    assert table[0].chance == pytest.approx(chance)
    assert all(row.value == pytest.approx(chance, abs=0.09) for row in table)
    assert sum(row.p <= 0.05 for row in table) <= 4
    assert np.mean([row.low <= chance <= row.high for row in table]) >= 0.8


def test_accuracy_of_a_good_prompt_is_beyond_chance_with_the_smallest_p():
    found = []
    for _ in range(40):
        asked = np.arange(3)
        taken = np.tile(asked, (COUNT, 1))
        found.append(Answers(taken == asked, taken, asked, 3))
    table = accuracy(found, STYLE, 0)
    assert table[0].value == 1.0
    assert table[0].p == pytest.approx(1 / 10_000)
    assert 0.9 < table[0].low < 1.0  # Wilson's over 40 pictures


def test_intervals_are_over_pictures():
    """Half of the pictures all right is less certain than half right within each picture."""
    alike, apart = [], []
    for number in range(40):
        asked = np.arange(4)
        whole = np.tile(asked if number % 2 else (asked + 1) % 4, (COUNT, 1))
        half = np.tile([0, 1, 3, 2], (COUNT, 1))
        alike.append(Answers(half == asked, half, asked, 4))
        apart.append(Answers(whole == asked, whole, asked, 4))
    certain, uncertain = accuracy(alike, STYLE, 0)[0], accuracy(apart, STYLE, 0)[0]
    assert certain.value == uncertain.value == 0.5
    assert certain.high - certain.low < 0.01
    assert uncertain.high - uncertain.low == pytest.approx(4 * 0.5 / np.sqrt(40), abs=0.06)


def test_names_that_two_regions_bear_are_not_asked():
    regions = tuple(
        Region("", (x / 10, 0.1, x / 10 + 0.1, 0.5), name) for x, name in ((0, "a"), (3, "b"), (6, "a"))
    )
    assert Scene(noise(1), regions).asked == (1,)


def test_a_set_of_pictures_is_asked_by_name_and_what_cannot_be_read_is_told(tmp_path):
    for name in ("one.png", "two.png"):
        noise(3).image().save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"nonsense")
    rows = b"".join(
        f"{file},{x0},0.2,{x0 + 0.3},0.8,{name}\n".encode()
        for file in ("one.png", "two.png", "broken.png")
        for x0, name in ((0.1, "left"), (0.6, "right"))
    )
    regions = Regions.read(b"file,x0,y0,x1,y1,name\n" + rows, "r.csv")
    params = replace(PARAMS, regions=regions, set=PictureFiles.of(tmp_path), marks=circle_at(0.3, 0.3, 0.1, 0.1))
    result = run(PROBE, params, LEFT_RIGHT).result
    assert result.pointing[0].total == 4
    assert result.pointing[0].pictures == 2
    assert any("broken.png" in warning for warning in result.warnings())
    with pytest.raises(FieldError, match="need a file"):
        run(PROBE, replace(params, regions=Regions.none()), LEFT_RIGHT)


def test_regions_that_the_tower_hardly_sees_are_left_out_and_it_is_said():
    class Cropping(PixelBackend):
        def _view(self, picture):
            edge = (picture.width - picture.height) // 2
            middle = picture.rgb[:, edge : picture.width - edge] if edge > 0 else picture.rgb
            return super()._view(Picture(picture.name, middle))

    rows = b"x0,y0,x1,y1,name\n0.0,0.2,0.2,0.8,hidden\n0.35,0.2,0.48,0.8,left\n0.52,0.2,0.65,0.8,right\n"
    params = replace(PARAMS, images=(noise(1, 60, 180),), marks=circle_at(0.5, 0.5), regions=Regions.read(rows))
    result = run(PROBE, params, Cropping(LEFT_RIGHT.meanings)).result
    assert {one.name for one in result.picks} <= {"left", "right"}
    assert {row.total for row in result.pointing} == {2}
    assert any("one region is left out" in warning for warning in result.warnings())


def test_scores_that_tie_are_no_answer():
    class Blind(PixelBackend):
        def encode_images(self, pictures, progress=lambda share, doing: None):
            return np.repeat(super().encode_images([noise(1)]), len(pictures), axis=0)

    result = run(PROBE, replace(PARAMS, regions=Regions.read(CSV)), Blind()).result
    assert {row.correct for row in result.pointing} == {0}


def test_a_picture_or_two_give_an_interval_over_questions():
    asked = np.arange(3)
    taken = np.tile([0, 1, 0], (COUNT, 1))
    row = accuracy([Answers(taken == asked, taken, asked, 3)], STYLE, 0)[0]
    assert (row.low, row.high) == pytest.approx((0.208, 0.939), abs=0.002)  # Wilson's of 2 in 3


def test_foveal_attention_is_among_the_prompts_of_towers_that_can():
    able = replace(LEFT_RIGHT, card=replace(CARD, lacks={}))
    result = run(PROBE, replace(PARAMS, regions=Regions.read(CSV)), able).result
    assert "foveal attention" in {row.prompt for row in result.pointing}
    assert names(replace(STYLE, foveal=True))[-1] == "foveal attention"


def test_every_prompt_changes_the_picture_where_it_says():
    from probes.red_circle.drawing import draw
    from probes.red_circle.visual_prompts import treatments

    picture = Picture("p", noise(4, 100, 100).rgb)
    box = (0.3, 0.3, 0.7, 0.7)
    seen = {name: draw(picture, one).rgb for name, one in zip(PROMPTS, treatments(box, 1.0, STYLE), strict=True)}
    middle = (slice(40, 49), slice(40, 49))
    for name, rgb in seen.items():
        if name.startswith("crop"):
            continue
        inside_same = (rgb[middle] == picture.rgb[middle]).all()
        outside_same = (rgb[:10] == picture.rgb[:10]).all()
        assert outside_same == ("rest" not in name), name
        assert inside_same or name in ("arrow", "point"), name
    assert seen["crop"].shape == (40, 40, 3)
    assert seen["crop with context"].shape == (56, 56, 3)
