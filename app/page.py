"""What happens on the page of a probe: opening, setting, marking, running, stopping, taking away.

Handlers return updates keyed by component. Those that ask a model share one queue (`MODEL_QUEUE`); all others
are cheap and never wait behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app import downloads, failures, links, picker, snippets, stage
from app.engine import Answer, Engine
from app.layout import Layout
from app.running import Job, Ticket
from app.stage import Held
from probes.core.errors import CapabilityError, Cancelled, ClipspectError, FieldError, ModelError
from probes.core.parameters import Field, Params, Place, fields
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe

MODEL_QUEUE = "model"
AT_ONCE = 4
"""Visitors whose questions run side by side; the backend puts them into common batches."""

Updates = dict[Any, Any]

LOCATION_JS = "() => window.location.search"

ADDRESS_JS = "(query) => window.clipspect.address(query)"


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
        pictures = [p for f in self._picture_fields for p in getattr(self.shown, f.name, ())]
        return next((stage.name_of(e) for e in stage.bundled() if e.picture() in pictures), "")

    @cached_property
    def _picture_fields(self) -> tuple[Field, ...]:
        return tuple(f for f in fields(self.probe.params) if f.is_pictures)

    # Opening

    def open(self, search: str) -> Updates:
        """Put what a link asks for on the page, or the example."""
        link = links.read(self.probe.params, parse_qsl(str(search).lstrip("?"), keep_blank_values=True))
        errors, at = dict(link.errors), self.at
        base, name = self._base(link, errors)
        held = Held()
        for f in self._picture_fields:
            held = held.lay(f, getattr(base, f.name), name)
        params = replace(base, **link.values)
        spec = self._spec(link, errors)
        ready = self.engine.ready(self.probe) if link.plain else None
        updates = at.form.show({f.name: getattr(params, f.name) for f in fields(params)})
        updates |= at.form.complain(errors) | self._laid(held, params)
        updates |= {
            at.model: spec,
            at.model_line: picker.describe(self.engine, spec),
            at.model_error: snippets.error(errors.get(picker.FIELD, "")),
            at.banner: snippets.banner(errors.get("", "")),
            at.sessions.held: held,
            at.sessions.pending: ready is None,
            at.query: self._query(params, held, spec),
        }
        if ready is not None:
            updates |= self._answered(ready, params, held, spec)
        elif not self._may_answer(spec):
            updates |= {
                at.sessions.pending: False,
                at.progress: snippets.notice("This model has to be downloaded first. Press Run to fetch and ask it."),
            }
        return updates

    def _base(self, link: links.Link, errors: dict[str, str]) -> tuple[Params, str]:
        """The parameters that a link starts from, and the name of the bundled picture in them."""
        shown = self.shown if self.shown is not None else self.probe.params()
        chosen = stage.find(link.example) if link.example else None
        if link.example and chosen is None:
            errors[""] = f"There is no bundled picture “{link.example[:40]}”. {errors.get('', '')}".strip()
        base = self.probe.params() if link.values or chosen is not None else shown
        changes: dict[str, Any] = {f.name: getattr(shown, f.name) for f in self._picture_fields}
        if chosen is not None:
            changes[self._picture_fields[0].name] = (chosen.picture(),)
            changes |= {} if link.values else stage.values_of(chosen, self.probe.params)
        return replace(base, **changes), stage.name_of(chosen) if chosen is not None else self.shown_name

    def _spec(self, link: links.Link, errors: dict[str, str]) -> str:
        if not link.model:
            return self.engine.default
        try:
            return picker.checked(self.engine, link.model)
        except FieldError as error:
            errors[picker.FIELD] = f"{failures.sentence(error)} The page's own model is used instead."
            return self.engine.default

    def _may_answer(self, spec: str) -> bool:
        """Whether opening a link may ask its model: a link must not start a download."""
        return spec == self.engine.default or picker.costs_nothing(self.engine, spec)

    def opened(self, pending: bool, ticket: Ticket, held: Held, model: str, *values: object) -> Iterator[Updates]:
        """Answer what a link asked for, if that has not been done."""
        if not pending:
            yield {self.at.sessions.pending: False}
            return
        yield from self.ask(ticket, held, model, *values)

    # Setting

    def settle(self, held: Held, asked: str, model: str, *values: object) -> Updates:
        """After a change: errors beside their fields, the preview, and the link."""
        checked = self.at.form.check(values, held.pictures)
        query = self._query(checked.params, held, model)
        errors = {name: text for name, text in checked.errors.items() if not self._is_empty_stage(name, held)}
        updates = self.at.form.complain(errors) | self._staged(held, checked.params)
        stale = asked and query != asked
        updates[self.at.progress] = snippets.notice("Changed since this answer. Press Run to ask again." if stale else "")
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
            return {self.at.model_error: snippets.error(failures.sentence(error)), self.at.model_line: snippets.error("")}
        return {self.at.model_error: snippets.error(""), self.at.model_line: picker.describe(self.engine, spec)}

    def take(self, event: gr.EventData, held: Held, asked: str, model: str, *values: object) -> Updates:
        """A bundled picture was clicked: it, its labels and its place."""
        offered = stage.tiles(self.probe.params)
        index = int(event._data.get("index", -1))
        if not 0 <= index < len(offered):
            return {self.at.banner: snippets.banner("There is no such picture.")}
        example = offered[index]
        held = held.lay(self._picture_fields[0], (example.picture(),), stage.name_of(example))
        brought = stage.values_of(example, self.probe.params)
        checked = self.at.form.check(values, held.pictures)
        params = replace(checked.params, **brought)
        query = self._query(params, held, model)
        updates = self.at.form.show(brought) | self._laid(held, params)
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
        return self._restage(f, stage.remove(held, f, int(event._data.get("index", -1))), "", asked, model, *values)

    def _restage(self, f: Field, held: Held, error: str, asked: str, model: str, *values: object) -> Updates:
        updates = self.settle(held, asked, model, *values)
        if error:
            updates |= self.at.form.complain_one(f.name, error)
        return updates | {self.at.sessions.held: held, self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def _field_of(self, event: gr.EventData) -> Field:
        name = event._data.get("field")
        return next((f for f in self._picture_fields if f.name == name), self._picture_fields[0])

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

    def _laid(self, held: Held, params: Params) -> Updates:
        """The pictures on the page, as the probe will change them, and what was done to read them."""
        return self._staged(held, params) | {self.at.picture_notes: snippets.cautions(stage.notes(held))}

    def _staged(self, held: Held, params: Params) -> Updates:
        marked: Picture | None = None
        if self.probe.preview is not None and all(held.laid.get(f.name) for f in self._picture_fields):
            marked = self.probe.preview(stage.shrunk(params))
        first = self._picture_fields[0].name if self._picture_fields else ""
        return {
            self.at.pictures[f.name]: stage.draw(held, f, params, marked if f.name == first else None)
            for f in self._picture_fields
        }

    def _query(self, params: Params, held: Held, model: str) -> str:
        """The query of the link that describes the page."""
        example = stage.find(held.example) if held.example != self.shown_name else None
        shown = self.shown
        if example is not None:
            shown = self.probe.params(**stage.values_of(example, self.probe.params))
        name = held.example if example is not None else ""
        return links.query(params, shown, "" if picker.same(model, self.engine.default) else model, name)

    # Running

    def wait(self) -> Updates:
        """At once after a click: the turn will come."""
        return {
            self.at.run: gr.Button(visible=False),
            self.at.stop: gr.Button(visible=True),
            self.at.progress: snippets.progress(0.0, "waiting for its turn", 0.0),
            self.at.banner: snippets.banner(),
        }

    def idle(self, text: str = "") -> Updates:
        """Nothing runs."""
        return {
            self.at.run: gr.Button(visible=True),
            self.at.stop: gr.Button(visible=False),
            self.at.progress: snippets.notice(text),
            self.at.sessions.pending: False,
        }

    def idle_again(self, ticket: Ticket) -> Updates:
        """After a run, whatever became of it: the buttons are as at rest."""
        return {self.at.run: gr.Button(visible=True), self.at.stop: gr.Button(visible=False)}

    def ask(self, ticket: Ticket, held: Held, model: str, *values: object) -> Iterator[Updates]:
        """Ask the model; tell how far it is; show the answer or what is wrong."""
        checked = self.at.form.check(values, held.pictures)
        try:
            spec = picker.checked(self.engine, model)
        except FieldError as error:
            yield self.idle() | {self.at.model_error: snippets.error(failures.sentence(error))}
            return
        if checked.errors:
            yield self.idle("Not asked yet: see the marked field.") | self.at.form.complain(checked.errors)
            return
        if not ticket.take():
            yield {self.at.progress: snippets.notice("Your last question is still running.")}
            return
        try:
            yield from self._watch(ticket, checked.params, held, spec)
        finally:
            ticket.stop()  # whoever left takes the work along
            ticket.give_back()

    def _watch(self, ticket: Ticket, params: Params, held: Held, spec: str) -> Iterator[Updates]:
        example = picker.same(spec, self.engine.default) and params == self.shown
        job: Job[Answer] = Job(
            lambda progress: self.engine.example(self.probe, progress)
            if example
            else self.engine.answer(self.probe, params, spec, progress),
            ticket,
        )
        for step in job.steps():
            yield self.wait() | {self.at.progress: snippets.progress(step.share, step.doing, step.seconds)}
        try:
            yield self.idle() | self._answered(job.result(), params, held, spec)
        except Cancelled:
            yield self.idle("Stopped. What you set is still here.")
        except Exception as error:
            yield self.idle() | self._failed(error)

    def _answered(self, answer: Answer, params: Params, held: Held, spec: str) -> Updates:
        return self.at.results.show(self.probe, answer) | {
            self.at.sessions.answer: answer,
            self.at.sessions.asked: self._query(params, held, spec),
            self.at.query: self._query(params, held, spec),
            self.at.model_error: snippets.error(""),
            self.at.model_line: picker.describe(self.engine, spec, answer.model),
            **self.at.form.complain({}),
        }

    def _failed(self, error: Exception) -> Updates:
        text = failures.sentence(error)
        if isinstance(error, FieldError) and error.field in {f.name for f in fields(self.probe.params)}:
            return self.at.form.complain({error.field: text})
        if isinstance(error, (ModelError, CapabilityError)):
            return {self.at.model_error: snippets.error(text)}
        return {self.at.banner: snippets.banner(text)}

    def stop(self, ticket: Ticket) -> None:
        """Stop the visitor's own work."""
        ticket.stop()

    # Taking away

    def save(self, kind: str, answer: Answer | None) -> Updates:
        """A report in one of its forms."""
        return self._saved(lambda a: downloads.whole(kind, self.probe, a), answer)

    def save_table(self, place: int, answer: Answer | None) -> Updates:
        """A table as CSV."""
        return self._saved(lambda a: downloads.table(place, a), answer)

    def _saved(self, make: Any, answer: Answer | None) -> Updates:
        if answer is None:
            return {self.at.file: None, self.at.banner: snippets.banner("There is no answer to save yet: press Run.")}
        try:
            return {self.at.file: downloads.payload(make(answer)), self.at.banner: snippets.banner()}
        except Exception as error:
            return {self.at.file: None, self.at.banner: snippets.banner(failures.sentence(error))}


def enter() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Past the content note."""
    return gr.update(visible=False), gr.update(visible=True)
