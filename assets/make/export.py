"""From a training checkpoint to the two files open_clip's `local-dir:PATH` loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def export(state: Mapping[str, torch.Tensor], config: Mapping[str, Any], folder: Path) -> None:
    """Write `open_clip_config.json` and `open_clip_model.safetensors` (float16) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {name: tensor.detach().cpu().half().contiguous() for name, tensor in state.items()}
    save_file(weights, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
