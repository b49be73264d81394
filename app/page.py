"""The page of a probe: its components, what changes when something is set on it, and what is taken away.

Handlers return updates keyed by component. Opening is in `app.opening`, asking a model in `app.asking`; which
component calls what is in `app.wiring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gradio as gr

from app import downloads, failures, links, picker, snippets, stage
from app.engine import Answer, Engine
from app.layout import Layout
from app.stage import Held
from probes.core.errors import ClipspectError, FieldError
from probes.core.parameters import Field, Params, fields
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Page:
    """A probe's page: its components and what they do."""

    probe: AnyProbe
    engine: Engine
    at: Layout

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

    def settle(self, held: Held, asked: str, model: str, *values: object) -> Updates:
        """After a change: errors beside their fields, the preview, and the link."""
        checked = self.at.form.check(values, held.pictures)
        query = self.query(checked.params, held, model)
        errors = {name: text for name, text in checked.errors.items() if not self._is_empty_stage(name, held)}
        updates = self.at.form.complain(errors) | self._staged(held, checked.params)
        stale = asked and self.key(checked.params, held, model) != asked
        updates[self.at.progress] = snippets.notice(
            "Changed since this answer. Press Run to ask again." if stale else ""
        )
        updates[self.at.query] = query
        return updates

    def _is_empty_stage(self, name: str, held: Held) -> bool:
        """Whether a picture is merely still to be chosen, which is no error before Run."""
        return name in self.at.pictures and not held.laid.get(name)

    def choose_model(self, model: str) -> Updates:
        """After another model was picked: what it is, or why it cannot be."""
        try:
            spec = picker.checked(self.engine, model)
        except FieldError as error:
            return {
                self.at.model_error: snippets.error(failures.sentence(error)),
                self.at.model_line: snippets.error(""),
            }
        return {self.at.model_error: snippets.error(""), self.at.model_line: picker.describe(self.engine, spec)}

    def take(self, event: gr.EventData, held: Held, asked: str, model: str, *values: object) -> Updates:
        """A bundled picture was clicked: it, its labels and its place."""
        offered = stage.tiles(self.probe.params)
        index = int(event._data.get("index", -1))
        if not 0 <= index < len(offered):
            return {self.at.banner: snippets.banner("There is no such picture.")}
        example = offered[index]
        held = held.lay(self.picture_fields[0], (example.picture(),), stage.name_of(example))
        brought = stage.values_of(example, self.probe.params)
        checked = self.at.form.check(values, held.pictures)
        params = stage.changed(checked.params, brought)
        query = self.query(params, held, model)
        updates = self.at.form.show(brought) | self.laid(held, params)
        updates |= self.at.form.complain({n: t for n, t in checked.errors.items() if n not in brought})
        return updates | {self.at.sessions.held: held, self.at.query: query}

    def receive(self, event: gr.EventData, held: Held, asked: str, model: str, *values: object) -> Updates:
        """Pictures were dropped, chosen, pasted or photographed."""
        f = self._field_of(event)
        received = stage.receive(held, f, event._data.get("files", ()))
        return self._restage(f, received.held, received.error, asked, model, *values)

    def remove(self, event: gr.EventData, held: Held, asked: str, model: str, *values: object) -> Updates:
        """A picture was taken away."""
        f = self._field_of(event)
        return self._restage(
            f, stage.remove(held, f, int(event._data.get("index", -1))), "", asked, model, *values
        )

    def _restage(self, f: Field, held: Held, error: str, asked: str, model: str, *values: object) -> Updates:
        updates = self.settle(held, asked, model, *values)
        if error:
            updates |= self.at.form.complain_one(f.name, error)
        return updates | {self.at.sessions.held: held, self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def _field_of(self, event: gr.EventData) -> Field:
        name = event._data.get("field")
        return next((f for f in self.picture_fields if f.name == name), self.picture_fields[0])

    def place(self, event: gr.EventData, held: Held, asked: str, model: str, *values: object) -> Updates:
        """The picture was clicked: the place goes there."""
        f = stage.place_on(self._field_of(event), self.probe.params)
        if f is None:
            return {}
        try:
            point = f.control.parse([event._data.get("x"), event._data.get("y")])
        except (ValueError, ClipspectError) as error:
            return self.at.form.complain_one(f.name, failures.capitalised(str(error)))
        shown = self.at.form.show({f.name: point})
        values = tuple(shown.get(c, v) for c, v in zip(self.at.form.inputs, values, strict=True))
        return shown | self.settle(held, asked, model, *values)

    def laid(self, held: Held, params: Params) -> Updates:
        """The pictures on the page, as the probe will change them, and what was done to read them."""
        return self._staged(held, params) | {self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def _staged(self, held: Held, params: Params) -> Updates:
        marked: Picture | None = None
        if self.probe.preview is not None and all(held.laid.get(f.name) for f in self.picture_fields):
            marked = self.probe.preview(stage.shrunk(params))
        first = self.picture_fields[0].name if self.picture_fields else ""
        return {
            self.at.pictures[f.name]: stage.draw(held, f, params, marked if f.name == first else None)
            for f in self.picture_fields
        }

    def key(self, params: Params, held: Held, model: str) -> str:
        """What tells one question from another: the link and the pictures."""
        digests = (picture.digest for several in held.pictures.values() for picture in several)
        return " ".join((self.query(params, held, model), *digests))

    def query(self, params: Params, held: Held, model: str) -> str:
        """The query of the link that describes the page."""
        example = stage.find(held.example) if held.example != self.shown_name else None
        shown = self.shown
        if example is not None:
            shown = self.probe.params(**stage.values_of(example, self.probe.params))
        name = held.example if example is not None else ""
        return links.query(params, shown, "" if picker.same(model, self.engine.default) else model, name)

    def save(self, kind: str, answer: Answer | None) -> Updates:
        """A report in one of its forms."""
        return self._saved(lambda a: downloads.whole(kind, self.probe, a), answer)

    def save_table(self, place: int, answer: Answer | None) -> Updates:
        """A table as CSV."""
        return self._saved(lambda a: downloads.table(place, a), answer)

    def _saved(self, make: Any, answer: Answer | None) -> Updates:
        if answer is None:
            return {
                self.at.file: None,
                self.at.banner: snippets.banner("There is no answer to save yet: press Run."),
            }
        try:
            return {self.at.file: downloads.payload(make(answer)), self.at.banner: snippets.banner()}
        except Exception as error:
            return {self.at.file: None, self.at.banner: snippets.banner(failures.sentence(error))}
