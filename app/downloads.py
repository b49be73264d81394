"""What a visitor takes away: made when it is asked for, and handed to the browser without touching the disk.

A handler returns name, media type and text; a line of JavaScript turns them into a file.
"""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, dataclass
from typing import Any

from app.engine import Answer
from probes.core import export
from probes.core.probe import AnyProbe

KINDS = {"json": "JSON", "html": "HTML report", "png": "PNG for a slide"}
"""Forms of a whole report, by suffix; tables and the papers come besides."""


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
        return Download(name, "image/png", base64.b64encode(probe.slide(report)).decode("ascii"), base64=True)
    return Download(name, "text/html", export.to_html(report, probe.card, probe.figures(report.result)))


def table(place: int, answer: Answer) -> Download:
    """The table at that place as CSV."""
    name, rows = list(answer.report.tables().items())[place]
    return Download(f"{answer.report.probe}_{name}_{_slug(answer)}.csv", "text/csv", export.to_csv(rows))


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
