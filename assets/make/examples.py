"""The example pictures: scenes like the world's, in drawings of the held-out style, at a size fit for a wall.

The one with a written word was picked because the two bundled models answer differently; how often they do is
what the calibration says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.make.render import rasterise
from assets.make.sources import Source
from assets.world.compose import compose as drawn
from assets.world.marks import word_drawing
from assets.world.scene import Thing
from assets.world.stock import stand

SIDE = 256  # pixels
DRAWN = 512  # pixels a side at which drawings are made before they are scaled down
ONE = ((0.0, 0.0, 0.75),)
TWO = ((-0.46, 0.0, 0.43), (0.46, 0.0, 0.43))
THREE = ((-0.46, -0.46, 0.42), (0.46, -0.46, 0.42), (0.0, 0.46, 0.42))
BELOW = ((0.0, 0.26, 0.6),)  # room for a word above


@dataclass(frozen=True)
class Example:
    """One picture.

    Attributes:
        things: hexcodes of the emoji it shows.
        places: (x, y, scale) of each, as in `assets.world.scene`.
        ground: a name in GROUNDS or TEXTURES.
        labels: the labels to try on it.
        word: written above.
        point: which of the things to point at.
    """

    file: str
    title: str
    things: tuple[str, ...]
    ground: str
    labels: tuple[str, ...]
    places: tuple[tuple[float, float, float], ...] = ONE
    word: str = ""
    point: int | None = None


FOOD = ("red apple", "pizza", "hamburger", "grapes", "lemon")
THINGS = ("bicycle", "rocket", "violin", "guitar", "key")
EXAMPLES = (
    Example("ghost-that-says-pizza.png", "A ghost that says “pizza”", ("1F47B",), "light blue",
            ("ghost", "pizza", "banana", "key", "bell", "snail"), BELOW, "pizza"),
    Example("rocket.png", "A rocket", ("1F680",), "light blue", ("rocket", "airplane", "pencil", "key", "fish")),
    Example("elephant-on-sand.png", "An elephant on sand", ("1F418",), "sand",
            ("elephant", "camel", "penguin", "cow", "bear")),
    Example("cow-on-the-sea.png", "A cow on the sea", ("1F404",), "sea",
            ("cow", "whale", "horse", "tropical fish", "pig")),
    Example("pizza.png", "A slice of pizza", ("1F355",), "green", FOOD),
    Example("red-apple.png", "A red apple", ("1F34E",), "yellow", (*FOOD, "tomato")),
    Example("violin.png", "A violin", ("1F3BB",), "purple", THINGS),
    Example("ball-and-hamburger.png", "A soccer ball and a hamburger", ("26BD", "1F354"), "white",
            ("soccer ball", "hamburger", "key", "lemon"), TWO, point=0),
    Example("ball-and-mushroom.png", "A soccer ball and a mushroom", ("26BD", "1F344"), "white",
            ("soccer ball", "mushroom", "key", "lemon"), TWO, point=1),
    Example("dog-and-hamburger.png", "A dog and a hamburger", ("1F415", "1F354"), "white",
            ("dog", "hamburger", "key", "lemon"), TWO, point=0),
    Example("grapes-tulip-pencil.png", "Grapes, a tulip and a pencil", ("1F347", "1F337", "270F"), "white",
            ("grapes", "tulip", "pencil", "rocket", "lion", "camera"), THREE, point=2),
)  # fmt: skip


def compose(example: Example, drawings: Mapping[str, NDArray[np.uint8]]) -> Image.Image:
    """The picture, `SIDE` pixels square, RGB.

    `drawings` maps hexcodes to premultiplied RGBA `(DRAWN, DRAWN, 4)`.
    """
    rows = [drawings[code] for code in example.things]
    things = [Thing(row, code, scale, x, y) for row, (code, (x, y, scale)) in
              enumerate(zip(example.things, example.places, strict=True))]  # fmt: skip
    if example.word:
        rows.append(word_drawing(example.word, DRAWN))
        things.append(Thing(len(things), example.word, 0.9, 0.0, -0.64, tint="black"))
    shown = stand(np.random.default_rng(0), things, example.ground)
    pixels = drawn([shown], np.stack(rows), SIDE)[0]
    return Image.fromarray((pixels.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy())


def write(folder: Path, svgs: Mapping[str, str], source: Source) -> None:
    """Write every example as PNG and `examples.toml` beside them; `svgs` maps hexcodes to held-out drawings."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    lines = ["# The example pictures; written by `python -m assets.make examples`.", ""]
    drawings = {code: rasterise(svgs[code], DRAWN) for example in EXAMPLES for code in example.things}
    for example in EXAMPLES:
        compose(example, drawings).save(folder / example.file, optimize=True)
        x, y, _ = example.places[example.point or 0]
        lines += [
            "[[examples]]",
            f"file = {json.dumps(example.file)}",
            f"title = {json.dumps(example.title, ensure_ascii=False)}",
            f"labels = {json.dumps(list(example.labels))}",
            *([f"point = [{(x + 1) / 2:.3f}, {(y + 1) / 2:.3f}]"] if example.point is not None else []),
            f"credit = {json.dumps('Drawing: ' + source.credit() + '; ground added')}",
            "",
        ]
    (folder / "examples.toml").write_text("\n".join(lines), encoding="utf-8")
