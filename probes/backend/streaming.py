"""A large file from the network to the disk: it goes on where it broke off, and counts only once it is whole.

What has come lies in a file beside the place it is for, called `PARTIAL`, until it has the size and the SHA-256
that were announced; only then it takes its name, so that nothing half-written is ever read as the file.
`huggingface_hub` 2 deletes what has come when the connection breaks (its release 1 kept it under the name used
here), which is why the bytes are fetched here, with its own HTTP client, by the plain address. Xet, its transfer
in chunks, tells of bytes that are not on the disk yet and cannot be left while it waits; it is not used.

One thread reads the connection and another writes: whoever waits is told several times a second, and can leave,
also while nothing comes. A connection that breaks is tried again, `PAUSES` apart.
"""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock
import huggingface_hub
import huggingface_hub.constants
from huggingface_hub.errors import HfHubHTTPError

from probes.backend.shared import TICK
from probes.core.errors import ModelError
from probes.core.model import Progress

PARTIAL = ".incomplete"
CHUNK = 8 << 20
"""Bytes read from the disk at once."""
PAUSES: tuple[float, ...] = (1, 2, 4, 8)
"""Seconds to wait before each new attempt after a connection broke."""
MUCH = 16 << 20
"""Bytes of one attempt after which a break counts as the first again."""
AGAIN = "press Run, or give the command, again"
"""What to do on a page and on the command line."""
TRANSPORT: type[Exception] = next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
"""What the HTTP client of `huggingface_hub` raises, whichever it is in this release."""


@dataclass(frozen=True)
class Remote:
    """A file that somebody announced.

    Attributes:
        name: what to call it in a sentence.
        url: where it is.
        headers: to ask with, such as who one is.
        size: in bytes; None where it was not announced.
        sha256: hexadecimal; empty where it was not announced.
    """

    name: str
    url: str
    headers: dict[str, str]
    size: int | None = None
    sha256: str = ""


class Broken(Exception):
    """A connection ended before the file did."""


class Refused(Exception):
    """The server answered with an error.

    Args:
        status: HTTP status.
        wait: seconds after which it may be asked again, as it says; empty if it does not.
    """

    def __init__(self, status: int, wait: str = "") -> None:
        super().__init__(status)
        self.status, self.wait = status, wait


