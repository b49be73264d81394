"""Reports out and in again; tables that no spreadsheet runs; cards read from notes."""

from __future__ import annotations

import csv
import io
import json
import shlex
from dataclasses import dataclass

import pytest

from probes import registry, zero_shot
from probes.cli import _parser
from probes.core import export
from probes.core.card import Card
from probes.core.errors import ClipspectError, FieldError
from probes.core.probe import run
from probes.core.report import load
from probes.zero_shot.science import ZeroShotParams, ZeroShotResult
from tests.fakes import PixelBackend, noise

TYPES = {"zero_shot": ZeroShotResult}


@pytest.fixture(scope="module")
def report():
    labels = ("=1+1", "a 'quoted' \"label\"", "-x", "ünïcode 🐱")
    return run(zero_shot.PROBE, ZeroShotParams(images=(noise(0),), labels=labels), PixelBackend())


def test_formulas_are_neutralised_in_csv_and_nowhere_else(report):
    rows = list(csv.DictReader(io.StringIO(export.to_csv(report.tables()["answers"]))))
    assert [row["label"] for row in rows] == ["'=1+1", "a 'quoted' \"label\"", "'-x", "ünïcode 🐱"]
    assert json.loads(report.to_json())["params"]["labels"][0] == "=1+1"


def test_negative_numbers_stay_numbers_in_csv():
    @dataclass(frozen=True)
    class Row:
        value: float
        text: str
        missing: float | None

    assert export.to_csv([Row(-1.5, "@x", None)]) == "value,text,missing\r\n-1.5,'@x,\r\n"
    assert export.to_csv([]) == ""


def test_the_command_line_in_a_report_says_the_same_again(report):
    words = shlex.split(report.provenance.command)
    assert words[:3] == ["python", "-m", "probes"]
    chosen = _parser().parse_args(words[3:])
    assert tuple(chosen.field_labels) == report.params.labels
    assert chosen.model == "fake:pixels"


def test_provenance_names_what_is_needed_to_repeat(report):
    provenance = report.provenance
    assert provenance.stimuli == {"noise0.png": noise(0).digest}
    assert {"clipspect", "python", "numpy", "torch", "open_clip_torch"} <= set(provenance.versions)
    assert provenance.time.endswith("+00:00")


def test_a_report_survives_the_round_trip(report):
    loaded = load(report.to_json(), TYPES)
    assert loaded.to_dict() == report.to_dict()
    assert (loaded.result.cosines == report.result.cosines).all()


def test_an_earlier_report_does_not_know_what_stood_before_the_weights(report):
    earlier = report.to_dict()
    del earlier["provenance"]["pipeline_digest"]
    assert load(json.dumps(earlier), TYPES).provenance.pipeline_digest == ""


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"schema": 99}, "update Clipspect"),
        ({"probe": "nonsense"}, "not known here"),
        ({"result": {}}, "damaged"),
        ({"provenance": None}, "damaged"),
    ],
)
def test_reports_that_cannot_be_read_are_refused(report, change, part):
    with pytest.raises(ClipspectError, match=part):
        load(json.dumps({**report.to_dict(), **change}), TYPES)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{", '{"schema": "x", "probe": 1}'])
def test_what_is_no_report_is_said_to_be_none(text):
    with pytest.raises(ClipspectError, match="not a report"):
        load(text, TYPES)


def test_html_shows_markup_in_labels_and_does_not_obey_it():
    labels = ("<script>alert(1)</script>", "</title><img src=x onerror=alert(1)>")
    params = ZeroShotParams(images=(noise(0),), labels=labels)
    found = run(zero_shot.PROBE, params, PixelBackend())
    html = export.to_html(found, zero_shot.CARD, {})
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html
    full = export.to_html(found, zero_shot.CARD, zero_shot.PROBE.figures(found.result))
    assert "<script>alert(1)" not in full


def test_markdown_in_notes_cannot_bring_html():
    assert "<b>" not in export.markdown("<b>bold</b> **strong**")
    assert "<strong>strong</strong>" in export.markdown("**strong**")


def test_notes_without_a_section_are_refused(tmp_path):
    notes = tmp_path / "notes.md"
    notes.write_text("# T\n\n## Question\nWhat?\n\n## How to read it\nSo.\n")
    with pytest.raises(ValueError, match="What it does not show"):
        Card.from_notes(notes, name="t", references=())


def test_an_unknown_probe_is_answered_with_those_there_are():
    with pytest.raises(FieldError, match="zero_shot, bias_audit, modality_gap, red_circle, attention_heads"):
        registry.get("nonsense")
