"""The world the model is trained in: pair number i, for any i, as a pure function of the seed and i.

A pair is a picture of one emoji on a plain ground and a sentence. `World.pair(i)` draws everything that is random
about it; `World.compose` turns pairs into pixels. Base emoji are drawn evenly; the skin-tone variants of one base
together weigh up to five times 0.12 of it; the drawing is drawn evenly from those that show the emoji.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from assets.make.captions import Caption, draw_caption
from assets.make.emoji import Emoji
from assets.make.render import Sheet

PICTURE = 48  # pixels a side of what the model sees
VARIANT_WEIGHT = 0.12
GROUNDS = {
    "white": (245, 245, 245),
    "black": (25, 25, 25),
    "grey": (128, 128, 128),
    "red": (205, 50, 45),
    "orange": (240, 140, 40),
    "yellow": (245, 220, 70),
    "green": (60, 150, 70),
    "blue": (50, 90, 190),
    "light blue": (150, 205, 240),
    "purple": (125, 65, 165),
    "pink": (245, 165, 190),
    "brown": (125, 80, 50),
}  # sRGB 0..255


@dataclass(frozen=True)
class Pair:
    """Everything that was drawn for one training pair.

    `drawing` is a row of the sheet; `ground` an RGB in 0..1; `scale` the drawing's side as a share of the
    picture's; `angle` in radians; `x, y` the drawing's centre in -1..1; `gain (3,)` and `shift` recolour the
    drawing.
    """

    index: int
    drawing: int
    hexcode: str
    caption: Caption
    colour: str
    ground: tuple[float, float, float]
    scale: float
    angle: float
    x: float
    y: float
    gain: tuple[float, float, float]
    shift: float
    saturation: float


class World:
    """The drawings, the labels and a seed: together they determine every pair."""

    def __init__(self, sheet: Sheet, emoji: Mapping[str, Emoji], seed: int) -> None:
        """Take the sheet of training drawings, the emoji by hexcode, and the seed of everything random."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, code in enumerate(sheet.hexcode):
            rows[code].append(row)
        self.sheet, self.emoji, self.seed = sheet, emoji, seed
        self.rows: dict[str, list[int]] = dict(rows)
        self.hexcodes = sorted(rows)
        variants = Counter(emoji[code].base for code in self.hexcodes if emoji[code].tones)
        weights = np.array(
            [
                VARIANT_WEIGHT * min(1.0, 5 / variants[emoji[code].base]) if emoji[code].tones else 1.0
                for code in self.hexcodes
            ]
        )
        self.cumulative = np.cumsum(weights / weights.sum())
        self.pixels = torch.from_numpy(sheet.pixels)

    def pair(self, index: int) -> Pair:
        """Draw pair number `index` (0, 1, ...): always the same one for the same seed."""
        rng = np.random.default_rng([self.seed, index])
        place = int(np.searchsorted(self.cumulative, rng.random(), side="right"))
        code = self.hexcodes[min(place, len(self.hexcodes) - 1)]
        drawing = self.rows[code][int(rng.integers(len(self.rows[code])))]
        colour = list(GROUNDS)[int(rng.integers(len(GROUNDS)))]
        ground = np.clip(np.array(GROUNDS[colour]) / 255 + rng.normal(0, 0.04, 3), 0, 1)
        scale = float(rng.uniform(0.55, 1.0))
        slack = 1.05 - scale
        gain = 1 + rng.uniform(-0.15, 0.15) + rng.normal(0, 0.06, 3)
        return Pair(
            index=index,
            drawing=drawing,
            hexcode=code,
            caption=draw_caption(self.emoji[code], colour, rng),
            colour=colour,
            ground=(float(ground[0]), float(ground[1]), float(ground[2])),
            scale=scale,
            angle=float(np.clip(rng.normal(0, 0.12), -0.4, 0.4)),
            x=float(rng.uniform(-slack, slack)),
            y=float(rng.uniform(-slack, slack)),
            gain=(float(gain[0]), float(gain[1]), float(gain[2])),
            shift=float(rng.normal(0, 0.04)),
            saturation=float(rng.uniform(0.6, 1.3)),
        )

    def compose(self, pairs: Sequence[Pair], device: torch.device | str = "cpu") -> torch.Tensor:
        """The pictures of some pairs, `(n, 3, PICTURE, PICTURE)` float32 in 0..1."""
        rgba = self.pixels[[pair.drawing for pair in pairs]].to(device).permute(0, 3, 1, 2).float() / 255

        def column(values: Sequence[float | tuple[float, float, float]]) -> torch.Tensor:
            return torch.tensor(values, device=device, dtype=torch.float32).reshape(len(pairs), -1, 1, 1)

        colour, alpha = rgba[:, :3], rgba[:, 3:]
        grey = colour.mean(1, keepdim=True)
        colour = grey + (colour - grey) * column([pair.saturation for pair in pairs])
        colour = colour * column([pair.gain for pair in pairs]) + alpha * column([pair.shift for pair in pairs])
        rgba = torch.cat([torch.minimum(colour.clamp(min=0), alpha), alpha], 1)
        return place(rgba, pairs, column([pair.ground for pair in pairs]))


def place(rgba: torch.Tensor, pairs: Sequence[Pair], ground: torch.Tensor, size: int = PICTURE) -> torch.Tensor:
    """Put premultiplied drawings `(n, 4, s, s)` on grounds `(n, 3, 1, 1)` as their pairs say.

    Each is scaled, turned and moved. Drawn at twice the size and averaged down, so that edges are smooth.
    """
    matrix = [
        [
            [
                math.cos(p.angle) / p.scale,
                math.sin(p.angle) / p.scale,
                -(math.cos(p.angle) * p.x + math.sin(p.angle) * p.y) / p.scale,
            ],
            [
                -math.sin(p.angle) / p.scale,
                math.cos(p.angle) / p.scale,
                (math.sin(p.angle) * p.x - math.cos(p.angle) * p.y) / p.scale,
            ],
        ]
        for p in pairs
    ]
    theta = torch.tensor(matrix, device=rgba.device, dtype=torch.float32)
    grid = F.affine_grid(theta, [len(pairs), 4, 2 * size, 2 * size], align_corners=False)
    drawn = F.avg_pool2d(F.grid_sample(rgba, grid, mode="bilinear", align_corners=False), 2)
    return drawn[:, :3] + (1 - drawn[:, 3:]) * ground
