"""Embeddings of pictures and of their captions, row by row, from one file or two.

Read are one `.npz` with the arrays `images` (n, d) and `texts` (n, d), and two files, `.npy` or `.npz`, with the
rows of the pictures in one and those of the captions in the other, such as `python -m probes embed` writes.
Which file is which follows from what it says of itself, from its name, or else from the order. No pickle.

In one `.npz` further arrays may tell of the pairs: `captions` (n,) text, `names` (n,) of the pictures, `labels`
(n,) a category of each, and `logit_scale` ().
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.embeddings import BROUGHT, UNIT, matrix, provenance, read_arrays, unit_rows
from probes.core.errors import ClipspectError
from probes.core.model import Float32

COLLAPSED = 1e-6
"""Where no entry of any row differs from the first row's by more, all rows are the same."""
TEXT_NAMES = ("text", "caption", "word")
"""What is in the name of a file of captions."""

Told = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class EmbeddingPairs:
    """Unit rows of pictures and captions that belong together.

    Attributes:
        name: of the file or files.
        images, texts: (n, d) float32, brought to unit length.
        image_lengths, text_lengths: (n,), the lengths the rows had.
        digest: SHA-256 of the unit rows, pictures first, hexadecimal.
        captions, names, labels: (n,), of the pairs; None where the files do not say.
        model: which model made them; empty where the files do not say.
        logit_scale: of that model; None where the files do not say.
        notes: what was done to read them, as short phrases.
    """

    name: str
    images: Float32 = field(repr=False)
    texts: Float32 = field(repr=False)
    image_lengths: NDArray[np.float64] = field(repr=False)
    text_lengths: NDArray[np.float64] = field(repr=False)
    digest: str
    captions: Told | None = None
    names: Told | None = None
    labels: Told | None = None
    model: str = ""
    logit_scale: float | None = None
    notes: Told = ()

    def __len__(self) -> int:
        return len(self.images)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmbeddingPairs) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    @property
    def were_unit(self) -> bool:
        """Whether all rows had unit length as they came."""
        return BROUGHT not in self.notes

    @classmethod
    def none(cls) -> EmbeddingPairs:
        """No embeddings."""
        return _NONE

    @classmethod
    def read(cls, sources: Sequence[Path | bytes], names: Sequence[str] = ()) -> EmbeddingPairs:
        """Read pairs from one file or two, or from their bytes and names.

        Raises:
            ClipspectError: a file is missing, damaged or not of these forms; rows are not paired, hold what is
                not a number, or have nothing to measure.
        """
        labels = tuple(names) or tuple(s.name if isinstance(s, Path) else "embeddings" for s in sources)
        if len(sources) not in (1, 2):
            raise ClipspectError(f"give one .npz or two .npy files; {len(sources) or 'none'} given")
        read = [read_arrays(source, label) for source, label in zip(sources, labels, strict=True)]
        if len(read) == 1:
            return _of_one(read[0], labels[0])
        first, second = sorted(zip(labels, read, strict=True), key=lambda pair: _is_text(*pair))
        return _of_two(first, second)

    @classmethod
    def of(cls, name: str, images: NDArray[Any], texts: NDArray[Any], **told: Any) -> EmbeddingPairs:
        """Pairs of two arrays (n, d), checked and brought to unit length.

        Raises:
            ClipspectError: they cannot be used.
        """
        _check_shapes(images, texts, name)
        units = {}
        for kind, values in (("images", images), ("texts", texts)):
            rows, lengths = unit_rows(values, f"{name}, {kind}")
            _check_spread(rows, f"{name}, {kind}")
            units[kind] = rows, lengths
        (one, image_lengths), (other, text_lengths) = units["images"], units["texts"]
        odd = max(np.abs(image_lengths - 1).max(), np.abs(text_lengths - 1).max()) > UNIT
        notes = (BROUGHT,) if odd else ()
        digest = hashlib.sha256(one.data)
        digest.update(other.data)
        return cls(name, one, other, image_lengths, text_lengths, digest.hexdigest(), notes=notes, **told)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON pairs are their name, shape, digest and model: numbers and captions stay."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


_EMPTY = np.zeros((0, 0), dtype=np.float32)
_NONE = EmbeddingPairs("", _EMPTY, _EMPTY, np.zeros(0), np.zeros(0), "")


def _describe(given: EmbeddingPairs) -> dict[str, Any] | None:
    if not given.digest:
        return None
    told = {"name": given.name, "pairs": len(given), "width": given.images.shape[1]}
    return told | {"model": given.model, "sha256": given.digest}


