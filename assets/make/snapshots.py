"""Embeddings of the fixed set of pairs by the weights that were kept during training (`train.KEPT`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from safetensors.torch import load_file

from assets.make import train as training
from assets.make.evaluate import embed_pictures
from assets.make.network import build, configuration, crop, encode_text
from assets.make.runs import machine
from assets.world.schedule import NAMES, Pair
from probes import evaluation, pairs

BATCH = 128
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Kept:
    """Weights kept at a step of a stage."""

    stage: str
    step: int
    file: Path

    @property
    def pictures(self) -> int:
        """Pictures seen until then, over all stages."""
        recipe = training.STAGES[self.stage]
        return recipe.first + self.step * recipe.batch


def kept(work: Path) -> Iterator[Kept]:
    """What was kept of the stages that both worlds share, in the order of training."""
    for stage in training.STAGES:
        if stage not in NAMES:
            for file in sorted((work / stage / training.SNAPSHOTS).glob("*.safetensors")):
                yield Kept(stage, int(file.stem), file)


def write(path: Path, work: Path) -> int:
    """Write `snapshots.npz` (`probes.modality_gap.training` says what is in it); how many moments it has."""
    chosen = evaluation.chosen_pairs()
    found: dict[str, list[Any]] = {key: [] for key in ("stage", "pictures", "logit_scale", "images", "texts")}
    for one in kept(work):
        recipe = training.STAGES[one.stage]
        model = build(configuration(recipe.size, recipe.patch), 0)
        model.load_state_dict({name: tensor.float() for name, tensor in load_file(one.file).items()})
        images, texts = embed(model.eval(), chosen, recipe.size)
        found["stage"].append(one.stage)
        found["pictures"].append(one.pictures)
        found["logit_scale"].append(float(model.logit_scale.detach().exp()))
        found["images"].append(images)
        found["texts"].append(texts)
    numbers = np.array([pair.index for pair in chosen], dtype=np.int32)
    made = np.array(" on ".join((f"torch {machine()['torch']}", machine()["hardware"])))
    arrays = {key: np.array(values) for key, values in found.items()}
    np.savez(path, allow_pickle=False, numbers=numbers, made=made, **arrays)
    return len(found["stage"])


@torch.no_grad()
def embed(
    model: open_clip.CLIP, chosen: list[Pair], size: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Unit rows `(n, d)` float16 of the pictures, drawn so many pixels a side, and of the captions."""
    world = pairs.world(evaluation.WORLD)
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    parts = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
    images = torch.cat([embed_pictures(model, world.compose(part, "cpu", size)) for part in parts])
    texts = torch.cat([encode_text(model, crop(tokenizer([pair.text for pair in part]))) for part in parts])
    return images.half().numpy(), texts.half().numpy()
