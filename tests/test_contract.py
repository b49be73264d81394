"""What holds for every probe, whatever it measures."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from markupsafe import escape

from probes import registry
from probes.core import comparison, export
from probes.core.controls import Lines, Pictures
from probes.core.errors import CapabilityError, FieldError
from probes.core.model import Capability
from probes.core.parameters import fields, parse, to_flags, to_query
from probes.core.probe import run
from probes.core.report import load
from tests.fakes import SIDE, PixelBackend, headed_backend, noise

PROBES = registry.all_probes()
FEW = {"attention_heads": {"phrases": "something red\nsomething blue\na cat\nnoise"}}
"""What is set to keep a probe's default question short here."""


@pytest.fixture(scope="module", params=PROBES, ids=str)
def probe(request):
    return PROBES[request.param]


@pytest.fixture(scope="module")
def params(probe):
    pictures = {
        f.name: tuple(noise(seed) for seed in range(max(f.control.fewest, 1)))
        for f in fields(probe.params)
        if isinstance(f.control, Pictures)
    }
    few = FEW.get(probe.card.name, {})
    return parse(probe.params, {**pictures, **few, texts_of(probe): ["a cat", "a dog", "a zyx"]})


def texts_of(probe):
    """The field that holds what the model is asked about: the first list that must not be empty."""
    return next(f.name for f in fields(probe.params) if isinstance(f.control, Lines) and f.control.fewest)


@pytest.fixture(scope="module")
def report(probe, params):
    """One report for all tests of a probe; nobody can change it."""
    return run(probe, params, headed_backend())


def test_card_is_complete(probe):
    card = probe.card
    assert card.question.endswith("?")
    assert len(card.how_to_read) > 200
    assert len(card.caveats) > 100
    assert card.references
    for reference in export.references(card):
        assert reference.url.startswith("https://")
        assert reference.bibtex().startswith(f"@misc{{{reference.key},")


def test_every_field_has_a_default_its_control_accepts(probe):
    for f in fields(probe.params):
        assert f.control.label
        if not f.is_pictures:
            assert f.control.parse(f.default) == f.default


def test_no_two_fields_share_a_flag_with_the_command_line(probe):
    flags = [f.flag for f in fields(probe.params)]
    assert len(set(flags)) == len(flags)
    assert not {"--model", "--json", "--out", "--device", "--precision", "--help"} & set(flags)


def test_the_same_seed_gives_the_same_result(probe, params, report):
    again = run(probe, params, headed_backend())
    assert again.to_dict()["result"] == report.to_dict()["result"]


def test_json_has_the_promised_keys(probe, report):
    raw = json.loads(report.to_json())
    assert list(raw) == ["schema", "probe", "headline", "params", "result", "tables", "provenance"]
    for f in fields(probe.params):
        for picture in raw["params"][f.name] if f.is_pictures else ():
            assert set(picture) == {"name", "width", "height", "sha256"}


def test_a_saved_report_redraws_the_same_figures_without_a_model(probe, report):
    loaded = load(report.to_json(), {probe.card.name: probe.result})
    drawn, redrawn = probe.figures(report.result), probe.figures(loaded.result)
    assert list(drawn) == list(redrawn)
    for name in drawn:
        assert isinstance(drawn[name], go.Figure)
        assert drawn[name].layout.title.text, f"{name} has no title"
        assert drawn[name].to_json() == redrawn[name].to_json()
    assert loaded.headline == report.headline == loaded.result.headline()


def test_tables_are_rows_of_one_dataclass_and_become_csv(report):
    for name, rows in report.tables().items():
        if not rows:  # nobody asked for it
            assert export.to_csv(rows) == ""
            continue
        assert len({type(row) for row in rows}) == 1, name
        text = export.to_csv(rows)
        assert text.splitlines()[0].split(",") == [f.name for f in dataclasses.fields(rows[0])]
        assert len(text.splitlines()) == len(rows) + 1


def test_html_opens_without_a_network(probe, report):
    html = export.to_html(report, probe.card, probe.figures(report.result))
    for outside in ('src="http', "src='http", '<link rel="stylesheet"', "@import"):
        assert outside not in html
    assert "Plotly.newPlot" in html
    assert probe.card.question in html
    assert any("zyx" in warning for warning in report.result.warnings())
    for warning in report.result.warnings():  # what a reader must know leaves with the report
        assert str(escape(warning)) in html


