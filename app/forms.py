"""Forms: a control becomes components, what a person set becomes parameters, errors stand beside their field.

The form knows the kinds of controls and no probe. Pictures are laid out by `app.stage`; all else is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from app import files, snippets
from app.files import FileSlot
from app.withheld import Withheld
from probes.core.controls import Choice, Control, Count, Lines, Range, Switch, Text
from probes.core.errors import ClipspectError, FieldError
from probes.core.marks import Marks
from probes.core.parameters import Field, Params, fields, parse

NOTHING = "none"
"""What an empty text is called in a list."""
FEW = 8
"""Choices of so many options are buttons; longer ones fold into a list."""


@dataclass(frozen=True)
class Entry:
    """A field on the page.

    Attributes:
        field: what it is.
        inputs: the components that hold its value; none for pictures and files.
        error: where a sentence about it appears.
        lists: where a list that comes along is taken; None where there are none.
        file: where a file is brought; None for other fields.
    """

    field: Field
    inputs: tuple[Component, ...]
    error: gr.HTML
    lists: ListSlot | None = None
    file: FileSlot | None = None


@dataclass(frozen=True)
class ListSlot:
    """The components that take a list instead of typing it: which, what to know first, and the way past that."""

    choice: gr.Dropdown
    note: gr.HTML
    confirm: gr.Button

    @property
    def outputs(self) -> list[Component]:
        """All of them."""
        return [self.choice, self.note, self.confirm]


@dataclass(frozen=True)
class Checked:
    """What a form holds.

    Attributes:
        params: the parameters, where a field that cannot be used has its default.
        errors: a sentence for each field that cannot be used.
    """

    params: Params
    errors: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """The fields of a probe on a page, pictures apart.

    Attributes:
        folds: the fold in which a field lies, by the field's name; none for fields that are always in sight.
    """

    params: type[Params]
    entries: tuple[Entry, ...]
    folds: Mapping[str, gr.Accordion] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Component]:
        """All components that hold values, in order."""
        return [component for entry in self.entries for component in entry.inputs]

    def check(self, values: Sequence[object], held: Mapping[str, object]) -> Checked:
        """Read what the components hold, and the pictures and files, each field for itself and then together."""
        good: dict[str, object] = {}
        errors: dict[str, str] = {}
        for f, given in (*_given(self.entries, values), *_brought(self.params, held)):
            try:
                good[f.name] = f.control.parse(given)
            except (ValueError, ClipspectError) as error:
                errors[f.name] = snippets.sentence(str(error))
        while True:
            try:
                return Checked(parse(self.params, good), errors)
            except FieldError as error:  # fine alone, wrong together
                errors.setdefault(error.field, snippets.sentence(error.message))
                if good.pop(error.field, None) is None:
                    return Checked(self.params(), errors)

    def show(self, values: Mapping[str, object]) -> dict[Component, Any]:
        """Put values into the components of their fields; fields that are not named stay as they are."""
        shown: dict[Component, Any] = {}
        for entry in self.entries:
            if entry.inputs and entry.field.name in values:
                pieces = to_components(entry.field.control, values[entry.field.name])
                shown |= dict(zip(entry.inputs, pieces, strict=True))
        return shown

    def withhold(self, kept: Mapping[str, Withheld]) -> dict[Component, Any]:
        """Show the notes of lists that a link asked for, and the way past them; take those of others away."""
        shown: dict[Component, Any] = {}
        for entry in self.entries:
            if entry.lists is not None:
                one = kept.get(entry.field.name)
                shown[entry.lists.choice] = gr.Dropdown(value=one.preset if one else None)
                shown[entry.lists.note] = snippets.content_note(one.note if one else "")
                shown[entry.lists.confirm] = gr.Button(visible=one is not None)
        return shown

    def complain(self, errors: Mapping[str, str]) -> dict[Component, Any]:
        """Show or take away the sentence beside every field."""
        return {entry.error: snippets.error(errors.get(entry.field.name, "")) for entry in self.entries}

    def reveal(self, errors: Mapping[str, str]) -> dict[Any, Any]:
        """Open the folds in which something is wrong: what cannot be seen cannot be mended."""
        return {fold: gr.Accordion(open=True) for name, fold in self.folds.items() if errors.get(name)}

    def complain_one(self, name: str, text: str) -> dict[Component, Any]:
        """Show the sentence beside one field and leave the others as they are."""
        return {entry.error: snippets.error(text) for entry in self.entries if entry.field.name == name}


def _given(entries: Iterable[Entry], values: Sequence[object]) -> Iterator[tuple[Field, object]]:
    rest = list(values)
    for entry in entries:
        count = len(entry.inputs)
        if count:
            pieces, rest = rest[:count], rest[count:]
            yield entry.field, from_components(entry.field.control, pieces)


def _brought(params: type[Params], held: Mapping[str, object]) -> Iterator[tuple[Field, object]]:
    for f in fields(params):
        if f.is_pictures:
            yield f, list(held.get(f.name, ()))  # type: ignore[call-overload]
        elif f.name in held:
            yield f, held[f.name]


def from_components(control: Control[Any], pieces: Sequence[object]) -> object:
    """What the components of a control hold, as its `parse` takes it."""
    (piece,) = pieces
    return "" if piece is None else piece


def to_components(control: Control[Any], value: object) -> tuple[Any, ...]:
    """A value as the components of its control hold it."""
    if isinstance(control, Lines):
        return ("\n".join(value),)  # type: ignore[arg-type]
    if isinstance(control, Marks):
        return ("\n".join(control.format(value)),)  # type: ignore[arg-type]
    return (value,)


def lay_out(field: Field) -> Entry:
    """Put the components of a field on the page, and room for a sentence about it under them."""
    with gr.Column(elem_classes="field", min_width=0):
        slot = files.lay_out(field) if files.is_file(field.control) else None
        lists = _lists(field)
        inputs = _components(field) if slot is None else ()
        error = gr.HTML(snippets.error(""), elem_classes="field-error")
    return Entry(field, inputs, error, lists, slot)


def _lists(field: Field) -> ListSlot | None:
    """Lists to take instead of typing; one that can hurt asks first."""
    control = field.control
    if not isinstance(control, Lines) or not control.presets:
        return None
    choice = gr.Dropdown(
        [(f"{p.title} (with a note)" if p.note else p.title, name) for name, p in control.presets.items()],
        value=None, label=f"{control.label}: take a list", elem_id=f"list-{field.name}",
    )  # fmt: skip
    choice.preprocess = as_sent  # type: ignore[method-assign]
    note = gr.HTML(elem_classes="note-box")
    confirm = gr.Button("Take this list", size="sm", visible=False, elem_id=f"confirm-{field.name}")
    return ListSlot(choice, note, confirm)


def as_sent(payload: Any) -> Any:
    """Stands in for Gradio's own check of a component's value, whose message would not appear beside the field."""
    return payload


def _components(field: Field) -> tuple[Component, ...]:
    made = _choose_components(field)
    for component in made:
        component.preprocess = as_sent  # type: ignore[method-assign]
    return made


def offered(suggestions: Sequence[str]) -> list[tuple[str, str]]:
    """Suggestions of a field of text as a list offers them; an empty one has a name."""
    return [(suggestion or NOTHING, suggestion) for suggestion in dict.fromkeys(suggestions)]


def _choose_components(field: Field) -> tuple[Component, ...]:
    control = field.control
    told: dict[str, Any] = {"label": control.label, "info": control.help or None, "elem_id": f"field-{field.name}"}
    (value,) = to_components(control, field.default)
    if isinstance(control, Lines):
        return (gr.Textbox(value, lines=5, max_lines=12, max_length=None, **told),)
    if isinstance(control, Marks):
        return (gr.Textbox(value, lines=1, max_lines=8, max_length=None, elem_classes="mono", **told),)
    if isinstance(control, Text):
        if control.suggestions or control.column_of:
            return (gr.Dropdown(offered(control.suggestions), value=value, allow_custom_value=True, **told),)
        return (gr.Textbox(value, max_lines=1, **told),)
    if isinstance(control, Switch):
        return (gr.Checkbox(value, **told),)
    if isinstance(control, Choice):
        kind: Any = gr.Radio if len(control.options) <= FEW else gr.Dropdown
        return (kind(list(control.options), value=value, **told),)
    if isinstance(control, Range):
        told["info"] = " ".join(
            part for part in (control.help, f"In {control.unit}." if control.unit else "") if part
        )
        return (gr.Slider(control.low, control.high, value, step=control.step, buttons=[], **told),)
    if isinstance(control, Count):
        return (gr.Number(value, step=1, **told),)
    raise TypeError(f"the form has no components for {type(control).__name__}")
