r"""Foveal attention: an image tower told where to look, with no pixel changed (FALIP).

To the attention logits of the class token, in every layer and head, a bias over the patches is added:

    a_t = softmax_t(q . k_t / sqrt(e) + s f_t),    f in 0..1 over patches, 0 on the class token itself,

with f the picture's focus averaged over each patch and s the strength. At s = 0 nothing changes. Other tokens
attend as ever.

Reference: Zhuang et al., "FALIP: Visual Prompt as Foveal Attention Boosts CLIP Zero-Shot Performance", ECCV 2024,
arXiv:2407.05578.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from probes.backend.anatomy import Anatomy
from probes.core.model import Float32
from probes.core.pictures import Picture

ROOM = 128_000_000
"""Bytes of attention masks that are held at once: they grow with heads and the square of the tokens."""


def most_at_once(visual: Any) -> int:
    """How many pictures may share a forward pass."""
    tokens = 1 + int(visual.grid_size[0]) * int(visual.grid_size[1])
    heads = int(visual.transformer.resblocks[0].attn.num_heads)
    return max(1, ROOM // (4 * heads * tokens**2))


def over_patches(visual: Any, focus: Tensor) -> Tensor:
    """The mean focus of each patch, (n, T - 1), row by row.

    Args:
        visual: the tower.
        focus: 0..1 by pixel of what the tower sees, (n, height, width).
    """
    rows, columns = (int(side) for side in visual.grid_size)
    pooled = F.adaptive_avg_pool2d(focus[:, None].float(), (rows, columns))
    return pooled.reshape(len(focus), rows * columns)


def focused(
    anatomy: Anatomy,
    pictures: Sequence[Picture],
    focus: Sequence[Picture],
    strength: float,
    features: Callable[[Tensor], Tensor],
) -> Float32:
    """One batch of embeddings under foveal attention, (n, d). A focus is preprocessed as its picture is.

    Args:
        anatomy: of the model.
        pictures: n pictures.
        focus: n grey pictures of the same sizes, white where to look.
        strength: s.
        features: what the tower takes in to unit embeddings, (n, d).
    """
    preprocessing, visual = anatomy.preprocessing, anatomy.model.visual
    waiting = [preprocessing.submit(one) for one in (*pictures, *focus)]
    unit = preprocessing.unit([future.result() for future in waiting])
    bias = strength * over_patches(visual, unit[len(pictures) :].mean(dim=1))
    with anatomy.lock, torch.inference_mode(), attending(visual, bias):
        found: Float32 = features(preprocessing.normalise(unit[: len(pictures)])).cpu().numpy()
    return found


@contextmanager
def attending(visual: Any, bias: Tensor) -> Iterator[None]:
    """Add a bias to the class token's attention logits. The hooks leave with the block, whatever happens.

    Args:
        visual: a tower for which `towers.why_no_focus` is None.
        bias: over patches, (n, T - 1); the forward passes inside take n pictures.
    """
    hooks = [
        block.register_forward_pre_hook(_Biased(bias), with_kwargs=True) for block in visual.transformer.resblocks
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Biased:
    """Gives a block an additive mask, (n H, T, T), that is zero but for the class token's row."""

    def __init__(self, bias: Tensor) -> None:
        self._bias = bias

    def __call__(self, block: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        heads = int(block.attn.num_heads)  # type: ignore[union-attr, arg-type]
        n, patches = self._bias.shape
        mask = self._bias.new_zeros(n, 1, patches + 1, patches + 1)
        mask[:, 0, 0, 1:] = self._bias
        spread = mask.expand(n, heads, patches + 1, patches + 1).reshape(n * heads, patches + 1, patches + 1)
        return inputs, {**named, "attn_mask": spread}
