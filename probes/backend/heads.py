"""The weights of one attention layer by head, and what each head writes when one query reads all tokens.

For a query vector q_h (e,), tokens x_t (w,) and each head h,

    a_ht = softmax_t((q_h . (W^K_h x_t + b^K_h)) / sqrt(e) + mask_t),    z_h = W^V_h (sum_t a_ht x_t) + b^V_h.

The scores are computed as (W^K_h^T q_h) . x_t, since b^K_h shifts all of them alike and leaves the softmax; and
the value of the weighted mean instead of the weighted mean of values, since the weights sum to one. That takes H
vectors of width w for each picture instead of keys and values for every token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class HeadWeights:
    """H heads of width e that read tokens of width w and write vectors of width v.

    Attributes:
        queries: (H, e, w'), from whatever asks, of width w'.
        query_bias: (H, e).
        keys: (H, e, w).
        values: (H, e, w).
        value_bias: (H, e).
        out: (H, e, v).
    """

    queries: Tensor
    query_bias: Tensor
    keys: Tensor
    values: Tensor
    value_bias: Tensor
    out: Tensor

    @classmethod
    def of(cls, attention: nn.MultiheadAttention) -> HeadWeights:
        """Those of PyTorch's attention, whether it packs its three matrices or not."""
        if attention.in_proj_weight is not None:
            matrices = attention.in_proj_weight.chunk(3)
        else:
            matrices = (attention.q_proj_weight, attention.k_proj_weight, attention.v_proj_weight)
        bias = attention.in_proj_bias
        biases = (None, None, None) if bias is None else bias.chunk(3)
        return cls.built(attention.num_heads, matrices, biases, attention.out_proj.weight)

    @classmethod
    def built(cls, count: int, matrices: Any, biases: Any, out: Tensor) -> HeadWeights:
        """Cut matrices of all heads into those of each.

        Args:
            count: H.
            matrices: of queries, keys and values, (H e, width of what each reads).
            biases: of the same, (H e,) or None each.
            out: the output matrix, (v, H e).
        """
        queries, keys, values = (matrix.reshape(count, -1, matrix.shape[1]) for matrix in matrices)
        query_bias, value_bias = (
            queries.new_zeros(queries.shape[:2]) if bias is None else bias.view(count, -1)
            for bias in (biases[0], biases[2])
        )
        return cls(
            queries, query_bias, keys, values, value_bias, out.reshape(len(out), count, -1).permute(1, 2, 0)
        )

    @property
    def count(self) -> int:
        """H, the number of heads."""
        return int(self.out.shape[0])

    @property
    def width(self) -> int:
        """The width e of a head."""
        return int(self.out.shape[1])

    def asked(self, asking: Tensor) -> Tensor:
        """The query vectors (..., H, e) of tokens (..., w')."""
        return torch.einsum("...w,hew->...he", asking, self.queries) + self.query_bias

    def attention(self, queries: Tensor, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Weights of one query over all tokens, (n, H, T), rows summing to one.

        Args:
            queries: (n, H, e).
            tokens: (n, T, w).
            mask: added to the scores, (n or 1, H or 1, T); None for none.
        """
        reading = torch.einsum("nhe,hew->nhw", queries * self.width**-0.5, self.keys)
        scores = reading @ tokens.transpose(1, 2)
        return F.softmax(scores if mask is None else scores + mask, dim=-1)

    def mean_attention(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Weights over all tokens, averaged over Q queries, (n, H, T).

        Args:
            queries: (n, Q, H, e).
            tokens: (n, T, w).
        """
        keys = torch.einsum("ntw,hew->nhet", tokens, self.keys)
        scores = (queries * self.width**-0.5).transpose(1, 2) @ keys
        return F.softmax(scores, dim=-1).mean(dim=2)

    def outputs(self, attention: Tensor, tokens: Tensor) -> Tensor:
        """What each head reads, z, (n, H, e)."""
        return torch.einsum("nhw,hew->nhe", attention @ tokens, self.values) + self.value_bias

    def outputs_by_token(self, attention: Tensor, tokens: Tensor) -> Tensor:
        """The same before the sum over tokens, (n, H, T, e)."""
        values = torch.einsum("ntw,hew->nhte", tokens, self.values) + self.value_bias[:, None]
        return attention[..., None] * values
