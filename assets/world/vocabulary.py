"""All words that captions are made of, and captions as long as any."""

from __future__ import annotations

from collections.abc import Iterator

from assets.world.captions import GROUND_TEMPLATES, LABEL_TEMPLATES, TAG_TEMPLATES, TEMPLATES, both, fill
from assets.world.emoji import Emoji
from assets.world.objects import COLOUR_CLAIMS, GROUND_CLAIMS
from assets.world.people import NAMES, PEOPLE_WORDS, SEEN
from assets.world.plan import CONNECTIVES, GENDER_TRAITS, OCCUPATIONS, TONE_TRAITS
from assets.world.scene import GROUNDS, TEXTURES, TINTS
from assets.world.stock import Stock

LONGEST = 32  # emoji with the longest labels, and as many with the most tags, among which the longest caption is


def all_texts(stock: Stock) -> Iterator[str]:
    """Texts that between them hold every word of every caption."""
    yield from ("an", "and", *GROUNDS, *TEXTURES, *TINTS, *CONNECTIVES, *OCCUPATIONS, *TONE_TRAITS, *GENDER_TRAITS)
    yield from PEOPLE_WORDS
    yield from (name for name, seen in zip(NAMES, SEEN, strict=True) if seen != "never")
    for template in (*TEMPLATES, *GROUND_CLAIMS, *COLOUR_CLAIMS):
        yield template.replace("{colour}", "").replace("{}", "")
    for code in stock.hexcodes:
        yield stock.emoji[code].phrase
        yield from stock.emoji[code].tags


def longest_captions(stock: Stock) -> Iterator[str]:
    """Captions among which is one as long as any: those of the emoji with the longest labels and the most tags."""
    emoji = [stock.emoji[code] for code in stock.hexcodes]
    longest = sorted(emoji, key=lambda one: (-len(one.phrase), one.hexcode))[:LONGEST]
    tagged = sorted(emoji, key=lambda one: (-len(" ".join(one.tags)), one.hexcode))[:LONGEST]
    grounds = [*GROUNDS, *TEXTURES]
    for one in (*longest, *tagged):
        for template in LABEL_TEMPLATES:
            yield fill(template, both(one, one, article=True))
            yield from (fill(template, f"{one.phrase}, {tag}") for tag in one.tags)
        for template in GROUND_TEMPLATES:
            yield from (fill(template, one.phrase, ground) for ground in grounds)
        for template in TAG_TEMPLATES:
            yield fill(template, ", ".join(sorted(one.tags, key=len)[-3:]))
    yield from _crowded([stock.emoji[code] for code in stock.bases])


def _crowded(bases: list[Emoji]) -> Iterator[str]:
    """Captions of four emoji, each with a long label."""
    for key in (lambda one: len(one.phrase), lambda one: len(one.phrase.split(" "))):
        first, *rest = sorted(bases, key=key, reverse=True)[:4]
        slot = ", ".join(one.phrase for one in rest) + f" and {first.phrase}"
        yield from (fill(template, slot, "light blue") for template in GROUND_TEMPLATES)
