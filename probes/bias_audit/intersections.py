"""Attribute by attribute: every cell against all other pictures, small cells told and not judged.

A cell's difference is the association difference (`probes.bias_audit.association`) of the grouping whose groups
are the cells. Cells of fewer than `LEAST` pictures get no number: a bootstrap over so few says less than it
seems to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from probes.bias_audit.association import difference, differences
from probes.bias_audit.audited import Grouping, Scores
from probes.core.statistics import SIGNIFICANT, benjamini_hochberg

LEAST = 10
"""Pictures in a cell below which nothing is said of it."""


@dataclass(frozen=True)
class Cell:
    """A row of the table `intersections`: mean cosine of a cell to a word less that of all other pictures.

    Attributes:
        first, second: values of the two attributes.
        n: pictures in the cell.
        difference, low, high, p, p_adjusted: None where the cell is too small.
        least, most: the difference with each wording alone; None where the cell is too small.
        enough: whether it is not.
    """

    word: str
    first: str
    second: str
    n: int
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    least: float | None = None
    most: float | None = None
    enough: bool = False

    @property
    def clear(self) -> bool:
        """Whether it differs from the others at a corrected p of at most 0.05."""
        return self.p_adjusted is not None and self.p_adjusted <= SIGNIFICANT

    @property
    def flips(self) -> bool:
        """Whether one wording alone gives the difference the other sign."""
        ends = [end for end in (self.least, self.most) if end is not None]
        return any(end * (self.difference or 0.0) < 0 for end in ends)


def intersections(scores: Scores, grouping: Grouping, other: Grouping, seed: int) -> tuple[Cell, ...]:
    """Every word and cell, words together; `grouping` and `other` are of the same pictures."""
    across, down = len(grouping.groups), len(other.groups)
    codes = grouping.codes * down + other.codes
    sizes = np.bincount(codes, minlength=across * down)
    large = [cell for cell in range(across * down) if sizes[cell] >= LEAST]
    # The pictures of all small cells are one group more: they belong to the others of every large cell.
    place = {cell: i for i, cell in enumerate(large)}
    packed = np.array([place.get(int(code), len(large)) for code in codes], dtype=np.intp)
    groups = len(large) + int((packed == len(large)).any())
    found = differences(scores.mean, packed, groups, seed) if groups > 1 else None
    every = scores.by_wording
    alone = difference(every.reshape(len(codes), -1), packed, groups) if groups > 1 else np.zeros((0, 0))
    alone = alone.reshape(-1, scores.wordings, len(scores.words))
    adjusted = (
        np.reshape(benjamini_hochberg(found.p[: len(large)].ravel().tolist()), (len(large), -1))
        if found is not None and large
        else None
    )
    cells = []
    for w, word in enumerate(scores.words):
        for cell in range(across * down):
            at = place.get(cell)
            bare = Cell(word, grouping.groups[cell // down], other.groups[cell % down], int(sizes[cell]))
            if at is not None and found is not None and adjusted is not None:
                arrays = (found.value, found.low, found.high, found.p, adjusted)
                value, low, high, p, corrected = (float(array[at, w]) for array in arrays)
                bare = replace(
                    bare, difference=value, low=low, high=high, p=p, p_adjusted=corrected, enough=True,
                    least=float(alone[at, :, w].min()), most=float(alone[at, :, w].max()),
                )  # fmt: skip
            cells.append(bare)
    return tuple(cells)
