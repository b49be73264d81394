"""Batches: what a file asks for, what is kept, what fails, and the page that compares."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

import probes.backend
from probes import batch, registry
from probes.cli import main
from probes.core import comparison, suite
from probes.core.errors import ClipspectError, ModelError
from probes.core.model import no_progress
from probes.core.report import load
from tests.fakes import CARD, SIDE, PixelBackend, noise

LABELS = ["a cat", "a dog", "a car"]


def fake(spec: str, **options) -> PixelBackend:
    """A model of its own for every specification."""
    if spec.startswith("missing"):
        raise ModelError(f"there is no model '{spec}'")
    rng = np.random.default_rng(sum(map(ord, spec)))
    meanings = {f"a photo of {label}": rng.normal(size=(SIDE, SIDE, 3)) for label in LABELS}
    return PixelBackend(
        meanings=meanings, card=replace(CARD, spec=spec, weights_digest=f"{spec:>064}", pipeline_digest="a" * 64)
    )


@pytest.fixture(autouse=True)
def backends(monkeypatch):
    loaded = {}

    def load_once(spec, *progress, **options):
        if spec not in loaded:
            loaded[spec] = fake(spec)
        return loaded[spec]

    monkeypatch.setattr(probes.backend, "load", load_once)
    return loaded


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(noise(0).rgb).save(tmp_path / "p.png")
    return tmp_path


def written(folder, text):
    path = folder / "suite.toml"
    path.write_text(text, encoding="utf-8")
    return path


ONE = """
models = ["fake:a", "fake:b"]
[[run]]
probe = "zero-shot"
name = "pets <i>"
images = ["p.png"]
labels = ["a cat", "a dog", "a car"]
templates = ["{}", "a photo of {}", "a drawing of {}", "no {}", "one {}", "the {}", "my {}"]
"""


class TestReading:
    def test_fields_as_on_the_command_line_and_paths_relative_to_the_file(self, folder, monkeypatch):
        monkeypatch.chdir("/")
        plan = batch.read(
            written(
                folder,
                ONE
                + '[[run]]\nprobe = "red_circle"\nimages = "p.png"\ntexts = ["a", "b"]\ngrid = 0\ncurves = false\n'
                'marks = ["circle 0.4,0.4 0.1"]\nseed = 3\n',
            )
        )
        assert plan.models == ("fake:a", "fake:b")
        assert [run.name for run in plan.runs] == ["pets <i>", "red_circle"]
        assert plan.runs[0].params.images[0] == noise(0).__class__("p.png", noise(0).rgb)
        assert plan.runs[0].params.labels == tuple(LABELS)
        params = plan.runs[1].params
        assert (params.grid, params.curves, params.seed, params.texts) == (0, False, 3, ("a", "b"))
        assert str(params.marks[0]).startswith("circle 0.4,0.4 0.1")

    def test_an_example_is_the_page_s_with_what_is_said_in_its_place(self, folder):
        text = 'models = ["fake:a"]\n[[run]]\nprobe = "red_circle"\nexample = true\ngrid = 3\n'
        (run,) = batch.read(written(folder, text)).runs
        assert run.params == replace(registry.get("red_circle").example(), grid=3)

    def test_runs_of_one_name_are_numbered(self, folder):
        more = '[[run]]\nprobe = "zero_shot"\nexample = true\n' * 2
        names = [run.name for run in batch.read(written(folder, ONE + more)).runs]
        assert names == ["pets <i>", "zero_shot 1", "zero_shot 2"]

    @pytest.mark.parametrize(
        ("named", "names"),
        [
            (("", "", "zero_shot 2"), ["zero_shot 1", "zero_shot 3", "zero_shot 2"]),
            (("a/1", "a", "a", "a 2"), ["a/1", "a 3", "a 4", "a 2"]),
            (("Food", "food"), ["Food 1", "food 2"]),  # one file where a disk does not tell letters by their case
        ],
    )
    def test_numbers_are_none_that_another_run_has(self, folder, named, names):
        runs = [f'[[run]]\nprobe = "zero_shot"\nimages = "p.png"\nname = "{name}"\n' for name in named]
        plan = batch.read(written(folder, 'models = ["a"]\n' + "".join(runs).replace('name = ""\n', "")))
        assert [run.name for run in plan.runs] == names

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("models = [", "not TOML"),
            ('models = []\n[[run]]\nprobe = "zero_shot"', "models: give a list"),
            ('models = ["a", "a"]', "models: 'a' stands there twice"),
            ('modells = ["a"]', "'modells', which is not one of"),
            ('models = ["a"]', r"run: give at least one \[\[run\]\]"),
            ('models = ["a"]\n[[run]]\nlabels = ["a"]', r"run 1 \(run\): probe: say which"),
            ('models = ["a"]\n[[run]]\nprobe = "nonsense"', "run 1 .*there is no probe 'nonsense'"),
            ('models = ["a"]\nprecision = "int8"\n[[run]]\nprobe = "zero_shot"', "precision: 'int8'"),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"', r"run 1 \(zero_shot\): images: give a picture"),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"\nimages = "none.png"', "images: none.png: there is no"),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"\nimages = "p.png"\nlabels = ["x"]', "labels: give at"),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"\nimages = "p.png"\nfoo = 1', "foo: there is no such"),
            (
                'models = ["a"]\n[[run]]\nprobe = "zero_shot"\nimages = "p.png"\nseed = 1.5',
                "seed: 1.5 is not a whole",
            ),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"\nimages = 1979-05-27', "images: give a text"),
            ('models = ["a"]\n[[run]]\nprobe = "zero_shot"\nexample = "yes"', "example: say true or false"),
        ],
    )
    def test_what_cannot_be_used_names_the_run_and_the_field(self, folder, text, said):
        with pytest.raises(ClipspectError, match=said):
            batch.read(written(folder, text))

    def test_a_file_that_is_not_there_is_status_2(self, folder, capsys):
        assert main(["batch", str(folder / "no.toml"), "--out", str(folder / "o")]) == 2
        assert capsys.readouterr().err.startswith("clipspect: suite: there is no file")


class Links(HTMLParser):
    """Anchors that a page has, and those it leads to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.wanted: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given["id"]} if given.get("id") else set()
        self.wanted += [given["href"]] if tag == "a" and given.get("href") else []


