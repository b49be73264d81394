"""A report on the page: headline, cautions, figures and tables, in slots that are laid out once.

A page has such slots for each of its sides (`app.sides`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from gradio.components.plot import PlotData
from markupsafe import Markup

from app import explorers, forms, snippets
from app.engine import Answer
from probes.core.card import Card
from probes.core.explorer import Explorer
from probes.core.export import markdown, references

FIGURES = 12
ROWS = 500
"""Rows of a table on the page; the CSV has all."""

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Finding:
    """Where an answer is said in words, or why there is none."""

    column: gr.Column
    name: gr.HTML
    error: gr.HTML
    headline: gr.HTML
    cautions: gr.HTML
    provenance: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        """Every component that `show` and `say` set."""
        return [getattr(self, f.name) for f in dataclasses.fields(self)]

    def show(self, answer: Answer) -> Updates:
        """Updates that say an answer."""
        report = answer.report
        warnings = (*answer.model.warnings, *report.result.warnings())
        return {
            self.column: gr.Column(visible=True),
            self.name: snippets.named(answer.model.name),
            self.error: snippets.banner(),
            self.headline: snippets.headline(report.headline),
            self.cautions: snippets.cautions(warnings),
            self.provenance: snippets.provenance(report.provenance),
        }

    def say(self, name: str, text: Markup) -> Updates:
        """Updates that say why there is no answer of the model of that name."""
        empty = dict.fromkeys((self.headline, self.cautions, self.provenance), Markup(""))
        return {
            self.column: gr.Column(visible=True),
            self.name: snippets.named(name),
            self.error: text,
            **empty,
        }


@dataclass(frozen=True)
class Tables:
    """Where the tables of an answer go: one is shown, and which one is chosen from a list."""

    fold: gr.Accordion
    choice: gr.Dropdown
    note: gr.HTML
    grid: gr.Dataframe
    save: gr.Button

    @property
    def outputs(self) -> list[Any]:
        """Every component that `show` and `open` set."""
        return [self.fold, self.choice, self.note, self.grid]

    def show(self, answer: Answer) -> Updates:
        """Updates that offer the tables of an answer and open the first; those without rows are not offered."""
        tables = {name: rows for name, rows in answer.report.tables().items() if rows}
        if not tables:
            return {self.fold: gr.Accordion(visible=False)}
        offered = [
            (f"{name} ({len(rows):,} row{'' if len(rows) == 1 else 's'})", name) for name, rows in tables.items()
        ]
        first = next(iter(tables))
        return {
            self.fold: gr.Accordion(label=f"Tables ({len(tables)})", visible=True),
            self.choice: gr.Dropdown(choices=offered, value=first),
            **self.open(first, answer),
        }

    def open(self, name: str, answer: Answer | None) -> Updates:
        """Updates that put the table of that name into the grid."""
        rows = answer.report.tables().get(name, ()) if answer is not None else ()
        if not rows:
            return {self.note: snippets.notice("There is no such table in this answer.")}
        columns = [f.name for f in dataclasses.fields(rows[0])]
        cells = [[cell(getattr(row, column)) for column in columns] for row in rows[:ROWS]]
        more = f"The first {ROWS} of {len(rows):,} rows; the CSV has all." if len(rows) > ROWS else ""
        heads = [column.replace("_", " ") for column in columns]
        return {
            self.note: snippets.notice(more),
            self.grid: gr.Dataframe({"headers": heads, "data": cells}, headers=heads),
        }


@dataclass(frozen=True)
class Evidence:
    """Where the figures and tables of an answer go, and what leads to the pairs its model was trained on."""

    column: gr.Column
    name: gr.HTML
    explorer: explorers.Slot | None
    figures: tuple[gr.Plot, ...]
    related: gr.HTML
    tables: Tables

    @property
    def outputs(self) -> list[Any]:
        """Every component that `show` sets."""
        explorer = [self.explorer.component] if self.explorer is not None else []
        return [self.column, self.name, *explorer, *self.figures, self.related, *self.tables.outputs]

    def show(self, answer: Answer, figures: Mapping[str, go.Figure], related: Markup) -> Updates:
        """Updates that put an answer's figures, as drawn, and its tables on the page."""
        replaced = self.explorer.explorer.replaces if self.explorer is not None else ()
        drawn = [figure for name, figure in figures.items() if name not in replaced][:FIGURES]
        updates: Updates = {
            self.column: gr.Column(visible=True),
            self.name: snippets.named(answer.model.name),
            self.related: related,
        }
        if self.explorer is not None:
            updates |= self.explorer.show(answer)
        for place, slot in enumerate(self.figures):
            shown = place < len(drawn)
            updates[slot] = gr.Plot(plotted(drawn[place]), visible=True) if shown else gr.Plot(visible=False)
        return updates | self.tables.show(answer)


def plotted(figure: go.Figure) -> PlotData:
    """A figure as the browser gets it, written once however often it is shown."""
    return PlotData(type="plotly", plot=figure.to_json())


def lay_out_finding(role: str) -> Finding:
    """Room for an answer in words."""
    with gr.Column(visible=False, elem_classes="answer", elem_id=f"answer-{role}", min_width=0) as column:
        return Finding(
            column,
            name=gr.HTML(elem_classes="name-box"),
            error=gr.HTML(elem_classes="banner-box"),
            headline=gr.HTML(elem_classes="headline-box"),
            cautions=gr.HTML(elem_classes="cautions-box"),
            provenance=gr.HTML(elem_classes="provenance-box"),
        )


def lay_out_evidence(role: str, explores: Explorer | None = None) -> Evidence:
    """Room for an explorer, for figures, the main one first, and for tables, folded."""
    with gr.Column(visible=False, elem_classes="evidence", elem_id=f"evidence-{role}", min_width=0) as column:
        name = gr.HTML(elem_classes="name-box")
        explorer = explorers.lay_out(explores, role)
        figures = tuple(
            gr.Plot(show_label=False, visible=False, container=False, elem_classes="figure", buttons=[])
            for _ in range(FIGURES)
        )
        related = gr.HTML(elem_classes="related-box")
        return Evidence(column, name, explorer, figures, related, _lay_out_tables())


def _lay_out_tables() -> Tables:
    with gr.Accordion("Tables", open=False, visible=False, elem_classes="table-fold") as fold:
        choice = gr.Dropdown([], label="Table", elem_classes="table-choice")
        choice.preprocess = forms.as_sent  # type: ignore[method-assign]
        note = gr.HTML(elem_classes="table-note")
        grid = gr.Dataframe(
            datatype="str", interactive=False, show_label=False, max_height=420, max_chars=120, buttons=[],
            elem_classes="table",
        )  # fmt: skip
        save = gr.Button("Download this table as CSV", size="sm", elem_classes="quiet")
    return Tables(fold, choice, note, grid, save)


def lay_out_reading(card: Card) -> None:
    """How to read the answer, what it does not show, and the papers."""
    with gr.Row(elem_classes="reading", equal_height=False):
        for title, text in (("How to read this", card.how_to_read), ("What this does not show", card.caveats)):
            with gr.Column(min_width=300):
                gr.HTML(snippets.prose(title, markdown(text)))
    gr.HTML(snippets.papers(references(card)), elem_classes="papers-box")


def cell(value: Any) -> str:
    """A value in a table, as text."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
