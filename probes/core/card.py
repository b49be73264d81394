"""The card of a probe: what it asks, how to read it, what it cannot show, whom it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import CapabilityError
from probes.core.model import Capability


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A publication.

    Attributes:
        key: BibTeX key.
        authors: as BibTeX writes them, `Last, First and Last, First`.
        url: DOI or address.
        why: what of it this probe uses.
    """

    key: str
    title: str
    authors: str
    year: int
    venue: str
    url: str
    why: str = ""

    def bibtex(self) -> str:
        """The reference as a BibTeX entry."""
        entries = {
            "title": f"{{{self.title}}}",
            "author": self.authors,
            "year": str(self.year),
            "howpublished": self.venue,
            "url": self.url,
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in entries.items())
        return f"@misc{{{self.key},\n{body}\n}}\n"

    def short(self) -> str:
        """First author and year, as in running text."""
        first = self.authors.split(" and ")[0].split(",")[0]
        return f"{first}{' et al.' if ' and ' in self.authors else ''} {self.year}"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a probe is, for the page, the command line and the README.

    Attributes:
        name: the probe's name in code and on the command line, such as `red_circle`.
        title: its name for people.
        question: the question it answers, one sentence.
        how_to_read: Markdown.
        caveats: Markdown, what the answer does not show.
        references: the papers that asked first.
        needs: what a model must be capable of.
        content_note: what a visitor is told before harmful content is shown; empty if there is none.
    """

    name: str
    title: str
    question: str
    how_to_read: str
    caveats: str
    references: tuple[Reference, ...]
    needs: frozenset[Capability] = frozenset()
    content_note: str = ""

    @property
    def address(self) -> str:
        """The path of the probe's page, such as `/red-circle`."""
        return "/" + self.name.replace("_", "-")

    def refusal(self, lacks: Mapping[Capability, str]) -> str:
        """Why a model that lacks these capabilities cannot answer, in a sentence; empty if it can."""
        return next((lacks[need] for need in sorted(self.needs) if need in lacks), "")

    def require(self, lacks: Mapping[Capability, str]) -> None:
        """Refuse a model that lacks these capabilities, if one of them is needed.

        Raises:
            CapabilityError: one is; the message says why the model lacks it.
        """
        for need in sorted(self.needs & lacks.keys()):
            raise CapabilityError(f"{self.title} needs a model that can {need.value}: {lacks[need]}")

    @classmethod
    def from_notes(
        cls,
        notes: Path,
        *,
        name: str,
        references: tuple[Reference, ...],
        needs: frozenset[Capability] = frozenset(),
        content_note: str = "",
    ) -> Card:
        """Read title, question, reading and caveats from a probe's `notes.md`.

        Raises:
            ValueError: a section is missing.
        """
        text = notes.read_text(encoding="utf-8")
        title = re.match(r"# (.+)", text)
        if title is None:
            raise ValueError(f"{notes} does not begin with a title")
        return cls(
            name=name,
            title=title[1].strip(),
            question=_section(notes, text, "Question"),
            how_to_read=_section(notes, text, "How to read it"),
            caveats=_section(notes, text, "What it does not show"),
            references=references,
            needs=needs,
            content_note=content_note,
        )


def _section(notes: Path, text: str, heading: str) -> str:
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise ValueError(f"{notes} has no section '{heading}'")
    return found[1].strip()
