"""Which component calls which handler of a page, and in which queue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr

from app import asking, downloads, explorers, glancing, opening
from app.limits import LIMITS
from app.page import Page
from probes.core.controls import Lines
from probes.core.marks import Marks

MODEL_QUEUE = "model"

LOCATION_JS = "() => window.location.search"
ADDRESS_JS = "(query) => window.clipspect.address(query)"

CHEAP: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
FOLLOW: dict[str, Any] = {
    "concurrency_limit": 1,
    "concurrency_id": "follow",
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""What follows an answer has a queue of its own, so that no question waits for it."""
MODEL: dict[str, Any] = {
    "concurrency_limit": LIMITS.at_once,
    "concurrency_id": MODEL_QUEUE,
    "show_progress": "hidden",
    "api_visibility": "private",
}


def wire(page: Page, demo: gr.Blocks) -> None:
    """Connect a page; called inside its route."""
    at = page.at
    _wire_opening(page, demo)
    _wire_settings(page)
    _wire_pictures(page)
    _wire_files(page)
    outputs = _outputs(page)
    clicked = at.run.click(partial(asking.wait, page), at.sessions.ticket, outputs, **CHEAP)
    asked = clicked.then(partial(asking.ask, page), [at.sessions.ticket, *page.inputs], outputs, **MODEL)
    asked.then(partial(asking.rest, page), None, [at.run, at.stop], **CHEAP)
    _wire_following(page, asked)
    at.stop.click(asking.stop, at.sessions.ticket, None, **CHEAP)
    at.query.change(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    for side in at.sides:
        for kind, button in side.taken.whole.items():
            _wire_saving(page, button, partial(page.save, kind), side.answer)
        tables = side.evidence.tables
        tables.choice.input(tables.open, [tables.choice, side.answer], [tables.note, tables.grid], **CHEAP)
        _wire_saving(page, tables.save, page.save_table, [tables.choice, side.answer])
    _wire_saving(page, at.papers, page.save_papers, None)
    answers = [side.answer for side in at.sides]
    for kind, button in at.compared.saves.items():
        _wire_saving(page, button, partial(page.save_difference, kind), answers)


def _outputs(page: Page) -> list[Any]:
    at, sessions = page.at, page.at.sessions
    return [
        *at.form.inputs,
        *(entry.error for entry in at.form.entries),
        *dict.fromkeys(at.form.folds.values()),
        *(part for entry in at.form.entries if entry.lists is not None for part in entry.lists.outputs),
        *at.pictures.values(),
        *(part for side in at.sides for part in side.outputs),
        *at.compared.outputs,
        *([at.guess] if at.guess is not None else []),
        *(sessions.held, sessions.pending),
        *(at.lesson, at.about, at.picture_notes, at.run, at.stop, at.progress, at.banner, at.query),
    ]


def _wire_opening(page: Page, demo: gr.Blocks) -> None:
    at = page.at
    outputs = _outputs(page)
    if at.enter is None or at.gate is None:
        begin = demo.load(partial(opening.open_page, page), at.query, outputs, js=LOCATION_JS, **CHEAP)
    else:
        begin = at.enter.click(enter, None, [at.gate, at.body], **CHEAP).then(
            partial(opening.open_page, page), at.query, outputs, js=LOCATION_JS, **CHEAP
        )
    begin.then(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    if at.guess is not None:
        at.guess.submit(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden", api_visibility="private")
    if at.calibrated is not None:
        begin.then(at.calibrated.fill, None, at.calibrated.outputs, **CHEAP)
    asked = [at.sessions.pending, at.sessions.ticket, *page.inputs]
    answered = begin.then(partial(opening.answer_link, page), asked, outputs, **MODEL)
    _wire_following(page, answered)
    if at.glance is not None:
        answered.then(partial(glancing.look_now, page), page.inputs, [at.glance], **CHEAP)
    choosers = [side.chooser for side in at.sides]
    models = [chooser.model for chooser in choosers]
    begin.then(partial(opening.offer_models, page), models, [*models, *(c.line for c in choosers)], **CHEAP)


def _wire_following(page: Page, answered: Any) -> None:
    """After an answer, what its explorer is sent later; a new question ends it."""
    for side in page.at.sides:
        slot = side.evidence.explorer
        if slot is not None and slot.explorer.follow:  # a generator that yields nothing would empty its component
            follow = partial(explorers.follow_on, page.probe, page.engine, slot.component)
            begun = answered.then(follow, side.answer, slot.component, **FOLLOW)
            page.at.run.click(None, None, None, cancels=[begun], show_progress="hidden", api_visibility="private")


def _wire_settings(page: Page) -> None:
    at = page.at
    outputs = [
        *(entry.error for entry in at.form.entries), *at.pictures.values(), at.query, at.progress,
    ]  # fmt: skip
    triggers = []
    for entry in at.form.entries:
        for component in entry.inputs:
            lines = isinstance(entry.field.control, (Lines, Marks))
            triggers.append(component.blur if lines else component.input)  # type: ignore[attr-defined]
    settle = glancing.followed(page, page.settle)
    gr.on(triggers, settle, page.inputs, [*outputs, *_glance(page)], trigger_mode="always_last", **CHEAP)
    models = [side.chooser.model for side in at.sides]
    chosen = [at.about, *(part for side in at.sides for part in side.outputs), *at.compared.outputs]
    for model in models:
        model.input(page.choose, models, chosen, **CHEAP).then(
            settle, page.inputs, [*outputs, *_glance(page)], **CHEAP
        )


def _wire_files(page: Page) -> None:
    """Files that are brought and taken away, and lists that are taken instead of typing."""
    at = page.at
    settled = [*(entry.error for entry in at.form.entries), *at.pictures.values(), at.query, at.progress]
    for entry in at.form.entries:
        name = entry.field.name
        if entry.file is not None:
            slot = entry.file
            outputs = [*at.form.inputs, *settled, at.sessions.held, slot.upload, slot.told, slot.remove]
            slot.upload.upload(partial(page.bring, name), [slot.upload, *page.inputs], outputs, **CHEAP)
            slot.remove.click(partial(page.take_away, name), page.inputs, outputs, **CHEAP)
        if entry.lists is not None:
            lists = entry.lists
            outputs = [*entry.inputs, lists.note, lists.confirm]
            for event, handler in (
                (lists.choice.input, page.choose_list),
                (lists.confirm.click, page.confirm_list),
            ):
                event(partial(handler, name), [lists.choice, at.sessions.held], outputs, **CHEAP).then(
                    page.settle, page.inputs, settled, **CHEAP
                )


def _wire_pictures(page: Page) -> None:
    at = page.at
    outputs = [
        *at.form.inputs, *(entry.error for entry in at.form.entries), *at.pictures.values(),
        at.sessions.held, at.picture_notes, at.query, at.progress, at.banner, *_glance(page),
    ]  # fmt: skip
    at.tiles.select(glancing.followed(page, page.take), page.inputs, outputs, **CHEAP)
    for component in at.pictures.values():
        component.upload(glancing.followed(page, page.receive), page.inputs, outputs, **CHEAP)
        component.delete(glancing.followed(page, page.remove), page.inputs, outputs, **CHEAP)
    for name, tools in at.tools.items():
        mark = glancing.followed(page, partial(page.mark, name))
        marked = [*page.marked(name), *_glance(page)]
        tools.submit(mark, [tools, *page.inputs], marked, trigger_mode="always_last", **CHEAP)


def _glance(page: Page) -> list[Any]:
    return [page.at.glance] if page.at.glance is not None else []


def _wire_saving(page: Page, button: gr.Button, make: Any, answer: Any) -> None:
    at = page.at
    button.click(make, answer, [at.file, at.banner], **CHEAP).then(
        None, at.file, at.file, js=downloads.SAVE_JS, show_progress="hidden"
    )


def enter() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Past the content note."""
    return gr.update(visible=False), gr.update(visible=True)
