"""What browsers send: each upload in a folder of its own that nobody can guess, read once and deleted at once.

Gradio writes an upload into a folder named by the digest of its content. Two visitors who send the same file would
share it, and whoever is read first would take it from the other. `separate` gives every upload a folder of its
own. They lie in a folder that only this process uses, which leaves with it; what nobody read, and what was left
when a browser broke off, goes after `MINUTES`. No address leads to any of it (`app.guard`).
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from gradio import Error, route_utils
from gradio.blocks import Block
from gradio.utils import get_upload_folder

from probes.core.errors import ClipspectError

MINUTES = 10
"""Minutes after which an upload that nobody read is deleted."""
READING = threading.BoundedSemaphore(2)
"""Held while what was sent is read: however many send at once, so few are unpacked at once."""
FOLDER = "GRADIO_TEMP_DIR"
"""The variable by which Gradio is told where uploads go."""


class OwnFolder(route_utils.GradioUploadFile):
    """An upload whose folder depends on chance as well as on its content."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sha.update(secrets.token_bytes(32))


@lru_cache(maxsize=1)
def separate() -> Path:
    """Let uploads go to a folder of this process, each into its own; before any component is made.

    Returns:
        The folder, which only the owner of the process may enter.
    """
    folder = Path(tempfile.mkdtemp(prefix="clipspect-", dir=os.environ.get(FOLDER) or None)).resolve()
    os.environ[FOLDER] = str(folder)
    route_utils.GradioUploadFile = OwnFolder  # type: ignore[misc]
    Block.async_move_resource_to_block_cache = _kept  # type: ignore[assignment]
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    threading.Thread(target=_sweep_now_and_then, args=(folder,), name="clipspect-uploads", daemon=True).start()
    return folder


async def _kept(block: Block, path: str | Path | None) -> str | None:
    """Stands in for Gradio's way to a file that a question names, which would fetch it from any address."""
    if path is not None and "://" in str(path):
        raise Error("Addresses are not fetched here: send the file itself.", print_exception=False)
    return None if path is None else str(path)


def _sweep_now_and_then(folder: Path) -> None:
    while True:
        time.sleep(60)
        sweep(folder, time.time() - 60 * MINUTES)


def sweep(folder: Path, before: float) -> None:
    """Delete what a folder holds that was last written before a time, in seconds since 1970."""
    old = []
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        with suppress(OSError):
            if path.lstat().st_mtime < before:
                old.append(path)
    for path in old:
        with suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def take(given: object, largest: int) -> bytes:
    """The bytes of an upload by the path that a browser says; the file is deleted, whatever becomes of it.

    Args:
        given: the path, of an upload and of no other file of this machine.
        largest: bytes it may have; more is refused before it is read.

    Raises:
        ClipspectError: it is no upload, is gone, or is too large.
    """
    path = _of_upload(given)
    try:
        size = path.stat().st_size
        if size > largest:
            raise ClipspectError(f"{size / 1e6:.1f} MB are too many; the limit is {largest / 1e6:.0f} MB")
        return path.read_bytes()
    except OSError:
        raise ClipspectError("the upload is gone; send it again") from None
    finally:
        discard(path)


def discard(given: object) -> None:
    """Delete an upload by the path that a browser says; nothing where it is none."""
    with suppress(OSError, ClipspectError):
        path = _of_upload(given)
        path.unlink()
        path.parent.rmdir()


def _of_upload(given: object) -> Path:
    """The path, if it leads to a file in the folder of an upload."""
    root = Path(get_upload_folder()).resolve()
    try:
        path = Path(str(given)).resolve()
        folder = path.is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, or in a circle
        raise ClipspectError("this is not an upload") from None
    if path.parent.parent != root or folder:
        raise ClipspectError("this is not an upload")
    return path
