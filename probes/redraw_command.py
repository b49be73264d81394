"""The command `redraw`: saved reports drawn again, and compared, without a model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probes.command_parts import DONE
from probes.core.errors import ClipspectError, FieldError

if TYPE_CHECKING:
    from probes.core.report import Report

_MISFITS = (ValueError, LookupError, TypeError, AttributeError, StopIteration, ArithmeticError, OSError)
"""What drawing raises where numbers of a damaged report do not fit together, or a picture in it is broken."""


def add_redraw(parser: argparse.ArgumentParser) -> None:
    """The options of `redraw`."""
    parser.add_argument(
        "reports",
        metavar="REPORT.json",
        type=Path,
        nargs="+",
        help="a saved report; of several answers to one question the first is compared less each other",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write HTML, CSV, BibTeX and PNG here (default: a folder of the first report's name, beside it)",
    )
    parser.set_defaults(command=_redraw)


def _redraw(chosen: argparse.Namespace) -> int:
    from probes.core import export

    paths: list[Path] = chosen.reports
    reports = [read(path) for path in paths]
    try:
        said = [reports[0].headline]
        files = _one(reports[0])
        if len(reports) > 1:
            files, said = _several(reports, paths)
    except _MISFITS as error:
        raise FieldError("report", f"the numbers in it do not fit together ({type(error).__name__}): it is damaged"
                         ) from error  # fmt: skip
    folder: Path = chosen.out or _beside(paths[0])
    for path in export.write_all(files, folder):
        print(path, file=sys.stderr)
    print("\n".join(said))
    return DONE


def _beside(path: Path) -> Path:
    """A folder of a report's name."""
    return path.with_suffix("") if path.suffix else path.with_name(f"{path.name}-redrawn")


def read(path: Path) -> Report[Any]:
    """A saved report.

    Raises:
        FieldError: the file is missing, or is no report that can be read.
    """
    from probes import registry
    from probes.core.report import load

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FieldError("report", f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError):
        raise FieldError("report", f"{path} is not a report of Clipspect") from None
    try:
        return load(text, {name: probe.result for name, probe in registry.all_probes().items()})
    except ClipspectError as error:
        raise FieldError("report", f"{path.name}: {error}") from None


def _one(report: Report[Any]) -> dict[str, str | bytes]:
    """Every form of one report."""
    from probes import registry
    from probes.core import export

    return export.contents(report, registry.get(report.probe))


def _by_file(models: Sequence[str], paths: Sequence[Path]) -> tuple[str, ...]:
    """Models called by their reports' files as well, by folder where these are alike, and else numbered."""
    from probes.core.naming import told_apart

    several = list(zip(models, paths, strict=True))
    by_stem = [f"{model} ({path.stem})" for model, path in several]
    by_folder = [f"{model} ({path.resolve().parent.name}/{path.stem})" for model, path in several]
    helps = len(set(by_stem)) < len(set(by_folder))
    return tuple(told_apart(by_folder if helps else by_stem))


def _several(reports: Sequence[Report[Any]], paths: Sequence[Path]) -> tuple[dict[str, str | bytes], list[str]]:
    """Every form of each report in a folder of its own and their comparison; what to say of it.

    Raises:
        ClipspectError: they are not answers to one question.
    """
    from probes import registry
    from probes.core import comparison, suite
    from probes.core.naming import slug

    probe = registry.get(reports[0].probe)
    for other in reports[1:]:
        comparison.same_question(probe, reports[0], other)
    models = tuple(report.provenance.model for report in reports)
    names = comparison.called(models)
    if len(set(names)) < len(names):  # one model, asked more than once
        names = _by_file(models, paths)
    folders = [f"{number}-{slug(name)}" for number, name in enumerate(names, start=1)]
    cells = tuple(
        suite.Cell(report.provenance.model, report, report.headline, file=f"{folder}/{report.probe}.json")
        for report, folder in zip(reports, folders, strict=True)
    )
    title = f"{probe.card.title}: {' and '.join(names)}"
    question = suite.Question(probe.card.name, probe, cells)
    whole = suite.Suite(title, models, (question,), names)
    files = suite.contents(whole, "comparison.html")
    for report, folder in zip(reports, folders, strict=True):
        files |= {f"{folder}/{name}": content for name, content in _one(report).items()}
    compared = suite.compared(whole, question)
    said = [one.headline() for one in compared if isinstance(one, comparison.Comparison)]
    return files, said or [report.headline for report in reports]
