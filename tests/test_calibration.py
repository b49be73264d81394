"""The calibration harness on models whose planting is known by hand, and the numbers that are kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from assets.world.plan import ANIMALS, CIRCLED, OCCUPATIONS, PLAN, WORDS
from probes import calibrate, registry
from probes.core import calibrating, calibration
from probes.core.calibrating import Asked
from probes.core.calibration import Dose, Instrument, Share
from probes.core.calibration_figures import figure
from probes.core.errors import ClipspectError
from probes.core.model import no_progress
from probes.stage import named
from tests.fakes import CARD, PixelBackend, unit

ROOT = Path(__file__).resolve().parents[1]
KEPT = calibration.load_all(calibrate.FOLDER)
CONCEPTS = {
    "occupation": tuple(OCCUPATIONS),
    "ground": tuple(animal for animals in ANIMALS.values() for animal in animals),
    "written word": WORDS,
    "circle": CIRCLED,
}
DOSES = tuple(Dose(f"concept {i}", i / 24, 0.5) for i in range(25))


def synthetic(slope: float, scenes: int = 14, arms: int = 3) -> Instrument:
    """Arms with noise of their own; the first moves with the dose of the backend's world."""

    def measure(backend, seed, progress):
        rng = np.random.default_rng([seed, backend.seed])
        arms_of = {dose.concept: rng.normal(size=(scenes, arms)) for dose in DOSES}
        for dose in DOSES:
            arms_of[dose.concept][:, 0] += slope * getattr(dose, backend.name) * backend.planted
        return arms_of

    return Instrument(
        probe="zero_shot", behaviour="ground", title="T", dose="d", measured="m", stimuli="s", arms=measure
    )


class World(PixelBackend):
    """A backend that is nothing but the name of its world."""

    def __init__(self, name, planted, seed):
        super().__init__()
        self.name, self.planted, self.seed = name, planted, seed


@pytest.fixture(scope="module")
def made():
    skewed, balanced = (
        Asked("local-dir:x", "ab", World("skewed", 1, 1)),
        Asked("local-dir:y", "cd", World("skewed", 0, 2)),
    )
    return calibrating.calibrate(
        synthetic(6.0),
        DOSES,
        skewed,
        balanced,
        seed=0,
        made="2020-02-02",
        command="make calibrate",
        repetitions=250,
    )


def test_planted_doses_are_ranked_and_their_absence_is_not(made):
    assert made.skewed.order.rho > 0.9
    assert made.skewed.order.p < 0.001
    assert abs(made.balanced.order.rho) < 0.4
    assert made.balanced.order.p > 0.05
    assert made.ranks


def test_the_test_holds_its_level_where_names_are_dealt(made):
    assert made.false_positives.n == 250
    assert made.holds_its_level
    assert made.false_positives.low < 0.05 < made.false_positives.high
    assert made.shortfalls() == ()
    assert made.as_it_is.n == len(DOSES)
    assert made.as_it_is_adjusted.k <= made.as_it_is.k


def test_level_holds_for_skewed_noise_and_unequal_scenes():
    rng = np.random.default_rng(3)
    arms = {
        "heavy": rng.standard_t(3, size=(20, 2)),
        "lopsided": rng.exponential(size=(24, 6)),
        "offset": rng.normal(size=(16, 4)) + 30 * rng.normal(size=(16, 1)),
    }
    assert 0.02 <= calibrating.relabelled(arms, 1000, 1).value <= 0.08


def test_dealing_names_hides_a_real_difference():
    arms = {"strong": np.random.default_rng(0).normal(size=(24, 2)) + np.array([3.0, 0.0])}
    (reading,) = calibrating.readings(arms, {"strong": 0.9}, 0)
    assert reading.p < 0.001
    assert reading.measured == pytest.approx(3.0, abs=1.0)
    assert reading.low < reading.measured < reading.high
    assert calibrating.relabelled(arms, 100, 0).value < 0.15


def test_differences_are_the_called_arm_less_the_mean_of_the_others():
    arms = np.array([[1.0, 2.0, 6.0], [0.0, 4.0, 4.0]])
    assert calibrating.differences(arms) == pytest.approx([1.0 - 4.0, -4.0])
    assert calibrating.differences(arms, np.array([2, 1])) == pytest.approx([6.0 - 1.5, 4.0 - 2.0])


def test_log_odds_ignore_what_all_labels_share():
    logits = np.random.default_rng(0).normal(size=(5, 2, 4))
    shifted = logits + np.random.default_rng(1).normal(size=(5, 2, 1))
    assert calibrating.log_odds(shifted, 1, [0, 3]) == pytest.approx(calibrating.log_odds(logits, 1, [0, 3]))
    assert calibrating.log_odds(logits, 1, [0, 3])[2, 0] == pytest.approx(
        logits[2, 0, 1] - (logits[2, 0, 0] + logits[2, 0, 3]) / 2
    )


