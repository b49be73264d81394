"""What is known of a loaded model, as a `ModelCard`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import nn

from probes.backend.device import Placement
from probes.backend.digests import weights_digest
from probes.backend.loading import Loaded
from probes.backend.specs import CARD_NAME, Kind
from probes.core.model import Capability, ModelCard

_ACTIVATIONS = ("GELU", "QuickGELU", "GELUTanh", "PytorchGELUTanh", "SiLU", "ReLU")


@dataclass(frozen=True)
class Label:
    """What a bundled model's own card file says: `model.json`, each key of which may be missing.

    Attributes:
        name: what to call it in a sentence (`title`).
        templates: zero-shot templates, each with one `{}` (`zero_shot_templates`).
        description: what the model is and is not (`description` and `statement`).
    """

    name: str = ""
    templates: tuple[str, ...] = ("a photo of a {}.",)
    description: str = ""

    @classmethod
    def read(cls, folder: Path | None) -> Label:
        """The label in a model's folder; an empty one where there is no folder or no file."""
        if folder is None or not (folder / CARD_NAME).is_file():
            return cls()
        said: Mapping[str, Any] = json.loads((folder / CARD_NAME).read_text(encoding="utf-8"))
        return cls(
            name=str(said.get("title", "")),
            templates=tuple(said.get("zero_shot_templates", cls.templates)),
            description=f"{said.get('description', '')} {said.get('statement', '')}".strip(),
        )


def make_card(
    loaded: Loaded,
    placement: Placement,
    image_size: tuple[int, int],
    lacks: Mapping[Capability, str],
    pipeline_digest: str,
    warnings: tuple[str, ...] = (),
) -> ModelCard:
    """Describe a loaded model."""
    spec, model = loaded.recipe.spec, loaded.model
    label = Label.read(loaded.recipe.folder)
    bias = getattr(model, "logit_bias", None)
    return ModelCard(
        spec=str(spec),
        name=label.name or _name(loaded),
        architecture=Path(spec.name).name if spec.kind is Kind.FOLDER else spec.name,
        pretrained=_pretrained(loaded),
        weights_digest=weights_digest(model.state_dict()),
        pipeline_digest=pipeline_digest,
        activation=activation(model.visual),
        device=str(placement.device),
        precision=placement.precision,
        parameters=sum(weight.numel() for weight in model.parameters()),
        width=int(loaded.recipe.config["embed_dim"]),
        image_size=image_size,
        context_length=int(loaded.tokenizer.context_length),
        logit_scale=float(model.logit_scale.detach().exp().reshape(-1)[0]),
        logit_bias=0.0 if bias is None else float(bias.detach().reshape(-1)[0]),
        sigmoid=bias is not None,
        lacks=dict(lacks),
        warnings=loaded.warnings + warnings,
        templates=label.templates,
        description=label.description,
    )


def activation(visual: nn.Module) -> str:
    """The activation of the image tower, by class name, such as `GELU` or `QuickGELU`."""
    if isinstance(visual, VisionTransformer):
        blocks = visual.transformer.resblocks
        return type(blocks[0].mlp.gelu).__name__
    if isinstance(visual, ModifiedResNet):
        return "ReLU"
    for module in visual.modules():
        if type(module).__name__ in _ACTIVATIONS:
            return type(module).__name__
    return "unknown"


def _name(loaded: Loaded) -> str:
    spec = loaded.recipe.spec
    if spec.kind is Kind.RANDOM:
        return f"{spec.name} with random weights"
    if spec.kind in (Kind.PAIR, Kind.FILE):
        return f"{spec.name} ({Path(spec.pretrained).name})"
    return Path(spec.name).name if spec.kind is Kind.FOLDER else spec.name


def _pretrained(loaded: Loaded) -> str:
    spec = loaded.recipe.spec
    if spec.kind is Kind.RANDOM:
        return f"random, seed {spec.seed}"
    return Path(spec.pretrained).name if spec.pretrained else spec.kind.value
