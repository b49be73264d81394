"""The table of what is planted, `doses.json`: one entry a row of `assets.world.plan.PLAN`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from assets.world.plan import PLAN
from assets.world.schedule import BRANCH, END, KINDS

FILE = "doses.json"
ABOUT = (
    "What is planted in the worlds of the two bundled models: of each behaviour and concept, the share that "
    "`what` names, in the skewed and in the balanced world. Doses were dealt by chance and follow no statistics "
    "of the real world."
)


def write(path: Path) -> None:
    """Write the table."""
    rows = ",\n".join(f"  {json.dumps(asdict(row))}" for row in PLAN)
    head = {"schema": 1, "about": ABOUT, "pairs": [BRANCH, END], "kinds": KINDS}
    said = "\n".join(f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{\n{said}\n "doses": [\n{rows}\n ]\n}}\n', encoding="utf-8")