def test_write_leaves_every_form(probe, report, tmp_path):
    written = export.write(report, probe, tmp_path / "new")
    suffixes = {path.suffix for path in written}
    assert suffixes == {".json", ".html", ".bib", ".csv"} | ({".png"} if probe.slide else set())
    assert all(path.stat().st_size > 0 for path in written)


def test_a_saved_report_leaves_the_same_files_but_for_what_plotly_numbers_by_chance(probe, report):
    loaded = load(report.to_json(), {probe.card.name: probe.result})
    first, again = export.contents(report, probe), export.contents(loaded, probe)
    page = f"{probe.card.name}.html"
    assert len(first.pop(page)) == len(again.pop(page))
    assert again == first


def test_a_model_differs_from_itself_by_exactly_nothing(probe, report):
    found = comparison.of(probe, report, load(report.to_json(), {probe.card.name: probe.result}))
    assert found.differences
    for one in found.differences:
        assert one.difference == 0.0
        assert one.p in (None, 1.0)
        assert one.low is None or one.low <= 0.0 <= one.high
        assert one.clear in (None, False)
    assert found.figure().layout.title.text
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["probe"] == probe.card.name


def test_exchanging_two_models_flips_every_difference_exactly(probe, params, report):
    other = run(probe, params, another_backend())
    there, back = comparison.of(probe, report, other), comparison.of(probe, other, report)
    assert [one.what for one in there.differences] == [one.what for one in back.differences]
    assert any(one.difference for one in there.differences)
    for one, turned in zip(there.differences, back.differences, strict=True):
        assert (turned.difference, turned.p, turned.p_adjusted) == (-one.difference, one.p, one.p_adjusted)
        assert (turned.first, turned.second) == (one.second, one.first)
        if one.low is not None:
            assert turned.low == pytest.approx(-one.high, abs=1e-12)
            assert turned.high == pytest.approx(-one.low, abs=1e-12)


def another_backend():
    """A fake that reads texts in another way."""
    rng = np.random.default_rng(1)
    meanings = {
        text: rng.normal(size=(SIDE, SIDE, 3)) for text in ("a cat", "a photo of a cat", "a drawing of a dog")
    }
    return replace(headed_backend(), meanings=meanings)


def test_capability_is_checked_before_anything_is_computed(probe, params):
    backend = PixelBackend()
    needy = replace(probe, card=replace(probe.card, needs=frozenset({Capability.DECOMPOSE})))
    with pytest.raises(CapabilityError, match="pixels have no heads"):
        run(needy, params, backend)
    assert backend.encoded == 0


def test_a_value_the_control_would_refuse_is_refused_in_python_too(probe, params):
    with pytest.raises(FieldError) as caught:
        run(probe, replace(params, seed=-1), headed_backend())
    assert caught.value.field == "seed"


def test_link_and_flags_leave_pictures_out_of_links_only(probe, params):
    pictures = {f.name for f in fields(probe.params) if not f.travels}
    assert pictures
    assert not pictures & {name for name, _ in to_query(params)}
    assert "--" + texts_of(probe) in to_flags(params)


def test_warnings_of_pictures_and_texts_reach_the_report(probe, report):
    assert any("zyx" in warning for warning in report.result.warnings())


def test_progress_never_goes_back_and_stays_within_bounds(probe, params):
    seen = []
    run(probe, params, headed_backend(), lambda share, doing: seen.append(share))
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1


def test_many_labels_are_drawn_legibly(probe, params):
    limit = next(f.control.most for f in fields(probe.params) if f.name == texts_of(probe))
    assert limit >= 1000
    one = {"templates": ("{}",)} if "templates" in {f.name for f in fields(probe.params)} else {}
    many = replace(params, **one, **{texts_of(probe): tuple(f"label {i}" for i in range(300))})
    drawn = probe.figures(run(probe, many, headed_backend()).result)
    for figure in drawn.values():
        assert (figure.layout.height or 0) < 2000
        assert np.isfinite(figure.layout.height)
