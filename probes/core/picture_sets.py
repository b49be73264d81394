"""Many pictures, from a folder, a zip or uploaded files, read a few at a time.

A set knows the names of its pictures and how to read them; decoded they would not fit into memory. What cannot be
read is told with its reason, and never dropped in silence.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.damaged import DAMAGED, reason
from probes.core.errors import PictureError
from probes.core.pictures import Picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")

ENTRY_LIMIT = 200_000_000
"""A file inside a zip that claims more bytes than this is not unpacked."""

MOST_ENTRIES = 200_000
"""Files that a zip sent to this program may list; counted before the list is read."""
_ENTRY = b"PK\x01\x02"

Read = Callable[[str], bytes]
"""The bytes of a file by its name; raises `PictureError`."""


@dataclass(frozen=True)
class Unreadable:
    """A picture that cannot be read, and why, in a phrase."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class PictureFiles:
    """A set of files of pictures.

    Attributes:
        name: what to call the set, such as the folder's name.
        names: of the files, by their path inside the folder or zip, sorted; each once.
        stamp: changes when the content may have: sizes and times of a folder's files, checksums of a zip's.
        opened: opens the set for a while and gives its `Read`.
    """

    name: str
    names: tuple[str, ...]
    stamp: str
    opened: Callable[[], Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PictureFiles) and (self.name, self.stamp) == (other.name, other.stamp)

    def __hash__(self) -> int:
        return hash((self.name, self.stamp))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all names and bytes in order, hexadecimal; reads every file."""
        whole = hashlib.sha256()
        with self.opened() as read:
            for name in self.names:
                try:
                    content = read(name)
                except PictureError as error:
                    content = str(error).encode()
                whole.update(f"{name}:{len(content)}:".encode())
                whole.update(content)
        return whole.hexdigest()

    def read(self, names: Sequence[str]) -> Iterator[Picture | Unreadable]:
        """Some of the pictures in the order asked for, or why one cannot be had."""
        with self.opened() as read:
            for name in names:
                try:
                    yield Picture.read(read(name), name=name)
                except PictureError as error:
                    yield Unreadable(name, str(error).removeprefix(f"{name}: "))

    @classmethod
    def none(cls) -> PictureFiles:
        """No pictures."""
        return _NONE

    @classmethod
    def of(cls, path: Path) -> PictureFiles:
        """The pictures of a folder or of a zip.

        Raises:
            PictureError: it is neither, or holds none.
        """
        if path.is_dir():
            found = _folder(path)
        elif not path.exists():
            raise PictureError(f"'{path}' does not exist")
        elif zipfile.is_zipfile(path):
            found = _zip(path.name, path)
        else:
            raise PictureError(f"'{path.name}' is neither a folder nor a zip")
        if not found.names:
            raise PictureError(f"'{path.name}' holds no pictures ({', '.join(SUFFIXES)})")
        return found

    @classmethod
    def of_bytes(cls, files: Mapping[str, bytes], name: str) -> PictureFiles:
        """Files that are held in memory, by name; a zip among them stands for what is in it.

        Raises:
            PictureError: no picture is among them.
        """
        parts = [
            _zip(file, io.BytesIO(content)) if zipfile.is_zipfile(io.BytesIO(content)) else _memory(file, content)
            for file, content in files.items()
        ]
        parts = [part for part in parts if part.names]
        if not parts:
            raise PictureError(f"no picture is among {', '.join(list(files)[:3]) or 'nothing'}")
        return parts[0] if len(parts) == 1 else _joined(parts, name)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON a set is its name, count and digest: neither pixels nor names of files leave in a report."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


def _describe(files: PictureFiles) -> dict[str, str | int] | None:
    if not len(files):
        return None
    return {"name": files.name, "pictures": len(files), "sha256": files.digest}


@contextmanager
def _nothing() -> Iterator[Read]:
    def read(name: str) -> bytes:
        raise PictureError(f"{name}: there is no such file")

    yield read


_NONE = PictureFiles("", (), "", _nothing)


def _stamped(pieces: Iterator[str] | Sequence[str]) -> str:
    return hashlib.sha256("\n".join(pieces).encode()).hexdigest()


def _folder(path: Path) -> PictureFiles:
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    names = tuple(file.relative_to(path).as_posix() for file in files)
    states = [(name, file.stat()) for name, file in zip(names, files, strict=True)]

    @contextmanager
    def opened() -> Iterator[Read]:
        def read(name: str) -> bytes:
            try:
                return (path / name).read_bytes()
            except OSError as error:
                raise PictureError(f"{name}: {error.strerror or 'it cannot be read'}") from None

        yield read

    stamp = _stamped(f"{name}:{state.st_size}:{state.st_mtime_ns}" for name, state in states)
    return PictureFiles(path.resolve().name, names, stamp, opened)


def _zip(name: str, source: Path | io.BytesIO) -> PictureFiles:
    if isinstance(source, io.BytesIO) and source.getvalue().count(_ENTRY) > MOST_ENTRIES:
        raise PictureError(f"{name}: a zip may hold {MOST_ENTRIES:,} files; this one says it holds more")
    try:
        with zipfile.ZipFile(source) as archive:
            entries = {info.filename: info for info in archive.infolist() if _is_picture(info.filename)}
    except DAMAGED as error:
        raise PictureError(f"{name}: the zip is damaged ({reason(error)})") from None

    @contextmanager
    def opened() -> Iterator[Read]:
        with zipfile.ZipFile(source) as archive:

            def read(entry: str) -> bytes:
                return _unpacked(archive, entries[entry])

            yield read

    names = tuple(sorted(entries))
    return PictureFiles(name, names, _stamped(f"{n}:{entries[n].CRC}" for n in names), opened)


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    # "__MACOSX/._face.jpg" is what one system adds to every file, and no picture
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("._")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    name = entry.filename
    if entry.file_size > ENTRY_LIMIT:
        raise PictureError(f"{name}: {entry.file_size / 1e6:.0f} MB unpacked is too large for a picture")
    try:
        with archive.open(entry) as stream:
            return stream.read(ENTRY_LIMIT)
    except DAMAGED as error:  # or encrypted, or packed in a way that zipfile does not know
        raise PictureError(f"{name}: cannot be unpacked ({reason(error)})") from None


def _memory(name: str, content: bytes) -> PictureFiles:
    @contextmanager
    def opened() -> Iterator[Read]:
        yield lambda _: content

    names = (name,) if _is_picture(name) else ()
    return PictureFiles(name, names, hashlib.sha256(content).hexdigest(), opened)


def _joined(parts: Sequence[PictureFiles], name: str) -> PictureFiles:
    """Several sets as one; of pictures of the same name the first counts."""
    owner: dict[str, PictureFiles] = {}
    for part in parts:
        for one in part.names:
            owner.setdefault(one, part)

    @contextmanager
    def opened() -> Iterator[Read]:
        def read(one: str) -> bytes:
            with owner[one].opened() as inner:
                content: bytes = inner(one)
            return content

        yield read

    return PictureFiles(name, tuple(sorted(owner)), _stamped([part.stamp for part in parts]), opened)
