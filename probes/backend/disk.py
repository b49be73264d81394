"""Embeddings on disk: one SQLite file in the user's cache folder, bounded, safe for several processes.

A value is stored as raw little-endian float32 beside the SHA-256 of its key and bytes; an entry that does not
match is deleted and computed again. Nothing is ever unpickled. When the folder cannot be written or the disk is
full, a warning is logged once and the program goes on in memory alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from probes.core.model import Float32

DISK_BYTES = 512 * 1024**2
FOLDER = "CLIPSPECT_CACHE"
"""The variable that names the folder; otherwise the user's own cache folder is taken."""
LEAVE = 0.9
"""How full the store is left, as a share of its budget, when old entries are thrown out."""

COARSE = 60.0
"""Seconds within which a second use of an entry is not written down, so that reading stays reading."""

_TABLE = """CREATE TABLE IF NOT EXISTS embeddings (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, check_sum BLOB NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID"""

log = logging.getLogger(__name__)


class DiskStore:
    """Arrays in an SQLite file, the least recently used leaving first.

    Args:
        path: of the file; its folder is made if need be, readable by its owner alone.
        budget: most bytes of all values together.
    """

    def __init__(self, path: Path, budget: int = DISK_BYTES) -> None:
        self._path, self._budget = path, budget
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._held = 0
        self._process = os.getpid()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    @property
    def works(self) -> bool:
        """Whether anything is still kept on disk."""
        return self._connection is not None

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        with self._lock:
            return self._count() if self._connection is not None else 0

    def get(self, key: str) -> Float32 | None:
        """The array, read-only, or None. A damaged entry is deleted."""
        with self._lock:
            if self._connection is None or os.getpid() != self._process:
                return None  # SQLite's connections must not be used across a fork
            try:
                row = self._connection.execute(
                    "SELECT value, check_sum, used FROM embeddings WHERE key = ?", (key,)
                ).fetchone()
                if row is None:
                    return None
                value, check_sum = bytes(row[0]), bytes(row[1])
                if check_sum != _check_sum(key, value) or len(value) % 4:
                    self._connection.execute("DELETE FROM embeddings WHERE key = ?", (key,))
                    return None
                if time.time() - row[2] > COARSE:
                    self._connection.execute("UPDATE embeddings SET used = ? WHERE key = ?", (time.time(), key))
            except sqlite3.Error as error:
                self._give_up(error)
                return None
        return np.frombuffer(value, dtype="<f4").astype(np.float32, copy=False)

    def put(self, key: str, value: Float32) -> None:
        """Keep an array, throwing out old ones if the budget asks for it."""
        stored = np.ascontiguousarray(value, dtype="<f4").tobytes()
        if len(stored) > self._budget:
            return
        with self._lock:
            if self._connection is None or os.getpid() != self._process:
                return
            try:
                self._connection.execute(
                    "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?)",
                    (key, stored, _check_sum(key, stored), len(stored), time.time()),
                )
                self._held += len(stored)
                if self._held > self._budget:
                    self._shrink()
            except sqlite3.Error as error:
                self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._path.unlink()  # not a database: nothing in it can be used
            connection = self._connect()
        self._connection = connection
        self._held = self._count()
        if self._held > self._budget:
            self._shrink()
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a lost entry is computed again
            connection.execute(_TABLE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _count(self) -> int:
        if self._connection is None:
            return 0
        return int(self._connection.execute("SELECT COALESCE(SUM(bytes), 0) FROM embeddings").fetchone()[0])

    def _shrink(self) -> None:
        """Delete the least recently used until the store is `LEAVE` full."""
        if self._connection is None:
            return
        self._held = self._count()  # other processes write too, and replacing counts twice
        oldest = self._connection.execute("SELECT key, bytes FROM embeddings ORDER BY used").fetchall()
        for key, size in oldest:
            if self._held <= self._budget * LEAVE:
                break
            self._connection.execute("DELETE FROM embeddings WHERE key = ?", (key,))
            self._held -= size

    def _give_up(self, error: Exception) -> None:
        """Go on without the disk."""
        log.warning("embeddings are kept in memory only: %s cannot be used (%s)", self._path, error)
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _check_sum(key: str, value: bytes) -> bytes:
    return hashlib.sha256(key.encode() + value).digest()


@lru_cache(maxsize=1)
def shared_disk() -> DiskStore | None:
    """The store of this user, in `CLIPSPECT_CACHE` if that is set; None where `CLIPSPECT_DISK_CACHE` is `0`."""
    if os.environ.get("CLIPSPECT_DISK_CACHE") == "0":
        return None
    return DiskStore(Path(os.environ.get(FOLDER) or user_cache_path("clipspect")) / "embeddings-1.sqlite")
