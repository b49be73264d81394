"""The model pickers: what there is, how large, under which licence, what it can answer, and what may be asked for.

A page asks one model or two; the second picker may say that there is no second one (`NONE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import gradio as gr
from markupsafe import Markup

from app import snippets
from app.engine import NONE, Engine, Entry
from app.failures import finished
from probes import registry
from probes.backend import specs
from probes.backend.specs import Kind
from probes.core.card import Card
from probes.core.errors import ClipspectError, FieldError
from probes.core.model import ModelCard
from probes.core.no_model import SPEC as NO_MODEL

ROLES = ("model", "beside")
"""The first model of a page and the second, by the names of their fields."""
_TOLD = {
    "model": ("Model", "Choose one, or type NAME:PRETRAINED or hf-hub:ORG/NAME."),
    "beside": ("Beside it", ""),
}


def lay_out(engine: Engine, role: str) -> gr.Dropdown:
    """Put a picker on a page."""
    label, told = _TOLD[role]
    return gr.Dropdown(
        offered(engine, role),
        value=opening(engine, role),
        label=label,
        info=told or None,
        allow_custom_value=True,
        filterable=True,
        elem_id=f"field-{role}",
    )


def opening(engine: Engine, role: str) -> str:
    """What a picker says when a page opens without a link."""
    return engine.default if role == ROLES[0] else engine.beside or NONE


def offered(engine: Engine, role: str) -> list[tuple[str, str]]:
    """What a picker lists; the second one begins with no model at all."""
    listed = choices(engine.models(), engine.default)
    return listed if role == ROLES[0] else [("no second model", NONE), *listed]


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


def describe(engine: Engine, spec: str, card: ModelCard | None = None, page: Card | None = None) -> Markup:
    """A line on the chosen model, before anything of it is downloaded and after.

    Args:
        engine: knows the models.
        spec: of the chosen one.
        card: of the model, once it is loaded: then the line says where and how it runs.
        page: of the probe on whose page the line stands: then it says first if this model cannot answer it.
    """
    if spec == NONE:
        return Markup("")
    entry = lookup(engine, spec)
    lacks = card.lacks if card is not None else entry.lacks if entry is not None else engine.lacks(spec)
    refusal = page.refusal(lacks) if page is not None and lacks is not None else ""
    runs = f"Runs on {card.device} in {card.precision}." if card is not None else ""
    answers = registry.pages(lacks, why=not refusal)
    facts = (*_facts(engine, spec, entry, answers, card is not None), runs)
    pieces = [Markup("<span>{}</span>").format(text) for text in facts if text]
    if refusal:
        told = Markup('<span class="cannot">Cannot answer this page: {}</span>')
        pieces.insert(0, told.format(finished(refusal)))
    return Markup('<p class="model-line">{}</p>').format(Markup(" ").join(pieces))


def _facts(engine: Engine, spec: str, entry: Entry | None, answers: str, loaded: bool) -> tuple[str, ...]:
    """What a model costs, what it can answer, and a note; nothing of what is said above the pickers already."""
    if any(engine.told(spec)) or spec == NO_MODEL:
        return ()
    if entry is None:
        unlisted = "" if loaded else "not in the list: its size is known only once it is asked for; "
        return (sentence_of(unlisted + answers),)
    price = f"{cost(entry)}; licence {entry.licence or 'not known'}; {answers}"
    return sentence_of(price), sentence_of(entry.note) if entry.note else ""


def about(engine: Engine, chosen: Sequence[str]) -> Markup:
    """What the bundled models among those chosen are, as their cards say it; nothing if none is bundled."""
    told = [engine.told(spec) for spec in dict.fromkeys(map(whole, chosen))]
    return snippets.about([(title, text) for title, text in told if text])


def called(engine: Engine, spec: str) -> str:
    """What to call a model before it is loaded."""
    title, _ = engine.told(spec)
    if title:
        return title
    entry = lookup(engine, spec)
    return specs.parse(spec).off.named(entry.name) if entry is not None else spec


def same(one: str, other: str) -> bool:
    """Whether two specifications mean the same model."""
    return canonical(str(one)) == canonical(str(other))


def sentence_of(text: str) -> str:
    """A note as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def lookup(engine: Engine, spec: str) -> Entry | None:
    """The catalogue's entry of a model."""
    wanted = whole(spec)
    return next((entry for entry in engine.models() if canonical(entry.spec) == wanted), None)


@lru_cache(maxsize=4096)
def canonical(spec: str) -> str:
    """The spelling of a specification that all its spellings share; the text itself if it is none."""
    try:
        return str(specs.parse(spec))
    except ClipspectError:
        return spec


def whole(spec: str) -> str:
    """The canonical specification of the model with everything on; the text itself if it is none."""
    try:
        return str(specs.parse(spec).whole)
    except ClipspectError:
        return spec


def checked(engine: Engine, spec: object, role: str = ROLES[0]) -> str:
    """The specification as it may be used; `NONE` in a picker that may be empty.

    Raises:
        FieldError: it is malformed, or names files of a machine that is not the visitor's.
    """
    text = str(spec or "").strip()
    if role != ROLES[0] and text in ("", NONE):
        return NONE
    try:
        parsed = specs.parse(text)
    except ClipspectError as error:
        raise FieldError(role, str(error)) from None
    if parsed.kind in (Kind.FOLDER, Kind.FILE) and not engine.files:
        raise FieldError(role, "this machine is shared: models from its folders cannot be asked for here")
    return text


def costs_nothing(engine: Engine, spec: str) -> bool:
    """Whether the model can be had without a download."""
    entry = lookup(engine, spec)
    if entry is None:  # the program may have begun a moment ago, and know none but its own yet
        engine.models(wait=True)
        entry = lookup(engine, spec)
    return entry is not None and entry.on_disk