def _of_one(arrays: Mapping[str, NDArray[Any]], label: str) -> EmbeddingPairs:
    if not {"images", "texts"} <= arrays.keys():
        raise ClipspectError(
            f"{label}: the arrays 'images' and 'texts' are needed; there are {', '.join(arrays) or 'none'}. "
            "Two files, one of pictures and one of captions, are read as well"
        )
    count = len(arrays["images"]) if arrays["images"].ndim else 0
    told = {key: _told(arrays, key, count, label) for key in ("captions", "names", "labels")}
    return EmbeddingPairs.of(
        label, arrays["images"], arrays["texts"], **told, model=str(provenance(arrays).get("model", "")),
        logit_scale=_scale(arrays, label),
    )  # fmt: skip


def _of_two(
    images: tuple[str, Mapping[str, NDArray[Any]]], texts: tuple[str, Mapping[str, NDArray[Any]]]
) -> EmbeddingPairs:
    (image_label, image_arrays), (text_label, text_arrays) = images, texts
    pictures, captions = matrix(image_arrays, image_label), matrix(text_arrays, text_label)
    made = [str(provenance(arrays).get("weights_digest", "")) for arrays in (image_arrays, text_arrays)]
    if all(made) and made[0] != made[1]:
        raise ClipspectError(f"{image_label} and {text_label} were made by two different models")
    scale = provenance(image_arrays).get("logit_scale")
    return EmbeddingPairs.of(
        f"{image_label}, {text_label}", pictures, captions,
        names=_told(image_arrays, "ids", len(pictures), image_label),
        captions=_told(text_arrays, "ids", len(captions), text_label),
        model=str(provenance(image_arrays).get("model", "")),
        logit_scale=float(scale) if isinstance(scale, (int, float)) else None,
    )  # fmt: skip


def _is_text(label: str, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a file holds captions; of two that do not say, the second one does."""
    kind = provenance(arrays).get("kind")
    if kind in ("pictures", "texts"):
        return bool(kind == "texts")
    return any(word in label.casefold() for word in TEXT_NAMES)


def _check_shapes(images: NDArray[Any], texts: NDArray[Any], name: str) -> None:
    for kind, values in (("images", images), ("texts", texts)):
        if values.ndim != 2 or 0 in values.shape:
            raise ClipspectError(f"{name}: {kind} are an array of rows, (n, d), not of shape {values.shape}")
        if values.dtype.kind not in "fiu":
            raise ClipspectError(f"{name}: {kind} are numbers, not {values.dtype}")
    if images.shape != texts.shape:
        raise ClipspectError(
            f"{name}: images have the shape {images.shape} and texts {texts.shape}; row i of both is one pair, so "
            "the shapes have to be equal"
        )
    if len(images) == 1:
        raise ClipspectError(f"{name}: one pair is not enough; at least two are needed")
    if images.shape[1] == 1:
        raise ClipspectError(f"{name}: rows of one number have no direction to compare; at least two are needed")


def _check_spread(rows: Float32, label: str) -> None:
    """Refuse rows that hold one number throughout, and rows that are all the same."""
    flat = np.ptp(rows, axis=1) == 0
    if flat.any():
        raise ClipspectError(
            f"{label}: row {int(flat.argmax()) + 1:,} is constant: it holds one number throughout"
        )
    if np.abs(rows - rows[0]).max() <= COLLAPSED:
        raise ClipspectError(f"{label}: all {len(rows):,} rows are the same, so there is nothing to compare")


def _told(arrays: Mapping[str, NDArray[Any]], key: str, count: int, label: str) -> Told | None:
    if key not in arrays:
        return None
    told = tuple(str(one) for one in arrays[key].ravel())
    if len(told) != count:
        raise ClipspectError(f"{label}: {len(told):,} {key} for {count:,} rows")
    return told


def _scale(arrays: Mapping[str, NDArray[Any]], label: str) -> float | None:
    given: Any = arrays["logit_scale"] if "logit_scale" in arrays else provenance(arrays).get("logit_scale")
    if given is None:
        return None
    try:
        scale = float(given)
    except (TypeError, ValueError):
        raise ClipspectError(f"{label}: logit_scale is not one number") from None
    if not 0 < scale <= 1000:
        raise ClipspectError(f"{label}: a logit_scale of {scale:g} is not between 0 and 1,000")
    return scale
