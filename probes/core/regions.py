"""Regions of pictures with names, from CSV or from JSON in COCO's layout, checked row by row.

CSV has a row of heads: `x, y, width, height` (the upper left corner first) or `x0, y0, x1, y1`, and `name` (or
`label`, `category`, `caption`); besides them `file` (or `image`, `picture`) where there are several pictures.
Numbers that are all at most 1 are shares of the picture's width and height, others are pixels. JSON has `images`
(`id`, `file_name`), `annotations` (`image_id`, `bbox` as x, y, width, height in pixels, and `category_id`,
`caption` or `name`) and `categories` (`id`, `name`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.damaged import DAMAGED
from probes.core.errors import ClipspectError
from probes.core.tables import LARGEST, RowProblem, Table

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

FILE = ("file", "image", "picture", "file_name", "filename", "path")
NAME = ("name", "label", "category", "caption", "text", "phrase")
LONGEST = 2_000
"""Characters of a name that are kept."""
CORNERS = (("x0", "y0", "x1", "y1"), ("left", "top", "right", "bottom"), ("xmin", "ymin", "xmax", "ymax"))
SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))


@dataclass(frozen=True)
class Region:
    """A part of a picture.

    Attributes:
        file: name of the picture; empty where the file of regions says nothing of pictures.
        box: left, top, right, bottom, in pixels or shares.
        name: what it shows; empty where nobody says.
    """

    file: str
    box: Box
    name: str


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions from a file.

    Attributes:
        name: of the file.
        rows: the regions, in order.
        pixels: whether boxes are in pixels rather than shares of width and height.
        problems: rows that were left out, and why.
        digest: SHA-256 of the file, hexadecimal.
    """

    name: str
    rows: tuple[Region, ...]
    pixels: bool
    problems: tuple[RowProblem, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regions) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def of(self, file: str, width: int, height: int) -> tuple[Region, ...]:
        """The regions of a picture, in shares of its width and height and cut at its edges.

        A file is found by its whole name or by the last part of it; regions without a file belong to any picture.
        """
        last = PurePosixPath(file).name
        scale = (width, height, width, height) if self.pixels else (1, 1, 1, 1)
        found = []
        for row in self.rows:
            if row.file in ("", file) or PurePosixPath(row.file).name == last:
                box = tuple(min(max(end / whole, 0.0), 1.0) for end, whole in zip(row.box, scale, strict=True))
                if box[2] - box[0] > 1e-4 and box[3] - box[1] > 1e-4:
                    found.append(Region(row.file, (box[0], box[1], box[2], box[3]), row.name))
        return tuple(found)

    @classmethod
    def none(cls) -> Regions:
        """No regions."""
        return _NONE

    @classmethod
    def read(cls, source: Path | bytes, name: str | None = None) -> Regions:
        """Read regions from a file or from the bytes of one.

        Raises:
            ClipspectError: the file is missing, too large, or holds no regions that can be used.
        """
        label = name or (source.name if isinstance(source, Path) else "regions")
        content = _bytes(source, label)
        found, problems = (
            _coco(content, label) if content.lstrip()[:1] in (b"{", b"[") else _table(Table.read(content, label))
        )
        rows, wrong = _usable(found)
        if not rows:
            why = f" (row {wrong[0].row}: {wrong[0].reason})" if wrong else ""
            raise ClipspectError(f"{label}: there is no region that can be used{why}")
        pixels = any(end > 1.5 for row in rows for end in row.box)
        return cls(label, rows, pixels, (*problems, *wrong), hashlib.sha256(content).hexdigest())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON regions are their file's name, their count and its digest."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


_NONE = Regions("", (), False, (), "")


def _describe(regions: Regions) -> dict[str, str | int] | None:
    if not regions.digest:
        return None
    return {"name": regions.name, "regions": len(regions), "sha256": regions.digest}


def _bytes(source: Path | bytes, label: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if source.stat().st_size > LARGEST:
            raise ClipspectError(f"{label}: larger than {LARGEST // 1_000_000} MB")
        return source.read_bytes()
    except FileNotFoundError:
        raise ClipspectError(f"{label}: there is no such file") from None
    except OSError as error:
        raise ClipspectError(f"{label}: {error.strerror or 'it cannot be read'}") from None


Numbered = list[tuple[int, str, Sequence[object], str]]
"""(row, file, left top right bottom as given, name)."""


def _table(table: Table) -> tuple[Numbered, tuple[RowProblem, ...]]:
    heads = {name.casefold(): place for place, name in enumerate(table.columns)}
    corners = next((names for names in CORNERS if set(names) <= heads.keys()), None)
    sizes = next((names for names in SIZES if set(names) <= heads.keys()), None)
    if corners is None and sizes is None:
        raise ClipspectError(
            f"{table.name}: the columns x, y, width, height (or x0, y0, x1, y1) are missing; "
            f"there are {', '.join(table.columns)}"
        )
    file = next((heads[name] for name in FILE if name in heads), None)
    named = next((heads[name] for name in NAME if name in heads), None)
    found: Numbered = []
    for number, cells in zip(table.numbers, table.rows, strict=True):
        given: list[object] = [cells[heads[name]] for name in (corners or sizes or ())]
        box = given if corners else _added(given)
        found.append(
            (number, cells[file] if file is not None else "", box, cells[named] if named is not None else "")
        )
    return found, table.problems


def _added(given: Sequence[object]) -> Sequence[object]:
    """Corners from a corner and a size; as given where they are no numbers."""
    try:
        x, y, width, height = (float(str(value)) for value in given)
    except ValueError:
        return given
    return [x, y, x + width, y + height]


def _coco(content: bytes, label: str) -> tuple[Numbered, tuple[RowProblem, ...]]:
    try:
        whole = json.loads(content)
        files = {image["id"]: str(image["file_name"]) for image in whole["images"]}
        names = {one["id"]: str(one["name"]) for one in whole.get("categories", ())}
        annotations = list(whole["annotations"])
    except DAMAGED:
        raise ClipspectError(
            f"{label}: this is not JSON in COCO's layout (images, annotations, categories)"
        ) from None
    found: Numbered = []
    problems = []
    for number, one in enumerate(annotations, start=1):
        try:
            picture, box = files[one["image_id"]], _added(one["bbox"])
            name = one.get("caption") or one.get("name") or names.get(one.get("category_id", ""), "")
        except DAMAGED:
            problems.append(RowProblem(number, "an annotation without a known picture or a box of four numbers"))
            continue
        found.append((number, picture, box, str(name)[:LONGEST]))
    return found, tuple(problems)


def _usable(found: Numbered) -> tuple[tuple[Region, ...], list[RowProblem]]:
    rows, problems = [], []
    for number, file, given, name in found:
        try:
            left, top, right, bottom = (float(str(end)) for end in given)
        except ValueError:
            told = ", ".join(str(end)[:20] for end in given)
            problems.append(RowProblem(number, f"{told} are not four numbers"))
            continue
        if not all(map(math.isfinite, (left, top, right, bottom))) or right <= left or bottom <= top:
            problems.append(RowProblem(number, "the box has no area"))
            continue
        rows.append(Region(file, (left, top, right, bottom), name.strip()[:LONGEST]))
    return tuple(rows), problems
