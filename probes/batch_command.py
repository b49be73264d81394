"""The command `batch`: probes x models from a file, and one report that compares them.

Exit status: 1 if a cell failed, else 3 if a model lacks what a probe needs, else 0; the report is written all the
same.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from probes.command_parts import DONE, FAILED, INCAPABLE, bar
from probes.core.errors import ClipspectError


def add_batch(parser: argparse.ArgumentParser) -> None:
    """The options of `batch`."""
    parser.add_argument(
        "suite", metavar="SUITE.toml", type=Path, help="which probes on which models; the README says how"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help="write index.html and all the rest here; reports that are there already are not computed again",
    )
    parser.set_defaults(command=_batch)


def _batch(chosen: argparse.Namespace) -> int:
    from probes import batch
    from probes.backend import load
    from probes.core import export, suite

    folder: Path = chosen.out
    plan = batch.read(chosen.suite)
    folder.mkdir(parents=True, exist_ok=True)
    with bar() as show:
        whole = batch.ask(
            plan,
            folder,
            lambda spec, told: load(spec, device=plan.device, precision=plan.precision, progress=told),
            show,
        )
    for path in export.write_all(suite.contents(whole), folder):
        print(path, file=sys.stderr)
    for question in whole.questions:
        for name, cell in zip(whole.names, question.cells, strict=True):
            print(f"{question.name}, {name}: {cell.said}")
        for one in suite.compared(whole, question):
            print(one if isinstance(one, ClipspectError) else one.headline())
    print(folder / "index.html")
    cells = [cell for question in whole.questions for cell in question.cells]
    if any(cell.failed for cell in cells):
        return FAILED
    return DONE if all(cell.report for cell in cells) else INCAPABLE
