"""The study of `probes.heads_off`: what it holds, its JSON, and its table for the README.

Files of every earlier schema must keep loading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter, ValidationError

from probes.ablated_contrasts import AMONG, Off
from probes.attention_heads.finding import HeadShare
from probes.core.errors import ClipspectError
from probes.core.statistics import Estimate, benjamini_hochberg
from probes.readme import Place

PICTURES, ANSWERS = "pictures", "answers"
"""What heads are found by."""
SCHEMA = 1
"""Number of the layout in JSON."""
PLACE = Place("python -m probes.heads_off")
"""Of the table in the README."""


@dataclass(frozen=True)
class Behaviour:
    """A planted behaviour, whole and with heads off.

    Attributes:
        behaviour: as the table of planted behaviours names it.
        title: in a few words, for a figure.
        searched: the property whose heads are switched off.
        pictures: how many they were found with.
        concepts: how many have a dose.
        skewed, balanced: slope of the models whole, with its interval over scenes.
        written_by_heads: share of the skewed model's slope that heads write to the embedding themselves.
        found, found_balanced: the heads that carry most of the property in either model.
        off: the skewed model with heads off that carry the property between pictures.
        off_by_answers: the same with heads that carry what it does to the answers.
    """

    behaviour: str
    title: str
    searched: str
    pictures: int
    concepts: int
    skewed: Estimate
    balanced: Estimate
    written_by_heads: float
    found: tuple[HeadShare, ...]
    found_balanced: tuple[HeadShare, ...]
    off: tuple[Off, ...]
    off_by_answers: tuple[Off, ...] = ()

    @property
    def every(self) -> tuple[tuple[str, Off], ...]:
        """All that was switched off, with what it was found by."""
        return (*((PICTURES, one) for one in self.off), *((ANSWERS, one) for one in self.off_by_answers))


@dataclass(frozen=True, kw_only=True)
class HeadsOff:
    """The whole study.

    Attributes:
        skewed_digest, balanced_digest: SHA-256 of the models' files of weights, empty where there is none.
        accuracy: zero-shot accuracy of the skewed model whole.
        made: the day, ISO 8601.
        seed: of scenes, resamples and dealings.
        command: what makes it again.
    """

    skewed: str
    skewed_digest: str
    balanced: str
    balanced_digest: str
    accuracy: Estimate
    behaviours: tuple[Behaviour, ...]
    made: str
    seed: int
    command: str
    schema: int = field(default=SCHEMA)

    def to_json(self) -> str:
        """The study as one JSON object."""
        return json.dumps(TypeAdapter(HeadsOff).dump_python(self, mode="json"), indent=1, allow_nan=False) + "\n"


def load(text: str) -> HeadsOff:
    """Read a study from JSON.

    Raises:
        ClipspectError: not one, damaged, or of a later schema than this program's.
    """
    try:
        raw = json.loads(text)
        schema = int(raw["schema"])
    except (ValueError, KeyError, TypeError):
        raise ClipspectError("this file is no study of heads switched off") from None
    if schema > SCHEMA:
        raise ClipspectError(f"this study has schema {schema}; this program reads up to {SCHEMA}")
    try:
        return TypeAdapter(HeadsOff).validate_python(raw)
    except ValidationError as error:
        raise ClipspectError(f"this study is damaged: {str(error).splitlines()[0]}") from None


def corrected(behaviours: Sequence[Behaviour]) -> tuple[Behaviour, ...]:
    """The same with p-values corrected over behaviours and numbers of heads, each way to deal heads by itself."""
    adjusted = {among: iter(benjamini_hochberg(_all_p(behaviours, among))) for among in AMONG}

    def with_p(off: Off) -> Off:
        return replace(
            off, by_chance=tuple(replace(one, p_adjusted=next(adjusted[one.among])) for one in off.by_chance)
        )

    return tuple(
        replace(one, off=tuple(map(with_p, one.off)), off_by_answers=tuple(map(with_p, one.off_by_answers)))
        for one in behaviours
    )


def _all_p(behaviours: Sequence[Behaviour], among: str) -> list[float]:
    return [
        chance.p for one in behaviours for _, off in one.every for chance in off.by_chance if chance.among == among
    ]


def markdown(kept: HeadsOff) -> str:
    """The study as the table that stands in the README."""
    head = (
        "| planted | found by | heads off | slope, skewed | without them | balanced | share of the way | p, heads "
        "of the same layers | p, heads of all layers | accuracy |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|"]
    for one in kept.behaviours:
        lines += [_line(one, how, off) for how, off in one.every]
        if not one.off:
            whole = f"{_with_ends(one.skewed)} | | {_with_ends(one.balanced)}"
            lines.append(f"| {one.title} | {PICTURES} | none found | {whole} | | | | |")
    return "\n".join(lines)


def _line(one: Behaviour, how: str, off: Off) -> str:
    same, every = (next(chance for chance in off.by_chance if chance.among == among) for among in AMONG)
    cells = (
        one.title, how, off.switches.replace(",", " "), _with_ends(one.skewed), _with_ends(off.slope),
        _with_ends(one.balanced), _with_ends(off.way), f"{same.p_adjusted:.3f}", f"{every.p_adjusted:.3f}",
        f"{off.accuracy.value:.3f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _with_ends(estimate: Estimate) -> str:
    ends = estimate.interval
    told = f" ({ends.low:.2f} to {ends.high:.2f})" if ends else ""
    return f"{estimate.value:.2f}{told}".replace("-", "−")
