"""Work that several wait for: done once, told to each, and stopped only when all have left.

Each who waits hears every step in order, and may leave by raising `Cancelled` from the `Progress` they gave: at
once, also while the work hangs in a connection. The work hears of it at its next step, and ends if nobody is left.
Who comes before that joins it again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from probes.core.errors import Cancelled
from probes.core.model import Progress

T = TypeVar("T")
Step = tuple[float, str]

TICK = 0.1
"""Seconds after which those who wait are told the last step again, so that they can leave."""


class Shared(Generic[T]):
    """One piece of work in a thread of its own.

    Args:
        work: gets a `Progress`, which raises `Cancelled` once nobody waits any more.
        name: of the thread.
    """

    def __init__(self, work: Callable[[Progress], T], name: str = "clipspect-shared") -> None:
        self._work, self._name = work, name
        self._future: Future[T] = Future()
        self._lock = threading.Lock()
        self._watchers: list[queue.SimpleQueue[Step | None]] = []
        self._last: Step = (0.0, "starting")
        self._begun = self._ended = False

    def join(self) -> queue.SimpleQueue[Step | None] | None:
        """A place among those who wait, for `result`; None if the work has failed or is about to end."""
        with self._lock:
            if self._ended:
                return None
            steps: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
            if self._future.done():
                steps.put(None)
                return steps
            steps.put(self._last)
            self._watchers.append(steps)
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            return steps

    def result(self, steps: queue.SimpleQueue[Step | None], progress: Progress) -> T:
        """What the work gives.

        Args:
            steps: a place, from `join`.
            progress: told each step of the work; what it raises makes this one leave, and nobody else.
        """
        last: Step | None = None
        try:
            while True:
                with contextlib.suppress(queue.Empty):
                    last = steps.get(timeout=TICK)
                if last is None:
                    return self._future.result()
                progress(*last)
        finally:
            with self._lock:
                if steps in self._watchers:
                    self._watchers.remove(steps)

    @property
    def value(self) -> T | None:
        """What the work gave; None before that, and if it failed."""
        done = self._future.done() and self._future.exception() is None
        return self._future.result() if done else None

    @property
    def failed(self) -> bool:
        """Whether the work has failed, or was stopped."""
        return self._future.done() and self._future.exception() is not None

    def _run(self) -> None:
        try:
            value = self._work(self._tell)
        except BaseException as error:  # whatever it is, those who wait have to hear of it
            with self._lock:
                self._ended = True
                self._future.set_exception(error)
        else:
            with self._lock:
                self._future.set_result(value)
        with self._lock:
            for steps in self._watchers:
                steps.put(None)

    def _tell(self, share: float, doing: str) -> None:
        with self._lock:
            if not self._watchers:
                self._ended = True  # nobody can join from here on
                raise Cancelled("nobody waits for it any more")
            self._last = (share, doing)
            for steps in self._watchers:
                steps.put(self._last)


def patiently(work: Callable[[], T], tell: Callable[[], None], name: str = "clipspect-waiting") -> T:
    """Do what may hang, and call `tell` several times a second meanwhile; what `tell` raises leaves it behind."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    while not wait([future], TICK).done:
        tell()
    return future.result()
