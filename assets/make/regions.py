"""The shipped set of regions: scenes of two to four things in the held-out style, each with its box and name.

The things are those that the circle scenes of the training pairs show, so that what is planted of circles can be
found; the drawings are of the style that no pair shows. A box is that of the pixels which the thing changes, and
a mask says whose each pixel is.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.world.captions import fill
from assets.world.pairs import World
from assets.world.plan import CIRCLED
from assets.world.scene import Scene
from assets.world.stock import corners, stand

COUNT = 240
SIDE = 144
"""Pixels a side: twice what the bundled models see, so that thin lines are drawn as they would be on a photo."""
SCALE = (0.36, 0.44)
STREAM = 12
"""Second of the numbers that random streams begin with; those of training pairs never have it there."""
VISIBLE = 12
"""A pixel that a thing changes by more than this, of 255, is its own."""
COLUMNS = ("file", "x", "y", "width", "height", "name")


def scene(world: World, number: int) -> Scene:
    """Scene number `number` (0, 1, ...): a function of the number alone."""
    rng = np.random.default_rng([0, STREAM, number])
    names = [CIRCLED[int(place)] for place in rng.permutation(len(CIRCLED))[: int(rng.integers(2, 5))]]
    places = corners(rng, 4)
    things = [world.thing(rng, world.by_label[name], SCALE, at) for name, at in zip(names, places, strict=False)]
    return stand(rng, things)


def boxes(world: World, shown: Scene) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height in pixels of what each thing changes."""
    bare = replace(shown, things=())
    alone = [replace(shown, things=(thing,)) for thing in shown.things]
    ground, *each = _pixels(world, [bare, *alone])
    found = []
    for pixels in each:
        changed = np.abs(pixels.astype(np.int16) - ground).max(axis=-1) > VISIBLE
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        found.append(
            (int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1))
        )
    return found


def mask(world: World, shown: Scene) -> NDArray[np.uint8]:
    """Whose each pixel is, (SIDE, SIDE): 0 the ground's, k the k-th thing's, counted from 1.

    A pixel belongs to the last thing drawn that changes it: what it covers is not seen.
    """
    stacked = [replace(shown, things=shown.things[:count]) for count in range(len(shown.things) + 1)]
    found = np.zeros((SIDE, SIDE), np.uint8)
    before, *each = _pixels(world, stacked)
    for number, after in enumerate(each, start=1):
        found[np.abs(after.astype(np.int16) - before).max(axis=-1) > VISIBLE] = number
        before = after
    return found


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _pixels(world: World, scenes: list[Scene]) -> NDArray[np.uint8]:
    drawn = world.draw(scenes, size=SIDE).permute(0, 2, 3, 1).numpy()
    return (255 * drawn).round().astype(np.uint8)


def write(folder: Path, world: World) -> int:
    """Write `scenes.zip`, `masks.zip` and `regions.csv` (boxes in pixels) and say how many regions there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        zipfile.ZipFile(folder / "scenes.zip", "w") as pictures,
        zipfile.ZipFile(folder / "masks.zip", "w") as masks,
        (folder / "regions.csv").open("w", encoding="utf-8", newline="") as table,
    ):
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number in range(COUNT):
            shown = scene(world, number)
            file = f"scene-{number + 1:03}.png"
            pictures.writestr(zipfile.ZipInfo(file), _png(_pixels(world, [shown])[0]))
            masks.writestr(zipfile.ZipInfo(file), _png(mask(world, shown)))
            for thing, box in zip(shown.things, boxes(world, shown), strict=True):
                writer.writerow((file, *box, fill("a {}", thing.name)))
                count += 1
    return count
