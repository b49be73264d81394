"""Computations that a visitor watches and may stop.

The work runs in a thread of its own; the page asks a few times a second how far it is. Stopping answers at once:
the page goes on, and the thread ends at the next step of which the work tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from probes.core.errors import Cancelled
from probes.core.model import Progress
from probes.core.watching import Watched

T = TypeVar("T")

TICK = 0.15
"""Seconds between two looks at how far the work is."""


@dataclass(frozen=True)
class Step:
    """How far the work is: share done, what is being done, seconds since it began."""

    share: float
    doing: str
    seconds: float


class Ticket:
    """One visitor's turn. Each session has its own, so that nobody can stop another's work."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running = False
        self._declined = False

    def expect(self) -> None:
        """A click was made; its turn will come."""
        self._declined = False

    @property
    def declined(self) -> bool:
        """Whether the visitor changed their mind before their turn came."""
        return self._declined

    def take(self) -> bool:
        """Begin; False if this visitor's work is running already."""
        with self._lock:
            if self._running:
                return False
            self._running, self._stop = True, threading.Event()
            return True

    def give_back(self) -> None:
        """End; whoever leaves takes the work along."""
        with self._lock:
            self._stop.set()
            self._running = False

    def stop(self) -> None:
        """Ask the running work to stop, or what still waits not to begin."""
        self._declined = True
        self._stop.set()

    @property
    def stopped(self) -> threading.Event:
        """Set once the work of this turn is to stop."""
        return self._stop

    def __deepcopy__(self, memo: object) -> Ticket:
        """A new visitor gets a new ticket."""
        return Ticket()


class Job(Generic[T]):
    """Work in a thread.

    Args:
        work: gets a `Progress`, which raises `Cancelled` once the ticket is stopped, and which takes in
        (`Watched`)
            what the work has so far.
        ticket: whose turn it is.
    """

    def __init__(self, work: Callable[[Progress], T], ticket: Ticket) -> None:
        self._work, self._stop = work, ticket.stopped
        self._began = time.monotonic()
        self._share, self._doing = 0.0, "starting"
        self._done = threading.Event()
        self._value: list[T] = []
        self._so_far: T | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="clipspect-job", daemon=True).start()

    def _run(self) -> None:
        try:
            self._value.append(self._work(Watched(self._tell, self._see)))
        except BaseException as error:  # whatever it is, the page has to hear of it
            self._error = error
        finally:
            self._done.set()

    def _tell(self, share: float, doing: str) -> None:
        self._share, self._doing = share, doing
        if self._stop.is_set():
            raise Cancelled("stopped")

    def _see(self, value: T) -> None:
        self._so_far = value

    @property
    def so_far(self) -> T | None:
        """What the work showed last before it was whole; None where it showed nothing."""
        return self._so_far

    def steps(self) -> Iterator[Step]:
        """How far the work is, every now and then until it is done or stopped."""
        while not self._done.wait(TICK) and not self._stop.is_set():
            yield Step(self._share, self._doing, time.monotonic() - self._began)

    def result(self) -> T:
        """What the work gave.

        Raises:
            Cancelled: it was stopped.
        """
        if self._done.is_set() and self._error is not None:
            raise self._error
        if not self._done.is_set() or not self._value:
            raise Cancelled("stopped")
        return self._value[0]
