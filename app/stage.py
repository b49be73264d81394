"""The stage: the pictures on a page, where they come from, and what a mark on them will look like.

A visitor's pictures are held in the memory of their own session and nowhere else by this app. Gradio writes an
upload to a folder of temporary files before anybody can read it; those are deleted within minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from gradio.components import Component

from app import failures, snippets
from app.components import SHOWN, PictureInput, PicturesInput, Sent, data_uri
from probes.core.errors import PictureError
from probes.core.examples import Example, examples
from probes.core.parameters import Field, Lines, Params, Pictures, Place, fields
from probes.core.pictures import Picture

SEVERAL = 480
"""Most pixels on the long side of one of several pictures on the page."""


@dataclass(frozen=True)
class Laid:
    """A picture on the page: the picture, and the address under which a browser shows it."""

    picture: Picture
    uri: str


@dataclass(frozen=True)
class Held:
    """What one visitor's session holds.

    Attributes:
        laid: pictures by field.
        example: name of the bundled picture they are, empty if they are the visitor's own.
    """

    laid: Mapping[str, tuple[Laid, ...]] = field(default_factory=dict)
    example: str = ""

    @property
    def pictures(self) -> dict[str, tuple[Picture, ...]]:
        """Pictures by field."""
        return {name: tuple(one.picture for one in several) for name, several in self.laid.items()}

    def lay(self, f: Field, pictures: Sequence[Picture], example: str = "") -> Held:
        """The same with other pictures in a field."""
        longest = SHOWN if takes_one(f) else SEVERAL
        laid = tuple(Laid(picture, data_uri(picture, longest)) for picture in pictures)
        return Held({**self.laid, f.name: laid}, example)


@dataclass(frozen=True)
class Received:
    """What became of an upload: what is held now, and a sentence on what could not be read."""

    held: Held
    error: str = ""


def takes_one(f: Field) -> bool:
    """Whether a field of pictures holds just one."""
    return isinstance(f.control, Pictures) and f.control.most == 1


def lay_out(f: Field) -> Component:
    """Put the component of a field of pictures on the page."""
    told = {"label": f.control.label, "elem_id": f"field-{f.name}", "elem_classes": "stage"}
    sources = ["upload", "webcam", "clipboard"]
    if takes_one(f):
        return PictureInput(type="filepath", sources=sources, buttons=[], height=380, **told)
    return PicturesInput(
        type="filepath", sources=sources, buttons=[], height=380, columns=4, object_fit="contain",
        interactive=True, **told,
    )  # fmt: skip


def receive(held: Held, f: Field, sent: Iterable[Sent | str]) -> Received:
    """Read what a browser sent into a field.

    Pictures that cannot be read are left out and told; if nothing is left, what was there stays.
    """
    known = {one.uri: one for one in held.laid.get(f.name, ())}
    limit = f.control.most if isinstance(f.control, Pictures) else 1
    longest = SHOWN if takes_one(f) else SEVERAL
    laid: list[Laid] = []
    errors: list[str] = []
    for item in sent:
        try:
            if isinstance(item, Sent):
                picture = Picture.read(item.path, name=item.name)
                laid.append(Laid(picture, data_uri(picture, longest)))
            elif item in known:
                laid.append(known[item])
        except PictureError as error:
            errors.append(failures.sentence(error))
        except OSError as error:
            errors.append(failures.sentence(error))
    if len(laid) > limit:
        errors.append(f"{len(laid)} pictures are too many; the first {limit} were kept.")
    if errors and not laid:
        return Received(held, " ".join(errors[:3]))
    own = any(isinstance(item, Sent) for item in sent) or not laid
    return Received(
        Held({**held.laid, f.name: tuple(laid[:limit])}, "" if own else held.example), " ".join(errors[:3])
    )


def show(held: Held, f: Field) -> str | list[tuple[str, str]] | None:
    """What the component of a field of pictures shows."""
    laid = held.laid.get(f.name, ())
    if takes_one(f):
        return laid[0].uri if laid else None
    return [(one.uri, one.picture.name) for one in laid]


def notes(held: Held) -> tuple[str, ...]:
    """What had to be done to the pictures to read them."""
    return tuple(f"{p.name}: {note}" for several in held.pictures.values() for p in several for note in p.notes)


@lru_cache(maxsize=64)
def small(picture: Picture) -> Picture:
    """A copy that is quick to draw on; places and sizes are shares, so that what is drawn looks the same."""
    if max(picture.width, picture.height) <= SHOWN:
        return picture
    return Picture(picture.name, picture.thumbnail(SHOWN).decode())


def shrunk(params: Params) -> Params:
    """Parameters with small copies of their pictures, for a preview."""
    changes = {f.name: tuple(small(p) for p in getattr(params, f.name)) for f in fields(params) if f.is_pictures}
    return replace(params, **changes)


def first(params: Params) -> Picture | None:
    """The first picture of parameters."""
    return next((p for f in fields(params) if f.is_pictures for p in getattr(params, f.name)), None)


def bundled() -> tuple[Example, ...]:
    """The bundled pictures; none if they are missing."""
    try:
        return examples()
    except OSError:
        return ()


def name_of(example: Example) -> str:
    """What a bundled picture is called in a link."""
    return example.file.stem


def find(name: str) -> Example | None:
    """The bundled picture of that name."""
    return next((example for example in bundled() if name_of(example) == name), None)


def suits(example: Example, params: type[Params]) -> bool:
    """Whether a bundled picture has what a page asks for: a page with a place wants a picture with one."""
    places = any(isinstance(f.control, Place) for f in fields(params))
    return example.point is not None if places else True


def values_of(example: Example, params: type[Params]) -> dict[str, object]:
    """The values that a bundled picture brings along: its labels and its place."""
    values: dict[str, object] = {}
    for f in fields(params):
        if isinstance(f.control, Lines) and f.name == "labels" and example.labels:
            values[f.name] = example.labels
        elif isinstance(f.control, Place) and example.point is not None:
            values[f.name] = example.point
    return values


def tiles(params: type[Params]) -> tuple[Example, ...]:
    """The bundled pictures that a page offers."""
    return tuple(example for example in bundled() if suits(example, params))


def gallery(params: type[Params]) -> str:
    """The bundled pictures as buttons."""
    return snippets.gallery([(data_uri(e.picture(), 160), e.title) for e in tiles(params)])


TILES_JS = """
element.addEventListener('click', (event) => {
  const tile = event.target.closest('.tile');
  if (tile) trigger('select', {index: Number(tile.dataset.index), value: null});
});
"""
"""Tells which of the bundled pictures was clicked."""

