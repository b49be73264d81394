"""The stage: the pictures on a page, where they come from, and what a mark on them will look like.

The stage is drawn here as HTML and made alive by `script.js`: drop, choose, paste, photograph and remove; marks
are drawn on them by the editor in `marks/`. Uploads reach `Picture.read` as the very bytes that were sent, so
that it can say what it had to do to them; pictures go out as `data:` addresses, so that none is written to a disk
for that.

A visitor's pictures are held in the memory of their own session and nowhere else by this app. Gradio writes an
upload to a folder of temporary files; it is deleted as it is read (`app.uploads`).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from markupsafe import Markup

from app import failures, snippets, uploads
from app.limits import LIMITS
from app.withheld import Withheld
from probes.core.controls import Lines, Pictures
from probes.core.errors import ClipspectError, PictureError
from probes.core.examples import Example, examples
from probes.core.marks import Marks
from probes.core.parameters import Field, Params, fields
from probes.core.pictures import Picture

SHOWN = 960
"""Most pixels on the long side of a picture on the page."""
SEVERAL = 480
"""Most pixels on the long side of one of several pictures on the page."""
LARGEST = LIMITS.picture_mb
"""Megabytes of the largest file a visitor may send."""
MOST_PIXELS = LIMITS.page_megapixels * 1_000_000
"""Pixels of all pictures in one field."""


@dataclass(frozen=True)
class Laid:
    """A picture on the page: the picture, and the address under which a browser shows it."""

    picture: Picture
    uri: str

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.picture.rgb.nbytes + len(self.uri)


@dataclass(frozen=True)
class Held:
    """What one visitor's session holds.

    Attributes:
        laid: pictures by field.
        example: name of the bundled picture they are, empty if they are the visitor's own.
        files: other files that the visitor brought, as read, by field.
        withheld: what a link wanted in fields of words and does not get unasked.
        refused: why the file brought into an empty field could not be used; until it is taken away or another one
            is brought, nothing is asked in its stead.
        sizes: bytes of those other files, by field.
        forgotten: whether this is no visitor's: of a page that is not open yet, or was forgotten while it was.
    """

    laid: Mapping[str, tuple[Laid, ...]] = field(default_factory=dict)
    example: str = ""
    files: Mapping[str, Any] = field(default_factory=dict)
    withheld: Mapping[str, Withheld] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def nbytes(self) -> int:
        """What it takes in memory, about: what comes along takes nothing more."""
        own = () if self.example else (one for several in self.laid.values() for one in several)
        return sum(one.nbytes for one in own) + sum(self.sizes.values())

    @property
    def values(self) -> dict[str, object]:
        """Pictures and files by field."""
        return {**self.pictures, **self.files}

    def bring(self, f: Field, value: object | None, size: int = 0) -> Held:
        """The same with another file in a field, of so many bytes, or without one."""
        files = {name: kept for name, kept in self.files.items() if name != f.name}
        sizes = {name: kept for name, kept in self.sizes.items() if name != f.name}
        refused = {name: why for name, why in self.refused.items() if name != f.name}
        if value is not None:
            files, sizes = {**files, f.name: value}, {**sizes, f.name: size}
        return replace(self, files=files, sizes=sizes, refused=refused)

    def refuse(self, f: Field, why: str) -> Held:
        """The same after a file that cannot be used; one that was there before stays, and is asked about."""
        if f.name in self.files:
            return self
        return replace(self, refused={**self.refused, f.name: why})

    @property
    def pictures(self) -> dict[str, tuple[Picture, ...]]:
        """Pictures by field."""
        return {name: tuple(one.picture for one in several) for name, several in self.laid.items()}

    def lay(self, f: Field, pictures: Sequence[Picture], example: str = "") -> Held:
        """The same with other pictures in a field."""
        longest = SHOWN if takes_one(f) else SEVERAL
        laid = tuple(Laid(picture, data_uri(picture, longest)) for picture in pictures)
        return replace(self, laid={**self.laid, f.name: laid}, example=example)


@dataclass(frozen=True)
class Received:
    """What became of an upload: what is held now, and a sentence on what could not be read."""

    held: Held
    error: str = ""


def takes_one(f: Field) -> bool:
    """Whether a field of pictures holds just one."""
    return isinstance(f.control, Pictures) and f.control.most == 1


def data_uri(picture: Picture, longest: int = SHOWN) -> str:
    """A picture, shrunk if it is large, as an address that holds it; made once while the picture lives."""
    made = _URIS.setdefault(picture, {})
    if longest not in made:
        made[longest] = _encoded(picture, longest)
    return made[longest]


_URIS: WeakKeyDictionary[Picture, dict[int, str]] = WeakKeyDictionary()
_SMALL: WeakKeyDictionary[Picture, Picture] = WeakKeyDictionary()
# What is made of a picture leaves with it: no visitor's picture outlives their session in these.


def _encoded(picture: Picture, longest: int) -> str:
    image = picture.image()
    image.thumbnail((longest, longest))
    stream = io.BytesIO()
    image.save(stream, format="WEBP", quality=90, method=1)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def lay_out_tools(f: Field, params: type[Params]) -> gr.HTML | None:
    """Put the tools for marks on a field of pictures on the page; None where they are not drawn on.

    The component's value is what was drawn last, as JSON.
    """
    marks = marks_on(f, params)
    if marks is None or not isinstance(marks.control, Marks):
        return None
    return gr.HTML(
        "", html_template=str(snippets.mark_tools(f.name, marks.control.fewest, marks.control.most)),
        js_on_load="window.clipspect.draw(element, props, trigger)", elem_classes="marks-box",
    )  # fmt: skip


def lay_out(f: Field, params: type[Params]) -> gr.HTML:
    """Put the stage of a field of pictures on the page."""
    return gr.HTML(
        draw(Held(), f, params()),
        js_on_load="window.clipspect.stage(element, trigger, upload)",
        elem_id=f"field-{f.name}",
        elem_classes="stage-box",
    )


def draw(held: Held, f: Field, params: Params, marked: Picture | None = None) -> Markup:
    """The stage of a field: its pictures, or an invitation to bring some.

    Args:
        held: the visitor's pictures.
        f: the field.
        params: what is set; marks among it are told to those who cannot see them.
        marked: the first picture as the probe will change it.
    """
    laid = held.laid.get(f.name, ())
    shown = [(one.uri, one.picture.name) for one in laid]
    if marked is not None and shown:
        shown[0] = (data_uri(marked), shown[0][1])
    field_of_marks = marks_on(f, type(params))
    marks = getattr(params, field_of_marks.name) if field_of_marks is not None else None
    return snippets.stage(f.name, f.control.label, shown, takes_one(f), marks, LARGEST)


def marks_on(f: Field, params: type[Params]) -> Field | None:
    """The field that is set by drawing on a picture."""
    return next((p for p in fields(params) if isinstance(p.control, Marks) and p.control.on == f.name), None)


def receive(held: Held, f: Field, sent: Sequence[Mapping[str, Any]]) -> Received:
    """Read what a browser sent into a field: each item has a `path`, a `name`, or an `error` instead of a path.

    One picture takes the place of the one that was there; several are added. What cannot be read is left out and
    told, and what was there stays. What there is no room for is deleted unread.
    """
    before = () if takes_one(f) else held.laid.get(f.name, ())
    limit = f.control.most if isinstance(f.control, Pictures) else 1
    longest = SHOWN if takes_one(f) else SEVERAL
    own = before if not held.example else ()  # a visitor's own pictures take the place of the bundled one
    laid: list[Laid] = []
    errors: list[str] = []
    with uploads.READING:
        for place, item in enumerate(sent):
            if len(own) + len(laid) == limit:
                if not takes_one(f):
                    errors.append(f"There is room for {limit} pictures; the first {limit} were kept.")
                for left in sent[place:]:
                    uploads.discard(left.get("path", ""))
                break
            try:
                laid.append(_read(item, longest, (*own, *laid)))
            except (PictureError, OSError, MemoryError) as error:
                errors.append(failures.sentence(error))
    if laid:
        held = replace(held, laid={**held.laid, f.name: (*own, *laid)}, example="")
    return Received(held, " ".join(errors[:3]) + (" …" if len(errors) > 3 else ""))


def _read(item: Mapping[str, Any], longest: int, beside: Sequence[Laid]) -> Laid:
    """A picture that was sent, if there is room for it beside others."""
    name = str(item.get("name") or "picture")[:200]
    picture = Picture.read(_sent(item, name), name=name)
    fit(picture, [laid.picture for laid in beside])
    return Laid(picture, data_uri(picture, longest))


def fit(picture: Picture, beside: Sequence[Picture]) -> None:
    """Refuse a picture that there is no room for beside others.

    Raises:
        PictureError: together they had more pixels than `MOST_PIXELS`.
    """
    pixels = sum(one.width * one.height for one in (picture, *beside))
    if pixels > MOST_PIXELS:
        room = f"there is room for {MOST_PIXELS / 1e6:.0f} megapixels, and with it there were {pixels / 1e6:.0f}"
        raise PictureError(f"{picture.name}: {room}; make it smaller")


def _sent(item: Mapping[str, Any], name: str) -> bytes:
    """The file that was uploaded, and no other file of this machine; it is deleted."""
    if item.get("error"):
        raise PictureError(f"{name}: {str(item['error'])[:200]}")
    try:
        return uploads.take(item.get("path", ""), LARGEST * 1_000_000)
    except ClipspectError as error:
        raise PictureError(f"{name}: {error}") from None


def remove(held: Held, f: Field, index: int) -> Held:
    """The same without one picture."""
    laid = held.laid.get(f.name, ())
    left = tuple(one for i, one in enumerate(laid) if i != index)
    return replace(held, laid={**held.laid, f.name: left}, example="")


def notes(held: Held) -> tuple[str, ...]:
    """What had to be done to the pictures to read them."""
    return tuple(f"{p.name}: {note}" for several in held.pictures.values() for p in several for note in p.notes)


def small(picture: Picture) -> Picture:
    """A copy that is quick to draw on; places and sizes are shares, so that what is drawn looks the same."""
    if max(picture.width, picture.height) <= SHOWN:
        return picture
    found = _SMALL.get(picture)
    if found is None:
        found = _SMALL[picture] = Picture(picture.name, picture.thumbnail(SHOWN).decode())
    return found


def changed(params: Params, values: Mapping[str, object]) -> Params:
    """Parameters with other values in some fields."""
    now = {f.name: values.get(f.name, getattr(params, f.name)) for f in fields(params)}
    return type(params)(**now)  # type: ignore[arg-type]


def shrunk(params: Params) -> Params:
    """Parameters with small copies of their pictures, for a preview."""
    changes = {f.name: tuple(small(p) for p in getattr(params, f.name)) for f in fields(params) if f.is_pictures}
    return changed(params, changes)


def first(params: Params) -> Picture | None:
    """The first picture of parameters."""
    return next((p for f in fields(params) if f.is_pictures for p in getattr(params, f.name)), None)


def bundled() -> tuple[Example, ...]:
    """The bundled pictures; none if they are missing."""
    try:
        return tuple(example for example in examples() if example.file.is_file())
    except OSError:
        return ()


def name_of(example: Example) -> str:
    """What a bundled picture is called in a link."""
    return example.file.stem


def find(name: str) -> Example | None:
    """The bundled picture of that name."""
    return next((example for example in bundled() if name_of(example) == name), None)


def suits(example: Example, params: type[Params]) -> bool:
    """Whether a bundled picture has what a page asks for: a page with marks wants one with a place for them."""
    marks = any(isinstance(f.control, Marks) for f in fields(params))
    return example.point is not None if marks else True


def values_of(example: Example, params: type[Params]) -> dict[str, object]:
    """The values that a bundled picture brings along: its labels, and a mark on one of its things."""
    values: dict[str, object] = {}
    for f in fields(params):
        if isinstance(f.control, Lines) and f.name in ("labels", "texts") and example.labels:
            values[f.name] = example.labels
        elif isinstance(f.control, Marks) and example.point is not None:
            values[f.name] = tuple(mark.moved_to(*example.point) for mark in f.default)  # type: ignore[attr-defined]
    return values


def tiles(params: type[Params]) -> tuple[Example, ...]:
    """The bundled pictures that a page offers; none where it asks for no pictures."""
    if not any(f.is_pictures for f in fields(params)):
        return ()
    return tuple(example for example in bundled() if suits(example, params))


def gallery(params: type[Params]) -> str:
    """The bundled pictures as buttons."""
    return snippets.gallery([(_tile(e), e.title) for e in tiles(params)])


@lru_cache(maxsize=64)
def _tile(example: Example) -> str:
    return data_uri(example.picture(), 160)


TILES_JS = """
element.addEventListener('click', (event) => {
  const tile = event.target.closest('.tile');
  if (tile) trigger('select', {index: Number(tile.dataset.index), value: null});
});
"""
"""Tells which of the bundled pictures was clicked."""
