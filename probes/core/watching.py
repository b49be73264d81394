"""Results that are shown before they are whole.

A measure that takes long may show what it has so far; whoever watches draws it, and keeps the last one if the
work is stopped. Nobody needs to watch: `show` does nothing then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from probes.core.model import Progress

UNFINISHED = "Not all that was asked is in this answer: the work is not done, or was stopped."

A = TypeVar("A")
R = TypeVar("R")
Step = Callable[[A, R, Progress], R]


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


def in_steps(steps: Sequence[tuple[Step[A, R], float]], asked: A, result: R, done: float, progress: Progress) -> R:
    """A result that grows: each step adds its part, and what there is before it is shown, with `UNFINISHED`.

    Args:
        steps: what is done, and the share of the whole work that is done then.
        asked: what every step works with.
        result: what there is at the start, a dataclass with `cautions`.
        done: the share that is done at the start.
        progress: of the whole work.
    """

    def see(so_far: Any) -> None:
        show(progress, replace(so_far, cautions=(*so_far.cautions, UNFINISHED)))

    for step, share in steps:
        see(result)
        result = step(asked, result, Watched(part(progress, done, share), see))
        done = share
    return result
