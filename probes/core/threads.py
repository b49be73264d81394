"""Threads of the linear algebra behind NumPy and SciPy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_one = threading.Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Linear algebra on one thread, for small matrices.

    There threads gain little, and where cores are shared they wait for one another for seconds. The limit holds
    for the whole process, so that only one visitor's work sets it at a time: two would undo each other's.
    """
    with _one, threadpool_limits(1, user_api="blas"):
        yield
