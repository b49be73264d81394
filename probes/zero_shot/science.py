r"""Zero-shot classification by the cosine of pictures and prompts, with its spread over templates.

With unit embeddings x_i of pictures, i = 1..n, and y_{tl} of label l in template t:

    cosine_{il} = x_i . y_l,           y_l = unit(mean_t y_{tl})        (Radford 2021, section 3.1.4)
    logit_{il}  = scale . cosine_{il} + bias                            (the model's own scale and bias)
    p_{il}      = softmax_l(logit_{il}), or sigmoid(logit_{il}) where the model was trained with sigmoids

Spread: the same for each template alone. Interval: percentile bootstrap over templates, drawing templates with
replacement and averaging again; it needs two templates. Lead: mean over templates of logit(first) minus
logit(second), with a two-tailed sign-flip p-value; the two labels are those of the ensemble, so the p-value is
of a comparison chosen after seeing it, and is given as a description.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.arrays import Floats
from probes.core.controls import Choice, Pictures
from probes.core.model import Backend, ModelCard, Progress, probabilities
from probes.core.parameters import Params, parameter
from probes.core.pictures import Picture, Raster
from probes.core.prompts import (
    LABELS_CONTROL,
    TEMPLATES,
    TEMPLATES_CONTROL,
    encode_prompts,
    ensemble,
    picture_warnings,
    prompts,
    text_warnings,
)
from probes.core.statistics import LEVEL, Estimate, mean_estimate, sign_flip_p

BOOTSTRAP = 2000
TOKENS_SHOWN = 200
"""Prompts whose tokens are kept in a result; cut and unfamiliar ones come first."""


@dataclass(frozen=True, kw_only=True)
class ZeroShotParams(Params):
    """What a visitor chooses."""

    images: tuple[Picture, ...] = parameter(
        (), Pictures(label="Pictures", help="Up to 32. They stay in memory.", fewest=1, most=32)
    )
    labels: tuple[str, ...] = parameter(
        ("a cat", "a dog", "a bicycle", "a slice of pizza", "a rocket"), LABELS_CONTROL
    )
    templates: tuple[str, ...] = parameter(TEMPLATES, TEMPLATES_CONTROL)
    average: str = parameter(
        "embeddings",
        Choice(
            label="Average templates by",
            help="Mean of text embeddings, as in the CLIP paper, or mean of each template's probabilities.",
            options=("embeddings", "probabilities"),
            advanced=True,
        ),
    )


@dataclass(frozen=True)
class Answer:
    """One label for one picture: a row of the table `answers`.

    Attributes:
        probability: of the ensemble of templates, 0 to 1.
        probability_low, probability_high: 95 % interval over templates; None with one template.
        probability_least, probability_most: over single templates.
        cosine: with the ensemble of templates, -1 to 1.
        cosine_least, cosine_most: over single templates.
        templates: how many there were.
    """

    picture: str
    label: str
    probability: float
    probability_low: float | None
    probability_high: float | None
    probability_least: float
    probability_most: float
    cosine: float
    cosine_least: float
    cosine_most: float
    templates: int


@dataclass(frozen=True)
class LeadRow:
    """By how much the first label leads the second, for one picture: a row of the table `leads`.

    Attributes:
        lead: logit of the first minus that of the second, mean over templates; 95 % interval, None for n = 1.
        p: two-tailed sign-flip p-value over templates, of a comparison chosen after seeing it.
        agreeing: templates that put the same label first.
    """

    picture: str
    first: str
    second: str
    lead: float
    lead_low: float | None
    lead_high: float | None
    p: float | None
    agreeing: int
    templates: int


@dataclass(frozen=True)
class PromptTokens:
    """One prompt as the text tower sees it: a row of the table `tokens`."""

    prompt: str
    pieces: str
    count: int
    dropped: int
    warning: str


@dataclass(frozen=True)
class Seen:
    """One picture as the model sees it.

    Attributes:
        name: the picture's name.
        tower: after the model's own resizing and cropping.
        lead: logit of the first label minus that of the second, over templates.
        agreeing: templates whose first label is the ensemble's.
    """

    name: str
    tower: Raster
    lead: Estimate
    agreeing: int


@dataclass(frozen=True)
class ZeroShotResult:
    """Answers for n pictures, l labels, t templates.

    Attributes:
        answers: n x l, pictures in order and labels in order.
        seen: n.
        cosines: (n, t, l), each template alone.
        shares: (n, t, l), probabilities of each template alone.
        sigmoid: whether each label is judged by itself.
        logit_scale, logit_bias: the model's own.
        cautions: what was done to read pictures, and what is unlike the model's training.
    """

    labels: tuple[str, ...]
    templates: tuple[str, ...]
    answers: tuple[Answer, ...]
    seen: tuple[Seen, ...]
    tokens: tuple[PromptTokens, ...]
    cosines: Floats
    shares: Floats
    sigmoid: bool
    logit_scale: float
    logit_bias: float
    cautions: tuple[str, ...]

    def of(self, picture: int) -> tuple[Answer, ...]:
        """The answers for one picture, most probable first."""
        count = len(self.labels)
        rows = self.answers[picture * count : (picture + 1) * count]
        return tuple(sorted(rows, key=lambda row: row.cosine if self.sigmoid else row.probability, reverse=True))

    def headline(self) -> str:
        """The most probable label, its interval and how many templates agree."""
        if len(self.seen) > 1:
            first = [self.of(i)[0].label for i in range(len(self.seen))]
            counted = ", ".join(f"“{label}” {times}" for label, times in Counter(first).most_common(4))
            sure = sum(seen.agreeing == len(self.templates) for seen in self.seen)
            return (
                f"First labels of {len(self.seen)} pictures: {counted}. "
                f"{sure} of {len(self.seen)} keep theirs in every one of {_count(len(self.templates))}."
            )
        best, second = self.of(0)[:2]
        interval = (
            "no interval from one template"
            if best.probability_low is None
            else f"95 % interval over templates {best.probability_low:.0%} to {best.probability_high:.0%}"
        )
        return (
            f"“{best.label}”: {best.probability:.0%} ({interval}), then “{second.label}” "
            f"{second.probability:.0%}. {self.seen[0].agreeing} of {_count(len(self.templates))} "
            f"put “{best.label}” first."
        )

    def warnings(self) -> tuple[str, ...]:
        """Pictures and texts that are unlike the model's training, cut off, or changed to be read."""
        return self.cautions

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`answers`, `leads` and `tokens`."""
        leads = tuple(self._lead(i) for i in range(len(self.seen)))
        return {"answers": self.answers, "leads": leads, "tokens": self.tokens}

    def _lead(self, picture: int) -> LeadRow:
        seen, lead = self.seen[picture], self.seen[picture].lead
        first, second = self.of(picture)[:2]
        return LeadRow(
            picture=seen.name,
            first=first.label,
            second=second.label,
            lead=lead.value,
            lead_low=lead.interval.low if lead.interval else None,
            lead_high=lead.interval.high if lead.interval else None,
            p=lead.p,
            agreeing=seen.agreeing,
            templates=lead.n,
        )


def _count(templates: int) -> str:
    return f"{templates} template{'' if templates == 1 else 's'}"


def measure(params: ZeroShotParams, backend: Backend, progress: Progress) -> ZeroShotResult:
    """Score every picture against every label in every template."""
    card = backend.card
    images = backend.encode_images(params.images, lambda share, doing: progress(0.6 * share, doing))
    texts = encode_prompts(
        backend, params.labels, params.templates, lambda share, doing: progress(0.6 + 0.3 * share, doing)
    )
    progress(0.9, "intervals")
    cosines = np.einsum("nd,tld->ntl", images, texts, dtype=np.float64)
    each = probabilities(card, card.logit_scale * cosines + card.logit_bias)
    gram = np.einsum("tld,uld->ltu", texts, texts, dtype=np.float64)
    share = probabilities_of_ensemble(card, cosines, gram, params.average)
    intervals = template_intervals(card, cosines, gram, params.average, params.seed)
    return ZeroShotResult(
        labels=params.labels,
        templates=params.templates,
        answers=_answers(params, share, intervals, each, images @ ensemble(texts).T, cosines),
        seen=_seen(params, backend, share, cosines),
        tokens=_tokens(params, backend),
        cosines=cosines,
        shares=each,
        sigmoid=card.sigmoid,
        logit_scale=card.logit_scale,
        logit_bias=card.logit_bias,
        cautions=picture_warnings(backend, params.images) + text_warnings(backend, params.labels),
    )


def probabilities_of_ensemble(
    card: ModelCard, cosines: NDArray[np.float64], gram: NDArray[np.float64], average: str
) -> NDArray[np.float64]:
    """Probabilities (n, l) of the templates together, from cosines (n, t, l) and the prompts' gram (l, t, t)."""
    if average == "probabilities":
        mean: NDArray[np.float64] = probabilities(card, card.logit_scale * cosines + card.logit_bias).mean(axis=1)
        return mean
    # x . unit(mean_t y_t) = mean_t(x . y_t) / |mean_t y_t|, and that length is the root of the gram's mean.
    length = np.sqrt(gram.mean(axis=(1, 2)))
    return probabilities(card, card.logit_scale * cosines.mean(axis=1) / length + card.logit_bias)


