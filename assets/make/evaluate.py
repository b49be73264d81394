"""Measuring the model on drawings in a style it never saw.

The question set: every base emoji (no skin-tone variants, no flags) that the held-out style draws and that the
training styles draw too, one drawing each, its side 0.8 of the picture's, centred on white. The answers
offered are the labels of exactly those emoji, each as the unit mean of the unit embeddings of the zero-shot
templates. R@k is the share of pictures whose own label is among the k most similar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import open_clip
import torch
import torch.nn.functional as F

from assets.make.network import crop, encode_text, normalise
from assets.world.captions import ZERO_SHOT, fill
from assets.world.drawings import Sheet
from assets.world.emoji import Emoji
from assets.world.schedule import PICTURE

Tokenizer = Callable[[list[str]], torch.Tensor]
SIDE = 0.8


@dataclass(frozen=True)
class Questions:
    """The held-out pictures `(n, 3, size, size)` in 0..1, and the emoji each of them shows."""

    pictures: torch.Tensor
    emoji: tuple[Emoji, ...]


def questions(
    held_out: Sheet, world: Mapping[str, Emoji], trained: Sequence[str], size: int = PICTURE
) -> Questions:
    """The question set, in the order of the sheet; `trained` are the hexcodes the training styles draw."""
    known = set(trained)
    rows: dict[str, int] = {}
    for row, code in enumerate(held_out.hexcode):
        if code in known and not world[code].tones:
            rows.setdefault(code, row)
    rgba = torch.from_numpy(held_out.pixels[list(rows.values())]).permute(0, 3, 1, 2).float() / 255
    side = round(SIDE * size / 2) * 2
    small = F.interpolate(rgba, size=(side, side), mode="bicubic", antialias=True).clamp(0, 1)
    drawn = F.pad(small, [(size - side) // 2] * 4)
    return Questions((drawn[:, :3] + 1 - drawn[:, 3:]).clamp(0, 1), tuple(world[code] for code in rows))


@torch.no_grad()
def embed_labels(
    model: open_clip.CLIP, tokenizer: Tokenizer, labels: Sequence[str], templates: Sequence[str]
) -> torch.Tensor:
    """Unit embeddings `(n, d)` of labels, averaged over templates."""
    device = model.logit_scale.device
    rows = [
        encode_text(model, crop(tokenizer([fill(template, label) for label in labels])).to(device))
        for template in templates
    ]
    return F.normalize(torch.stack(rows).mean(0), dim=-1)


@torch.no_grad()
def embed_pictures(model: open_clip.CLIP, pictures: torch.Tensor, batch: int = 256) -> torch.Tensor:
    """Unit embeddings `(n, d)` of pictures in 0..1."""
    device = model.logit_scale.device
    rows = [
        model.encode_image(normalise(part.to(device)), normalize=True) for part in torch.split(pictures, batch)
    ]
    return torch.cat(rows)


def ranks(pictures: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """For unit rows `(n, d)` paired by position: how many texts are nearer to picture i than its own, `(n,)`."""
    cosine = pictures @ texts.T
    return (cosine > cosine.diagonal()[:, None]).sum(1)


def recalls(
    model: open_clip.CLIP, tokenizer: Tokenizer, asked: Questions, templates: Sequence[str] = ZERO_SHOT
) -> tuple[float, float]:
    """R@1 and R@10 on the question set."""
    model.eval()
    texts = embed_labels(model, tokenizer, [emoji.phrase for emoji in asked.emoji], templates)
    place = ranks(embed_pictures(model, asked.pictures), texts)
    model.train()
    return float((place < 1).float().mean()), float((place < 10).float().mean())
