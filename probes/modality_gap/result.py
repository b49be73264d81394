"""What was found: measures with intervals and nulls, moves, paths and views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.core.arrays import Packed
from probes.core.statistics import SIGNIFICANT
from probes.modality_gap.closed_form import Measured
from probes.modality_gap.cloud import View
from probes.modality_gap.nulls import Null
from probes.modality_gap.path import PathStep

LEAST = 10
"""Fewer pairs have no interval worth saying in a sentence."""
TABLE_DELTAS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class ShiftRow:
    """A row of the table `shift`: both clouds moved along the unit gap, delta > 0 towards one another.

    Attributes:
        gap: signed along the original direction, on all pairs.
        loss: at the model's own logit scale, in nats; `loss_scale_1` at scale 1.
    """

    delta: float
    gap: float
    loss: float
    loss_scale_1: float
    r1_image_to_text: float
    r1_text_to_image: float


@dataclass(frozen=True)
class Moved:
    """What a move made of everything that is followed; None where nothing is.

    Attributes:
        gap: length between the means after the move, on the compared pairs, signed for shifts.
        association: effect size of drawn people and words.
    """

    gap: float
    loss: float
    loss_scale_1: float
    r1_image_to_text: float
    r1_text_to_image: float
    r5_image_to_text: float
    r5_text_to_image: float
    zero_shot: float | None
    association: float | None


@dataclass(frozen=True)
class Shifted:
    """`Moved` at a step of the shift."""

    delta: float
    moved: Moved


@dataclass(frozen=True)
class Intervention:
    """`Moved` after something else was done, under a title."""

    key: str
    title: str
    moved: Moved


@dataclass(frozen=True)
class InterventionRow:
    """A row of the table `interventions`; see `Moved`."""

    intervention: str
    gap: float
    loss: float
    loss_scale_1: float
    r1_image_to_text: float
    r1_text_to_image: float
    r5_image_to_text: float
    r5_text_to_image: float
    zero_shot: float | None
    association: float | None


@dataclass(frozen=True)
class ShiftFurtherRow:
    """A row of the table `shift_further`: what else is followed while the clouds move."""

    delta: float
    r5_image_to_text: float
    r5_text_to_image: float
    zero_shot: float | None
    association: float | None


@dataclass(frozen=True)
class DimensionRow:
    """A row of the table `dimensions`: the share of the squared gap that a dimension holds, largest first."""

    dimension: int
    share: float


@dataclass(frozen=True)
class TemperatureRow:
    """At one logit scale: where along the shift the loss is least, and what it is there and unmoved."""

    logit_scale: float
    delta_of_least_loss: float
    least_loss: float
    loss_unmoved: float
    n: int


@dataclass(frozen=True)
class TrainingRow:
    """The pairs at a moment of training, or with random weights; intervals are of the gap."""

    moment: str
    pictures_seen: int | None
    logit_scale: float | None
    gap: float
    gap_low: float | None
    gap_high: float | None
    rmg: float
    cosine_matched: float
    cosine_unmatched: float
    cosine_image_image: float
    cosine_text_text: float
    r1_image_to_text: float
    r1_text_to_image: float
    n: int


@dataclass(frozen=True, eq=False)
class Moment:
    """A row of the table `training`, and both clouds along their own gap and beside it, (2n, 2)."""

    row: TrainingRow
    points: Packed


@dataclass(frozen=True, eq=False)
class DrawnWalks:
    """`Walks` among the drawn pairs, (n, steps) each."""

    images: Packed
    texts: Packed
    image_cosines: Packed
    text_cosines: Packed


@dataclass(frozen=True, eq=False)
class Cloud:
    """What is drawn of both clouds: `n` pairs, pictures first.

    Attributes:
        places: of the drawn pairs among all, (n,).
        captions, names, labels: of the drawn pairs; None where nobody says.
        views: `pca` and `sphere`.
        gap_cosine: of the first component with the gap direction, without its sign.
        along: how far each row lies along the unit gap, (2n,).
        distance: of each pair, (n,).
        lengths: before rows were brought to unit length, (2n,); None where nobody says.
        moved: where each view sees the clouds after each intervention, by key.
        walks: what is nearest to each step of each drawn pair's path; None where others were walked.
    """

    places: Packed
    captions: tuple[str, ...] | None
    names: tuple[str, ...] | None
    labels: tuple[str, ...] | None
    views: dict[str, View]
    gap_cosine: float
    along: Packed
    distance: Packed
    lengths: Packed | None
    moved: dict[str, dict[str, Packed]]
    walks: DrawnWalks | None


@dataclass(frozen=True, eq=False)
class EachPair:
    """What single pairs add to some measures, so that two models can be compared pair by pair.

    Attributes:
        gap: how far apart a pair lies along the unit gap, (n,); the mean is the gap.
        cosine_matched: (n,).
        loss: (compared,), at the model's own scale.
        r1_image_to_text, r1_text_to_image: (compared,), 1 where the right answer comes first, else 0.
    """

    gap: Packed
    cosine_matched: Packed
    loss: Packed
    r1_image_to_text: Packed
    r1_text_to_image: Packed

    @property
    def sizes(self) -> tuple[int, int]:
        """How many pairs there are, and how many were compared every one with every other."""
        return len(self.gap), len(self.loss)


@dataclass(frozen=True, eq=False)
class ModalityGapResult:
    """All that was measured on `n` pairs, of which `compared` were compared every one with every other.

    Attributes:
        model: what it is called; `source` what the pairs are.
        logit_scale: at which the own loss was taken; `sigmoid` whether it is SigLIP's.
        people: what the association compares, in words; empty where nobody is followed.
        association_p: two-tailed, of dealing people to groups by chance.
        each: pair by pair; None in earlier reports, and where there are too many to keep.
    """

    model: str
    source: str
    n: int
    compared: int
    logit_scale: float
    sigmoid: bool
    measures: tuple[Measured, ...]
    nulls: tuple[Null, ...]
    shifts: tuple[Shifted, ...]
    interventions: tuple[Intervention, ...]
    dimensions: tuple[DimensionRow, ...]
    path: tuple[PathStep, ...]
    temperatures: tuple[TemperatureRow, ...]
    training: tuple[Moment, ...]
    cloud: Cloud
    people: str
    association_p: float | None
    cautions: tuple[str, ...]
    each: EachPair | None = None

    def measure(self, name: str) -> Measured:
        """The measure of a name."""
        return next(one for one in self.measures if one.measure == name)

    def null(self, name: str) -> Null:
        """The null of a measure."""
        return next(one for one in self.nulls if one.measure == name)

    def at(self, delta: float) -> Moved:
        """What the shift by delta made of everything; delta has to be one that was computed."""
        return next(step.moved for step in self.shifts if abs(step.delta - delta) < 1e-9)

    def headline(self) -> str:
        """How wide the gap is, whether it is one, and what closing it does to loss and retrieval."""
        gap, closed = self.measure("gap"), next(i.moved for i in self.interventions if i.key == "both")
        before, null = self.at(0.0), self.null("gap")
        ends = f"95 % interval {gap.low:.3f} to {gap.high:.3f}" if self.n >= LEAST else "too few for an interval"
        scale = "sigmoid loss" if self.sigmoid else f"loss at scale {self.logit_scale:.3g}"
        told = f"{ends}, n = {self.source}; by chance {null.null:.3f}, p = {null.p:.2g}"
        if null.p > SIGNIFICANT:
            told = f"gap {gap.value:.3f} ({told})"
            return f"Pictures and captions lie no further apart than chance puts them: {told}."
        return (
            f"Pictures and captions have a gap of {gap.value:.3f} between them ({told}). Closing it along its own "
            f"direction takes the {scale} from {before.loss:.2f} to {closed.loss:.2f}, the loss at scale 1 from "
            f"{before.loss_scale_1:.2f} to {closed.loss_scale_1:.2f}, and R@1 from picture to caption from "
            f"{before.r1_image_to_text:.0%} to {closed.r1_image_to_text:.0%}."
        )

    def warnings(self) -> tuple[str, ...]:
        """On how many pairs what was measured, and what is unlike the model's training."""
        found = list(self.cautions)
        if self.compared < self.n:
            found.insert(
                0,
                "What compares every pair with every other (retrieval, loss, uniformity, separability) was "
                f"measured on {self.compared:,} of {self.n:,} pairs, taken by chance; "
                f"R@1 is among {self.compared:,}.",
            )
        return tuple(found)

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`measures`, `shift`, `dimensions` and all the rest."""
        tables: dict[str, tuple[Any, ...]] = {
            "measures": self.measures,
            "nulls": self.nulls,
            "shift": tuple(_shift_row(delta, self.at(delta)) for delta in TABLE_DELTAS),
            "shift_further": tuple(_further(step) for step in self.shifts),
            "interventions": tuple(_intervention_row(one) for one in self.interventions),
            "dimensions": self.dimensions,
            "path": self.path,
            "temperature": self.temperatures,
            "training": tuple(moment.row for moment in self.training),
        }
        return {name: rows for name, rows in tables.items() if rows}


def _shift_row(delta: float, moved: Moved) -> ShiftRow:
    return ShiftRow(
        delta, moved.gap, moved.loss, moved.loss_scale_1, moved.r1_image_to_text, moved.r1_text_to_image
    )


def _further(step: Shifted) -> ShiftFurtherRow:
    m = step.moved
    return ShiftFurtherRow(step.delta, m.r5_image_to_text, m.r5_text_to_image, m.zero_shot, m.association)


def _intervention_row(one: Intervention) -> InterventionRow:
    return InterventionRow(one.title, **vars(one.moved))
