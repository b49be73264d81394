"""The page of a probe: its components, what changes when something is set on it, and what is taken away.

Handlers return updates keyed by component. Those that read the page get `Page.inputs` as one run of values and
make a `Setting` of it. Opening is in `app.opening`, asking the models in `app.asking`; which component calls what
is in `app.wiring`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import gradio as gr

from app import compared, downloads, failures, files, forms, links, picker, sides, snippets, stage
from app.downloads import Download
from app.engine import NONE, Answer, Engine
from app.forms import Checked, Entry
from app.layout import Layout
from app.results import Updates
from app.stage import Held
from probes.core.controls import Lines, Text
from probes.core.errors import ClipspectError, FieldError
from probes.core.marks import Marks
from probes.core.parameters import Field, Params, fields
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe

CHANGED = "Changed since this answer. Press Run to ask again."
FORGOTTEN = "The server has forgotten this page, as others needed the room. Reload it to go on."


@dataclass(frozen=True)
class Setting:
    """What a page holds when a handler is called.

    Attributes:
        held: the visitor's pictures.
        answers: the answers on the page, by side.
        models: what the pickers say, by side.
        values: what the components of the form hold.
    """

    held: Held
    answers: tuple[Answer | None, ...]
    models: tuple[str, ...]
    values: tuple[object, ...]


@dataclass(frozen=True)
class Page:
    """A probe's page: its components and what they do.

    Attributes:
        opened: what a visitor who asks for nothing is shown, the same for all, by the answers that are on it.
        opening: held while that is made.
    """

    probe: AnyProbe
    engine: Engine
    at: Layout
    opened: dict[tuple[int, ...], Updates] = field(default_factory=dict, repr=False, compare=False)
    opening: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @cached_property
    def shown(self) -> Params | None:
        """The page's example; None if its pictures are missing."""
        try:
            example: Params = self.probe.example()
        except (ClipspectError, OSError, StopIteration, IndexError):
            return None
        return example

    @cached_property
    def shown_name(self) -> str:
        """Name of the bundled picture that the page's example uses."""
        pictures = [p for f in self.picture_fields for p in getattr(self.shown, f.name, ())]
        return next((stage.name_of(e) for e in stage.bundled() if e.picture() in pictures), "")

    @cached_property
    def picture_fields(self) -> tuple[Field, ...]:
        """Fields that hold pictures."""
        return tuple(f for f in fields(self.probe.params) if f.is_pictures)

    @property
    def inputs(self) -> list[Any]:
        """The components that make a `Setting`."""
        answers = (side.answer for side in self.at.sides)
        return [self.at.sessions.held, *answers, *(s.chooser.model for s in self.at.sides), *self.at.form.inputs]

    def setting(self, held: Held, *given: Any) -> Setting:
        """What the components of `inputs` held."""
        count = len(self.at.sides)
        first, *others = (str(model or "").strip() for model in given[count : 2 * count])
        models = (first, *(other or NONE for other in others))
        return Setting(held, given[:count], models, given[2 * count :])

    def check(self, setting: Setting) -> Checked:
        """What the form holds; a file that could not be used is an error until it is taken away."""
        checked = self.at.form.check(setting.values, setting.held.values)
        return replace(checked, errors={**checked.errors, **setting.held.refused})

    def settle(self, *given: Any) -> Updates:
        """After a change: errors beside their fields, the preview, and the link."""
        return self._settled(self.setting(*given))

    def _settled(self, now: Setting) -> Updates:
        checked = self.check(now)
        errors = {n: text for n, text in checked.errors.items() if not self._is_empty_stage(n, now.held)}
        updates = self.at.form.complain(errors)
        if not any(isinstance(f.control, Marks) and f.name in errors for f in fields(self.probe.params)):
            updates |= self._staged(now.held, checked.params)  # else what was drawn last stays in sight
        stale = self._is_stale(now, checked.params)
        query = updates[self.at.query] = self.query(checked.params, now.held, now.models)
        told = (FORGOTTEN if now.held.forgotten else CHANGED if stale else "", self._left_out(query))
        updates[self.at.progress] = snippets.notice(" ".join(filter(None, told)))
        return updates

    def _left_out(self, query: str) -> str:
        """What the link to the page does not say, as it would be too long."""
        missing = links.missing(query)
        titles = [f.control.label for f in fields(self.probe.params) if f.name in missing]
        return f"Too long for a link, which leaves it out: {', '.join(titles)}." if titles else ""

    def _is_stale(self, now: Setting, params: Params) -> bool:
        """Whether an answer on the page is to another question than the page now asks."""
        used = [(a, spec) for a, spec in zip(now.answers, now.models, strict=True) if spec != NONE]
        if not params.needs_model():  # one answer, by nobody
            used = [(now.answers[0], NONE)]
        return any(now.answers) and not all(sides.answers(answer, params, spec) for answer, spec in used)

    def _is_empty_stage(self, name: str, held: Held) -> bool:
        """Whether a picture is merely still to be chosen, which is no error before Run."""
        return name in self.at.pictures and not held.laid.get(name)

    def specs(self, models: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """The models as they may be asked, by side, and a sentence on each that may not, by role."""
        specs: list[str] = []
        errors: dict[str, str] = {}
        for side, model in zip(self.at.sides, models, strict=True):
            try:
                specs.append(picker.checked(self.engine, model, side.role))
            except FieldError as error:
                specs.append(NONE)
                errors[side.role] = failures.sentence(error)
        return tuple(specs), errors

    def choose(self, *models: str) -> Updates:
        """After another model was picked: what it is, or why it cannot be; a side without one is put away."""
        specs, errors = self.specs(models)
        updates = self.described(specs, errors)
        for side, spec in zip(self.at.sides, specs, strict=True):
            if spec == NONE and side.role not in errors:
                updates |= side.put_away() | self.at.compared.show(self.probe, {})
        return updates

    def described(self, specs: Sequence[str], errors: dict[str, str]) -> Updates:
        """What the chosen models are, beside their pickers."""
        updates: Updates = {self.at.about: picker.about(self.engine, specs)}
        for side, spec in zip(self.at.sides, specs, strict=True):
            updates[side.chooser.line] = picker.describe(self.engine, spec, page=self.probe.card)
            updates[side.chooser.error] = snippets.error(errors.get(side.role, ""))
        return updates

    def take(self, event: gr.EventData, *given: Any) -> Updates:
        """A bundled picture was clicked: it, its labels and its place."""
        now, offered = self.setting(*given), stage.tiles(self.probe.params)
        index = _place(event)
        if not 0 <= index < len(offered):
            return {self.at.banner: snippets.banner("There is no such picture.")}
        example = offered[index]
        held = now.held.lay(self.picture_fields[0], (example.picture(),), stage.name_of(example))
        brought = stage.values_of(example, self.probe.params)
        checked = self.at.form.check(now.values, held.values)
        params = stage.changed(checked.params, brought)
        updates = self.at.form.show(brought) | self.laid(held, params)
        updates |= self.at.form.complain({n: t for n, t in checked.errors.items() if n not in brought})
        return updates | {self.at.sessions.held: held, self.at.query: self.query(params, held, now.models)}

    def receive(self, event: gr.EventData, *given: Any) -> Updates:
        """Pictures were dropped, chosen, pasted or photographed."""
        now, f = self.setting(*given), self._field_of(event)
        received = stage.receive(now.held, f, _files(event))
        return self._restage(f, received.held, received.error, *given[1:])

    def remove(self, event: gr.EventData, *given: Any) -> Updates:
        """A picture was taken away."""
        now, f = self.setting(*given), self._field_of(event)
        return self._restage(f, stage.remove(now.held, f, _place(event)), "", *given[1:])

    def _restage(self, f: Field, held: Held, error: str, *rest: Any) -> Updates:
        updates = self.settle(held, *rest)
        if error:
            updates |= self.at.form.complain_one(f.name, error)
        return updates | {self.at.sessions.held: held, self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def bring(self, name: str, sent: Any, *given: Any) -> Updates:
        """A file was brought into a field: it is read and told, and a form's columns follow it."""
        entry = self._entry(name)
        try:
            brought = files.read(entry.field, sent)
        except (ClipspectError, OSError, MemoryError) as error:
            refused = given[0].refuse(entry.field, failures.sentence(error))
            return self._refiled(entry, refused, failures.sentence(error), *given[1:])
        return self._refiled(entry, given[0].bring(entry.field, brought.value, brought.size), "", *given[1:])

    def take_away(self, name: str, *given: Any) -> Updates:
        """A file was taken away."""
        entry = self._entry(name)
        return self._refiled(entry, given[0].bring(entry.field, None), "", *given[1:])

    def _entry(self, name: str) -> Entry:
        return next(entry for entry in self.at.form.entries if entry.field.name == name)

    def _refiled(self, entry: Entry, held: Held, error: str, *rest: Any) -> Updates:
        slot, value = entry.file, held.files.get(entry.field.name)
        now = self.setting(held, *rest)
        reset = self._without_example(now, held)
        values = tuple(reset.get(c, v) for c, v in zip(self.at.form.inputs, now.values, strict=True))
        updates = reset | self._settled(replace(now, values=values)) | {self.at.sessions.held: held}
        updates |= self.at.form.complain_one(entry.field.name, error) if error else {}
        if slot is not None:
            updates[slot.upload] = gr.File(value=None)
            updates[slot.told] = files.describe(value)
            updates[slot.remove] = gr.Button(visible=value is not None or entry.field.name in held.refused)
        for other in self.at.form.entries:
            control = other.field.control
            if isinstance(control, Text) and control.column_of == entry.field.name:
                named = files.columns(held.files, other.field)
                choice = other.inputs[0]
                kept = {"value": reset[choice]} if choice in reset else {}
                updates[choice] = gr.Dropdown(choices=forms.offered((*control.suggestions, *named)), **kept)
        return updates

    def _without_example(self, now: Setting, held: Held) -> Updates:
        """Fields that still hold what the page's example says, as they are by default.

        The example asks about pictures of its own: its groups and words are none of a visitor's own files. Once
        no file is left, what named a column of a table goes too.
        """
        params, changes = self.check(now).params, dict[str, object]()
        for f in fields(self.probe.params):
            value, named = getattr(params, f.name), getattr(f.control, "column_of", "")
            of_example = self.shown is not None and value == getattr(self.shown, f.name)
            gone = isinstance(f.control, Text) and named and value not in f.control.suggestions
            if f.travels and value != f.default and (of_example if held.files else gone):
                changes[f.name] = f.default
        return self.at.form.show(changes)

    def choose_list(self, name: str, chosen: str | None, held: Held) -> Updates:
        """A list was chosen: it is taken, or what to know first is said."""
        return self._listed(name, chosen, held, told=False)

    def confirm_list(self, name: str, chosen: str | None, held: Held) -> Updates:
        """The list with a note was asked for all the same: it, or what a link wanted of it."""
        return self._listed(name, chosen, held, told=True)

    def _listed(self, name: str, chosen: str | None, held: Held, told: bool) -> Updates:
        entry = self._entry(name)
        control = entry.field.control
        preset = control.presets.get(chosen or "") if isinstance(control, Lines) else None
        if preset is None or entry.lists is None:
            return {}
        note = "" if told else preset.note
        updates: Updates = {entry.lists.note: snippets.content_note(note)}
        updates[entry.lists.confirm] = gr.Button(visible=bool(note))
        wanted = held.withheld.get(name)
        lines = wanted.lines if wanted is not None and wanted.preset == chosen else preset.lines
        return updates if note else updates | self.at.form.show({name: lines})

    def _field_of(self, event: gr.EventData) -> Field:
        name = _told(event).get("field")
        return next((f for f in self.picture_fields if f.name == name), self.picture_fields[0])

    def mark(self, name: str, drawn: str, *given: Any) -> Updates:
        """Marks were drawn on the pictures of a field, moved or taken away; `drawn` is all of them as JSON."""
        on = next(f for f in self.picture_fields if f.name == name)
        now, f = self.setting(*given), stage.marks_on(on, self.probe.params)
        if f is None:
            return {}
        try:
            marks = f.control.parse(json.loads(drawn))
        except (ValueError, ClipspectError) as error:
            return self.at.form.complain_one(f.name, snippets.sentence(str(error)))
        shown = self.at.form.show({f.name: marks})
        values = tuple(shown.get(c, v) for c, v in zip(self.at.form.inputs, now.values, strict=True))
        updates = shown | self._settled(Setting(now.held, now.answers, now.models, values))
        return {component: updates[component] for component in self.marked(name) if component in updates}

    def marked(self, name: str) -> list[Any]:
        """What follows a hand that draws on a field of pictures: as little as can be, for it comes often."""
        on = next(f for f in self.picture_fields if f.name == name)
        f = stage.marks_on(on, self.probe.params)
        entries = [entry for entry in self.at.form.entries if f is not None and entry.field.name == f.name]
        own = [part for entry in entries for part in (*entry.inputs, entry.error)]
        return [*own, self.at.pictures[name], self.at.query, self.at.progress]

    def laid(self, held: Held, params: Params) -> Updates:
        """The pictures on the page, as the probe will change them, and what was done to read them."""
        return self._staged(held, params) | {self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def _staged(self, held: Held, params: Params) -> Updates:
        marked: Picture | None = None
        full = bool(self.picture_fields) and all(held.laid.get(f.name) for f in self.picture_fields)
        if self.probe.preview is not None and full:
            marked = self.probe.preview(stage.shrunk(params))
        first = self.picture_fields[0].name if self.picture_fields else ""
        return {
            self.at.pictures[f.name]: stage.draw(held, f, params, marked if f.name == first else None)
            for f in self.picture_fields
        }

    def query(self, params: Params, held: Held, models: Sequence[str]) -> str:
        """The query of the link that describes the page."""
        example = stage.find(held.example) if held.example != self.shown_name else None
        shown = self.shown
        if example is not None:
            shown = self.probe.params(**stage.values_of(example, self.probe.params))
        name = held.example if example is not None else ""
        opening = [picker.opening(self.engine, role) for role in picker.ROLES]
        return links.query(params, shown, *links.models(models, opening, picker.same), example=name)

    def save(self, kind: str, answer: Answer | None) -> Updates:
        """A report in one of its forms."""
        return self._saved(answer, lambda a: downloads.whole(kind, self.probe, a))

    def save_table(self, name: str, answer: Answer | None) -> Updates:
        """The table of that name as CSV."""
        return self._saved(answer, lambda a: downloads.table(name, a))

    def save_difference(self, kind: str, *answers: Answer | None) -> Updates:
        """What the two models differ in."""
        there = {place: answer for place, answer in enumerate(answers) if answer is not None}
        return self._saved(next(iter(there.values()), None), lambda _: compared.save(kind, self.probe, there))

    def save_papers(self) -> Updates:
        """What the probe rests on."""
        return {self.at.file: downloads.payload(downloads.papers(self.probe)), self.at.banner: snippets.banner()}

    def _saved(self, answer: Answer | None, make: Callable[[Answer], Download]) -> Updates:
        if answer is None:
            return {
                self.at.file: None,
                self.at.banner: snippets.banner("There is no answer to save yet: press Run."),
            }
        try:
            return {self.at.file: downloads.payload(make(answer)), self.at.banner: snippets.banner()}
        except Exception as error:
            return {self.at.file: None, self.at.banner: snippets.banner(failures.sentence(error))}


def _told(event: gr.EventData) -> Mapping[str, Any]:
    """What an event tells; a browser can be made to send anything."""
    return event._data if isinstance(event._data, Mapping) else {}


def _place(event: gr.EventData) -> int:
    index = _told(event).get("index")
    return index if isinstance(index, int) else -1


def _files(event: gr.EventData) -> list[Mapping[str, Any]]:
    sent = _told(event).get("files")
    return [one for one in sent if isinstance(one, Mapping)] if isinstance(sent, list) else []
