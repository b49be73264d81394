"""The model picker: what there is, what would be downloaded and how large, and what may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import gradio as gr
from markupsafe import Markup

from app.engine import Engine, Entry
from probes.backend import specs
from probes.backend.specs import Kind
from probes.core.errors import ClipspectError, FieldError
from probes.core.model import ModelCard

FIELD = "model"


def lay_out(engine: Engine) -> gr.Dropdown:
    """Put the picker on a page."""
    return gr.Dropdown(
        choices(engine.models(), engine.default),
        value=engine.default,
        label="Model",
        info="Choose one, or type NAME:PRETRAINED or hf-hub:ORG/NAME.",
        allow_custom_value=True,
        filterable=True,
        elem_id="field-model",
    )


def choices(offered: Sequence[Entry], default: str) -> list[tuple[str, str]]:
    """What the picker lists: those on disk first, each with what it would cost."""
    ordered = sorted(offered, key=lambda entry: not entry.on_disk)
    listed = [(f"{entry.name} – {cost(entry)}", entry.spec) for entry in ordered]
    return listed if any(spec == default for _, spec in listed) else [(default, default), *listed]


def cost(entry: Entry) -> str:
    """Whether a model is on disk, and how large."""
    if entry.on_disk:
        return f"on disk, {size(entry.nbytes)}" if entry.nbytes else "on disk"
    about = "" if entry.exact else "about "
    return f"{about}{size(entry.nbytes)} to download" if entry.nbytes else "to download, size unknown"


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0.1):.0f} MB"


def describe(engine: Engine, spec: str, card: ModelCard | None = None) -> Markup:
    """A line on the chosen model: what it costs, a note, and, once it is loaded, where and how it runs."""
    entry = lookup(engine, spec)
    if entry is None:
        price, note = "Not in the list: its size is known only once it is asked for.", ""
    else:
        price, note = sentence_of(cost(entry)), sentence_of(entry.note) if entry.note else ""
    runs = f"Runs on {card.device} in {card.precision}." if card is not None else ""
    pieces = [Markup("<span>{}</span>").format(piece) for piece in (price, runs, note) if piece]
    return Markup('<p class="model-line">{}</p>').format(Markup(" ").join(pieces))


def same(one: str, other: str) -> bool:
    """Whether two specifications mean the same model."""
    return _canonical(str(one)) == _canonical(str(other))


def sentence_of(text: str) -> str:
    """A note as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def lookup(engine: Engine, spec: str) -> Entry | None:
    """The catalogue's entry of a model."""
    try:
        wanted = str(specs.parse(spec))
    except ClipspectError:
        return None
    return next((entry for entry in engine.models() if _canonical(entry.spec) == wanted), None)


@lru_cache(maxsize=4096)
def _canonical(spec: str) -> str:
    try:
        return str(specs.parse(spec))
    except ClipspectError:
        return spec


def checked(engine: Engine, spec: object) -> str:
    """The specification as it may be used.

    Raises:
        FieldError: it is malformed, or names files of a machine that is not the visitor's.
    """
    text = str(spec or "").strip()
    try:
        parsed = specs.parse(text)
    except ClipspectError as error:
        raise FieldError(FIELD, str(error)) from None
    if parsed.kind in (Kind.FOLDER, Kind.FILE) and not engine.files:
        raise FieldError(FIELD, "this machine is shared: models from its folders cannot be asked for here")
    return text


def costs_nothing(engine: Engine, spec: str) -> bool:
    """Whether the model can be had without a download."""
    entry = lookup(engine, spec)
    return entry is not None and entry.on_disk
