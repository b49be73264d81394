"""Opening a page: what a link asks for, or the example, with an answer as soon as there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app import asking, failures, lessons, links, picker, snippets, stage, withheld
from app.asking import Question
from app.page import Page
from app.results import Updates
from app.running import Ticket
from app.sessions import ForAll
from app.stage import Held
from probes.core.errors import FieldError
from probes.core.parameters import Params, fields


def open_page(page: Page, search: str) -> Updates:
    """Put on the page what the query of its address asks for; without one, the example and its answer."""
    link = links.read(page.probe.params, parse_qsl(str(search).lstrip("?"), keep_blank_values=True))
    ready = [page.engine.ready(page.probe, spec) for spec in page.engine.opens_with]
    strip = lessons.strip(search)
    lesson = {page.at.lesson: strip}
    if not link.plain or None in ready:
        return _opened(page, link) | lesson
    answers = tuple(map(id, ready))  # which the engine keeps for as long as it lives
    with page.opening:  # the first to come makes it, for all who come at once
        if answers not in page.opened:
            page.opened[answers] = ForAll(_opened(page, link) | {page.at.lesson: lessons.strip("")})
    return page.opened[answers] | lesson if strip else page.opened[answers]


def _opened(page: Page, link: links.Link) -> Updates:
    errors, at = dict(link.errors), page.at
    base, name = _base(page, link, errors)
    held = Held()
    for f in page.picture_fields:
        held = held.lay(f, getattr(base, f.name), name)
    kept = withheld.found(base, link.values)
    held = replace(held, withheld=kept)
    params = stage.changed(base, {name: value for name, value in link.values.items() if name not in kept})
    if kept:
        labels = {f.name: f.control.label for f in fields(params)}
        errors[""] = f"{errors.get('', '')} {withheld.told(kept, labels)}".strip()
    specs = _specs(page, link, errors)
    updates = at.form.show({f.name: getattr(params, f.name) for f in fields(params)})
    updates |= at.form.withhold(kept)
    updates |= (
        at.form.complain(errors) | at.form.reveal(errors) | page.laid(held, params) | page.described(specs, errors)
    )
    for side, spec in zip(at.sides, specs, strict=True):
        updates[side.chooser.model] = gr.Dropdown(picker.offered(page.engine, side.role), value=spec)
    updates |= {
        at.banner: snippets.banner(errors.get("", "")),
        at.sessions.held: held,
        at.query: page.query(params, held, specs),
    }
    ready = {p: a for p, spec in enumerate(specs) if (a := page.engine.ready(page.probe, spec)) is not None}
    question = Question(params, specs, dict(ready))
    if link.plain and len(ready) == len(question.places):
        return updates | asking.answered(page, question) | asking.idle(page)
    if kept:
        return updates | asking.idle(page)
    if all(_may_ask(page, specs[place]) for place in question.places):
        return updates | asking.busy(page, 0.0, "waiting for its turn", 0.0) | {at.sessions.pending: True}
    return updates | asking.idle(page, "A model is not on disk yet. Press Run to download and ask it.")


def _base(page: Page, link: links.Link, errors: dict[str, str]) -> tuple[Params, str]:
    """The parameters that a link starts from, and the name of the bundled picture in them."""
    params = page.probe.params
    shown = page.shown if page.shown is not None else params()
    chosen = stage.find(link.example) if link.example and page.picture_fields else None
    if link.example and chosen is None:
        errors[""] = f"There is no bundled picture “{link.example[:40]}”. {errors.get('', '')}".strip()
    base: Params = params() if link.values or chosen is not None else shown
    changes: dict[str, Any] = {f.name: getattr(shown, f.name) for f in page.picture_fields}
    if chosen is None:
        return stage.changed(base, changes), page.shown_name
    changes[page.picture_fields[0].name] = (chosen.picture(),)
    if not link.values:
        changes |= stage.values_of(chosen, params)
    return stage.changed(base, changes), stage.name_of(chosen)


def _specs(page: Page, link: links.Link, errors: dict[str, str]) -> tuple[str, ...]:
    """The models that a link asks for, by side; the page's own where it says nothing or something wrong."""
    chosen = []
    for role, named in zip(picker.ROLES, (link.model, link.beside), strict=True):
        own = picker.opening(page.engine, role)
        try:
            chosen.append(picker.checked(page.engine, named, role) if named else own)
        except FieldError as error:
            chosen.append(own)
            errors[role] = f"{failures.sentence(error)} The page's own model is used instead."
    return tuple(chosen)


def _may_ask(page: Page, spec: str) -> bool:
    """Whether opening a link may ask its model: a link must not start a download."""
    return spec in page.engine.opens_with or picker.costs_nothing(page.engine, spec)


def answer_link(page: Page, pending: bool, ticket: Ticket, *given: object) -> Iterator[Updates]:
    """Answer what was opened, if that has not been done."""
    if pending:
        yield from asking.ask(page, ticket, *given)
    else:
        yield {page.at.sessions.pending: False}


def offer_models(page: Page, *chosen: str) -> Updates:
    """The whole list of models, which may take seconds when the program has just begun."""
    page.engine.models(wait=True)
    updates: Updates = {}
    for side, spec in zip(page.at.sides, chosen, strict=True):
        updates[side.chooser.model] = gr.Dropdown(choices=picker.offered(page.engine, side.role))
        updates[side.chooser.line] = picker.describe(page.engine, spec, page=page.probe.card)
    return updates
