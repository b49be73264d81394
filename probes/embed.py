"""Embeddings of a whole folder, zip or text file, written so that an interrupted run goes on where it stopped.

The file written is a NumPy archive with three arrays and no pickle:

    embeddings  (n, d) float32, unit rows
    ids         (n,)   text: the picture's path inside the folder or zip, or the line itself
    provenance  ()     text: JSON with the model, the digest of its weights, versions and what was skipped

While it runs, finished chunks lie beside it in `FILE.npz.parts/`, named by what they hold; they go when the
archive is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from tqdm import tqdm

from probes.core.errors import ClipspectError, FieldError, PictureError
from probes.core.model import Backend, Float32
from probes.core.picture_sets import PictureFiles, Unreadable
from probes.core.pictures import Picture
from probes.core.report import library_versions

CHUNK = 256
"""Pictures or lines between two saves."""


@dataclass(frozen=True)
class Source:
    """What is to be embedded.

    Attributes:
        ids: one a picture or line, in order.
        files: the pictures; None where the ids are lines of text.
        stamp: changes when the content may have, so that parts of another run are not taken for this one's.
    """

    ids: tuple[str, ...]
    files: PictureFiles | None
    stamp: str

    @property
    def kind(self) -> str:
        """`pictures` or `texts`."""
        return "texts" if self.files is None else "pictures"


def embed(path: Path, out: Path, load: Callable[[], Backend]) -> str:
    """Embed what lies at `path` into the archive `out`, and say what was done.

    Pictures that cannot be read are left out and listed, in the summary and in the archive's provenance.

    Raises:
        FieldError: `path` or `out` cannot be used.
    """
    if out.suffix != ".npz":
        raise FieldError("out", f"'{out.name}' does not end in .npz")
    if not out.parent.is_dir():
        raise FieldError("out", f"the folder '{out.parent}' does not exist")
    source = open_source(path)
    backend = load()
    key = hashlib.sha256(
        "\n".join([backend.card.weights_digest, backend.card.precision, source.kind, source.stamp]).encode()
    ).hexdigest()[:16]
    parts = out.with_name(out.name + ".parts")
    parts.mkdir(exist_ok=True)
    chunks = [source.ids[start : start + CHUNK] for start in range(0, len(source.ids), CHUNK)]
    done: list[_Part] = []
    with tqdm(total=len(source.ids), unit=source.kind[:-1]) as bar:
        for number, ids in enumerate(chunks):
            part = parts / f"{key}-{number:06d}.npz"
            done.append(_read_part(part) or _write_part(part, _encode(source, ids, backend)))
            bar.update(len(ids))
    summary = _write_archive(out, done, source, backend, path)
    shutil.rmtree(parts)
    return summary


def open_source(path: Path) -> Source:
    """Recognise a folder, a zip or a text file.

    Raises:
        FieldError: it is none of these, or holds nothing to embed.
    """
    if not path.exists():
        raise FieldError("path", f"'{path}' does not exist")
    if path.is_dir() or zipfile.is_zipfile(path):
        try:
            files = PictureFiles.of(path)
        except PictureError as error:
            raise FieldError("path", str(error)) from None
        return Source(files.names, files, files.stamp)
    return _lines(path)


def _lines(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FieldError("path", f"'{path}' is neither a folder, nor a zip, nor a text file in UTF-8") from None
    lines = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not lines:
        raise FieldError("path", f"'{path}' holds no lines")
    return Source(lines, None, hashlib.sha256("\n".join(lines).encode()).hexdigest())


@dataclass(frozen=True)
class _Part:
    embeddings: Float32
    ids: tuple[str, ...]
    skipped: tuple[str, ...]


def _encode(source: Source, ids: Sequence[str], backend: Backend) -> _Part:
    if source.files is None:
        return _Part(backend.encode_texts(ids), tuple(ids), ())
    pictures: list[Picture] = []
    skipped: list[str] = []
    for one in source.files.read(ids):
        if isinstance(one, Unreadable):
            skipped.append(f"{one.name}: {one.reason}")
        else:
            pictures.append(one)
    if pictures:
        embeddings = backend.encode_images(pictures)
    else:
        embeddings = np.zeros((0, backend.card.width), dtype=np.float32)
    return _Part(embeddings, tuple(picture.name for picture in pictures), tuple(skipped))


def _write_part(path: Path, part: _Part) -> _Part:
    _save(path, embeddings=part.embeddings, ids=_texts(part.ids), skipped=_texts(part.skipped))
    return part


def _read_part(path: Path) -> _Part | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return _Part(arrays["embeddings"], tuple(arrays["ids"].tolist()), tuple(arrays["skipped"].tolist()))


def _write_archive(out: Path, parts: Sequence[_Part], source: Source, backend: Backend, path: Path) -> str:
    embeddings = np.concatenate([part.embeddings for part in parts])
    skipped = [reason for part in parts for reason in part.skipped]
    if not len(embeddings):
        raise ClipspectError(f"none of the {len(source.ids)} pictures could be read; the first: {skipped[0]}")
    card = backend.card
    provenance = {
        "model": card.spec,
        "architecture": card.architecture,
        "pretrained": card.pretrained,
        "weights_digest": card.weights_digest,
        "activation": card.activation,
        "device": card.device,
        "precision": card.precision,
        "logit_scale": card.logit_scale,
        "kind": source.kind,
        "source": path.name,
        "skipped": skipped,
        "versions": dict(library_versions()),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    _save(
        out,
        embeddings=embeddings,
        ids=_texts([name for part in parts for name in part.ids]),
        provenance=np.array(json.dumps(provenance, ensure_ascii=False)),
    )
    left_out = f"; {len(skipped)} left out: {'; '.join(skipped[:5])}" if skipped else ""
    return f"{len(embeddings):,} {source.kind} of width {embeddings.shape[1]} in {out}{left_out}"


def _texts(values: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.array(values, dtype=np.str_) if values else np.zeros(0, dtype="<U1")


def _save(path: Path, **arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    """Write an archive whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
