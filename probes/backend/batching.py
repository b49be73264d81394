"""Requests of several people ride in one batch, and equal ones are computed once.

`Batcher.ask` takes keyed items and returns one `Future` per item. An item whose key is already on its way gets
the same future. One thread a batcher takes whatever waits, up to a batch, computes it and answers; it starts
when something is asked and ends when it has been idle, so a model that is no longer used keeps no thread alive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Row = TypeVar("Row")

IDLE_SECONDS = 2.0


class Batcher(Generic[Item, Row]):
    """A queue in front of a function on batches.

    Args:
        compute: items to as many rows; called by one thread at a time.
        batch: most items of one call.
        name: of the thread.
    """

    def __init__(self, compute: Callable[[list[Item]], Sequence[Row]], batch: int, name: str) -> None:
        self._compute, self._batch, self._name = compute, batch, name
        self._waiting: deque[tuple[str, Item, Future[Row]]] = deque()
        self._flying: dict[str, Future[Row]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, keys: Sequence[str], item: Callable[[int], Item]) -> list[Future[Row]]:
        """One future a key; `item(i)` is called for keys that nobody has asked for yet."""
        answers: list[Future[Row]] = []
        with self._changed:
            for position, key in enumerate(keys):
                flying = self._flying.get(key)
                if flying is None:
                    flying = self._flying[key] = Future()
                    self._waiting.append((key, item(position), flying))
                answers.append(flying)
            if self._waiting and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify()
        return answers

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._changed.wait(IDLE_SECONDS)
                if not self._waiting:
                    self._thread = None
                    return
                count = min(self._batch, len(self._waiting))
                taken = [self._waiting.popleft() for _ in range(count)]
            self._answer(taken)

    def _answer(self, taken: list[tuple[str, Item, Future[Row]]]) -> None:
        rows: Sequence[Row] = ()
        error: BaseException | None = None
        try:
            rows = self._compute([item for _, item, _ in taken])
        except BaseException as raised:  # whatever it is, those who wait have to hear of it
            error = raised
        with self._changed:
            for key, _, _ in taken:
                del self._flying[key]
        for position, (_, _, future) in enumerate(taken):
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(rows[position])