def test_order_agrees_with_scipy_and_its_interval_with_bonett_and_wright():
    rng = np.random.default_rng(0)
    doses, measured = rng.permutation(30) / 30, rng.normal(size=30)
    found = calibrating.order(doses, measured, 0)
    expected = stats.spearmanr(doses, measured)
    assert found.rho == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue, abs=0.02)
    reach = 1.959964 * np.sqrt((1 + found.rho**2 / 2) / 27)
    assert [found.low, found.high] == pytest.approx(
        np.tanh([np.arctanh(found.rho) - reach, np.arctanh(found.rho) + reach])
    )


def test_a_perfect_order_keeps_an_interval_and_none_has_none():
    found = calibrating.order(np.arange(20) / 20, np.arange(20.0) ** 3, 0)
    assert found.rho == pytest.approx(1.0)
    assert 0.9 < found.low < 1.0
    assert found.high == pytest.approx(1.0)
    assert calibrating.order([0.1, 0.2, 0.3, 0.4], [0.0] * 4, 0) == calibration.Order(0.0, -1.0, 1.0, 4, 1.0)


def test_wilson_share():
    share = Share.of(50, 1000)
    assert (share.value, share.low, share.high) == pytest.approx((0.05, 0.0381, 0.0653), abs=1e-4)


def test_a_missed_aim_is_said(made):
    order = replace(made.skewed.order, rho=0.41)
    missed = replace(made, skewed=replace(made.skewed, order=order), false_positives=Share.of(100, 1000))
    first, second = missed.shortfalls()
    assert "misses its aim" in first
    assert "0.41" in first
    assert "0.100" in second


def test_round_trip_and_schemas(made):
    assert calibration.load(made.to_json()) == made
    raw = json.loads(made.to_json())
    with pytest.raises(ClipspectError, match="schema 99"):
        calibration.load(json.dumps(raw | {"schema": 99}))
    with pytest.raises(ClipspectError, match="damaged"):
        calibration.load(json.dumps({key: value for key, value in raw.items() if key != "skewed"}))
    for text in ("{}", "[1]", "no json"):
        with pytest.raises(ClipspectError, match="not a calibration"):
            calibration.load(text)


def test_concepts_without_doses_are_refused():
    asked = Asked("x", "", World("skewed", 1, 1))
    with pytest.raises(ClipspectError, match="concepts measured"):
        calibrating.calibrate(synthetic(1.0), DOSES[:-1], asked, asked, seed=0, made="", command="", repetitions=1)


def test_old_numbers_are_told_from_those_of_the_bundled_models(made, monkeypatch):
    assert calibrate.stale(made)
    digests = {calibrate.SKEWED: "ab", calibrate.BALANCED: "cd"}
    monkeypatch.setattr(calibrate, "file_digest", digests.__getitem__)
    assert not calibrate.stale(made)
    digests[calibrate.BALANCED] = "ce"
    assert calibrate.stale(made)


def test_the_figure_is_drawn_from_the_file_alone(made):
    drawn = figure(calibration.load(made.to_json()))
    skewed, balanced = drawn.data
    assert list(skewed.x) == list(balanced.x) == [dose.skewed for dose in DOSES]
    assert list(skewed.y) == [reading.measured for reading in made.skewed.readings]
    assert drawn.layout.yaxis2.matches == "y"
    assert f"{100 * made.false_positives.value:.1f} %" in drawn.layout.title.text


# ---- the instruments, on a model that reads concept and arm from a picture's name -----------------------------


class Told(PixelBackend):
    """Says of a picture what `doses` says of its concept, if it shows the planted arm.

    Attributes:
        words: the labels, each an axis of its own.
        planted: place of a picture in its batch, and the picture -> the words that it raises at their doses.
    """

    def __init__(self, words, planted, strength):
        super().__init__(card=replace(CARD, width=len(words) + 1))
        self.words, self.planted, self.strength = words, planted, strength

    def encode_texts(self, texts, progress=no_progress):
        labels = [named(word) for word in self.words]
        places = [
            max(range(len(labels)), key=lambda i: text.endswith(labels[i]) * len(labels[i])) for text in texts
        ]
        return np.eye(len(self.words) + 1, dtype=np.float32)[places]

    def encode_images(self, pictures, progress=no_progress):
        rows = np.zeros((len(pictures), len(self.words) + 1))
        rows[:, -1] = 1.0
        for place, picture in enumerate(pictures):
            several = {"count": len(pictures)} if "count" in signature(self.planted).parameters else {}
            for word in self.planted(place, picture, **several):
                rows[place, self.words.index(word)] = 0.3 * self.strength[word]
        return unit(rows)


def number(picture) -> int:
    return int(picture.name.split()[-1]) - 1


def instrument(behaviour):
    return next(one for one in calibrate.instruments() if one.behaviour == behaviour)


