"""Who is audited: embeddings of pictures with their attributes, from drawn people, own pictures or a file.

A table's rows are matched to pictures by the whole path inside the folder or zip, then by the bare name where it
is the only one of that name; to embeddings without names by order. What cannot be used is listed with its
reason in `Sample.left_out`, and nothing is left out in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from probes.bias_audit import people
from probes.bias_audit.audited import Grouping
from probes.bias_audit.lines import split
from probes.bias_audit.parameters import OFF, BiasAuditParams
from probes.core.errors import FieldError
from probes.core.model import Backend, Float32, Progress
from probes.core.picture_sets import Unreadable
from probes.core.pictures import Picture
from probes.core.tables import Table

FILE_COLUMNS = ("file", "filename", "file_name", "image", "image_path", "path", "img", "picture", "id", "ids")
"""What a column with the names of files is called, if nobody says."""
AS_DRAWN = ("man", "woman", "person", "none", "light", "medium-light", "medium", "medium-dark", "dark")
AT_ONCE = 256
LEAST_IN_GROUP = 2
PREVIEWED = 5
"""Pairs in the preview."""


@dataclass(frozen=True)
class LeftOut:
    """A row of the table `left_out`: what was not used, and why.

    `row` is the table's as a spreadsheet counts it; None where it is about a picture that no row names.
    """

    row: int | None
    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class Sample:
    """Pictures that are audited.

    Attributes:
        images: (n, d) unit embeddings.
        names: (n,).
        columns: the attributes by name, (n,) values each.
        pair_column: the attribute that says which pictures belong together; see `paired`.
        rows: (n,) of the table, as a spreadsheet counts them; empty for the shipped set.
        people: who is drawn, for the shipped set.
        left_out: what was not used.
        cautions: sentences on how pictures had to be read, and on those unlike the model's training.
    """

    images: Float32
    names: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    pair_column: str = ""
    rows: tuple[int, ...] = ()
    people: tuple[people.Person, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    cautions: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.names)

    def column(self, name: str, of: str) -> tuple[str, ...]:
        """The values of an attribute, given exactly or but for case.

        Raises:
            FieldError: there is no such attribute; `of` is the field that named it.
        """
        known = {column.casefold(): column for column in self.columns}
        found = name if name in self.columns else known.get(name.strip().casefold())
        if found is None:
            there = ", ".join(self.columns) or "none"
            raise FieldError(of, f"there is no attribute '{name}'; there are {there}")
        return self.columns[found]

    def taken(self, places: Sequence[int] | NDArray[np.intp]) -> Sample:
        """The same with some of the pictures."""
        chosen = [int(place) for place in places]
        return replace(
            self,
            images=self.images[chosen],
            names=tuple(self.names[place] for place in chosen),
            columns={name: tuple(values[place] for place in chosen) for name, values in self.columns.items()},
            rows=tuple(self.rows[place] for place in chosen) if self.rows else (),
            people=tuple(self.people[place] for place in chosen) if self.people else (),
        )


def check_table(params: BiasAuditParams) -> None:
    """Refuse what a table of one's own shows to be wrong, before pictures are embedded.

    Raises:
        FieldError: an attribute, value or pair column is not there.
    """
    if not len(params.attributes):
        return
    everybody = range(len(params.attributes))
    sample = _listed(params, [str(row) for row in everybody], everybody)
    grouped(sample, params.group, params.groups)
    task = params.task if params.mitigate != OFF else ""
    for name, of in ((params.by, "by"), (task, "task"), (params.pair_column, "pair_column")):
        if name:
            sample.column(name, of)


def gather(params: BiasAuditParams, backend: Backend, progress: Progress) -> Sample:
    """Whom the parameters name, embedded.

    Raises:
        FieldError: the table cannot be matched, or nobody is left.
    """
    if len(params.image_embeddings):
        return _from_embeddings(params, backend)
    if len(params.images):
        return _from_pictures(params, backend, progress)
    return _drawn(params, backend, progress)


def _drawn(params: BiasAuditParams, backend: Backend, progress: Progress) -> Sample:
    """The shipped drawings of people in the groups that are asked about; no others are embedded."""
    everyone = drawn(people.people(params.drawings, params.people))
    chosen, _ = grouped(everyone, params.group, params.groups)
    images = backend.encode_images(people.pictures(chosen.people), progress)
    return replace(chosen, images=images)


def drawn(shown: tuple[people.Person, ...]) -> Sample:
    """Drawn people with their attributes, before they are embedded."""
    columns = {
        "gender": tuple(person.gender for person in shown),
        "skin_tone": tuple(person.tone for person in shown),
        "occupation": tuple(person.occupation for person in shown),
        "style": tuple(person.style for person in shown),
    }
    nothing = np.zeros((len(shown), 0), dtype=np.float32)
    return Sample(nothing, tuple(person.id for person in shown), columns, people=shown)


def preview(params: BiasAuditParams) -> Picture:
    """Some of the drawn people in pairs that are alike but for the attribute: first group above, second below."""
    sample, grouping = grouped(drawn(people.people(params.drawings, params.people)), params.group, params.groups)
    pairs, _ = paired(sample, grouping)
    spread = pairs[np.linspace(0, len(pairs) - 1, min(len(pairs), PREVIEWED)).astype(int)]
    frames = [[picture.rgb for picture in people.pictures([sample.people[i] for i in row])] for row in spread.T]
    return Picture("drawn people", np.concatenate([np.concatenate(row, axis=1) for row in frames]))


def _from_pictures(params: BiasAuditParams, backend: Backend, progress: Progress) -> Sample:
    files = params.images
    rows, left_out = _match(params.attributes, files.names, params.file_column)
    wanted = sorted(rows)
    embedded: list[Float32] = []
    kept: list[int] = []
    cautions: list[str] = []
    strange: list[str] = []
    for start in range(0, len(wanted), AT_ONCE):
        places = wanted[start : start + AT_ONCE]
        read: list[Picture] = []
        for place, one in zip(places, files.read([files.names[place] for place in places]), strict=True):
            if isinstance(one, Unreadable):
                left_out.append(LeftOut(params.attributes.numbers[rows[place]], one.name, one.reason))
                continue
            kept.append(place)
            read.append(one)
            cautions += [f"{one.name}: {note}." for note in one.notes]
        if read:
            done, share = start / len(wanted), len(places) / len(wanted)

            def told(part: float, doing: str, done: float = done, share: float = share) -> None:
                progress(done + part * share, doing)

            embedded.append(backend.encode_images(read, told))
            strange += [warning for warning in backend.unfamiliar_pictures(read) if warning]
    if strange:
        cautions.insert(0, f"{len(strange):,} of {len(kept):,} pictures: {strange[0]}")
    if not kept:
        first = left_out[0].reason if left_out else "the set is empty"
        raise FieldError("images", f"none of the pictures can be used: {first}")
    return replace(
        _listed(params, [files.names[place] for place in kept], [rows[place] for place in kept]),
        images=np.concatenate(embedded),
        left_out=tuple(left_out),
        cautions=_some(cautions),
    )


def _listed(params: BiasAuditParams, names: Sequence[str], rows: Sequence[int]) -> Sample:
    """Pictures by name with their rows of the table, before they are embedded."""
    table = params.attributes
    return Sample(
        np.zeros((len(names), 0), dtype=np.float32),
        tuple(names),
        {name: tuple(table.rows[row][at].strip() for row in rows) for at, name in enumerate(table.columns)},
        pair_column=params.pair_column,
        rows=tuple(table.numbers[row] for row in rows),
    )


def _from_embeddings(params: BiasAuditParams, backend: Backend) -> Sample:
    given, table = params.image_embeddings, params.attributes
    if params.needs_model():
        _same_model(params, backend)
    elif params.text_embeddings.rows.shape[1] != given.rows.shape[1]:
        raise FieldError(
            "text_embeddings",
            f"words of width {params.text_embeddings.rows.shape[1]} and pictures of width {given.rows.shape[1]} "
            "do not lie in one space",
        )
    left_out: list[LeftOut] = []
    if given.ids is not None:
        rows, left_out = _match(table, given.ids, params.file_column)
    elif len(table) == len(given):
        rows = {place: place for place in range(len(given))}
    else:
        raise FieldError(
            "attributes",
            f"the table has {len(table):,} rows for {len(given):,} embeddings: they go by order and must agree",
        )
    kept = sorted(rows)
    names = given.ids if given.ids is not None else tuple(f"row {place + 1}" for place in range(len(given)))
    listed = _listed(params, [names[place] for place in kept], [rows[place] for place in kept])
    return replace(listed, images=given.rows[kept], left_out=tuple(left_out))


def _same_model(params: BiasAuditParams, backend: Backend) -> None:
    """Refuse embeddings that the model which is to embed the words did not make, as far as that is known."""
    given = params.image_embeddings
    if given.rows.shape[1] != backend.card.width:
        raise FieldError(
            "image_embeddings",
            f"the width of these embeddings is {given.rows.shape[1]}, and {backend.card.name} embeds in "
            f"{backend.card.width}: choose the model that made them, or give embeddings of the words too",
        )
    if given.weights_digest and given.weights_digest != backend.card.weights_digest:
        raise FieldError(
            "image_embeddings",
            f"these embeddings were made by {given.model}, and {backend.card.name} cannot place words among them: "
            "ask that model, and no other beside it",
        )


def _match(table: Table, names: Sequence[str], column: str) -> tuple[dict[int, int], list[LeftOut]]:
    """The row of the table for each picture by its place, and what has no partner.

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
        raise FieldError(
            "attributes", f"no row of '{table.columns[told]}' names one of the {len(names):,} pictures"
        )
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


