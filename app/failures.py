"""Errors to sentences: whatever goes wrong, a visitor reads what it was and what to do, and the page goes on."""

from __future__ import annotations

import errno
import logging

from probes.core.errors import ClipspectError, FieldError, PictureError

_LOG = logging.getLogger("clipspect.app")


def sentence(error: BaseException) -> str:
    """What to tell a visitor of an error. Errors that nobody foresaw are logged with their traceback."""
    if isinstance(error, FieldError):
        return capitalised(error.message)
    if isinstance(error, PictureError):
        return finished(str(error))  # begins with the name of a file
    if isinstance(error, ClipspectError):
        return capitalised(str(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk of this machine is full. Free some space and try again; what you set is still here."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "This machine has not enough memory for that. Try fewer or smaller pictures, or a smaller model."
    _LOG.error("unforeseen error", exc_info=error)
    return (
        f"This failed in a way nobody foresaw ({type(error).__name__}). What you set is still here; "
        "trying again may help. The log of the program says more."
    )


def capitalised(text: str) -> str:
    """A message as a sentence: first letter large, unless the first word is a name, and a full stop at the end."""
    text = finished(text)
    first = text.split(maxsplit=1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def finished(text: str) -> str:
    """A message with a full stop at the end."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else text + "."
