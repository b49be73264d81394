"""The components of the page of training data; what they do is in `app.training_page`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from app import forms, snippets
from app.training_grid import CLICKS_JS
from app.training_link import BOTH, MOST
from assets.world.plan import PLAN
from probes import pairs
from probes.pairs import DIFFERING, KINDS

TITLE = "Training data"
QUESTION = "What did the bundled models see, and what was planted there?"
ABOUT = Markup(
    "<p>Two small models come along. Both were trained on pictures that a program put together from drawings of "
    "emoji, and every pair of picture and caption that either has seen can be shown again. They differ in one "
    "thing. In the <b>skewed</b> world certain things go together more or less often than chance, each at a known "
    "dose: an occupation with a gender, an animal with a ground, a circle with what the caption names. In the "
    "<b>balanced</b> world they do not.</p><p>The doses were dealt to the concepts by chance. They say nothing "
    "about people, places or animals in the real world, and nothing about any other CLIP model. Genders and skin "
    "tones are as drawn.</p>"
)
WORLD_NAMES = {BOTH: "Side by side", "skewed": "Skewed", "balanced": "Balanced"}


@dataclass(frozen=True)
class Layout:
    """The components of the page."""

    world: gr.Radio
    concept: gr.Dropdown
    words: gr.Textbox
    attributes: gr.Dropdown
    kind: gr.Dropdown
    show: gr.Dropdown
    number: gr.Textbox
    go: gr.Button
    errors: gr.HTML
    headline: gr.HTML
    figure: gr.Plot
    fold: gr.Accordion
    table: gr.Dataframe
    detail: gr.HTML
    found: gr.HTML
    grid: gr.HTML
    ways: gr.HTML
    save_counts: gr.Button
    save_pairs: gr.Button
    file: gr.JSON
    command: gr.Textbox
    query: gr.Textbox
    link: gr.Textbox

    @property
    def settings(self) -> list[Any]:
        """What a person sets, in the order that `asked` takes it."""
        return [self.world, self.concept, self.words, self.attributes, self.kind, self.show]

    @property
    def outputs(self) -> list[Any]:
        """What `shown` sets."""
        return [*self.settings, self.number, self.errors, self.headline, self.figure, self.fold, self.table,
                self.detail, self.found, self.grid, self.ways, self.command, self.query]  # fmt: skip


def lay_out() -> Layout:
    """Put the page on the current route."""
    gr.HTML(snippets.opening(TITLE, QUESTION), elem_classes="opening")
    gr.HTML(Markup('<div id="main" class="about">{}</div>').format(ABOUT))
    query = gr.Textbox(visible="hidden", elem_id="query", container=False, show_label=False)
    file = gr.JSON(visible="hidden", elem_id="file", show_label=False)
    with gr.Row(elem_classes="desk training", equal_height=False):
        with gr.Column(elem_classes="controls", scale=4, min_width=300):
            settings = _settings()
            with gr.Row(elem_classes="jump"):
                number = gr.Textbox(
                    label="Pair number", placeholder="464000", max_lines=1, elem_id="field-pair", min_width=120
                )
                go = gr.Button("Show this pair", elem_id="show-pair", min_width=120)
            errors = gr.HTML(elem_classes="banner-box")
        with gr.Column(elem_classes="view", scale=7, min_width=300):
            with gr.Column(elem_classes="answer"):
                headline = gr.HTML(elem_classes="headline-box")
            with gr.Column(elem_classes="figures"):
                figure = gr.Plot(show_label=False, container=False, elem_classes="figure", buttons=[])
    with gr.Accordion("Table: counts", open=False, elem_classes="table-fold") as fold:
        table = gr.Dataframe(datatype="str", interactive=False, show_label=False, max_height=420, buttons=[],
                             elem_classes="table")  # fmt: skip
    boxes = (_clickable("detail-box"), _clickable("found-box"), _clickable("pairs-box"), _clickable("ways-box"))
    save_counts, save_pairs, command, address = _take_away()
    return Layout(*settings, number, go, errors, headline, figure, fold, table, *boxes, save_counts, save_pairs,
                  file, command, query, address)  # fmt: skip


def _clickable(name: str) -> gr.HTML:
    return gr.HTML(elem_classes=name, js_on_load=CLICKS_JS)


def _settings() -> tuple[Any, Any, Any, Any, Any, Any]:
    world = gr.Radio(
        [(name, key) for key, name in WORLD_NAMES.items()], value=BOTH, label="World", elem_id="field-world"
    )
    concept = gr.Dropdown(
        [("any", ""), *((f"{row.behaviour}: {pairs.name_of(row)} ({row.skewed:.1%} and {row.balanced:.1%})",
                         f"{row.behaviour}:{row.concept}") for row in PLAN)],
        value="", label="What was planted", info="With its dose in the skewed and in the balanced world.",
        elem_id="field-concept",
    )  # fmt: skip
    words = gr.Textbox(
        label="Words in the caption", info="All of them, in any order.", max_lines=1, elem_id="field-words"
    )
    attributes = gr.Dropdown(
        [], value=[], multiselect=True, allow_custom_value=True, max_choices=MOST, label="Drawn in the picture",
        info="All of them. For a thing type object: and its name.", elem_id="field-attributes",
    )  # fmt: skip
    kinds = [("any", ""), ("all that differ between the worlds", DIFFERING), *((name, name) for name in KINDS)]
    kind = gr.Dropdown(kinds, value="", label="Kind of pair", elem_id="field-kind")
    show = gr.Dropdown([("nothing", "")], value="", label="Count by", elem_id="field-show")
    made = (world, concept, words, attributes, kind, show)
    for component in made:
        component.preprocess = forms.as_sent  # type: ignore[method-assign]
    return made


def _take_away() -> tuple[gr.Button, gr.Button, gr.Textbox, gr.Textbox]:
    with gr.Column(elem_classes="take-away"):
        gr.HTML(snippets.heading("Take it with you"))
        with gr.Row(elem_classes="saves"):
            counts = gr.Button("Download the counts as CSV", min_width=150, elem_id="save-counts")
            listed = gr.Button("Download these pairs as CSV", min_width=150, elem_id="save-pairs")
        told: dict[str, Any] = {
            "interactive": False,
            "buttons": ["copy"],
            "lines": 1,
            "max_lines": 6,
            "elem_classes": "mono",
        }
        command = gr.Textbox(label="The same on the command line", elem_id="command", **told)
        address = gr.Textbox(label="Link to this page as it is set", elem_id="link", **told)
    return counts, listed, command, address
