"""Whole audits: planted embeddings in, the promised table out; no pictures needed, and no names of files leave."""

from __future__ import annotations

import json

import numpy as np
import pytest

from probes.bias_audit import PROBE
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.result import SpreadRow, flips, verdict
from probes.core.probe import run
from tests.bias_audit.planted import of, unit
from tests.bias_audit.test_sample import npy, table
from tests.fakes import PixelBackend

COLUMNS = ["measure", "variant", "word", "group", "value", "low", "high", "n", "p", "p_adjusted"]
MEASURES = {
    "max_skew", "min_skew", "ndkl", "entropy", "weat", "sc_eat", "association_difference", "harm_rate",
    "selection_rate",
}  # fmt: skip


def planted(strength, seed=0, n=400):
    """Pictures whose group lies on the first axis, and words that lean on it: up, not at all, down; harm up."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    images = rng.normal(0, 1, (n, 16))
    images[:, 0] += strength * (1 - 2 * codes)
    words = rng.normal(0, 0.02, (6, 16))
    words[:, 1:] += np.eye(6, 15)
    words[:, 0] += [1, 0, -1, 0.5, 0.5, 0.0]
    who = table("id,gender", *(f"{i},{'Female' if code else 'Male'}" for i, code in enumerate(codes)))
    return BiasAuditParams(
        image_embeddings=npy(unit(images)), text_embeddings=npy(unit(words)), attributes=who,
        words=("up", "level", "down", "thief", "a male person", "a female person"), harm_words=("thief",),
        set_a=("up", "thief"), set_b=("down", "level"), k=60,
    )  # fmt: skip


def test_planted_associations_are_found_and_their_absence_is_not():
    strong = run(PROBE, planted(1.0), PixelBackend())
    rows = strong.tables()["measures"]
    assert list(vars(rows[0])) == COLUMNS
    assert {row.measure for row in rows} == MEASURES
    up, level, down = (
        of(rows, "association_difference", word=word, group="Male")[0] for word in ("up", "level", "down")
    )
    assert up.value > 0.2
    assert down.value == pytest.approx(-up.value, abs=0.05)
    assert up.p_adjusted < 0.001 < 0.05 < level.p_adjusted
    assert up.low < up.value < up.high
    assert of(rows, "max_skew", "demographic_parity", "up")[0].group == "Male"
    assert of(rows, "weat", group="Female − Male")[0].value < -0.5
    assert strong.provenance.model == "none"
    assert "3 of 6 words differ clearly" in strong.headline or "4 of 6 words differ clearly" in strong.headline
    none = run(PROBE, planted(0.0), PixelBackend())
    assert "0 of 6 words differ clearly" in none.headline
    assert all(row.p_adjusted is None or row.p_adjusted > 0.01 for row in none.tables()["measures"])


def test_nobodys_file_or_picture_leaves_in_a_report():
    report = json.loads(run(PROBE, planted(1.0), PixelBackend()).to_json())
    assert report["params"]["image_embeddings"].keys() == {"name", "rows", "width", "model", "sha256"}
    assert report["params"]["attributes"].keys() == {"name", "rows", "columns", "sha256"}
    assert report["result"]["thumbnails"] == []
    digests = report["provenance"]["stimuli"]
    assert list(digests) == ["labels.csv", "rows.npy", "text_embeddings: rows.npy"]


def test_no_model_is_asked_and_none_is_needed():
    backend = PixelBackend()
    run(PROBE, planted(1.0), backend)
    assert backend.encoded == 0


def test_ranking_over_everybody_is_left_out_and_said():
    from dataclasses import replace

    report = run(PROBE, replace(planted(1.0), k=400), PixelBackend())
    assert not {"max_skew", "ndkl"} & {row.measure for row in report.tables()["measures"]}
    assert any("whatever the model" in text for text in report.result.warnings())


def test_a_verdict_that_a_template_turns_is_marked():
    params = BiasAuditParams(groups=("man", "woman"), templates=("{}", "a {}", "b {}"), words=("x", "y", "z"), k=9)
    result = run(PROBE, params, PixelBackend()).result
    spread = result.tables()["wordings"]
    assert all(isinstance(row, SpreadRow) for row in spread)
    signed = [m for m in (*result.measures, *result.differences) if m.measure == "association_difference"]
    for m in signed:
        turned = min(m.by_wording) < 0 < max(m.by_wording)
        assert flips(m) == turned
        assert verdict(m) == ("not clear" if m.p_adjusted > 0.05 else "flips" if turned else "clear")
    assert {row.verdict for row in spread} >= {"not tested"}


def test_the_pictures_behind_a_word_are_its_ends():
    params = BiasAuditParams(groups=("man", "woman"), templates=("{}",), words=("x",), k=9)
    result = run(PROBE, params, PixelBackend()).result
    shown = [pair.difference for pair in result.behind]
    assert len(shown) == 6
    assert shown == sorted(shown, reverse=True)
    assert all(result.thumbnails[p.first].decode().shape == (48, 48, 3) for p in result.behind)
    assert all("man" in p.first_name and "woman" in p.second_name for p in result.behind)
