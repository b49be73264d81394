"""The page of a probe, laid out from its card and its parameters: question on top, controls left, picture right.

Nothing here knows a probe by name: a field's control decides what is shown for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from app import calibrated, compared, downloads, forms, picker, predicting, results, sides, snippets, stage
from app.calibrated import Calibrated
from app.compared import Compared
from app.engine import Engine
from app.forms import Form
from app.running import Ticket
from app.sides import Side
from app.stage import Held
from probes.core.parameters import Field, fields
from probes.core.probe import AnyProbe


@dataclass(frozen=True)
class Sessions:
    """What belongs to one visitor alone, besides the answers that the sides hold (`app.sides`).

    It is kept apart by session while the page is open, and for an hour after (`app.sessions`).

    Attributes:
        held: the pictures on the page (`Held`).
        ticket: the visitor's turn (`Ticket`).
        pending: whether a link has just been opened that is still to be answered.
    """

    held: gr.State
    ticket: gr.State
    pending: gr.State


@dataclass(frozen=True)
class Layout:
    """The components of a page."""

    sessions: Sessions
    lesson: gr.HTML
    sides: tuple[Side, ...]
    about: gr.HTML
    form: Form
    pictures: dict[str, gr.HTML]
    tools: dict[str, gr.HTML]
    picture_notes: gr.HTML
    glance: gr.HTML | None
    tiles: gr.HTML
    guess: gr.HTML | None
    compared: Compared
    calibrated: Calibrated | None
    run: gr.Button
    stop: gr.Button
    progress: gr.HTML
    banner: gr.HTML
    papers: gr.Button
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
    lesson = gr.HTML(elem_classes="lesson-strip")
    gate, enter = _gate(card.content_note)
    sessions = _sessions()
    query = gr.Textbox(visible="hidden", elem_id="query", container=False, show_label=False)
    file = gr.JSON(visible="hidden", elem_id="file", show_label=False)
    with gr.Column(visible=gate is None, elem_classes="body") as body:
        # without a picture beside them the controls stand abreast
        staged = any(f.is_pictures for f in fields(probe.params))
        with gr.Row(elem_classes="desk" if staged else ["desk", "plain"], equal_height=False):
            with gr.Column(elem_classes="controls", scale=4, min_width=300):
                about = gr.HTML(picker.about(engine, engine.opens_with), elem_classes="about-box")
                choosers = [sides.lay_out_chooser(engine, role, probe.card) for role in picker.ROLES]
                entries = [forms.lay_out(f) for f in _plain(probe, advanced=False)]
                folds: dict[str, gr.Accordion] = {}
                for title, folded in _folded(probe).items():
                    with gr.Accordion(title, open=False, elem_classes="fold") as fold:
                        entries += [forms.lay_out(f) for f in folded]
                    folds |= {f.name: fold for f in folded}
                with gr.Row(elem_classes="go"):
                    # not before the page is opened: what a link sets would overtake the question
                    run = gr.Button("Run", variant="primary", size="lg", elem_id="run", interactive=False)
                    stop = gr.Button("Stop", variant="stop", size="lg", visible=False, elem_id="stop")
                progress = gr.HTML(elem_classes="progress-box")
                banner = gr.HTML(elem_classes="banner-box")
            with gr.Column(elem_classes="view", scale=7, min_width=300):
                pictures, tools, picture_entries = _stage(probe)
                glance = gr.HTML(elem_classes="glance-box") if probe.glance is not None else None
                notes = gr.HTML(elem_classes="picture-notes")
                tiles = gr.HTML(
                    stage.gallery(probe.params), js_on_load=stage.TILES_JS, elem_classes="tiles-box",
                    visible=bool(stage.tiles(probe.params)),
                )  # fmt: skip
                guess = predicting.lay_out(probe)
                with gr.Row(elem_classes=["abreast", "findings"], equal_height=False):
                    findings = [results.lay_out_finding(role) for role in picker.ROLES]
                difference = compared.lay_out_headline()
        with gr.Row(elem_classes=["abreast", "evidences"], equal_height=False):
            evidence = [results.lay_out_evidence(role, probe.explorer) for role in picker.ROLES]
        differing = compared.lay_out(difference)
        kept = calibrated.lay_out(probe)
        results.lay_out_reading(card)
        taken, papers, link = _take_away(probe)
    states = [gr.State(None) for _ in picker.ROLES]
    return Layout(
        sessions=sessions, lesson=lesson, about=about,
        sides=tuple(map(Side, picker.ROLES, choosers, findings, evidence, taken, states)),
        form=Form(probe.params, (*entries, *picture_entries), folds), pictures=pictures, tools=tools,
        picture_notes=notes, glance=glance, tiles=tiles, guess=guess, compared=differing, calibrated=kept,
        run=run, stop=stop, progress=progress, banner=banner, papers=papers, file=file, query=query,
        link=link, gate=gate, enter=enter, body=body,
    )  # fmt: skip


def _plain(probe: AnyProbe, advanced: bool) -> list[Field]:
    """Fields outside of sections, pictures apart."""
    return [
        f
        for f in fields(probe.params)
        if not f.is_pictures and not f.control.section and f.control.advanced is advanced
    ]


def _folded(probe: AnyProbe) -> dict[str, list[Field]]:
    """Fields in folds, by the folds' titles."""
    sections = dict.fromkeys(f.control.section for f in fields(probe.params) if f.control.section)
    titled = {title: [f for f in fields(probe.params) if f.control.section == title] for title in sections}
    return {**titled, "More settings": _plain(probe, advanced=True)}


def _gate(note: str) -> tuple[gr.Column | None, gr.Button | None]:
    """What a visitor is told before harmful content is shown, and the way past it."""
    if not note:
        return None, None
    with gr.Column(elem_classes="gate") as gate:
        gr.HTML(snippets.gate(note))
        enter = gr.Button("Show me", elem_id="enter", size="lg")
    return gate, enter


def _sessions() -> Sessions:
    return Sessions(
        held=gr.State(Held(forgotten=True)),  # which a page says of itself until it is opened
        ticket=gr.State(Ticket()),
        pending=gr.State(False),
    )


def _stage(probe: AnyProbe) -> tuple[dict[str, gr.HTML], dict[str, gr.HTML], list[forms.Entry]]:
    """Pictures, and the tools for marks on them, by field."""
    pictures: dict[str, gr.HTML] = {}
    tools: dict[str, gr.HTML] = {}
    entries = []
    for f in fields(probe.params):
        if f.is_pictures:
            if (drawn := stage.lay_out_tools(f, probe.params)) is not None:
                tools[f.name] = drawn
            pictures[f.name] = stage.lay_out(f, probe.params)
            entries.append(forms.Entry(f, (), gr.HTML(elem_classes="field-error")))
    return pictures, tools, entries


def _take_away(probe: AnyProbe) -> tuple[list[sides.TakeAway], gr.Button, gr.Textbox]:
    """Downloads, the same calls as command lines, and the link to the page."""
    with gr.Column(elem_classes="take-away"):
        gr.HTML(snippets.heading("Take it with you"))
        with gr.Row(elem_classes="abreast", equal_height=False):
            taken = [sides.lay_out_taken(role, downloads.kinds(probe)) for role in picker.ROLES]
        link = gr.Textbox(
            label="Link to this page as it is set",
            info="Your own pictures never travel in a link.",
            interactive=False, buttons=["copy"], lines=1, max_lines=6, elem_id="link", elem_classes="mono",
        )  # fmt: skip
        papers = gr.Button("The papers as BibTeX", size="md", elem_id="save-bib", elem_classes="narrow")
    return taken, papers, link
