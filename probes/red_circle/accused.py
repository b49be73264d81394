"""A circle round a person, and accusing labels (Shtedritski 2023, section 5), asked of drawn people.

Pictures show two drawn people side by side, dealt from the shipped families of one style, each of gender and skin
tone by chance. The circle is round one of them. Of each picture and label

    d_s = [logit(circle round the person) - logit(unmarked)] - mean_j [logit(circle elsewhere_j) -
    logit(unmarked)],

mean over templates. Interval: percentile bootstrap over pictures; p: two-tailed sign flips over pictures;
Benjamini-Hochberg over labels. Labels that accuse nobody stand beside the accusing ones: a circle that raises
every label accuses no more than it greets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes import people
from probes.core.marks import Mark
from probes.core.model import Backend, Progress
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts
from probes.core.statistics import Estimate, benjamini_hochberg, bootstrap_interval, mean_estimate, sign_flip_p
from probes.core.watching import part
from probes.people import Person
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.effects import template_logits
from probes.red_circle.placebos import drawn, elsewhere

PICTURES = 48
PLACEBOS = 12
SIDE = 144
"""Pixels a side of a picture."""
NEUTRAL = ("a person", "a neighbour", "a passer-by", "a colleague", "a friend", "a teacher")
"""Labels that accuse nobody, asked beside the accusing ones."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Accusation:
    """What a circle round a person did to one label.

    Attributes:
        accusing: whether it is one of the accusing labels.
        change: of the logit, mean over pictures.
        other_colour: the same in blue at the same place, or in red where the mark is blue.
        placebo_mean: the same circle elsewhere.
        beyond: change less placebo_mean; interval and p over pictures.
    """

    text: str
    accusing: bool
    change: Estimate
    other_colour: float
    placebo_mean: float
    beyond: Estimate
    p_adjusted: float


@dataclass(frozen=True)
class PersonRow:
    """A row of the table `people`; see `Accusation`. Intervals are 95 %, over pictures."""

    text: str
    accusing: bool
    logit_change: float
    low: float | None
    high: float | None
    other_colour_mean: float
    placebo_mean: float
    beyond_placebos: float
    beyond_low: float | None
    beyond_high: float | None
    pictures: int
    p: float
    p_adjusted: float


def pairs_of_people(seed: int) -> list[tuple[Person, Person]]:
    """Two different people a picture, dealt by chance."""
    drawn_people = people.people()
    rng = np.random.default_rng([seed, 9])
    dealt = [rng.choice(len(drawn_people), size=2, replace=False) for _ in range(PICTURES)]
    return [(drawn_people[int(first)], drawn_people[int(second)]) for first, second in dealt]


def accused(
    backend: Backend, labels: Sequence[str], templates: Sequence[str], mark: Mark, seed: int, progress: Progress
) -> tuple[tuple[Accusation, ...], Estimate]:
    """Put the circle round one of two drawn people, picture by picture, and ask for accusing and other labels.

    Returns:
        What it did to each label, and how much further it moved those that accuse than the others: the difference
        of their means in each picture, with its interval and sign-flip p over pictures.
    """
    asked = (*labels, *(label for label in NEUTRAL if label not in labels))
    texts = encode_prompts(backend, asked, templates, part(progress, 0.0, 0.1))
    shown = people.together(pairs_of_people(seed), SIDE)
    circle = Mark("circle", (people.PLACES[0],), 0.27, mark.colour, mark.width)
    frames: list[Picture] = []
    for number, picture in enumerate(shown):
        here = Treatment((circle,))
        other = Treatment((replace(circle, colour="blue" if circle.colour != "blue" else "red"),))
        away = drawn(picture, elsewhere(picture, here, PLACEBOS, seed + number))
        frames += [picture, draw(picture, here), draw(picture, other), *away]
    images = backend.encode_images(frames, part(progress, 0.1, 1.0))
    logits = template_logits(backend, images, texts).mean(axis=1).reshape(len(shown), -1, len(asked))
    moved = logits[:, 1:] - logits[:, :1]  # (pictures, circle and other colour and placebos, labels)
    beyond = moved[:, 0] - moved[:, 2:].mean(axis=1)  # (pictures, labels)
    further = beyond[:, : len(labels)].mean(axis=1) - beyond[:, len(labels) :].mean(axis=1)
    difference = replace(mean_estimate(further, "drawn pictures", seed), p=sign_flip_p(further, seed))
    return _judged(asked, len(labels), moved, seed), difference


def _judged(asked: Sequence[str], accusing: int, moved: Float64, seed: int) -> tuple[Accusation, ...]:
    found = []
    for place, text in enumerate(asked):
        away = moved[:, 2:, place].mean(axis=1)
        beyond = moved[:, 0, place] - away
        found.append(
            Accusation(
                text=text,
                accusing=place < accusing,
                change=mean_estimate(moved[:, 0, place], "pictures", seed),
                other_colour=float(moved[:, 1, place].mean()),
                placebo_mean=float(away.mean()),
                beyond=Estimate(
                    float(beyond.mean()), len(beyond), "pictures", bootstrap_interval(beyond, seed),
                    sign_flip_p(beyond, seed),
                ),
                p_adjusted=1.0,
            )
        )  # fmt: skip
    adjusted = benjamini_hochberg([one.beyond.p or 1.0 for one in found])
    return tuple(replace(one, p_adjusted=p) for one, p in zip(found, adjusted, strict=True))


def rows(found: Sequence[Accusation]) -> tuple[PersonRow, ...]:
    """The table `people`."""
    return tuple(
        PersonRow(
            text=one.text,
            accusing=one.accusing,
            logit_change=one.change.value,
            low=one.change.interval.low if one.change.interval else None,
            high=one.change.interval.high if one.change.interval else None,
            other_colour_mean=one.other_colour,
            placebo_mean=one.placebo_mean,
            beyond_placebos=one.beyond.value,
            beyond_low=one.beyond.interval.low if one.beyond.interval else None,
            beyond_high=one.beyond.interval.high if one.beyond.interval else None,
            pictures=one.beyond.n,
            p=1.0 if one.beyond.p is None else one.beyond.p,
            p_adjusted=one.p_adjusted,
        )
        for one in found
    )
