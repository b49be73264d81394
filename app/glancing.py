"""Glances: what the models of a page make of it while a hand moves, after the page itself has followed.

A handler that changes the page yields its own updates first, so that the picture follows the hand, and then the
bars. Only models in memory are asked, and those that the page opens with: a glance must load no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from gradio.components import Component

from app import picker, snippets
from app.engine import NONE
from app.page import Page, Setting
from app.results import Updates
from probes.core.controls import Lines, Pictures
from probes.core.marks import Marks
from probes.core.parameters import fields

_LOG = logging.getLogger("clipspect.app")


def followed(page: Page, handler: Callable[..., Updates]) -> Callable[..., Any]:
    """A handler whose updates are followed by glances; the handler as it is where the probe has none."""
    if page.probe.glance is None:
        return handler

    @wraps(getattr(handler, "func", handler))
    def both(*given: Any) -> Iterator[Updates]:
        updates = handler(*given)
        yield updates
        rest = given[-len(page.inputs) :]
        yield look(
            page, page.setting(*(_after(c, value, updates) for c, value in zip(page.inputs, rest, strict=True)))
        )

    return both


def _after(component: Any, value: Any, updates: Updates) -> Any:
    """What a component holds after the updates."""
    new = updates.get(component, value)
    return value if isinstance(new, Component) and new is not value else new


def look_now(page: Page, *given: Any) -> Updates:
    """The glances of the page as it is."""
    return look(page, page.setting(*given))


def look(page: Page, now: Setting) -> Updates:
    """The glances of what is set; none where something is missing or wrong."""
    if page.at.glance is None:
        return {}
    checked = page.check(now)
    shown = {f.name for f in fields(page.probe.params) if isinstance(f.control, (Lines, Marks, Pictures))}
    if shown & set(checked.errors) or any(not now.held.laid.get(f.name) for f in page.picture_fields):
        return {page.at.glance: snippets.glances(())}
    parts = []
    for spec in dict.fromkeys(now.models):
        if spec == NONE or not _at_hand(page, spec):
            continue
        try:
            seen = page.engine.glance(page.probe, checked.params, spec)
        except Exception as error:  # Run says what is wrong; a glance is not worth a complaint
            _LOG.info("no glance by %s: %s", spec, error)
            continue
        if seen is not None:
            parts.append(snippets.glance(seen[1], seen[0]))
    return {page.at.glance: snippets.glances(parts)}


def _at_hand(page: Page, spec: str) -> bool:
    """Whether a model may be asked at a glance."""
    ready = (*page.engine.opens_with, *page.engine.loaded())
    return any(picker.same(picker.whole(spec), one) for one in ready)
