"""Which emoji there are, and which one a drawing shows.

The labels are emojibase's (CLDR's short names). A drawing comes with a name ("man-firefighter") and, in some
packages, with a codepoint. `Names.find` joins the two: by codepoint where the package gives one, else by name,
where names are compared by their letters and digits alone.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.world.emoji import Emoji

GROUPS = {
    0: "smileys & emotion",
    1: "people & body",
    3: "animals & nature",
    4: "food & drink",
    5: "travel & places",
    6: "activities",
    7: "objects",
    8: "symbols",
}  # emojibase's group numbers; 2 (components) and 9 (flags) are left out of this world
GENDERS = {0: "woman", 1: "man"}
GENDERED = {"woman": ("woman", "women", "girl", "mother"), "man": ("man", "men", "boy", "father")}


def hexcode(codepoints: str) -> str:
    """A codepoint sequence in one spelling: upper case, hyphens, no variation selector FE0F."""
    return "-".join(part for part in re.split(r"[-_ ]", codepoints.upper()) if part != "FE0F")


def letters(name: str) -> str:
    """What is left of a name to compare: its lower-case letters and digits, accents taken off."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def gender(label: str, number: int | None) -> str | None:
    """`woman`, `man` or None: emojibase's own gender field, else the one gendered word in the label."""
    if number is not None:
        return GENDERS.get(number)
    words = set(re.findall(r"[a-z]+", label.lower()))
    said = [name for name, forms in GENDERED.items() if words.intersection(forms)]
    return said[0] if len(said) == 1 else None


def read_emoji(records: Iterable[Mapping[str, Any]]) -> dict[str, Emoji]:
    """Every emoji of the world by hexcode, from emojibase's `en/data.json`, variants after their base."""
    world: dict[str, Emoji] = {}
    for record in records:
        if record.get("group") not in GROUPS:
            continue
        base = hexcode(record["hexcode"])
        for entry in (record, *record.get("skins", ())):
            tone = entry.get("tone", ())
            code = hexcode(entry["hexcode"])
            world[code] = Emoji(
                hexcode=code,
                label=entry["label"],
                tags=tuple(tag.lower() for tag in record.get("tags", ())),
                group=GROUPS[record["group"]],
                gender=gender(record["label"], entry.get("gender", record.get("gender"))),
                base=base,
                tones=(tone,) if isinstance(tone, int) else tuple(tone),
            )
    return world


@dataclass(frozen=True)
class Names:
    """The join of drawing names to hexcodes: `by_letters` maps `letters(name)` to a hexcode of the world."""

    by_letters: Mapping[str, str]

    def find(self, name: str, codepoint: str | None, aliases: Iterable[str] = ()) -> str | None:
        """The hexcode a drawing shows, or None: its codepoint first, then its name, then its other names."""
        if codepoint is not None:
            return hexcode(codepoint) if hexcode(codepoint) in self.known else None
        for candidate in (name, re.sub(r"-\d+$", "", name), *aliases):
            found = self.by_letters.get(letters(candidate))
            if found is not None:
                return found
        return None

    @property
    def known(self) -> frozenset[str]:
        """Every hexcode a name leads to."""
        return frozenset(self.by_letters.values())


def read_names(
    world: Mapping[str, Emoji], charts: Iterable[Mapping[str, str]], unicode_names: Mapping[str, str]
) -> Names:
    """Build the join from the labels, the packages' own charts (codepoint to name) and Unicode's names.

    Where two of them disagree on a name the label wins, then the charts in their order, then Unicode.
    """
    table: dict[str, str] = {}
    for code, emoji in world.items():
        table.setdefault(letters(emoji.label), code)
    for chart in (*charts, unicode_names):
        for codepoint, name in chart.items():
            if hexcode(codepoint) in world and letters(name):
                table.setdefault(letters(name), hexcode(codepoint))
    return Names(by_letters=table)


def read_json(path: Path) -> Any:
    """A JSON file's content."""
    with path.open(encoding="utf-8") as file:
        return json.load(file)
