"""Embeddings from files, so that pictures need not leave the machine they are on.

Read are `.npy` with one array (n, d), and `.npz` with the arrays `embeddings` and perhaps `ids` and `provenance`
as `python -m probes embed` writes them, or with one array of two dimensions under any name. No pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.damaged import DAMAGED, reason
from probes.core.errors import ClipspectError
from probes.core.model import Float32

LARGEST = 2_000_000_000
"""Bytes of the largest file that is read."""
UNIT = 1e-3
"""Lengths that differ from one by less than this are rounding."""
BROUGHT = "rows were brought to unit length"
BLOCK = 16_384
"""Rows that are read in float64 at once."""


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Unit rows of a file.

    Attributes:
        name: of the file.
        rows: (n, d) float32, brought to unit length.
        digest: SHA-256 of the file, hexadecimal.
        ids: what the rows are of, (n,); None where the file does not say.
        model: which model made them; empty where the file does not say.
        weights_digest: of that model's weights; empty where the file does not say.
        logit_scale: of that model; None where the file does not say.
        notes: what was done to read them, as short phrases.
    """

    name: str
    rows: Float32 = field(repr=False)
    digest: str
    ids: tuple[str, ...] | None = None
    model: str = ""
    weights_digest: str = ""
    logit_scale: float | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Embeddings) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    @classmethod
    def none(cls) -> Embeddings:
        """No embeddings."""
        return _NONE

    @classmethod
    def read(cls, source: Path | bytes, name: str | None = None) -> Embeddings:
        """Read embeddings from a file or its bytes.

        Raises:
            ClipspectError: the file is missing, damaged, not of these forms, or holds rows without a direction.
        """
        label = name or (source.name if isinstance(source, Path) else "embeddings")
        content = _content(source, label)
        arrays = read_arrays(content, label)
        rows, notes = _unit(matrix(arrays, label), label)
        ids = _ids(arrays, len(rows), label)
        told = provenance(arrays)
        scale = told.get("logit_scale")
        return cls(
            name=label,
            rows=rows,
            digest=hashlib.sha256(content).hexdigest(),
            ids=ids,
            model=str(told.get("model", "")),
            weights_digest=str(told.get("weights_digest", "")),
            logit_scale=float(scale) if isinstance(scale, (int, float)) else None,
            notes=notes,
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON embeddings are their name, shape, digest and model: numbers and names of files stay."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


_NONE = Embeddings("", np.zeros((0, 0), dtype=np.float32), "")


def _describe(given: Embeddings) -> dict[str, Any] | None:
    if not given.digest:
        return None
    return {
        "name": given.name,
        "rows": len(given),
        "width": given.rows.shape[1],
        "model": given.model,
        "sha256": given.digest,
    }


def _content(source: Path | bytes, label: str) -> bytes:
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
    except FileNotFoundError:
        raise ClipspectError(f"{label}: there is no such file") from None
    except OSError as error:
        raise ClipspectError(f"{label}: {error.strerror or 'it cannot be read'}") from None
    if len(content) > LARGEST:
        raise ClipspectError(f"{label}: larger than {LARGEST // 1_000_000_000} GB")
    return content


def read_arrays(source: Path | bytes, label: str) -> Mapping[str, NDArray[Any]]:
    """The arrays of a `.npy` (as `embeddings`) or `.npz`, by name; a `.npy` on disk stays there until it is read.

    Raises:
        ClipspectError: the file is missing or none of these.
    """
    try:
        opened: Any
        if _unpacked(source) > LARGEST:
            raise ClipspectError(f"{label}: unpacked it is larger than {LARGEST // 1_000_000_000} GB")
        if isinstance(source, bytes):
            opened = np.load(io.BytesIO(source), allow_pickle=False)
        else:
            opened = np.load(source, allow_pickle=False, mmap_mode="r")
        if isinstance(opened, np.ndarray):
            return {"embeddings": opened}
        with opened:
            found = {key: opened[key] for key in opened.files}
            return {key: array for key, array in found.items() if isinstance(array, np.ndarray)}
    except FileNotFoundError:
        raise ClipspectError(f"{label}: there is no such file") from None
    except DAMAGED as error:
        raise ClipspectError(f"{label}: this is no .npy or .npz that can be read ({_first(error)})") from None


def _unpacked(source: Path | bytes) -> int:
    """Bytes that an .npz says it holds; 0 for other files."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    if not zipfile.is_zipfile(stream):
        return 0
    with zipfile.ZipFile(stream) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _first(error: Exception) -> str:
    if "pickle" in str(error):  # NumPy would advise to load it unsafely
        return "it holds something other than arrays of numbers or text"
    return reason(error)


def matrix(arrays: Mapping[str, NDArray[Any]], label: str) -> NDArray[Any]:
    """The one array of rows, (n, d), among the arrays of a file.

    Raises:
        ClipspectError: there is none, or more than one.
    """
    if "embeddings" in arrays:
        found = arrays["embeddings"]
    else:
        flat = [key for key, array in arrays.items() if array.ndim == 2]
        if len(flat) != 1:
            raise ClipspectError(
                f"{label}: one array 'embeddings' is needed; there are {', '.join(arrays) or 'none'}"
            )
        found = arrays[flat[0]]
    if found.ndim != 2 or 0 in found.shape:
        raise ClipspectError(f"{label}: embeddings are an array of rows, (n, d), not of shape {found.shape}")
    if found.dtype.kind not in "fiu":
        raise ClipspectError(f"{label}: embeddings are numbers, not {found.dtype}")
    return found


def _unit(values: NDArray[Any], label: str) -> tuple[Float32, tuple[str, ...]]:
    unit, lengths = unit_rows(values, label)
    return unit, (BROUGHT,) if np.abs(lengths - 1).max() > UNIT else ()


def unit_rows(values: NDArray[Any], label: str) -> tuple[Float32, NDArray[np.float64]]:
    """Rows (n, d) at unit length, and the lengths they had, (n,); memory beyond the result does not grow with n.

    Raises:
        ClipspectError: a row holds what is not a number, or is all zeros.
    """
    unit = np.empty(values.shape, dtype=np.float32)
    lengths = np.empty(len(values))
    for start in range(0, len(values), BLOCK):
        rows = values[start : start + BLOCK].astype(np.float64)
        bad = ~np.isfinite(rows).all(axis=1)
        if bad.any():
            row = start + int(bad.argmax()) + 1
            raise ClipspectError(f"{label}: row {row:,} holds values that are not numbers")
        # the largest entry comes out first, so that squares neither overflow nor vanish
        largest = np.abs(rows).max(axis=1)
        if not largest.all():
            row = start + int((largest == 0).argmax()) + 1
            raise ClipspectError(f"{label}: row {row:,} is all zeros and has no direction")
        rows /= largest[:, None]
        norms = np.linalg.norm(rows, axis=1)
        unit[start : start + BLOCK] = rows / norms[:, None]
        with np.errstate(over="ignore"):  # a length beyond the largest number is infinite
            lengths[start : start + BLOCK] = norms * largest
    return unit, lengths


def _ids(arrays: Mapping[str, NDArray[Any]], count: int, label: str) -> tuple[str, ...] | None:
    if "ids" not in arrays:
        return None
    ids = tuple(str(one) for one in arrays["ids"].ravel())
    if len(ids) != count:
        raise ClipspectError(f"{label}: {len(ids):,} ids for {count:,} rows")
    return ids


def provenance(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """What a file written by `python -m probes embed` says of itself; nothing for others."""
    if "provenance" not in arrays:
        return {}
    try:
        told = json.loads(str(arrays["provenance"]))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
