"""The sides of a page: a model, its answer, and what is taken away of it. A page has two; the second may be empty.

A side is laid out in four places (its picker among the controls, its answer in words under the pictures, its
figures and tables below, its downloads at the end) and shown, emptied or put away as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from markupsafe import Markup

from app import calls, downloads, picker
from app.engine import Answer, Engine
from app.related import related
from app.results import Evidence, Finding, Updates
from probes.core.card import Card
from probes.core.parameters import Params


@dataclass(frozen=True)
class Chooser:
    """Where the model of a side is chosen."""

    model: gr.Dropdown
    line: gr.HTML
    error: gr.HTML


@dataclass(frozen=True)
class TakeAway:
    """What is taken away of an answer: the same call on the command line and from Python, and the report."""

    column: gr.Column
    command: gr.Textbox
    call: gr.Textbox
    whole: Mapping[str, gr.Button]


@dataclass(frozen=True)
class Side:
    """One model on a page.

    Attributes:
        role: `model` or `beside`.
        answer: the visitor's last answer of this side (`Answer`), or None.
    """

    role: str
    chooser: Chooser
    finding: Finding
    evidence: Evidence
    taken: TakeAway
    answer: gr.State

    @property
    def outputs(self) -> list[Any]:
        """Every component that belongs to the side's answer."""
        chooser, taken = self.chooser, self.taken
        return [
            *(chooser.model, chooser.line, chooser.error, self.answer),
            *self.finding.outputs, *self.evidence.outputs,
            *(taken.column, *taken.whole.values(), taken.command, taken.call),
        ]  # fmt: skip

    def show(self, engine: Engine, answer: Answer, figures: Mapping[str, go.Figure]) -> Updates:
        """Updates that put an answer on the page, with its figures as drawn."""
        spec = answer.report.provenance.model
        return {
            self.answer: answer,
            self.chooser.line: picker.describe(engine, spec, answer.model),
            **self.finding.show(answer),
            **self.evidence.show(answer, figures, related(spec, answer.report)),
            self.taken.column: gr.Column(visible=True),
            **{
                button: gr.Button(f"{downloads.KINDS[kind]} · {answer.model.name}")
                for kind, button in self.taken.whole.items()
            },
            self.taken.command: answer.report.provenance.command,
            self.taken.call: calls.python(answer.report),
        }

    def empty(self, name: str, text: Markup) -> Updates:
        """Updates that say why there is no answer of the model of that name."""
        return self._away() | self.finding.say(name, text)

    def put_away(self) -> Updates:
        """Updates that take the side off the page."""
        return self._away() | {self.finding.column: gr.Column(visible=False)}

    def _away(self) -> Updates:
        hidden = {column: gr.Column(visible=False) for column in (self.evidence.column, self.taken.column)}
        return {self.answer: None, **hidden}


def answers(answer: Answer | None, params: Params, spec: str) -> bool:
    """Whether an answer is to these parameters by this model."""
    if answer is None:
        return False
    return answer.report.params == params and picker.same(answer.report.provenance.model, spec)


def lay_out_chooser(engine: Engine, role: str, page: Card) -> Chooser:
    """Put the picker of a side among the controls of a probe's page."""
    with gr.Column(elem_classes="field", min_width=0):
        model = picker.lay_out(engine, role)
        told = picker.describe(engine, picker.opening(engine, role), page=page)
        line = gr.HTML(told, elem_classes="model-box")
        error = gr.HTML(elem_classes="field-error")
    return Chooser(model, line, error)


def lay_out_taken(role: str, kinds: Mapping[str, str]) -> TakeAway:
    """Put the downloads of a side and its command line on the page."""
    end = "" if role == picker.ROLES[0] else f"-{role}"
    with gr.Column(visible=False, elem_classes="taken", elem_id=f"taken-{role}", min_width=0) as column:
        with gr.Row(elem_classes="saves"):
            whole = {
                kind: gr.Button(form, size="md", min_width=120, elem_id=f"save-{kind}{end}")
                for kind, form in kinds.items()
            }
        command = gr.Textbox(
            label="The same call on the command line", interactive=False, buttons=["copy"], lines=1, max_lines=6,
            elem_id=f"command{end}", elem_classes="mono",
        )  # fmt: skip
        call = gr.Textbox(
            label="The same call from Python", interactive=False, buttons=["copy"], lines=1,
            max_lines=12, elem_id=f"call{end}", elem_classes="mono",
        )  # fmt: skip
        # the browser knows under which address the server is seen
        call.change(None, call, call, js=calls.ADDRESS_JS, show_progress="hidden", api_visibility="private")
    return TakeAway(column, command, call, whole)
