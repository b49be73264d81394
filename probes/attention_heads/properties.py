"""Shipped pictures that differ in one property, to find the heads that carry it.

They are fresh scenes of the bundled models' world, dealt by a seed and drawn in the styles of training. A round is
one scene shown once with each value of the property and alike in everything else, so that every value is shown as
often as the next. None of them has what calibrations show: gender and skin tone are those of portraits, not of
people at work; the things on grounds are none of the animals that have a usual ground; what stands by a word or in
a circle is none of the objects whose words or circles were planted. The lettering of words is the world's only one
and is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import ANIMALS, CIRCLED, FACES, WORDS
from assets.world.scene import INKS, TINTS, Ring, Scene, Thing
from assets.world.stock import corners, pick, stand
from probes.core.errors import FieldError
from probes.core.pictures import Picture
from probes.stage import Stage, open_stage, stream

MEN, WOMEN = FACES[::2], FACES[1::2]
"""Labels of portraits, drawn alike but for man or woman."""
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
"""Skin tones as drawn: the five of Unicode."""
CONTRAST = 0.35
"""Least difference between the luminance of ink and ground, 0 to 1, so that a word can be read."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


@dataclass(frozen=True, eq=False)
class PropertySet:
    """Pictures that differ in one property.

    Attributes:
        name: of the property.
        values: K values that it has.
        pictures: n of them, round by round, in each round one of every value.
        codes: (n,), the value of each, 0 to K - 1.
        rounds: (n,), the round of each: pictures of a round show the same scene and are not independent.
    """

    name: str
    values: tuple[str, ...]
    pictures: tuple[Picture, ...]
    codes: NDArray[np.intp]
    rounds: NDArray[np.intp]


@dataclass(frozen=True)
class _Kind:
    """How the pictures of a property are made.

    Attributes:
        key: of its random streams.
        rounds: how many scenes there are.
        values: what each scene is shown with.
        scenes: (stage, random numbers of a round) -> one scene for each value.
    """

    key: int
    rounds: int
    values: tuple[str, ...]
    scenes: Callable[[Stage, np.random.Generator], Sequence[Scene]]


