"""The field's words, explained where they stand: marked in prose, shown on hover, focus and touch by `terms.js`.

The words and their meanings are in `assets/glossary.toml`. In a piece of prose the first mention of each term is
marked, never inside a link, code or a heading.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import gradio as gr
from markupsafe import Markup

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PATH = Path(__file__).resolve().parents[1] / "assets" / "glossary.toml"
TITLE = "Glossary"
ADDRESS = "/glossary"
_TAG = re.compile(r"(<[^>]*>|“[^”]*”)")
"""Tags, and what is quoted: the labels of a visitor are no terms."""
_APART = ("a", "code", "pre", "h1", "h2", "h3", "h4", "abbr", "button", "script", "style")


@dataclass(frozen=True)
class Term:
    """A word of the field.

    Attributes:
        term: as it is listed.
        also: other spellings.
        text: what it means.
        source: where it comes from, or nothing.
    """

    term: str
    text: str
    also: tuple[str, ...] = ()
    source: str = ""

    @property
    def told(self) -> str:
        """What is shown on hover."""
        return f"{self.text} ({self.source})" if self.source else self.text


@lru_cache(maxsize=1)
def terms() -> tuple[Term, ...]:
    """All terms, in the order of the alphabet."""
    listed = tomllib.loads(PATH.read_text(encoding="utf-8"))["term"]
    found = [Term(one["term"], one["text"], tuple(one.get("also", ())), one.get("source", "")) for one in listed]
    return tuple(sorted(found, key=lambda one: one.term.casefold()))


@lru_cache(maxsize=1)
def _spellings() -> tuple[re.Pattern[str], dict[str, Term]]:
    """A pattern of all spellings, longer ones first, and the term of each."""
    known = {spelling.casefold(): one for one in terms() for spelling in (one.term, *one.also)}
    longest = sorted(known, key=len, reverse=True)
    pattern = "|".join(re.escape(spelling) for spelling in longest)
    return re.compile(rf"(?<![\w@-])(?:{pattern})(?![\w@-])", re.IGNORECASE), known


@lru_cache(maxsize=1024)
def explained(text: Markup) -> Markup:
    """Prose with the first mention of each term marked; `text` is HTML that was made safe already."""
    pattern, known = _spellings()
    said: set[str] = set()

    def mark(found: re.Match[str]) -> str:
        one = known[found[0].casefold()]
        if one.term in said:
            return found[0]
        said.add(one.term)
        return str(
            Markup('<span class="term" tabindex="0" aria-description="{0}" data-tip="{0}">{1}</span>').format(
                one.told, Markup(found[0])
            )
        )

    return Markup("".join(pattern.sub(mark, piece) if free else piece for piece, free in _pieces(text)))


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of HTML in order, and whether words in them may be marked."""
    inside: list[str] = []
    for piece in _TAG.split(text):
        tag = re.match(r"<(/?)([a-zA-Z0-9]+)", piece)
        if tag is None:
            yield piece, not inside and not piece.startswith("“")
            continue
        if tag[2].lower() in _APART:
            if tag[1] and inside:
                inside.pop()
            elif not tag[1]:
                inside.append(tag[2].lower())
        yield piece, False


def lay_out() -> None:
    """Put the page that lists all terms on the current route."""
    items = Markup("").join(
        Markup('<dt id="{}">{}</dt><dd>{}</dd>').format(
            re.sub(r"[^a-z0-9]+", "-", one.term.lower()).strip("-"), one.term, one.told
        )
        for one in terms()
    )
    gr.HTML(
        Markup(
            '<div id="main"><h1>{}</h1><p class="question">The words of the field, as these pages use them.</p>'
            '<dl class="glossary">{}</dl></div>'
        ).format(TITLE, items),
        elem_classes="opening",
    )
