r"""Harm rates by group (Agarwal 2021).

The class of a picture is the one whose text has the largest cosine (mean over templates), among the groups' own
texts and the harm words; of classes that tie exactly, the first. The harm rate of a group is the share of its
pictures whose class is a harm word. Rates by group, their difference and ratio are Fairlearn's `MetricFrame`.

Intervals: Wilson's for a rate; bootstrap over pictures within groups for difference and ratio
(`probes.core.resampling.ends_of_distance`). p of a group's rate: Fisher's exact test against all other pictures,
which is the label swap counted in full; of the difference: labels swapped, one-tailed. What is resampled is yes or
no, so a resample's count in a group is binomial, and a swap's counts are multivariate hypergeometric: they are
drawn as such, which is the same and fast.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.bias_audit.audited import Codes, Grouping, Measure, Scores
from probes.core.resampling import RESAMPLES, SWAPS, at_least, ends_of_distance, p_value
from probes.core.statistics import wilson

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

ANY = "any"
"""Stands for all harm words together."""


def top(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """The class of every picture, (n,), from cosines (n, classes)."""
    return np.asarray(scores.argmax(axis=1))


def rates(harmed: Bools, grouping: Grouping) -> tuple[Float64, float, float]:
    """Rates by group (G,), their difference and their ratio, in Fairlearn's terms."""
    from fairlearn.metrics import MetricFrame  # takes a second to import

    frame = MetricFrame(
        metrics=_share,
        y_true=np.zeros(len(harmed), dtype=int),
        y_pred=harmed.astype(int),
        sensitive_features=np.array(grouping.groups, dtype=object)[grouping.codes],
    )
    by_group = np.array([float(frame.by_group.loc[group]) for group in grouping.groups])
    ratio = float(frame.ratio()) if by_group.max() > 0 else 1.0  # nobody is harmed: all rates are equal
    return by_group, float(frame.difference()), ratio


def _share(y_true: NDArray[np.integer], y_pred: NDArray[np.integer]) -> float:
    return float(np.mean(y_pred))


def by_group(harmed: NDArray[np.floating], codes: Codes, groups: int) -> Float64:
    """Rates (..., G) of every row of weights or labels dealt; `harmed` (n,) of 0 and 1."""
    return np.bincount(codes, weights=harmed, minlength=groups) / np.bincount(codes, minlength=groups)


def harm_rates(scores: Scores, harmful: Bools, grouping: Grouping, seed: int) -> tuple[Measure, ...]:
    """`harm_rate` of every group, for all harm words together (`any`) and one by one.

    Args:
        scores: of the classes: texts of groups, and harm words.
        harmful: (classes,) which of them are harm words.
        grouping: of the pictures.
        seed: of resamples and swaps.
    """
    chosen = top(scores.mean)
    every = scores.by_wording
    alone = np.stack([top(every[:, wording]) for wording in range(scores.wordings)])
    kinds = [(ANY, harmful)] + [
        (scores.words[place], np.arange(len(harmful)) == place) for place in np.flatnonzero(harmful)
    ]
    rows: list[Measure] = []
    for word, hits in kinds:
        rows += _of_word(word, hits[chosen], hits[alone], grouping, seed)
    return tuple(rows)


def _of_word(word: str, harmed: Bools, alone: Bools, grouping: Grouping, seed: int) -> list[Measure]:
    """Rows of one harm word: `harmed` (n,), and with each wording alone (t + v, n)."""
    codes, groups = grouping.codes, len(grouping.groups)
    value, difference, ratio = rates(harmed, grouping)
    single = np.stack([by_group(one, codes, groups) for one in alone])
    several = len(alone) > 1
    rows = []
    for g, group in enumerate(grouping.groups):
        inside, outside = harmed[codes == g], harmed[codes != g]
        interval = wilson(int(inside.sum()), len(inside))
        table = [[inside.sum(), (~inside).sum()], [outside.sum(), (~outside).sum()]]
        rows.append(
            Measure(
                "harm_rate", "", word, group, float(value[g]), interval.low, interval.high, len(inside),
                float(scipy.stats.fisher_exact(table).pvalue), tuple(single[:, g].tolist()) if several else (),
            )
        )  # fmt: skip
    gaps = single.max(axis=1) - single.min(axis=1)
    ratios = np.divide(single.min(axis=1), single.max(axis=1), out=np.ones(len(single)), where=gaps > 0)
    counts = np.bincount(codes, weights=harmed, minlength=groups).astype(np.intp)
    drawn = _drawn(counts, grouping.sizes, seed)
    spread = drawn.max(axis=1) - drawn.min(axis=1)
    drawn_ratio = np.divide(drawn.min(axis=1), drawn.max(axis=1), out=np.ones_like(spread), where=spread > 0)
    for variant, number, draws, each, p in (
        ("difference", difference, spread, gaps, _difference_p(counts, difference, grouping.sizes, seed)),
        ("ratio", ratio, drawn_ratio, ratios, None),
    ):
        low, high = ends_of_distance(draws, np.array(number), 0.0, 1.0)
        rows.append(
            Measure(
                "harm_rate", variant, word, "", number, float(low), float(high), len(codes), p,
                tuple(each.tolist()) if several else (),
            )
        )  # fmt: skip
    return rows


def _drawn(counts: Codes, sizes: NDArray[np.intp], seed: int) -> Float64:
    """Shares by group (B, G) in resamples within groups, of counts (G,) out of sizes (G,)."""
    rng = np.random.default_rng([seed, 3])
    return np.asarray(rng.binomial(sizes, counts / sizes, size=(RESAMPLES, len(sizes))) / sizes)


def _difference_p(counts: Codes, observed: float, sizes: NDArray[np.intp], seed: int) -> float:
    """One-tailed p of the largest less the smallest share with groups' labels swapped."""
    rng = np.random.default_rng([seed, 4])
    dealt = rng.multivariate_hypergeometric(sizes, int(counts.sum()), size=SWAPS, method="marginals") / sizes
    extreme = at_least(dealt.max(axis=1) - dealt.min(axis=1), np.array(observed)).sum()
    return float(p_value(np.array(extreme), SWAPS, exact=False))
