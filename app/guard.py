"""What may be asked of the server over HTTP, and how much may be sent, settled before anything is read.

Gradio answers more addresses than these pages use: files by their path, among them what visitors sent; functions
by name; recordings, which it writes to the disk and leaves there. All but those in `OPEN` are closed.
"""

from __future__ import annotations

import logging

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("clipspect.app")

API = "/gradio_api/"
UPLOAD = API + "upload"
OPEN = (
    *(API + name for name in ("queue/join", "queue/data", "heartbeat/", "cancel", "reset", "app_id")),
    *(API + name for name in ("startup-events", "theme.css", "upload_progress")),
    *(API + name for name in ("info", "call/", "mcp", "mcp/")),  # for programs: see `app.api`
    UPLOAD,
)
"""Addresses under `API` that the pages use; one that ends with a slash stands for those under it."""
CLOSED = ("/monitoring", "/svelte/", "/login", "/logout")
"""Addresses outside of it that they do not use."""
NOBODYS = frozenset({b"x-gradio-server"})
"""Headers that no browser sends here. By this one Gradio would write any address that it is told into a page."""
BODY = 16_000_000
"""Bytes of the largest question; the longest list that a form takes has four million characters."""
FORM = 1_000_000
"""Bytes that a form with files may have besides the files."""


class Guard:
    """Stands before the app.

    Args:
        app: what answers.
        largest: bytes that an upload may have, all its files together.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in NOBODYS]
        scope = {**scope, "headers": headers}
        refused = self._refused(scope)
        if refused is None:
            refused = await self._passed(scope, receive, send)
        if refused is not None:
            await refused(scope, receive, send)

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> PlainTextResponse | None:
        """Pass a request on; what to answer if it was none that these pages send."""
        begun: list[Message] = []

        async def watched(message: Message) -> None:
            begun.append(message)
            await send(message)

        try:
            await self._app(scope, receive, send if scope["method"] == "GET" else watched)
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            if begun or scope["method"] == "GET" or not str(scope["path"]).startswith(API):
                raise
            _LOG.info("a request that no page sends: %s", type(error).__name__)
            return PlainTextResponse("No page sends this.", 400)
        return None

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        while "//" in path:
            path = path.replace("//", "/")
        if not opened(path):
            return PlainTextResponse("There is nothing at this address.", 404)
        if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            return None
        limit = self._largest + FORM if path.rstrip("/") == UPLOAD else BODY
        headers = dict(scope["headers"])
        if b"transfer-encoding" in headers:  # of two lengths, servers believe the one that is not declared
            return PlainTextResponse("Say how long it is (Content-Length), and send it in one piece.", 411)
        return _too_large(headers.get(b"content-length"), limit)


def opened(path: str) -> bool:
    """Whether an address is in use."""
    if not path.startswith(API):
        return not path.startswith(CLOSED) and path != API.rstrip("/")
    return any(path.startswith(one) if one.endswith("/") else path.rstrip("/") == one for one in OPEN)


def _too_large(declared: bytes | None, limit: int) -> PlainTextResponse | None:
    """Why a body of a declared length is not read. The server holds senders to what they declare."""
    if declared is None:
        return PlainTextResponse("Say how long it is (Content-Length).", 411)
    if not declared.isdigit() or len(declared) > 15:
        return PlainTextResponse("This is no length.", 400)
    if int(declared) > limit:
        return PlainTextResponse(f"That is too large; the limit is {limit // 1_000_000} MB.", 413)
    return None
