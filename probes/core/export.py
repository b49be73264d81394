"""What a visitor can take away: JSON, one CSV a table, self-contained HTML, BibTeX, for some probes a picture.

All are made from a report, its probe's card and its figures alone, without a model or a network.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from probes.core.card import Card, Reference
from probes.core.probe import AnyProbe
from probes.core.references import FOUNDATIONS
from probes.core.report import Report

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from markdown_it import MarkdownIt

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is run as a formula by spreadsheets."""


def to_csv(rows: Sequence[Any]) -> str:
    """A table as CSV; rows are dataclasses of one class. Text that a spreadsheet would run is quoted with '."""
    return stacked_csv("", {"": rows})


def stacked_csv(column: str, tables: Mapping[str, Sequence[Any]]) -> str:
    """Tables of one class of rows as one CSV: a column says which table a row is of; none where it has no name."""
    stream = io.StringIO(newline="")
    rows = [(name, row) for name, several in tables.items() for row in several]
    if rows:
        writer = csv.writer(stream)
        names = [f.name for f in dataclasses.fields(rows[0][1])]
        writer.writerow([column, *names] if column else names)
        for of, row in rows:
            cells = [_cell(getattr(row, name)) for name in names]
            writer.writerow([_cell(of), *cells] if column else cells)
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
    return filled(
        "report.html",
        report=report,
        warnings=report.result.warnings(),
        card=card,
        figures=[to_fragment(figure, script=place == 0) for place, figure in enumerate(figures.values())],
        how_to_read=markdown(card.how_to_read),
        caveats=markdown(card.caveats),
        tables={name: grid(rows) for name, rows in report.tables().items() if rows},
        references=references(card),
        provenance=_flat(dataclasses.asdict(report.provenance)),
    )


def filled(template: str, **values: Any) -> str:
    """A template of this folder with values in it; text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template).render(**values)


def to_fragment(figure: go.Figure, script: bool) -> Markup:
    """A figure as a piece of HTML, with Plotly's script in it or without: one in a page has to bring it."""
    import plotly.io as pio

    return Markup(
        pio.to_html(
            figure,
            include_plotlyjs=script,
            full_html=False,
            default_width="100%",
            config={"responsive": True, "displaylogo": False},
        )
    )


def markdown(text: str) -> Markup:
    """Markdown to HTML; HTML inside the text is shown, not obeyed."""
    return Markup(_renderer().render(text))


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default")


def grid(rows: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    """A table as its columns' names and its cells as text; rows are dataclasses of one class."""
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


def contents(report: Report[Any], probe: AnyProbe) -> dict[str, str | bytes]:
    """Every form of a report by the name of its file."""
    found: dict[str, str | bytes] = {
        f"{report.probe}.json": report.to_json(),
        f"{report.probe}.html": to_html(report, probe.card, probe.figures(report.result)),
        f"{report.probe}.bib": to_bibtex(probe.card),
        **{f"{report.probe}_{name}.csv": to_csv(rows) for name, rows in report.tables().items() if rows},
    }
    if probe.slide is not None:
        found[f"{report.probe}.png"] = probe.slide(report)
    return found


def write(report: Report[Any], probe: AnyProbe, folder: Path) -> tuple[Path, ...]:
    """Write every form of a report into a folder, made if it is missing; returns the files."""
    return write_all(contents(report, probe), folder)


def write_all(files: Mapping[str, str | bytes], folder: Path) -> tuple[Path, ...]:
    """Write files by their names into a folder, made if it is missing; names may hold folders of their own."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
            continue
        # newline="" keeps the line ends of CSV as the csv module wrote them
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(content)
    return tuple(folder / name for name in files)
