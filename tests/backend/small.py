"""Small models of every family, with random weights, and pictures to show them."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file

from probes.backend import loading, specs
from probes.backend.cache import MemoryStore
from probes.backend.clip import Clip
from probes.backend.device import Placement
from probes.core.pictures import Picture

CPU = torch.device("cpu")
VIT = {"image_size": 32, "layers": 3, "width": 48, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}


def config(vision=None, text=None, **rest):
    """A model_cfg of open_clip for a small ViT, with changes."""
    towers = {"vision_cfg": {**VIT, **(vision or {})}, "text_cfg": {**TEXT, **(text or {})}}
    return deepcopy({"embed_dim": 24, **towers, **rest})


def random_model(model_cfg, seed=0):
    """open_clip's model of that configuration; every weight is drawn, so that no term of a sum is zero."""
    model_cfg = deepcopy(model_cfg)
    custom = model_cfg.pop("custom_text", False)
    plain = open_clip.CustomTextCLIP if custom else open_clip.CLIP
    kind = open_clip.CoCa if "multimodal_cfg" in model_cfg else plain
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = kind(**model_cfg).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim < 2 and not name.startswith("logit"):
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    return model


def save(folder: Path, model_cfg, seed=0, name="open_clip_model.safetensors", dtype=None) -> Path:
    """Write a random model in open_clip's local-dir format."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = {"mean": [0.5, 0.4, 0.45], "std": [0.25, 0.3, 0.27]}
    described = {"model_cfg": model_cfg, "preprocess_cfg": preprocess}
    (folder / specs.CONFIG_NAME).write_text(json.dumps(described))
    state = random_model(model_cfg, seed).state_dict()
    state = {key: value.clone().contiguous() if dtype is None else value.to(dtype) for key, value in state.items()}
    if name.endswith(".safetensors"):
        save_file(state, folder / name)
    else:
        torch.save(state, folder / name)
    return folder


def open_folder(folder: Path, precision="float32", memory=None, disk=None) -> Clip:
    """A model from a folder with a cache of its own."""
    loaded = loading.load(specs.parse(f"local-dir:{folder}"), CPU)
    return Clip(loaded, Placement(CPU, precision), memory or MemoryStore(), disk)


def pictures(count, seed=0, sizes=((40, 60), (33, 32), (90, 31))):
    """Smooth random pictures of several sizes."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        height, width = sizes[i % len(sizes)]
        coarse = rng.integers(0, 255, (4, 4, 3)).astype(np.float64)
        rgb = np.kron(coarse, np.ones((height // 4 + 1, width // 4 + 1, 1)))[:height, :width]
        rgb += rng.normal(0, 10, rgb.shape)
        made.append(Picture(f"picture {i}", np.clip(rgb, 0, 255).astype(np.uint8)))
    return made
