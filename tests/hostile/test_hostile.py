"""Whatever is sent ends in a sentence or a result, takes no more than it may, and leaves nothing behind."""

from __future__ import annotations

import os
import tracemalloc
import warnings
from functools import lru_cache
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder

from app import downloads, files, stage, training_page, uploads
from app.stage import Held
from app.training_link import Ask
from probes import registry
from probes.core import embeddings, export, picture_sets
from probes.core.embeddings import Embeddings
from probes.core.errors import ClipspectError, PictureError
from probes.core.file_controls import PictureSet, TableFile
from probes.core.parameters import fields
from probes.core.picture_sets import PictureFiles
from probes.core.pictures import Picture
from probes.core.tables import RowProblem, Table
from tests.hostile import corpus, fuzz

ENOUGH = 5_000


@lru_cache(maxsize=len(fuzz.DOORS))
def thrown(door: int) -> int:
    """How many cases a door stood; each is thrown once, whoever asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow and NumPy, about what is broken on purpose
        return fuzz.DOORS[door]()


@pytest.mark.slow
@pytest.mark.parametrize("door", range(len(fuzz.DOORS)), ids=[door.__name__ for door in fuzz.DOORS])
def test_every_case_ends_in_a_sentence_or_a_result_and_leaves_no_file(door: int, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = _here()
    assert thrown(door) >= 50
    assert list(tmp_path.rglob("*")) == []
    assert _here() == before


def _here() -> set[str]:
    """What lies beside the program, where a zip that climbs out of its folder would put something."""
    return {str(path) for folder in (fuzz.ROOT, fuzz.ROOT.parent, Path("/")) for path in folder.glob("*.png")}


@pytest.mark.slow
def test_they_are_enough() -> None:
    assert sum(thrown(door) for door in range(len(fuzz.DOORS))) >= ENOUGH


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of uploads."""
    monkeypatch.setenv(uploads.FOLDER, str(tmp_path))
    assert Path(get_upload_folder()) == tmp_path
    return tmp_path


def sent(folder: Path, name: str, content: bytes) -> Path:
    path = folder / os.urandom(8).hex() / name
    path.parent.mkdir()
    path.write_bytes(content)
    return path


def test_an_upload_is_read_once_and_its_folder_goes(folder: Path) -> None:
    path = sent(folder, "a.png", b"content")
    assert uploads.take(str(path), 7) == b"content"
    assert list(folder.iterdir()) == []
    with pytest.raises(ClipspectError, match="the upload is gone; send it again"):
        uploads.take(str(path), 7)


def test_too_large_an_upload_is_refused_before_it_is_read(folder: Path, monkeypatch) -> None:
    path = sent(folder, "large.png", b"")
    with path.open("r+b") as stream:
        stream.truncate(40_000_000_000)  # takes no room on the disk, and would take all of the memory
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    field = next(f for f in fields(registry.get("zero_shot").params) if f.is_pictures)
    received = stage.receive(Held(), field, [{"path": str(path), "name": "large.png"}])
    assert received.error == f"large.png: 40000.0 MB are too many; the limit is {stage.LARGEST} MB."
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "", ".", "a\0b", "x" * 5000, "{folder}", "{folder}/../secret/a.png", "{folder}/a.png",
             "{folder}/b/c/a.png", "{folder}/link/a.png", None, [], {"path": 1}, 7],
)  # fmt: skip
def test_nothing_but_an_upload_is_read_or_deleted(folder: Path, path: object) -> None:
    for place in ("a.png", "b/c/a.png", "../secret/a.png"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(b"secret")
    (folder / "link").symlink_to(folder.parent / "secret")
    given = path.format(folder=folder) if isinstance(path, str) else path
    with pytest.raises(ClipspectError, match=r"this is not an upload|the upload is gone"):
        uploads.take(given, 100)
    uploads.discard(given)
    assert all((folder / place).is_file() for place in ("a.png", "b/c/a.png", "../secret/a.png"))


def test_all_files_of_a_refused_set_are_deleted_and_none_is_lost_for_its_name(folder: Path) -> None:
    field = next(f for f in fields(registry.get("bias_audit").params) if isinstance(f.control, PictureSet))
    same = [str(sent(folder, "a.png", corpus.picture("PNG", mode=mode))) for mode in ("RGB", "L")]
    assert files.read(field, same).value.names == ("a (2).png", "a.png")
    with pytest.raises(ClipspectError):
        files.read(field, [str(sent(folder, "a.png", b"x")), "/etc/passwd", str(sent(folder, "b.png", b"x"))])
    assert list(folder.rglob("*.png")) == []


def test_what_nobody_read_is_swept_away_after_a_while(folder: Path) -> None:
    old, new = sent(folder, "old.png", b""), sent(folder, "new.png", b"")
    os.utime(old, (1, 1))
    os.utime(old.parent, (1, 1))
    uploads.sweep(folder, before=2)
    assert (old.parent.exists(), new.exists()) == (False, True)


def test_a_picture_is_refused_by_its_header() -> None:
    tracemalloc.start()
    with pytest.raises(PictureError, match="3600 megapixels; the limit is 50"):
        Picture.read(corpus.png_of(60_000, 60_000), "bomb.png")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


def test_other_programs_are_given_nothing() -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n/x 1 def\n%%EOF\n"
    with pytest.raises(PictureError, match="not a picture in a format that can be read"):
        Picture.read(postscript, "a.png")


def test_what_a_file_says_it_unpacks_to_is_limited_before_it_is_unpacked(monkeypatch) -> None:
    monkeypatch.setattr(embeddings, "LARGEST", 1_000_000)
    with pytest.raises(ClipspectError, match="unpacked it is larger than"):
        Embeddings.read(corpus.hostile_arrays()["bomb"], "bomb.npz")
    monkeypatch.setattr(picture_sets, "MOST_ENTRIES", 2)
    with pytest.raises(PictureError, match="a zip may hold 2 files"):
        PictureFiles.of_bytes({"a.zip": corpus.zipped({f"{i}.png": b"" for i in range(3)})}, "a")
    monkeypatch.setattr(picture_sets, "ENTRY_LIMIT", 1_000)
    files_of_zip = PictureFiles.of_bytes({"a.zip": corpus.zipped({"a.png": b"\0" * 1_001})}, "a")
    (one,) = files_of_zip.read(["a.png"])
    assert "too large for a picture" in one.reason


def test_no_csv_runs_a_formula() -> None:
    for text in corpus.FORMULAS:
        head, cell = export.to_csv([RowProblem(1, text)]).split("\r\n", 1)
        assert head == "row,reason"
        assert cell.lstrip('1,"').startswith("'")
    table = files.value_of(TableFile(label="x"), {"a.csv": corpus.hostile_tables()["formulas"]})
    assert isinstance(table, Table)
    assert len(table) == len(corpus.FORMULAS)


@pytest.mark.parametrize("make", [training_page.counts_file, training_page.pairs_file])
def test_the_files_of_training_data_go_through_the_same_writer(make, monkeypatch) -> None:
    monkeypatch.setattr(export, "to_csv", lambda rows: f"neutralised {len(rows)}")
    file = make(Ask(concept="occupation:mechanic"))
    assert isinstance(file, downloads.Download)
    assert file.text.startswith("neutralised")
