"""Files that a visitor brings: sets of pictures, tables, embeddings; read into memory and deleted at once.

A field of files is an input, a line on what was brought, and a button that takes it away. What was brought is held
in the visitor's session (`Held.files`) and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import PurePath
from typing import Any

import gradio as gr
from markupsafe import Markup

from app import snippets, uploads
from app.limits import LIMITS
from probes.core.controls import Control
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.embeddings import Embeddings
from probes.core.errors import ClipspectError
from probes.core.file_controls import EmbeddingPairsFile, EmbeddingsFile, File, PictureSet, RegionsFile, TableFile
from probes.core.parameters import Field
from probes.core.picture_sets import SUFFIXES, PictureFiles
from probes.core.regions import Regions
from probes.core.tables import Table

LARGEST = LIMITS.upload_mb
"""Megabytes of the largest file that a browser may send."""
MOST_PICTURES = LIMITS.set_pictures
"""Pictures of a set that are taken in the browser; the command line takes as many as the field allows."""
PROBLEMS = 5


@dataclass(frozen=True)
class FileSlot:
    """The components of a field of files."""

    upload: gr.File
    told: gr.HTML
    remove: gr.Button


def is_file(control: Control[Any]) -> bool:
    """Whether a control takes files."""
    return isinstance(control, File)


def lay_out(field: Field) -> FileSlot:
    """Put the components of a field of files on the page, its limit told before anything is sent."""
    control = field.control
    gr.HTML(snippets.legend(control.label, f"{control.help} {limit(control)}"), elem_classes="legend")
    upload = gr.File(
        file_count="multiple" if isinstance(control, (PictureSet, EmbeddingPairsFile)) else "single",
        file_types=list(_types(control)), show_label=False, height=132, elem_id=f"field-{field.name}",
        elem_classes="file-input", buttons=[],
    )  # fmt: skip
    told = gr.HTML(elem_classes="file-told")
    remove = gr.Button("Take away", size="sm", visible=False, elem_id=f"remove-{field.name}", elem_classes="quiet")
    return FileSlot(upload, told, remove)


def limit(control: Control[Any]) -> str:
    """What a browser may send, in a sentence."""
    if isinstance(control, PictureSet):
        return (
            f"Here at most {min(MOST_PICTURES, control.most):,} pictures and {LARGEST} MB; more on the command "
            "line. Kept in memory, deleted from the upload at once, and gone with your session."
        )
    return f"At most {LARGEST} MB."


def _types(control: Control[Any]) -> Sequence[str]:
    if isinstance(control, PictureSet):
        return (".zip", *SUFFIXES)
    if isinstance(control, RegionsFile):
        return (".csv", ".tsv", ".txt", ".json")
    return (".csv", ".tsv", ".txt") if isinstance(control, TableFile) else (".npy", ".npz")


@dataclass(frozen=True)
class Brought:
    """What a field holds once files were brought, and how many bytes they had."""

    value: Any
    size: int


def read(field: Field, sent: str | Sequence[str] | None) -> Brought:
    """What a field holds from the files that a browser sent; the files are deleted.

    Raises:
        ClipspectError: they cannot be used.
    """
    paths = [sent] if isinstance(sent, str) else list(sent or ())
    try:
        return brought(field.control, [(str(given), partial(uploads.take, given)) for given in paths])
    finally:
        for given in paths:
            uploads.discard(given)


def brought(control: Control[Any], sent: Sequence[tuple[str, Callable[[int], bytes]]]) -> Brought:
    """What a field holds from files that may have `LARGEST` megabytes together.

    Args:
        control: the field's.
        sent: what each file is called, and what reads it if it has no more than so many bytes.

    Raises:
        ClipspectError: one cannot be read, is too large beside the others, or they cannot be used.
    """
    with uploads.READING:
        content = _gathered(sent)
        if not content:
            raise ClipspectError("nothing was sent")
        return Brought(value_of(control, content), sum(map(len, content.values())))


def _gathered(sent: Sequence[tuple[str, Callable[[int], bytes]]]) -> dict[str, bytes]:
    """The content of files by name, each with a number where another one is called so."""
    content: dict[str, bytes] = {}
    left = LARGEST * 1_000_000
    for called, take in sent:
        name = _name(called, content)
        try:
            content[name] = take(left)
        except ClipspectError as error:
            beside = " (for what was sent beside it is counted too)" if content else ""
            raise ClipspectError(f"{name}: {error}{beside}") from None
        left -= len(content[name])
    return content


def _name(given: object, taken: Container[str]) -> str:
    """What to call an upload: its name, with a number where another one is called so."""
    path = PurePath(str(given)[-200:])
    names = (f"{path.stem} ({number}){path.suffix}" if number > 1 else path.name for number in count(1))
    return next(name for name in names if name not in taken)


def value_of(control: Control[Any], content: Mapping[str, bytes]) -> Any:
    """The value of a field from files, by name.

    Raises:
        ClipspectError: they cannot be used.
    """
    name, first = next(iter(content.items()))
    if isinstance(control, PictureSet):
        pictures = PictureFiles.of_bytes(content, f"{len(content)} uploaded files")
        if len(pictures) > MOST_PICTURES:
            raise ClipspectError(
                f"{len(pictures):,} pictures are too many for the browser, which takes {MOST_PICTURES:,}: use the "
                "command line, or embeddings"
            )
        return pictures
    if isinstance(control, TableFile):
        return Table.read(first, name)
    if isinstance(control, RegionsFile):
        return Regions.read(first, name)
    if isinstance(control, EmbeddingsFile):
        return Embeddings.read(first, name)
    if isinstance(control, EmbeddingPairsFile):
        return EmbeddingPairs.read(list(content.values()), list(content))
    raise TypeError(f"{type(control).__name__} takes no files")


def describe(value: Any) -> Markup:
    """What was brought, and what is wrong with parts of it."""
    if isinstance(value, PictureFiles):
        return snippets.brought(value.name, f"{len(value):,} pictures")
    if isinstance(value, Table):
        wrong = [f"Row {problem.row}: {problem.reason}." for problem in value.problems[:PROBLEMS]]
        if len(value.problems) > PROBLEMS:
            wrong.append(f"And {len(value.problems) - PROBLEMS:,} more rows, listed in the answer.")
        told = f"{len(value):,} rows; columns {', '.join(value.columns)}"
        return snippets.brought(value.name, told) + snippets.cautions(wrong)
    if isinstance(value, Regions):
        wrong = [f"Row {problem.row}: {problem.reason}." for problem in value.problems[:PROBLEMS]]
        named = len({row.name for row in value.rows if row.name})
        unit = "pixels" if value.pixels else "shares of the picture"
        told = f"{len(value):,} regions with {named:,} different names, in {unit}"
        return snippets.brought(value.name, told) + snippets.cautions(wrong)
    if isinstance(value, Embeddings):
        made = f", made by {value.model}" if value.model else ""
        told = f"{len(value):,} rows of width {value.rows.shape[1]}{made}"
        return snippets.brought(value.name, told) + snippets.cautions([f"{note}." for note in value.notes])
    if isinstance(value, EmbeddingPairs):
        made = f", made by {value.model}" if value.model else ""
        told = f"{len(value):,} pairs of width {value.images.shape[1]}{made}"
        return snippets.brought(value.name, told) + snippets.cautions([f"{note}." for note in value.notes])
    return Markup("")


def columns(values: Mapping[str, Any], field: Field) -> tuple[str, ...]:
    """The columns of the table that a field of text may name, if one was brought."""
    table = values.get(getattr(field.control, "column_of", ""))
    return table.columns if isinstance(table, Table) else ()
