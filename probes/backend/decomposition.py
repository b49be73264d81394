r"""The image embedding of a plain pre-norm ViT as an exact sum (Gandelsman, Efros & Steinhardt 2024).

The class token before the last norm is a sum over the layers l and heads h, written on the left of residual
width w, with x^l (T, w) the tokens after the layer's first norm:

    c = c_0 + sum_l [ sum_h o_lh + g1_l * b_l + m_l ]
    o_lh = g1_l * W^O_lh (W^V_lh z_lh + b^V_lh),   z_lh = sum_t a_lht x^l_t,   a_lh = softmax_t(q_lh . k_lht)

where a are the attention weights of the class token, m_l what the MLP adds to it, b_l the output bias, g the
LayerScale (1 where there is none). The last norm is linear once its mean and deviation are those of the whole, so
with A = (I - 11^T/w) diag(weight) proj, (w, d),

    embedding = (c A / sigma + bias proj) / norm.

Only the class token's row of the attention is needed. Its scores q.(W^K x_t + b^K) are computed as (W^K^T q).x_t
(b^K shifts all of them alike and leaves the softmax), and its values as W^V (sum_t a_t x_t) + b^V, since the
weights sum to one: H vectors of width w for each picture instead of keys and values for every token. That is what
keeps the whole within a third more than a plain forward pass.

Reference: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import LayerScale, ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn


def why_not(visual: nn.Module) -> str | None:
    """Why an image tower has no class token to take apart, in a sentence; None if it has."""
    if isinstance(visual, ModifiedResNet):
        return "its image tower is a ResNet, which has no class token and no layers of attention heads"
    if isinstance(visual, TimmModel):
        kind = type(visual.trunk).__name__
        return f"its image tower is timm's {kind}, whose heads are not read here; only open_clip's own ViT is"
    if not isinstance(visual, VisionTransformer):
        return f"its image tower is a {type(visual).__name__}, whose heads are not read here"
    if visual.attn_pool is not None:
        return "its image tower pools all tokens by one more attention (as CoCa does) instead of a class token"
    if visual.pool_type != "tok":
        return "its image tower averages its patches instead of reading a class token"
    if any(type(block) is not ResidualAttentionBlock for block in visual.transformer.resblocks):
        return "its attention blocks have norms or scales of their own, under which heads do not simply add up"
    if visual.proj is None:
        return "its image tower has no projection into a shared space"
    return None


def shape(visual: Any) -> tuple[int, int, int]:
    """Layers L, heads H and tokens T of a tower for which `why_not` is None."""
    blocks = visual.transformer.resblocks
    return len(blocks), int(blocks[0].attn.num_heads), int(visual.positional_embedding.shape[0])


@dataclass(frozen=True)
class Terms:
    """One batch of pictures taken apart, all float32 on the model's device.

    Attributes:
        heads: (n, L, H, d).
        mlps: (n, L, d).
        initial: (n, d).
        constant: (n, d).
        embedding: (n, d), the tower's own output at unit length.
        tokens: (n, L, H, T, d) or None.
    """

    heads: Tensor
    mlps: Tensor
    initial: Tensor
    constant: Tensor
    embedding: Tensor
    tokens: Tensor | None

    def error(self) -> float:
        """Largest absolute difference between the sum of the terms and the embedding."""
        total = self.heads.sum((1, 2)) + self.mlps.sum(1) + self.initial + self.constant
        return float((total - self.embedding).abs().max())


@dataclass
class Trace:
    """What one forward pass leaves behind, one entry a layer.

    Attributes:
        attention: (n, H, T), weights of the class token.
        heads: (n, H, w), what each head adds to the class token.
        tokens: (n, H, T, d), the same before the sum over tokens and after `to_shared`; empty unless asked for.
        mlps: (n, w).
        initial: (n, w), the class token as it enters the first layer.
        whole: (n, w), the class token as it leaves the last.
    """

    attention: list[Tensor] = field(default_factory=list)
    heads: list[Tensor] = field(default_factory=list)
    tokens: list[Tensor] = field(default_factory=list)
    mlps: list[Tensor] = field(default_factory=list)
    initial: Tensor | None = None
    whole: Tensor | None = None


@torch.inference_mode()
def decompose(visual: Any, pixels: Tensor, by_token: bool = False) -> Terms:
    """Take apart the embeddings of a batch.

    Args:
        visual: a tower for which `why_not` is None.
        pixels: (n, 3, height, width), normalised.
        by_token: also give heads before the sum over tokens.
    """
    shared = to_shared(visual)
    with tracing(visual, heads=True, shared=shared if by_token else None) as trace:
        features = visual(pixels).float()
    assert trace.initial is not None  # for the type checker: the hooks have run
    assert trace.whole is not None
    length = features.norm(dim=-1, keepdim=True)
    deviation = (trace.whole.var(dim=-1, unbiased=False, keepdim=True) + visual.ln_post.eps).sqrt()
    scale = 1.0 / (deviation * length)  # (n, 1)
    biases = torch.stack(
        [layer_scale(block.ls_1) * block.attn.out_proj.bias for block in visual.transformer.resblocks]
    ).sum(0)
    constant = (biases @ shared) * scale + (visual.ln_post.bias @ visual.proj) / length
    tokens = torch.stack(trace.tokens, dim=1).mul_(scale[:, :, None, None, None]) if by_token else None
    return Terms(
        heads=torch.stack([heads @ shared for heads in trace.heads], dim=1).mul_(scale[:, :, None, None]),
        mlps=torch.stack([mlp @ shared for mlp in trace.mlps], dim=1).mul_(scale[:, :, None]),
        initial=(trace.initial @ shared) * scale,
        constant=constant,
        embedding=features / length,
        tokens=tokens,
    )


@torch.inference_mode()
def class_attention(visual: Any, pixels: Tensor) -> Tensor:
    """Attention weights of the class token over all tokens, (n, L, H, T), rows summing to one."""
    with tracing(visual, heads=False) as trace:
        visual(pixels)
    return torch.stack(trace.attention, dim=1)


def to_shared(visual: Any) -> Tensor:
    """A, (w, d): centre, weight of the last norm, projection."""
    weighted = visual.ln_post.weight[:, None] * visual.proj
    centred: Tensor = weighted - weighted.mean(dim=0, keepdim=True)
    return centred


def layer_scale(module: nn.Module) -> Tensor | float:
    """The factor of a LayerScale, (w,); 1 where there is none."""
    return module.gamma if isinstance(module, LayerScale) else 1.0


@contextmanager
def tracing(visual: Any, heads: bool, shared: Tensor | None = None) -> Iterator[Trace]:
    """Record the class token through one forward pass. The hooks leave with the block, whatever happens.

    Args:
        visual: the tower.
        heads: whether to record what heads and MLPs add, besides the attention weights.
        shared: A, to record heads by token as well.
    """
    trace, hooks = Trace(), []
    for block in visual.transformer.resblocks:
        hooks.append(block.ln_1.register_forward_hook(_HeadHook(trace, block, heads, shared)))
        if heads:
            hooks.append(block.mlp.register_forward_hook(_MlpHook(trace, block)))
    hooks.append(visual.transformer.register_forward_hook(_EndsHook(trace)))
    try:
        yield trace
    finally:
        for hook in hooks:
            hook.remove()


class _EndsHook:
    """Keeps the class token before the first layer and after the last."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._trace.initial, self._trace.whole = inputs[0][:, 0].float(), output[:, 0].float()


