r"""What a mark does to each text, against placebos (after Shtedritski 2023).

For the unmarked picture u, the marked one m, placebos b_1..b_k (the same mark elsewhere) and text l in template
t, with the model's own logit scale:

    change_tl   = logit_tl(m) - logit_tl(u)             change_l: mean over templates; interval: bootstrap over
    them placebo_jtl = logit_tl(b_j) - logit_tl(u)
    beyond_l    = mean_t (change_tl - mean_j placebo_jtl)
                                                 interval: bootstrap over placements and over templates, both at
                                                 once

p of beyond_l: two-tailed rank of the mark among mark and placebos (`statistics.rank_p`), exact if its place is
exchangeable with theirs (but for the places next to it, which are left out); Benjamini-Hochberg over texts. The
same rank among scattered ink is a second hurdle: an effect that ink alone has is not the mark's. Other colours
and shapes are too few for a test; their means are told. Probabilities are of the ensemble of templates, as in the
zero-shot probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes.core.arrays import Floats
from probes.core.model import Backend, Float32
from probes.core.resampling import RESAMPLES, ends
from probes.core.statistics import (
    SIGNIFICANT,
    Estimate,
    Interval,
    benjamini_hochberg,
    mean_estimate,
    rank_p,
)

DRAWN, FOVEAL = "drawn", "foveal attention"
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """What placebos of one kind did to a text.

    Attributes:
        name: a kind of `placebos.KINDS`.
        n: how many there were.
        mean: change of the logit by them.
        p: two-tailed rank of the mark among them; at least 1/(n + 1).
    """

    name: str
    n: int
    mean: float
    p: float


@dataclass(frozen=True)
class Effect:
    """What a visual prompt did to one text.

    Attributes:
        prompt: `drawn` or `foveal attention`.
        probability_unmarked, probability_marked: of the ensemble of templates.
        logit_unmarked: mean over templates.
        change: of the logit; interval over templates.
        placebo_mean: change of the logit by the same mark elsewhere, mean over places.
        beyond: change minus placebo_mean; interval over placements and templates, p from its rank.
        p_adjusted: p of `beyond`, corrected for the number of texts.
        kinds: the other kinds of placebos.
        by_template: (t,), `beyond` with each template alone; empty in earlier reports.
    """

    text: str
    prompt: str
    probability_unmarked: float
    probability_marked: float
    logit_unmarked: float
    change: Estimate
    placebo_mean: float
    beyond: Estimate
    p_adjusted: float
    kinds: tuple[Kind, ...] = ()
    by_template: tuple[float, ...] = ()

    @property
    def beyond_place(self) -> bool:
        """Whether it stands out from the same mark elsewhere."""
        return self.p_adjusted <= SIGNIFICANT

    @property
    def beyond_ink(self) -> bool:
        """Whether it stands out from the same ink, scattered; true where none was."""
        return all(kind.p <= SIGNIFICANT for kind in self.kinds if kind.name == "scattered")


@dataclass(frozen=True)
class PlaceboChange:
    """What one placebo did.

    Attributes:
        what: its place, colour, shape or number.
        changes: (l,), of each text's logit, mean over templates.
    """

    prompt: str
    kind: str
    what: str
    changes: Floats


@dataclass(frozen=True)
class EffectRow:
    """A row of the table `effects`; see `Effect`. `low` and `high` are of `logit_change`, 95 %, over templates."""

    text: str
    mark: str
    prompt: str
    logit_change: float
    probability_change: float
    low: float | None
    high: float | None
    placebo_mean: float
    p: float
    p_adjusted: float
    beyond_placebos: float
    beyond_low: float | None
    beyond_high: float | None
    placebos: int
    templates: int
    logit_unmarked: float
    probability_unmarked: float
    probability_marked: float
    other_colours_mean: float | None
    other_shapes_mean: float | None
    scattered_mean: float | None
    p_scattered: float | None


@dataclass(frozen=True)
class PlaceboRow:
    """A row of the table `placebos`: what one of them did to one text."""

    prompt: str
    kind: str
    what: str
    text: str
    logit_change: float


def template_logits(backend: Backend, images: Float32, texts: Float32) -> Float64:
    """Logits of every picture, template and text, (n, t, l), for texts (t, l, d)."""
    flat = backend.logits(images, texts.reshape(-1, texts.shape[-1]))
    return flat.astype(np.float64).reshape(len(images), *texts.shape[:2])


def effects(
    prompt: str,
    texts: Sequence[str],
    both: Float64,
    shares: Float64,
    placebos: Mapping[str, Float64],
    seed: int,
) -> tuple[Effect, ...]:
    """Effects of one visual prompt.

    Args:
        prompt: its name.
        texts: l of them.
        both: logits (2, t, l) of the unmarked and the marked picture.
        shares: probabilities (2, l) of both.
        placebos: logits (k, t, l) by kind; `elsewhere` is among them.
        seed: of the bootstrap.
    """
    change = both[1] - both[0]  # (t, l)
    away = placebos["elsewhere"] - both[0]  # (k, t, l)
    low, high = beyond_interval(change, away, seed)
    means = away.mean(axis=1)  # (k, l)
    alone = change - away.mean(axis=0)  # (t, l)
    others = {kind: (logits - both[0]).mean(axis=1) for kind, logits in placebos.items() if kind != "elsewhere"}
    found = [
        Effect(
            text=text,
            prompt=prompt,
            probability_unmarked=float(shares[0, place]),
            probability_marked=float(shares[1, place]),
            logit_unmarked=float(both[0, :, place].mean()),
            change=(moved := mean_estimate(change[:, place], "templates", seed)),
            placebo_mean=float(means[:, place].mean()),
            beyond=_beyond(moved.value, means[:, place], len(change), float(low[place]), float(high[place])),
            p_adjusted=1.0,
            kinds=tuple(_kind(kind, moved.value, one[:, place]) for kind, one in others.items() if len(one)),
            by_template=tuple(alone[:, place].tolist()),
        )
        for place, text in enumerate(texts)
    ]
    adjusted = benjamini_hochberg([effect.beyond.p or 1.0 for effect in found])
    return tuple(replace(effect, p_adjusted=p) for effect, p in zip(found, adjusted, strict=True))


def _beyond(moved: float, placebos: Float64, templates: int, low: float, high: float) -> Estimate:
    """How far a mark goes beyond the same mark elsewhere, (k,)."""
    over = f"placements and {templates} template{'s' if templates > 1 else ''}"
    value = moved - float(placebos.mean())
    return Estimate(value, len(placebos), over, Interval(low, high), rank_p(moved, placebos))


def _kind(name: str, moved: float, placebos: Float64) -> Kind:
    return Kind(name, len(placebos), float(placebos.mean()), rank_p(moved, placebos))


def beyond_interval(change: Float64, away: Float64, seed: int) -> tuple[Float64, Float64]:
    """95 % interval (l,) of mean_t (change_tl - mean_j away_jtl), placements j and templates t resampled at once.

    Args:
        change: (t, l).
        away: (k, t, l).
        seed: of the draws.
    """
    placements, templates, texts = away.shape
    rng = np.random.default_rng([seed, 6])
    by_template = rng.multinomial(templates, np.full(templates, 1 / templates), size=RESAMPLES) / templates
    by_place = rng.multinomial(placements, np.full(placements, 1 / placements), size=RESAMPLES) / placements
    low, high = np.empty(texts), np.empty(texts)
    step = max(1, 2_000_000 // (RESAMPLES * templates))
    for start in range(0, texts, step):  # in parts: the draws of 2,000 texts would not fit
        part = slice(start, start + step)
        inner = away[:, :, part].reshape(placements, -1)
        mean = (by_place @ inner).reshape(RESAMPLES, templates, -1)
        draws = np.einsum("bt,btl->bl", by_template, change[None, :, part] - mean)
        low[part], high[part] = ends(draws)
    return low, high


def rows(found: Sequence[Effect], mark: str) -> tuple[EffectRow, ...]:
    """The table `effects`."""
    return tuple(_row(effect, mark) for effect in found)


def _row(effect: Effect, mark: str) -> EffectRow:
    change, beyond = effect.change, effect.beyond
    kinds = {kind.name: kind for kind in effect.kinds}
    means = {name: kind.mean for name, kind in kinds.items()}
    return EffectRow(
        text=effect.text,
        mark=mark,
        prompt=effect.prompt,
        logit_change=change.value,
        probability_change=effect.probability_marked - effect.probability_unmarked,
        low=change.interval.low if change.interval else None,
        high=change.interval.high if change.interval else None,
        placebo_mean=effect.placebo_mean,
        p=1.0 if beyond.p is None else beyond.p,
        p_adjusted=effect.p_adjusted,
        beyond_placebos=beyond.value,
        beyond_low=beyond.interval.low if beyond.interval else None,
        beyond_high=beyond.interval.high if beyond.interval else None,
        placebos=beyond.n,
        templates=change.n,
        logit_unmarked=effect.logit_unmarked,
        probability_unmarked=effect.probability_unmarked,
        probability_marked=effect.probability_marked,
        other_colours_mean=means.get("colour"),
        other_shapes_mean=means.get("shape"),
        scattered_mean=means.get("scattered"),
        p_scattered=kinds["scattered"].p if "scattered" in kinds else None,
    )
