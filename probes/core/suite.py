"""Several questions to several models as one report: HTML that opens without a network, JSON, CSV and BibTeX.

Each question is answered by each model, or a sentence says why not. Differences are those of the first that
answered less each further model, so of two it is the first less the second, as everywhere. Figures of one name
are drawn to the same axes. All is made from reports, without a model.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from probes.core import axes, comparison, export
from probes.core.card import Card
from probes.core.comparison import Comparison
from probes.core.errors import ClipspectError
from probes.core.naming import slug
from probes.core.probe import AnyProbe
from probes.core.references import FOUNDATIONS
from probes.core.report import Report
from probes.core.version import VERSION

if TYPE_CHECKING:
    import plotly.graph_objects as go

SCHEMA = 1
"""Number of the layout of a comparison in JSON."""
HEADING = "differences are first less second, of the first model that answered less each other; intervals 95 %"


@dataclass(frozen=True)
class Cell:
    """One model's answer to one question.

    Attributes:
        model: how it was asked for.
        report: None where there is no answer.
        said: the headline, or why there is no answer, in a sentence.
        failed: whether something went wrong; not where the model lacks what the probe needs.
        file: where the report stands, beside the comparison.
    """

    model: str
    report: Report[Any] | None
    said: str
    failed: bool = False
    file: str = ""


@dataclass(frozen=True)
class Question:
    """One question to every model, in the order of the models.

    Attributes:
        name: what it is called.
        probe: what asks it.
        cells: one a model.
    """

    name: str
    probe: AnyProbe
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Suite:
    """Questions to models.

    Attributes:
        title: of the whole.
        models: how they were asked for.
        questions: one or more.
        called: what the models are called; by their specifications if nothing is said.

    Raises:
        ValueError: two models or two questions share a name, by which answers are told apart.
    """

    title: str
    models: tuple[str, ...]
    questions: tuple[Question, ...]
    called: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        questions = [slug(question.name) for question in self.questions]
        if len(set(self.names)) < len(self.models) or len(set(questions)) < len(questions):
            raise ValueError("every model and every question of a comparison needs a name of its own")

    @property
    def names(self) -> tuple[str, ...]:
        """What the models are called."""
        return self.called or comparison.called(self.models)

    def answers(self, question: Question) -> tuple[tuple[str, Report[Any]], ...]:
        """The reports that answer a question, each with what its model is called."""
        both = zip(self.names, question.cells, strict=True)
        return tuple((name, cell.report) for name, cell in both if cell.report is not None)

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, in sentences."""
        return tuple(
            f"{question.name}, {name}: {cell.said}"
            for question in self.questions
            for name, cell in zip(self.names, question.cells, strict=True)
            if cell.report is None
        )


@dataclass(frozen=True)
class HeadlineRow:
    """A row of the table `headlines`.

    Attributes:
        status: `answered`, `lacks` (the model cannot do what the probe needs) or `failed`.
        report: where the report stands.
    """

    question: str
    probe: str
    model: str
    status: str
    headline: str
    weights_digest: str
    seconds: float | None
    report: str


@dataclass(frozen=True)
class Shown:
    """A comparison as the page shows it.

    Attributes:
        figure, table: None where there is nothing to compare.
    """

    title: str
    headline: str
    cautions: tuple[str, ...]
    figure: Markup | None = None
    table: tuple[list[str], list[list[str]]] | None = None


@dataclass(frozen=True)
class Section:
    """A question as the page shows it.

    Attributes:
        figures: for each name of a figure, (model, figure) of every model that has it.
        trouble: why there are no figures; empty where there are.
    """

    anchor: str
    question: Question
    card: Card
    differences: tuple[Shown, ...]
    figures: tuple[tuple[tuple[str, Markup], ...], ...]
    trouble: str
    how_to_read: Markup
    caveats: Markup


def compared(suite: Suite, question: Question) -> tuple[Comparison | ClipspectError, ...]:
    """The first that answered less each further model; a sentence where two answers are not of one question."""
    answers = suite.answers(question)
    found: list[Comparison | ClipspectError] = []
    for name, report in answers[1:]:
        first, reference = answers[0]
        try:
            one = comparison.of(question.probe, reference, report, (first, name))
        except ClipspectError as error:
            found.append(error)
        except Exception as error:  # answers that took hours are told all the same
            traceback.print_exc()
            found.append(ClipspectError(f"{first} and {name} could not be compared ({type(error).__name__})"))
        else:
            found += [] if one is None else [one]
    return tuple(found)


def contents(suite: Suite, page: str = "index.html") -> dict[str, str | bytes]:
    """The whole by the names of its files: the page, `comparison.json`, CSVs and `references.bib`."""
    found = {question.name: compared(suite, question) for question in suite.questions}
    files: dict[str, str | bytes] = {
        page: to_html(suite, found),
        "comparison.json": json.dumps(to_dict(suite, found), ensure_ascii=False, indent=1, allow_nan=False),
        "headlines.csv": export.to_csv(headlines(suite)),
        "references.bib": "\n".join(reference.bibtex() for reference in _references(suite)),
    }
    for question in suite.questions:
        differences = {one.title: one.differences for one in found[question.name] if isinstance(one, Comparison)}
        if any(differences.values()):
            name = f"differences/{slug(question.name)}.csv"
            files[name] = export.stacked_csv("models", differences)
        files |= _tables(suite, question)
    return files


