r"""Whether a word of a caption fits a picture, from what it adds to this picture and to n others.

Let c_w(x) be what word w adds to the similarity of the caption with picture x (`probes.attention_heads.words`).
CLIP4DM marks words whose attribution, computed in another way, is negative. But many a word adds less than nothing
to nearly every picture, and another more, so that a word is also held against other pictures, x_i:

    score_w = (c_w(x) - mean_i c_w(x_i)) / sd_i c_w(x_i)      (ddof = 1; interval: bootstrap over the others)
    p_w = (1 + #{i : c_w(x_i) <= c_w(x)}) / (1 + n),          p_fits_w the same with >=.

Both p are one-sided ranks, exact where the picture is as if drawn with the others, and Benjamini-Hochberg over
words. A word **fits** where it adds clearly more than to the others (adjusted p_fits at most 0.05). It is called a
**misfit** where it adds clearly less, or where it adds less than nothing and does not fit. Words of grammar are
called neither.

Reference: Nam, Im, Kim, Kil, "Extract Free Dense Misalignment from CLIP" (CLIP4DM), AAAI 2025, arXiv:2412.18404.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.resampling import RESAMPLES, bootstrap_weights, ends
from probes.core.statistics import SIGNIFICANT, benjamini_hochberg

Float64 = NDArray[np.float64]

FLAT = 1e-7
"""Contributions that differ by less are equal but for rounding."""


@dataclass(frozen=True)
class WordRow:
    """A row of the table `words`: what a word adds to the similarity with the picture; see the module.

    Attributes:
        word: as it is written.
        contribution: in cosine.
        others_mean, others_sd: of what it adds to the similarity with other pictures.
        score: contribution less that mean, in such standard deviations; 0 where they are all alike.
        score_low, score_high: 95 % interval of the score, over the other pictures.
        others: n, how many they are.
        p, p_adjusted: of adding as little as this; corrected over words.
        p_fits, p_fits_adjusted: of adding as much as this; corrected over words.
        without: by how much the cosine rises as the word is left out; None where it cannot be.
        misfit, fits: whether it is called so.
        function_word: whether it is a word of grammar.
    """

    word: str
    contribution: float
    others_mean: float
    others_sd: float
    score: float
    score_low: float
    score_high: float
    others: int
    p: float
    p_adjusted: float
    p_fits: float
    p_fits_adjusted: float
    without: float | None
    misfit: bool
    fits: bool
    function_word: bool


def judged(
    words: Sequence[str],
    added: Float64,
    rises: Sequence[float | None],
    grammar: Sequence[bool],
    seed: int,
) -> tuple[WordRow, ...]:
    """Rows of words from what they add to the picture and to n others.

    Args:
        words: m words.
        added: (1 + n, m), the picture first.
        rises: m, see `left_out`.
        grammar: m, which are function words.
        seed: of the resamples.
    """
    here, others = added[0], added[1:]
    mean, sd = others.mean(axis=0), others.std(axis=0, ddof=1)
    score = _scores(here, mean, sd)
    low, high = ends(_resampled(here, others, seed))
    p = (1 + (others <= here + FLAT).sum(axis=0)) / (1 + len(others))
    p_fits = (1 + (others >= here - FLAT).sum(axis=0)) / (1 + len(others))
    adjusted, adjusted_fits = benjamini_hochberg(p.tolist()), benjamini_hochberg(p_fits.tolist())
    rows = []
    for k, word in enumerate(words):
        fits = adjusted_fits[k] <= SIGNIFICANT and not grammar[k]
        lower = adjusted[k] <= SIGNIFICANT
        misfit = not grammar[k] and not fits and (lower or bool(here[k] < -FLAT))
        rows.append(
            WordRow(
                word, float(here[k]), float(mean[k]), float(sd[k]), float(score[k]), float(low[k]), float(high[k]),
                len(others), float(p[k]), adjusted[k], float(p_fits[k]), adjusted_fits[k], rises[k], misfit, fits,
                grammar[k],
            )
        )  # fmt: skip
    return tuple(rows)


def _scores(here: Float64, mean: Float64, sd: Float64) -> Float64:
    """Distance from the mean in standard deviations; 0 where there is no spread."""
    return np.divide(here - mean, sd, out=np.zeros(np.broadcast_shapes(here.shape, sd.shape)), where=sd > FLAT)


def _resampled(here: Float64, others: Float64, seed: int) -> Float64:
    """Scores against others that are drawn anew, (B, m)."""
    n = len(others)
    centre = others.mean(axis=0)  # taken off first, so that squares do not cancel
    weights = np.concatenate(list(bootstrap_weights(n, RESAMPLES, seed))).astype(np.float64)
    mean = weights @ (others - centre) / n
    square = weights @ (others - centre) ** 2 / n
    sd = np.sqrt(np.maximum(square - mean**2, 0.0) * n / (n - 1))
    return _scores(here - centre, mean, sd)
