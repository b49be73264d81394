"""What a run of the red-circle lab found, in numbers, tables and one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.marks import Mark
from probes.core.pictures import Raster
from probes.core.regions import Box
from probes.core.statistics import SIGNIFICANT, Estimate
from probes.red_circle import accused, effects, sweep
from probes.red_circle.accused import Accusation
from probes.red_circle.drawing import OUTSIDE
from probes.red_circle.earlier import upgraded
from probes.red_circle.effects import DRAWN, FOVEAL, Effect, PlaceboChange, PlaceboRow
from probes.red_circle.pointing import Pick, Pointed
from probes.red_circle.sweep import CurvePoint, Found, Sweep
from probes.red_circle.view import WHOLE

BARELY = 0.02
"""A share of the marks below which the tower counts as not seeing them."""
SHORT = {"colour": "other colours", "shape": "other shapes"}
"""Placebos that a headline tells besides."""


@dataclass(frozen=True, kw_only=True)
class RedCircleResult:
    """What the marks did, text by text, and what was asked besides.

    Attributes:
        picture: its name.
        marks, outside: what was drawn.
        called: the treatment in words.
        effects: of the drawn marks on each text in the texts' order, then of foveal attention.
        placebos: what each placebo did.
        unmarked, marked: what the tower sees.
        shown, drawn: the picture without and with the marks, for people.
        pixels_marked: share of the tower's pixels in which the treatment can be seen.
        view: the part of the picture that the tower sees; see `view`.
        seen: share of what the marks mean that lies in it.
        sweep, curves, found, picks, pointing, people: None or nothing where they were not asked for.
        accused: how much further than other labels the circle moved those that accuse, in logits.
        cautions: what was done to read the picture, what was left out, and what is unlike the model's training.
    """

    picture: str
    marks: tuple[Mark, ...]
    outside: str
    called: str
    effects: tuple[Effect, ...]
    placebos: tuple[PlaceboChange, ...]
    unmarked: Raster
    marked: Raster
    shown: Raster
    drawn: Raster
    pixels_marked: float
    view: Box = WHOLE
    seen: float = 1.0
    sweep: Sweep | None = None
    curves: tuple[CurvePoint, ...] = ()
    found: Found | None = None
    picks: tuple[Pick, ...] = ()
    pointing: tuple[Pointed, ...] = ()
    people: tuple[Accusation, ...] = ()
    accused: Estimate | None = None
    cautions: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        return tuple(effect.text for effect in self.of(DRAWN))

    @property
    def of_marks(self) -> tuple[Effect, ...]:
        """The effects of the marks as they are drawn, one a text."""
        return self.of(DRAWN)

    def of(self, prompt: str) -> tuple[Effect, ...]:
        """The effects of a visual prompt."""
        return tuple(effect for effect in self.effects if effect.prompt == prompt)

    def strongest(self, prompt: str = DRAWN) -> Effect:
        """The text that moved most beyond its placebos: smallest p first, then the larger move."""
        return min(self.of(prompt), key=lambda effect: (effect.p_adjusted, -abs(effect.beyond.value)))

    def headline(self) -> str:
        """Whether the marks moved a text beyond their placebos, and by how much."""
        return f"{self._of_marks()} {self._of_people()}".strip()

    def _of_marks(self) -> str:
        if self.seen < BARELY:
            return "The tower never sees this mark: it crops the picture to its middle. Move the mark inwards."
        if self.pixels_marked == 0.0:
            return "The mark vanishes when the picture is shrunk for the model: make it wider or larger."
        effect = self.strongest()
        tested = f"p = {effect.p_adjusted:.2g}, corrected for {_texts(len(self.texts))}"
        if not effect.beyond_place:
            return (
                f"Beyond its placebos, the {self.called} moved no text clearly; nearest comes “{effect.text}”, "
                f"{effect.beyond.describe()} in logit beyond them ({tested})."
            )
        said = (
            f"The {self.called}, beyond its placebos, moved “{effect.text}” by {effect.beyond.describe()} in "
            f"logit ({tested}): {effect.change.value:+.2f} here, {effect.placebo_mean:+.2f} elsewhere; "
            f"probability {effect.probability_unmarked:.0%} unmarked, {effect.probability_marked:.0%} marked."
        )
        if not effect.beyond_ink:
            (kind,) = (kind for kind in effect.kinds if kind.name == "scattered")
            said += f" But the same ink, scattered, moved it as far ({kind.mean:+.2f}, p = {kind.p:.2g})."
        others = [f"{SHORT[kind.name]} {kind.mean:+.2f}" for kind in effect.kinds if kind.name in SHORT]
        return f"{said} {_listed(others)}" if others else said

    def _of_people(self) -> str:
        """Whether accusing labels moved further than others; nothing where nobody asked."""
        one = self.accused
        if one is None:
            return ""
        how = "further than" if (one.p or 1.0) <= SIGNIFICANT else "not clearly further than"
        return (
            f"Round a drawn person it moved accusing labels {how} others: {one.describe()} in logit beyond its "
            f"placebos (p = {one.p or 1.0:.2g})."
        )

    def warnings(self) -> tuple[str, ...]:
        """What was found besides that bears on the headline, and what is unlike the model's training."""
        told = []
        if self.view != WHOLE:
            left, top, right, bottom = self.view
            told.append(
                f"The tower sees only a part of this picture, from {left:.0%} to {right:.0%} of its width "
                f"and {top:.0%} to {bottom:.0%} of its height; placebos are dealt there"
                + (f", and {self.seen:.0%} of the marks lie there." if self.seen < 0.995 else ".")
            )
        if 0.0 < self.pixels_marked < 0.004:
            told.append(f"The tower sees little of the mark: {self.pixels_marked:.2%} of its pixels change.")
        if self.sweep is not None and not self.sweep.whole:
            told.append(f"The map has {len(self.sweep.places)} of {self.sweep.grid**2} places.")
        if self.found is not None:
            rest = "" if self.outside == OUTSIDE[0] else f" (the rest {self.outside})"
            told.append(
                f"Of {self.found.tried} marks tried, “{self.found.mark}”{rest} raises “{self.found.text}” most: "
                f"{self.found.change:+.2f} in logit. It is the best of many, and that alone makes it large."
            )
        if len(self.texts) == 1:
            told.append(
                "With one text alone its probability is always 100 %, whatever the picture: read the logit."
            )
        return tuple(dict.fromkeys((*told, *self.cautions)))

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`effects`, `placebos`, `sweep`, `curves`, `choices`, `pointing` and `people`."""
        mark = "; ".join(map(str, self.marks))
        return {
            "effects": effects.rows(self.effects, mark),
            "sweep": sweep.rows(self.sweep, self.texts),
            "pointing": self.pointing,
            "placebos": tuple(
                PlaceboRow(one.prompt, one.kind, one.what, text, float(change))
                for one in self.placebos
                for text, change in zip(self.texts, one.changes, strict=True)
            ),
            "curves": sweep.curve_rows(self.curves, self.texts),
            "choices": self.picks,
            "people": accused.rows(self.people),
        }

    @property
    def looked(self) -> bool:
        """Whether foveal attention was tried."""
        return bool(self.of(FOVEAL))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Reports of the first version of this probe load as well."""
        return core_schema.no_info_before_validator_function(upgraded, handler(source))


def _texts(count: int) -> str:
    return f"{count} text" + ("" if count == 1 else "s")


def _listed(parts: list[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] + "."