def _tables(suite: Suite, question: Question) -> dict[str, str]:
    """Every table of a question, of all models below one another."""
    by_model = {name: report.tables() for name, report in suite.answers(question)}
    named = dict.fromkeys(name for tables in by_model.values() for name, rows in tables.items() if rows)
    return {
        f"tables/{slug(question.name)}_{name}.csv": export.stacked_csv(
            "model", {model: tables.get(name, ()) for model, tables in by_model.items()}
        )
        for name in named
    }


def headlines(suite: Suite) -> tuple[HeadlineRow, ...]:
    """The table `headlines`: what every model answered."""
    return tuple(
        HeadlineRow(
            question=question.name,
            probe=question.probe.card.name,
            model=cell.model,
            status="answered" if cell.report else "failed" if cell.failed else "lacks",
            headline=cell.said,
            weights_digest=cell.report.provenance.weights_digest if cell.report else "",
            seconds=cell.report.provenance.seconds if cell.report else None,
            report=cell.file,
        )
        for question in suite.questions
        for cell in question.cells
    )


def to_dict(suite: Suite, found: Mapping[str, Sequence[Comparison | ClipspectError]]) -> dict[str, Any]:
    """The whole as JSON-ready values, without the reports themselves."""
    rows = [vars(row) for row in headlines(suite)]
    return {
        "schema": SCHEMA,
        "title": suite.title,
        "models": list(suite.models),
        "answers": rows,
        "comparisons": [
            {"question": name, **(one.to_dict() if isinstance(one, Comparison) else {"refused": str(one)})}
            for name, several in found.items()
            for one in several
        ],
        "about": HEADING,
        "versions": {"clipspect": VERSION},
    }


def to_html(suite: Suite, found: Mapping[str, Sequence[Comparison | ClipspectError]]) -> str:
    """The whole as one HTML file that opens without a network; Plotly's script is in it once."""
    pen = _Pen()
    sections = [_section(pen, suite, question, found[question.name]) for question in suite.questions]
    reports = [cell.report for question in suite.questions for cell in question.cells if cell.report]
    return export.filled(
        "suite.html",
        suite=suite,
        names=suite.names,
        problems=suite.problems,
        sections=sections,
        calls=[report.provenance.command for report in reports],
        references=_references(suite),
        provenance=export.grid([_Made.of(report) for report in reports]) if reports else ([], []),
    )


class _Pen:
    """Turns figures into HTML; the first brings Plotly's script."""

    def __init__(self) -> None:
        self._first = True

    def draw(self, figure: go.Figure) -> Markup:
        drawn = export.to_fragment(figure, script=self._first)
        self._first = False
        return drawn


@dataclass(frozen=True)
class _Made:
    """A row of how reports came about."""

    probe: str
    model: str
    weights_digest: str
    device: str
    precision: str
    seed: int
    time: str
    seconds: float

    @classmethod
    def of(cls, report: Report[Any]) -> _Made:
        made = report.provenance
        return cls(
            report.probe, made.model, made.weights_digest[:12], made.device, made.precision, made.seed, made.time,
            made.seconds,
        )  # fmt: skip


def _section(pen: _Pen, suite: Suite, question: Question, found: Sequence[Comparison | ClipspectError]) -> Section:
    card, trouble = question.probe.card, ""
    try:
        drawn = _drawn(suite, question)
    except Exception as error:  # answers that took hours are told all the same
        traceback.print_exc()
        drawn, trouble = (), f"The figures could not be drawn ({type(error).__name__})."
    return Section(
        anchor=slug(question.name),
        question=question,
        card=card,
        differences=tuple(_shown(pen, one) for one in found),
        figures=tuple(tuple((called, pen.draw(figure)) for called, figure in row) for row in drawn),
        trouble=trouble,
        how_to_read=export.markdown(card.how_to_read),
        caveats=export.markdown(card.caveats),
    )


def _shown(pen: _Pen, one: Comparison | ClipspectError) -> Shown:
    if isinstance(one, ClipspectError):
        return Shown("Not compared", f"{one}.", ())
    if not one.differences:
        return Shown(one.title, one.headline(), one.cautions)
    return Shown(one.title, one.headline(), one.cautions, pen.draw(one.figure()), export.grid(one.differences))


def _drawn(suite: Suite, question: Question) -> tuple[tuple[tuple[str, go.Figure], ...], ...]:
    """All models' figures to the same axes: for each name of a figure, (model, figure) of those that have it."""
    names = [called for called, _ in suite.answers(question)]
    drawn = axes.shared([question.probe.figures(report.result) for _, report in suite.answers(question)])
    every = dict.fromkeys(name for figures in drawn for name in figures)
    return tuple(
        tuple((called, figures[name]) for called, figures in zip(names, drawn, strict=True) if name in figures)
        for name in every
    )


def _references(suite: Suite) -> tuple[Any, ...]:
    every = [r for question in suite.questions for r in question.probe.card.references]
    return tuple({reference.key: reference for reference in (*every, *FOUNDATIONS)}.values())
