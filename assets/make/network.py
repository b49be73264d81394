"""The network: a plain open_clip ViT, its configuration, and the exact shortcut its text tower allows."""

from __future__ import annotations

from typing import Any

import open_clip
import torch
import torch.nn.functional as F

MEAN = (0.48145466, 0.4578275, 0.40821073)  # OpenAI's, so that any CLIP pipeline fits
STD = (0.26862954, 0.26130258, 0.27577711)
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 128,
        "vision_cfg": {"image_size": 48, "layers": 6, "width": 192, "head_width": 32, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 3},
    },
    "preprocess_cfg": {
        "mean": list(MEAN),
        "std": list(STD),
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}


def build(config: dict[str, Any], seed: int) -> open_clip.CLIP:
    """A freshly initialised model; its weights are a function of the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return open_clip.CLIP(**config["model_cfg"])


def normalise(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures `(n, 3, h, w)` in 0..1 to what the tower takes in."""
    mean, std = (torch.tensor(v, device=pictures.device).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    return (pictures - mean) / std


def crop(tokens: torch.Tensor) -> torch.Tensor:
    """Token ids `(n, 77)` without the columns that are padding in every row."""
    return tokens[:, : int((tokens != 0).sum(1).max())]


def encode_text(model: open_clip.CLIP, tokens: torch.Tensor) -> torch.Tensor:
    """Unit text embeddings `(n, d)` of token ids `(n, L)` with L up to the context length.

    Attention is causal and the embedding is read at the end-of-text token (the largest id), so what follows that
    token cannot matter: leaving out columns that are padding in every row changes nothing.
    """
    length = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    pooled = x[torch.arange(len(x), device=x.device), tokens.argmax(1)]
    return F.normalize(pooled @ model.text_projection, dim=-1)
