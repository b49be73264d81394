"""What the world knows of an emoji."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

TONES = {1: "light", 2: "medium-light", 3: "medium", 4: "medium-dark", 5: "dark"}
SHARED = ("tags", "group", "gender")
"""What a skin-tone variant has from its base, if nothing else is said."""


@dataclass(frozen=True)
class Emoji:
    """One emoji: its codepoints, its English label and tags, and what emojibase says of the person drawn.

    `base` is the hexcode of the emoji without skin tones (its own where it has none). `tones` holds no, one
    or two of `TONES`' numbers.
    """

    hexcode: str
    label: str
    tags: tuple[str, ...]
    group: str
    gender: str | None
    base: str
    tones: tuple[int, ...]

    @property
    def phrase(self) -> str:
        """The label as it stands in a caption: lower case, a single skin tone said after `with`."""
        if len(self.tones) == 1 and ": " in self.label:
            head, details = self.label.lower().split(": ", 1)
            tone = f"{TONES[self.tones[0]]} skin tone"
            rest = [detail for detail in details.split(", ") if detail != tone]
            return f"{head}{': ' if rest else ''}{', '.join(rest)} with {tone}"
        return self.label.lower()


def write_table(path: Path, emoji: Iterable[Emoji]) -> None:
    """Write emoji as JSON, one a line; what is empty is left out, and what equals the base's is said there."""
    lines = []
    bases: dict[str, Emoji] = {}
    for one in emoji:
        bases.setdefault(one.base, one)
        base = bases[one.base]
        said = {key: value for key, value in asdict(one).items() if value not in (None, (), one.hexcode)}
        if one.hexcode != one.base:
            said = {k: v for k, v in said.items() if k not in SHARED or v != getattr(base, k)}
        lines.append(json.dumps({"hexcode": one.hexcode, **said}, ensure_ascii=False))
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def read_table(path: Path) -> dict[str, Emoji]:
    """Emoji by hexcode, from what `write_table` wrote."""
    table: dict[str, Emoji] = {}
    for said in json.loads(path.read_text(encoding="utf-8")):
        code = said["hexcode"]
        base = table.get(said.get("base", code))
        shared = {} if base is None else {key: getattr(base, key) for key in SHARED}
        full = {"gender": None, "tags": (), "tones": (), "base": code, **shared, **said}
        table[code] = Emoji(**{**full, "tags": tuple(full["tags"]), "tones": tuple(full["tones"])})
    return table
