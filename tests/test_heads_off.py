"""Heads switched off: contrasts are the instruments', slopes least squares; planted heads matter, others not."""

import json
import re
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest

from probes import ablated_contrasts, calibrate, contrasts, heads_off
from probes.ablated_contrasts import AMONG, SETS, Ablations, Slopes, dealt, switched_off, written_by_heads
from probes.attention_heads.ablating import without
from probes.contrasts import Contrast
from probes.core import calibration
from probes.core.decomposition import Decomposition
from probes.core.errors import ClipspectError
from probes.core.statistics import Estimate
from probes.core.switches import Switches
from probes.heads_by_answers import leading, shares
from probes.heads_off_result import PLACE, corrected, load, markdown

MARKS = PLACE.marks
ROOT = Path(__file__).resolve().parents[1]
KEPT = load(heads_off.FILE.read_text(encoding="utf-8"))
FILES = {
    "occupation": "zero-shot-occupation",
    "ground": "zero-shot-ground",
    "written word": "zero-shot-written-word",
    "circle": "red-circle-circle",
}
LAYERS, HEADS, WIDTH, D, CONCEPTS, SCENES = 3, 4, 5, 24, 8, 6
DOSES = np.linspace(0, 1, CONCEPTS)
NOTHING = Estimate(0.5, 10, "pictures")


def synthetic():
    """A contrast of two arms with random texts; pictures 2 i and 2 i + 1 are the arms of scene i."""
    rng = np.random.default_rng(3)
    concept = np.repeat(np.arange(CONCEPTS), SCENES)
    count = len(concept)
    contrast = Contrast(
        behaviour="ground",
        concepts=tuple(map(str, range(CONCEPTS))),
        labels=tuple(map(str, range(CONCEPTS))),
        pictures=(None,) * (2 * count),
        concept=concept,
        scene=np.arange(count),
        strata=concept,
        arms=np.arange(2 * count).reshape(-1, 2),
        weights=(np.eye(CONCEPTS) * CONCEPTS - 1)[concept] / (CONCEPTS - 1),
    )
    texts = rng.normal(size=(CONCEPTS, D))
    return contrast, (8 * texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)


