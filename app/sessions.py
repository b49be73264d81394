"""What the server keeps of each visitor, and what an answer costs it.

For every visitor Gradio copies the description of all components of all pages, for links that hold a whole page;
that is half a second and ten megabytes a visit, and these pages have links of their own (`app.links`). And it
makes every component that a handler may change anew each time that the handler says anything, the hundreds that
it left alone as well. `Pages` and `Visits` leave both out; all else is Gradio's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import Block, Blocks
from gradio.data_classes import BlocksConfigDict
from gradio.state_holder import SessionState, StateHolder

from app.limits import LIMITS

CLOSED = 50
"""Closed pages whose state is kept, for an hour, in case a browser merely lost its way; those used last."""
HELD = LIMITS.held_mb * 1_000_000
"""Bytes that the state of all pages may take; what was closed first, or used longest ago, goes if it is more."""


class ForAll(dict[Any, Any]):
    """Updates that one handler gives to every visitor alike; what is sent of them is made once.

    Attributes:
        sent: that, by output; None before it was made.
        making: held while it is made: visitors who come at once wait for the first of them.
    """

    def __init__(self, updates: Mapping[Any, Any]) -> None:
        super().__init__(updates)
        self.sent: list[Any] | None = None
        self.making = asyncio.Lock()


class Pages(gr.Blocks):
    """All pages; what a handler leaves alone costs nothing."""

    _described: tuple[tuple[int, int], Any] | None = None

    def get_config_file(self) -> BlocksConfigDict:
        """The description of all pages, whose components are described again only if there are others."""
        size = (len(self.blocks), len(self.fns))
        if self._described is None or self._described[0] != size:
            self._described = (size, self.default_config.get_config())
        described = self._described[1]
        plain = self.default_config.get_config
        self.default_config.get_config = lambda *given: dict(described)  # type: ignore[method-assign]
        try:
            return super().get_config_file()
        finally:
            self.default_config.get_config = plain  # type: ignore[method-assign]

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        """What a handler is given; a page that asks is open, though its connection was lost meanwhile."""
        if isinstance(state, Visit):
            state.is_closed = False
        return list(await super().preprocess_data(block_fn, inputs, state, explicit_call))

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """What is sent to the browser, by output; only what was changed is looked at."""
        if not isinstance(predictions, dict) or not all(isinstance(key, Block) for key in predictions):
            return await super().postprocess_data(block_fn, predictions, state)
        if not isinstance(predictions, ForAll) or state is None:
            return await self._changed(block_fn, predictions, state)
        async with predictions.making:
            if predictions.sent is None:
                predictions.sent = await self._changed(block_fn, predictions, state)
        for output, value in predictions.items():
            if isinstance(output, gr.State):
                state[output._id] = value
        return list(predictions.sent)

    async def _changed(
        self, block_fn: BlockFunction, predictions: dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        changed = [output for output in block_fn.outputs if output in predictions]
        sent: dict[int, Any] = {}
        if changed:
            narrowed = copy(block_fn)
            narrowed.outputs = changed
            values = [predictions[output] for output in changed]
            made = await super().postprocess_data(narrowed, values if len(values) > 1 else values[0], state)
            sent = {output._id: value for output, value in zip(changed, made, strict=True)}
        return [sent.get(output._id, gr.skip()) for output in block_fn.outputs]


class Visit(SessionState):
    """The state of one opened page, without a description of all the others."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setattr__(self, name: str, value: Any) -> None:
        """Gradio sets `is_closed` as a browser leaves; the hour until all is forgotten begins then."""
        super().__setattr__(name, value)
        if name == "is_closed" and value:
            self._state_ttl = {key: (lasts, datetime.now()) for key, (lasts, _) in self._state_ttl.items()}

    @property
    def nbytes(self) -> int:
        """What the visitor brought takes in memory, as far as it says so."""
        return sum(getattr(value, "nbytes", 0) for value in list(self.state_data.values()))

    def __setitem__(self, key: int, value: Any) -> None:
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, gr.State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class Visits(StateHolder):
    """All opened pages, and some of those that were closed."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Visit(self.blocks)
        return super().__getitem__(session_id)

    def update(self, session_id: str) -> None:
        """Note that a page is used; beyond the capacity empty ones go, then those used longest ago."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            while len(self.session_data) > self.capacity:
                others = [name for name in list(self.session_data) if name != session_id]
                empty = (name for name in others if not self.session_data[name].state_data)
                self._forget(next(empty, None) or next(iter(self.session_data)))

    def delete_all_expired_state(self) -> None:
        """Forget what has expired, closed pages beyond the last `CLOSED`, what takes too much; every second."""
        super().delete_all_expired_state()  # type: ignore[no-untyped-call]
        with self.lock:
            closed = [name for name, visit in list(self.session_data.items()) if visit.is_closed]
            for name in closed[:-CLOSED]:  # in the order of their last use
                self._forget(name)
            self._make_room()

    def _make_room(self) -> None:
        known = list(self.session_data.items())
        sizes = {name: visit.nbytes for name, visit in known if isinstance(visit, Visit)}
        excess = sum(sizes.values()) - HELD
        for name in sorted(filter(sizes.get, sizes), key=lambda name: not self.session_data[name].is_closed):
            if excess <= 0:
                return
            excess -= sizes[name]
            self._forget(name)

    def _forget(self, session_id: str) -> None:
        self.session_data.pop(session_id, None)
        self.time_last_used.pop(session_id, None)


def keep(demo: Blocks) -> None:
    """Let started pages keep their visitors' state in `Visits`."""
    demo.app.state_holder = Visits()  # type: ignore[no-untyped-call]
    demo.app.state_holder.set_blocks(demo)
