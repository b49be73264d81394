"""Something to explore on a probe's page in the browser, drawn by a script from what a report holds.

A figure is redrawn by the server; an explorer answers a visitor's hand at once. Its script defines one function,
`createExplorer(element)`, which returns `show(payload)` and `later(update)`. The shell (`app.explorers`) sends the
payload with an answer, and what `follow` yields after it: for what takes long and may come when all else is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.core.model import Backend, Progress

Payload = Mapping[str, Any]
"""JSON-ready values."""


@dataclass(frozen=True, kw_only=True)
class Explorer:
    """What a page needs to let a result be explored.

    Attributes:
        folder: of JavaScript files that together define `createExplorer`, in the order of their names, and of CSS.
        payload: (parameters, result) -> what is shown, without a model.
        follow: (parameters, result, model, progress) -> what may come later, each sent as soon as it is there.
        replaces: names of figures that the page need not draw beside it.
    """

    folder: Path
    payload: Callable[[Any, Any], Payload]
    follow: tuple[Callable[[Any, Any, Backend, Progress], Payload], ...] = ()
    replaces: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The JavaScript, all files in one."""
        return _joined(self.folder, "*.js")

    @property
    def style(self) -> str:
        """The CSS, all files in one."""
        return _joined(self.folder, "*.css")


def _joined(folder: Path, pattern: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern)))
