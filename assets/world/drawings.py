"""The drawings that scenes are put together from, as pixels.

A sheet is kept in one zip: `drawings.csv` says of each row which emoji it shows (nothing for a word or a patch),
its style, its name there, and where its pixels are: the number of a tile and the place in it. A tile holds a few
drawings under one another as lossless WebP, premultiplied RGBA; the skin tones of one drawing share a tile, as
they compress well together. Tiles are decoded when they are asked for, and the latest are kept.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from assets.world.marks import mark_drawings

SIZE = 64  # pixels a side at which drawings are kept
IN_TILE = (3, 6)  # drawings in a tile: as few as this where the next shows something else, and at most
KEPT = 400  # decoded tiles kept, 48 to 96 KB each
SKIN = frozenset({"1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"})
"""The codepoints of skin tones."""
TABLE = "drawings.csv"
COLUMNS = ("tile", "place", "hexcode", "style", "name")


class Pixels(Protocol):
    """Pixels by row: indexed with a list of k rows they give `(k, SIZE, SIZE, 4)` uint8 premultiplied RGBA."""

    def __getitem__(self, rows: list[int], /) -> npt.NDArray[np.uint8]:
        """The pixels of some rows."""
        ...

    def __len__(self) -> int:
        """How many rows there are."""
        ...


class Packed:
    """The pixels of a zip of tiles."""

    def __init__(self, path: Path, places: Sequence[tuple[int, int]]) -> None:
        """`places` holds each row's tile and place in it."""
        self._zip = zipfile.ZipFile(path)
        self._places = tuple(places)
        self._tile = lru_cache(maxsize=KEPT)(self._decoded)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._places)

    def __getitem__(self, rows: list[int], /) -> npt.NDArray[np.uint8]:
        """The pixels of some rows, `(k, SIZE, SIZE, 4)`."""
        found = np.empty((len(rows), SIZE, SIZE, 4), dtype=np.uint8)
        for k, row in enumerate(rows):
            tile, place = self._places[row]
            found[k] = self._tile(tile)[place]
        return found

    def all(self) -> npt.NDArray[np.uint8]:
        """Every row, `(n, SIZE, SIZE, 4)`; nothing of it is kept here."""
        found = np.empty((len(self), SIZE, SIZE, 4), dtype=np.uint8)
        last, pixels = -1, found[:0]
        for row in sorted(range(len(self)), key=self._places.__getitem__):
            tile, place = self._places[row]
            if tile != last:
                last, pixels = tile, self._decoded(tile)
            found[row] = pixels[place]
        return found

    def _decoded(self, tile: int) -> npt.NDArray[np.uint8]:
        with Image.open(io.BytesIO(self._zip.read(_tile_name(tile)))) as picture:
            return np.asarray(picture.convert("RGBA")).reshape(-1, SIZE, SIZE, 4)


@dataclass(frozen=True, eq=False)
class Sheet:
    """All drawings of a set of styles; row k of every column is one drawing."""

    pixels: Pixels
    hexcode: tuple[str, ...]
    style: tuple[str, ...]
    name: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write the sheet as a zip of tiles."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tiles = list(self._tiles())
        places = {row: (tile, place) for tile, rows in enumerate(tiles) for place, row in enumerate(rows)}
        table = io.StringIO(newline="")
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row, said in enumerate(zip(self.hexcode, self.style, self.name, strict=True)):
            writer.writerow((*places[row], *said))
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(zipfile.ZipInfo(TABLE), table.getvalue(), zipfile.ZIP_DEFLATED)
            for tile, rows in enumerate(tiles):
                file.writestr(zipfile.ZipInfo(_tile_name(tile)), _encoded(self.pixels[rows]))

    def _tiles(self) -> Iterator[list[int]]:
        """The rows that share a tile."""
        subjects = [
            (style, tuple(part for part in code.split("-") if part not in SKIN))
            for style, code in zip(self.style, self.hexcode, strict=True)
        ]
        tile: list[int] = []
        for row in sorted(range(len(subjects)), key=lambda row: (subjects[row], self.hexcode[row], row)):
            few, many = IN_TILE
            other = bool(tile) and subjects[row] != subjects[tile[-1]]
            if len(tile) == many or (other and len(tile) >= few):
                yield tile
                tile = []
            tile.append(row)
        if tile:
            yield tile

    @classmethod
    def load(cls, path: Path) -> Sheet:
        """Read a sheet that `save` wrote; pixels are decoded as they are asked for."""
        with zipfile.ZipFile(path) as file:
            table = list(csv.reader(io.StringIO(file.read(TABLE).decode("utf-8"), newline="")))[1:]
        tile, place, hexcode, style, name = zip(*table, strict=True)
        return cls(Packed(path, list(zip(map(int, tile), map(int, place), strict=True))), hexcode, style, name)

    def unpacked(self) -> Sheet:
        """The same sheet with all pixels in memory, for training."""
        return Sheet(
            self.pixels.all() if isinstance(self.pixels, Packed) else self.pixels,
            self.hexcode, self.style, self.name,
        )  # fmt: skip

    def only(self, style: str) -> Sheet:
        """The drawings of one style."""
        rows = [row for row, name in enumerate(self.style) if name == style]
        columns = (tuple(column[row] for row in rows) for column in (self.hexcode, self.style, self.name))
        return Sheet(self.pixels[rows], *columns)

    def with_marks(self) -> Sheet:
        """The sheet with the written words and patches after the emoji; their hexcode is empty."""
        marks = list(mark_drawings(SIZE))
        return Sheet(
            np.concatenate(
                [self.pixels[list(range(len(self.pixels)))], *(pixels[None] for _, _, pixels in marks)]
            ),
            self.hexcode + ("",) * len(marks),
            self.style + tuple(style for style, _, _ in marks),
            self.name + tuple(name for _, name, _ in marks),
        )


def _tile_name(tile: int) -> str:
    return f"{tile:05d}.webp"


def _encoded(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Drawings `(k, SIZE, SIZE, 4)` as one lossless picture; `exact` keeps colours where alpha is 0."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels.reshape(-1, SIZE, 4))
    picture.save(buffer, "WEBP", lossless=True, exact=True, method=4, quality=80)
    return buffer.getvalue()