def template_intervals(
    card: ModelCard, cosines: NDArray[np.float64], gram: NDArray[np.float64], average: str, seed: int
) -> NDArray[np.float64] | None:
    """95 % intervals over templates of the ensemble's probabilities, (2, n, l); None with one template."""
    count = cosines.shape[1]
    if count < 2:
        return None

    def statistic(drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        """The ensemble's probabilities for each row of templates drawn: (b, t) -> (n, l, b)."""
        return np.stack(
            [
                probabilities_of_ensemble(card, cosines[:, row], gram[:, row][:, :, row], average)
                for row in np.atleast_2d(np.moveaxis(drawn, axis, -1))
            ],
            axis=-1,
        )

    interval = scipy.stats.bootstrap(
        (np.arange(count),),
        statistic,
        confidence_level=LEVEL,
        n_resamples=BOOTSTRAP if cosines.size < 50_000 else BOOTSTRAP // 10,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return np.stack([interval.low, interval.high])


def _answers(
    params: ZeroShotParams,
    share: NDArray[np.float64],
    intervals: NDArray[np.float64] | None,
    each: NDArray[np.float64],
    cosine: NDArray[np.floating],
    cosines: NDArray[np.float64],
) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            picture=picture.name,
            label=label,
            probability=float(share[i, j]),
            probability_low=None if intervals is None else float(intervals[0, i, j]),
            probability_high=None if intervals is None else float(intervals[1, i, j]),
            probability_least=float(each[i, :, j].min()),
            probability_most=float(each[i, :, j].max()),
            cosine=float(cosine[i, j]),
            cosine_least=float(cosines[i, :, j].min()),
            cosine_most=float(cosines[i, :, j].max()),
            templates=len(params.templates),
        )
        for i, picture in enumerate(params.images)
        for j, label in enumerate(params.labels)
    )


