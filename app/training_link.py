"""What is set on the page of training data, as the query of its address, and back.

Whoever opens a link gets the page it describes. What in it cannot be used is said in a sentence, and the rest is
used all the same. An address without a query opens `FIRST`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from app import failures
from app.links import BESIDE, MODEL
from assets.world.index import word_of
from probes import pairs
from probes.core.errors import FieldError
from probes.counts import toward
from probes.pairs import ATTRIBUTES, Search

ADDRESS = "/training-data"
BOTH = "both"
WORLDS = (BOTH, *pairs.WORLDS)
LONGEST = 200
"""Characters of the words that are searched for."""
MOST = 8
"""Attributes that a search can ask for at once."""
IGNORED = (MODEL, BESIDE)
"""What links to other pages carry and this one has no use for."""


@dataclass(frozen=True)
class Ask:
    """What is set on the page.

    Attributes:
        world: one of `WORLDS`.
        words, kind, attributes, concept: what is searched for, as in `Search`.
        show: the family of attributes that is counted; empty for none.
        page: which page of the list, from 1.
        pair: the number of a pair to show in full.
    """

    world: str = BOTH
    words: str = ""
    kind: str = ""
    attributes: tuple[str, ...] = ()
    concept: str = ""
    show: str = ""
    page: int = 1
    pair: int | None = None

    @property
    def worlds(self) -> tuple[str, ...]:
        """The worlds that are looked at."""
        return pairs.WORLDS if self.world == BOTH else (self.world,)

    @property
    def search(self) -> Search:
        """What is searched for."""
        return Search(pairs.words_of(self.words), self.kind, self.attributes, self.concept)

    def but(self, **changes: Any) -> Ask:
        """The same with something else set, from the first page of the list on."""
        return replace(self, **{"page": 1, **changes})

    def with_concept(self, concept: str) -> Ask:
        """The same for a row of the plan, counted by what its dose is a share of."""
        family = toward(pairs.planted(concept))[0] if concept else self.show
        return self.but(concept=concept, show=family)

    def toggled(self, attribute: str) -> Ask:
        """The same with an attribute asked for, or no longer."""
        if attribute in self.attributes:
            return self.but(attributes=tuple(one for one in self.attributes if one != attribute))
        return self.but(attributes=(*self.attributes, attribute))

    def with_word(self, word: str) -> Ask:
        """The same with a word searched for, or no longer."""
        word, words = word_of(word), pairs.words_of(self.words)
        kept = tuple(one for one in words if one != word)
        return self.but(words=" ".join(kept if word in words else (*words, word)))

    def query(self) -> str:
        """The query of the link to the page as it is set; empty for the page's first sight."""
        if self == FIRST:
            return ""
        told = [("world", self.world), ("words", self.words), ("kind", self.kind)]
        told += [("attribute", one) for one in self.attributes]
        told += [("concept", self.concept), ("show", self.show)]
        told += [
            ("page", str(self.page) if self.page > 1 else ""),
            ("pair", "" if self.pair is None else str(self.pair)),
        ]
        return urlencode([(name, text) for name, text in told if text])


FIRST = Ask(concept="occupation:mechanic", show="gender")
"""What the page opens with: a concept whose dose is far from even."""


@dataclass(frozen=True)
class Link:
    """A query understood: what it asks for, and sentences on what cannot be used, by field."""

    ask: Ask
    errors: Mapping[str, str] = field(default_factory=dict)


def read(search: str) -> Link:
    """Understand the query of a link."""
    given: dict[str, list[str]] = {}
    for name, text in parse_qsl(str(search).lstrip("?"), keep_blank_values=True):
        if not name.startswith("__") and name not in IGNORED:
            given.setdefault(name, []).append(text)
    if not given:
        return Link(FIRST)
    known = {
        name: given.pop(name, [])
        for name in ("world", "words", "kind", "attribute", "concept", "show", "page", "pair")
    }
    one = {name: texts[-1].strip() if texts else "" for name, texts in known.items()}
    errors: dict[str, str] = {}
    if given:
        named = ", ".join(f"“{name[:40]}”" for name in list(given)[:3]) + ("…" if len(given) > 3 else "")
        errors[""] = f"This page has no field {named}; that part of the link was ignored."
    link = check(Ask(one["world"] or BOTH, one["words"], one["kind"],
                     tuple(dict.fromkeys(text.strip() for text in known["attribute"] if text.strip())),
                     one["concept"], one["show"]))  # fmt: skip
    errors |= link.errors
    ask = replace(link.ask, page=_page(one["page"], errors), pair=_pair(one["pair"], errors))
    return Link(ask, errors)


def check(ask: Ask) -> Link:
    """What of a page's settings can be used; what cannot is left empty and said."""
    errors: dict[str, str] = {}
    texts = pairs.indices()[pairs.WORLDS[0]].texts
    if ask.world not in WORLDS:
        errors["world"] = f"There is no world “{ask.world[:40]}”; there are {' and '.join(pairs.WORLDS)}, or both."
        ask = replace(ask, world=BOTH)
    if len(ask.words) > LONGEST:
        errors["words"] = f"Only the first {LONGEST} characters were searched for."
        ask = replace(ask, words=ask.words[:LONGEST])
    if len(ask.attributes) > MOST:
        errors["attribute"] = f"Only the first {MOST} attributes were searched for."
        ask = replace(ask, attributes=ask.attributes[:MOST])
    for name, empty in (("kind", ""), ("concept", "")):
        ask = _without(ask, name, Search(**{name: getattr(ask, name)}), errors, {name: empty})
    for one in ask.attributes:
        kept = tuple(other for other in ask.attributes if other != one)
        ask = _without(ask, "attribute", Search(attributes=(one,)), errors, {"attributes": kept})
    if ask.show and (ask.show not in ATTRIBUTES or ask.show not in texts.families):
        errors["show"] = f"There is no attribute “{ask.show[:40]}” to count by; there are {', '.join(ATTRIBUTES)}."
        ask = replace(ask, show="")
    return Link(ask, errors)


def _without(ask: Ask, name: str, search: Search, errors: dict[str, str], change: Mapping[str, Any]) -> Ask:
    """The same without what there is not."""
    try:
        search.check(pairs.indices()[pairs.WORLDS[0]].texts)
    except FieldError as error:
        errors[name] = failures.sentence(error)
        return replace(ask, **change)
    return ask


def _page(text: str, errors: dict[str, str]) -> int:
    if not text:
        return 1
    if not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 6 or int(text) < 1:
        errors["page"] = f"There is no page “{text[:20]}”."
        return 1
    return int(text)


def _pair(text: str, errors: dict[str, str]) -> int | None:
    if not text:
        return None
    try:
        return pairs.number_of(text, pairs.indices()[pairs.WORLDS[0]])
    except FieldError as error:
        errors["pair"] = failures.sentence(error)
        return None
