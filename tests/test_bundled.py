"""The bundled model through the whole house: sensible answers on its own ground, honest words off it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from probes import evaluation, red_circle, scenes, zero_shot
from probes.backend import load
from probes.core.examples import examples
from probes.core.marks import Mark
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.core.prompts import encode_prompts
from probes.core.statistics import rank_p
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.effects import template_logits
from probes.red_circle.parameters import RedCircleParams
from probes.red_circle.placebos import drawn, elsewhere
from probes.usual_pictures import usual_pictures
from probes.zero_shot.science import ZeroShotParams

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def bundled():
    return load("bundled")


def landscape(height: int = 240, width: int = 320) -> Picture:
    """Something like a photograph: sky, hills and grain, no plain ground anywhere."""
    rng = np.random.default_rng(0)
    down = np.linspace(0, 1, height)[:, None, None]
    across = np.linspace(0, 6, width)[None, :, None]
    hills = 0.5 + 0.2 * np.sin(across * 2.1) + 0.1 * np.sin(across * 5.3)
    sky, earth = np.array([150, 180, 220]), np.array([70, 90, 40])
    rgb = np.where(down < hills, sky * (1 - 0.5 * down), earth * (0.4 + down)) + rng.normal(
        0, 18, (height, width, 3)
    )
    return Picture("landscape", np.clip(rgb, 0, 255).astype(np.uint8))


def test_single_things_in_a_style_it_never_saw_are_mostly_named(bundled):
    singles = [example for example in examples() if example.point is None]
    labels = tuple(dict.fromkeys(label for example in singles for label in example.labels))
    params = ZeroShotParams(images=tuple(example.picture() for example in singles), labels=labels)
    result = run(zero_shot.PROBE, params, bundled).result
    # "A cat" shows a "cat face": the label's first words are the title's.
    right = [
        result.of(i)[0].label.removesuffix(" face") in example.title.lower() for i, example in enumerate(singles)
    ]
    assert np.mean(right) >= 0.7
    assert result.warnings() == ()


def test_a_photograph_and_unknown_words_are_said_to_be_unfamiliar(bundled):
    params = ZeroShotParams(images=(landscape(),), labels=("a cat", "a perpendicular zygote"))
    warnings = run(zero_shot.PROBE, params, bundled).result.warnings()
    assert any("landscape" in warning for warning in warnings)
    assert any("zygote" in warning for warning in warnings)


def test_a_label_longer_than_the_context_is_said_to_be_cut(bundled):
    params = ZeroShotParams(images=(examples()[0].picture(),), labels=("a cat", "very " * 120 + "long"))
    warnings = run(zero_shot.PROBE, params, bundled).result.warnings()
    assert any("cut off" in warning for warning in warnings)


def test_the_example_of_the_red_circle_is_visible_to_the_tower(bundled):
    result = run(red_circle.PROBE, red_circle.PROBE.example(), bundled).result
    assert result.pixels_marked > 0.01
    assert result.effects[0].beyond.n == 99
    assert result.strongest().text == "mushroom"
    assert result.strongest().beyond_place
    assert {"effects", "map", "foveal", "curves", "picks", "tower"} <= set(red_circle.PROBE.figures(result))
    shares = sum(effect.probability_unmarked for effect in result.of("drawn"))
    assert shares == pytest.approx(1.0)


def test_an_unmarked_copy_moves_nothing(bundled):
    """A white circle on a white ground changes no pixel, here or elsewhere, so there is nothing to find."""
    white = Picture("white", np.full((96, 96, 3), 255, np.uint8))
    mark = Mark("circle", ((0.5, 0.5),), 0.2, "white", 0.03)
    params = RedCircleParams(images=(white,), marks=(mark,), texts=("a cat", "a dog"), foveal=False, grid=3)
    result = run(red_circle.PROBE, params, bundled).result
    assert result.pixels_marked == 0
    assert all(effect.change.value == 0 for effect in result.effects)
    assert all(effect.p_adjusted == 1 for effect in result.effects)


@pytest.mark.slow
@pytest.mark.parametrize(("radius", "most"), [(0.1, 0.08), (0.2, 0.12)])
def test_circles_at_places_dealt_by_chance_are_called_effects_five_times_in_a_hundred(radius, most):
    """On the balanced model, at a place dealt as the placebos' are, nothing is there to find.

    A circle of a fifth of the height leaves few places that are not next to it, and errs more: the notes say so.
    """
    backend, rng = load("bundled:balanced", device="cpu", precision="float32"), np.random.default_rng(0)
    pictures, regions = scenes.pictures(), scenes.regions()
    called = []
    for number, picture in enumerate(pictures.read(pictures.names[:90])):
        reach = radius + 0.015
        treatment = Treatment((Mark("circle", (tuple(rng.uniform(reach, 1 - reach, 2)),), radius, width=0.03),))
        names = [region.name for region in regions.of(picture.name, picture.width, picture.height)]
        texts = encode_prompts(backend, names, ("{}", "a photo of {}"))
        away = drawn(picture, elsewhere(picture, treatment, 39, number))
        logits = template_logits(backend, backend.encode_images([draw(picture, treatment), *away]), texts)
        changes = logits.mean(axis=1)
        called += [rank_p(changes[0, place], changes[1:, place]) <= 0.05 for place in range(len(names))]
    assert 0.02 <= np.mean(called) <= most


def test_decomposition_of_the_bundled_model_sums_to_its_embedding(bundled):
    taken = bundled.decompose([example.picture() for example in examples()[:3]])
    total = taken.heads.sum((1, 2)) + taken.mlps.sum(1) + taken.initial + taken.constant
    assert np.abs(total - bundled.encode_images([e.picture() for e in examples()[:3]])).max() < 1e-5


@pytest.mark.slow
def test_the_command_line_on_a_drawing_in_a_process_of_its_own():
    file = next(str(example.file) for example in examples() if "pizza" in example.file.name)
    command = ["-m", "probes", "run", "zero_shot", "--model", "bundled", "--images", file]
    done = subprocess.run(
        [sys.executable, *command, "--labels", "a pizza", "a dog", "--json", "-"],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == ["schema", "probe", "headline", "params", "result", "tables", "provenance"]
    assert report["headline"].startswith("“a pizza”")
    assert report["provenance"]["model"] == "bundled:skewed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["--model", "nonsense"], 2, "model"),
        (["--model", "ViT-B-32:nonsense"], 2, "model"),
        (["--model", "local-dir:missing"], 2, "model"),
    ],
)
def test_models_that_cannot_be_had_end_in_one_line(arguments, status, part):
    command = ["-m", "probes", "run", "zero_shot", "--images", str(examples()[0].file), *arguments]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == status
    assert part in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_the_usual_pictures_are_others_than_those_measured_on():
    usual = usual_pictures()
    assert len(usual) == len({picture.digest for picture in usual}) == 256
    assert not {picture.digest for picture in usual} & {picture.digest for picture in evaluation.pictures()}


def test_a_bundled_model_without_some_parts_is_loaded_by_name():
    whole, off = load("bundled:skewed", device="cpu"), load("bundled:skewed~L2H4,M5", device="cpu")
    shown = [example.picture() for example in examples()[:3]]
    assert off.card.name == f"{whole.card.name} without L2H4, M5"
    parts, usual = whole.decompose(shown), whole.decompose(usual_pictures())
    rows = parts.embedding - parts.head(2, 4) - parts.mlps[:, 5] + (usual.head(2, 4) + usual.mlps[:, 5]).mean(0)
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(off.encode_images(shown), expected, atol=1e-5)
    assert np.abs(expected - whole.encode_images(shown)).max() > 1e-3
