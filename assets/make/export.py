"""From a training checkpoint to the two files open_clip's `local-dir:PATH` loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file

from assets.make.runs import Run

WEIGHTS = "open_clip_model.safetensors"


def export(checkpoint: Mapping[str, Any], config: Mapping[str, Any], folder: Path, runs: Sequence[Run]) -> None:
    """Write `open_clip_config.json` and `open_clip_model.safetensors` (float16) into `folder`.

    `checkpoint` is what `Trainer.save` wrote; the runs it came from go into the weights' metadata.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {name: tensor.detach().cpu().half().contiguous() for name, tensor in checkpoint["model"].items()}
    about = {"format": "pt", "runs": json.dumps([asdict(run) for run in runs])}
    save_file(weights, folder / WEIGHTS, metadata=about)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes it for its owner alone


def read_runs(folder: Path) -> list[Run]:
    """The runs that the weights in `folder` came from."""
    with safe_open(folder / WEIGHTS, "pt") as file:
        return [Run(**run) for run in json.loads(file.metadata()["runs"])]