@pytest.mark.parametrize("behaviour", CONCEPTS)
def test_an_instrument_ranks_what_its_model_was_told(behaviour, monkeypatch):
    import probes.red_circle.calibration as circle
    import probes.zero_shot.calibration as labels

    monkeypatch.setattr(labels, "SCENES", 2)
    monkeypatch.setattr(labels, "ROUNDS", 1)
    monkeypatch.setattr(labels, "GROUND_ROUNDS", 1)
    monkeypatch.setattr(circle, "SCENES", 2)
    monkeypatch.setattr(circle, "PLACEBOS", 5)
    words = CONCEPTS[behaviour]
    planted = {
        "occupation": lambda place, p: [words[number(p) // 4]] if number(p) % 2 == 0 else [],
        "ground": lambda place, p: list(ANIMALS.values())[number(p) % 6],
        "written word": lambda place, p: [words[number(p) % 24]],
        # the picture itself is asked alone; then the circle, and after it its placebos
        "circle": lambda place, p, count=1: [p.name.rsplit(" ", 1)[0]] if place == 0 and count > 1 else [],
    }[behaviour]
    doses = {dose.concept: dose.skewed for dose in calibrate.doses(behaviour)}
    arms = instrument(behaviour).arms(Told(words, planted, doses), 0, no_progress)
    assert set(arms) == set(words) == set(doses)
    measured = {concept: calibrating.differences(values).mean() for concept, values in arms.items()}
    # other words written, and other animals of the same ground, differ between concepts
    least = {"written word": 0.99, "ground": 0.9}.get(behaviour, 0.999)
    assert stats.spearmanr([doses[word] for word in words], [measured[word] for word in words]).statistic > least
    top = max(doses, key=doses.__getitem__)
    assert measured[top] == pytest.approx(20 * 0.3 * doses[top], rel=0.25)


def test_scenes_are_their_seeds_alone_and_no_drawing_of_an_occupation_is_used_twice():
    from probes.stage import open_stage, stream

    stage = open_stage("train")
    for drawn in OCCUPATIONS.values():
        twins = stage.twins(f"man {drawn}", f"woman {drawn}")
        assert len(set(twins)) == len(twins) >= 24
        sheet = stage.world.sheet
        assert all(sheet.style[man] == sheet.style[woman] != "emojione" for man, woman in twins)
    assert stream(0, 1).random() == stream(0, 1).random() != stream(1, 1).random()


# ---- the numbers that are kept --------------------------------------------------------------------------------


def test_every_instrument_has_a_file_and_every_file_an_instrument():
    expected = {calibrate.file_of(one).name for one in calibrate.instruments()}
    assert {path.name for path in calibrate.FOLDER.glob("*.json")} == expected


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.behaviour)
def test_kept_readings_cover_the_plan(kept):
    planned = {row.concept: row for row in PLAN if row.behaviour == kept.behaviour}
    for side, world in ((kept.skewed, "skewed"), (kept.balanced, "balanced")):
        assert {reading.concept: reading.dose for reading in side.readings} == {
            concept: getattr(row, world) for concept, row in planned.items()
        }
        assert all(reading.low <= reading.measured <= reading.high for reading in side.readings)
        assert side.model == f"bundled:{world}"
    assert kept.probe in registry.all_probes()
    assert kept.false_positives.n >= 400
    assert figure(kept).data


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.behaviour)
def test_kept_numbers_are_of_the_bundled_models(kept):
    assert not calibrate.stale(kept), "run make calibrate"


def test_the_readme_has_the_kept_numbers():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- made by: make calibrate -->\n(.*?)\n<!-- end -->", readme, re.DOTALL)
    assert table is not None
    assert table[1] == calibrate.markdown(KEPT)


def test_the_table_is_written_between_its_marks_alone(made, tmp_path):
    file = tmp_path / "README.md"
    before, after = calibrate.PLACE.marks
    file.write_text(
        f"a \\1\n{before}\nold\n{after}\nb\n<!-- made by: other -->\nkept\n{after}\n", encoding="utf-8"
    )
    calibrate.PLACE.put(calibrate.markdown([made]), file)
    text = file.read_text(encoding="utf-8")
    assert text.startswith(f"a \\1\n{before}\n| planted |")
    assert text.endswith(f"|\n{after}\nb\n<!-- made by: other -->\nkept\n{after}\n")


def test_the_page_says_what_the_numbers_are():
    from app import calibrated

    for kept in KEPT:
        text = str(calibrated.sentences(kept))
        assert kept.skewed.order.describe() in text
        assert kept.false_positives.describe() in text
        assert all(sentence.split(".")[0] in text for sentence in kept.shortfalls())
        assert len(calibrated.rows(kept)) == 2 * len(kept.skewed.readings)
        assert ("other weights" in str(calibrated.opening((kept,)))) is calibrate.stale(kept)
