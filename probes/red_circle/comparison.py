r"""What a mark does to one model beyond what it does to another, and beyond placebos.

With beyond_l of either model as in `effects`, the difference for text l is

    D_l = (change_l - mean_j placebo_jl) of the first - the same of the second.

Both models had the mark and its placebos at the same places, so that D_l is the difference the mark makes between
them, less the mean difference that placebos make. p: two-tailed rank of the mark's difference among the placebos'
(`statistics.rank_p`), exact if its place is exchangeable with theirs. Interval: templates and placements
resampled, each by itself. Models that see different parts of the picture have other placebos; theirs comes from
the two intervals alone. Reports that kept no single templates resample placements alone.

Pointing is compared where both models were asked the same questions, by all prompts together where both had the
same prompts: a model without foveal attention has one fewer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.core.comparison import Compared, Difference, LeftOut
from probes.core.differences import FEWEST, MORE, SEED, End, expanded_ends, from_intervals, turned, turns
from probes.core.statistics import rank_p
from probes.red_circle.effects import DRAWN, FOVEAL, Effect
from probes.red_circle.result import RedCircleResult
from probes.red_circle.visual_prompts import ENSEMBLE

Float64 = NDArray[np.float64]

MOST = 10
"""Texts that are compared of each visual prompt: those that moved most in either model."""
OTHER_PROMPTS = LeftOut(
    "Pointing by all prompts together is not compared: the models did not have the same prompts, such as where "
    "one cannot be told where to look."
)
OTHER_QUESTIONS = LeftOut(
    "Pointing is not compared where the models were not asked the same questions: their pictures, names or "
    "numbers of regions are not alike."
)
PLACES_ALONE = "over placements alone: an earlier report kept no single templates"


def compare(first: RedCircleResult, second: RedCircleResult) -> Compared:
    """Differences of what the marks do beyond placebos, and of what was asked besides, first less second."""
    found: list[Difference | LeftOut] = []
    for prompt, called in ((DRAWN, "mark"), (FOVEAL, "foveal attention")):
        if first.of(prompt) and second.of(prompt):
            found += _beyond(first, second, prompt, called)
    if first.accused is not None and second.accused is not None:
        found.append(
            from_intervals(
                "circle round a person, accusing labels beyond others", End.of(first.accused),
                End.of(second.accused), over="drawn pictures", unit="logit",
            )
        )  # fmt: skip
    return (*found, *_pointing(first, second))


def _pointing(first: RedCircleResult, second: RedCircleResult) -> Compared:
    """How often each visual prompt finds what is named."""
    pointed = {one.prompt: one for one in second.pointing}
    alike = pointed.keys() == {one.prompt for one in first.pointing}
    found: list[Difference | LeftOut] = []
    for one in first.pointing:
        other = pointed.get(one.prompt)
        if other is None:
            continue
        if not alike and one.prompt.startswith(ENSEMBLE):
            found.append(OTHER_PROMPTS)
        elif (one.total, one.pictures, one.chance) != (other.total, other.pictures, other.chance):
            found.append(OTHER_QUESTIONS)
        else:
            ends = (End(each.value, each.low, each.high, each.total) for each in (one, other))
            found.append(from_intervals(f"pointing by {one.prompt}", *ends, over="questions", unit="share right"))
    return tuple(dict.fromkeys(found))


def _beyond(first: RedCircleResult, second: RedCircleResult, prompt: str, called: str) -> list[Difference]:
    """The texts of one visual prompt."""
    texts = {effect.text: place for place, effect in enumerate(second.of(prompt))}
    both = [(one, second.of(prompt)[texts[one.text]]) for one in first.of(prompt) if one.text in texts]
    reach = [max(abs(one.beyond.value), abs(other.beyond.value)) for one, other in both]
    kept = sorted(np.argsort(-np.array(reach), kind="stable")[:MOST].tolist())
    away = _placebos(first, prompt), _placebos(second, prompt)
    same = away[0].keys() == away[1].keys() and len(away[0]) >= FEWEST
    found = []
    for place in kept:
        one, other = both[place]
        what = f"{called} on “{one.text}”, beyond placebos"
        if same:
            columns = [
                np.array([rows[key][column] for key in away[0]])
                for rows, column in zip(away, (place, texts[one.text]), strict=True)
            ]
            found.append(_paired(what, one, other, columns[0] - columns[1]))
        else:
            ends = (End.of(effect.beyond) for effect in (one, other))
            found.append(from_intervals(what, *ends, over="placements", unit="logit"))
    return found


def _placebos(result: RedCircleResult, prompt: str) -> dict[str, Sequence[float]]:
    """What the same mark did elsewhere, by place: changes of every text's logit."""
    return {
        one.what: one.changes.tolist()
        for one in result.placebos
        if one.prompt == prompt and one.kind == "elsewhere"
    }


def _paired(what: str, one: Effect, other: Effect, placebos: Float64) -> Difference:
    """A text's difference, from the differences (k,) that placebos at the same places make."""
    value = one.beyond.value - other.beyond.value
    known = len(one.by_template) == len(other.by_template) > 0
    templates = np.array(one.by_template) - np.array(other.by_template) if known else np.zeros(0)
    low, high = _interval(value, templates, placebos)
    count = len(templates)
    over = f"placements and {count} template{'' if count == 1 else 's'}" if known else "placements"
    return Difference(
        what=what, first=one.beyond.value, second=other.beyond.value, difference=value, low=low, high=high,
        n=len(placebos), over=over, p=rank_p(one.change.value - other.change.value, placebos), unit="logit",
        note="" if known else PLACES_ALONE,
    )  # fmt: skip


def _interval(value: float, templates: Float64, placebos: Float64) -> tuple[float, float]:
    """95 % interval of a difference: its values with each template (t,), and the placebos' differences (k,)."""
    turn = turns(np.array([value]), placebos[:, None])
    rng = np.random.default_rng([SEED, 7])
    draws = turn * value - _deviations(turn * placebos, rng)
    if len(templates) >= FEWEST:
        draws = draws + _deviations(turn * templates, rng)
    fewest = min(len(placebos), len(templates)) if len(templates) >= FEWEST else len(placebos)
    low, high = expanded_ends(draws[:, None], fewest)
    low, high = turned(low, high, turn)
    return float(low[0]), float(high[0])


def _deviations(values: Float64, rng: np.random.Generator) -> Float64:
    """Means of resamples of values (n,) less their mean, (B,)."""
    n = len(values)
    drawn: Float64 = rng.multinomial(n, np.full(n, 1 / n), size=MORE) @ (values - values.mean()) / n
    return drawn
