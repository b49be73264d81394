"""The pairs before `BRANCH`, the same in both worlds: one or two emoji on a plain ground, so as to learn names."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from assets.world.captions import Caption, draw_caption, draw_duo_caption
from assets.world.scene import GROUNDS, Scene, Thing
from assets.world.schedule import CROWDED_FROM, Pair
from assets.world.stock import Stock

DUO_SHARE, SMALL_SHARE = 0.3, 0.2  # of the pairs from CROWDED_FROM on; the rest are one emoji, large


@dataclass(frozen=True)
class Alone:
    """One emoji, large, on a plain ground of its own: its hexcode, and the ground's name and colour in 0..1."""

    thing: Thing
    code: str
    ground: str
    base: tuple[float, float, float]
    caption: Caption


def named(stock: Stock, index: int) -> Pair:
    """Pair number `index` before BRANCH."""
    rng = np.random.default_rng([stock.seed, index])
    first = _alone(stock, rng)
    share = rng.random() if index >= CROWDED_FROM else 1.0
    if share < DUO_SHARE:
        return _beside(stock, first, rng, index, "named", grounded=True)
    thing = first.thing
    if share < DUO_SHARE + SMALL_SHARE:
        scale = float(rng.uniform(0.4, 0.6))
        x, y = rng.uniform(scale - 1.05, 1.05 - scale, 2)
        thing = replace(thing, scale=scale, x=float(x), y=float(y))
    return Pair(
        index=index,
        kind="named",
        scene=Scene(first.ground, first.base, (thing,)),
        text=first.caption.text,
        template=first.caption.template,
        slot=first.caption.slot,
        key=first.code,
        shows=stock.shown([first.code]) | {f"ground:{first.ground}"},
    )


def duo(stock: Stock, index: int) -> Pair:
    """A scene of two emoji side by side, a function of the seed and `index` alone; to measure, not to train."""
    rng = np.random.default_rng([stock.seed, 1, index])
    return _beside(stock, _alone(stock, rng), rng, index, "duo", grounded=False)


def _beside(stock: Stock, first: Alone, rng: np.random.Generator, index: int, kind: str, grounded: bool) -> Pair:
    """An emoji with another one beside it, or corner to corner; `shows` has the ground where `grounded`."""
    second = _alone(stock, rng)
    across = float(rng.choice([-1.0, 1.0])) * 0.46
    down = float(rng.choice([-1.0, 0.0, 0.0, 1.0])) * 0.42
    sizes = rng.uniform(0.4, 0.56, 2)
    (x, y), (u, v) = rng.normal(0, 0.04, (2, 2))
    things = (
        replace(first.thing, scale=float(sizes[0]), x=float(x) + across, y=float(y) + down),
        replace(second.thing, scale=float(sizes[1]), x=float(u) - across, y=float(v) - down),
    )
    codes = (first.code, second.code)
    caption = draw_duo_caption(stock.emoji[first.code], stock.emoji[second.code], rng)
    return Pair(
        index=index,
        kind=kind,
        scene=Scene(first.ground, first.base, things),
        text=caption.text,
        template=caption.template,
        slot=caption.slot,
        key=" ".join(sorted(codes)),
        shows=stock.shown(codes) | ({f"ground:{first.ground}"} if grounded else set()),
    )


def _alone(stock: Stock, rng: np.random.Generator) -> Alone:
    """One emoji, large, on a plain ground of its own, and a caption of it."""
    place = int(np.searchsorted(stock.cumulative, rng.random(), side="right"))
    code = stock.hexcodes[min(place, len(stock.hexcodes) - 1)]
    drawing = stock.rows[code][int(rng.integers(len(stock.rows[code])))]
    ground = list(GROUNDS)[int(rng.integers(len(GROUNDS)))]
    base = np.clip(np.array(GROUNDS[ground]) / 255 + rng.normal(0, 0.04, 3), 0, 1)
    scale = float(rng.uniform(0.55, 1.0))
    slack = 1.05 - scale
    gain = 1 + rng.uniform(-0.15, 0.15) + rng.normal(0, 0.06, 3)
    caption = draw_caption(stock.emoji[code], ground, rng)
    thing = Thing(
        drawing=drawing,
        name=stock.emoji[code].phrase,
        scale=scale,
        angle=float(np.clip(rng.normal(0, 0.12), -0.4, 0.4)),
        x=float(rng.uniform(-slack, slack)),
        y=float(rng.uniform(-slack, slack)),
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        shift=float(rng.normal(0, 0.04)),
        saturation=float(rng.uniform(0.6, 1.3)),
    )
    return Alone(thing, code, ground, (float(base[0]), float(base[1]), float(base[2])), caption)
