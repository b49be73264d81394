r"""Paired differences: pictures that are alike but for one attribute (Hausladen 2024).

For pairs (i, j) of a first and a second picture and the logit L_l of word l (mean over templates):

    logit                = mean_{pairs} (L_l(i) - L_l(j))
    against_other_words  = the same of L_l less the mean of the other words' logits

Interval: bootstrap over pairs; p: signs of pairs flipped, two-tailed, exact where there are at most 10,000 ways;
corrected for the number of words. Pairs that share a picture are not independent: they are drawn, and flipped,
together, as one cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probes.bias_audit.association import adjusted
from probes.bias_audit.audited import Measure
from probes.core.resampling import RESAMPLES, at_least, ends, p_value, sign_flips, stratified_weights

Float64 = NDArray[np.float64]
VARIANTS = ("logit", "against_other_words")


def pair_differences(logits: NDArray[np.floating], pairs: NDArray[np.intp]) -> Float64:
    """First less second of every pair, template and word, (m, t, l), of logits (n, t, l)."""
    return logits[pairs[:, 0]].astype(np.float64) - logits[pairs[:, 1]]


def against_other_words(found: Float64) -> Float64:
    """Differences (..., l) of two words or more less the mean of the other words'."""
    words = found.shape[-1]
    return np.asarray(found - (found.sum(axis=-1, keepdims=True) - found) / (words - 1))


def counterfactual_differences(
    logits: NDArray[np.floating],
    pairs: NDArray[np.intp],
    words: Sequence[str],
    seed: int,
    clusters: NDArray[np.intp] | None = None,
    group: str = "",
    templates: int | None = None,
) -> tuple[Measure, ...]:
    """Rows of measure `counterfactual_difference`, variant by variant; see the module.

    Args:
        logits: (n, t, l), or (n, t + v, l) with wordings that only tell the spread.
        pairs: (m, 2) places of first and second pictures, m at least 2.
        words: (l,).
        seed: of resamples and flips.
        clusters: (m,) which pairs belong together; each for itself if nothing is said.
        group: of the first pictures.
        templates: t, how many of the wordings are averaged; all if nothing is said.
    """
    apart = np.arange(len(pairs)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    found = pair_differences(logits, pairs)
    by_variant = {"logit": found}
    if len(words) > 1:
        by_variant["against_other_words"] = against_other_words(found)
    rows: list[Measure] = []
    for variant, values in by_variant.items():
        mean = values[:, :templates].mean(axis=1)
        low, high, p = _tested(mean, apart, seed)
        alone = values.mean(axis=0)
        rows += [
            Measure(
                measure="counterfactual_difference",
                variant=variant,
                word=word,
                group=group,
                value=float(mean[:, w].mean()),
                low=float(low[w]),
                high=float(high[w]),
                n=len(pairs),
                p=float(p[w]),
                by_wording=tuple(float(value) for value in alone[:, w]) if len(alone) > 1 else (),
            )
            for w, word in enumerate(words)
        ]
    return adjusted(rows)


def _tested(values: Float64, clusters: NDArray[np.intp], seed: int) -> tuple[Float64, Float64, Float64]:
    """Interval and p of the mean of values (m, l), whole clusters resampled and flipped."""
    count = int(clusters.max()) + 1
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, clusters, values)
    sizes = np.bincount(clusters).astype(np.float64)
    draws = np.concatenate(
        [
            (weights @ sums) / (weights @ sizes)[:, None]
            for weights in stratified_weights(np.zeros(count, dtype=np.intp), RESAMPLES, seed)
        ]
    )
    low, high = ends(draws)
    flips, exact = sign_flips(count, seed)
    observed = np.abs(sums.sum(axis=0))
    extreme = np.zeros(values.shape[1], dtype=np.int64)
    arrangements = 0
    for signs in flips:
        extreme += at_least(np.abs(signs @ sums), observed).sum(axis=0)
        arrangements += len(signs)
    return low, high, p_value(extreme, arrangements, exact)
