"""Who is audited: embeddings of pictures with their attributes, and the groups and pairs among them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from probes import people
from probes.bias_audit.audited import Grouping
from probes.bias_audit.lines import split
from probes.core.errors import FieldError
from probes.core.matching import LeftOut
from probes.core.model import Float32

AS_DRAWN = ("man", "woman", "person", "none", "light", "medium-light", "medium", "medium-dark", "dark")
LEAST_IN_GROUP = 2


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
