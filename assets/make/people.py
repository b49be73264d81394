"""The listing of drawn people: families of drawings that are alike but for gender or skin tone."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.make.sources import Source
from assets.world.emoji import TONES
from assets.world.pairs import World
from assets.world.plan import OCCUPATIONS

STYLES = ("noto", "twemoji", "fluent-emoji", "fluent-emoji-flat", "noto-v1")
"""Styles that draw whole families."""
PORTRAITS = {
    "portrait": ("man", "woman", "person"),
    "portrait of a child": ("boy", "girl", "child"),
    "portrait in old age": ("old man", "old woman", "older person"),
    "portrait, bald": ("man: bald", "woman: bald", "person: bald"),
    "portrait, curly hair": ("man: curly hair", "woman: curly hair", "person: curly hair"),
    "portrait, red hair": ("man: red hair", "woman: red hair", "person: red hair"),
    "portrait, white hair": ("man: white hair", "woman: white hair", "person: white hair"),
}
"""Labels of the drawings of a man, a woman and a person."""
COLUMNS = ("id", "occupation", "gender", "skin_tone", "style", "hexcode", "name", "licence", "credit")
NONE = "none"


def families(world: World) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Every occupation and portrait with the labels of its drawings of a man, a woman and a person."""
    for word, drawn in OCCUPATIONS.items():
        unmarked = drawn if drawn in world.by_label else f"person {drawn}"
        yield word, (f"man {drawn}", f"woman {drawn}", unmarked)
    yield from PORTRAITS.items()


def rows(world: World, sources: Sequence[Source]) -> Iterator[tuple[str, ...]]:
    """Rows of the listing. A family enters in a style if man, woman and person are drawn there in every tone."""
    credit = {source.style: source for source in sources if source.role == "train"}
    for word, labels in families(world):
        for style in STYLES:
            drawn: list[tuple[str, ...]] = []
            for gender, label in zip(("man", "woman", "person"), labels, strict=True):
                for tone in range(6):
                    row = _drawing(world, label, tone, style)
                    if row is not None:
                        name = TONES.get(tone, NONE)
                        source = credit[style]
                        drawn.append(
                            (
                                f"{word}, {gender}, {name}, {style}", word, gender, name, style,
                                world.sheet.hexcode[row], world.sheet.name[row], source.licence,
                                f"{source.package} {source.version} by {source.author} ({source.author_url})",
                            )
                        )  # fmt: skip
            if len(drawn) == 18:
                yield from drawn


def _drawing(world: World, label: str, tone: int, style: str) -> int | None:
    """The row of the drawing of a label in a tone and style; the first where there are several."""
    base = world.by_label.get(label)
    code = base if tone == 0 or base is None else world.toned.get((base, tone))
    if code is None:
        return None
    return next((row for row in world.rows.get(code, ()) if world.sheet.style[row] == style), None)


def write(path: Path, world: World, sources: Sequence[Source]) -> int:
    """Write the listing as CSV and say how many people are in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = list(rows(world, sources))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(found)
    return len(found)