def _seen(
    params: ZeroShotParams, backend: Backend, share: NDArray[np.float64], cosines: NDArray[np.float64]
) -> tuple[Seen, ...]:
    views = backend.preprocess(params.images)
    return tuple(
        Seen(
            name=picture.name,
            tower=views[i],
            lead=lead(cosines[i] * backend.card.logit_scale, share[i], params.seed),
            agreeing=int((cosines[i].argmax(axis=-1) == share[i].argmax()).sum()),
        )
        for i, picture in enumerate(params.images)
    )


def lead(logits: NDArray[np.float64], share: NDArray[np.float64], seed: int) -> Estimate:
    """Logit of the most probable label minus that of the second, over templates (t, l)."""
    second, first = np.argsort(share, kind="stable")[-2:]
    differences = logits[:, first] - logits[:, second]
    estimate = mean_estimate(differences, "templates", seed)
    p = sign_flip_p(differences, seed) if estimate.n > 1 else None
    return Estimate(estimate.value, estimate.n, estimate.over, estimate.interval, p)


def _tokens(params: ZeroShotParams, backend: Backend) -> tuple[PromptTokens, ...]:
    texts = prompts(params.labels, params.templates)
    rows = [
        PromptTokens(
            prompt=text,
            pieces=" ".join(tokens.pieces),
            count=len(tokens.pieces),
            dropped=tokens.dropped,
            warning=warning or "",
        )
        for text, tokens, warning in zip(
            texts, backend.tokens(texts), backend.unfamiliar_texts(texts), strict=True
        )
    ]
    rows.sort(key=lambda row: (row.dropped == 0, not row.warning))
    return tuple(rows[:TOKENS_SHOWN])
