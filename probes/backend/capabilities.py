"""What a model cannot do, and why: of a model in memory, and of an architecture before it is loaded.

Both are decided by the same code (`probes.backend.towers`), which looks at how towers are built and at no weight.
An architecture is therefore built without any (torch's `meta` device), in a second, however large it is. What that
gives for each of open_clip's architectures is kept in `architectures.csv`, so that a model can be chosen knowingly
before it is downloaded, without importing torch.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch

from probes.backend import second_order, towers
from probes.backend.readers import Reader
from probes.core.model import Capability

_STAND_IN = {
    "model_type": "roberta",
    "vocab_size": 8,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "intermediate_size": 8,
}
"""In place of a text tower of the transformers library, whose own configuration lies on the hub."""


def lacks(images: Reader | str, texts: Reader | str, why_no_focus: str | None) -> dict[Capability, str]:
    """For each capability that a model does not have, why.

    Args:
        images: how its image tower is read, or why it cannot be.
        texts: how its text tower is read, or why it cannot be.
        why_no_focus: why its image tower cannot be told where to look; None if it can.
    """
    refused = images if isinstance(images, str) else None
    reasons = {
        Capability.DECOMPOSE: refused,
        Capability.DECOMPOSE_TEXTS: texts if isinstance(texts, str) else None,
        Capability.ATTEND: refused,
        Capability.FOCUS: why_no_focus,
        Capability.ATTRIBUTE: second_order.why_not(images, texts),
    }
    return {capability: reason for capability, reason in reasons.items() if reason}


def of_architecture(model: Any) -> dict[Capability, str]:
    """For each capability that open_clip's model does not have, why; its weights are not looked at."""
    visual = model.visual
    return lacks(towers.image_reader(visual), towers.text_reader(model), towers.why_no_focus(visual))


def without_weights(config: Mapping[str, Any]) -> tuple[Any, bool]:
    """A model that has shapes and no weights, and whether it is the whole one.

    Args:
        config: of both towers, as open_clip describes them. A text tower of the transformers library is replaced
            by a small one of that library: the model is not whole then.
    """
    described = deepcopy(dict(config))
    text = described["text_cfg"]
    whole = not text.get("hf_model_name")
    with tempfile.TemporaryDirectory() as folder:
        if not whole:
            (Path(folder) / "config.json").write_text(json.dumps(_STAND_IN), encoding="utf-8")
            text |= {"hf_model_name": folder, "hf_model_pretrained": False}
        (Path(folder) / "open_clip_config.json").write_text(
            json.dumps({"model_cfg": described, "preprocess_cfg": {}}), encoding="utf-8"
        )
        with torch.device("meta"):
            model = open_clip.create_model(
                f"local-dir:{folder}", load_weights=False, pretrained_text=False, device="meta"
            )
    return model, whole
