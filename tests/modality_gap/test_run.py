"""The whole probe: on files from the command line, on pictures with captions, and on the bundled models."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from probes.backend import load, specs
from probes.cli import main
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.errors import FieldError
from probes.core.no_model import NoModel
from probes.core.parameters import parse
from probes.core.picture_sets import PictureFiles
from probes.core.probe import run
from probes.core.report import load as load_report
from probes.core.tables import Table
from probes.modality_gap import PROBE, example
from probes.modality_gap.explorer import payload
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.result import ModalityGapResult
from tests.fakes import PixelBackend, noise, sigmoid_backend
from tests.modality_gap.clouds import clip_loss, pairs, plainly

MEASURES = (
    "gap", "paired_distance", "rmg", "cosine_matched", "cosine_unmatched", "cosine_image_image",
    "cosine_text_text", "alignment", "uniformity_image", "uniformity_text", "separability", "r1_image_to_text",
    "r1_text_to_image",
)  # fmt: skip
SHIFT = ["delta", "gap", "loss", "loss_scale_1", "r1_image_to_text", "r1_text_to_image"]


@pytest.fixture
def file(tmp_path):
    images, texts = pairs(60, 12, gap=0.8)
    np.savez(tmp_path / "pairs.npz", images=images, texts=texts)
    return tmp_path / "pairs.npz"


def of(images, texts, **changes):
    params = ModalityGapParams(embeddings=EmbeddingPairs.of("pairs.npz", images, texts), **changes)
    return run(PROBE, params, PixelBackend())


def test_the_command_line_gives_the_tables_as_promised(file, capsys):
    assert main(["run", "modality_gap", "--embeddings", str(file), "--json", "-"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    rows = {row["measure"]: row for row in tables["measures"]}
    assert set(MEASURES) <= rows.keys()
    assert list(tables["measures"][0]) == ["measure", "value", "low", "high", "n"]
    images, texts = pairs(60, 12, gap=0.8)
    for name, value in plainly(images, texts).items():
        assert rows[name]["value"] == pytest.approx(value, abs=1e-4)
        assert rows[name]["low"] <= value + 1e-6
        assert rows[name]["high"] >= value - 1e-6
        assert rows[name]["n"] == 60
    assert [row["delta"] for row in tables["shift"]] == [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1]
    assert list(tables["shift"][0]) == SHIFT
    still = next(row for row in tables["shift"] if row["delta"] == 0)
    assert still["gap"] == pytest.approx(rows["gap"]["value"], abs=1e-5)
    assert still["loss"] == pytest.approx(clip_loss(images @ texts.T, 100.0), rel=1e-4)
    assert still["r1_image_to_text"] == rows["r1_image_to_text"]["value"]
    assert sum(row["share"] for row in tables["dimensions"]) == pytest.approx(1.0)
    difference = images.mean(0, dtype=np.float64) - texts.mean(0, dtype=np.float64)
    first = tables["dimensions"][0]
    assert first["dimension"] == int(np.abs(difference).argmax())
    assert first["share"] == pytest.approx(difference.max() ** 2 / (difference**2).sum(), rel=1e-3)


def test_the_logit_scale_is_the_one_asked_for_then_the_files_then_a_hundred(file, tmp_path, capsys):
    images, texts = pairs(60, 12, gap=0.8)
    np.savez(tmp_path / "told.npz", images=images, texts=texts, logit_scale=20.0)
    for arguments, scale in (
        ([str(file)], 100.0),
        ([str(tmp_path / "told.npz")], 20.0),
        ([str(tmp_path / "told.npz"), "--logit-scale", "14.3"], 14.3),
    ):
        assert main(["run", "modality_gap", "--json", "-", "--embeddings", *arguments]) == 0
        shift = json.loads(capsys.readouterr().out)["tables"]["shift"]
        assert shift[4]["loss"] == pytest.approx(clip_loss(images @ texts.T, scale), rel=1e-4)
        assert shift[4]["loss_scale_1"] == pytest.approx(clip_loss(images @ texts.T, 1.0), rel=1e-5)


def test_two_files_give_what_one_gives(file, tmp_path, capsys):
    images, texts = pairs(60, 12, gap=0.8)
    np.save(tmp_path / "i.npy", 3 * images)
    np.save(tmp_path / "t.npy", texts)
    found = []
    for given in ([str(file)], [str(tmp_path / "i.npy"), str(tmp_path / "t.npy")]):
        assert main(["run", "modality_gap", "--json", "-", "--embeddings", *given]) == 0
        found.append(json.loads(capsys.readouterr().out))
    one, two = ({row["measure"]: row["value"] for row in report["tables"]["measures"]} for report in found)
    assert two == pytest.approx(one, abs=1e-5)
    assert found[1]["provenance"]["model"] == "none"


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.ones((5, 4)), "constant"),
        (np.full((5, 4), np.nan), "not numbers"),
        (np.random.default_rng(0).normal(size=(4, 4)), "shape"),
    ],
)
def test_files_that_cannot_be_measured_end_with_a_sentence(images, said, tmp_path, capsys):
    np.savez(tmp_path / "bad.npz", images=images, texts=np.random.default_rng(1).normal(size=(5, 4)))
    assert main(["run", "modality_gap", "--embeddings", str(tmp_path / "bad.npz"), "--json", "-"]) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert told.startswith("clipspect: embeddings:")
    assert "\n" not in told


def test_a_random_part_is_compared_and_said_and_all_on_demand(monkeypatch):
    monkeypatch.setattr("probes.modality_gap.comparing.COMPARED", 50)
    images, texts = pairs(120, 12, gap=0.8, noise=1.5)
    part = of(images, texts).result
    assert part.compared == part.measure("r1_image_to_text").n == 50
    assert "50 of 120" in part.warnings()[0]
    assert part.measure("gap").n == 120
    every = of(images, texts, all_pairs=True).result
    assert every.compared == every.measure("r1_image_to_text").n == 120
    assert not every.warnings()
    expected = plainly(images, texts)["uniformity_image"]
    assert every.measure("uniformity_image").value == pytest.approx(expected, abs=1e-4)


def test_two_pairs_are_enough():
    report = of(*pairs(2, 5))
    assert report.result.n == 2
    json.loads(report.to_json())


def test_saved_reports_load_and_are_drawn_and_explored_again():
    report = of(*pairs(40, 8))
    again = load_report(report.to_json(), {"modality_gap": ModalityGapResult})
    assert again.result.headline() == report.headline
    assert set(PROBE.figures(again.result)) == set(PROBE.figures(report.result))
    before, after = (json.dumps(payload(report.params, one.result)) for one in (report, again))
    assert before == after


def test_sigmoid_models_get_their_own_loss():
    images, texts = pairs(40, 8)
    params = ModalityGapParams(embeddings=EmbeddingPairs.of("x", images, texts))
    result = PROBE.measure(params, sigmoid_backend(), lambda share, doing: None)
    assert result.sigmoid
    assert "sigmoid loss" in result.headline()


def own(n: int):
    pictures = {f"p{i}.png": png(noise(i)) for i in range(n)}
    rows = "\n".join(f"p{i}.png,picture number {i}" for i in range(n))
    table = Table.read(f"file,caption\n{rows}\ngone.png,lost\n".encode(), "c.csv")
    return PictureFiles.of_bytes(pictures, "mine"), table


def png(picture) -> bytes:
    stream = io.BytesIO()
    picture.image().save(stream, "PNG")
    return stream.getvalue()


def test_own_pictures_with_captions():
    images, captions = own(6)
    report = run(PROBE, ModalityGapParams(images=images, captions=captions, people="nobody"), PixelBackend())
    result = report.result
    assert result.n == 6
    assert result.cloud.captions[0] == "picture number 0"
    assert any("1 pictures or rows were left out" in told for told in result.warnings())
    assert [moment.row.moment for moment in result.training] == ["random weights", "this model"]
    assert payload(report.params, result)["sprite"]["uri"].startswith("data:image/webp")


def test_pictures_and_captions_come_together():
    images, captions = own(3)
    with pytest.raises(FieldError, match="captions"):
        parse(ModalityGapParams, {"images": images})
    with pytest.raises(FieldError, match="images"):
        parse(ModalityGapParams, {"captions": captions})
    nameless = Table.read(b"file,words\np0.png,x\np1.png,y\n", "c.csv")
    with pytest.raises(FieldError, match="column"):
        run(PROBE, ModalityGapParams(images=images, captions=nameless), PixelBackend())


def test_equal_pictures_are_told_and_their_captions_are_right():
    images, texts = pairs(40, 8)
    images[1] = images[0]
    result = PROBE.measure(
        ModalityGapParams(embeddings=EmbeddingPairs.of("x", images, texts)), NoModel(100.0), lambda s, d: None
    )
    assert any("1 pictures repeat" in told for told in result.warnings())


@pytest.mark.slow
@pytest.mark.parametrize("world", ["skewed", "balanced"])
def test_bundled_models_have_a_gap_and_the_association_that_was_planted(world):
    if world not in specs.bundled_names():
        pytest.skip("the bundled models are not here")
    result = run(PROBE, example(), load(f"bundled:{world}")).result
    gap, null = result.measure("gap"), result.null("gap")
    assert gap.low > 10 * null.null_high / 2
    assert result.measure("separability").value > 0.99
    untrained = result.training[0].row
    assert untrained.gap > gap.high
    assert untrained.cosine_image_image > 0.5 > result.measure("cosine_image_image").value
    assert result.measure("r1_image_to_text").low > 0.5 > untrained.r1_image_to_text
    leaning = result.measure("association")
    if world == "skewed":
        assert leaning.low > 1.5
        assert result.association_p is not None
        assert result.association_p < 0.001
    else:
        assert abs(leaning.value) < 0.8
    least = {row.logit_scale: row.delta_of_least_loss for row in result.temperatures}
    assert least[1.0] > least[100.0]
