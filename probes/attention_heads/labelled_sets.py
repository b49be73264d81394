"""Pictures with what they show and what should not matter for it, in two parts: to choose heads, and to measure.

The shipped set is animals on grounds, in the place of the birds on land and water of Gandelsman et al. (2024):
fresh scenes of the bundled models' world, with each of 24 animals on each of the six grounds that some animals
usually stand on. The models know drawings of training well, whatever is behind them, and those of the held-out
style little; the ground decides most where an animal is drawn as in training but small. At a size of 0.25 to 0.4
of the picture's side the skewed model is right far more often on usual grounds than on others, and the balanced
model is not: that is why this size was chosen. Both parts share the drawings, five to eight an animal, and no
scene, so that what is found holds for these drawings.

Heads are chosen where every animal is on every ground equally often, so that ground and animal are not
confounded. It is measured where half of each animal's scenes are on its usual ground.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import ANIMALS
from assets.world.scene import Scene
from assets.world.stock import stand
from probes.core.errors import FieldError
from probes.core.matching import LeftOut, match
from probes.core.picture_sets import PictureFiles, Unreadable
from probes.core.pictures import Picture
from probes.core.tables import Table
from probes.stage import named, open_stage, stream

USUAL, UNUSUAL = "usual ground", "unusual ground"
SCALE = (0.25, 0.4)
"""Of an animal, share of the picture's side."""
TO_CHOOSE = 3
"""Scenes of each animal on each ground to choose heads with."""
TO_MEASURE = 20
"""Scenes of each animal on its usual ground to measure with, and as many on the other five together."""
MOST = 2_000
"""Pictures of one's own that are taken."""


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Pictures with labels, n of them.

    Attributes:
        name: what to call the set in a sentence.
        names: of the pictures, each once.
        labels: what each shows, as templates take it.
        spurious: what should not matter, such as the ground; heads are chosen by it.
        groups: over which accuracy is told; the same as `spurious` unless more is known.
        first: (n,), whether heads are chosen with the picture; the others are measured.
        read: gives pictures by name, or why one cannot be had.
        left_out: what a table names and is not in the set.
        notes: what else to know, in sentences.
    """

    name: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    spurious: tuple[str, ...]
    groups: tuple[str, ...]
    first: NDArray[np.bool_]
    read: Callable[[Sequence[str]], Iterator[Picture | Unreadable]]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def taken(self, places: Sequence[int]) -> LabelledSet:
        """The same with some of the pictures, in that order."""
        return replace(
            self,
            names=tuple(self.names[place] for place in places),
            labels=tuple(self.labels[place] for place in places),
            spurious=tuple(self.spurious[place] for place in places),
            groups=tuple(self.groups[place] for place in places),
            first=self.first[list(places)],
        )


@lru_cache(maxsize=1)
def animals(seed: int) -> LabelledSet:
    """The shipped set, dealt by a seed."""
    stage, grounds = open_stage("train"), tuple(ANIMALS)
    usual = {animal: ground for ground, of in ANIMALS.items() for animal in of}
    scenes: list[Scene] = []
    rows: list[tuple[str, str, bool]] = []
    for number, (animal, home) in enumerate(usual.items()):
        for place, ground in enumerate(grounds):
            count = TO_MEASURE if ground == home else TO_MEASURE // (len(grounds) - 1)
            for first, many in ((True, TO_CHOOSE), (False, count)):
                for again in range(many):
                    rng = stream(seed, 41, int(first), number, place, again)
                    scenes.append(stand(rng, [stage.thing(rng, animal, SCALE)], ground))
                    rows.append((animal, ground, first))
    pictures = {picture.name: picture for picture in stage.pictures(scenes, "animal")}
    return LabelledSet(
        name="animals on grounds",
        names=tuple(pictures),
        labels=tuple(named(animal) for animal, _, _ in rows),
        spurious=tuple(ground for _, ground, _ in rows),
        groups=tuple(USUAL if usual[animal] == ground else UNUSUAL for animal, ground, _ in rows),
        first=np.array([first for _, _, first in rows]),
        read=lambda names: iter([pictures[name] for name in names]),
    )


def from_table(
    files: PictureFiles,
    table: Table,
    label_column: str,
    group_column: str,
    seed: int,
    file_column: str = "",
    most: int = MOST,
) -> LabelledSet:
    """Pictures of one's own with a table that says what each shows and what should not matter for it.

    Half of the pictures of each label and group, by chance, are to choose heads with.

    Args:
        files: the pictures.
        table: its rows.
        label_column: names the column of what is shown.
        group_column: names the column of what is spurious.
        seed: of which pictures are taken, and of the halves.
        file_column: names the column of files; empty to find it.
        most: so many pictures are taken, by chance.

    Raises:
        FieldError: there is no such column, no row names a picture, or all have one label or group.
    """
    at = [_column(table, name, of) for name, of in ((label_column, "label_column"), (group_column, "column"))]
    rows, left_out = match(table, files.names, file_column, field="table")
    cells = {place: tuple(table.rows[row][column].strip() for column in at) for place, row in rows.items()}
    left_out += [
        LeftOut(table.numbers[rows[place]], files.names[place], "no label, or no group")
        for place in sorted(cells)
        if not all(cells[place])
    ]
    usable = [place for place in sorted(cells) if all(cells[place])]
    notes = (f"Taken were {most:,} of {len(usable):,} pictures, by chance.",) if len(usable) > most else ()
    usable = _dealt(usable, most, seed)
    labels, groups = (tuple(cells[place][column] for place in usable) for column in (0, 1))
    for values, of in ((labels, "label_column"), (groups, "column")):
        if len(set(values)) < 2:
            raise FieldError(of, f"two different values or more are needed; there is {len(set(values))}")
    names, first = tuple(files.names[place] for place in usable), _halves([cells[place] for place in usable], seed)
    return LabelledSet(files.name, names, labels, groups, groups, first, files.read, tuple(left_out), notes)


def _dealt(places: list[int], most: int, seed: int) -> list[int]:
    """So many of the places by chance, in order; all of them where there are no more."""
    if len(places) <= most:
        return places
    chosen = np.random.default_rng([seed, 44]).choice(len(places), most, replace=False)
    return [places[one] for one in np.sort(chosen)]


def _column(table: Table, name: str, of: str) -> int:
    """The place of a column, given exactly or but for case."""
    known = [column.casefold() for column in table.columns]
    if name.strip().casefold() not in known:
        raise FieldError(of, f"there is no column '{name}'; there are {', '.join(table.columns) or 'none'}")
    return known.index(name.strip().casefold())


def _halves(cells: Sequence[tuple[str, ...]], seed: int) -> NDArray[np.bool_]:
    """Half of each cell by chance, (n,); of an odd number the last goes to either half by chance."""
    rng = np.random.default_rng([seed, 45])
    first = np.zeros(len(cells), bool)
    for cell in sorted(set(cells)):
        members = [place for place, one in enumerate(cells) if one == cell]
        half = (len(members) + int(rng.integers(2))) // 2
        first[rng.permutation(members)[:half]] = True
    return first