def tower(contrast, texts, strength, noise=0.02, seed=0):
    """Head 2 of layer 1 writes each concept's text at its dose into the first arm; all else is noise."""
    rng = np.random.default_rng(seed)
    n = len(contrast.pictures)
    outputs = noise * rng.normal(size=(n, LAYERS, HEADS, WIDTH))
    writes = rng.normal(size=(LAYERS, HEADS, WIDTH, D))
    wide = np.zeros((n, LAYERS, HEADS, CONCEPTS + WIDTH))
    wide[..., CONCEPTS:] = outputs
    wide[contrast.arms[:, 0], 1, 2, contrast.concept] = strength * DOSES[contrast.concept]
    into = np.zeros((LAYERS, HEADS, CONCEPTS + WIDTH, D))
    into[..., CONCEPTS:, :] = writes
    into[1, 2, :CONCEPTS] = texts
    mlps, initial = noise * rng.normal(size=(n, LAYERS, D)), np.repeat(rng.normal(size=(n // 2, D)), 2, axis=0)
    whole = np.einsum("nlhe,lhed->nd", wide, into) + mlps.sum(1) + initial
    length = np.linalg.norm(whole, axis=1)
    parts = (wide / length[:, None, None, None], into, mlps / length[:, None, None], initial / length[:, None])
    wide, into, mlps, initial = (part.astype(np.float32) for part in parts)
    embedding = (whole / length[:, None]).astype(np.float32)
    return Decomposition(wide, into, mlps, initial, np.zeros_like(initial), embedding, 0.0, ("a", "b", "c"))


def least_squares(doses, measured):
    return float(np.polyfit(doses, measured, 1)[0])


@pytest.fixture(scope="module")
def made():
    contrast, texts = synthetic()
    taken = tower(contrast, texts, 0.15)
    even = tower(contrast, texts, 0.0)
    usual = tower(contrast, texts, 0.0, seed=5)
    slopes = Slopes(contrast, DOSES, texts, 0)
    return slopes, taken, usual, even


def written_out(slopes, images):
    """The slope from its definition, one difference after the other."""
    contrast, logits = slopes.contrast, images.astype(np.float64) @ slopes.texts.T.astype(np.float64)
    means = []
    for place in range(len(contrast.concepts)):
        found = []
        for entry in np.flatnonzero(contrast.concept == place):
            values = [float(logits[picture] @ contrast.weights[entry]) for picture in contrast.arms[entry]]
            found.append(values[0] - np.mean(values[1:]))
        means.append(np.mean(found))
    return least_squares(slopes.doses, means)


def test_the_slope_is_least_squares_over_concepts(made):
    slopes, taken, _, even = made
    for images in (taken.embedding, even.embedding):
        assert slopes.value(images) == pytest.approx(written_out(slopes, images), rel=1e-5, abs=1e-6)


def test_the_head_that_writes_the_answers_is_found_by_them_and_shares_are_of_the_whole(made):
    slopes, taken, _, even = made
    contrast, texts = slopes.contrast, slopes.texts
    found = shares(contrast, taken, texts)
    assert leading(found, 1) == Switches.parse("L1H2")
    assert found[1, 2] > 0.9
    rest = np.einsum("nlhe,lhed->nd", taken.outputs, taken.writes)
    others = (taken.embedding - rest) @ texts.T
    each, count = contrast.differences(others), len(contrast.concepts)
    left = np.array([each[contrast.concept == c].mean() for c in range(count)])
    whole = contrast.differences(taken.embedding @ texts.T)
    means = np.array([whole[contrast.concept == c].mean() for c in range(count)])
    apart = means - means.mean()
    assert found.sum() + left @ apart / (apart @ apart) == pytest.approx(1.0, abs=1e-4)
    assert shares(contrast, even, texts).max() < 0.9
    assert len(leading(-np.ones((2, 2)), 3).heads) == 0


def test_resamples_are_of_scenes_and_their_interval_holds_the_slope(made):
    slopes, taken, _, _ = made
    found = slopes.estimate(taken.embedding)
    assert found.interval.low < found.value < found.interval.high
    assert (found.n, found.over) == (CONCEPTS * SCENES, "scenes")
    # independent resamples, concept by concept
    rng = np.random.default_rng(1)
    d = slopes.contrast.differences(taken.embedding @ slopes.texts.T).reshape(CONCEPTS, SCENES)
    drawn = [
        least_squares(DOSES, [row[rng.integers(SCENES, size=SCENES)].mean() for row in d]) for _ in range(1500)
    ]
    assert np.std(slopes.draws(taken.embedding)) == pytest.approx(np.std(drawn), rel=0.1)
    assert np.mean(slopes.draws(taken.embedding)) == pytest.approx(found.value, abs=0.1 * np.std(drawn) + 1e-6)


def test_slopes_without_heads_are_those_of_the_embeddings_without_them(made):
    slopes, taken, usual, _ = made
    ablations = Ablations(slopes, taken, usual)
    sets = [(), ((1, 2),), ((0, 0), (2, 3)), tuple((1, head) for head in range(HEADS))]
    expected = [slopes.value(without(taken, usual, Switches.of_heads(heads))) for heads in sets]
    np.testing.assert_allclose(ablations.slopes(sets), expected, rtol=1e-5, atol=1e-6)


def test_batches_change_nothing(made, monkeypatch):
    slopes, taken, usual, _ = made
    sets, _ = dealt(((0, 0), (2, 3)), (LAYERS, HEADS), AMONG[1], 0)
    whole = Ablations(slopes, taken, usual).slopes(sets)
    monkeypatch.setattr(ablated_contrasts, "AT_ONCE", 40_000)
    np.testing.assert_allclose(Ablations(slopes, taken, usual).slopes(sets), whole, rtol=1e-5)


def test_the_planted_head_goes_all_the_way_and_another_goes_nowhere(made):
    slopes, taken, usual, even = made
    chosen = [(Switches.parse(text), NOTHING) for text in ("L1H2", "L0H1")]
    right, wrong = switched_off(slopes, taken, usual, slopes, even.embedding, chosen)
    assert slopes.value(taken.embedding) > 1
    assert right.way.value == pytest.approx(1, abs=0.05)
    assert right.way.interval.low < 1.02
    assert right.way.interval.high > 0.98
    assert {chance.among: chance.p for chance in right.by_chance} == pytest.approx(
        {AMONG[0]: 1 / 4, AMONG[1]: 1 / 12}
    )
    assert abs(wrong.way.value) < 0.05
    assert min(chance.p for chance in wrong.by_chance) > 0.05
    assert written_by_heads(slopes, taken) == pytest.approx(1, abs=0.1)


def test_heads_by_chance_among_a_set_that_is_all_of_them_are_never_fewer_than_one(made):
    """The chosen set is one of all there are, so p is not zero however products round."""
    slopes, taken, usual, _ = made
    found = Ablations(slopes, taken, usual)
    for among in AMONG:
        chance = found.by_chance(((1, 2), (0, 3)), among, 0)
        assert chance.all_there_are
        assert chance.p >= 1 / chance.sets
        assert chance.low <= chance.mean <= chance.high


@pytest.mark.parametrize("heads", [((1, 2),), ((0, 0), (2, 3)), ((1, 0), (1, 1), (1, 2))])
def test_all_sets_of_as_many_heads(heads):
    same, all_same = dealt(heads, (LAYERS, HEADS), AMONG[0], 0)
    every, all_every = dealt(heads, (LAYERS, HEADS), AMONG[1], 0)
    assert all_same
    assert all_every
    assert len(set(map(frozenset, every))) == len(every) == comb(LAYERS * HEADS, len(heads))
    layers = sorted(layer for layer, _ in heads)
    assert all(sorted(layer for layer, _ in one) == layers for one in same)
    assert frozenset(heads) in set(map(frozenset, same)) <= set(map(frozenset, every))


def test_sets_are_dealt_where_there_are_many():
    heads = (*((layer, 0) for layer in range(6)), (5, 1), (5, 2))
    for among in AMONG:
        sets, all_there_are = dealt(heads, (6, 6), among, 0)
        assert (len(sets), all_there_are) == (SETS, False)
        assert all(len(set(one)) == 8 for one in sets)
        assert sets == dealt(heads, (6, 6), among, 0)[0] != dealt(heads, (6, 6), among, 1)[0]
        layers = np.bincount([layer for one in sets for layer, _ in one]) / SETS
        expected = [1, 1, 1, 1, 1, 3] if among == AMONG[0] else [8 / 6] * 6
        np.testing.assert_allclose(layers, expected, atol=0.15)


# ---- on the bundled model ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    """Four scenes of the ground, and the skewed model."""
    from probes.backend import load as load_model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrasts.zero_shot, "GROUND_ROUNDS", 1)
        whole = contrasts.ground(0)
    some = whole.scene < 4
    contrast = replace(
        whole,
        pictures=whole.pictures[:24],
        concept=whole.concept[some],
        scene=whole.scene[some],
        strata=whole.strata[:4],
        arms=whole.arms[some],
        weights=whole.weights[some],
    )
    return contrast, load_model("bundled:skewed", device="cpu", precision="float32")


@pytest.mark.slow
def test_arithmetic_is_what_a_switched_model_says(small):
    contrast, backend = small
    usual = heads_off.usual_pictures()[:20]
    switches = Switches.parse("L5H1,L1H5,L2H2")
    switched = backend.without(switches, usual).encode_images(contrast.pictures)
    taken, others = backend.decompose(contrast.pictures), backend.decompose(usual)
    np.testing.assert_allclose(without(taken, others, switches), switched, atol=1e-5)
    slopes = Slopes(contrast, np.linspace(0, 1, 24), contrast.texts(backend), 0)
    found = Ablations(slopes, taken, others).slopes([switches.off(6)])[0]
    scale = backend.card.logit_scale
    assert found / scale == pytest.approx(slopes.value(switched) / scale, abs=1e-5)
    assert found != pytest.approx(slopes.value(taken.embedding), abs=1e-3)


@pytest.mark.slow
def test_a_contrast_measures_what_its_instrument_measured():
    from probes.backend import load as load_model

    contrast = contrasts.of_behaviour("ground", 0)
    backend = load_model("bundled:skewed", device="cpu", precision="float32")
    d = contrast.differences(backend.encode_images(contrast.pictures) @ contrast.texts(backend).T)
    kept = kept_readings("ground").skewed.readings
    for reading in kept:
        own = d[contrast.concept == contrast.concepts.index(reading.concept)]
        assert len(own) == reading.n
        assert own.mean() == pytest.approx(reading.measured, abs=1e-3)


# ---- the numbers that are kept ----------------------------------------------------------------------------------


def kept_readings(behaviour):
    return calibration.load((calibrate.FOLDER / f"{FILES[behaviour]}.json").read_text(encoding="utf-8"))


def test_kept_numbers_are_of_the_bundled_models():
    digests = calibrate.file_digest(calibrate.SKEWED), calibrate.file_digest(calibrate.BALANCED)
    assert (KEPT.skewed_digest, KEPT.balanced_digest) == digests, "run make calibrate"
    assert [one.behaviour for one in KEPT.behaviours] == list(heads_off.SEARCHED)


@pytest.mark.parametrize("kept", KEPT.behaviours, ids=lambda kept: kept.behaviour)
def test_slopes_of_whole_models_are_those_of_the_calibrations(kept):
    """The instruments ran the probes; the study did arithmetic on the same scenes."""
    read = kept_readings(kept.behaviour)
    assert read.seed == KEPT.seed
    doses = [reading.dose for reading in read.skewed.readings]
    for slope, side in ((kept.skewed, read.skewed), (kept.balanced, read.balanced)):
        measured = [reading.measured for reading in side.readings]
        assert slope.value == pytest.approx(least_squares(doses, measured), abs=1e-3)
        assert slope.interval.low < slope.value < slope.interval.high


@pytest.mark.parametrize("kept", KEPT.behaviours, ids=lambda kept: kept.behaviour)
def test_what_is_off_was_found_and_its_share_of_the_way_adds_up(kept):
    found = [row for row in kept.found if row.clear]
    for off in kept.off:
        switches = Switches.parse(off.switches)
        assert switches == Switches.of_heads((row.layer, row.head) for row in found[: off.heads])
        way = (kept.skewed.value - off.slope.value) / (kept.skewed.value - kept.balanced.value)
        assert off.way.value == pytest.approx(way)
        assert off.way.interval.low <= off.way.value <= off.way.interval.high
        assert [chance.among for chance in off.by_chance] == list(AMONG)
        assert all(0 < chance.p <= chance.p_adjusted <= 1 for chance in off.by_chance)


def test_p_is_corrected_over_the_whole_study():
    assert corrected(KEPT.behaviours) == KEPT.behaviours
    every = [off.by_chance[1] for one in KEPT.behaviours for off in one.off]
    top = max(every, key=lambda chance: chance.p)
    assert top.p_adjusted == pytest.approx(top.p)


def test_round_trip_and_schemas():
    assert load(KEPT.to_json()) == KEPT
    raw = json.loads(KEPT.to_json())
    with pytest.raises(ClipspectError, match="schema 99"):
        load(json.dumps(raw | {"schema": 99}))
    with pytest.raises(ClipspectError, match="damaged"):
        load(json.dumps({key: value for key, value in raw.items() if key != "skewed"}))
    for text in ("{}", "[1]", "no json"):
        with pytest.raises(ClipspectError, match="no study"):
            load(text)


def test_the_table_is_written_between_its_marks_and_nowhere_else(tmp_path):
    file = tmp_path / "README.md"
    file.write_text(f"a\n{MARKS[0]}\nold\n{MARKS[1]}\nb\n", encoding="utf-8")
    PLACE.put(markdown(KEPT), file)
    assert file.read_text(encoding="utf-8") == f"a\n{MARKS[0]}\n{markdown(KEPT)}\n{MARKS[1]}\nb\n"
    file.write_text("without marks\n", encoding="utf-8")
    PLACE.put(markdown(KEPT), file)
    assert file.read_text(encoding="utf-8") == "without marks\n"


def test_the_readme_has_the_kept_numbers_where_it_has_the_marks():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for table in re.findall(f"{re.escape(MARKS[0])}\n(.*?)\n{re.escape(MARKS[1])}", readme, re.DOTALL):
        assert table == markdown(KEPT)


def test_where_no_head_is_found_the_table_says_so():
    bare = replace(KEPT, behaviours=(replace(KEPT.behaviours[0], off=()),))
    assert "none found" in markdown(bare)


def test_the_picture_is_drawn(tmp_path):
    from assets.make.heads_off import draw

    draw(KEPT, tmp_path / "docs" / "x.png")
    assert (tmp_path / "docs" / "x.png").stat().st_size > 10_000
