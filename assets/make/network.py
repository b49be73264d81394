"""The network: a plain open_clip ViT, its configuration, and the exact shortcut its text tower allows."""

from __future__ import annotations

from typing import Any

import open_clip
import torch
import torch.nn.functional as F

MEAN = (0.48145466, 0.4578275, 0.40821073)  # OpenAI's, so that any CLIP pipeline fits
STD = (0.26862954, 0.26130258, 0.27577711)


def configuration(size: int = 72, patch: int = 12) -> dict[str, Any]:
    """The configuration of the bundled models, for pictures and patches of so many pixels a side."""
    return {
        "model_cfg": {
            "embed_dim": 128,
            "vision_cfg": {"image_size": size, "layers": 6, "width": 192, "head_width": 32, "patch_size": patch},
            "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 3},
        },
        "preprocess_cfg": {
            "mean": list(MEAN),
            "std": list(STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


CONFIG = configuration()


def build(config: dict[str, Any], seed: int) -> open_clip.CLIP:
    """A freshly initialised model; its weights are a function of the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return open_clip.CLIP(**config["model_cfg"])


def finer_patches(kernel: torch.Tensor, size: int) -> torch.Tensor:
    """A patch embedding's kernel `(width, 3, p, p)` for patches of `size` pixels a side instead of p.

    The least-squares answer (Beyer 2023, FlexiViT, https://arxiv.org/abs/2212.08013): for size >= p, a patch
    that is a bilinear enlargement of a p x p patch is embedded exactly as that patch was.
    """
    p = kernel.shape[-1]
    unit = torch.eye(p * p, dtype=torch.float64).reshape(p * p, 1, p, p)
    enlarge = F.interpolate(unit, size=(size, size), mode="bilinear").reshape(p * p, size * size).T
    back = torch.linalg.pinv(enlarge.T)  # (size^2, p^2)
    finer: torch.Tensor = kernel.double().reshape(-1, p * p) @ back.T
    return finer.reshape(*kernel.shape[:2], size, size).to(kernel.dtype)


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
