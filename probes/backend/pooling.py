"""Towers whose embedding is read by a pooling layer of attention: the sum over that layer's heads.

ResNets of CLIP (`AttentionPool2d`, whose query is the mean of all positions), CoCa (`AttentionalPooler`) and
timm's ViTs with `map` pooling, such as SigLIP and PE (`AttentionPoolLatent`). What the layers before it wrote
cannot be told apart exactly, since the pooling layer norms and weighs their sum; what its own heads read at each
place can.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from probes.backend.heads import HeadWeights
from probes.backend.readers import Ending, Reader, Trace, Where, Wish, record


class Pool(Reader):
    """A pooling layer.

    Args:
        module: the layer.
        weights: of its heads.
        ending: what follows.
        grid: of patches.
        prefix: tokens before the first patch.
    """

    mlp_count = 0
    layers = ("pooling",)

    def __init__(
        self, module: Any, weights: HeadWeights, ending: Ending, grid: tuple[int, int], prefix: int
    ) -> None:
        self.module, self.weights, self.ending = module, (weights,), ending
        self.grid, self.prefix, self.tokens = grid, prefix, prefix + grid[0] * grid[1]

    @property
    def gains(self) -> Sequence[Tensor | float]:
        """One each."""
        return [1.0]

    @abstractmethod
    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The query vectors (n, H, e) and the tokens (n, T, w) for what the layer is given."""

    @contextmanager
    def tracing(self, wish: Wish, where: Where = 0) -> Iterator[Trace]:
        """Record one forward pass. There is one query, wherever."""
        trace = Trace()
        hooks = [self.module.register_forward_hook(self._reading(trace, wish)), *self._more(trace, wish)]
        try:
            yield trace
        finally:
            for hook in hooks:
                hook.remove()

    def _reading(self, trace: Trace, wish: Wish) -> Any:
        def read(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            trace.whole = (output if output.ndim == 2 else output[:, 0]).float()
            if wish.heads_of(0):
                queries, tokens = self.seen(inputs[0])
                record(trace, self.weights[0], self.weights[0].attention(queries, tokens), tokens, wish)

        return read

    def _more(self, trace: Trace, wish: Wish) -> Sequence[Any]:
        """Further hooks."""
        return ()


class ResNetPool(Pool):
    """The attention pooling of CLIP's ResNets. Token 0 is the mean of all positions, which also asks."""

    def __init__(self, module: Any, grid: tuple[int, int]) -> None:
        projections = (module.q_proj, module.k_proj, module.v_proj)
        weights = HeadWeights.built(
            module.num_heads,
            [projection.weight for projection in projections],
            [projection.bias for projection in projections],
            module.c_proj.weight,
        )
        super().__init__(module, weights, Ending(), grid, prefix=1)

    def added(self) -> Tensor:
        """The output bias, (d,)."""
        bias: Tensor = self.module.c_proj.bias
        return bias

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of all positions before them, and it asks."""
        places = features.flatten(2).transpose(1, 2)
        tokens = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + self.module.positional_embedding
        return self.weights[0].asked(tokens[:, 0]), tokens


class CoCaPool(Pool):
    """The pooling of CoCa as open_clip builds it: the first of its learned queries gives the embedding."""

    def __init__(self, visual: Any) -> None:
        module = visual.attn_pool
        grid = (int(visual.grid_size[0]), int(visual.grid_size[1]))
        super().__init__(module, HeadWeights.of(module.attn), Ending(visual.ln_post, visual.proj), grid, prefix=1)

    def added(self) -> Tensor:
        """The output bias, (w,)."""
        bias: Tensor = self.module.attn.out_proj.bias
        return bias

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The first query, and all tokens through the pooling's own norms."""
        asking = self.weights[0].asked(self.module.ln_q(self.module.query)[0])
        return asking.expand(len(features), -1, -1), self.module.ln_k(features)


class LatentPool(Pool):
    """timm's pooling by a learned query, with an MLP after it."""

    mlp_count = 1

    def __init__(self, module: Any, ending: Ending, grid: tuple[int, int], prefix: int) -> None:
        keys, values = module.kv.weight.chunk(2)
        bias = (None, None) if module.kv.bias is None else module.kv.bias.chunk(2)
        matrices, biases = (module.q.weight, keys, values), (module.q.bias, *bias)
        weights = HeadWeights.built(module.num_heads, matrices, biases, module.proj.weight)
        super().__init__(module, weights, ending, grid, prefix)

    def added(self) -> Tensor:
        """The output bias, (w,)."""
        bias: Tensor = self.module.proj.bias
        return bias

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The learned query, and all tokens."""
        tokens = features if self.module.pos_embed is None else features + self.module.pos_embed
        asking = self.weights[0].asked(self.module.latent[0, 0])
        return asking.expand(len(features), -1, -1), tokens

    def _more(self, trace: Trace, wish: Wish) -> Sequence[Any]:
        def keep(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            trace.mlps.append(output[:, 0])

        return (self.module.mlp.register_forward_hook(keep),) if wish.mlp_of(0) else ()
