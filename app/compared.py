"""What the two models of a page differ in, by the probe's own differences: a sentence, a figure and a table.

The sentence stands under the two answers, the rest under their figures. All of it is made from the two reports
(`probes.core.comparison`), and only where both are whole and answer the same question.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
from markupsafe import Markup

from app import snippets
from app.downloads import Download
from app.engine import Answer
from app.results import Updates
from probes.core import comparison, export
from probes.core.comparison import Comparison, Difference
from probes.core.errors import ClipspectError
from probes.core.probe import AnyProbe

_LOG = logging.getLogger("clipspect.app")

HEADS = ("difference", "95 % interval", "n", "p", "corrected p", "note")
KINDS = {"csv": "Differences as CSV", "json": "As JSON"}


@dataclass(frozen=True)
class Compared:
    """The components of the section.

    Attributes:
        headline: the sentence, under the answers.
        column: all the rest, under the figures of the two.
        saves: the buttons that take the differences away, by suffix.
    """

    headline: gr.HTML
    column: gr.Column
    title: gr.HTML
    figure: gr.Plot
    table: gr.HTML
    saves: Mapping[str, gr.Button]

    @property
    def outputs(self) -> list[gr.HTML | gr.Column | gr.Plot]:
        """Every component that `show` sets."""
        return [self.headline, self.column, self.title, self.figure, self.table]

    def show(self, probe: AnyProbe, answers: Mapping[int, Answer]) -> Updates:
        """Updates that say what the models differ in; that take the section away where nothing can be said."""
        found = between(probe, answers)
        if found is None or not found.differences:
            return {self.headline: snippets.difference(""), self.column: gr.Column(visible=False)}
        return {
            self.headline: snippets.difference(found.headline()),
            self.column: gr.Column(visible=True),
            self.title: snippets.prose(f"Difference: {found.title}", snippets.cautions(found.cautions)),
            self.figure: gr.Plot(found.figure()),
            self.table: table(found),
        }


def lay_out_headline() -> gr.HTML:
    """Room for the sentence."""
    return gr.HTML(elem_classes="difference-box")


def lay_out(headline: gr.HTML) -> Compared:
    """Room for the rest of the section."""
    with gr.Column(visible=False, elem_classes="compared", elem_id="compared") as column:
        title = gr.HTML()
        figure = gr.Plot(show_label=False, container=False, elem_classes="figure", buttons=[])
        table = gr.HTML(elem_classes="rows-box")
        with gr.Row(elem_classes="saves"):
            saves = {
                kind: gr.Button(name, size="md", min_width=120, elem_id=f"save-difference-{kind}")
                for kind, name in KINDS.items()
            }
    return Compared(headline, column, title, figure, table, saves)


def between(probe: AnyProbe, answers: Mapping[int, Answer]) -> Comparison | None:
    """The comparison of two whole answers to the same question; None where there is none."""
    if len(answers) != 2 or not all(answer.whole for answer in answers.values()):
        return None
    first, second = (answers[place] for place in sorted(answers))
    try:
        return comparison.of(probe, first.report, second.report, (first.model.name, second.model.name))
    except ClipspectError as error:
        _LOG.info("no comparison: %s", error)
    except Exception:  # two answers are better shown without their difference than not at all
        _LOG.exception("two answers could not be compared")
    return None


def table(found: Comparison) -> Markup:
    """All differences, with what has to be known of them below."""
    notes = list(dict.fromkeys(one.note for one in found.differences if one.note))
    numbers = {note: str(number) for number, note in enumerate(notes, start=1)}
    rows = [[*cells(one), numbers.get(one.note, "")] for one in found.differences]
    return snippets.rows(("", found.first, found.second, *HEADS), rows) + snippets.footnotes(notes)


def cells(one: Difference) -> list[str]:
    """A row of the table, without its note."""
    interval = "–" if one.low is None or one.high is None else f"{one.low:+.3g} to {one.high:+.3g}"
    p, corrected = ("–" if p is None else f"{p:.2g}" for p in (one.p, one.p_adjusted))
    what = f"{one.what} ({one.unit})" if one.unit and one.unit not in one.what else one.what
    return [
        what, f"{one.first:.3g}", f"{one.second:.3g}", f"{one.difference:+.3g}", interval,
        f"{one.n:,} {one.over}", p, corrected,
    ]  # fmt: skip


def save(kind: str, probe: AnyProbe, answers: Mapping[int, Answer]) -> Download:
    """The differences as a file.

    Raises:
        ClipspectError: there are no two answers that can be compared.
    """
    found = between(probe, answers)
    if found is None:
        raise ClipspectError("there are no two answers to the same question: ask two models")
    name = f"{probe.card.name}_difference.{kind}"
    if kind == "json":
        return Download(name, "application/json", json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    return Download(name, "text/csv", export.to_csv(found.differences))