def download(remote: Remote, path: Path, lock_path: Path, progress: Progress) -> None:
    """Bring a file to its place, from what is there of it already: once if several ask, also in other processes.

    Args:
        remote: what to fetch.
        path: its place; the folder is made.
        lock_path: a file that is held meanwhile, so that nobody else writes.
        progress: told bytes, many times a second; where it raises `Cancelled`, what has come is kept.

    Raises:
        ModelError: the connection breaks again and again, there is no room, or not what was announced has come.
        Refused: the server does not give it.
        OSError: it cannot be written.
    """
    for folder in (path.parent, lock_path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    lock = filelock.FileLock(lock_path)
    while True:
        if path.exists():
            return
        try:
            lock.acquire(timeout=0)
            break
        except filelock.Timeout:  # somebody else is at it: their bytes are ours too
            _tell(progress, remote, _size(partial))
            time.sleep(TICK)
        except NotImplementedError:  # a disk without locks
            break
    try:
        if not path.exists():
            _fill(remote, partial, progress)
            _check(remote, partial, progress)
            os.replace(partial, path)
    finally:
        lock.release()


def _fill(remote: Remote, partial: Path, progress: Progress) -> None:
    """Attempts until the file has all its bytes, which may be there already.

    Raises:
        ModelError: too many attempts failed, or there is no room.
    """
    failed = 0
    while True:
        before = _size(partial)
        if remote.size is not None and before >= remote.size:
            return
        _check_room(remote, partial, before)
        try:
            _attempt(remote, partial, progress)
            return
        except Broken:
            got = _size(partial)
            failed = 1 if got - before >= MUCH else failed + 1
            if failed > len(PAUSES):
                raise ModelError(
                    f"the connection to the Hugging Face hub broke {failed} times while {remote.name} came "
                    f"({megabytes(remote, got)} are kept on disk); {AGAIN} to go on from there"
                ) from None
            again = f"the connection broke, trying again ({failed} of {len(PAUSES)})"
            until = time.monotonic() + PAUSES[failed - 1]
            while time.monotonic() < until:
                _tell(progress, remote, got, again)
                time.sleep(TICK)


def _attempt(remote: Remote, partial: Path, progress: Progress) -> None:
    """Append what one connection brings.

    Raises:
        Broken: it ended early.
        Refused: the server answered with an error.
    """
    start = _size(partial)
    connection = _Connection(remote, start)
    try:
        _tell(progress, remote, start)
        begins = connection.take(lambda: _tell(progress, remote, start))
        with partial.open("r+b" if partial.exists() else "wb") as file:
            done = begins if isinstance(begins, int) else 0
            file.truncate(done)  # a server that does not know ranges begins anew
            file.seek(done)
            while isinstance(chunk := connection.take(lambda: _tell(progress, remote, done)), bytes):  # noqa: B023
                file.write(chunk)
                done += len(chunk)
                _tell(progress, remote, done)
                if remote.size is not None and done > remote.size:
                    break
            _settle(file)
    finally:
        connection.leave()
    if remote.size is not None and done < remote.size:
        raise Broken


class _Connection:
    """A thread that reads one answer of a server: where its bytes begin, the bytes, then None."""

    def __init__(self, remote: Remote, start: int) -> None:
        self._remote, self._start = remote, start
        self._came: queue.Queue[int | bytes | BaseException | None] = queue.Queue(maxsize=64)
        self._left = threading.Event()
        threading.Thread(target=self._run, name="clipspect-download", daemon=True).start()

    def take(self, waiting: Callable[[], None]) -> int | bytes | None:
        """What comes next; `waiting` is called meanwhile, and may raise."""
        while True:
            try:
                came = self._came.get(timeout=TICK)
            except queue.Empty:
                waiting()
                continue
            if isinstance(came, BaseException):
                raise came
            return came

    def leave(self) -> None:
        """Whatever still comes is not wanted."""
        self._left.set()

    def _give(self, item: int | bytes | BaseException | None) -> bool:
        while not self._left.is_set():
            try:
                self._came.put(item, timeout=TICK)
                return True
            except queue.Full:
                continue
        return False

    def _run(self) -> None:
        try:
            self._read()
        except TRANSPORT:
            self._give(Broken())
        except OSError as error:
            self._give(Broken() if not isinstance(error, HfHubHTTPError) else error)
        except BaseException as error:  # whatever it is, the one who waits has to hear of it
            self._give(error)

    def _read(self) -> None:
        headers = {**self._remote.headers, "Accept-Encoding": "identity"}
        if self._start:
            headers["Range"] = f"bytes={self._start}-"
        timeout = huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT
        session = huggingface_hub.get_session()
        with session.stream(
            "GET", self._remote.url, headers=headers, timeout=timeout, follow_redirects=True
        ) as answer:
            if answer.status_code == 416:  # what is here is no beginning of what is there
                self._start = 0
                self._give(0)
                raise Broken
            if answer.status_code >= 400:
                raise Refused(answer.status_code, answer.headers.get("Retry-After", ""))
            if not self._give(self._start if answer.status_code == 206 else 0):
                return
            for chunk in answer.iter_bytes():  # as it comes: what waits to fill a chunk is lost in a break
                if not self._give(chunk):
                    return
            self._give(None)


def _check(remote: Remote, partial: Path, progress: Progress) -> None:
    """Hold what has come to what was announced; what differs is deleted.

    Raises:
        ModelError: it differs.
    """
    size = _size(partial)
    wrong = remote.size is not None and size != remote.size
    if remote.sha256 and not wrong:
        digest, done = hashlib.sha256(), 0
        with partial.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                done += len(chunk)
                progress(1.0, f"checking, {megabytes(remote, done)}")
        wrong = digest.hexdigest() != remote.sha256
    if wrong:
        partial.unlink(missing_ok=True)
        raise ModelError(
            f"what came of {remote.name} is not what the Hugging Face hub announced (its size or SHA-256 differs) "
            f"and was deleted; {AGAIN} to download it anew"
        )


def _check_room(remote: Remote, partial: Path, before: int) -> None:
    """Refuse what the disk has no room for.

    Raises:
        ModelError: it has none.
    """
    free = shutil.disk_usage(partial.parent).free
    needed = (remote.size or 0) - before
    if needed > free:
        raise ModelError(
            f"{remote.name} needs {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free; free some, or "
            "set HF_HOME to a folder on a larger disk"
        )


def _settle(file: BinaryIO) -> None:
    """Make sure that the bytes are on the disk, also if the machine stops now."""
    file.flush()
    os.fsync(file.fileno())


def _tell(progress: Progress, remote: Remote, done: int, doing: str = "downloading") -> None:
    share = min(1.0, done / remote.size) if remote.size else 0.0
    progress(share, f"{doing}, {megabytes(remote, done)}")


def megabytes(remote: Remote, done: int) -> str:
    """How much has come, such as `120 of 605 MB`."""
    return f"{done / 1e6:.0f} of {remote.size / 1e6:.0f} MB" if remote.size else f"{done / 1e6:.0f} MB"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
