r"""The effect of a circle on a picture's labels, against the same circle elsewhere (after Shtedritski 2023).

For the unmarked picture u, the marked one m, placebos b_1..b_k (the same circle elsewhere) and label l in
template t, with the model's own logit scale:

    change_l   = mean_t(logit_{tl}(m) - logit_{tl}(u))                     interval: bootstrap over templates
    placebo_jl = mean_t(logit_{tl}(b_j) - logit_{tl}(u))
    beyond_l   = change_l - mean_j placebo_jl                              interval: bootstrap over placebos

p of beyond_l: two-tailed rank of the circle among circle and placebos (`statistics.rank_p`), which is exact if
the clicked place is exchangeable with the placebos'; Benjamini-Hochberg over labels. Probabilities are of the
ensemble of templates, as in the zero-shot probe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.core.arrays import Floats
from probes.core.controls import Choice, Count, Pictures, Place, Range
from probes.core.errors import FieldError
from probes.core.model import Backend, Float32, Progress, probabilities
from probes.core.parameters import Params, parameter
from probes.core.pictures import RGB, Picture, Raster
from probes.core.prompts import (
    LABELS_CONTROL,
    TEMPLATES,
    TEMPLATES_CONTROL,
    encode_prompts,
    ensemble,
    picture_warnings,
    text_warnings,
)
from probes.core.statistics import (
    SIGNIFICANT,
    Estimate,
    benjamini_hochberg,
    bootstrap_interval,
    mean_estimate,
    rank_p,
)
from probes.red_circle.marks import COLOURS, Circle, draw, placebo_places

LEAST_PLACEBOS = 5
VISIBLE = 24
"""A channel of a pixel of the tower's view has to change by more than this, of 255, to count as marked."""

_SHARE_OF_HEIGHT = "share of the picture's height"


@dataclass(frozen=True, kw_only=True)
class RedCircleParams(Params):
    """What a visitor chooses."""

    image: tuple[Picture, ...] = parameter(
        (), Pictures(label="Picture", help="One picture. It stays in memory.", fewest=1, most=1)
    )
    at: tuple[float, float] = parameter(
        (0.5, 0.5), Place(label="Place", help="Click on the picture to put the circle there.", on="image")
    )
    radius: float = parameter(
        0.2,
        Range(label="Radius", help="The paper uses 0.06.", low=0.02, high=0.5, step=0.01, unit=_SHARE_OF_HEIGHT),
    )
    width: float = parameter(
        0.03, Range(label="Line width", help="The paper uses 0.01.", low=0.002, high=0.2, step=0.002,
                    unit=_SHARE_OF_HEIGHT)
    )  # fmt: skip
    colour: str = parameter("red", Choice(label="Colour", options=tuple(COLOURS)))
    labels: tuple[str, ...] = parameter(("a cat", "a dog"), LABELS_CONTROL)
    placebos: int = parameter(
        99,
        Count(label="Placebos", help="How many other places to try the same circle in.", low=LEAST_PLACEBOS,
              high=999, advanced=True),
    )  # fmt: skip
    templates: tuple[str, ...] = parameter(TEMPLATES, TEMPLATES_CONTROL)

    @property
    def circle(self) -> Circle:
        """The mark to draw."""
        return Circle(*self.at, self.radius, self.width, self.colour)


@dataclass(frozen=True)
class Effect:
    """What the circle did to one label.

    Attributes:
        probability_unmarked, probability_marked: of the ensemble of templates.
        logit_unmarked: mean over templates.
        change: of the logit by the circle; interval over templates.
        placebo_mean: change of the logit by the same circle elsewhere, mean over places.
        beyond: change minus placebo_mean; interval over placebos, p from its rank among them.
        p_adjusted: p of `beyond`, corrected for the number of labels.
    """

    label: str
    probability_unmarked: float
    probability_marked: float
    logit_unmarked: float
    change: Estimate
    placebo_mean: float
    beyond: Estimate
    p_adjusted: float


@dataclass(frozen=True)
class EffectRow:
    """A row of the table `effects`; see `Effect`. Intervals are 95 %, None where there is none."""

    label: str
    probability_unmarked: float
    probability_marked: float
    logit_unmarked: float
    logit_change: float
    logit_change_low: float | None
    logit_change_high: float | None
    templates: int
    placebo_mean: float
    beyond_placebos: float
    beyond_low: float | None
    beyond_high: float | None
    placebos: int
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class PlaceboRow:
    """A row of the table `placebos`: where the same circle was drawn, and what it did to one label."""

    x: float
    y: float
    label: str
    logit_change: float


