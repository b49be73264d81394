"""Import Gradio without what nobody needs before the first page: it halves the time.

- Gradio writes type stubs of each of its components anew at every import. They serve editors. It leaves alone what
  has no source file; while it is imported, no component has one.
- It fills the same few templates of docstrings in for every component, compiling each template every time.
- It imports its own command line, and the library of the Model Context Protocol wherever that is installed.
  `with_mcp` brings the latter when somebody asks for it.
- Nothing that is imported is ever freed, so memory is not searched for what could be.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

import jinja2

__all__ = ["gradio", "with_mcp"]


@contextmanager
def quickly() -> Iterator[None]:
    """While this lasts, all of that is left out; afterwards everything is as it was."""
    found, template, collecting = inspect.getfile, jinja2.Template, gc.isenabled()

    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("no stub is wanted")
        return found(thing)

    command_line = ModuleType("gradio.cli")
    command_line.deploy = None  # type: ignore[attr-defined]
    absent = {
        name: module for name, module in (("mcp", None), ("gradio.cli", command_line)) if name not in sys.modules
    }
    inspect.getfile = getfile  # type: ignore[assignment]
    jinja2.Template = lru_cache(maxsize=None)(template)  # type: ignore[misc, assignment]
    sys.modules.update(absent)  # type: ignore[arg-type]  # None: it cannot be imported
    gc.disable()
    try:
        yield
    finally:
        inspect.getfile, jinja2.Template = found, template  # type: ignore[misc]
        for name in absent:
            del sys.modules[name]
        gc.freeze()
        if collecting:
            gc.enable()


def with_mcp() -> None:
    """Let Gradio find the library of the Model Context Protocol after all.

    Raises:
        ImportError: it is not installed.
    """
    import gradio.mcp

    importlib.import_module("mcp")
    if not hasattr(gradio.mcp.GradioMCPServer, "Server"):
        importlib.reload(gradio.mcp)


with quickly():
    import gradio