def _gender(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A portrait drawn as a man and as a woman, of the same age, hair, skin tone and drawing style."""
    men, women = _dealt(rng, _twins(stage))
    thing = stage.thing(rng, MEN[0], (0.55, 1.0))
    scene = stand(rng, [thing])
    return [replace(scene, things=(replace(thing, drawing=row),)) for row in (men, women)]


@lru_cache(maxsize=2)
def _twins(stage: Stage) -> list[tuple[int, ...]]:
    return [twins for man, woman in zip(MEN, WOMEN, strict=True) for twins in stage.twins(man, woman)]


def _tone(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A portrait in one drawing style and in every skin tone."""
    rows = _dealt(rng, _toned(stage))
    thing = stage.thing(rng, MEN[0], (0.55, 1.0))
    scene = stand(rng, [thing])
    return [replace(scene, things=(replace(thing, drawing=row),)) for row in rows]


@lru_cache(maxsize=2)
def _toned(stage: Stage) -> list[tuple[int, ...]]:
    """Rows of the drawings of each portrait in each style that has all tones."""
    world, found = stage.world, []
    for face in FACES:
        base = world.by_label[face]
        by_style = [
            {world.sheet.style[row]: row for row in world.rows[world.toned[base, tone]]}
            for tone in range(1, len(TONES) + 1)
        ]
        common = sorted(set.intersection(*(set(rows) for rows in by_style)))
        found += [tuple(rows[style] for rows in by_style) for style in common]
    return found


def _dealt(rng: np.random.Generator, rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return rows[int(rng.integers(len(rows)))]


def _grounds(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A thing on every ground that some animals are usually on."""
    thing = _thing(stage, rng, (0.42, 0.85), [name for animals in ANIMALS.values() for name in animals])
    seed = int(rng.integers(2**31))
    return [stand(np.random.default_rng(seed), [thing], ground) for ground in ANIMALS]


def _word(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A thing with a word written in an ink and at a place dealt by chance, and the same without the word."""
    thing = _thing(stage, rng, (0.5, 0.66), WORDS, (float(rng.uniform(-0.2, 0.2)), float(rng.uniform(-0.3, 0.3))))
    bare = stand(rng, [thing])
    word, scale = pick(rng, WORDS), float(rng.uniform(0.5, 0.98))
    across, down = float(rng.uniform(-1, 1)) * (1 - scale), float(rng.uniform(-0.7, 0.7))
    letters = Thing(stage.word(word), word, scale, across, down, tint=pick(rng, _legible(bare)))
    return [replace(bare, things=(thing, letters)), bare]


def _legible(scene: Scene) -> list[str]:
    """Inks that stand out from both colours of a ground; the one that does most where none does enough."""
    inks = {**TINTS, **INKS}
    grounds = np.array([scene.base, scene.other]) @ _LUMINANCE
    apart = {ink: float(np.abs(np.array(rgb) @ _LUMINANCE / 255 - grounds).min()) for ink, rgb in inks.items()}
    return [ink for ink, far in apart.items() if far >= CONTRAST] or [max(apart, key=apart.__getitem__)]


def _circle(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """Two or three things with a red circle round one of them, as in training, and the same without it."""
    places = corners(rng, 4)[: int(rng.integers(2, 4))]
    things = [_thing(stage, rng, (0.36, 0.44), CIRCLED, at) for at in places]
    bare, first = stand(rng, things), things[0]
    ink = (float(rng.uniform(0.85, 1)), float(rng.uniform(0, 0.12)), float(rng.uniform(0, 0.12)))
    radius, width = first.scale * float(rng.uniform(0.5, 0.62)), float(rng.uniform(0.018, 0.05))
    return [replace(bare, ring=Ring(first.x, first.y, radius, width, ink)), bare]


def _colour(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A thing in every colour that things are tinted in."""
    thing = _thing(stage, rng, (0.5, 1.0))
    bare = stand(rng, [thing])
    return [replace(bare, things=(replace(thing, tint=tint),)) for tint in TINTS]


def _side(stage: Stage, rng: np.random.Generator) -> Sequence[Scene]:
    """A thing left of the middle, and as far right of it."""
    at = float(rng.uniform(-0.55, -0.3)), float(rng.uniform(-0.4, 0.4))
    thing = _thing(stage, rng, (0.3, 0.45), at=at)
    bare = stand(rng, [thing])
    return [replace(bare, things=(replace(thing, x=side * abs(thing.x)),)) for side in (-1, 1)]


def _thing(
    stage: Stage,
    rng: np.random.Generator,
    scale: tuple[float, float],
    but: Sequence[str] = (),
    at: tuple[float, float] | None = None,
) -> Thing:
    """Any emoji that has no skin tone, but for some labels."""
    label = pick(rng, [label for label in _labels(stage) if label not in but])
    return stage.thing(rng, label, scale, at)


@lru_cache(maxsize=2)
def _labels(stage: Stage) -> tuple[str, ...]:
    return tuple(sorted(stage.world.by_label))


_KINDS = MappingProxyType(
    {
        "gender as drawn": _Kind(11, 120, ("man", "woman"), _gender),
        "skin tone as drawn": _Kind(12, 50, TONES, _tone),
        "ground": _Kind(13, 50, tuple(ANIMALS), _grounds),
        "written word": _Kind(14, 120, ("a word", "no word"), _word),
        "red circle": _Kind(15, 120, ("a circle", "no circle"), _circle),
        "colour": _Kind(16, 40, tuple(TINTS), _colour),
        "left or right": _Kind(17, 120, ("left", "right"), _side),
    }
)
PROPERTIES: tuple[str, ...] = tuple(_KINDS)
"""Names of the properties."""


@lru_cache(maxsize=2 * len(_KINDS))
def shipped(name: str, seed: int) -> PropertySet:
    """The pictures that differ in a property, 72 pixels a side.

    Raises:
        FieldError: there is no such property; the message lists those there are.
    """
    if name not in _KINDS:
        raise FieldError("property", f"there is no property “{name}”; there are {', '.join(PROPERTIES)}")
    kind, stage = _KINDS[name], open_stage("train")
    scenes = [
        scene for number in range(kind.rounds) for scene in kind.scenes(stage, stream(seed, kind.key, number))
    ]
    codes = np.tile(np.arange(len(kind.values), dtype=np.intp), kind.rounds)
    rounds = np.repeat(np.arange(kind.rounds, dtype=np.intp), len(kind.values))
    for array in (codes, rounds):
        array.flags.writeable = False  # kept for everybody
    return PropertySet(name, kind.values, stage.pictures(scenes, name), codes, rounds)
