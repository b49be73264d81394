"""Import Gradio without the type stubs that it writes anew for each of its components at every import.

They serve editors, nobody at run time, and take as long as the rest of the import. Gradio leaves a component alone
whose source file cannot be found; while it is imported, none can.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_stubs() -> Iterator[None]:
    """While this lasts, the source file of a Gradio component is not found; that of anything else is."""
    found = inspect.getfile

    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("no stub is wanted")
        return found(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = found


with without_stubs():
    import gradio

__all__ = ["gradio"]
