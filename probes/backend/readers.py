"""Where an embedding is read off a tower as a sum, and hooks that record the sum's terms through a forward pass.

Two kinds of reading make an embedding an exact sum over heads:

- a **residual stream** (`Stream`): every layer adds what its heads and its MLP write to the tokens, and one
  token (or the mean of the patches) is read after the last layer;
- a **pooling layer** (`Pool`): one query of its own reads all tokens of the last layer, whatever made them. The
  sum then goes over the heads of that one layer, and over the tokens they read.

Either way a last norm, a projection and a bias may follow (`Ending`), which are linear once the norm's mean and
deviation are those of the whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from open_clip.transformer import LayerScale
from torch import Tensor, nn

from probes.backend.heads import HeadWeights
from probes.core.model import Float32

Where = Tensor | int | None
"""The position of the token that is read, one for all rows or one each, (n,); None for the mean of all but the
first."""


@dataclass(frozen=True)
class Ending:
    """What follows the sum: a norm, a projection, a bias, each of which may be missing.

    Attributes:
        norm: the last norm.
        matrix: of the projection, (w, d).
        bias: of the projection, (d,).
    """

    norm: nn.LayerNorm | None = None
    matrix: Tensor | None = None
    bias: Tensor | None = None

    def through(self, terms: Tensor) -> Tensor:
        """Terms (..., w) through the norm's centring and weight and the projection, (..., d)."""
        if self.norm is not None:
            terms = (terms - terms.mean(dim=-1, keepdim=True)) * self.norm.weight
        return terms if self.matrix is None else terms @ self.matrix

    def inverse_deviation(self, whole: Tensor) -> Tensor:
        """What the norm multiplies rows (n, w) with, (n, 1)."""
        if self.norm is None:
            return whole.new_ones(len(whole), 1)
        return (whole.var(dim=-1, unbiased=False, keepdim=True) + self.norm.eps).rsqrt()

    def constant(self, d: int, like: Tensor) -> Tensor:
        """What is added to every embedding, (d,)."""
        total = like.new_zeros(d)
        if self.norm is not None and self.norm.bias is not None:
            total = total + (self.norm.bias if self.matrix is None else self.norm.bias @ self.matrix)
        return total if self.bias is None else total + self.bias


@dataclass
class Trace:
    """What one forward pass leaves behind. Lists have one entry for each layer that was watched.

    Attributes:
        attention: (n, H, T).
        outputs: (n, H, e).
        by_token: (n, H, T, e), if asked for.
        mlps: (n, w).
        initial: (n, w), the token that is read as it enters the first layer; None in a pooling layer.
        whole: (n, w), the sum before the ending.
    """

    attention: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    by_token: list[Tensor] = field(default_factory=list)
    mlps: list[Tensor] = field(default_factory=list)
    initial: Tensor | None = None
    whole: Tensor | None = None


@dataclass(frozen=True)
class Wish:
    """What to record.

    Attributes:
        outputs: what heads read, besides the attention weights.
        by_token: the same before the sum over tokens.
        layers: which layers' heads; None for all.
        mlps: which MLPs; None for all.
    """

    outputs: bool = True
    by_token: bool = False
    layers: frozenset[int] | None = None
    mlps: frozenset[int] | None = None

    def heads_of(self, layer: int) -> bool:
        """Whether the heads of a layer are watched."""
        return self.layers is None or layer in self.layers

    def mlp_of(self, layer: int) -> bool:
        """Whether the MLP of a layer is watched."""
        return self.outputs and (self.mlps is None or layer in self.mlps)


class Reader(ABC):
    """How an embedding is read off one tower.

    Attributes:
        layers: L names.
        weights: of each layer's heads.
        ending: what follows the sum.
        mlp_count: M.
        tokens: T.
        prefix: tokens before the first patch.
        grid: (rows, columns) of patches; None for texts.
    """

    layers: tuple[str, ...]
    weights: Sequence[HeadWeights]
    ending: Ending
    mlp_count: int
    tokens: int
    prefix: int = 1
    grid: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """L, H and e."""
        return len(self.layers), self.weights[0].count, self.weights[0].width

    @cached_property
    def writes(self) -> Tensor:
        """What each head does with its output, through the ending, (L, H, e, d)."""
        with torch.no_grad():
            return torch.stack(
                [
                    self.ending.through(weights.out * gain)
                    for weights, gain in zip(self.weights, self.gains, strict=True)
                ]
            )

    @cached_property
    def writes_copied(self) -> Float32:
        """The same off the device, for all answers to share; read-only."""
        copied: Float32 = self.writes.cpu().numpy()
        copied.setflags(write=False)
        return copied

    @property
    @abstractmethod
    def gains(self) -> Sequence[Tensor | float]:
        """What each layer multiplies its attention's output with, (w,)."""

    @abstractmethod
    def added(self) -> Tensor:
        """The output biases of all layers, (w,)."""

    @abstractmethod
    def tracing(self, wish: Wish, where: Where = 0) -> Any:
        """Record a forward pass in a `Trace`, as a context. Its hooks leave with it, whatever happens."""


