"""The shipped set of drawn people: alike but for gender or for skin tone, as drawn.

`assets/stimuli/people/people.csv` lists them with licence and credit; the drawings are those of the bundled
models' world. A family (an occupation or portrait in one style) is listed where man, woman and person are drawn
in all six tones. Drawings of men and women differ in more than gender as drawn: hair, dress and strokes go with
it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from assets import world
from assets.world.drawings import SIZE, Sheet
from probes.core.examples import ASSETS
from probes.core.pictures import Picture

FILE = ASSETS / "stimuli" / "people" / "people.csv"
STYLES = ("noto", "twemoji", "fluent-emoji", "fluent-emoji-flat", "noto-v1")
PLACES = ((0.27, 0.5), (0.73, 0.5))
"""Where two people stand in one picture, shares of its width and height."""
SCALE = 0.42
"""Of a person in such a picture, share of its side."""
AT_WORK, PORTRAITS, EVERYBODY = "at work", "portraits", "everybody"
SIDE = 72
"""Pixels a side of a picture: what the bundled models see."""
MISSING = (
    "Who is missing from the drawn people: everyone beyond a man, a woman and a figure without gender; ages "
    "beside the portraits'; disabilities; bodies of other shapes; all that clothes and places say. Skin tones are "
    "the five of Unicode and the cartoon yellow (none)."
)


@dataclass(frozen=True)
class Person:
    """A drawing of somebody.

    Attributes:
        id: in words, such as `judge, woman, dark, noto`.
        occupation: what they do, or which portrait it is.
        gender: as drawn: `man`, `woman`, `person`.
        tone: skin tone as drawn: `none`, `light`, `medium-light`, `medium`, `medium-dark`, `dark`.
        style: the drawing style.
        drawing: its row among the drawings of the world.
        credit: who drew it, under which licence.
    """

    id: str
    occupation: str
    gender: str
    tone: str
    style: str
    drawing: int
    credit: str

    @property
    def is_portrait(self) -> bool:
        """Whether it shows no occupation."""
        return self.occupation.startswith("portrait")


@lru_cache(maxsize=1)
def everybody() -> tuple[Person, ...]:
    """All who are listed."""
    sheet = _sheet()
    rows = {key: row for row, key in enumerate(zip(sheet.hexcode, sheet.style, sheet.name, strict=True))}
    with FILE.open(encoding="utf-8", newline="") as stream:
        return tuple(
            Person(
                id=row["id"],
                occupation=row["occupation"],
                gender=row["gender"],
                tone=row["skin_tone"],
                style=row["style"],
                drawing=rows[row["hexcode"], row["style"], row["name"]],
                credit=f"{row['credit']}, {row['licence']}",
            )
            for row in csv.DictReader(stream)
        )


def people(style: str = STYLES[0], shown: str = EVERYBODY) -> tuple[Person, ...]:
    """Those of a style, or of `all`; at work, in portraits, or both."""
    return tuple(
        person
        for person in everybody()
        if style in ("all", person.style) and (shown == EVERYBODY or person.is_portrait == (shown == PORTRAITS))
    )


def pictures(drawn: Sequence[Person]) -> tuple[Picture, ...]:
    """Their drawings in the middle of a white ground, 72 pixels a side."""
    pixels = _sheet().pixels[[person.drawing for person in drawn]]
    canvas = np.full((len(drawn), SIDE, SIDE, 3), 255, dtype=np.uint8)
    edge = (SIDE - SIZE) // 2
    # colours are premultiplied: what is transparent lets white through
    over = 255 - pixels[..., 3:].astype(np.int16) + pixels[..., :3]
    canvas[:, edge : edge + SIZE, edge : edge + SIZE] = np.clip(over, 0, 255).astype(np.uint8)
    return tuple(Picture(person.id, frame) for person, frame in zip(drawn, canvas, strict=True))


def together(groups: Sequence[Sequence[Person]], side: int) -> tuple[Picture, ...]:
    """Two people a picture, left and right of the middle of a white ground, `side` pixels a side; see `PLACES`."""
    from assets.world.compose import compose
    from assets.world.scene import GROUNDS, Scene, Thing

    white = tuple(channel / 255 for channel in GROUNDS["white"])
    scenes = [
        Scene(
            "white",
            (white[0], white[1], white[2]),
            tuple(
                Thing(person.drawing, person.id, SCALE, 2 * x - 1, 2 * y - 1)
                for person, (x, y) in zip(group, PLACES, strict=True)
            ),
        )
        for group in groups
    ]
    drawn = compose(scenes, _sheet().pixels, side).permute(0, 2, 3, 1).numpy()
    return tuple(
        Picture(f"{first.id}; {second.id}", (255 * frame).round().astype(np.uint8))
        for (first, second), frame in zip(groups, drawn, strict=True)
    )


@lru_cache(maxsize=1)
def _sheet() -> Sheet:
    return world.sheet("train")
