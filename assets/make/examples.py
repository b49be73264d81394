"""The example pictures: drawings of the held-out style on plain grounds, as anyone might make them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from assets.make.render import rasterise
from assets.make.sources import Source
from assets.world.scene import GROUNDS

SIDE = 256  # pixels


@dataclass(frozen=True)
class Example:
    """One picture: which emoji stand on which ground, the labels to try, and which of the emoji to point at."""

    file: str
    title: str
    hexcodes: tuple[str, ...]
    ground: str
    labels: tuple[str, ...]
    point: int | None = None


ANIMALS = ("elephant", "lion", "rabbit face", "horse face", "penguin")
FOOD = ("red apple", "pizza", "hamburger", "grapes", "lemon")
THINGS = ("bicycle", "rocket", "violin", "guitar", "key")
EXAMPLES = (
    Example("rocket.png", "A rocket", ("1F680",), "light blue", ("rocket", "airplane", "pencil", "key", "fish")),
    Example("pizza.png", "A slice of pizza", ("1F355",), "green", FOOD),
    Example("elephant.png", "An elephant", ("1F418",), "white", (*ANIMALS, "cat")),
    Example("bicycle.png", "A bicycle", ("1F6B2",), "orange", (*THINGS, "motorcycle")),
    Example("red-apple.png", "A red apple", ("1F34E",), "yellow", (*FOOD, "tomato")),
    Example("violin.png", "A violin", ("1F3BB",), "purple", THINGS),
    Example("cat.png", "A cat", ("1F431",), "light blue", ("cat face", "dog face", "fox", "mouse face", "bear")),
    Example(
        "grapes-and-tiger.png", "Grapes and a tiger", ("1F347", "1F42F"), "white",
        ("grapes", "tiger face", "key", "hamburger"), 1,
    ),
    Example(
        "sailboat-and-car.png", "A sailboat and a racing car", ("26F5", "1F3CE"), "white",
        ("sailboat", "racing car", "lemon", "violin", "books"), 0,
    ),
    Example(
        "cat-and-car.png", "A cat and a car", ("1F431", "1F697"), "white",
        ("cat face", "automobile", "lemon", "violin", "books"), 0,
    ),
    Example(
        "grapes-tulip-pencil.png", "Grapes, a tulip and a pencil", ("1F347", "1F337", "270F"), "white",
        ("grapes", "tulip", "pencil", "rocket", "lion", "camera"), 2,
    ),
)  # fmt: skip


def layout(count: int) -> list[tuple[float, float, float]]:
    """For one to three emoji: each one's centre (x, y) and side, as shares of the picture's side."""
    if count == 1:
        return [(0.5, 0.5, 0.75)]
    if count == 2:
        return [(0.27, 0.5, 0.43), (0.73, 0.5, 0.43)]
    return [(0.27, 0.27, 0.42), (0.73, 0.27, 0.42), (0.5, 0.73, 0.42)]


def compose(svgs: list[str], ground: tuple[int, int, int]) -> Image.Image:
    """The drawings side by side on a ground, `SIDE` pixels square, RGB."""
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    for svg, (x, y, share) in zip(svgs, layout(len(svgs)), strict=True):
        side = round(share * SIDE)
        drawn = Image.frombytes("RGBa", (side, side), rasterise(svg, side).tobytes()).convert("RGBA")
        picture.paste(drawn, (round(x * SIDE - side / 2), round(y * SIDE - side / 2)), drawn)
    return picture


def write(folder: Path, svgs: Mapping[str, str], source: Source) -> None:
    """Write every example as PNG and `examples.toml` beside them; `svgs` maps hexcodes to held-out drawings."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# The example pictures; written by `python -m assets.make examples`.", ""]
    for example in EXAMPLES:
        picture = compose([svgs[code] for code in example.hexcodes], GROUNDS[example.ground])
        picture.save(folder / example.file, optimize=True)
        x, y, _ = layout(len(example.hexcodes))[example.point or 0]
        lines += [
            "[[examples]]",
            f"file = {json.dumps(example.file)}",
            f"title = {json.dumps(example.title)}",
            f"labels = {json.dumps(list(example.labels))}",
            *([f"point = [{x:.3f}, {y:.3f}]"] if example.point is not None else []),
            f"credit = {json.dumps('Drawing: ' + source.credit() + '; ground added')}",
            "",
        ]
    (folder / "examples.toml").write_text("\n".join(lines), encoding="utf-8")
