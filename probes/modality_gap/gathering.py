"""From what a visitor gave to pairs of unit rows: embeddings of files, pictures with captions, or our own set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes import evaluation, people
from probes.core.errors import FieldError
from probes.core.matching import match
from probes.core.model import Backend, Float32, Progress, no_progress
from probes.core.picture_sets import Unreadable
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts, ensemble, picture_warnings, text_warnings
from probes.modality_gap.parameters import NOBODY, ModalityGapParams

CAPTION_COLUMNS = ("caption", "captions", "text", "sentence", "description")
SIDES = {
    "skin_tone": (("dark", "medium-dark"), ("light", "medium-light"), "darker", "lighter"),
    "gender": (("man",), ("woman",), "men", "women"),
}
"""Values of either group of drawn people, and what the groups are called, by attribute."""

Labels = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Stimuli:
    """Pictures with their captions, before any model sees them.

    Attributes:
        pictures, captions: (n,).
        labels: a category of each pair, to colour by; None for none.
        things: what the picture shows, to be told by zero-shot classification; empty where nothing is to be told.
        source: what the pairs are, in words.
        cautions: what was left out.
    """

    pictures: tuple[Picture, ...]
    captions: Labels
    labels: Labels | None
    things: Labels
    source: str
    cautions: Labels = ()


@dataclass(frozen=True, eq=False)
class People:
    """Drawn people of two groups and two lists of words: rows of unit length.

    Attributes:
        one, other: pictures, (n1, d) and (n2, d); `one_name` and `other_name` what they are called.
        words, other_words: texts, (w1, d) and (w2, d).
    """

    one: Float32
    other: Float32
    words: Float32
    other_words: Float32
    one_name: str
    other_name: str


@dataclass(frozen=True, eq=False)
class Pairs:
    """Unit rows of pictures and captions, and what is known of them.

    Attributes:
        images, texts: (n, d); row i of both is one pair.
        captions, names, labels: (n,) each, None where nobody says.
        lengths: of the rows before they were brought to unit length, (2n,), pictures first; None where nobody
            says.
        classes: (k, d) of zero-shot classes; None for none.
        of_class: the class of each pair, (n,), -1 for none.
        people: None where nobody is followed.
        source, cautions: what the pairs are; what the reader has to know of them.
    """

    images: Float32
    texts: Float32
    source: str
    captions: Labels | None = None
    names: Labels | None = None
    labels: Labels | None = None
    lengths: NDArray[np.float64] | None = None
    classes: Float32 | None = None
    of_class: NDArray[np.intp] | None = None
    people: People | None = None
    cautions: Labels = ()

    def __len__(self) -> int:
        return len(self.images)


def of_files(params: ModalityGapParams) -> Pairs:
    """The pairs of the embeddings that were given."""
    given = params.embeddings
    made = f" of {given.model}" if given.model else ""
    cautions = () if given.were_unit else ("Rows were not of unit length and were brought to it.",)
    lengths = None if given.were_unit else np.concatenate([given.image_lengths, given.text_lengths])
    return Pairs(
        given.images, given.texts, f"{len(given):,} pairs of embeddings{made} from {given.name}",
        captions=given.captions, names=given.names, labels=given.labels, lengths=lengths, cautions=cautions,
    )  # fmt: skip


def stimuli(params: ModalityGapParams) -> Stimuli:
    """The pictures and captions that were given, or the shipped set.

    Raises:
        FieldError: no column holds captions, or fewer than two pictures have one.
    """
    if len(params.images):
        return _own(params)
    shipped = evaluation.evaluated()
    return Stimuli(
        evaluation.pictures(),
        tuple(pair.caption for pair in shipped),
        tuple(pair.group for pair in shipped),
        tuple(pair.thing for pair in shipped),
        f"{len(shipped)} drawn scenes with captions",
    )


def _own(params: ModalityGapParams) -> Stimuli:
    table = params.captions
    column = _caption_column(params)
    rows, left_out = match(table, params.images.names, "", field="captions")
    kept = [place for place, row in sorted(rows.items()) if table.rows[row][column].strip()]
    pictures: list[Picture] = []
    captions: list[str] = []
    unreadable = 0
    names = [params.images.names[place] for place in kept]
    for place, one in zip(kept, params.images.read(names), strict=True):
        if isinstance(one, Unreadable):
            unreadable += 1
        else:
            pictures.append(one)
            captions.append(table.rows[rows[place]][column].strip())
    if len(pictures) < 2:
        raise FieldError("captions", f"{len(pictures)} pictures have a caption; at least two are needed")
    gone = len(left_out) + len(rows) - len(kept) + unreadable
    cautions = (f"{gone:,} pictures or rows were left out: without a partner, a caption, or not readable.",)
    things = ("",) * len(pictures)
    source = f"{len(pictures):,} pictures with captions"
    return Stimuli(tuple(pictures), tuple(captions), None, things, source, cautions if gone else ())


def _caption_column(params: ModalityGapParams) -> int:
    lower = [name.casefold() for name in params.captions.columns]
    asked = params.caption_column.casefold()
    if asked:
        if asked not in lower:
            raise FieldError(
                "caption_column",
                f"there is no column '{params.caption_column}'; there are {', '.join(params.captions.columns)}",
            )
        return lower.index(asked)
    found = next((lower.index(name) for name in CAPTION_COLUMNS if name in lower), None)
    if found is None:
        raise FieldError(
            "caption_column", f"which column holds the captions? There are {', '.join(params.captions.columns)}"
        )
    return found


def embed(params: ModalityGapParams, given: Stimuli, backend: Backend, progress: Progress) -> Pairs:
    """The pairs as a model sees them, with zero-shot classes and drawn people where they are followed."""
    images = backend.encode_images(given.pictures, lambda share, doing: progress(0.6 * share, doing))
    texts = backend.encode_texts(given.captions, lambda share, doing: progress(0.6 + 0.2 * share, doing))
    classes = tuple(dict.fromkeys(thing for thing in given.things if thing))
    rows, place = None, None
    if len(classes) > 1:
        rows = ensemble(encode_prompts(backend, classes, backend.card.templates))
        number = {name: k for k, name in enumerate(classes)}
        place = np.array([number.get(thing, -1) for thing in given.things], dtype=np.intp)
    progress(0.9, "encoding drawn people")
    return Pairs(
        images, texts, given.source, captions=given.captions, names=tuple(p.name for p in given.pictures),
        labels=given.labels, classes=rows, of_class=place, people=_people(params, backend),
        cautions=given.cautions + _unfamiliar(params, given, backend),
    )  # fmt: skip


def embed_pairs(given: Stimuli, backend: Backend, progress: Progress = no_progress) -> Pairs:
    """The pairs alone, as a model sees them."""
    images = backend.encode_images(given.pictures, progress)
    return Pairs(images, backend.encode_texts(given.captions), given.source)


def _people(params: ModalityGapParams, backend: Backend) -> People | None:
    """Portraits of two groups as drawn, in the style that draws most of them."""
    if params.people == NOBODY:
        return None
    values, other_values, name, other_name = SIDES[params.people]
    drawn = people.people(shown=people.PORTRAITS)
    attribute = "tone" if params.people == "skin_tone" else "gender"
    one, other = (
        [person for person in drawn if getattr(person, attribute) in wanted] for wanted in (values, other_values)
    )
    pictures = backend.encode_images(people.pictures([*one, *other]))
    texts = backend.encode_texts((*params.words, *params.other_words))
    count = len(params.words)
    return People(pictures[: len(one)], pictures[len(one) :], texts[:count], texts[count:], name, other_name)


def _unfamiliar(params: ModalityGapParams, given: Stimuli, backend: Backend) -> Labels:
    """Sentences on what a visitor brought that is unlike the model's training; of pictures one is told."""
    words = () if params.people == NOBODY else (*params.words, *params.other_words)
    if not len(params.images):
        return text_warnings(backend, words)
    told = picture_warnings(backend, given.pictures)
    more = f", and {len(told) - 1:,} more pictures have a note" if len(told) > 1 else ""
    pictures = (f"{told[0].rstrip('.')}{more}.",) if told else ()
    return pictures + text_warnings(backend, (*given.captions, *words))
