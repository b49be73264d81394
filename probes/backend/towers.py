"""Which towers can be taken apart, and how: a `Reader`, or why not in the words of a sentence.

| tower                                             | read as                                              |
|---------------------------------------------------|------------------------------------------------------|
| open_clip's ViT, class token                      | a sum over all layers and heads                      |
| open_clip's ViT, mean of patches (CLIPA)          | a sum over all layers and heads                      |
| open_clip's ViT with attention pooling (CoCa)     | a sum over the pooling layer's heads                 |
| CLIP's ResNets                                    | a sum over the pooling layer's heads                 |
| timm's ViTs with `map` pooling (SigLIP, PE)       | a sum over the pooling layer's heads and its MLP     |
| timm's other towers (ConvNeXt, EVA, ViTamin, ...) | not                                                  |
| open_clip's text transformers                     | a sum over all layers and heads                      |
| text towers of transformers                       | not                                                  |
"""

from __future__ import annotations

from typing import Any

from open_clip.hf_model import HFTextEncoder
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import ResidualAttentionBlock, TextTransformer, VisionTransformer
from torch import Tensor, nn

from probes.backend.pooling import CoCaPool, LatentPool, ResNetPool
from probes.backend.readers import Ending, Reader, Stream, Where

_OWN_NORMS = "its attention blocks have norms or scales of their own, under which heads do not simply add up"


def image_reader(visual: Any) -> Reader | str:
    """How an image tower's embedding is read as a sum, or why it cannot be."""
    if isinstance(visual, ModifiedResNet):
        return _of_resnet(visual)
    if isinstance(visual, TimmModel):
        return _of_timm(visual)
    if not isinstance(visual, VisionTransformer):
        return f"its image tower is a {type(visual).__name__}, whose heads are not read here"
    if visual.attn_pool is not None:
        if visual.attn_pool_contrastive is not None or visual.pool_type != "tok":
            return "its image tower pools all tokens by two attention layers, one on the other"
        return CoCaPool(visual)
    if visual.proj is None:
        return "its image tower has no projection into a shared space"
    if visual.pool_type == "avg" and not visual.final_ln_after_pool:
        return "its image tower averages its patches after norming each, which no sum over heads survives exactly"
    if visual.pool_type not in ("tok", "avg"):
        return "its image tower gives no single token"
    if not _plain(visual.transformer):
        return _OWN_NORMS
    grid = (int(visual.grid_size[0]), int(visual.grid_size[1]))
    return Stream(visual.transformer, Ending(visual.ln_post, visual.proj), 1 + grid[0] * grid[1], grid)


def image_where(visual: Any) -> Where:
    """Which token the embedding is read at."""
    return None if isinstance(visual, VisionTransformer) and visual.pool_type == "avg" else 0


def why_no_focus(visual: Any) -> str | None:
    """Why an image tower cannot be told where to look, in a sentence; None if it can."""
    found = image_reader(visual)
    if isinstance(found, str):
        return found
    if not isinstance(found, Stream):
        return "its image tower has a pooling layer in the place of a class token"
    if image_where(visual) is None:
        return "its image tower averages its patches instead of reading a class token"
    return None


def text_reader(model: Any) -> Reader | str:
    """How a text tower's embedding is read as a sum, or why it cannot be."""
    tower = getattr(model, "text", model)  # the plain CLIP is its own text tower
    if isinstance(tower, HFTextEncoder):
        return "its text tower comes from the transformers library, whose heads are not read here"
    if isinstance(tower, nn.Module) and not hasattr(tower, "ln_final"):
        return f"its text tower is a {type(tower).__name__}, whose heads are not read here"
    if _pooling(tower) == "none":
        return "its text tower gives no single token"
    if not _plain(tower.transformer):
        return _OWN_NORMS.replace("its attention blocks", "the attention blocks of its text tower")
    return Stream(
        tower.transformer, Ending(tower.ln_final, *_projection(tower.text_projection)), _length(tower), None
    )


def text_where(model: Any, ids: Tensor) -> Where:
    """Which token of each text the embedding is read at, as `open_clip.transformer.text_global_pool` does."""
    tower = getattr(model, "text", model)
    if getattr(tower, "cls_emb", None) is not None:
        return -1
    kind = _pooling(tower)
    if kind in ("first", "last"):
        return 0 if kind == "first" else -1
    if kind == "eos":
        end: int = tower.eos_id if isinstance(tower, TextTransformer) else tower.text_eos_id
        return ids.eq(end).int().argmax(dim=-1)
    return ids.argmax(dim=-1)


def _pooling(tower: Any) -> str:
    return str(tower.pool_type if isinstance(tower, TextTransformer) else tower.text_pool_type)


def _length(tower: Any) -> int:
    return int(getattr(tower, "num_pos", tower.context_length))


def _projection(projection: Any) -> tuple[Tensor | None, Tensor | None]:
    """Matrix (w, d) and bias (d,) of a projection that may be missing, a matrix or a linear layer."""
    if projection is None or isinstance(projection, nn.Identity):
        return None, None
    if isinstance(projection, nn.Linear):
        return projection.weight.T, projection.bias
    matrix: Tensor = projection
    return matrix, None


def _plain(transformer: Any) -> bool:
    return all(type(block) is ResidualAttentionBlock for block in transformer.resblocks)


def _of_resnet(visual: Any) -> Reader | str:
    sides = visual.image_size if isinstance(visual.image_size, tuple) else (visual.image_size,) * 2
    grid = (sides[0] // 32, sides[1] // 32)
    if 1 + grid[0] * grid[1] != len(visual.attnpool.positional_embedding):
        return "its image tower is a ResNet whose pooling does not fit its picture"
    return ResNetPool(visual.attnpool, grid)


def _of_timm(visual: Any) -> Reader | str:
    trunk = visual.trunk
    refused = f"its image tower is timm's {type(trunk).__name__}, whose heads are not read here"
    pool = getattr(trunk, "attn_pool", None)
    if pool is None:
        return refused
    after = [trunk.fc_norm, *(layer for layer in visual.head if not isinstance(layer, nn.Dropout))]
    plain = (
        type(pool).__name__ == "AttentionPoolLatent"
        and pool.latent_len == 1
        and isinstance(pool.q, nn.Linear)
        and pool.mlp is not None
        and isinstance(pool.q_norm, nn.Identity)
        and isinstance(pool.k_norm, nn.Identity)
        and all(isinstance(layer, nn.Identity) for layer in after)
        and isinstance(trunk.head, nn.Identity | nn.Linear)
    )
    if not plain:
        return refused
    # timm's Eva pools its class token too, its ViT only if told to
    includes = getattr(trunk, "pool_include_prefix", True)
    rows, columns = trunk.patch_embed.grid_size
    prefix = int(trunk.num_prefix_tokens) if includes else 0
    return LatentPool(pool, Ending(None, *_projection(trunk.head)), (int(rows), int(columns)), prefix)
