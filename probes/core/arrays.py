"""Arrays inside results: NumPy in Python, nested lists in JSON."""

from __future__ import annotations

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
