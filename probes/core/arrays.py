"""Arrays inside results: NumPy in Python, nested lists in JSON."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class _AsNestedLists:
    """Pydantic annotation that stores a float array as nested lists, losing nothing of float64."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: np.asarray(value, dtype=np.float64),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda array: array.tolist()),
        )


Floats = Annotated[NDArray[np.float64], _AsNestedLists]
"""A float64 array of any shape that survives a round trip through JSON."""


class _AsText:
    """Pydantic annotation that stores a float32 array as its shape and base64 of its little-endian bytes."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _unpacked, serialization=core_schema.plain_serializer_function_ser_schema(_packed)
        )


Packed = Annotated[NDArray[np.float32], _AsText]
"""A float32 array of any shape that survives a round trip through JSON in little room, for what is only drawn."""


def base64_of(array: NDArray[Any], kind: str = "<f4") -> str:
    """The bytes of an array as base64, little-endian."""
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode("ascii")


def _packed(array: NDArray[np.float32]) -> dict[str, Any]:
    return {"shape": list(array.shape), "base64": base64_of(array)}


def _unpacked(value: Any) -> NDArray[np.float32]:
    if isinstance(value, dict):
        flat = np.frombuffer(base64.b64decode(value["base64"]), dtype="<f4")
        return flat.reshape(value["shape"]).astype(np.float32)
    return np.asarray(value, dtype=np.float32)