@dataclass(frozen=True)
class RedCircleResult:
    """What the circle did, label by label.

    Attributes:
        effects: one a label, in the labels' order.
        places: (k, 2), x and y of the placebos.
        placebo_changes: (k, l), change of each label's logit by each placebo.
        unmarked, marked: what the tower sees.
        pixels_marked: share of the tower's pixels in which the mark can be seen.
        cautions: what was done to read the picture, and what is unlike the model's training.
    """

    picture: str
    circle: Circle
    effects: tuple[Effect, ...]
    places: Floats
    placebo_changes: Floats
    unmarked: Raster
    marked: Raster
    pixels_marked: float
    cautions: tuple[str, ...]

    def strongest(self) -> Effect:
        """The label that moved most beyond its placebos: smallest p first, then the larger move."""
        return min(self.effects, key=lambda effect: (effect.p_adjusted, -abs(effect.beyond.value)))

    def headline(self) -> str:
        """Whether the circle moved a label beyond its placebos, and by how much."""
        if self.pixels_marked == 0.0:
            return "The circle vanishes when the picture is shrunk for the model: make it wider or larger."
        effect = self.strongest()
        tested = f"p = {effect.p_adjusted:.2g}, corrected for {len(self.effects)} labels"
        if effect.p_adjusted > SIGNIFICANT:
            return (
                f"Beyond its {effect.beyond.n} placebos, the {self.circle.colour} circle moved no label clearly; "
                f"“{effect.label}” comes nearest: logit {effect.beyond.value:+.2f} ({tested})."
            )
        return (
            f"The {self.circle.colour} circle here moved “{effect.label}” by {effect.change.value:+.2f} in logit, "
            f"the same circle elsewhere by {effect.placebo_mean:+.2f}: {effect.beyond.describe()} beyond its "
            f"placebos ({tested}). Probability {effect.probability_unmarked:.0%} unmarked, "
            f"{effect.probability_marked:.0%} marked."
        )

    def warnings(self) -> tuple[str, ...]:
        """What was done to read the picture, and what is unlike the model's training."""
        return self.cautions

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`effects` and `placebos`."""
        return {
            "effects": tuple(_row(effect) for effect in self.effects),
            "placebos": tuple(
                PlaceboRow(float(x), float(y), effect.label, float(change))
                for (x, y), changes in zip(self.places, self.placebo_changes, strict=True)
                for effect, change in zip(self.effects, changes, strict=True)
            ),
        }


def _row(effect: Effect) -> EffectRow:
    change, beyond = effect.change, effect.beyond
    return EffectRow(
        label=effect.label,
        probability_unmarked=effect.probability_unmarked,
        probability_marked=effect.probability_marked,
        logit_unmarked=effect.logit_unmarked,
        logit_change=change.value,
        logit_change_low=change.interval.low if change.interval else None,
        logit_change_high=change.interval.high if change.interval else None,
        templates=change.n,
        placebo_mean=effect.placebo_mean,
        beyond_placebos=beyond.value,
        beyond_low=beyond.interval.low if beyond.interval else None,
        beyond_high=beyond.interval.high if beyond.interval else None,
        placebos=beyond.n,
        p=1.0 if beyond.p is None else beyond.p,
        p_adjusted=effect.p_adjusted,
    )


def preview(params: RedCircleParams) -> Picture:
    """The marked picture, without asking a model."""
    return draw(params.image[0], params.circle)


def measure(params: RedCircleParams, backend: Backend, progress: Progress) -> RedCircleResult:
    """Draw the circle and its placebos, and compare what each does to every label."""
    picture, circle = params.image[0], params.circle
    elsewhere = placebo_places(picture, circle, params.placebos, np.random.default_rng(params.seed))
    if len(elsewhere) < LEAST_PLACEBOS:
        raise FieldError("radius", "the picture has no room for the same circle elsewhere: make it smaller")
    marked = draw(picture, circle)
    pictures = (picture, marked, *(draw(picture, place) for place in elsewhere))
    texts = encode_prompts(
        backend, params.labels, params.templates, lambda share, doing: progress(0.2 * share, doing)
    )
    images = backend.encode_images(pictures, lambda share, doing: progress(0.2 + 0.75 * share, doing))
    logits = template_logits(backend, images, texts)
    before, after = backend.preprocess((picture, marked))
    changes = logits[2:].mean(axis=1) - logits[0].mean(axis=0)
    return RedCircleResult(
        picture=picture.name,
        circle=circle,
        effects=effects(
            params,
            logits,
            probabilities(backend.card, backend.logits(images[:2], ensemble(texts))),
        ),
        places=np.array([(place.x, place.y) for place in elsewhere]),
        placebo_changes=changes,
        unmarked=before,
        marked=after,
        pixels_marked=pixels_marked(before.decode(), after.decode()),
        cautions=picture_warnings(backend, (picture,)) + text_warnings(backend, params.labels),
    )


def template_logits(backend: Backend, images: Float32, texts: Float32) -> NDArray[np.float64]:
    """Logits of every picture, template and label, (n, t, l)."""
    flat = backend.logits(images, texts.reshape(-1, texts.shape[-1]))
    return flat.astype(np.float64).reshape(len(images), *texts.shape[:2])


def effects(
    params: RedCircleParams, logits: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[Effect, ...]:
    """Effects from logits (2 + k, t, l) of unmarked, marked and placebos, and probabilities (2, l)."""
    by_template = logits[1] - logits[0]
    placebo = logits[2:].mean(axis=1) - logits[0].mean(axis=0)
    found = []
    for place, label in enumerate(params.labels):
        change = mean_estimate(by_template[:, place], "templates", params.seed)
        beyond = change.value - placebo[:, place]
        found.append(
            Effect(
                label=label,
                probability_unmarked=float(shares[0, place]),
                probability_marked=float(shares[1, place]),
                logit_unmarked=float(logits[0, :, place].mean()),
                change=change,
                placebo_mean=float(placebo[:, place].mean()),
                beyond=Estimate(
                    float(beyond.mean()),
                    len(beyond),
                    "placebos",
                    bootstrap_interval(beyond, params.seed),
                    rank_p(change.value, placebo[:, place]),
                ),
                p_adjusted=1.0,
            )
        )
    adjusted = benjamini_hochberg([effect.beyond.p or 1.0 for effect in found])
    return tuple(replace(effect, p_adjusted=p) for effect, p in zip(found, adjusted, strict=True))


def pixels_marked(before: RGB, after: RGB) -> float:
    """Share of the tower's pixels that the mark changed visibly, from two views (h, w, 3)."""
    difference = np.abs(before.astype(np.int16) - after.astype(np.int16)).max(axis=-1)
    return float((difference > VISIBLE).mean())