def layer_scale(module: nn.Module) -> Tensor | float:
    """The factor of a LayerScale, (w,); 1 where there is none."""
    return module.gamma if isinstance(module, LayerScale) else 1.0


def picked(tokens: Tensor, where: Where) -> Tensor:
    """The token that is read of tokens (n, T, w), or the mean of all but the first: (n, w)."""
    if where is None:
        return tokens[:, 1:].mean(dim=1)
    if isinstance(where, int):
        return tokens[:, where]
    return tokens[torch.arange(len(tokens), device=tokens.device), where.to(tokens.device)]


class Stream(Reader):
    """A pre-norm transformer of open_clip's plain blocks.

    Args:
        transformer: the stack of blocks.
        ending: what follows.
        tokens: T.
        grid: of patches; None for texts.
    """

    def __init__(self, transformer: Any, ending: Ending, tokens: int, grid: tuple[int, int] | None) -> None:
        self._transformer, self._blocks = transformer, tuple(transformer.resblocks)
        self.layers = tuple(f"layer {index}" for index in range(len(self._blocks)))
        self.weights = tuple(HeadWeights.of(block.attn) for block in self._blocks)
        self.ending, self.mlp_count, self.tokens, self.grid = ending, len(self._blocks), tokens, grid

    @property
    def gains(self) -> Sequence[Tensor | float]:
        """LayerScale, where there is one."""
        return [layer_scale(block.ls_1) for block in self._blocks]

    def added(self) -> Tensor:
        """The output biases of all layers, (w,)."""
        biases = [gain * block.attn.out_proj.bias for block, gain in zip(self._blocks, self.gains, strict=True)]
        return torch.stack(biases).sum(dim=0)

    @contextmanager
    def tracing(self, wish: Wish, where: Where = 0) -> Iterator[Trace]:
        """Record one forward pass."""
        trace, hooks = Trace(), []
        for index, (block, weights) in enumerate(zip(self._blocks, self.weights, strict=True)):
            if wish.heads_of(index):
                hook = _Layer(trace, weights, wish, where)
                hooks.append(block.register_forward_pre_hook(hook.enter, with_kwargs=True))
                hooks.append(block.ln_1.register_forward_hook(hook.read))
            if wish.mlp_of(index):
                hooks.append(block.mlp.register_forward_hook(_Mlp(trace, layer_scale(block.ls_2), where)))
        hooks.append(self._transformer.register_forward_hook(_Ends(trace, where)))
        try:
            yield trace
        finally:
            for hook in hooks:
                hook.remove()


class _Ends:
    """Keeps the token that is read, before the first layer and after the last."""

    def __init__(self, trace: Trace, where: Where) -> None:
        self._trace, self._where = trace, where

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._trace.initial = picked(inputs[0], self._where).float()
        self._trace.whole = picked(output, self._where).float()


class _Mlp:
    """Keeps what an MLP adds to the token that is read."""

    def __init__(self, trace: Trace, gain: Tensor | float, where: Where) -> None:
        self._trace, self._gain, self._where = trace, gain, where

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self._trace.mlps.append(picked(output, self._where) * self._gain)


class _Layer:
    """Recomputes the attention of the token that is read, from the tokens after the layer's first norm."""

    def __init__(self, trace: Trace, weights: HeadWeights, wish: Wish, where: Where) -> None:
        self._trace, self._weights, self._wish, self._where = trace, weights, wish, where
        self._mask: Tensor | None = None

    def enter(self, block: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Take note of the mask the block is given: causal, of padding, or a focus."""
        self._mask = named.get("attn_mask")

    def read(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        """What each head reads."""
        if self._where is None:
            attention = self._weights.mean_attention(self._weights.asked(output[:, 1:]), output)
        else:
            asking = self._weights.asked(picked(output, self._where))
            attention = self._weights.attention(asking, output, self._row(len(output)))
        record(self._trace, self._weights, attention, output, self._wish)

    def _row(self, n: int) -> Tensor | None:
        """The mask's row of the token that is read, (n or 1, H or 1, T)."""
        mask, where = self._mask, self._where
        if mask is None or where is None:
            return None
        rows = mask[None, None] if mask.ndim == 2 else mask.view(n, -1, *mask.shape[1:])  # (n or 1, H or 1, T, T)
        if isinstance(where, int):
            return rows[:, :, where]
        if len(rows) == 1:
            return rows[0, 0, where.to(rows.device)][:, None]
        return rows[torch.arange(n, device=rows.device), :, where.to(rows.device)]


def record(trace: Trace, weights: HeadWeights, attention: Tensor, tokens: Tensor, wish: Wish) -> None:
    """Keep of one layer what is wished for."""
    trace.attention.append(attention)
    if wish.by_token:
        trace.by_token.append(weights.outputs_by_token(attention, tokens))
        trace.outputs.append(trace.by_token[-1].sum(dim=2))
    elif wish.outputs:
        trace.outputs.append(weights.outputs(attention, tokens))
