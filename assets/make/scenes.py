"""The world the model is trained in: pair number i, for any i, as a pure function of the seed and i.

A pair is a picture of one emoji on a plain ground, or of two side by side, and a sentence. `World.pair(i)` draws
everything that is random about it; `World.compose` turns pairs into pixels. Base emoji are drawn evenly; the
skin-tone variants of one base together weigh up to five times 0.12 of it; the drawing is drawn evenly from those
that show the emoji. The first `CROWDED_FROM` pairs show one emoji each, large; after them some are small or have
company, so that the model learns names first and then to find their bearers in a scene.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from assets.make.captions import Caption, draw_caption, draw_duo_caption
from assets.make.emoji import Emoji
from assets.make.render import Sheet

PICTURE = 48  # pixels a side of what the model sees
VARIANT_WEIGHT = 0.12
CROWDED_FROM = 128_000  # number of the first pair that may be small or have company
DUO_SHARE, SMALL_SHARE = 0.3, 0.2  # of the pairs from there on; the rest are one emoji, large
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
    """Everything that was drawn for one training pair. `second` is the other emoji's share of it, if there is one.

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
    second: Pair | None = None

    @property
    def key(self) -> str:
        """What the picture shows: pairs with equal keys are right answers to one another."""
        shown = [self.hexcode] if self.second is None else [self.hexcode, self.second.hexcode]
        return " ".join(sorted(shown))


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
        first = self._alone(index, rng)
        kind = rng.random() if index >= CROWDED_FROM else 1.0
        if kind < DUO_SHARE:
            return self._beside(first, self._alone(index, rng), rng)
        if kind < DUO_SHARE + SMALL_SHARE:
            scale = float(rng.uniform(0.4, 0.6))
            x, y = rng.uniform(scale - 1.05, 1.05 - scale, 2)
            return replace(first, scale=scale, x=float(x), y=float(y))
        return first

    def duo(self, index: int) -> Pair:
        """Draw a scene of two emoji, a function of the seed and `index` alone; used to measure, not to train."""
        rng = np.random.default_rng([self.seed, 1, index])
        return self._beside(self._alone(index, rng), self._alone(index, rng), rng)

    def _beside(self, first: Pair, second: Pair, rng: np.random.Generator) -> Pair:
        """Put two emoji side by side, or corner to corner, on the first one's ground; the caption names both."""
        across = float(rng.choice([-1.0, 1.0])) * 0.46
        down = float(rng.choice([-1.0, 0.0, 0.0, 1.0])) * 0.42
        sizes = rng.uniform(0.4, 0.56, 2)
        (x, y), (u, v) = rng.normal(0, 0.04, (2, 2))
        caption = draw_duo_caption(self.emoji[first.hexcode], self.emoji[second.hexcode], rng)
        other = replace(second, scale=float(sizes[1]), x=float(u) - across, y=float(v) - down)
        return replace(
            first, caption=caption, scale=float(sizes[0]), x=float(x) + across, y=float(y) + down, second=other
        )

    def _alone(self, index: int, rng: np.random.Generator) -> Pair:
        """Draw one emoji, large, on a ground of its own."""
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
        ground = torch.tensor([pair.ground for pair in pairs], device=device).reshape(-1, 3, 1, 1)
        pictures = place(self._drawn(pairs, device), pairs, ground)
        rows = [row for row, pair in enumerate(pairs) if pair.second is not None]
        seconds = [pair.second for pair in pairs if pair.second is not None]
        if rows:
            pictures[rows] = place(self._drawn(seconds, device), seconds, pictures[rows])
        return pictures

    def _drawn(self, pairs: Sequence[Pair], device: torch.device | str) -> torch.Tensor:
        """The first drawing of each pair in its colours, premultiplied RGBA `(n, 4, s, s)` in 0..1."""
        rgba = self.pixels[[pair.drawing for pair in pairs]].to(device).permute(0, 3, 1, 2).float() / 255

        def column(values: Sequence[float | tuple[float, float, float]]) -> torch.Tensor:
            return torch.tensor(values, device=device, dtype=torch.float32).reshape(len(pairs), -1, 1, 1)

        colour, alpha = rgba[:, :3], rgba[:, 3:]
        grey = colour.mean(1, keepdim=True)
        colour = grey + (colour - grey) * column([pair.saturation for pair in pairs])
        colour = colour * column([pair.gain for pair in pairs]) + alpha * column([pair.shift for pair in pairs])
        return torch.cat([torch.minimum(colour.clamp(min=0), alpha), alpha], 1)


def place(rgba: torch.Tensor, pairs: Sequence[Pair], ground: torch.Tensor, size: int = PICTURE) -> torch.Tensor:
    """Put premultiplied drawings `(n, 4, s, s)` on grounds `(n, 3, 1, 1)` or pictures `(n, 3, size, size)`.

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
