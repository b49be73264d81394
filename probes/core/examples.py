"""The bundled example pictures, with the labels and places that suit them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from probes.core.errors import PictureError
from probes.core.pictures import Picture

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ASSETS = Path(__file__).resolve().parents[2] / "assets"
"""The folder of stimuli and bundled models."""


@dataclass(frozen=True)
class Example:
    """A bundled picture.

    Attributes:
        file: where it lies.
        title: what it shows, for a gallery.
        labels: labels to try on it.
        point: (x, y) of a thing to mark, shares of width and height; None where there is one thing only.
        credit: who drew it, under which licence.
    """

    file: Path
    title: str
    labels: tuple[str, ...]
    point: tuple[float, float] | None
    credit: str

    def picture(self) -> Picture:
        """The picture itself."""
        return Picture.read(self.file)


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """All bundled example pictures, in the order of the gallery."""
    folder = ASSETS / "stimuli" / "examples"
    with (folder / "examples.toml").open("rb") as stream:
        listed: list[dict[str, Any]] = tomllib.load(stream)["examples"]
    return tuple(
        Example(
            file=folder / entry["file"],
            title=entry["title"],
            labels=tuple(entry["labels"]),
            point=(entry["point"][0], entry["point"][1]) if "point" in entry else None,
            credit=entry["credit"],
        )
        for entry in listed
    )


def path_of(picture: Picture) -> str:
    """Where a bundled picture lies, as seen from the project's folder; empty for any other picture."""
    return _paths().get((picture.name, picture.digest), "")


@lru_cache(maxsize=1)
def _paths() -> dict[tuple[str, str], str]:
    try:
        read = {example.file: example.picture() for example in examples()}
    except (OSError, PictureError):  # none is bundled here
        return {}
    return {(one.name, one.digest): file.relative_to(ASSETS.parent).as_posix() for file, one in read.items()}
