"""The commands `models` and `embed`: what can be loaded, and embeddings of many pictures or lines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from probes import registry
from probes.command_parts import DONE, add_model, bar
from probes.core.errors import FieldError

if TYPE_CHECKING:
    from probes.backend.listing import Entry


def add_models(parser: argparse.ArgumentParser) -> None:
    """The options of `models`."""
    parser.add_argument("search", nargs="?", default="", help="show only those whose name holds this")
    parser.set_defaults(command=_models)


def _models(chosen: argparse.Namespace) -> int:
    from probes.backend import catalogue

    shown = [entry for entry in catalogue() if chosen.search.lower() in entry.spec.lower()]
    if not shown:
        raise FieldError("search", f"no model's name holds '{chosen.search}'")
    width = max(len(entry.spec) for entry in shown)
    for entry in shown:
        licence = f"licence {entry.licence or 'not known'}"
        told = "; ".join(filter(None, (registry.pages(entry.lacks), entry.note)))
        print(f"{entry.spec:<{width}}  {_size(entry):<26}  {licence:<20}  {told}")
    return DONE


def _size(entry: Entry) -> str:
    if entry.nbytes is None:
        return "on disk" if entry.on_disk else "size unknown"
    size = f"{'' if entry.exact else 'about '}{entry.nbytes / 1e6:,.0f} MB"
    return f"on disk, {size}" if entry.on_disk else f"{size} to download"


def add_embed(parser: argparse.ArgumentParser) -> None:
    """The options of `embed`."""
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="a folder or zip of pictures, or a text file of lines"
    )
    parser.add_argument("--out", metavar="FILE.npz", type=Path, required=True)
    add_model(parser)
    parser.set_defaults(command=_embed)


def _embed(chosen: argparse.Namespace) -> int:
    from probes.backend import load
    from probes.core.model import Backend
    from probes.embed import embed

    def loaded() -> Backend:
        with bar() as show:
            return load(chosen.model, device=chosen.device, precision=chosen.precision, progress=show)

    print(embed(chosen.path, chosen.out, loaded))
    return DONE