class TestRunning:
    def test_one_report_compares_all(self, folder, capsys):
        out = folder / "out"
        assert main(["batch", str(written(folder, ONE)), "--out", str(out)]) == 0
        said = capsys.readouterr().out
        html = (out / "index.html").read_text()
        assert html.count("Plotly.newPlot") >= 7  # the differences, and three figures of two models
        assert html.count("plotly.js v") == 1
        assert "<i>" not in html
        page = Links()
        page.feed(html)
        assert {href[1:] for href in page.wanted if href.startswith("#")} <= page.ids
        assert all((out / href).exists() for href in page.wanted if href.startswith("reports/"))
        whole = json.loads((out / "comparison.json").read_text())
        reports = [
            load(path.read_text(), {"zero_shot": registry.get("zero_shot").result})
            for path in sorted((out / "reports").rglob("*.json"))
        ]
        one = comparison.of(registry.get("zero_shot"), *reports)
        assert whole["comparisons"][0]["headline"] == one.headline()
        assert one.headline() in said
        assert [row["headline"] for row in whole["answers"]] == [report.headline for report in reports]
        with (out / "differences" / "pets-i.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert [row["what"] for row in rows] == [each.what for each in one.differences]
        assert {row["models"] for row in rows} == {"fake:a − fake:b"}
        with (out / "tables" / "pets-i_answers.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert [row["model"] for row in rows] == ["fake:a"] * 3 + ["fake:b"] * 3
        assert "@misc{" in (out / "references.bib").read_text()

    def test_of_three_models_the_first_is_compared_less_each_other(self, folder):
        plan = batch.read(written(folder, ONE.replace('"fake:b"]', '"fake:b", "fake:c"]')))
        whole = batch.ask(plan, folder / "out", probes.backend.load, no_progress)
        found = suite.compared(whole, whole.questions[0])
        assert [one.title for one in found] == ["fake:a − fake:b", "fake:a − fake:c"]
        shares = [cell.report.result.shares[0, :, 0].mean() for cell in whole.questions[0].cells]
        named = [next(each for each in one.differences if "probability of “a cat”" in each.what) for one in found]
        assert [each.difference for each in named] == pytest.approx([shares[0] - share for share in shares[1:]])

    def test_names_that_do_not_tell_models_apart_are_an_error(self, folder):
        plan = batch.read(written(folder, ONE))
        whole = batch.ask(plan, folder / "out", probes.backend.load, no_progress)
        with pytest.raises(ValueError, match="name of its own"):
            replace(whole, called=("a", "a"))
        with pytest.raises(ValueError, match="name of its own"):
            replace(whole, questions=whole.questions * 2)

    def test_what_is_there_is_not_computed_again(self, folder, backends):
        plan, out = batch.read(written(folder, ONE)), folder / "out"
        first = batch.ask(plan, out, probes.backend.load, no_progress)
        asked = {spec: backend.encoded for spec, backend in backends.items()}
        again = batch.ask(plan, out, probes.backend.load, no_progress)
        assert {spec: backend.encoded for spec, backend in backends.items()} == asked
        assert [cell.said for cell in again.questions[0].cells] == [cell.said for cell in first.questions[0].cells]

    @pytest.mark.parametrize(
        "change", ["labels", "weights", "pipeline", "activation", "architecture", "earlier", "damage", "version"]
    )
    def test_what_is_no_longer_so_is_computed_again(self, folder, backends, change):
        out = folder / "out"
        batch.ask(batch.read(written(folder, ONE)), out, probes.backend.load, no_progress)
        asked, text = backends["fake:a"].encoded, ONE
        path = next((out / "reports").rglob("fake-a.json"))
        if change == "labels":
            text = ONE.replace('"a car"', '"a bus"')
        elif change == "weights":
            backends["fake:a"].card = replace(backends["fake:a"].card, weights_digest="f" * 64)
        elif change == "pipeline":  # such as another mean of the preprocessing before the same weights
            backends["fake:a"].card = replace(backends["fake:a"].card, pipeline_digest="f" * 64)
        elif change in ("activation", "architecture"):
            backends["fake:a"].card = replace(backends["fake:a"].card, **{change: "another"})
        elif change == "earlier":
            report = json.loads(path.read_text())
            del report["provenance"]["pipeline_digest"]
            path.write_text(json.dumps(report))
        elif change == "damage":
            path.write_text(path.read_text()[:500])
        else:
            path.write_text(path.read_text().replace('"clipspect": "', '"clipspect": "0.'))
        batch.ask(batch.read(written(folder, text)), out, probes.backend.load, no_progress)
        assert backends["fake:a"].encoded > asked
        assert (
            json.loads(path.read_text())["provenance"]["weights_digest"] == backends["fake:a"].card.weights_digest
        )

    def test_a_failed_cell_is_said_and_the_rest_goes_on(self, folder, capsys):
        text = ONE.replace('["fake:a", "fake:b"]', '["missing:m", "fake:a", "fake:b"]')
        assert main(["batch", str(written(folder, text)), "--out", str(folder / "out")]) == 1
        html = (folder / "out" / "index.html").read_text()
        assert "there is no model &#39;missing:m&#39;" in html
        rows = json.loads((folder / "out" / "comparison.json").read_text())
        assert [row["status"] for row in rows["answers"]] == ["failed", "answered", "answered"]
        assert rows["comparisons"][0]["first"] == "fake:a"
        assert rows["comparisons"][0]["second"] == "fake:b"

    def test_an_error_of_a_library_in_one_cell_spares_the_others(self, folder, backends, capsys):
        plan = batch.read(written(folder, ONE))
        broken = probes.backend.load("fake:a")
        broken.encode_images = lambda *rest: (_ for _ in ()).throw(RuntimeError("CUDA out of memory"))
        whole = batch.ask(plan, folder / "out", probes.backend.load, no_progress)
        first, second = whole.questions[0].cells
        assert (first.said, first.failed, first.report) == ("RuntimeError: CUDA out of memory", True, None)
        assert second.report is not None
        assert whole.problems == ("pets <i>, fake:a: RuntimeError: CUDA out of memory",)
        assert "CUDA out of memory" in capsys.readouterr().err

    def test_what_cannot_be_drawn_or_compared_leaves_the_answers(self, folder, monkeypatch, capsys):
        plan = batch.read(written(folder, ONE))
        whole = batch.ask(plan, folder / "out", probes.backend.load, no_progress)

        def broken(*results):
            raise IndexError("out of range")

        probe = replace(whole.questions[0].probe, figures=broken, compare=broken)
        whole = replace(whole, questions=(replace(whole.questions[0], probe=probe),))
        html = suite.contents(whole)["index.html"]
        assert "The figures could not be drawn (IndexError)." in html
        assert "fake:a and fake:b could not be compared (IndexError)" in html
        assert all(str(escape(cell.said)) in html for cell in whole.questions[0].cells)

    def test_what_a_model_lacks_is_a_sentence_and_status_3(self, folder, capsys):
        text = 'models = ["fake:a"]\n[[run]]\nprobe = "attention_heads"\nimages = "p.png"\n'
        assert main(["batch", str(written(folder, text)), "--out", str(folder / "out")]) == 3
        assert "pixels have no heads" in (folder / "out" / "index.html").read_text()
        assert "lacks" in (folder / "out" / "headlines.csv").read_text()

    def test_an_interrupt_keeps_what_is_done(self, folder, backends):
        plan, out = batch.read(written(folder, ONE)), folder / "out"
        probes.backend.load("fake:b").encode_images = lambda *rest: (_ for _ in ()).throw(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            batch.ask(plan, out, probes.backend.load, no_progress)
        assert [path.name for path in (out / "reports").rglob("*")] == ["pets-i", "fake-a.json"]

    def test_another_model_leaves_what_is_done(self, folder, backends):
        out = folder / "out"
        batch.ask(batch.read(written(folder, ONE)), out, probes.backend.load, no_progress)
        asked = backends["fake:b"].encoded
        more = ONE.replace('["fake:a", "fake:b"]', '["fake:c", "fake:b", "fake-b"]')
        whole = batch.ask(batch.read(written(folder, more)), out, probes.backend.load, no_progress)
        files = [cell.file.split("/")[-1] for cell in whole.questions[0].cells]
        assert files == ["fake-c.json", "fake-b-1.json", "fake-b-2.json"]  # alike but for what names cannot hold
        batch.ask(batch.read(written(folder, ONE)), out, probes.backend.load, no_progress)
        assert backends["fake:b"].encoded == 2 * asked  # once more as fake-b-1, and never again

    def test_every_model_has_a_file_of_its_own(self, folder):
        models = ["local-dir:runs/a", "local-dir:runs-a", "local-dir:runs/a/1"]
        text = ONE.replace('["fake:a", "fake:b"]', json.dumps(models))
        whole = batch.ask(batch.read(written(folder, text)), folder / "out", probes.backend.load, no_progress)
        files = [cell.file for cell in whole.questions[0].cells]
        assert len(set(files)) == 3
        kept = [json.loads((folder / "out" / file).read_text())["provenance"]["model"] for file in files]
        assert kept == models

    def test_progress_goes_from_nothing_to_all(self, folder):
        seen = []
        batch.ask(
            batch.read(written(folder, ONE)),
            folder / "out",
            probes.backend.load,
            lambda share, said: seen.append(share),
        )
        assert seen == sorted(seen)
        assert seen[0] == 0.0
        assert 0.9 < seen[-1] <= 1.0


def test_embeddings_from_files_are_refused_since_no_model_is_asked(folder):
    rng = np.random.default_rng(0)
    np.savez(folder / "e.npz", images=rng.normal(size=(9, 4)), texts=rng.normal(size=(9, 4)))
    text = 'models = ["fake:a"]\n[[run]]\nprobe = "modality_gap"\nembeddings = "e.npz"\n'
    with pytest.raises(ClipspectError, match="no model is asked"):
        batch.read(written(folder, text))
