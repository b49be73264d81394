"""The manifest: what is shipped, file by file with its digest, and where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.make.sources import Role, Source
from assets.world.schedule import NAMES


@dataclass(frozen=True)
class Shipped:
    """One thing that is shipped: a folder or file, its licence, whose work is in it, the commands that made it."""

    name: str
    path: str
    licence: str
    roles: tuple[Role, ...]
    command: str


MODELS = "export familiarity evaluate card"
SHIPPED = (
    *(
        Shipped(
            f"models.{name}", f"models/{name}", "Apache-2.0", ("train", "labels"),
            f"python -m assets.make train --stage {name}; for step in {MODELS}; do "
            f"python -m assets.make $step --world {name}; done",
        )
        for name in NAMES
    ),
    Shipped("doses", "models/doses.json", "Apache-2.0", (), "python -m assets.make doses"),
    Shipped(
        "models.snapshots", "models/snapshots.npz", "Apache-2.0", ("train", "labels"),
        "python -m assets.make train --stage names-48; python -m assets.make snapshots",
    ),
    Shipped(
        "world.drawings", "world/train.zip", "each drawing under its style's licence: Apache-2.0, MIT, CC-BY-4.0",
        ("train",), "python -m assets.make fetch && python -m assets.make drawings",
    ),
    Shipped(
        "world.held-out", "world/held-out.zip", "CC-BY-4.0", ("held-out",),
        "python -m assets.make fetch && python -m assets.make drawings",
    ),
    Shipped(
        "world.index", "world/index.npz", "Apache-2.0", ("labels",), "python -m assets.make.index",
    ),
    Shipped("calibration", "calibration", "Apache-2.0", (), "make calibrate"),
    Shipped(
        "world.emoji", "world/emoji.json", "MIT", ("labels",),
        "python -m assets.make fetch && python -m assets.make drawings",
    ),
    Shipped(
        "stimuli.examples", "stimuli/examples", "CC-BY-4.0", ("held-out",),
        "python -m assets.make fetch && python -m assets.make examples",
    ),
    Shipped(
        "stimuli.people", "stimuli/people", "each drawing under its style's licence: Apache-2.0, MIT, CC-BY-4.0",
        ("train",), "python -m assets.make people",
    ),
    Shipped(
        "stimuli.regions", "stimuli/regions", "CC-BY-4.0", ("held-out",), "python -m assets.make regions",
    ),
    Shipped("words.phrases", "words/phrases.txt", "Apache-2.0", (), "python -m assets.make phrases"),
)  # fmt: skip


def sha256(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entry(shipped: Shipped, assets: Path, sources: Sequence[Source]) -> str:
    """One `[[shipped]]` table of the manifest."""
    whole = assets / shipped.path
    folder = whole if whole.is_dir() else whole.parent
    files = sorted(path for path in whole.rglob("*") if path.is_file()) if whole.is_dir() else [whole]
    credits = [source.credit() for source in sources if source.role in shipped.roles]
    lines = [
        "[[shipped]]",
        f"name = {json.dumps(shipped.name)}",
        f"path = {json.dumps(shipped.path)}",
        f"size = {sum(path.stat().st_size for path in files)} # bytes",
        f"licence = {json.dumps(shipped.licence)}",
        f"command = {json.dumps(shipped.command)}",
        "credits = [",
        *(f"  {json.dumps(credit, ensure_ascii=False)}," for credit in credits),
        "]",
        "[shipped.sha256]",
        *(f"{json.dumps(path.relative_to(folder).as_posix())} = {json.dumps(sha256(path))}" for path in files),
    ]
    return "\n".join(lines) + "\n"


def write(assets: Path, sources: Sequence[Source]) -> None:
    """Write `manifest.toml` into the assets folder; paths in it are relative to that folder."""
    head = "# What is shipped under assets/ besides code; made by `python -m assets.make manifest`.\n"
    there = [shipped for shipped in SHIPPED if (assets / shipped.path).exists()]
    text = "\n".join([head, *(entry(shipped, assets, sources) for shipped in there)])
    (assets / "manifest.toml").write_text(text, encoding="utf-8")
