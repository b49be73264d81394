"""Results that are shown before they are whole.

A measure that takes long may show what it has so far; whoever watches draws it, and keeps the last one if the
work is stopped. Nobody needs to watch: `show` does nothing then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probes.core.model import Progress


class Watched:
    """A `Progress` that is also shown results.

    Args:
        tell: told the share done and what is being done.
        see: shown what there is so far.
    """

    def __init__(self, tell: Progress, see: Callable[[Any], None]) -> None:
        self._tell, self.see = tell, see

    def __call__(self, share: float, doing: str) -> None:
        """Tell how far the work is."""
        self._tell(share, doing)


def show(progress: Progress, result: Any) -> None:
    """Show a result that is not whole yet to whoever watches."""
    if isinstance(progress, Watched):
        progress.see(result)


def part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of the work, which takes it from one share to another."""

    def told(share: float, doing: str) -> None:
        progress(start + (end - start) * share, doing)

    return told
