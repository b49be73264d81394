"""Opening a page: what a link asks for, or the example, with an answer as soon as there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr

from app import asking, failures, links, picker, snippets, stage
from app.page import Page, Updates
from app.running import Ticket
from app.stage import Held
from probes.core.errors import FieldError
from probes.core.parameters import Params, fields


def open_page(page: Page, search: str) -> Updates:
    """Put on the page what the query of its address asks for; without one, the example and its answer."""
    link = links.read(page.probe.params, parse_qsl(str(search).lstrip("?"), keep_blank_values=True))
    errors, at = dict(link.errors), page.at
    base, name = _base(page, link, errors)
    held = Held()
    for f in page.picture_fields:
        held = held.lay(f, getattr(base, f.name), name)
    params = stage.changed(base, link.values)
    spec = _spec(page, link, errors)
    updates = at.form.show({f.name: getattr(params, f.name) for f in fields(params)})
    updates |= at.form.complain(errors) | page.laid(held, params)
    updates |= {
        at.model: gr.Dropdown(picker.choices(page.engine.models(), page.engine.default), value=spec),
        at.model_line: picker.describe(page.engine, spec),
        at.model_error: snippets.error(errors.get(picker.FIELD, "")),
        at.banner: snippets.banner(errors.get("", "")),
        at.sessions.held: held,
        at.query: page.query(params, held, spec),
    }
    ready = page.engine.ready(page.probe) if link.plain else None
    if ready is not None:
        return updates | asking.answered(page, ready, params, held, spec) | asking.idle(page)
    if _may_ask(page, spec):
        return updates | asking.busy(page, 0.0, "waiting for its turn", 0.0) | {at.sessions.pending: True}
    return updates | asking.idle(page, "This model is not on disk yet. Press Run to download and ask it.")


def _base(page: Page, link: links.Link, errors: dict[str, str]) -> tuple[Params, str]:
    """The parameters that a link starts from, and the name of the bundled picture in them."""
    params = page.probe.params
    shown = page.shown if page.shown is not None else params()
    chosen = stage.find(link.example) if link.example else None
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


def _spec(page: Page, link: links.Link, errors: dict[str, str]) -> str:
    if not link.model:
        return page.engine.default
    try:
        return picker.checked(page.engine, link.model)
    except FieldError as error:
        errors[picker.FIELD] = f"{failures.sentence(error)} The page's own model is used instead."
        return page.engine.default


def _may_ask(page: Page, spec: str) -> bool:
    """Whether opening a link may ask its model: a link must not start a download."""
    return spec == page.engine.default or picker.costs_nothing(page.engine, spec)


def answer_link(
    page: Page, pending: bool, ticket: Ticket, held: Held, model: str, *values: object
) -> Iterator[Updates]:
    """Answer what was opened, if that has not been done."""
    if pending:
        yield from asking.ask(page, ticket, held, model, *values)
    else:
        yield {page.at.sessions.pending: False}


def offer_models(page: Page, model: str) -> Updates:
    """The whole list of models, which may take seconds when the program has just begun."""
    models = page.engine.models(wait=True)
    return {
        page.at.model: gr.Dropdown(choices=picker.choices(models, page.engine.default)),
        page.at.model_line: picker.describe(page.engine, model),
    }
