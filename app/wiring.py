"""Which component calls which handler of a page, and in which queue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr

from app import asking, downloads, opening
from app.page import Page
from probes.core.parameters import Lines

MODEL_QUEUE = "model"
AT_ONCE = 4
"""Visitors whose questions run side by side; the backend puts them into common batches."""

LOCATION_JS = "() => window.location.search"
ADDRESS_JS = "(query) => window.clipspect.address(query)"

CHEAP: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
MODEL: dict[str, Any] = {
    "concurrency_limit": AT_ONCE,
    "concurrency_id": MODEL_QUEUE,
    "show_progress": "hidden",
    "api_visibility": "private",
}


def wire(page: Page, demo: gr.Blocks) -> None:
    """Connect a page; called inside its route."""
    at, inputs = page.at, page.at.form.inputs
    _wire_opening(page, demo)
    _wire_settings(page)
    _wire_pictures(page)
    outputs = _outputs(page)
    asked = [at.sessions.ticket, at.sessions.held, at.model, *inputs]
    clicked = at.run.click(partial(asking.wait, page), at.sessions.ticket, outputs, **CHEAP)
    clicked.then(partial(asking.ask, page), asked, outputs, **MODEL).then(
        partial(asking.rest, page), None, [at.run, at.stop], **CHEAP
    )
    at.stop.click(asking.stop, at.sessions.ticket, None, **CHEAP)
    at.query.change(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    for kind, button in at.whole.items():
        _wire_saving(page, button, partial(page.save, kind))
    for place, slot in enumerate(at.results.tables):
        _wire_saving(page, slot.save, partial(page.save_table, place))


def _outputs(page: Page) -> list[Any]:
    at = page.at
    sessions = at.sessions
    return [
        *at.form.inputs,
        *(entry.error for entry in at.form.entries),
        *at.pictures.values(),
        *at.results.outputs,
        *(sessions.held, sessions.answer, sessions.asked, sessions.pending),
        *(
            at.model,
            at.model_line,
            at.model_error,
            at.picture_notes,
            at.run,
            at.stop,
            at.progress,
            at.banner,
            at.query,
        ),
    ]


def _wire_opening(page: Page, demo: gr.Blocks) -> None:
    at = page.at
    outputs = _outputs(page)
    asked = [at.sessions.pending, at.sessions.ticket, at.sessions.held, at.model, *at.form.inputs]
    if at.enter is None or at.gate is None:
        begin = demo.load(partial(opening.open_page, page), at.query, outputs, js=LOCATION_JS, **CHEAP)
    else:
        begin = at.enter.click(enter, None, [at.gate, at.body], **CHEAP).then(
            partial(opening.open_page, page), at.query, outputs, js=LOCATION_JS, **CHEAP
        )
    begin.then(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    begin.then(partial(opening.answer_link, page), asked, outputs, **MODEL)
    begin.then(partial(opening.offer_models, page), at.model, [at.model, at.model_line], **CHEAP)


def _wire_settings(page: Page) -> None:
    at, inputs = page.at, page.at.form.inputs
    settled = [at.sessions.held, at.sessions.asked, at.model, *inputs]
    outputs = [
        *(entry.error for entry in at.form.entries), *at.pictures.values(), at.query, at.progress,
    ]  # fmt: skip
    triggers = []
    for entry in at.form.entries:
        for component in entry.inputs:
            lines = isinstance(entry.field.control, Lines)
            triggers.append(component.blur if lines else component.input)  # type: ignore[attr-defined]
    gr.on(triggers, page.settle, settled, outputs, trigger_mode="always_last", **CHEAP)
    at.model.input(page.choose_model, at.model, [at.model_line, at.model_error], **CHEAP).then(
        page.settle, settled, outputs, **CHEAP
    )


def _wire_pictures(page: Page) -> None:
    at, inputs = page.at, page.at.form.inputs
    settled = [at.sessions.held, at.sessions.asked, at.model, *inputs]
    outputs = [
        *inputs, *(entry.error for entry in at.form.entries), *at.pictures.values(),
        at.sessions.held, at.picture_notes, at.query, at.progress, at.banner,
    ]  # fmt: skip
    at.tiles.select(page.take, settled, outputs, **CHEAP)
    for component in at.pictures.values():
        component.upload(page.receive, settled, outputs, **CHEAP)
        component.delete(page.remove, settled, outputs, **CHEAP)
        component.select(page.place, settled, outputs, trigger_mode="always_last", **CHEAP)


def _wire_saving(page: Page, button: gr.Button, make: Any) -> None:
    at = page.at
    button.click(make, at.sessions.answer, [at.file, at.banner], **CHEAP).then(
        None, at.file, at.file, js=downloads.SAVE_JS, show_progress="hidden"
    )


def enter() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Past the content note."""
    return gr.update(visible=False), gr.update(visible=True)
