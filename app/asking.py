"""Asking a model: waiting, watching, stopping, and showing the answer or what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from app import failures, picker, snippets
from app.engine import Answer
from app.page import Page, Updates
from app.running import Job, Ticket
from app.stage import Held
from probes.core.errors import Cancelled, CapabilityError, FieldError, ModelError
from probes.core.model import Progress
from probes.core.parameters import Params, fields


def wait(page: Page, ticket: Ticket) -> Updates:
    """At once after a click on Run: the turn will come, and old complaints go."""
    ticket.expect()
    return busy(page, 0.0, "waiting for its turn", 0.0) | {
        page.at.banner: snippets.banner(),
        page.at.model_error: snippets.error(""),
        **page.at.form.complain({}),
    }


def busy(page: Page, share: float, doing: str, seconds: float) -> Updates:
    """Something runs."""
    return {
        page.at.run: gr.Button(visible=False),
        page.at.stop: gr.Button(visible=True),
        page.at.progress: snippets.progress(share, doing, seconds),
    }


def idle(page: Page, text: str = "") -> Updates:
    """Nothing runs."""
    return {
        page.at.run: gr.Button(visible=True, interactive=True),
        page.at.stop: gr.Button(visible=False),
        page.at.progress: snippets.notice(text),
        page.at.sessions.pending: False,
    }


def ask(page: Page, ticket: Ticket, held: Held, model: str, *values: object) -> Iterator[Updates]:
    """Ask the model; tell how far it is; show the answer or what is wrong."""
    if ticket.declined:
        yield idle(page, STOPPED)
        return
    checked = page.at.form.check(values, held.pictures)
    try:
        spec = picker.checked(page.engine, model)
    except FieldError as error:
        yield idle(page, NOT_ASKED) | {page.at.model_error: snippets.error(failures.sentence(error))}
        return
    if checked.errors:
        yield idle(page, NOT_ASKED) | page.at.form.complain(checked.errors)
        return
    if not ticket.take():
        yield {page.at.progress: snippets.notice("Your last question is still running.")}
        return
    try:
        yield from _watch(page, ticket, checked.params, held, spec)
    finally:
        ticket.give_back()


NOT_ASKED = "Not asked yet: see the field that is marked."
STOPPED = "Stopped. What you set is still here."


def _watch(page: Page, ticket: Ticket, params: Params, held: Held, spec: str) -> Iterator[Updates]:
    yield busy(page, 0.0, "starting", 0.0) | {page.at.query: page.query(params, held, spec)}

    def work(progress: Progress) -> Answer:
        if picker.same(spec, page.engine.default) and params == page.shown:
            return page.engine.example(page.probe, progress)
        return page.engine.answer(page.probe, params, spec, progress)

    job = Job(work, ticket)
    for step in job.steps():
        yield busy(page, step.share, step.doing, step.seconds)
    try:
        yield idle(page) | answered(page, job.result(), params, held, spec)
    except Cancelled:
        yield idle(page, STOPPED)
    except Exception as error:
        yield idle(page) | failed(page, error)


def answered(page: Page, answer: Answer, params: Params, held: Held, spec: str) -> Updates:
    """Put an answer on the page."""
    return page.at.results.show(page.probe, answer) | {
        page.at.sessions.answer: answer,
        page.at.sessions.asked: page.key(params, held, spec),
        page.at.model_line: picker.describe(page.engine, spec, answer.model),
    }


def failed(page: Page, error: Exception) -> Updates:
    """Say what went wrong, beside the field it is about if it is about one."""
    text = failures.sentence(error)
    if isinstance(error, FieldError) and error.field in {f.name for f in fields(page.probe.params)}:
        return page.at.form.complain_one(error.field, text)
    if isinstance(error, (ModelError, CapabilityError)):
        return {page.at.model_error: snippets.error(text)}
    return {page.at.banner: snippets.banner(text)}


def stop(ticket: Ticket) -> None:
    """Stop the visitor's own work."""
    ticket.stop()


def rest(page: Page) -> Updates:
    """After a run, whatever became of it: the buttons are as at rest."""
    return {page.at.run: gr.Button(visible=True, interactive=True), page.at.stop: gr.Button(visible=False)}
