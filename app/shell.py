"""The shell: the start page and a page for every probe, each at its own address, and the way round."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from markupsafe import Markup

from app import start, theme, training_page
from app.engine import Engine
from app.layout import lay_out
from app.page import Page
from app.training_link import ADDRESS as TRAINING
from app.wiring import wire
from probes.core.probe import AnyProbe
from probes.core.version import VERSION

MINUTES = 60


def build(engine: Engine, probes: Sequence[AnyProbe]) -> gr.Blocks:
    """All pages, ready to launch."""
    demo = gr.Blocks(
        title="Clipspect",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(1 * MINUTES, 10 * MINUTES),
    )
    with demo:
        _top(probes, "")
        start.lay_out(engine, probes, demo)
        _bottom()
    for probe in probes:
        with demo.route(probe.card.title, probe.card.address, show_in_navbar=False):
            _top(probes, probe.card.address)
            page = Page(probe, engine, lay_out(probe, engine))
            wire(page, demo)
            _bottom()
    with demo.route(training_page.TITLE, TRAINING, show_in_navbar=False):
        _top(probes, TRAINING)
        training_page.wire(training_page.lay_out(), demo)
        _bottom()
    return demo


def _top(probes: Sequence[AnyProbe], here: str) -> None:
    """The way round, the same on every page."""
    pages = [*((probe.card.address, probe.card.title) for probe in probes), (TRAINING, training_page.TITLE)]
    links = Markup("").join(
        Markup('<a href=".{}"{}>{}</a>').format(
            address, Markup(' aria-current="page"') if address == here else "", title
        )
        for address, title in pages
    )
    gr.HTML(
        Markup(
            '<a class="skip" href="#main">Skip to the page</a>'
            '<a class="brand" href="./">{}<span>Clipspect</span></a>'
            '<nav aria-label="Pages">{}</nav>'
            '<button type="button" class="mood" aria-label="Switch between light and dark" title="Light or dark">'
            '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.2" fill="none" '
            'stroke="currentColor" stroke-width="1.6"/>'
            '<path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor"/>'
            "</svg></button>"
        ).format(Markup(theme.MARK.read_text(encoding="utf-8")), links),
        elem_classes="site-top",
        js_on_load=theme.TOP_JS,
    )


def _bottom() -> None:
    gr.HTML(
        Markup(
            "<p>Clipspect {}. Pictures you bring are held in the memory of your session, never kept and "
            "never sent on; the temporary file of an upload is deleted within minutes.</p>"
        ).format(VERSION),
        elem_classes="site-bottom",
    )
