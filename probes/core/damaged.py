"""What libraries raise on files that are damaged or made to do harm."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

DAMAGED: tuple[type[Exception], ...] = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError, SyntaxError,
    TypeError, ValueError, struct.error, tokenize.TokenError, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""Decoders of pictures, archives, arrays and JSON run into what a file says, and fail in any of these ways."""


def reason(error: Exception) -> str:
    """Why a file cannot be read, in a phrase; what says more of the program than of the file is left out."""
    text = (str(error).splitlines() or [""])[0].strip()[:120]
    if not text or isinstance(error, RecursionError) or any(one in text for one in (" at 0x", "<class", "/")):
        return type(error).__name__
    return text
