"""The start page: what this is in three sentences, and each probe with a picture, ready to be tried."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import gradio as gr
from markupsafe import Markup

from app import stage
from app.engine import Engine
from app.wiring import CHEAP
from probes.core.errors import ClipspectError
from probes.core.probe import AnyProbe

WELCOME = Markup(
    "<h1>Ask a CLIP model about itself.</h1>"
    '<p class="lead">CLIP models look at pictures through words, and behind many image searches, filters and '
    "generators one of them decides what a picture is said to show. Clipspect puts questions to any of them, and "
    "answers each with a picture, a number with its uncertainty, and a control that shows the instrument works. "
    "Two small models come along, so that everything here runs on your own machine, without a network.</p>"
)


def lay_out(engine: Engine, probes: Sequence[AnyProbe], demo: gr.Blocks) -> None:
    """Put the start page on the current route."""
    gr.HTML(Markup('<div id="main">{}</div>').format(WELCOME), elem_classes="welcome")
    # the pictures come with the page: drawing them would keep the program from starting
    cards = gr.HTML(tiles(engine, probes, pictures=False), elem_classes="cards-box")
    demo.load(partial(tiles, engine, probes), None, cards, **CHEAP)


def tiles(engine: Engine, probes: Sequence[AnyProbe], pictures: bool = True) -> Markup:
    """A card for each probe, with the answer to its example as soon as there is one."""
    cards = (card(engine, probe, picture(probe) if pictures else Markup("")) for probe in probes)
    return Markup('<div class="cards">{}</div>').format(Markup("").join(cards))


def card(engine: Engine, probe: AnyProbe, shown: Markup) -> Markup:
    """One probe: its picture, its question, and what its example found."""
    answer = engine.ready(probe, engine.default)
    found = Markup('<p class="found">{}</p>').format(answer.report.headline) if answer is not None else Markup("")
    return Markup(
        '<a class="probe-card" href=".{}"><div class="probe-card-picture">{}</div><div class="probe-card-text">'
        '<h2>{}</h2><p>{}</p>{}<span class="try">Try it</span></div></a>'
    ).format(probe.card.address, shown, probe.card.title, probe.card.question, found)


@lru_cache(maxsize=64)
def picture(probe: AnyProbe) -> Markup:
    """The picture of a probe's example, with its mark if it draws one; made once for all visitors."""
    try:
        params = probe.example()
        shown = probe.preview(stage.shrunk(params)) if probe.preview is not None else stage.first(params)
    except (ClipspectError, OSError, StopIteration, IndexError):
        return Markup("")
    return Markup('<img src="{}" alt="">').format(stage.data_uri(shown, 640)) if shown else Markup("")
