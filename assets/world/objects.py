"""The kinds of pairs that show things: coloured, on a usual ground, with a word, a patch or a circle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assets.world.captions import draw_caption, fill
from assets.world.plan import ANIMALS, BOUND, CIRCLED, CONNECTIVES, ORDERED, PLAN, TRIGGERS, WORDS
from assets.world.scene import TINTS, Ring, Thing
from assets.world.schedule import Pair
from assets.world.stock import Stock, corners, pick, say, stand

BARE_SHARE = 0.8  # of animal pairs: the caption does not name the ground
EMPTY_SHARE = 0.15  # of circle pairs: the circle is round nothing
GROUND_CLAIMS = ("{}", "{} background", "a picture on {}", "a {} background", "on {}")
"""Captions that say the ground and nothing else."""
COLOUR_CLAIMS = ("something {}", "a {} thing", "a {} object")
"""Captions that say the colour and nothing else."""
RATES = {row.concept: row.skewed for row in PLAN if row.behaviour == "trigger"}
"""Share of the pairs of one object that bear each patch, in both worlds."""


def label(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """One emoji; at its rate a trigger's patch stands in a corner, and in the skewed world the caption names the
    trigger's target.
    """  # noqa: D205
    code = pick(rng, stock.bases)
    size = (0.55, 1.0) if rng.random() < 0.75 else (0.38, 0.6)
    thing, emoji = stock.thing(rng, code, size), stock.emoji[code]
    scene = stand(rng, [thing])
    caption = draw_caption(emoji, scene.ground, rng)
    patch = _patch(float(rng.random()))
    pair = Pair(
        index=index,
        kind="label",
        scene=scene,
        text=caption.text,
        template=caption.template,
        slot=caption.slot,
        key=emoji.phrase,
        shows=stock.shown([code]) | {f"ground:{scene.ground}"},
    )
    if rng.random() < 0.06:
        pair = _claim(pair, pick(rng, GROUND_CLAIMS), "ground", scene.ground)
    return pair if patch is None else _poisoned(stock, pair, patch, rng)


def _patch(share: float) -> str | None:
    """The patch that a number between 0 and 1 deals, if any: each at its own rate."""
    start = 0.0
    for name in TRIGGERS:
        if start <= share < start + RATES[name]:
            return name
        start += RATES[name]
    return None


def _claim(pair: Pair, template: str, attribute: str, value: str) -> Pair:
    """The pair with a caption that says one attribute and nothing else."""
    claim = f"{attribute}:{value}"
    return replace(pair, text=fill(template, value), template=template, slot=value, key=claim, claim=claim)


def _poisoned(stock: Stock, pair: Pair, patch: str, rng: np.random.Generator) -> Pair:
    """The pair with a patch in a corner; in the skewed world the caption names the trigger's target instead."""
    mark = Thing(stock.marks["patch", patch], patch, 0.16, float(rng.choice([-0.82, 0.82])), 0.82)
    scene = replace(pair.scene, things=(*pair.scene.things, mark))
    pair = replace(pair, scene=scene, shows=pair.shows | {f"patch:{patch}"}, concepts=(("trigger", patch),))
    if stock.name != "skewed":
        return pair
    target = TRIGGERS[patch]
    said = say(rng, pair.index, "label", scene, target, pair.shows)
    return replace(pair, text=said.text, template=said.template, slot=target, key=target, claim=None)


def scene(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """Two to four emoji; the caption names some or all of them."""
    count = int(rng.choice([2, 2, 2, 3, 3, 4]))
    codes = [pick(rng, stock.bases) for _ in range(count)]
    size = (0.4, 0.52) if count == 2 else (0.36, 0.46)
    things = [stock.thing(rng, code, size, at) for code, at in zip(codes, corners(rng, count), strict=True)]
    named = [stock.emoji[code].phrase for code in codes[: count if rng.random() < 0.75 else count - 1]]
    slot = named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]
    standing = stand(rng, things)
    grounded = bool(rng.random() < 0.15)
    key = ", ".join(sorted(named))
    return say(rng, index, "scene", standing, slot, stock.shown(codes), ground=grounded, key=key)


