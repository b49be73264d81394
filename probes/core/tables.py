"""Tables of attributes, from CSV, checked row by row; what is wrong with a row is told."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.errors import ClipspectError

DELIMITERS = (",", ";", "\t")
MOST_ROWS = 100_000
LARGEST = 50_000_000
"""Bytes of the largest table that is read."""


@dataclass(frozen=True)
class RowProblem:
    """A row that cannot be used, by its number as a spreadsheet counts, the heads being row 1."""

    row: int
    reason: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text.

    Attributes:
        name: of the file.
        columns: its heads, all different.
        rows: as many cells as there are columns in each.
        numbers: of `rows`, as a spreadsheet counts them.
        problems: rows that were left out, and why.
        digest: SHA-256 of the file, hexadecimal.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    problems: tuple[RowProblem, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    @classmethod
    def none(cls) -> Table:
        """No table."""
        return _NONE

    @classmethod
    def read(cls, source: Path | bytes, name: str | None = None) -> Table:
        """Read CSV with one row of heads; UTF-8, separated by commas, semicolons or tabs.

        Raises:
            ClipspectError: the file is missing, too large, empty, no text, or has no usable heads.
        """
        label = name or (source.name if isinstance(source, Path) else "table")
        content = _content(source, label)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ClipspectError(f"{label}: this is not text in UTF-8; save the table as CSV in UTF-8") from None
        if "\0" in text:
            raise ClipspectError(f"{label}: this is not a table in text")
        lines = _parsed(text, label)
        if not lines:
            raise ClipspectError(f"{label}: the table is empty")
        columns = tuple(cell.strip() for cell in lines[0][1])
        _check_heads(columns, label)
        rows, numbers, problems = [], [], []
        for number, cells in lines[1:]:
            if len(cells) == len(columns):
                rows.append(tuple(cell.strip() for cell in cells))
                numbers.append(number)
            else:
                problems.append(RowProblem(number, f"{len(cells)} cells under {len(columns)} heads"))
        if len(rows) > MOST_ROWS:
            raise ClipspectError(f"{label}: {len(rows):,} rows are too many; the limit is {MOST_ROWS:,}")
        if not rows:
            raise ClipspectError(f"{label}: there is no row under the heads")
        digest = hashlib.sha256(content).hexdigest()
        return cls(label, columns, tuple(rows), tuple(numbers), tuple(problems), digest)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON a table is its name, size, columns and digest: its rows never leave in a report."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


_NONE = Table("", (), (), (), (), "")


def _describe(table: Table) -> dict[str, Any] | None:
    if not table.digest:
        return None
    return {"name": table.name, "rows": len(table), "columns": list(table.columns), "sha256": table.digest}


def _content(source: Path | bytes, label: str) -> bytes:
    if isinstance(source, bytes):
        content = source
    else:
        try:
            if source.stat().st_size > LARGEST:
                raise ClipspectError(f"{label}: larger than {LARGEST // 1_000_000} MB")
            content = source.read_bytes()
        except FileNotFoundError:
            raise ClipspectError(f"{label}: there is no such file") from None
        except OSError as error:
            raise ClipspectError(f"{label}: {error.strerror or 'it cannot be read'}") from None
    if len(content) > LARGEST:
        raise ClipspectError(f"{label}: larger than {LARGEST // 1_000_000} MB")
    return content


def _parsed(text: str, label: str) -> list[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers; split where the heads have most columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        every = enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), start=1)
        return [(number, cells) for number, cells in every if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ClipspectError(f"{label}: the table cannot be read ({error})") from None


def _check_heads(columns: tuple[str, ...], label: str) -> None:
    if not all(columns):
        raise ClipspectError(f"{label}: column {columns.index('') + 1} has no head; the first row must name them")
    twice = [name for i, name in enumerate(columns) if name.casefold() in {c.casefold() for c in columns[:i]}]
    if twice:
        raise ClipspectError(f"{label}: two columns are called '{twice[0]}'")
