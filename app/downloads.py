"""What a visitor takes away: made when it is asked for, and handed to the browser without touching the disk.

A handler returns name, media type and text; a line of JavaScript turns them into a file.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from dataclasses import asdict, dataclass
from typing import Any

from app.engine import Answer
from probes.core import export
from probes.core.errors import ClipspectError
from probes.core.probe import AnyProbe

KINDS = {"html": "HTML report", "json": "JSON", "zip": "All tables as CSV", "png": "PNG for a slide"}
"""Forms of a whole report, by suffix; single tables and the papers come besides."""


def kinds(probe: AnyProbe) -> dict[str, str]:
    """The forms in which a probe's reports come."""
    return {kind: title for kind, title in KINDS.items() if kind != "png" or probe.slide is not None}


@dataclass(frozen=True)
class Download:
    """A file to be saved by the browser.

    Attributes:
        base64: whether `text` is base64 of the file's bytes rather than its text.
    """

    name: str
    type: str
    text: str
    base64: bool = False


def whole(kind: str, probe: AnyProbe, answer: Answer) -> Download:
    """A report in one of its forms."""
    report = answer.report
    name = f"{report.probe}_{_slug(answer)}.{kind}"
    if kind == "json":
        return Download(name, "application/json", report.to_json())
    if kind == "png" and probe.slide is not None:
        return _binary(name, "image/png", probe.slide(report))
    if kind == "zip":
        return _binary(name, "application/zip", _zipped(answer))
    return Download(name, "text/html", export.to_html(report, probe.card, probe.figures(report.result)))


def table(name: str, answer: Answer) -> Download:
    """The table of that name as CSV.

    Raises:
        ClipspectError: the answer has none.
    """
    rows = answer.report.tables().get(name)
    if rows is None:
        raise ClipspectError("there is no such table in this answer")
    return Download(f"{answer.report.probe}_{name}_{_slug(answer)}.csv", "text/csv", export.to_csv(rows))


def _zipped(answer: Answer) -> bytes:
    """Every table of a report as CSV, in one zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in answer.report.tables().items():
            if rows:
                archive.writestr(f"{answer.report.probe}_{name}.csv", export.to_csv(rows))
    return stream.getvalue()


def _binary(name: str, kind: str, content: bytes) -> Download:
    return Download(name, kind, base64.b64encode(content).decode("ascii"), base64=True)


def papers(probe: AnyProbe) -> Download:
    """What a probe rests on, as BibTeX."""
    return Download(f"{probe.card.name}.bib", "application/x-bibtex", export.to_bibtex(probe.card))


def _slug(answer: Answer) -> str:
    """The model of an answer as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", answer.report.provenance.model).strip("-.")[-60:]


def payload(download: Download) -> dict[str, Any]:
    """A download as the browser's script takes it."""
    return asdict(download)


SAVE_JS = """
(file) => {
  if (!file || !file.name) return null;
  const content = file.base64 ? Uint8Array.from(atob(file.text), (letter) => letter.charCodeAt(0)) : file.text;
  const url = URL.createObjectURL(new Blob([content], {type: file.type + (file.base64 ? '' : ';charset=utf-8')}));
  const anchor = Object.assign(document.createElement('a'), {href: url, download: file.name});
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  return null;
}
"""
"""Saves what a handler returned, and forgets it."""
