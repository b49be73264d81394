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
        script: JavaScript that defines `createExplorer`.
        style: its CSS.
        payload: (parameters, result) -> what is shown, without a model.
        follow: computes what may come later, a step at a time; each is sent as soon as it is there.
        replaces: names of figures that the page need not draw beside it.
    """

    script: Path
    style: Path
    payload: Callable[[Any, Any], Payload]
    follow: tuple[Callable[[Any, Any, Backend, Progress], Payload], ...] = ()
    replaces: tuple[str, ...] = ()
