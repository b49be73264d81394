"""What a training run was: how many steps, how long, on which machine; and its curve, stage after stage."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch

from assets.make.train import BEFORE, STAGES, Curve

MACHINE = "machine.json"


@dataclass(frozen=True)
class Run:
    """One stage as it was run.

    Attributes:
        stage: its name; `after` the stage it started from.
        steps, pictures: how many; `seconds` of training, measuring left out.
        hardware, torch, open_clip: the machine in words and the versions.
        recipe: all that decides the weights.
    """

    stage: str
    after: str | None
    steps: int
    pictures: int
    seconds: int
    hardware: str
    torch: str
    open_clip: str
    recipe: Mapping[str, Any]


def machine() -> dict[str, str]:
    """The machine in words: kind of processor or GPU, number of cores, system; and the versions."""
    if torch.cuda.is_available():
        hardware = f"{torch.cuda.get_device_name()}, {platform.system()}"
    else:
        hardware = f"{os.cpu_count()} CPU cores ({platform.machine()}), {platform.system()}, no GPU"
    return {"hardware": hardware, "torch": torch.__version__, "open_clip": open_clip.__version__}


def write_machine(folder: Path) -> None:
    """Write this machine down as the one that a stage is trained on, the first time."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MACHINE).exists():
        (folder / MACHINE).write_text(json.dumps(machine(), indent=1) + "\n", encoding="utf-8")


def read_run(stage: str, folder: Path) -> Run:
    """What became of a stage: from the last row of its curve and the machine beside it (else this one)."""
    path, rows = folder / MACHINE, Curve(folder / "curve.csv").read()
    on = json.loads(path.read_text(encoding="utf-8")) if path.exists() else machine()
    steps, seconds = (int(rows[-1]["step"]), int(rows[-1]["seconds"])) if rows else (0, 0)
    recipe = STAGES[stage]
    return Run(stage, BEFORE.get(stage), steps, steps * recipe.batch, seconds, recipe=asdict(recipe), **on)


def write_curves(folders: Mapping[str, Path], path: Path) -> None:
    """Write the curves of all stages, each in its folder, as one CSV with the stage in front."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("stage", *Curve.columns), lineterminator="\n")
        writer.writeheader()
        for stage, folder in folders.items():
            writer.writerows({"stage": stage, **row} for row in Curve(folder / "curve.csv").read())
