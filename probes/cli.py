"""The command line, on the same contract as the browser; each command stands in a module of its name.

Exit status: 0 done; 1 the machine failed (no network, a full disk); 2 bad input, with one line that names the
field; 3 the model lacks what the probe needs; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from probes import batch_command, model_commands, pair_commands, redraw_command, registry, run_command
from probes.command_parts import BAD_INPUT, DONE, FAILED, INCAPABLE, INTERRUPTED, OneLineParser
from probes.core.errors import CapabilityError, ClipspectError, FieldError, ModelError
from probes.core.parameters import fields
from probes.core.version import VERSION


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


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m probes", description="Ask CLIP models about their own behaviour.")
    parser.add_argument("--version", action="version", version=f"Clipspect {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=OneLineParser)
    listing = commands.add_parser("list", help="the probes, and their fields")
    listing.add_argument("--markdown", action="store_true", help="as the table that stands in the README")
    listing.set_defaults(command=_list)
    model_commands.add_models(
        commands.add_parser("models", help="the models: size, licence, what they can answer")
    )
    running = commands.add_parser("run", help="run a probe")
    probes = running.add_subparsers(metavar="PROBE", required=True, parser_class=OneLineParser)
    for probe in registry.all_probes().values():
        run_command.add_probe(probes.add_parser(probe.card.name, help=probe.card.question), probe)
    batch_command.add_batch(commands.add_parser("batch", help="run several probes on several models"))
    redraw_command.add_redraw(commands.add_parser("redraw", help="draw saved reports again, without a model"))
    model_commands.add_embed(commands.add_parser("embed", help="embed pictures or lines of text into a file"))
    pair_commands.add_pair(commands.add_parser("pair", help="show a pair that a bundled model was trained on"))
    pair_commands.add_pairs(commands.add_parser("pairs", help="search and count those pairs"))
    return parser


def _list(chosen: argparse.Namespace) -> int:
    if chosen.markdown:
        print(registry.markdown())
        return DONE
    for probe in registry.all_probes().values():
        print(f"{probe.card.name}: {probe.card.question}")
        for field in fields(probe.params):
            print(f"  {field.flag:<14} {field.control.label}. {field.control.help}")
    return DONE
