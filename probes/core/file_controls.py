"""Controls of fields that a visitor fills with a file: many pictures, a table, regions, embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from typing_extensions import override

from probes.core.controls import Control, single
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.embeddings import Embeddings
from probes.core.picture_sets import PictureFiles
from probes.core.regions import Regions
from probes.core.tables import Table

F = TypeVar("F", PictureFiles, Table, Regions, Embeddings, EmbeddingPairs)


@dataclass(frozen=True, kw_only=True)
class File(Control[F]):
    """Something that a visitor brings in a file; nothing, as its default, where they bring none.

    Files never travel in a link, and what is in them never stands in a report.
    """

    @property
    @override
    def travels(self) -> bool:
        return False

    @override
    def format(self, value: F) -> tuple[str, ...]:
        return (value.name,) if len(value) else ()

    @override
    def stimuli(self, value: F) -> Mapping[str, str]:
        return {value.name: value.digest} if len(value) else {}


@dataclass(frozen=True, kw_only=True)
class PictureSet(File[PictureFiles]):
    """Many pictures: a folder, a zip, or files held in memory.

    Attributes:
        most: at most so many.
    """

    most: int = 20_000

    @override
    def parse(self, given: object) -> PictureFiles:
        given = single(given)
        if not isinstance(given, PictureFiles):
            given = PictureFiles.of(_path(given)) if given else PictureFiles.none()
        if len(given) > self.most:
            raise ValueError(f"{len(given):,} pictures are too many; the limit is {self.most:,}")
        return given


@dataclass(frozen=True, kw_only=True)
class TableFile(File[Table]):
    """A table in CSV."""

    @override
    def parse(self, given: object) -> Table:
        given = single(given)
        if isinstance(given, Table):
            return given
        return Table.read(_path(given)) if given else Table.none()


@dataclass(frozen=True, kw_only=True)
class RegionsFile(File[Regions]):
    """Regions of pictures with names, in CSV or in JSON of COCO's layout."""

    @override
    def parse(self, given: object) -> Regions:
        given = single(given)
        if isinstance(given, Regions):
            return given
        return Regions.read(_path(given)) if given else Regions.none()


@dataclass(frozen=True, kw_only=True)
class EmbeddingsFile(File[Embeddings]):
    """Embeddings in .npy or .npz."""

    @override
    def parse(self, given: object) -> Embeddings:
        given = single(given)
        if isinstance(given, Embeddings):
            return given
        return Embeddings.read(_path(given)) if given else Embeddings.none()


@dataclass(frozen=True, kw_only=True)
class EmbeddingPairsFile(File[EmbeddingPairs]):
    """Embeddings of pictures and their captions: one .npz, or two files."""

    @override
    def parse(self, given: object) -> EmbeddingPairs:
        if isinstance(given, (list, tuple)) and len(given) == 1:
            (given,) = given
        if isinstance(given, EmbeddingPairs):
            return given
        if not given:
            return EmbeddingPairs.none()
        return EmbeddingPairs.read(
            [_path(one) for one in (given if isinstance(given, (list, tuple)) else [given])]
        )


def _path(given: object) -> Path:
    if isinstance(given, (str, Path)):
        return Path(given)
    raise ValueError(f"give a file, not {type(given).__name__}")
