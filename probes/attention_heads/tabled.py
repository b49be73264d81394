"""Pictures of one's own by a column of a table: which picture has which value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.gathering import Others
from probes.core.decomposition import Decomposition
from probes.core.errors import FieldError
from probes.core.matching import match
from probes.core.picture_sets import PictureFiles
from probes.core.tables import Table


def coded(
    others: Others, files: PictureFiles, table: Table, column: str
) -> tuple[Decomposition, NDArray[np.intp], tuple[str, ...]]:
    """The pictures that have a value in the column, taken apart; the code of each; the values.

    Raises:
        FieldError: there is no such column, no row names a picture, or fewer than two values are left.
    """
    heads = [name.casefold() for name in table.columns]
    if column.casefold() not in heads:
        raise FieldError("column", f"there is no column '{column}'; there are {', '.join(table.columns)}")
    at = heads.index(column.casefold())
    matched, _ = match(table, [files.names[place] for place in others.places], "", field="table")
    told = {place: table.rows[row][at].strip() for place, row in matched.items() if table.rows[row][at].strip()}
    places = sorted(told)
    values, codes = np.unique([told[place] for place in places], return_inverse=True)
    if len(values) < 2:
        raise FieldError("column", f"two different values or more are needed; there is {len(values)}")
    return others.taken.some(places), codes.astype(np.intp), tuple(map(str, values))
