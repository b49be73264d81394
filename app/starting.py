"""What Gradio does over and over while pages are laid out and started, done once.

For every component, several times, it asks for the signature of the same few constructors; and it makes a whole
web application when its context is left and again when its queue is set, neither of which is ever used: `launch`
makes the one that is.
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from gradio.routes import App

ASKED = ("signature", "getfullargspec")
"""Functions of `inspect` whose answers are remembered."""


@contextmanager
def once() -> Iterator[None]:
    """While this lasts, signatures are worked out once, and memory is not searched for what could be freed."""
    plain = {name: getattr(inspect, name) for name in ASKED}
    collecting = gc.isenabled()
    gc.disable()
    for name, ask in plain.items():
        setattr(inspect, name, _remembering(ask))
    try:
        yield
    finally:
        for name, ask in plain.items():
            setattr(inspect, name, ask)
        gc.freeze()  # what there is now stays
        if collecting:
            gc.enable()


def _remembering(ask: Callable[..., Any]) -> Callable[..., Any]:
    known = lru_cache(maxsize=None)(ask)

    def remembered(*given: Any, **named: Any) -> Any:
        try:
            return known(*given, **named)
        except TypeError:  # something that cannot be a key, or has no signature: the plain way says which
            return ask(*given, **named)

    return remembered


@contextmanager
def without_applications() -> Iterator[None]:
    """While this lasts, Gradio makes no web application; around laying out and queueing, never around `launch`."""
    plain = App.create_app
    App.create_app = staticmethod(lambda *given, **named: None)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        App.create_app = staticmethod(plain)  # type: ignore[method-assign]
