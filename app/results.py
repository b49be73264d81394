"""A report on the page: headline, cautions, figures and tables, in slots that are laid out once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app import snippets
from app.engine import Answer
from probes.core.card import Card
from probes.core.export import markdown, references
from probes.core.probe import AnyProbe

FIGURES = 6
TABLES = 4
ROWS = 500
"""Rows of a table on the page; the CSV has all."""


@dataclass(frozen=True)
class TableSlot:
    """Where a table goes."""

    fold: gr.Accordion
    note: gr.HTML
    grid: gr.Dataframe
    save: gr.Button


@dataclass(frozen=True)
class Results:
    """The components that show a report."""

    headline: gr.HTML
    cautions: gr.HTML
    provenance: gr.HTML
    figures: tuple[gr.Plot, ...]
    tables: tuple[TableSlot, ...]
    command: gr.Textbox

    @property
    def outputs(self) -> list[Any]:
        """Every component that `show` sets."""
        slots = [part for slot in self.tables for part in (slot.fold, slot.note, slot.grid)]
        return [self.headline, self.cautions, self.provenance, *self.figures, *slots, self.command]

    def show(self, probe: AnyProbe, answer: Answer) -> dict[Any, Any]:
        """Updates that put an answer on the page."""
        report = answer.report
        warnings = (*answer.model.warnings, *report.result.warnings())
        updates: dict[Any, Any] = {
            self.headline: snippets.headline(report.headline),
            self.cautions: snippets.cautions(warnings),
            self.provenance: snippets.provenance(report.provenance),
            self.command: report.provenance.command,
        }
        drawn = list(probe.figures(report.result).values())[:FIGURES]
        for place, slot in enumerate(self.figures):
            updates[slot] = gr.Plot(drawn[place], visible=True) if place < len(drawn) else gr.Plot(visible=False)
        tables = [(name, rows) for name, rows in report.tables().items()][:TABLES]
        for place, table in enumerate(self.tables):
            updates |= (
                fill(table, *tables[place]) if place < len(tables) else {table.fold: gr.Accordion(visible=False)}
            )
        return updates


def lay_out_answer() -> tuple[gr.HTML, gr.HTML, gr.HTML]:
    """Headline, cautions and provenance."""
    with gr.Column(elem_classes="answer"):
        return (
            gr.HTML(elem_classes="headline-box"),
            gr.HTML(elem_classes="cautions-box"),
            gr.HTML(elem_classes="provenance-box"),
        )


def lay_out_figures() -> tuple[gr.Plot, ...]:
    """Room for figures, the main one first."""
    with gr.Column(elem_classes="figures"):
        return tuple(
            gr.Plot(show_label=False, visible=False, container=False, elem_classes="figure", buttons=[])
            for _ in range(FIGURES)
        )


def lay_out_tables() -> tuple[TableSlot, ...]:
    """Room for tables, folded."""
    slots = []
    for _ in range(TABLES):
        with gr.Accordion("Table", open=False, visible=False, elem_classes="table-fold") as fold:
            note = gr.HTML(elem_classes="table-note")
            grid = gr.Dataframe(
                datatype="str", interactive=False, show_label=False, max_height=420, max_chars=120, buttons=[],
                elem_classes="table",
            )  # fmt: skip
            save = gr.Button("Download as CSV", size="sm", elem_classes="quiet")
        slots.append(TableSlot(fold, note, grid, save))
    return tuple(slots)


def lay_out_reading(card: Card) -> None:
    """How to read the answer, what it does not show, and the papers."""
    with gr.Row(elem_classes="reading", equal_height=False):
        for title, text in (("How to read this", card.how_to_read), ("What this does not show", card.caveats)):
            with gr.Column(min_width=300):
                gr.HTML(snippets.prose(title, markdown(text)))
    gr.HTML(snippets.papers(references(card)), elem_classes="papers-box")


def fill(slot: TableSlot, name: str, rows: Sequence[Any]) -> dict[Component | Any, Any]:
    """Updates that put a table into its slot."""
    shown = rows[:ROWS]
    columns = [f.name for f in dataclasses.fields(rows[0])] if rows else []
    cells = [[cell(getattr(row, column)) for column in columns] for row in shown]
    more = f"The first {ROWS} of {len(rows):,} rows; the CSV has all." if len(rows) > ROWS else ""
    heads = [column.replace("_", " ") for column in columns]
    return {
        slot.fold: gr.Accordion(label=f"Table: {name} ({len(rows):,} rows)", visible=bool(rows)),
        slot.note: snippets.notice(more),
        slot.grid: gr.Dataframe({"headers": heads, "data": cells}, headers=heads),
    }


def cell(value: Any) -> str:
    """A value in a table, as text."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
