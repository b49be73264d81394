"""Which component calls which handler of a page, and in which queue."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from app import downloads
from app.page import ADDRESS_JS, AT_ONCE, LOCATION_JS, MODEL_QUEUE, Page, enter
from probes.core.parameters import Lines

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
    asking = [at.sessions.ticket, at.sessions.held, at.model, *inputs]
    at.run.click(page.wait, None, [at.run, at.stop, at.progress, at.banner], **CHEAP).then(
        page.ask, asking, outputs, **MODEL
    ).then(page.idle_again, [at.sessions.ticket], [at.run, at.stop], **CHEAP)
    at.stop.click(page.stop, at.sessions.ticket, None, **CHEAP)
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
        *(at.model, at.model_line, at.model_error, at.picture_notes, at.run, at.stop, at.progress, at.banner, at.query),
    ]


def _wire_opening(page: Page, demo: gr.Blocks) -> None:
    at = page.at
    outputs = _outputs(page)
    asking = [at.sessions.pending, at.sessions.ticket, at.sessions.held, at.model, *at.form.inputs]
    if at.enter is None or at.gate is None:
        begin = demo.load(page.open, at.query, outputs, js=LOCATION_JS, **CHEAP)
    else:
        begin = at.enter.click(enter, None, [at.gate, at.body], **CHEAP).then(
            page.open, at.query, outputs, js=LOCATION_JS, **CHEAP
        )
    begin.then(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    begin.then(page.opened, asking, outputs, **MODEL)


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
