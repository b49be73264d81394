r"""An embedding as an exact sum over heads, MLPs and constants (Gandelsman, Efros & Steinhardt 2024).

The token that is read is, before the last norm, a sum over the layers l and heads h of a residual stream,
written on the left of its width w, with x^l (T, w) the tokens after the layer's first norm:

    c = c_0 + sum_l [ sum_h g1_l * W^O_lh z_lh + g1_l * b_l + m_l ],    z_lh = W^V_lh (sum_t a_lht x^l_t) + b^V_lh,

where a are the attention weights of the token that is read, m_l what the MLP adds to it, b_l the output bias, g
the LayerScale (1 where there is none). The last norm is linear once its mean and deviation are those of the
whole, so with A = (I - 11^T/w) diag(weight) proj, (w, d),

    embedding = (c A / sigma + bias proj + b^proj) / norm.

In a pooling layer the same holds with one layer and no c_0. Only one row of the attention is needed (`heads`),
which is what keeps the whole within a third more than a plain forward pass.

Reference: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from probes.backend.readers import Reader, Trace, Where, Wish


@dataclass(frozen=True)
class Terms:
    """One batch taken apart, all float32 on the model's device. See `probes.core.decomposition`.

    Attributes:
        outputs: (n, L, H, e).
        mlps: (n, M, d).
        initial: (n, d).
        constant: (n, d).
        embedding: (n, d), the tower's own output at unit length.
        error: largest absolute difference between the sum of the terms and the embedding.
        by_token: (n, L, H, T, e) or None.
    """

    outputs: Tensor
    mlps: Tensor
    initial: Tensor
    constant: Tensor
    embedding: Tensor
    error: float
    by_token: Tensor | None


@torch.inference_mode()
def decompose(reader: Reader, forward: Callable[[], Tensor], where: Where = 0, by_token: bool = False) -> Terms:
    """Take apart the embeddings of a batch.

    Args:
        reader: how the tower is read.
        forward: runs the tower, once, to features (n, d) of any length.
        where: which token is read.
        by_token: also give the heads' outputs before the sum over tokens.
    """
    with reader.tracing(Wish(by_token=by_token), where) as trace:
        features = forward().float()
    ending, (n, d) = reader.ending, features.shape
    scale, length, fixed = _scales(reader, trace, features)
    mlps = [features.new_zeros(n, 0, d), *(ending.through(mlp)[:, None] for mlp in trace.mlps)]
    initial = features.new_zeros(n, d) if trace.initial is None else ending.through(trace.initial) * scale
    terms = Terms(
        outputs=torch.stack(trace.outputs, dim=1).mul_(scale[:, :, None, None]),
        mlps=torch.cat(mlps, dim=1).mul_(scale[:, :, None]),
        initial=initial,
        constant=ending.through(reader.added()) * scale + fixed / length,
        embedding=torch.nn.functional.normalize(features, dim=-1),
        error=0.0,
        by_token=torch.stack(trace.by_token, dim=1).mul_(scale[:, :, None, None, None]) if by_token else None,
    )
    heads = terms.outputs.flatten(1) @ reader.writes.flatten(0, 2)
    total = heads + terms.mlps.sum(dim=1) + terms.initial + terms.constant
    return replace(terms, error=float((total - terms.embedding).abs().max()))


@torch.inference_mode()
def written(
    reader: Reader,
    forward: Callable[[], Tensor],
    heads: Sequence[tuple[int, int]],
    mlps: Sequence[int],
    where: Where = 0,
) -> tuple[Tensor, Tensor]:
    """Embeddings of a batch, and the sum of what some heads and MLPs write to each: (n, d) and (n, d).

    Only the layers concerned are watched, so that it costs little more than a plain forward pass.

    Args:
        reader: how the tower is read.
        forward: runs the tower, once, to features (n, d) of any length.
        heads: (layer, head) pairs.
        mlps: layers whose MLP counts.
        where: which token is read.
    """
    layers = sorted({layer for layer, _ in heads})
    with reader.tracing(Wish(layers=frozenset(layers), mlps=frozenset(mlps)), where) as trace:
        features = forward().float()
    scale, _, _ = _scales(reader, trace, features)
    total = torch.zeros_like(features)
    for layer, head in heads:
        total += trace.outputs[layers.index(layer)][:, head] @ reader.writes[layer, head]
    for mlp in trace.mlps:
        total += reader.ending.through(mlp)
    return torch.nn.functional.normalize(features, dim=-1), total * scale


@torch.inference_mode()
def attention(reader: Reader, forward: Callable[[], Tensor], where: Where = 0) -> Tensor:
    """Attention weights of the token that is read over all tokens, (n, L, H, T), rows summing to one."""
    with reader.tracing(Wish(outputs=False), where) as trace:
        forward()
    return torch.stack(trace.attention, dim=1)


def _scales(reader: Reader, trace: Trace, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What all terms are multiplied with (n, 1), the embeddings' norms (n, 1), and what is added to all (d,)."""
    assert trace.whole is not None  # for the type checker: the hooks have run
    deviation = reader.ending.inverse_deviation(trace.whole)
    fixed = reader.ending.constant(features.shape[1], features)
    length = (reader.ending.through(trace.whole) * deviation + fixed).norm(dim=-1, keepdim=True)
    return deviation / length, length, fixed
