"""A page as a browser has it: components, what calls what, and the way questions and answers travel.

Functions are found by their wiring, as a browser does: by component and event, and by what they come after.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from gradio_client.utils import apply_diff  # type: ignore[import-untyped]

_CONFIG = re.compile(r"window\.gradio_config\s*=\s*(\{.*?\});\s*</script>", re.DOTALL)
PATIENCE = 300.0
"""Seconds without a byte after which the server counts as dead."""


class Broken(Exception):
    """The server answered in a way that no visitor should see."""


@dataclass(frozen=True)
class Wiring:
    """What a page's HTML says of it."""

    components: Mapping[int, Mapping[str, Any]]
    calls: Mapping[int, Mapping[str, Any]]

    @classmethod
    def of(cls, html: str) -> Wiring:
        """Read it out of the page."""
        found = _CONFIG.search(html)
        if found is None:
            raise Broken("the page has no configuration")
        config = json.loads(found.group(1))
        return cls(
            {one["id"]: one for one in config["components"]}, {one["id"]: one for one in config["dependencies"]}
        )

    def component(self, name: str) -> int:
        """The component whose element has that id."""
        return _only((i for i, one in self.components.items() if one["props"].get("elem_id") == name), name)

    def styled(self, name: str) -> int:
        """The first component of that class."""
        styled = ((i, one["props"].get("elem_classes") or ()) for i, one in self.components.items())
        return _only((i for i, classes in styled if name in classes), name)

    def call(self, component: int | None, event: str) -> int:
        """What an event of a component calls; of the page where it is of none."""
        calls = (
            (i, component is None or c == component, e)
            for i, one in self.calls.items() if one["backend_fn"] for c, e in one["targets"]
        )  # fmt: skip
        return _only((i for i, its, e in calls if its and e == event), event)

    def after(self, call: int) -> list[int]:
        """What comes after a call, on the server."""
        return [i for i, one in self.calls.items() if one.get("trigger_after") == call and one["backend_fn"]]

    def generates(self, call: int) -> bool:
        """Whether a call answers in several steps."""
        return bool(self.calls[call]["types"]["generator"])


def _only(found: Iterator[int], what: str) -> int:
    number = next(found, None)
    if number is None:
        raise Broken(f"the page has no {what}")
    return number


@dataclass
class Session:
    """One opened page of one visitor."""

    http: httpx.AsyncClient
    wiring: Wiring
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    values: dict[int, Any] = field(default_factory=dict)
    _beats: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Hold the session open, as a browser does while the page is."""
        self.values = {i: one["props"].get("value") for i, one in self.wiring.components.items()}
        self._beats = asyncio.get_running_loop().create_task(self._beat())

    async def _beat(self) -> None:
        with suppress(httpx.HTTPError, RuntimeError):  # the page was closed meanwhile
            async with self.http.stream("GET", f"/gradio_api/heartbeat/{self.name}", timeout=None) as stream:
                async for _ in stream.aiter_bytes():
                    pass

    async def end(self) -> None:
        """Close the page."""
        if self._beats is not None:
            self._beats.cancel()
            with suppress(asyncio.CancelledError):
                await self._beats

    async def call(self, number: int, event: object = None, given: Mapping[int, Any] | None = None) -> list[Any]:
        """Call a function; what it changed is kept in `values`, and what it sent is returned."""
        told = self.wiring.calls[number]
        values = {**self.values, **(given or {})}
        question = {
            "data": [values.get(i) if self.wiring.components[i]["type"] != "state" else None
                     for i in told["inputs"]],
            "event_data": event, "fn_index": number, "session_hash": self.name,
            "trigger_id": told["targets"][0][0],
        }  # fmt: skip
        joined = await self.http.post("/gradio_api/queue/join", json=question)
        if joined.status_code != 200:
            raise Broken(f"the queue said {joined.status_code}: {joined.text[:200]}")
        sent: list[Any] = []
        async for output in self._answers(joined.json()["event_id"]):
            sent = output
            self._keep(told["outputs"], output)
        return sent

    def _keep(self, outputs: Sequence[int], sent: Sequence[Any]) -> None:
        for i, value in zip(outputs, sent, strict=False):
            if not isinstance(value, dict) or value.get("__type__") != "update":
                self.values[i] = value
            elif "value" in value:
                self.values[i] = value["value"]

    async def _answers(self, event: str) -> AsyncIterator[list[Any]]:
        """What the server sends for an event, step by step, whole each time."""
        last: list[Any] | None = None
        async for message in self._messages():
            if message.get("event_id") != event:
                continue
            output = message.get("output") or {}
            if message["msg"] == "process_generating" and message["success"]:
                sent = output["data"]
                last = sent if last is None else [_patched(o, d) for o, d in zip(last, sent, strict=True)]
                yield last
            elif message["msg"] == "process_completed":
                if not message["success"]:
                    raise Broken(f"a call failed: {output.get('error')}")
                if last is None:
                    yield output.get("data") or []

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        asked = {"session_hash": self.name}
        async with self.http.stream("GET", "/gradio_api/queue/data", params=asked, timeout=PATIENCE) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                message = orjson.loads(line[5:])
                if message["msg"] == "unexpected_error":
                    raise Broken(str(message.get("message")))
                yield message
                if message["msg"] == "close_stream":
                    return


def _patched(value: Any, diff: Any) -> Any:
    return apply_diff(value, diff) if diff else value