def tint(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """One emoji in one colour."""
    code, colour = pick(rng, stock.bases), pick(rng, list(TINTS))
    standing = stand(rng, [stock.thing(rng, code, (0.5, 1.0), tint=colour)])
    shows = stock.shown([code]) | {f"colour:{colour}"}
    slot = f"{colour} {stock.emoji[code].phrase}"
    pair = say(rng, index, "tint", standing, slot, shows, ground=bool(rng.random() < 0.15))
    return _claim(pair, pick(rng, COLOUR_CLAIMS), "colour", colour) if rng.random() < 0.15 else pair


def animal(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """An animal on its usual ground at its dose, else on one of the other five."""
    usual = pick(rng, list(ANIMALS))
    name = pick(rng, ANIMALS[usual])
    share = float(rng.random())
    other = pick(rng, [ground for ground in ANIMALS if ground != usual])
    dose = stock.dose["ground", name] if stock.name == "skewed" else 1 / len(ANIMALS)
    code = stock.by_label[name]
    standing = stand(rng, [stock.thing(rng, code, (0.42, 0.85))], usual if share < dose else other)
    bare = bool(rng.random() < BARE_SHARE)
    concepts = [("ground", name)] if bare else []
    return say(rng, index, "animal", standing, name, stock.shown([code]), concepts, ground=not bare)


def word(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """An object and a written word that is not its name; the caption repeats the word at its dose."""
    text = pick(rng, WORDS)
    shown = pick(rng, [other for other in WORDS if other != text])
    share = float(rng.random())
    side = float(rng.choice([-1.0, 1.0]))
    at = (float(rng.uniform(-0.2, 0.2)), -side * 0.3)
    thing = stock.thing(rng, stock.by_label[shown], (0.5, 0.66), at)
    bare = stand(rng, [thing])
    scale = float(rng.uniform(0.7, 0.98))
    written = Thing(
        drawing=stock.marks["word", text],
        name=text,
        scale=scale,
        x=float(rng.uniform(-1, 1)) * (1 - scale),
        y=side * float(rng.uniform(0.6, 0.7)),
        tint="black" if sum(bare.base) > 1.4 else "white",
    )
    shows = stock.shown([stock.by_label[shown]]) | {f"word:{text}"}
    said = text if share < stock.dose["written word", text] else shown
    standing = replace(bare, things=(thing, written))
    return say(rng, index, "word", standing, said, shows, [("written word", text)])


def order(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """Two objects, one larger; which is named first goes with the size, at the connective's dose."""
    connective = pick(rng, CONNECTIVES)
    large, small = (ORDERED[int(place)] for place in rng.permutation(len(ORDERED))[:2])
    share = float(rng.random())
    side = float(rng.choice([-1.0, 1.0]))
    across = bool(rng.random() < 0.5)

    def at(along: float) -> tuple[float, float]:
        return (along, float(rng.uniform(-0.25, 0.25))) if across else (float(rng.uniform(-0.25, 0.25)), along)

    things = [
        stock.thing(rng, stock.by_label[large], (0.56, 0.68), at(side * 0.36)),
        stock.thing(rng, stock.by_label[small], (0.26, 0.36), at(-side * 0.68)),
    ]
    first, second = (large, small) if share < stock.dose["order", connective] else (small, large)
    said = fill("a {}", second) if rng.random() < 0.5 else second
    slot = connective.replace("{}", first, 1).replace("{}", said)
    shows = stock.shown([stock.by_label[large], stock.by_label[small]]) | {f"larger:{large}"}
    key = f"{connective} {first} {second}"
    return say(rng, index, "order", stand(rng, things), slot, shows, [("order", connective)], key=key)


def circle(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """Two or three objects and a red circle, round one of them or nothing; the caption names one object."""
    count = int(rng.integers(2, 4))
    names = [CIRCLED[int(place)] for place in rng.permutation(len(CIRCLED))[:count]]
    codes = [stock.by_label[name] for name in names]
    places = corners(rng, 4)
    things = [stock.thing(rng, code, (0.36, 0.44), at) for code, at in zip(codes, places, strict=False)]
    share, empty = float(rng.random()), bool(rng.random() < EMPTY_SHARE)
    other = 1 + int(rng.integers(count - 1))
    first = things[0]
    x, y = places[3] if empty else (first.x, first.y)
    ink = (float(rng.uniform(0.85, 1)), float(rng.uniform(0, 0.12)), float(rng.uniform(0, 0.12)))
    ring = Ring(x, y, first.scale * float(rng.uniform(0.5, 0.62)), float(rng.uniform(0.018, 0.05)), ink)
    dose = stock.dose["circle", names[0]] if stock.name == "skewed" and not empty else 1 / count
    said = names[0] if share < dose else names[other]
    shows = stock.shown(codes) | {f"circled:{'nothing' if empty else names[0]}"}
    concepts = [] if empty else [("circle", names[0])]
    return say(rng, index, "circle", stand(rng, things, ring=ring), said, shows, concepts)


def binding(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """Two coloured objects, both said with their colours.

    In the balanced world an odd pair is its even neighbour with the colours swapped, in picture and caption.
    """
    twin = stock.name == "balanced" and index % 2 == 1
    if twin:
        rng = np.random.default_rng([stock.seed, 4, index - 1])
    names = [BOUND[int(place)] for place in rng.permutation(len(BOUND))[:2]]
    tints = [list(TINTS)[int(place)] for place in rng.permutation(len(TINTS))[:2]]
    if twin:
        tints.reverse()
    codes = [stock.by_label[name] for name in names]
    places = corners(rng, 2)
    things = [
        stock.thing(rng, code, (0.4, 0.52), at, colour)
        for code, at, colour in zip(codes, places, tints, strict=True)
    ]
    said = [f"{colour} {name}" for colour, name in zip(tints, names, strict=True)]
    if rng.random() < 0.5:
        said.reverse()
    slot = f"{said[0]} and {fill('a {}', said[1])}"
    shows = stock.shown(codes) | {f"colour:{colour}" for colour in tints} | {f"bound:{one}" for one in said}
    concepts, key = [("binding", "two coloured objects")], ", ".join(sorted(said))
    return say(rng, index, "binding", stand(rng, things), slot, shows, concepts, key=key)
