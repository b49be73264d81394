"""Asking the models: waiting, watching, stopping, and showing the answers or what is wrong.

The models of a page are asked one after the other. Answers appear together, so that their figures are drawn once
and to the same axes; where the next one is long in coming, those that are there already are shown before it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import gradio as gr
from plotly.graph_objects import Figure

from app import failures, picker, predicting, sides, snippets
from app.engine import NONE, Answer
from app.page import FORGOTTEN, Page, Setting
from app.results import Updates
from app.running import Job, Ticket
from probes.core import axes
from probes.core.errors import Cancelled, FieldError
from probes.core.model import Progress
from probes.core.parameters import Params, fields
from probes.core.watching import Watched

_LOG = logging.getLogger("clipspect.app")

SOON = 1.0
"""Seconds that an answer waits for the next one before it is shown by itself."""
NOT_ASKED = "Not asked yet: see the field that is marked."
NOT_ANSWERED = "No answer: see the field that is marked."
STOPPED = "Stopped. What you set is still here."
STOPPED_PARTLY = "Stopped. What was done by then is shown. Press Run to ask for all of it."
MEANWHILE = 1.5
"""Seconds after which what a model has so far is shown, and again after as many."""
SHARE = 5
"""So many times as long as it takes to put that on the page, at least, before it is done again."""


@dataclass(frozen=True)
class Question:
    """What is asked of the models of a page.

    Attributes:
        specs: the models, by side; `none` where a side has none.
        outcomes: what became of it so far, by place of the side.
        drawn: the figures of an outcome, as the probe drew them, by place of the side.
    """

    params: Params
    specs: tuple[str, ...]
    outcomes: dict[int, Answer | Exception] = field(default_factory=dict)
    drawn: dict[int, tuple[Answer, Mapping[str, Figure]]] = field(default_factory=dict)

    @property
    def places(self) -> tuple[int, ...]:
        """Sides that have a model."""
        return tuple(place for place, spec in enumerate(self.specs) if spec != NONE)


def wait(page: Page, ticket: Ticket) -> Updates:
    """At once after a click on Run: the turn will come, and old complaints go."""
    ticket.expect()
    updates = busy(page, 0.0, "waiting for its turn", 0.0) | page.at.form.complain({})
    updates |= {side.chooser.error: snippets.error("") for side in page.at.sides}
    return updates | {page.at.banner: snippets.banner()}


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


def ask(page: Page, ticket: Ticket, *given: object) -> Iterator[Updates]:
    """Ask the models; tell how far they are; show the answers or what is wrong."""
    if ticket.declined:
        yield idle(page, STOPPED)
        return
    now = page.setting(*given)  # type: ignore[arg-type]
    if now.held.forgotten:
        yield idle(page, FORGOTTEN)
        return
    checked = page.check(now)
    specs, errors = page.specs(now.models)
    if errors:
        yield idle(page, NOT_ASKED) | page.described(specs, errors)
        return
    if checked.errors:
        yield idle(page, NOT_ASKED) | page.at.form.complain(checked.errors) | page.at.form.reveal(checked.errors)
        return
    link = {page.at.query: page.query(checked.params, now.held, specs)}
    if not checked.params.needs_model():  # one answer, whichever models the page has
        specs = (specs[0], *(NONE,) * (len(specs) - 1))
    if not ticket.take():
        yield {page.at.progress: snippets.notice("Your last question is still running.")}
        return
    try:
        yield busy(page, 0.0, "starting", 0.0) | link
        yield from _watch(page, ticket, _begun(now, checked.params, specs))
    finally:
        ticket.give_back()


def _begun(now: Setting, params: Params, specs: tuple[str, ...]) -> Question:
    """The question, with those answers to it that are on the page already; if all are, it is asked anew."""
    question = Question(params, specs)
    kept = {
        p: a
        for p in question.places
        if (a := now.answers[p]) is not None and a.whole and sides.answers(a, params, specs[p])
    }
    if len(kept) < len(question.places):
        question.outcomes.update(kept)
    return question


def _watch(page: Page, ticket: Ticket, question: Question) -> Iterator[Updates]:
    turns = [place for place in question.places if place not in question.outcomes]
    shown = bool(question.outcomes)  # what is on the page already need not be shown early
    for turn, place in enumerate(turns):
        spec = question.specs[place]
        who = f"{picker.called(page.engine, spec)}: " if len(question.places) > 1 else ""
        job: Job[Answer] = Job(partial(_work, page, question.params, spec), ticket)
        due = MEANWHILE
        seen: Answer | None = None
        for step in job.steps():
            yield busy(page, (turn + step.share) / len(turns), who + step.doing, step.seconds)
            if job.so_far is not None and job.so_far is not seen and step.seconds >= due:
                seen = question.outcomes[place] = job.so_far
                began = time.monotonic()
                yield answered(page, question, "Being asked …", over=False)
                took = time.monotonic() - began
                due = step.seconds + max(MEANWHILE, SHARE * took)
            if turn and not shown and step.seconds >= SOON:
                shown = True
                yield answered(page, question, "Being asked …", over=False)
        try:
            question.outcomes[place] = job.result()
        except Cancelled:
            yield _stopped(page, question, place, job.so_far)
            return
        except Exception as error:
            question.outcomes[place] = error
    yield idle(page) | answered(page, question)


def _stopped(page: Page, question: Question, place: int, so_far: Answer | None) -> Updates:
    """What is there is kept: the answers of models asked before, and what the last one had shown."""
    if so_far is not None:
        question.outcomes[place] = so_far
    if not question.outcomes:
        return idle(page, STOPPED) | _guess(page, {}, over=True)
    told = STOPPED if so_far is None else STOPPED_PARTLY
    return idle(page, told) | answered(page, question, "Stopped before it answered.")


def _work(page: Page, params: Params, spec: str, progress: Progress) -> Answer:
    own = next((own for own in page.engine.opens_with if picker.same(spec, own)), None)
    if own is not None and params == page.shown:
        return page.engine.example(page.probe, own, progress)
    watch = progress.see if isinstance(progress, Watched) else None
    return page.engine.answer(page.probe, params, spec, progress, watch)


def answered(page: Page, question: Question, waiting: str = "", over: bool = True) -> Updates:
    """Put the outcomes of a question on the page.

    Args:
        page: where.
        question: what was asked, and what became of it.
        waiting: what to say on a side that has no outcome.
        over: whether nobody is asked any more.
    """
    updates: Updates = {}
    figures = _draw(page, question)
    for place, side in enumerate(page.at.sides):
        spec, outcome = question.specs[place], question.outcomes.get(place)
        if spec == NONE:
            updates |= side.put_away()
        elif isinstance(outcome, Answer):
            updates |= side.show(page.engine, outcome, figures[place])
        elif outcome is None:
            updates |= side.empty(picker.called(page.engine, spec), snippets.notice(waiting))
        else:
            updates |= _failed(page, side, spec, outcome)
    found = {place: one for place, one in question.outcomes.items() if isinstance(one, Answer)}
    return updates | _guess(page, found, over) | page.at.compared.show(page.probe, found)


def _guess(page: Page, found: Mapping[int, Answer], over: bool) -> Updates:
    """What a visitor who predicts first is asked; nothing where a probe asks for no guess."""
    return {} if page.at.guess is None else {page.at.guess: predicting.ask(page.probe, found, over)}


def _draw(page: Page, question: Question) -> dict[int, dict[str, Figure]]:
    """The figures of every answer, to the same axes; an answer that cannot be drawn becomes what went wrong."""
    drawn: dict[int, Mapping[str, Figure]] = {}
    for place, outcome in list(question.outcomes.items()):
        if isinstance(outcome, Answer):
            try:
                drawn[place] = _drawn(page, question, place, outcome)
            except Exception as error:
                question.outcomes[place] = error
    try:
        return dict(zip(drawn, axes.shared(list(drawn.values())), strict=True))
    except Exception:  # figures of a kind nobody foresaw are better shown as they were drawn than not at all
        _LOG.exception("figures could not be brought to the same axes")
        return {place: dict(figures) for place, figures in drawn.items()}


def _drawn(page: Page, question: Question, place: int, answer: Answer) -> Mapping[str, Figure]:
    """The figures of an answer, drawn once however often it is put on the page while others are waited for."""
    known = question.drawn.get(place)
    if known is None or known[0] is not answer:
        known = question.drawn[place] = (answer, page.probe.figures(answer.report.result))
    return known[1]


def _failed(page: Page, side: sides.Side, spec: str, error: Exception) -> Updates:
    """Say what went wrong on the side of the model, or beside the field if it is about one."""
    text = failures.sentence(error)
    name = picker.called(page.engine, spec)
    if isinstance(error, FieldError) and error.field in {f.name for f in fields(page.probe.params)}:
        said = side.empty(name, snippets.notice(NOT_ANSWERED))
        return said | page.at.form.complain_one(error.field, text) | page.at.form.reveal({error.field: text})
    return side.empty(name, snippets.banner(text))


def stop(ticket: Ticket) -> None:
    """Stop the visitor's own work."""
    ticket.stop()


def rest(page: Page) -> Updates:
    """After a run, whatever became of it: the buttons are as at rest."""
    return {page.at.run: gr.Button(visible=True, interactive=True), page.at.stop: gr.Button(visible=False)}
