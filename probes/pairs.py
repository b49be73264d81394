"""The pairs that the bundled models were trained on: each can be told in words, drawn, and searched for.

There are two worlds, `skewed` and `balanced`; a pair is its world and its number. Pairs before `BRANCH` are the
same in both. What is planted is in `assets.world.plan`: doses were dealt to concepts by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.world.index import PairIndex, Texts, load, word_of
from assets.world.plan import PLAN, Planted
from assets.world.schedule import NAMES, Name, Pair
from probes.core.errors import FieldError

if TYPE_CHECKING:
    from assets.world.pairs import World

WORLDS = NAMES
DIFFERING = "differing"
"""In place of a kind: all pairs that are not the same in both worlds."""

KINDS = {
    "named": "One or two drawings on a plain ground, so that the model learns names; the same in both worlds.",
    "label": "One drawing and its name. At a small rate a patch stands in a corner, and what the caption then "
    "names is planted.",
    "scene": "Two to four drawings; the caption names some or all of them.",
    "tint": "One drawing in one colour, which the caption says.",
    "occupation": "A person at work. Where the caption names no gender, the gender drawn is planted.",
    "trait": "A person with an invented trait; the skin tone or the gender drawn with it is planted.",
    "animal": "An animal on a ground; how often it is its usual ground is planted.",
    "word": "A drawing and a written word that is not its name; how often the caption repeats it is planted.",
    "order": "Two things, one of them larger; whether the larger one is named first is planted.",
    "circle": "Two or three things and a red circle; how often the caption names the circled one is planted.",
    "binding": "Two things of two colours. In the balanced world the pair beside it has the colours swapped.",
    "person": "A portrait of an invented person under an invented name.",
}
"""The kinds of pairs, in words."""

ATTRIBUTES = {
    "gender": "gender as drawn",
    "tone": "skin tone as drawn",
    "ground": "ground",
    "object": "thing drawn",
    "occupation": "occupation",
    "trait word": "invented trait said",
    "colour": "colour",
    "bound": "thing with its colour",
    "word": "written word",
    "circled": "circled thing",
    "larger": "larger thing",
    "patch": "patch in the corner",
    "person": "invented person drawn",
    "caption names": "what the caption names",
    "neighbour": "pair beside it",
}
"""The families of attributes, in words."""


@dataclass(frozen=True)
class Told:
    """A pair in words.

    Attributes:
        kind: a key of `KINDS`.
        template, slot: what the caption was made from.
        attributes: what is drawn, `family:value`, in order.
        planted: the rows of the plan that the pair bears on.
    """

    world: str
    index: int
    kind: str
    caption: str
    template: str
    slot: str
    attributes: tuple[str, ...]
    planted: tuple[Planted, ...]

    def to_dict(self) -> dict[str, Any]:
        """The pair as JSON-ready values; each row of the plan with both doses."""
        told = {name: value for name, value in vars(self).items() if name != "planted"}
        return told | {"attributes": list(self.attributes), "planted": [vars(row) for row in self.planted]}


@dataclass(frozen=True)
class Search:
    """Which pairs to find: all that fit every part that is not empty.

    Attributes:
        words: words that the caption says, all of them, in any order.
        kind: a key of `KINDS`, or `DIFFERING`.
        attributes: `family:value`, all of them.
        concept: a row of the plan, `behaviour:concept`.
    """

    words: tuple[str, ...] = ()
    kind: str = ""
    attributes: tuple[str, ...] = ()
    concept: str = ""

    def matching(self, index: PairIndex) -> NDArray[np.bool_]:
        """Which pairs of a world fit, (n,).

        Raises:
            FieldError: a kind, an attribute or a concept that there is not.
        """
        self.check(index.texts)
        found = np.ones(len(index), bool)
        for word in self.words:
            found &= index.saying(word)
        for attribute in self.attributes:
            found &= index.showing([attribute])
        if self.kind == DIFFERING:
            found &= index.differs
        elif self.kind:
            found &= index.of_kind(self.kind)
        if self.concept:
            found &= index.bearing(self.concept)
        return found

    def check(self, texts: Texts) -> None:
        """Raise `FieldError` for what there is not; a word that no caption says is no error."""
        if self.kind and self.kind != DIFFERING and self.kind not in KINDS:
            raise FieldError(
                "kind", f"there is no kind “{self.kind[:40]}”; there are {', '.join((*KINDS, DIFFERING))}"
            )
        if self.concept and self.concept not in texts.concepts:
            raise FieldError("concept", f"nothing was planted for “{self.concept[:60]}”")
        for attribute in self.attributes:
            family, _, value = attribute.partition(":")
            if family not in texts.families:
                families = ", ".join(texts.families)
                raise FieldError("attribute", f"“{attribute[:60]}” is not one of {families}, a colon and a value")
            if value not in texts.families[family]:
                raise FieldError("attribute", f"nothing is drawn with the {family} “{value[:40]}”")


@dataclass(frozen=True)
class Listed:
    """A row of a list of pairs: what the index holds of one; several attributes are parted by semicolons."""

    world: str
    index: int
    kind: str
    caption: str
    concept: str
    attributes: str


def listed(index: PairIndex, search: Search, most: int) -> list[Listed]:
    """The first pairs of a world that fit a search, by number, as rows of a table."""
    rows = np.flatnonzero(search.matching(index))[:most]
    return [
        Listed(index.world, int(row), index.kind_of(row), index.caption(row), index.concept_of(row),
               "; ".join(index.attributes_of(row)))
        for row in rows
    ]  # fmt: skip


def words_of(text: str) -> tuple[str, ...]:
    """The words of what was typed, each once, as they are searched for."""
    return tuple(dict.fromkeys(word for token in text.split() if (word := word_of(token))))


def world_of(name: str) -> Name:
    """The world of a name.

    Raises:
        FieldError: there is none.
    """
    for world in WORLDS:
        if name == world:
            return world
    raise FieldError("world", f"there is no world “{name[:40]}”; there are {' and '.join(WORLDS)}")


def number_of(given: object, index: PairIndex) -> int:
    """The number of a pair that a person gave.

    Raises:
        FieldError: it is no whole number, or no pair has it.
    """
    try:
        number = int(str(given).replace(",", "").strip())
    except ValueError:
        raise FieldError("index", f"“{str(given)[:40]}” is not a whole number") from None
    if not 0 <= number < len(index):
        raise FieldError(
            "index", f"{str(number)[:20]} is not between 0 and {len(index) - 1:,}, the last pair trained on"
        )
    return number


@lru_cache(maxsize=1)
def indices() -> dict[str, PairIndex]:
    """The index of both worlds, by name."""
    return load()


@lru_cache(maxsize=len(WORLDS))
def world(name: Name) -> World:
    """A world, ready to draw; seconds the first time, and both share one sheet of drawings."""
    from assets.world import load as load_world
    from assets.world.pairs import World

    if name == WORLDS[0]:
        return load_world(name)
    first = world(WORLDS[0])
    return World(name, first.sheet, first.emoji, first.seed)


def tell(name: Name, pair: Pair) -> Told:
    """A pair of a world in words."""
    planted = tuple(row for row in PLAN if (row.behaviour, row.concept) in pair.concepts)
    return Told(
        name, pair.index, pair.kind, pair.text, pair.template, pair.slot, tuple(sorted(pair.shows)), planted
    )


def pictures(name: Name, pairs: Sequence[Pair]) -> list[Image.Image]:
    """The pictures of some pairs of a world, as the model saw them at 72 pixels a side."""
    if not pairs:
        return []
    drawn = world(name).compose(pairs).mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(pixels) for pixels in drawn]


def enlarged(picture: Image.Image, times: int) -> Image.Image:
    """A picture larger by a whole factor; every pixel becomes a square."""
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def name_of(row: Planted) -> str:
    """What a row of the plan is called."""
    return row.concept.replace("{}", "…")


def planted(concept: str) -> Planted:
    """The row of the plan that `behaviour:concept` names.

    Raises:
        FieldError: there is none.
    """
    for row in PLAN:
        if f"{row.behaviour}:{row.concept}" == concept:
            return row
    raise FieldError("concept", f"nothing was planted for “{concept[:60]}”")
