"""What can go wrong, in sentences a visitor can act on.

Every error a person can cause or repair is a `ClipspectError`: its message is complete, names what was wrong
and what to do, and is shown as it is in the browser and on the command line. Anything else is a bug.
"""

from __future__ import annotations


class ClipspectError(Exception):
    """A failure whose message is meant for the person who uses the program."""


class FieldError(ClipspectError):
    """A parameter has a value that cannot be used.

    Args:
        field: name of the field of the probe's parameters (or `model`), shown beside that field.
        message: one sentence, without the field's name.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message

    def __reduce__(self) -> tuple[type[FieldError], tuple[str, str]]:
        return type(self), (self.field, self.message)  # so that it can come from another process

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class PictureError(ClipspectError):
    """A file cannot be read as a picture, or is too large to be."""


class ModelError(ClipspectError):
    """A model specification is malformed, unknown, unreachable, unsafe or too large for this machine."""


class CapabilityError(ClipspectError):
    """The model cannot do what the probe needs (a ResNet has no heads to decompose)."""


class Cancelled(ClipspectError):
    """The person asked for the computation to stop."""
