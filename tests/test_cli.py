"""The command line: statuses, one line of error that names the field, and JSON on standard output."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import probes.backend
from probes.cli import main
from probes.core.errors import ModelError
from tests import programs
from tests.fakes import CARD, PixelBackend, noise


@pytest.fixture(autouse=True)
def backend(monkeypatch):
    fake = PixelBackend()
    monkeypatch.setattr(probes.backend, "load", lambda spec, **options: fake)
    return fake


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "p.png"
    Image.fromarray(noise(0).rgb).save(path)
    return str(path)


def test_json_on_standard_output_is_one_object_and_nothing_else(picture, capsys):
    status = main(["run", "zero_shot", "--images", picture, "--labels", "a cat", "a dog", "--json", "-"])
    output = capsys.readouterr().out
    report = json.loads(output)
    assert status == 0
    assert report["probe"] == "zero_shot"
    assert [row["label"] for row in report["tables"]["answers"]] == ["a cat", "a dog"]


def test_the_headline_is_printed(picture, capsys):
    assert main(["run", "zero_shot", "--images", picture, "--labels", "a cat", "a dog"]) == 0
    assert "“" in capsys.readouterr().out


def test_headline_and_files(picture, capsys, tmp_path):
    mark = "circle 0.3,0.4 0.1 width=0.03"
    arguments = [
        "run",
        "red_circle",
        "--images",
        picture,
        "--texts",
        "a cat",
        "a dog",
        "--marks",
        mark,
        "--grid",
        "3",
    ]
    saved = tmp_path / "r.json"
    assert main([*arguments, "--out", str(tmp_path / "o"), "--json", str(saved)]) == 0
    assert "circle" in capsys.readouterr().out
    report = json.loads(saved.read_text())
    assert report["params"]["marks"][0]["points"] == [[0.3, 0.4]]
    assert {row["mark"] for row in report["tables"]["effects"]} == {mark}
    assert len(report["tables"]["sweep"]) == 2 * 9
    assert report["provenance"]["command"].endswith(f"--marks '{mark}' --grid 3")
    assert {path.suffix for path in (tmp_path / "o").iterdir()} == {".json", ".html", ".bib", ".csv", ".png"}


def test_regions_of_a_picture_are_pointed_at(picture, capsys, tmp_path):
    regions = tmp_path / "regions.csv"
    regions.write_text("x,y,width,height,name\n0.1,0.2,0.3,0.6,a dog\n0.6,0.2,0.3,0.6,a cat\n")
    arguments = ["run", "red_circle", "--images", picture, "--texts", "a cat", "a dog", "--grid", "0"]
    assert main([*arguments, "--curves", "off", "--regions", str(regions), "--json", "-"]) == 0
    rows = json.loads(capsys.readouterr().out)["tables"]["pointing"]
    assert list(rows[0])[:7] == ["prompt", "correct", "total", "value", "low", "high", "chance"]
    assert {(row["total"], row["chance"]) for row in rows} == {(2, 0.5)}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["zero_shot", "--labels", "a", "b"], "images"),
        (["zero_shot", "--images", "none.png"], "images"),
        (["zero_shot", "--images", "PICTURE", "--labels", "one"], "labels"),
        (["zero_shot", "--images", "PICTURE", "--templates", "no slot"], "templates"),
        (["red_circle", "--images", "PICTURE", "--marks", "circle 0.5,0.5 2"], "marks"),
        (["red_circle", "--images", "PICTURE", "--marks", "circle 0.5,0.5 0.49"], "marks"),
        (["red_circle", "--images", "PICTURE", "--marks", "circle 0.5"], "marks"),
        (["red_circle", "--images", "PICTURE", "--marks", "circle 0.5,0.5 0.1 mauve"], "mauve"),
        (["red_circle", "--images", "PICTURE", "--regions", "none.csv"], "regions"),
        (["red_circle", "--images", "PICTURE", "--seed", "-1"], "seed"),
        (["zero_shot", "--images", "PICTURE", "--nonsense", "1"], "--nonsense"),
        (["nonsense"], "PROBE"),
    ],
)
def test_bad_input_is_status_2_and_one_line_that_names_the_field(arguments, field, picture, capsys):
    status = main(["run", *[picture if a == "PICTURE" else a for a in arguments]])
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert field in captured.err


def test_a_model_that_cannot_be_had_is_status_2_and_names_the_model(picture, monkeypatch, capsys):
    def refuse(spec, **options):
        raise ModelError(f"there is no model '{spec}'")

    monkeypatch.setattr(probes.backend, "load", refuse)
    assert main(["run", "zero_shot", "--images", picture, "--model", "nope"]) == 2
    assert capsys.readouterr().err == "clipspect: model: there is no model 'nope'\n"


def test_a_model_that_lacks_the_capability_is_status_3(picture, monkeypatch, capsys):
    from probes import registry
    from probes.core.model import Capability

    needy = registry.get("zero_shot")
    needy = replace(needy, card=replace(needy.card, needs=frozenset({Capability.ATTEND})))
    monkeypatch.setattr(registry, "all_probes", lambda: {"zero_shot": needy})
    assert main(["run", "zero_shot", "--images", picture]) == 3
    assert "pixels do not attend" in capsys.readouterr().err


def test_an_unwritable_place_is_status_1(picture, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["run", "zero_shot", "--images", picture, "--out", str(tmp_path / "file" / "x")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_status_1_and_a_sentence(picture, capsys):
    assert main(["run", "zero_shot", "--images", picture, "--json", "/dev/full"]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_list_names_every_probe_and_field(capsys):
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    assert "zero_shot: " in output
    assert "--marks" in output


def test_no_command_is_bad_input(capsys):
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


class TestRedraw:
    @pytest.fixture
    def saved(self, picture, tmp_path):
        """Reports of two models to one question."""
        paths = []
        for spec in ("fake:a", "fake:b"):
            path = tmp_path / f"{spec[-1]}.json"
            arguments = ["run", "red_circle", "--images", picture, "--texts", "a cat", "a dog", "--grid", "0"]
            assert main([*arguments, "--curves", "off", "--model", spec, "--json", str(path)]) == 0
            paths.append(str(path))
        return paths

    @pytest.fixture(autouse=True)
    def models(self, monkeypatch):
        def load(spec, **options):
            meanings = {f"a photo of {what}": noise(ord(spec[-1])).rgb[:16, :16] - 120.0 for what in ("a cat",)}
            return PixelBackend(meanings=meanings, card=replace(CARD, spec=spec))

        monkeypatch.setattr(probes.backend, "load", load)

    def test_one_report_gives_the_same_files_again_beside_it(self, saved, tmp_path, capsys):
        assert main(["redraw", saved[0]]) == 0
        out = tmp_path / "a"
        report = json.loads(Path(saved[0]).read_text())
        assert capsys.readouterr().out.splitlines()[-1] == report["headline"]
        assert {path.suffix for path in out.iterdir()} == {".json", ".html", ".bib", ".csv", ".png"}
        assert json.loads((out / "red_circle.json").read_text()) == report
        assert (out / "red_circle.png").read_bytes().startswith(b"\x89PNG")

    def test_two_reports_of_one_question_are_compared(self, saved, tmp_path, capsys):
        assert main(["redraw", *saved, "--out", str(tmp_path / "o")]) == 0
        said = capsys.readouterr().out
        assert "fake:a − fake:b" in said
        whole = json.loads((tmp_path / "o" / "comparison.json").read_text())
        (one,) = whole["comparisons"]
        assert (one["first"], one["second"]) == ("fake:a", "fake:b")
        reports = [json.loads(Path(path).read_text()) for path in saved]
        moved = [report["result"]["effects"][0]["beyond"]["value"] for report in reports]
        effect = one["differences"][0]
        assert (effect["first"], effect["second"]) == pytest.approx(moved)
        assert effect["difference"] == pytest.approx(moved[0] - moved[1]) != 0
        assert "first less second" in whole["about"]
        with (tmp_path / "o" / "differences" / "red-circle.csv").open(encoding="utf-8") as stream:
            row = next(csv.DictReader(stream))
        assert (row["models"], float(row["difference"])) == ("fake:a − fake:b", effect["difference"])
        assert whole["comparisons"][0]["headline"] in said
        assert "Plotly.newPlot" in (tmp_path / "o" / "comparison.html").read_text()
        for folder in ("1-fake-a", "2-fake-b"):
            assert (tmp_path / "o" / folder / "red_circle.html").exists()

    def test_one_model_twice_is_told_apart_by_the_files(self, saved, tmp_path, capsys):
        assert main(["redraw", saved[0], saved[0], "--out", str(tmp_path / "o")]) == 0
        assert "fake:a (a) 1" in (tmp_path / "o" / "comparison.html").read_text()
        assert len(json.loads((tmp_path / "o" / "comparison.json").read_text())["comparisons"]) == 1

    def test_one_model_in_files_of_one_name_is_told_apart_by_folders(self, saved, tmp_path, capsys):
        paths = [tmp_path / folder / "a.json" for folder in ("one", "two", "three")]
        for path in paths:
            path.parent.mkdir()
            path.write_text(Path(saved[0]).read_text())
        assert main(["redraw", *map(str, paths), "--out", str(tmp_path / "o")]) == 0
        whole = json.loads((tmp_path / "o" / "comparison.json").read_text())
        assert [one["second"] for one in whole["comparisons"]] == ["fake:a (two/a)", "fake:a (three/a)"]
        with (tmp_path / "o" / "tables" / "red-circle_effects.csv").open(encoding="utf-8") as stream:
            models = {row["model"] for row in csv.DictReader(stream)}
        assert models == {f"fake:a ({folder}/a)" for folder in ("one", "two", "three")}

    def test_two_questions_are_refused(self, saved, picture, tmp_path, capsys):
        other = tmp_path / "other.json"
        assert main(["run", "zero_shot", "--images", picture, "--json", str(other)]) == 0
        assert main(["redraw", saved[0], str(other), "--out", str(tmp_path / "o")]) == 2
        assert "cannot be compared" in capsys.readouterr().err
        assert not (tmp_path / "o").exists()

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(None, id="missing"),
            pytest.param(b"", id="empty"),
            pytest.param(b"\xff\xfe\x00", id="binary"),
            pytest.param(b"[1, 2]", id="list"),
            pytest.param(b'{"schema": 1}', id="cut"),
            pytest.param(b'{"schema": 99, "probe": "zero_shot"}', id="later"),
            pytest.param(b'{"schema": 1, "probe": "nonsense"}', id="probe"),
            pytest.param(b'{"schema": 1e999, "probe": "zero_shot"}', id="infinite"),
            pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"schema": 1, "probe": "zero_shot", "headline": "", "params": {}}', id="hollow"),
        ],
    )
    def test_a_damaged_or_foreign_file_is_one_sentence(self, tmp_path, capsys, content):
        path = tmp_path / "r.json"
        if content is not None:
            path.write_bytes(content)
        assert main(["redraw", str(path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("clipspect: report: ")
        assert error.count("\n") == 1

    @pytest.mark.parametrize("key", ["effects", "placebos", "shown"])
    def test_numbers_that_do_not_fit_together_are_one_sentence(self, saved, tmp_path, capsys, key):
        report = json.loads(Path(saved[0]).read_text())
        report["result"][key] = {"png": "AAAA"} if key == "shown" else report["result"][key][:1]
        if key == "placebos":
            report["result"][key][0]["changes"] = []
        path = tmp_path / "broken.json"
        path.write_text(json.dumps(report))
        assert main(["redraw", str(path)]) == 2
        assert "do not fit together" in capsys.readouterr().err

    def test_a_directory_is_no_report(self, tmp_path, capsys):
        assert main(["redraw", str(tmp_path)]) == 2
        assert "is not a report" in capsys.readouterr().err

    def test_no_model_library_is_imported(self, saved, tmp_path):
        code = (
            "import sys; from probes.cli import main; "
            f"status = main(['redraw', *{saved!r}, '--out', {str(tmp_path / 'o')!r}]); "
            "sys.exit(status or 10 * bool({'torch', 'open_clip', 'gradio'} & set(sys.modules)))"
        )
        programs.run(code)


class TestEmbed:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "pictures"
        (folder / "sub").mkdir(parents=True)
        for seed in range(5):
            Image.fromarray(noise(seed).rgb).save(folder / "sub" / f"{seed}.png")
        (folder / "broken.jpg").write_bytes(b"not a picture")
        (folder / "notes.txt").write_text("not looked at")
        return folder

    def test_folder(self, folder, tmp_path, backend, capsys):
        out = tmp_path / "e.npz"
        assert main(["embed", str(folder), "--out", str(out)]) == 0
        with np.load(out, allow_pickle=False) as arrays:
            embeddings, ids = arrays["embeddings"], arrays["ids"]
            provenance = json.loads(str(arrays["provenance"]))
        assert embeddings.dtype == np.float32
        assert ids.tolist() == [f"sub/{seed}.png" for seed in range(5)]
        assert embeddings == pytest.approx(backend.encode_images([noise(seed) for seed in range(5)]))
        assert provenance["weights_digest"] == backend.card.weights_digest
        assert len(provenance["skipped"]) == 1
        assert "broken.jpg" in capsys.readouterr().out
        assert sorted(path.name for path in tmp_path.iterdir()) == ["e.npz", "pictures"]

    def test_zip_gives_the_same_as_the_folder(self, folder, tmp_path):
        import shutil

        archive = shutil.make_archive(str(tmp_path / "z"), "zip", folder)
        for source, out in ((folder, "a.npz"), (archive, "b.npz")):
            assert main(["embed", str(source), "--out", str(tmp_path / out)]) == 0
        with np.load(tmp_path / "a.npz") as one, np.load(tmp_path / "b.npz") as other:
            assert one["ids"].tolist() == other["ids"].tolist()
            assert (one["embeddings"] == other["embeddings"]).all()

    def test_lines(self, tmp_path, backend):
        lines = tmp_path / "lines.txt"
        lines.write_text("a cat\n\n  a dog \na cat\n🐱 قطة\n", encoding="utf-8")
        assert main(["embed", str(lines), "--out", str(tmp_path / "t.npz")]) == 0
        with np.load(tmp_path / "t.npz") as arrays:
            assert arrays["ids"].tolist() == ["a cat", "a dog", "🐱 قطة"]
            assert arrays["embeddings"] == pytest.approx(backend.encode_texts(["a cat", "a dog", "🐱 قطة"]))

    def test_an_interrupted_run_goes_on_where_it_stopped(self, tmp_path, monkeypatch, backend, capsys):
        monkeypatch.setattr("probes.embed.CHUNK", 4)
        folder = tmp_path / "many"
        folder.mkdir()
        for seed in range(10):
            Image.fromarray(noise(seed, 8, 8).rgb).save(folder / f"{seed}.png")
        whole = backend.encode_images
        calls = []

        def interrupted(pictures, *rest):
            if len(calls) == 2:
                raise KeyboardInterrupt
            calls.append(len(pictures))
            return whole(pictures, *rest)

        monkeypatch.setattr(backend, "encode_images", interrupted)
        assert main(["embed", str(folder), "--out", str(tmp_path / "m.npz")]) == 130
        assert not (tmp_path / "m.npz").exists()
        monkeypatch.setattr(backend, "encode_images", whole)
        backend.encoded = 0
        assert main(["embed", str(folder), "--out", str(tmp_path / "m.npz")]) == 0
        assert backend.encoded == 2
        with np.load(tmp_path / "m.npz") as arrays:
            assert arrays["embeddings"] == pytest.approx(whole([noise(seed, 8, 8) for seed in range(10)]))

    def test_parts_of_another_content_are_not_taken(self, tmp_path, monkeypatch, backend):
        lines = tmp_path / "lines.txt"
        lines.write_text("one\ntwo\n")
        monkeypatch.setattr("probes.embed._write_archive", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert main(["embed", str(lines), "--out", str(tmp_path / "t.npz")]) == 130
        monkeypatch.undo()
        monkeypatch.setattr(probes.backend, "load", lambda spec, **options: backend)
        lines.write_text("three\ntwo\n")
        assert main(["embed", str(lines), "--out", str(tmp_path / "t.npz")]) == 0
        with np.load(tmp_path / "t.npz") as arrays:
            assert arrays["ids"].tolist() == ["three", "two"]
            assert arrays["embeddings"] == pytest.approx(backend.encode_texts(["three", "two"]))

    @pytest.mark.parametrize(
        ("name", "content", "out", "field"),
        [
            ("missing", None, "o.npz", "path"),
            ("empty.txt", b"\n\n", "o.npz", "path"),
            ("binary.bin", b"\xff\xfe\x00\x81", "o.npz", "path"),
            ("fine.txt", b"a cat", "o.csv", "out"),
            ("fine.txt", b"a cat", "none/o.npz", "out"),
        ],
    )
    def test_bad_input(self, tmp_path, capsys, name, content, out, field):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert main(["embed", str(tmp_path / name), "--out", str(tmp_path / out)]) == 2
        assert capsys.readouterr().err.startswith(f"clipspect: {field}: ")

    def test_a_zip_bomb_and_a_damaged_entry_are_left_out(self, tmp_path, monkeypatch, capsys):
        import zipfile

        monkeypatch.setattr("probes.core.picture_sets.ENTRY_LIMIT", 100_000)
        path = tmp_path / "z.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.png", b"\0" * 10_000_000)
            archive.writestr("../outside.png", b"nonsense")
        assert main(["embed", str(path), "--out", str(tmp_path / "o.npz")]) == 2
        assert "none of the 2 pictures could be read" in capsys.readouterr().err
        assert not (tmp_path.parent / "outside.png").exists()
