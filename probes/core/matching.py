"""Which row of a table is about which picture.

Rows are matched by the whole path inside the folder or zip, then by the bare name where it is the only one of that
name. What cannot be used is listed with its reason, and nothing is left out in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from probes.core.errors import FieldError
from probes.core.tables import Table

FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_path", "path", "img", "picture", "id", "ids")
"""What a column with the names of files is called, if nobody says."""


@dataclass(frozen=True)
class LeftOut:
    """A row of the table `left_out`: what was not used, and why.

    `row` is the table's as a spreadsheet counts it; None where it is about a picture that no row names.
    """

    row: int | None
    file: str
    reason: str


def match(
    table: Table, names: Sequence[str], column: str, field: str = "attributes"
) -> tuple[dict[int, int], list[LeftOut]]:
    """The row of the table for each picture by its place, and what has no partner.

    Args:
        table: the rows.
        names: of the pictures.
        column: which names the files; empty to find it.
        field: the parameter that holds the table, for errors.

    Raises:
        FieldError: no column names the files.
    """
    told = _file_column(table, names, column)
    whole = {_normal(name): place for place, name in enumerate(names)}
    bare = Counter(PurePosixPath(name).name for name in whole)
    by_name = {PurePosixPath(name).name: place for name, place in whole.items()}
    rows: dict[int, int] = {}
    left_out = [LeftOut(problem.row, "", problem.reason) for problem in table.problems]
    for number, (at, row) in enumerate(zip(table.numbers, table.rows, strict=True)):
        file = _normal(row[told])
        name = PurePosixPath(file).name
        place = whole.get(file, by_name.get(name) if bare[name] == 1 else None)
        if not file:
            left_out.append(LeftOut(at, "", "the row names no file"))
        elif place is None:
            many = f"{bare[name]} pictures bear that name" if bare[name] > 1 else "there is no such picture"
            left_out.append(LeftOut(at, row[told], many))
        elif place in rows:
            named = table.numbers[rows[place]]
            left_out.append(LeftOut(at, row[told], f"row {named} names that picture already"))
        else:
            rows[place] = number
    left_out += [
        LeftOut(None, name, "no row that can be used names this picture")
        for i, name in enumerate(names)
        if i not in rows
    ]
    if not rows:
        raise FieldError(field, f"no row of '{table.columns[told]}' names one of the {len(names):,} pictures")
    return rows, left_out


def _normal(name: str) -> str:
    return PurePosixPath(name.strip().replace("\\", "/")).as_posix() if name.strip() else ""


def _file_column(table: Table, names: Sequence[str], column: str) -> int:
    """The place of the column that names the files."""
    lower = [name.strip().casefold() for name in table.columns]
    if column:
        if column.strip().casefold() not in lower:
            raise FieldError("file_column", f"there is no column '{column}'; there are {', '.join(table.columns)}")
        return lower.index(column.strip().casefold())
    for known in FILE_COLUMNS:
        if known in lower:
            return lower.index(known)
    bare = {PurePosixPath(_normal(name)).name for name in names}
    hits = [
        sum(PurePosixPath(_normal(row[place]) or "-").name in bare for row in table.rows)
        for place in range(len(lower))
    ]
    if not hits or max(hits) == 0:
        raise FieldError(
            "file_column", f"none of the columns {', '.join(table.columns)} names the pictures' files"
        )
    return int(np.argmax(hits))
