"""The table of the bundled models' figures in the project's README, from their `model.json`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from assets.world.schedule import NAMES

BEGIN = "<!-- made by: python -m assets.make figures -->"
END = "<!-- end of figures -->"
ROWS = {
    "R@1": "own label first (R@1)",
    "R@10": "own label among the first ten (R@10)",
    "colour": "colour of a thing, its label given",
    "colour alone": "colour of a thing, no label given",
    "ground": "ground under a thing, its label given",
    "ground alone": "ground under a thing, no label given",
    "scenes of two, top 5": "both of two things among the first five labels",
    "scenes of two": "both of two things ahead of eight other labels",
}
"""Which metrics stand in the table, and what they are called there."""


def figures(models: Path) -> str:
    """The table: a row a measure, and of each model the value with its 95 % interval."""
    cards = [json.loads((models / name / "model.json").read_text(encoding="utf-8")) for name in NAMES]
    measured: list[dict[str, Any]] = [{m["name"]: m for m in card["metrics"]} for card in cards]
    lines = [f"| held-out style | {' | '.join(NAMES)} | n | chance | aim |", "|---|---|---|---|---|---|"]
    for name, words in ROWS.items():
        if all(name in one for one in measured):
            values = (
                f"{one[name]['value']:.3f} ({one[name]['low']:.3f} to {one[name]['high']:.3f})" for one in measured
            )
            m = measured[0][name]
            aim = "" if m["target"] is None else f"{m['target']:.2f}"
            lines.append(f"| {words} | {' | '.join(values)} | {m['n']:,} | {m['chance']:.2g} | {aim} |")
    return "\n".join(lines)


def write(models: Path, readme: Path) -> None:
    """Put the table into the README, between its two marks."""
    text = readme.read_text(encoding="utf-8")
    put = f"{BEGIN}\n{figures(models)}\n{END}"
    readme.write_text(
        re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: put, text, flags=re.DOTALL), encoding="utf-8"
    )
