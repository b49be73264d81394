"""The HTML of a page, which is the same for everybody, made once: Gradio makes it anew for each visitor.

What it depends on besides the path is under which address the visitor sees the server (`SEEN_AS`). An answer that
sets a cookie is somebody's own, and is never kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SEEN_AS = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix", b"x-forwarded-port")
"""Headers by which the addresses inside a page are made."""
KEPT = 64
LARGEST = 4_000_000
"""Bytes of the largest page that is kept."""

Key = tuple[object, ...]


class KeptPages:
    """Stands before the app, behind what compresses.

    Args:
        app: what makes pages.
        paths: of the pages, such as `/` and `/glossary`.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app, self._paths = app, frozenset(paths)
        self._kept: LRUCache[Key, tuple[Message, ...]] = LRUCache(maxsize=KEPT)
        self._making: dict[object, asyncio.Lock] = {}  # by path, of which there are few

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a page as it is kept, or let it be made and keep it."""
        key = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        async with self._making.setdefault(key[0], asyncio.Lock()):  # who comes at once waits for the first
            sent = self._kept.get(key)
            if sent is None:
                sent = await self._made(key, scope, receive)
        for message in sent:  # after the lock: who reads slowly keeps nobody waiting
            await send(dict(message))

    async def _made(self, key: Key, scope: Scope, receive: Receive) -> tuple[Message, ...]:
        sent: list[Message] = []

        async def hear(message: Message) -> None:
            sent.append(dict(message))

        await self._app(scope, receive, hear)
        if _may_be_kept(sent):
            self._kept[key] = tuple(sent)
        return tuple(sent)

    def _key(self, scope: Scope) -> Key | None:
        """What a page depends on; None for what is no page, and for links that Gradio itself reads."""
        if scope["type"] != "http" or scope["method"] != "GET" or b"deep_link" in scope["query_string"]:
            return None
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).rstrip("/") or "/"
        if path not in self._paths:
            return None
        seen = tuple((name, value) for name, value in scope["headers"] if name in SEEN_AS)
        where = (scope.get("root_path"), scope.get("scheme"), tuple(scope.get("server") or ()))
        return (path, str(scope["path"]), *where, seen)


def _may_be_kept(sent: list[Message]) -> bool:
    """Whether an answer is a whole page for everybody."""
    if not sent or sent[0].get("status") != 200 or sent[-1].get("more_body"):
        return False
    if any(name.lower() == b"set-cookie" for name, _ in sent[0]["headers"]):
        return False
    return sum(len(message.get("body", b"")) for message in sent) <= LARGEST
