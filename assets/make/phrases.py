"""The phrases that attention heads are described with: combinations of the words of `phrases.toml`, all ours.

A group is every combination of its lists in its templates, in the order in which they are written, so that the
same words always give the same file. A phrase that comes up twice counts where it came up first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pydantic import TypeAdapter

from assets.world.plan import ANIMALS, BOUND, CIRCLED, GENDER_TRAITS, OCCUPATIONS, ORDERED, TONE_TRAITS
from assets.world.scene import GROUNDS, TEXTURES, TINTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WORDS = Path(__file__).with_name("phrases.toml")
LEFT_OUT = {"gorilla"}
"""Words of the drawn world that are no phrase: they would hurt beside a picture of a person."""
_BEFORE_VOWEL = re.compile(r"\ba(?= (?:a|e(?!u)|i|o(?!ne\b)|u(?!ni|si|se|ku)))")


@dataclass(frozen=True)
class Group:
    """Phrases made alike.

    Attributes:
        category: what they are about.
        lists: names of the lists whose words fill a template's slots, in order.
        templates: with one `{}` for each list.
        every: of k combinations one is kept, spread over all words.
    """

    category: str
    lists: tuple[str, ...]
    templates: tuple[str, ...]
    every: int = 1


@dataclass(frozen=True)
class Vocabulary:
    """Everything that phrases are made of: lists of words by name, and groups."""

    lists: Mapping[str, tuple[str, ...]]
    groups: tuple[Group, ...]


def read(path: Path = WORDS) -> Vocabulary:
    """The vocabulary as it is written, with the words of the bundled models' drawn world."""
    written = TypeAdapter(Vocabulary).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    return Vocabulary({**written.lists, **_world()}, written.groups)


def _world() -> dict[str, tuple[str, ...]]:
    """Lists of what the pictures of the bundled models show."""
    animals = [animal for some in ANIMALS.values() for animal in some]
    lists = {
        "world animals": animals,
        "world bound": BOUND,
        "world colours": TINTS,
        "world grounds": (*GROUNDS, *TEXTURES),
        "world objects": (*ORDERED, *CIRCLED, *BOUND),
        "world occupations": OCCUPATIONS,
        "world traits": (*TONE_TRAITS, *GENDER_TRAITS),
    }
    return {name: tuple(word for word in words if word not in LEFT_OUT) for name, words in lists.items()}


def phrases(vocabulary: Vocabulary) -> dict[str, str]:
    """Every phrase, once, with its category, in order.

    Raises:
        KeyError: a group names a list that there is not.
    """
    found: dict[str, str] = {}
    for group in vocabulary.groups:
        for phrase in _of_group(group, vocabulary.lists):
            found.setdefault(phrase, group.category)
    return found


def _of_group(group: Group, lists: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    slots = [list(enumerate(lists[name])) for name in group.lists]
    for chosen in product(*slots):
        # the sum of places: each word of one list meets each k-th of another, never always the same ones
        if sum(place for place, _ in chosen) % group.every == 0:
            for template in group.templates:
                yield with_article(template.format(*(word for _, word in chosen)))


def with_article(phrase: str) -> str:
    """The phrase with `an` for `a` before the sound of a vowel."""
    return _BEFORE_VOWEL.sub("an", phrase)


def write(path: Path) -> int:
    """Write the phrases, one a line, and say how many there are."""
    found = phrases(read())
    path.write_text("".join(f"{phrase}\n" for phrase in found), encoding="utf-8")
    return len(found)
