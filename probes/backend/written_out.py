"""A plain transformer tower written out, from the tokens that enter it to unit embeddings, to be differentiated.

PyTorch's fused attention has no derivative forward. It can be kept from being used, but only in the whole
process at once, where other threads encode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from probes.backend.readers import Ending, picked

ROOM = 128_000_000
"""Bytes of one layer's widest derivatives that are held at once."""


@dataclass(frozen=True)
class WrittenOut:
    """A tower.

    Attributes:
        blocks: of the transformer.
        ending: what follows.
        where: the position that is read; None for the mean of the patches.
        mask: added to the scores of attention, (T, T) or (H, T, T); None for none.
    """

    blocks: Sequence[Any]
    ending: Ending
    where: int | None
    mask: Tensor | None

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens (T, w) to a unit embedding (d,)."""
        for block in self.blocks:
            tokens = tokens + block.ls_1(self._attention(block.attn, block.ln_1(tokens)))
            tokens = tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
        read, ending = picked(tokens[None], self.where)[0], self.ending
        read = read if ending.norm is None else ending.norm(read)
        read = read if ending.matrix is None else read @ ending.matrix
        return F.normalize(read if ending.bias is None else read + ending.bias, dim=-1)

    def _attention(self, layer: Any, tokens: Tensor) -> Tensor:
        packed = F.linear(tokens, layer.in_proj_weight, layer.in_proj_bias)
        cut = packed.reshape(len(tokens), 3, layer.num_heads, -1)
        queries, keys, values = cut.permute(1, 2, 0, 3)  # (H, T, e) each
        scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(1, 2)
        weights = F.softmax(scores if self.mask is None else scores + self.mask, dim=-1)
        found: Tensor = layer.out_proj((weights @ values).transpose(0, 1).flatten(1))
        return found

    def at_once(self, length: int) -> int:
        """How many derivatives at `length` tokens there is room for."""
        mlp, attention = self.blocks[0].mlp.c_fc, self.blocks[0].attn
        widest = max(int(mlp.out_features), 3 * int(attention.embed_dim), int(attention.num_heads) * length)
        return max(1, ROOM // (4 * length * widest))


def entering(transformer: Any, forward: Callable[[], object]) -> tuple[Tensor, Tensor | None]:
    """The tokens that enter a transformer, (n, T, w), and its mask; the caller holds the lock."""
    seen: list[tuple[Tensor, Tensor | None]] = []

    def look(module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.append((inputs[0], named.get("attn_mask")))

    hook = transformer.register_forward_pre_hook(look, with_kwargs=True)
    try:
        with torch.inference_mode(False), torch.no_grad():
            forward()
    finally:
        hook.remove()
    return seen[0]
