"""The manifest: what is shipped, file by file with its digest, and where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.make.sources import Role, Source


@dataclass(frozen=True)
class Shipped:
    """One thing that is shipped: a folder, its licence, whose work is in it and the commands that made it."""

    name: str
    path: str
    licence: str
    roles: tuple[Role, ...]
    command: str


STEPS = "fetch render train export familiarity evaluate card"
SHIPPED = (
    Shipped(
        "models.emoji", "models/emoji", "Apache-2.0", ("train", "labels"),
        f"for step in {STEPS}; do python -m assets.make $step; done",
    ),
    Shipped(
        "stimuli.examples", "stimuli/examples", "CC-BY-4.0", ("held-out",),
        "python -m assets.make fetch && python -m assets.make examples",
    ),
)  # fmt: skip


def sha256(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entry(shipped: Shipped, assets: Path, sources: Sequence[Source]) -> str:
    """One `[[shipped]]` table of the manifest."""
    folder = assets / shipped.path
    files = sorted(path for path in folder.rglob("*") if path.is_file())
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
    head = "# What is shipped under assets/models and assets/stimuli; made by `python -m assets.make manifest`.\n"
    text = "\n".join([head, *(entry(shipped, assets, sources) for shipped in SHIPPED)])
    (assets / "manifest.toml").write_text(text, encoding="utf-8")