class _MlpHook:
    """Keeps what an MLP adds to the class token."""

    def __init__(self, trace: Trace, block: Any) -> None:
        self._trace, self._block = trace, block

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._trace.mlps.append(output[:, 0] * layer_scale(self._block.ls_2))


class _HeadHook:
    """Recomputes the class token's attention from the tokens after the layer's first norm."""

    def __init__(self, trace: Trace, block: Any, heads: bool, shared: Tensor | None) -> None:
        self._trace, self._block, self._heads, self._shared = trace, block, heads, shared

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        weights = _Weights(self._block.attn)
        attention = weights.attention(output)
        self._trace.attention.append(attention)
        if not self._heads:
            return
        gain = layer_scale(self._block.ls_1)
        self._trace.heads.append(weights.written(attention, output) * gain)
        if self._shared is not None:
            self._trace.tokens.append(weights.written_by_token(attention, output, gain, self._shared))


class _Weights:
    """The weights of one attention layer, by head: H heads of width e in a residual stream of width w."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        count, width = attention.num_heads, attention.embed_dim
        assert attention.in_proj_weight is not None  # open_clip's towers pack them
        queries, keys, values = attention.in_proj_weight.view(3, count, width // count, width)
        bias = attention.in_proj_bias
        if bias is None:
            bias = attention.in_proj_weight.new_zeros(3 * width)
        self.query_bias, _, self.value_bias = bias.view(3, count, width // count)
        self.queries, self.keys, self.values = queries, keys, values  # (H, e, w)
        self.out = attention.out_proj.weight.view(width, count, width // count).permute(1, 2, 0)  # (H, e, w)

    def attention(self, tokens: Tensor) -> Tensor:
        """Weights of the class token over all tokens, (n, H, T), for tokens (n, T, w)."""
        query = torch.einsum("nw,hew->nhe", tokens[:, 0], self.queries) + self.query_bias
        reading = torch.einsum("nhe,hew->nhw", query * self.queries.shape[1] ** -0.5, self.keys)
        return F.softmax(reading @ tokens.transpose(1, 2), dim=-1)

    def written(self, attention: Tensor, tokens: Tensor) -> Tensor:
        """What each head adds to the class token, (n, H, w), before LayerScale."""
        value = torch.einsum("nhw,hew->nhe", attention @ tokens, self.values) + self.value_bias
        written: Tensor = torch.einsum("nhe,hew->nhw", value, self.out)
        return written

    def written_by_token(self, attention: Tensor, tokens: Tensor, gain: Tensor | float, shared: Tensor) -> Tensor:
        """The same for each token it reads, through LayerScale and A: (n, H, T, d)."""
        value = torch.einsum("ntw,hew->nhte", tokens, self.values) + self.value_bias[:, None]
        written: Tensor = (attention[..., None] * value) @ ((self.out * gain) @ shared)
        return written
