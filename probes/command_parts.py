"""What commands share: exit statuses, the options of a model, and a bar of progress."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm

from probes.core.errors import ClipspectError
from probes.core.model import Progress

DONE, FAILED, BAD_INPUT, INCAPABLE, INTERRUPTED = 0, 1, 2, 3, 130

DEFAULT_MODEL = "bundled"


class OneLineParser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise ClipspectError(message)


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options that choose a model and where it computes."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="SPEC",
        help="bundled, NAME:PRETRAINED, hf-hub:ORG/NAME or local-dir:PATH (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))


@contextmanager
def bar() -> Iterator[Progress]:
    """A bar on standard error while this lasts, moved by what it gives; nothing where that is no terminal."""
    form = "{desc} {percentage:3.0f}% |{bar}|"
    with tqdm(total=100, unit="%", bar_format=form, leave=False, disable=None) as shown:

        def show(share: float, doing: str) -> None:
            shown.set_description(doing, refresh=False)
            shown.n = round(100 * share)
            shown.refresh()

        yield show
