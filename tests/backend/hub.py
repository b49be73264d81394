"""A stand-in for the Hugging Face hub on loopback, that can be slow, break off, stall, lie and refuse."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import huggingface_hub.constants
import pytest

from probes.core.errors import Cancelled

COMMIT = "c0ffee00" * 5
PIECE = 1 << 16
ELSEWHERE = "localhost"
"""Another name of the same machine: to a client another host."""
PATH = re.compile(r"/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>[^?]+)")


@dataclass
class Refusal:
    """An HTTP status, with the header by which the hub says more."""

    status: int
    code: str = ""
    wait: str = ""


@dataclass
class Hub:
    """What it serves, how it misbehaves, and what it was asked.

    Attributes:
        files: `ORG/NAME/FILE` -> the file.
        breaks: how many answers still break off after `after` bytes; each takes one.
        stalls: how many answers still stop after `after` bytes and say nothing more until `go_on` is set.
        after: bytes of an answer before it breaks off or stalls.
        rate: most bytes a second; None for as fast as it goes.
        ranges: whether it can begin in the middle.
        digests: `ORG/NAME/FILE` -> SHA-256 to announce instead of the true one.
        plain: whether it announces no SHA-256, as for files that are small.
        elsewhere: whether it sends on to another host for the bytes, as the true hub does for large files.
        xet: whether it offers Xet, its transfer in chunks.
        head: what to answer instead to HEAD.
        get: what to answer instead to GET.
        revisions: the branch or commit of each request for a file.
        asked: (method, `ORG/NAME/FILE`, first byte) of each request for a file.
        allowed: what was given as `Authorization` to the host of each request for a file, host first.
        others: paths of requests for something else.
        sent: bytes of files sent so far.
        sending: how many answers are under way.
    """

    files: dict[str, Path]
    breaks: int = 0
    stalls: int = 0
    after: int = 1_500_000
    rate: float | None = None
    ranges: bool = True
    digests: dict[str, str] = field(default_factory=dict)
    plain: bool = False
    elsewhere: bool = False
    xet: bool = False
    head: Refusal | None = None
    get: Refusal | None = None
    revisions: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    allowed: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    sending: int = 0
    others: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    address: str = ""

    def digest(self, name: str) -> str:
        """The SHA-256 it announces of a file."""
        if name not in self.digests:
            with self.files[name].open("rb") as file:
                digest = hashlib.sha256()
                while chunk := file.read(1 << 23):
                    digest.update(chunk)
            self.digests[name] = digest.hexdigest()
        return self.digests[name]

    @property
    def starts(self) -> list[int]:
        """The first byte of each GET."""
        return [start for method, _, start in self.asked if method == "GET"]


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that must come true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)


def handler(hub: Hub) -> type[http.server.BaseHTTPRequestHandler]:
    """The server's side of a hub."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer("HEAD", hub.head)

        def do_GET(self) -> None:
            self.answer("GET", hub.get)

        def answer(self, method: str, refusal: Refusal | None) -> None:
            wanted = PATH.fullmatch(self.path.partition("?")[0])
            if wanted is None:  # such as the endpoint itself
                hub.others.append(self.path)
                self.refuse(Refusal(200 if self.path == "/" else 404))
                return
            name = f"{wanted['repository']}/{wanted['name']}"
            host = str(self.headers["Host"]).partition(":")[0]
            hub.allowed.append((host, self.headers.get("Authorization", "")))
            start = int(re.sub(r"\D", "", self.headers.get("Range", "0")) or 0) if hub.ranges else 0
            hub.asked.append((method, name, start))
            hub.revisions.append(wanted["revision"])
            if refusal is not None:
                self.refuse(refusal)
            elif name not in hub.files:
                known = any(one.startswith(wanted["repository"] + "/") for one in hub.files)
                self.refuse(Refusal(404, "EntryNotFound" if known else "RepoNotFound"))
            elif hub.elsewhere and host != ELSEWHERE:
                self.send_on(name)
            else:
                self.give(method, name, start)

        def send_on(self, name: str) -> None:
            self.send_response(302)
            port = hub.address.rpartition(":")[2]
            self.send_header("Location", f"http://{ELSEWHERE}:{port}{self.path}")
            self.send_header("X-Linked-ETag", f'"{hub.digest(name)}"')
            self.send_header("X-Linked-Size", str(hub.files[name].stat().st_size))
            self.about()
            self.send_header("Content-Length", "0")
            self.end_headers()

        def about(self) -> None:
            self.send_header("X-Repo-Commit", COMMIT)
            if hub.xet:
                self.send_header("X-Xet-Hash", "ab" * 32)
                self.send_header("X-Xet-Refresh-Route", f"{hub.address}/api/xet-read-token")

        def refuse(self, refusal: Refusal) -> None:
            self.send_response(refusal.status)
            if refusal.code:
                self.send_header("X-Error-Code", refusal.code)
            if refusal.wait:
                self.send_header("Retry-After", refusal.wait)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def give(self, method: str, name: str, start: int) -> None:
            size = hub.files[name].stat().st_size
            if start >= size:
                self.refuse(Refusal(416))
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(size - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.send_header("Accept-Ranges", "bytes" if hub.ranges else "none")
            self.send_header("ETag", f'"{"0" * 40 if hub.plain else hub.digest(name)}"')
            self.about()
            self.end_headers()
            if method == "GET":
                with contextlib.suppress(ConnectionError):  # whoever asked has left
                    self.send(hub.files[name], start)

        def send(self, path: Path, start: int) -> None:
            broken, stalled = hub.breaks > 0, hub.stalls > 0
            hub.breaks, hub.stalls = hub.breaks - broken, hub.stalls - stalled
            hub.sending += 1
            try:
                with path.open("rb") as file:
                    file.seek(start)
                    while chunk := file.read(PIECE):
                        if (broken or stalled) and file.tell() - start > hub.after:
                            if broken:
                                return
                            while not hub.go_on.wait(0.02):
                                self.wfile.flush()
                            stalled = False
                        if hub.rate is not None:
                            time.sleep(len(chunk) / hub.rate)
                        self.wfile.write(chunk)
                        hub.sent += len(chunk)
            finally:
                hub.sending -= 1

    return Handler


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """A hub at an address of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(hub))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def instead_of_the_hub(hub: Hub, cache: Path) -> Iterator[Hub]:
    """A hub that this process takes for the true one, with an empty cache."""
    constants = huggingface_hub.constants
    with serving(hub), pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", hub.address)
        template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield hub


def partial():
    """Files that are not whole, of the hub's cache."""
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    return [path for path in cache.rglob("*.incomplete") if path.is_file()]


class Told:
    """A `Progress` that keeps what it was told, and cancels at a step."""

    def __init__(self, until=lambda doing: False):
        self.said, self._until = [], until

    def __call__(self, share, doing):
        assert 0 <= share <= 1
        self.said.append(doing)
        if self._until(doing):
            raise Cancelled("stopped")
