"""What a visitor can take away: JSON, one CSV a table, self-contained HTML, BibTeX, for some probes a picture.

All are made from a report, its probe's card and its figures alone, without a model or a network.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from probes.core.card import Card, Reference
from probes.core.probe import AnyProbe
from probes.core.references import FOUNDATIONS
from probes.core.report import Report

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is run as a formula by spreadsheets."""


def to_csv(rows: Sequence[Any]) -> str:
    """A table as CSV; rows are dataclasses of one class. Text that a spreadsheet would run is quoted with '."""
    stream = io.StringIO(newline="")
    if rows:
        writer = csv.writer(stream)
        names = [f.name for f in dataclasses.fields(rows[0])]
        writer.writerow(names)
        writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value


def references(card: Card) -> tuple[Reference, ...]:
    """The publications a probe's reports rest on, its own first."""
    return tuple({reference.key: reference for reference in (*card.references, *FOUNDATIONS)}.values())


def to_bibtex(card: Card) -> str:
    """BibTeX of everything a report of the probe rests on."""
    return "\n".join(reference.bibtex() for reference in references(card))


def to_html(report: Report[Any], card: Card, figures: Mapping[str, go.Figure]) -> str:
    """The report as one HTML file that opens without a network; Plotly's script is inside."""
    drawn = [
        Markup(
            pio.to_html(
                figure,
                include_plotlyjs=place == 0,
                full_html=False,
                default_width="100%",
                config={"responsive": True, "displaylogo": False},
            )
        )
        for place, figure in enumerate(figures.values())
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("report.html").render(
        report=report,
        warnings=report.result.warnings(),
        card=card,
        figures=drawn,
        how_to_read=markdown(card.how_to_read),
        caveats=markdown(card.caveats),
        tables={name: _grid(rows) for name, rows in report.tables().items() if rows},
        references=references(card),
        provenance=_flat(dataclasses.asdict(report.provenance)),
    )


def markdown(text: str) -> Markup:
    """Markdown to HTML; HTML inside the text is shown, not obeyed."""
    return Markup(MarkdownIt("js-default").render(text))


def _grid(rows: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    names = [f.name for f in dataclasses.fields(rows[0])]
    return names, [[_shown(getattr(row, name)) for name in names] for row in rows]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _flat(values: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat[name] = ", ".join(f"{key} {inner}" for key, inner in value.items()) or "none"
        else:
            flat[name] = str(value)
    return flat


def write(report: Report[Any], probe: AnyProbe, folder: Path) -> tuple[Path, ...]:
    """Write every form of a report into a folder, made if it is missing; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, str | bytes] = {
        f"{report.probe}.json": report.to_json(),
        f"{report.probe}.html": to_html(report, probe.card, probe.figures(report.result)),
        f"{report.probe}.bib": to_bibtex(probe.card),
        **{f"{report.probe}_{name}.csv": to_csv(rows) for name, rows in report.tables().items() if rows},
    }
    if probe.slide is not None:
        contents[f"{report.probe}.png"] = probe.slide(report)
    for name, content in contents.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
            continue
        # newline="" keeps the line ends of CSV as the csv module wrote them
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            stream.write(content)
    return tuple(folder / name for name in contents)
