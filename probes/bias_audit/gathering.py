"""Gathers whom to audit: drawn people, own pictures with a table, or embeddings from a file.

Embeddings without names go with the rows of a table by order; all else is matched (`probes.core.matching`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from probes import people
from probes.bias_audit.parameters import OFF, BiasAuditParams
from probes.bias_audit.sample import Sample, drawn, grouped, paired
from probes.core.errors import FieldError
from probes.core.matching import LeftOut, match
from probes.core.model import Backend, Float32, Progress
from probes.core.picture_sets import Unreadable
from probes.core.pictures import Picture

AT_ONCE = 256
PREVIEWED = 5
"""Pairs in the preview."""


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


def preview(params: BiasAuditParams) -> Picture:
    """Some of the drawn people in pairs that are alike but for the attribute: first group above, second below."""
    sample, grouping = grouped(drawn(people.people(params.drawings, params.people)), params.group, params.groups)
    pairs, _ = paired(sample, grouping)
    spread = pairs[np.linspace(0, len(pairs) - 1, min(len(pairs), PREVIEWED)).astype(int)]
    frames = [[picture.rgb for picture in people.pictures([sample.people[i] for i in row])] for row in spread.T]
    return Picture("drawn people", np.concatenate([np.concatenate(row, axis=1) for row in frames]))


def _from_pictures(params: BiasAuditParams, backend: Backend, progress: Progress) -> Sample:
    files = params.images
    rows, left_out = match(params.attributes, files.names, params.file_column)
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
        rows, left_out = match(table, given.ids, params.file_column)
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


def _some(cautions: Sequence[str], most: int = 3) -> tuple[str, ...]:
    more = len(cautions) - most
    if more <= 0:
        return tuple(cautions)
    pictures = "picture" if more == 1 else "pictures"
    return (*cautions[:most], f"So it is, in one way or another, with {more:,} more {pictures}.")
