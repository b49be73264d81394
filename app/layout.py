"""The page of a probe, laid out from its card and its parameters: question on top, controls left, picture right.

Nothing here knows a probe by name: a field's control decides what is shown for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from app import downloads, forms, picker, results, snippets, stage
from app.engine import Engine
from app.forms import Form
from app.results import Results
from app.running import Ticket
from app.stage import Held
from probes.core.parameters import Field, fields
from probes.core.probe import AnyProbe


@dataclass(frozen=True)
class Sessions:
    """What belongs to one visitor alone. Gradio keeps it apart by session and forgets it after an hour.

    Attributes:
        held: the pictures on the page (`Held`).
        answer: the last answer (`Answer`), and the link that describes what was asked.
        ticket: the visitor's turn (`Ticket`).
        pending: whether a link has just been opened that is still to be answered.
    """

    held: gr.State
    answer: gr.State
    asked: gr.State
    ticket: gr.State
    pending: gr.State


@dataclass(frozen=True)
class Layout:
    """The components of a page."""

    sessions: Sessions
    model: gr.Dropdown
    model_line: gr.HTML
    model_error: gr.HTML
    form: Form
    pictures: dict[str, gr.HTML]
    picture_notes: gr.HTML
    tiles: gr.HTML
    run: gr.Button
    stop: gr.Button
    progress: gr.HTML
    banner: gr.HTML
    results: Results
    whole: dict[str, gr.Button]
    file: gr.JSON
    query: gr.Textbox
    link: gr.Textbox
    gate: gr.Column | None
    enter: gr.Button | None
    body: gr.Column


def lay_out(probe: AnyProbe, engine: Engine) -> Layout:
    """Put a probe's page on the current route."""
    card = probe.card
    gr.HTML(snippets.opening(card.title, card.question), elem_classes="opening")
    gate, enter = _gate(card.content_note)
    sessions = _sessions()
    query = gr.Textbox(visible="hidden", elem_id="query", container=False, show_label=False)
    file = gr.JSON(visible="hidden", elem_id="file", show_label=False)
    with gr.Column(visible=gate is None, elem_classes="body") as body:
        with gr.Row(elem_classes="desk", equal_height=False):
            with gr.Column(elem_classes="controls", scale=4, min_width=300):
                model, line, model_error = _model(engine)
                entries = [forms.lay_out(f) for f in _plain(probe, advanced=False)]
                with gr.Accordion("More settings", open=False, elem_classes="fold"):
                    entries += [forms.lay_out(f) for f in _plain(probe, advanced=True)]
                with gr.Row(elem_classes="go"):
                    # not before the page is opened: what a link sets would overtake the question
                    run = gr.Button("Run", variant="primary", size="lg", elem_id="run", interactive=False)
                    stop = gr.Button("Stop", variant="stop", size="lg", visible=False, elem_id="stop")
                progress = gr.HTML(elem_classes="progress-box")
                banner = gr.HTML(elem_classes="banner-box")
            with gr.Column(elem_classes="view", scale=7, min_width=300):
                pictures, picture_entries = _stage(probe)
                notes = gr.HTML(elem_classes="picture-notes")
                tiles = gr.HTML(stage.gallery(probe.params), js_on_load=stage.TILES_JS, elem_classes="tiles-box")
                answer = results.lay_out_answer()
                figures = results.lay_out_figures()
        tables = results.lay_out_tables()
        results.lay_out_reading(card)
        whole, command, link = _take_away()
    return Layout(
        sessions=sessions, model=model, model_line=line, model_error=model_error,
        form=Form(probe.params, (*entries, *picture_entries)), pictures=pictures, picture_notes=notes,
        tiles=tiles, run=run, stop=stop, progress=progress, banner=banner,
        results=Results(*answer, figures, tables, command), whole=whole, file=file, query=query, link=link,
        gate=gate, enter=enter, body=body,
    )  # fmt: skip


def _plain(probe: AnyProbe, advanced: bool) -> list[Field]:
    return [f for f in fields(probe.params) if not f.is_pictures and f.control.advanced is advanced]


def _gate(note: str) -> tuple[gr.Column | None, gr.Button | None]:
    """What a visitor is told before harmful content is shown, and the way past it."""
    if not note:
        return None, None
    with gr.Column(elem_classes="gate") as gate:
        gr.HTML(snippets.gate(note))
        enter = gr.Button("Show me", elem_id="enter", size="lg")
    return gate, enter


def _sessions() -> Sessions:
    hour = 3600
    return Sessions(
        held=gr.State(Held(), time_to_live=hour),
        answer=gr.State(None, time_to_live=hour),
        asked=gr.State("", time_to_live=hour),
        ticket=gr.State(Ticket(), time_to_live=hour),
        pending=gr.State(False, time_to_live=hour),
    )


def _model(engine: Engine) -> tuple[gr.Dropdown, gr.HTML, gr.HTML]:
    with gr.Column(elem_classes="field", min_width=0):
        model = picker.lay_out(engine)
        line = gr.HTML(picker.describe(engine, engine.default), elem_classes="model-box")
        error = gr.HTML(elem_classes="field-error")
    return model, line, error


def _stage(probe: AnyProbe) -> tuple[dict[str, gr.HTML], list[forms.Entry]]:
    pictures: dict[str, gr.HTML] = {}
    entries = []
    for f in fields(probe.params):
        if f.is_pictures:
            pictures[f.name] = stage.lay_out(f, probe.params)
            entries.append(forms.Entry(f, (), gr.HTML(elem_classes="field-error")))
    return pictures, entries


def _take_away() -> tuple[dict[str, gr.Button], gr.Textbox, gr.Textbox]:
    """Downloads, the same call as a command line, and the link to the page."""
    with gr.Column(elem_classes="take-away"):
        gr.HTML(snippets.heading("Take it with you"))
        with gr.Row(elem_classes="saves"):
            whole = {
                kind: gr.Button(f"Download {name}", size="md", min_width=150, elem_id=f"save-{kind}")
                for kind, name in downloads.KINDS.items()
            }
        command = gr.Textbox(
            label="The same call on the command line", interactive=False, buttons=["copy"], lines=1, max_lines=6,
            elem_id="command", elem_classes="mono",
        )  # fmt: skip
        link = gr.Textbox(
            label="Link to this page as it is set",
            info="Your own pictures never travel in a link.",
            interactive=False, buttons=["copy"], lines=1, max_lines=6, elem_id="link", elem_classes="mono",
        )  # fmt: skip
    return whole, command, link
