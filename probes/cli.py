"""The command line: `list`, `models`, `run`, `embed`, `pair` and `pairs`, on the same contract as the browser.

Exit status: 0 done; 1 the machine failed (no network, a full disk); 2 bad input, with one line that names the
field; 3 the model lacks what the probe needs; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tqdm import tqdm

from probes import pair_commands, registry
from probes.core import export
from probes.core.controls import Lines, Pictures
from probes.core.errors import CapabilityError, ClipspectError, FieldError, ModelError
from probes.core.file_controls import EmbeddingPairsFile, PictureSet
from probes.core.marks import Marks
from probes.core.model import Backend
from probes.core.no_model import NoModel
from probes.core.parameters import Field, fields, parse
from probes.core.probe import AnyProbe, run
from probes.core.version import VERSION

if TYPE_CHECKING:
    from probes.backend.listing import Entry

DONE, FAILED, BAD_INPUT, INCAPABLE, INTERRUPTED = 0, 1, 2, 3, 130

DEFAULT_MODEL = "bundled"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        chosen = _parser().parse_args(arguments)
        status: int = chosen.command(chosen)
        return status
    except CapabilityError as error:
        return _fail(INCAPABLE, error)
    except ModelError as error:
        return _fail(BAD_INPUT, FieldError("model", str(error)))
    except ClipspectError as error:
        return _fail(BAD_INPUT, error)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away, as `head` does; Python would complain at exit
        return DONE
    except OSError as error:
        return _fail(FAILED, error)
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, ClipspectError("interrupted"))


def _fail(status: int, error: Exception) -> int:
    print(f"clipspect: {' '.join(str(error).split())}", file=sys.stderr)
    return status


class _OneLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        raise ClipspectError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="python -m probes", description="Ask CLIP models about their own behaviour.")
    parser.add_argument("--version", action="version", version=f"Clipspect {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_OneLineParser)
    listing = commands.add_parser("list", help="the probes, and their fields")
    listing.add_argument("--markdown", action="store_true", help="as the table that stands in the README")
    listing.set_defaults(command=_list)
    models = commands.add_parser("models", help="the models, their sizes, and which are on disk")
    models.add_argument("search", nargs="?", default="", help="show only those whose name holds this")
    models.set_defaults(command=_models)
    running = commands.add_parser("run", help="run a probe")
    probes = running.add_subparsers(metavar="PROBE", required=True, parser_class=_OneLineParser)
    for probe in registry.all_probes().values():
        _add_probe(probes.add_parser(probe.card.name, help=probe.card.question), probe)
    _add_embed(commands.add_parser("embed", help="embed pictures or lines of text into a file"))
    pair_commands.add_pair(commands.add_parser("pair", help="show a pair that a bundled model was trained on"))
    pair_commands.add_pairs(commands.add_parser("pairs", help="search and count those pairs"))
    return parser


def _add_probe(parser: argparse.ArgumentParser, probe: AnyProbe) -> None:
    for field in fields(probe.params):
        parser.add_argument(field.flag, **_option(field))
    _add_model(parser)
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write JSON, CSV, HTML and BibTeX here")
    parser.set_defaults(command=_run, probe=probe)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="SPEC",
        help="bundled, NAME:PRETRAINED, hf-hub:ORG/NAME or local-dir:PATH (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))


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


def _list(chosen: argparse.Namespace) -> int:
    if chosen.markdown:
        print(registry.markdown())
        return DONE
    for probe in registry.all_probes().values():
        print(f"{probe.card.name}: {probe.card.question}")
        for field in fields(probe.params):
            print(f"  {field.flag:<14} {field.control.label}. {field.control.help}")
    return DONE


def _models(chosen: argparse.Namespace) -> int:
    from probes.backend import catalogue

    shown = [entry for entry in catalogue() if chosen.search.lower() in entry.spec.lower()]
    if not shown:
        raise FieldError("search", f"no model's name holds '{chosen.search}'")
    width = max(len(entry.spec) for entry in shown)
    for entry in shown:
        print(f"{entry.spec:<{width}}  {_size(entry):<24}  {entry.note}".rstrip())
    return DONE


def _size(entry: Entry) -> str:
    if entry.nbytes is None:
        return "on disk" if entry.on_disk else "size unknown"
    size = f"{'' if entry.exact else 'about '}{entry.nbytes / 1e6:,.0f} MB"
    return f"on disk, {size}" if entry.on_disk else f"{size} to download"


def _run(chosen: argparse.Namespace) -> int:
    from probes.backend import load

    probe: AnyProbe = chosen.probe
    given = {name[6:]: value for name, value in vars(chosen).items() if name.startswith("field_")}
    for field in fields(probe.params):
        if isinstance(field.control, Pictures) and field.control.fewest and field.name not in given:
            raise FieldError(field.name, f"give a picture with {field.flag} FILE")
    params = parse(probe.params, given)
    backend: Backend = NoModel()
    if params.needs_model():
        backend = load(chosen.model, device=chosen.device, precision=chosen.precision)
    with tqdm(total=100, unit="%", bar_format="{desc} {percentage:3.0f}% |{bar}|", leave=False) as bar:

        def show(share: float, doing: str) -> None:
            bar.set_description(doing, refresh=False)
            bar.n = round(100 * share)
            bar.refresh()

        report = run(probe, params, backend, show)
    if chosen.json == "-":
        print(report.to_json())
    else:
        print(report.headline)
    if chosen.json and chosen.json != "-":
        Path(chosen.json).write_text(report.to_json(), encoding="utf-8")
    if chosen.out:
        for path in export.write(report, probe, chosen.out):
            print(path, file=sys.stderr)
    return DONE


def _add_embed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a folder or zip of pictures, or a text file of lines"
    )
    parser.add_argument("--out", metavar="FILE.npz", type=Path, required=True)
    _add_model(parser)
    parser.set_defaults(command=_embed)


def _embed(chosen: argparse.Namespace) -> int:
    from probes.backend import load
    from probes.embed import embed

    summary = embed(
        chosen.path, chosen.out, lambda: load(chosen.model, device=chosen.device, precision=chosen.precision)
    )
    print(summary)
    return DONE