def _some(cautions: Sequence[str], most: int = 3) -> tuple[str, ...]:
    more = len(cautions) - most
    if more <= 0:
        return tuple(cautions)
    pictures = "picture" if more == 1 else "pictures"
    return (*cautions[:most], f"So it is, in one way or another, with {more:,} more {pictures}.")


def ordered(value: str) -> tuple[int, list[str | int]]:
    """Sorts values as people list them: those of the drawn people as they are drawn, numbers by size."""
    pieces: list[str | int] = [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", value.casefold())]
    return (AS_DRAWN.index(value) if value in AS_DRAWN else len(AS_DRAWN)), pieces


def grouped(sample: Sample, attribute: str, wanted: Sequence[str], of: str = "group") -> tuple[Sample, Grouping]:
    """The pictures that have a value, by their values or by the groups of values that are wanted.

    Args:
        sample: the pictures.
        attribute: whose values.
        wanted: lines such as `man` or `dark = medium-dark | dark`; empty for all values.
        of: the field that named the attribute, for errors.

    Raises:
        FieldError: there is no such attribute or value, or fewer than two groups of two pictures.
    """
    values = sample.column(attribute, of)
    counted = Counter(value for value in values if value)
    known = {value.casefold(): value for value in counted}
    groups: dict[str, str] = {}
    if wanted:
        for line in wanted:
            name, values_of = split(line)
            for value in values_of:
                if value.casefold() not in known:
                    raise FieldError(
                        "groups", f"nobody's {attribute} is '{value}'; there are {', '.join(sorted(counted)[:20])}"
                    )
                if known[value.casefold()] in groups:
                    raise FieldError("groups", f"'{value}' stands in two groups")
                groups[known[value.casefold()]] = name
    else:
        groups = {value: value for value in sorted(counted, key=ordered)}
    sizes = Counter(dict.fromkeys(dict.fromkeys(groups.values()), 0))
    for value, count in counted.items():
        if value in groups:
            sizes[groups[value]] += count
    names = tuple(name for name in sizes if sizes[name] >= LEAST_IN_GROUP)
    if len(names) < 2:
        raise FieldError(
            of if not wanted else "groups",
            f"two groups of at least {LEAST_IN_GROUP} pictures are needed; "
            + (", ".join(f"{name}: {count}" for name, count in sizes.items()) or "there are none"),
        )
    place = {name: i for i, name in enumerate(names)}
    codes = [place.get(groups.get(value, ""), -1) for value in values]
    kept = [i for i, code in enumerate(codes) if code >= 0]
    left_out = [
        LeftOut(
            sample.rows[i] if sample.rows else None,
            sample.names[i],
            f"its group “{groups[values[i]]}” has but one picture"
            if values[i] in groups
            else f"it has no {attribute}",
        )
        for i, code in enumerate(codes)
        if code < 0 and (values[i] in groups or not values[i])
    ]
    chosen = sample.taken(kept)
    chosen = replace(chosen, left_out=(*sample.left_out, *left_out))
    return chosen, Grouping(attribute, names, np.array([codes[i] for i in kept], dtype=np.intp))


def paired(sample: Sample, grouping: Grouping) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pictures that are alike but for the attribute: (m, 2) places, first and second group, and (m,) clusters.

    Of drawn people those that have all other attributes in common; elsewhere those with the same value in the
    pair column. No pairs (0, 2) where neither says anything.
    """
    keys: list[tuple[str, ...]]
    if sample.people:
        others = [name for name in sample.columns if name != grouping.attribute]
        keys = list(zip(*(sample.columns[name] for name in others), strict=True))
    elif sample.pair_column:
        keys = [(value,) for value in sample.column(sample.pair_column, "pair_column")]
    else:
        return np.zeros((0, 2), dtype=np.intp), np.zeros(0, dtype=np.intp)
    sides: tuple[dict[tuple[str, ...], list[int]], ...] = ({}, {})
    for place, (key, code) in enumerate(zip(keys, grouping.codes, strict=True)):
        if code < 2 and all(key):
            sides[code].setdefault(key, []).append(place)
    found, clusters = [], []
    for cluster, key in enumerate(key for key in sides[0] if key in sides[1]):
        for first in sides[0][key]:
            for second in sides[1][key]:
                found.append((first, second))
                clusters.append(cluster)
    return np.array(found, dtype=np.intp).reshape(-1, 2), np.array(clusters, dtype=np.intp)
