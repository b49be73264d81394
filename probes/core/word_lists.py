"""Word lists: ours, versioned, each with a source for the idea and, where it can hurt, a note shown first.

No list holds slurs. Lists with a note are never taken unless somebody asks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from pydantic import TypeAdapter

from probes.core.controls import Preset
from probes.core.examples import ASSETS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = ASSETS / "words"


@dataclass(frozen=True)
class WordList:
    """A list of words.

    Attributes:
        version: grows whenever a word is added, dropped or changed.
        title: what it holds, in a few words.
        source: where the idea comes from, with an address.
        note: what a person is told before it is shown; empty where nothing in it can hurt.
        words: each with its article where it takes one.
    """

    version: int
    title: str
    source: str
    words: tuple[str, ...]
    note: str = ""


@lru_cache(maxsize=1)
def lists() -> Mapping[str, WordList]:
    """Every list by name, those without a note first."""
    adapter = TypeAdapter(WordList)
    read = {
        path.stem: adapter.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    }
    return MappingProxyType({name: read[name] for name in sorted(read, key=lambda name: bool(read[name].note))})


def presets(*names: str) -> Mapping[str, Preset]:
    """The lists as a form offers them: those of these names, or all."""
    return MappingProxyType(
        {
            name: Preset(f"{one.title}, version {one.version}", one.words, one.note, one.source)
            for name, one in lists().items()
            if not names or name in names
        }
    )
