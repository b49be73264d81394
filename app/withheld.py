"""Words that a link asks about and that carry a note: told first, and taken only when somebody says so.

A list with a note is never taken unasked (`probes.core.controls.Preset`). A link must not be a way round that: its
fields with lines of such a list are left as the page has them, the note is said, and what the link wanted is kept
in the session until the visitor takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probes.core.controls import Lines
from probes.core.parameters import Field, Params, fields


@dataclass(frozen=True)
class Withheld:
    """What a link wanted in a field: the lines, and the list whose note comes first."""

    lines: tuple[str, ...]
    preset: str
    note: str


def found(params: Params, wanted: Mapping[str, object]) -> dict[str, Withheld]:
    """The fields whose wanted lines, or some of them, stand in a list with a note."""
    kept = {}
    for f in fields(params):
        preset = _noted(f, wanted.get(f.name))
        if preset and isinstance(f.control, Lines):
            lines = tuple(wanted[f.name])  # type: ignore[arg-type, var-annotated]
            kept[f.name] = Withheld(lines, preset, f.control.presets[preset].note)
    return kept


def _noted(f: Field, wanted: object) -> str:
    """The name of the list with a note that most of the lines are from, or nothing."""
    if not isinstance(f.control, Lines) or not isinstance(wanted, tuple):
        return ""
    told = "\n".join(wanted).casefold()  # a line may say more than the word: its paraphrases
    counts = {
        name: sum(line.casefold() in told for line in one.lines)
        for name, one in f.control.presets.items()
        if one.note
    }
    most = max(counts, key=lambda name: counts[name], default="")
    return most if counts.get(most) else ""


def told(withheld: Mapping[str, Withheld], labels: Mapping[str, str]) -> str:
    """What is said of it on the page; nothing where nothing was withheld."""
    if not withheld:
        return ""
    notes = " ".join(dict.fromkeys(one.note for one in withheld.values()))
    where = " and ".join(f"“{labels[name]}”" for name in withheld)
    return f"This link asks about words that can hurt. {notes} To ask all the same, take the list at {where}."
