"""What the explorer in `browser` is sent: effects, maps, phrases, and the pictures at the ends of directions."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from cachetools import LRUCache, cached

from probes.attention_heads import gathering
from probes.attention_heads.describing import Description
from probes.attention_heads.nearest import NOBODY
from probes.attention_heads.parameters import AttentionHeadsParams
from probes.attention_heads.result import AttentionHeadsResult
from probes.core.arrays import base64_of
from probes.core.explorer import Payload, sheet
from probes.core.picture_sets import PictureFiles

TILE = 56
LEAST = 4
"""Pictures shown at either end of a direction."""


def payload(params: AttentionHeadsParams, result: AttentionHeadsResult) -> Mapping[str, Any]:
    """What `show` takes."""
    effects = result.effects
    _, layers, heads, rows, columns = effects.maps.shape
    leading = result.leading
    return {
        "grows": "|".join((result.model, result.picture, *result.texts)),
        "model": result.model,
        "text": result.texts[0],
        "others": _others(result.texts),
        "layers": list(effects.layers),
        "heads": heads,
        "mlps": effects.mlps.shape[1],
        "grid": [rows, columns],
        "effects": base64_of(effects.heads),
        "mlp_effects": base64_of(effects.mlps),
        "usual": base64_of(effects.usual_heads),
        "mlp_usual": base64_of(effects.usual_mlps),
        "p": base64_of(effects.p_adjusted),
        "similarity": effects.similarity.tolist(),
        "usual_similarity": effects.usual_similarity.tolist(),
        "error": effects.error,
        "over": result.over,
        "maps": base64_of(effects.maps),
        "attention": base64_of(effects.attention),
        "products": base64_of(effects.products),
        "onto": base64_of(effects.onto),
        "view": result.view.uri,
        "opens": leading.layer * heads + leading.head,
        **_described(params, result, layers * heads),
    }


def _others(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return ""
    return texts[1] if len(texts) == 2 else f"mean of {len(texts) - 1} others"


def _described(params: AttentionHeadsParams, result: AttentionHeadsResult, cells: int) -> dict[str, Any]:
    """Phrases and nearest pictures of each head, and one sheet of all pictures they name; nothing if not asked."""
    found = result.description
    if found is None:
        return {}
    nearest = result.nearest.reshape(cells, -1)
    shown = sorted({int(place) for place in nearest.ravel() if place != NOBODY} | _at_ends(found))
    listed = gathering.names_of(params.pictures)
    names = [listed[result.places[place]] for place in shown]
    pictures = _sheet(params.pictures, tuple(names))
    where = {place: number for number, place in enumerate(shown)}
    return {
        "directions": _directions(found, where),
        "variances": [
            {"explained": one.explained, "chance": one.chance, "embedding": one.embedding}
            for one in found.variances
        ],
        "nearest": [[where[int(place)] for place in row if place != NOBODY] for row in nearest],
        "names": names,
        "n": len(names),
        "sprite": pictures,
    }


def _at_ends(found: Description) -> set[int]:
    return {
        place for one in found.extremes for end in (one.low_pictures, one.high_pictures) for place in end[:LEAST]
    }


def _directions(found: Description, where: Mapping[int, int]) -> list[list[dict[str, Any]]]:
    """The phrases of each head, layer by layer."""
    rows: list[list[dict[str, Any]]] = [[] for _ in range(len(found.layers) * found.heads)]
    for direction, ends in zip(found.directions, found.extremes, strict=True):
        rows[direction.layer * found.heads + direction.head].append(
            {
                "phrase": direction.phrase,
                "share": direction.share,
                "kept": direction.kept,
                "steady": direction.steady is not False,
                "low": [where[place] for place in ends.low_pictures[:LEAST]],
                "high": [where[place] for place in ends.high_pictures[:LEAST]],
            }
        )
    return rows


_lock = threading.Lock()


@cached(LRUCache(maxsize=8), lock=_lock)
def _sheet(files: PictureFiles, names: tuple[str, ...]) -> Payload | None:
    """One sheet of the pictures of these names; none where one of them cannot be read any more."""
    pictures = gathering.named(files, names)
    return sheet(pictures, TILE) if len(pictures) == len(names) else None
