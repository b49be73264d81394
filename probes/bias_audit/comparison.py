r"""What two models associate differently: the same words, and the same pictures in the same groups.

Where there are pairs of pictures alike but for the attribute, over pairs i, for word l,

    D_l = mean_i (logit difference of pair i by the first) - the same by the second,

pairs that share a picture drawn and flipped together. Else, with z the cosines of a model in its own standard
deviations over pictures (ddof = 1), for group g and word l,

    D_gl = sc_eat_gl of the first - sc_eat_gl of the second,

since cosines lie as widely as a model's cone lets them and standardised ones do not. Interval: percentile
bootstrap over pictures within groups, the same resample for both models; p: groups dealt anew to the pictures'
differences of z, two-tailed.

Over words: mean over the audited words of how strong an association is, whichever way, and of the ranking
measures, paired over words. A mean of sizes is kept from zero by chance; both models are kept so by the same
pictures. Harm rates and WEAT come from the two intervals alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.bias_audit.audited import Measure
from probes.bias_audit.result import BiasAuditResult, EachPicture
from probes.core.comparison import Difference
from probes.core.differences import SEED, from_intervals, paired, paired_columns, turned, turns
from probes.core.resampling import RESAMPLES, SWAPS, at_least, ends, p_value, stratified_weights, swapped

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]

SUMMARIES = (("ndkl", "NDKL"), ("max_skew", "max skew"))
"""Ranking measures whose mean over words is compared, towards `demographic_parity`."""


def compare(first: BiasAuditResult, second: BiasAuditResult) -> tuple[Difference, ...]:
    """Differences word by word, over words, and of harm rates and WEAT, first less second."""
    return (*_by_word(first, second), *_over_words(first, second), *_from_intervals(first, second))


def _by_word(first: BiasAuditResult, second: BiasAuditResult) -> tuple[Difference, ...]:
    one, other = first.each, second.each
    paired_in = bool(first.differences), bool(second.differences)
    if one is None or other is None or one.values.shape != other.values.shape or len(set(paired_in)) > 1:
        return _main_from_intervals(first, second)
    if all(paired_in):
        versus = f"{first.groups[0].group} − {first.groups[1].group}"
        return paired_columns(
            [f"“{word}”, logit of {versus}" for word in first.words],
            one.values, other.values, over="pairs of pictures", unit="logit", clusters=one.codes.astype(np.intp),
        )  # fmt: skip
    return _standardised(first, one, other)


def _standardised(first: BiasAuditResult, one: EachPicture, other: EachPicture) -> tuple[Difference, ...]:
    """SC-EAT of every word for the first of two groups, or for every group against the others."""
    codes = one.codes.astype(np.intp)
    names = [group.group for group in first.groups]
    found = []
    for place, name in enumerate(names[:1] if len(names) == 2 else names):
        against = names[1] if len(names) == 2 else "others"
        values, low, high, p = standardised_differences(one.values, other.values, codes, place)
        found += [
            Difference(
                what=f"“{word}”, SC-EAT of {name} − {against}",
                first=float(values[0, w]),
                second=float(values[1, w]),
                difference=float(values[0, w] - values[1, w]),
                low=float(low[w]),
                high=float(high[w]),
                n=len(codes),
                over="pictures",
                p=float(p[w]),
                unit="standard deviations",
            )
            for w, word in enumerate(first.words)
        ]
    return tuple(found)


def standardised_differences(
    first: NDArray[np.floating], second: NDArray[np.floating], codes: Codes, group: int
) -> tuple[Float64, Float64, Float64, Float64]:
    """SC-EAT of a group against all others by both models (2, l), and low, high and p of the difference, (l,).

    Args:
        first, second: cosines (n, l).
        codes: (n,), the place of each picture's group.
        group: the place of the group.
    """
    inside = codes == group
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    n, whole = len(codes), np.ones((1, len(codes)))
    values = np.concatenate([_sc_eat(whole, one, inside), _sc_eat(whole, other, inside)])
    apart = _over_std(one) - _over_std(other)
    turn = turns(values[0] - values[1], apart)
    draws = [
        turn * (_sc_eat(weights, one, inside) - _sc_eat(weights, other, inside))
        for weights in stratified_weights(codes, RESAMPLES, SEED)
    ]
    low, high = turned(*ends(np.concatenate(draws)), turn)
    observed, extreme = np.abs(values[0] - values[1]), np.zeros(one.shape[1], dtype=np.int64)
    size, total = int(inside.sum()), apart.sum(axis=0)
    for dealt in swapped(inside.astype(np.intp), SWAPS, SEED):
        sums = dealt.astype(np.float64) @ apart
        extreme += at_least(np.abs(sums / size - (total - sums) / (n - size)), observed).sum(axis=0)
    return values, low, high, p_value(extreme, SWAPS, exact=False)


def _sc_eat(weights: NDArray[np.floating], scores: Float64, inside: NDArray[np.bool_]) -> Float64:
    """SC-EAT (b, l) of centred scores (n, l), pictures counted as often as weights (b, n) say."""
    w = np.asarray(weights, dtype=np.float64)
    n = scores.shape[0]
    part, size = w[:, inside] @ scores[inside], int(inside.sum())
    whole = w @ scores
    variance = np.maximum((w @ scores**2 - whole**2 / n) / (n - 1), 0.0)
    gap = part / size - (whole - part) / (n - size)
    spread = np.sqrt(variance)
    return np.asarray(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0))


def _over_std(scores: Float64) -> Float64:
    spread = scores.std(axis=0, ddof=1)
    return np.asarray(np.divide(scores, spread, out=np.zeros_like(scores), where=spread > 0))


def _main_from_intervals(first: BiasAuditResult, second: BiasAuditResult) -> tuple[Difference, ...]:
    """The main measure of each word where pictures were not kept; a standardised one where there are no pairs."""
    unit, over, found = "logit", "pairs of pictures", (first.differences, second.differences)
    if not all(found):
        unit, over = "standard deviations", "pictures"
        found = first.of("sc_eat"), second.of("sc_eat")
    rows = [{(m.word, m.group): m for m in several if m.variant in ("logit", "")} for several in found]
    names = {m.group for m in rows[0].values()}
    chosen = {first.groups[0].group} if len(names) == 2 else names
    return tuple(
        from_intervals(f"“{word}” of {group}", m, rows[1][word, group], over=over, unit=unit)
        for (word, group), m in rows[0].items()
        if group in chosen and (word, group) in rows[1]
    )


def _over_words(first: BiasAuditResult, second: BiasAuditResult) -> tuple[Difference, ...]:
    """Means over words of how strong associations are, and of ranking measures."""
    both = (first, second)
    pairs = bool(first.differences and second.differences)
    kind, unit = ("logit", "logit") if pairs else ("SC-EAT", "standard deviations")
    strong = [_by_word_alone(r.of_group("") if pairs else r.of("sc_eat"), size=True) for r in both]
    named = [(f"strength of associations ({kind} without its sign), mean over words", unit, strong)]
    for measure, called in SUMMARIES:
        values = [_by_word_alone(r.of(measure, "demographic_parity"), size=False) for r in both]
        named.append((f"{called}, mean over words", called, values))
    found = []
    for what, unit, (one, other) in named:
        words = [word for word in one if word in other]
        if len(words) > 1:
            ordered = ([each[word] for word in words] for each in (one, other))
            found.append(paired(what, *ordered, over="words", unit=unit))
    return tuple(found)


def _by_word_alone(measures: Sequence[Measure], size: bool) -> dict[str, float]:
    """One value a word, the mean over groups where it has several; sizes if their sign is not to count."""
    several: dict[str, list[float]] = {}
    for m in measures:
        several.setdefault(m.word, []).append(abs(m.value) if size else m.value)
    return {word: float(np.mean(values)) for word, values in several.items()}


def _from_intervals(first: BiasAuditResult, second: BiasAuditResult) -> tuple[Difference, ...]:
    """Harm rates of all harm words together by group, and WEAT."""
    found = []
    harm = [{m.group: m for m in r.of("harm_rate", "") if m.word == "any"} for r in (first, second)]
    for group, m in harm[0].items():
        if group in harm[1]:
            what = f"harm rate of {group}, any harm word"
            found.append(from_intervals(what, m, harm[1][group], over="pictures", unit="share of pictures"))
    weat = [{(m.word, m.variant): m for m in r.of("weat")} for r in (first, second)]
    for key, m in weat[0].items():
        if key in weat[1]:
            what = f"WEAT of {key[0]} ({key[1]}), {m.group}"
            found.append(from_intervals(what, m, weat[1][key], over="targets", unit="effect size"))
    return tuple(found)
