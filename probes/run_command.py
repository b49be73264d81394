"""The command `run`: one probe asked of one model, every field a flag."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes.command_parts import DONE, add_model, bar
from probes.core.controls import Lines, Pictures
from probes.core.errors import FieldError
from probes.core.file_controls import EmbeddingPairsFile, PictureSet
from probes.core.marks import Marks
from probes.core.model import Backend
from probes.core.no_model import NoModel
from probes.core.parameters import Field, Params, fields, parse
from probes.core.probe import AnyProbe, run


def add_probe(parser: argparse.ArgumentParser, probe: AnyProbe) -> None:
    """The options of `run PROBE`."""
    for field in fields(probe.params):
        parser.add_argument(field.flag, **_option(field))
    add_model(parser)
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write JSON, CSV, HTML and BibTeX here")
    parser.set_defaults(command=_run, probe=probe)


def _option(field: Field) -> dict[str, Any]:
    """What argparse needs to know of a field. Values stay text: the control parses them."""
    control = field.control
    several = isinstance(control, (Lines, Marks, Pictures, EmbeddingPairsFile))
    default = f" (default: {' '.join(control.format(field.default)) or 'none'})" if field.travels else ""
    option: dict[str, Any] = {
        "dest": f"field_{field.name}",
        "default": argparse.SUPPRESS,
        "help": f"{control.label}. {control.help}{default}".replace("%", "%%"),
        "metavar": _metavar(field),
    }
    if several:
        option |= {"nargs": "+", "action": "extend"}
    return option


def _metavar(field: Field) -> str:
    if isinstance(field.control, PictureSet):
        return "DIR"
    return field.name.upper() if field.travels else "FILE"


def parameters(probe: AnyProbe, given: Mapping[str, object]) -> Params:
    """Parameters from what was given for a probe's fields, by name.

    Raises:
        FieldError: a value cannot be used, there is no such field, or the pictures are missing.
    """
    for field in fields(probe.params):
        if isinstance(field.control, Pictures) and field.control.fewest and field.name not in given:
            raise FieldError(field.name, f"give a picture with {field.flag} FILE")
    found: Params = parse(probe.params, given)
    return found


def _run(chosen: argparse.Namespace) -> int:
    from probes.backend import lacks, load

    probe: AnyProbe = chosen.probe
    params = parameters(probe, {n[6:]: value for n, value in vars(chosen).items() if n.startswith("field_")})
    backend: Backend = NoModel()
    if params.needs_model():
        probe.card.require(lacks(chosen.model) or {})  # before anything is downloaded
        with bar() as show:
            backend = load(chosen.model, device=chosen.device, precision=chosen.precision, progress=show)
    with bar() as show:
        report = run(probe, params, backend, show)
    if chosen.json == "-":
        print(report.to_json())
    else:
        print(report.headline)
    if chosen.json and chosen.json != "-":
        Path(chosen.json).write_text(report.to_json(), encoding="utf-8")
    if chosen.out:
        from probes.core import export

        for path in export.write(report, probe, chosen.out):
            print(path, file=sys.stderr)
    return DONE
