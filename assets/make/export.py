"""From a training checkpoint to the two files open_clip's `local-dir:PATH` loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file


def export(checkpoint: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """Write `open_clip_config.json` and `open_clip_model.safetensors` (float16) into `folder`.

    `checkpoint` is what `Trainer.save` wrote; its step and seconds go into the weights' metadata.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {name: tensor.detach().cpu().half().contiguous() for name, tensor in checkpoint["model"].items()}
    path = folder / "open_clip_model.safetensors"
    about = {"format": "pt", "step": str(checkpoint["step"]), "seconds": f"{checkpoint['seconds']:.0f}"}
    save_file(weights, path, metadata=about)
    path.chmod(0o644)  # safetensors writes it for its owner alone


def progress(folder: Path) -> tuple[int, float]:
    """The step and the seconds of training after which the weights in `folder` were exported."""
    with safe_open(folder / "open_clip_model.safetensors", "pt") as file:
        about = file.metadata()
    return int(about["step"]), float(about["seconds"])
