"""The shell: the start page and a page for every probe, each at its own address, and the way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import gradio as gr
from markupsafe import Markup

from app import api, glossary, lessons, start, theme, training_layout, training_page
from app.engine import Engine
from app.layout import lay_out
from app.page import Page
from app.sessions import Pages
from app.training_link import ADDRESS as TRAINING
from app.wiring import wire
from probes.core.probe import AnyProbe
from probes.core.version import VERSION

MINUTES = 60


def build(engine: Engine, probes: Sequence[AnyProbe]) -> tuple[gr.Blocks, tuple[Page, ...]]:
    """All pages, ready to launch, and those of probes by themselves."""
    demo = Pages(
        title="Clipspect",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=(1 * MINUTES, 10 * MINUTES),
    )
    for title, address in addresses(probes):
        demo.route(title, address, show_in_navbar=False)
    pages: list[Page] = []
    # one context for all routes: Gradio computes everything anew whenever one is left
    with demo:
        with _on(demo, probes, ""):
            start.lay_out(engine, probes, demo)
        for probe in probes:
            with _on(demo, probes, probe.card.address):
                pages.append(Page(probe, engine, lay_out(probe, engine)))
                wire(pages[-1], demo)
        with _on(demo, probes, TRAINING):
            training_page.wire(training_layout.lay_out(), demo)
        with _on(demo, probes, lessons.ADDRESS):
            lessons.lay_out()
        with _on(demo, probes, glossary.ADDRESS):
            glossary.lay_out()
        demo.current_page = ""
        api.offer(probes, engine)
    return demo, tuple(pages)


def addresses(probes: Sequence[AnyProbe]) -> list[tuple[str, str]]:
    """Title and address of every page but the first."""
    return [
        *((probe.card.title, probe.card.address) for probe in probes),
        (training_layout.TITLE, TRAINING),
        (lessons.TITLE, lessons.ADDRESS),
        (glossary.TITLE, glossary.ADDRESS),
    ]


@contextmanager
def _on(demo: gr.Blocks, probes: Sequence[AnyProbe], address: str) -> Iterator[None]:
    """What is laid out inside lands on the page at an address, between the way round and the foot."""
    demo.current_page = address.strip("/")
    _top(probes, address)
    yield
    _bottom()


def _top(probes: Sequence[AnyProbe], here: str) -> None:
    """The way round, the same on every page."""
    links = Markup("").join(
        Markup('<a href=".{}"{}>{}</a>').format(
            address, Markup(' aria-current="page"') if address == here else "", title
        )
        for title, address in addresses(probes)
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
