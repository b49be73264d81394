"""What follows an answer in an explorer: told step by step, kept for the next visitor, and stamped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app import explorers
from app.engine import Answer
from probes import zero_shot
from probes.core.explorer import Explorer
from probes.core.probe import run
from probes.zero_shot.science import ZeroShotParams
from tests.app.conftest import make_engine
from tests.fakes import PixelBackend, noise


@pytest.fixture(autouse=True)
def _nothing_followed() -> None:
    """Answers of one second bear one stamp: what an earlier test followed is not this one's."""
    explorers._followed.clear()


@pytest.fixture
def answer() -> Answer:
    backend = PixelBackend()
    params = ZeroShotParams(images=(noise(0),), labels=("a cat", "a dog"))
    report = run(zero_shot.PROBE, params, backend)
    return Answer(replace(report, provenance=replace(report.provenance, model="bundled:skewed")), backend.card)


def probe_with(*follow, folder: Path = Path("nowhere")):
    explorer = Explorer(folder=folder, payload=lambda params, result: {"n": 1}, follow=follow)
    return replace(zero_shot.PROBE, explorer=explorer)


def told(probe, answer):
    found = [json.loads(one["later"]) for one in explorers.follow(probe, make_engine(), answer)]
    assert all(one["stamp"] == explorers.stamp(answer) for one in found)
    return [one for one in found if "progress" not in one]


def test_steps_are_sent_as_they_come_and_kept_for_the_next_visitor(answer):
    calls = []

    def step(params, result, backend, progress):
        calls.append(backend.card.spec)
        return {"made": len(calls)}

    probe = probe_with(step, step)
    assert [one["made"] for one in told(probe, answer)] == [1, 2]
    assert [one["made"] for one in told(probe, answer)] == [1, 2]
    assert calls == ["bundled:skewed", "bundled:skewed"]


def test_what_goes_wrong_is_said_and_tried_again(answer):
    calls = []

    def step(params, result, backend, progress):
        calls.append(1)
        raise ValueError("no room")

    probe = probe_with(step)
    assert "error" in told(probe, answer)[0]
    told(probe, answer)
    assert len(calls) == 2


def test_nothing_follows_where_there_is_no_answer_or_no_explorer(answer):
    assert list(explorers.follow(probe_with(), make_engine(), None)) == []
    assert list(explorers.follow(zero_shot.PROBE, make_engine(), answer)) == []


def test_what_is_shown_bears_the_stamp_of_its_answer(answer):
    explorer = probe_with().explorer
    assert explorer is not None
    shown = json.loads(explorers.shown(explorer, answer))
    assert (shown["n"], shown["stamp"]) == (1, explorers.stamp(answer))
    assert {"title": zero_shot.PROBE.card.title, "address": "/zero-shot"} in shown["pages"]
    later = replace(answer.report.provenance, time="later")
    other = Answer(replace(answer.report, provenance=later), answer.model)
    assert explorers.stamp(other) != explorers.stamp(answer)


def test_scripts_and_styles_of_a_folder_come_in_order_after_the_shared_ones(tmp_path):
    for name, text in (("2-b.js", "second"), ("1-a.js", "first"), ("x.css", "style")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    explorer = probe_with(folder=tmp_path).explorer
    assert explorer is not None
    assert explorer.script.endswith("first\nsecond")
    assert "const box =" in explorer.script.removesuffix("first\nsecond")
    assert [path.name for path in explorer.styles] == ["explorer.css", "x.css"]
    assert explorer.styles[-1] == tmp_path / "x.css"
