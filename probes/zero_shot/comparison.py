r"""What two models' answers differ in, label by label.

Of one picture, over templates t: the probability of label l with each template alone, and its log-odds

    log_odds_tl = logit_tl - ln sum_{m != l} exp(logit_tm)        (softmax), or logit_tl (sigmoid),

with each model's own scale and bias. Of several pictures, over pictures: the probability of the ensemble of
templates, the log-odds as a mean over templates, and the share of templates that keep the first label. All are
paired: both models had the same pictures and templates.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.comparison import Difference
from probes.core.differences import paired, paired_columns
from probes.zero_shot.science import ZeroShotResult

Float64 = NDArray[np.float64]

MOST = 10
"""Labels that are compared: those most probable to either model."""
UNLIKE = "one model weighs labels against each other, the other each by itself"


def compare(first: ZeroShotResult, second: ZeroShotResult) -> tuple[Difference, ...]:
    """Differences of probabilities and log-odds, first less second."""
    labels = _labels(first, second)
    note = UNLIKE if first.sigmoid != second.sigmoid else ""
    one, other = (log_odds(result)[:, :, labels] for result in (first, second))
    named = [f"“{first.labels[place]}”" for place in labels]
    if len(first.seen) == 1:
        shares = [result.shares[0][:, labels] for result in (first, second)]
        return (
            *paired_columns(
                [f"probability of {name}, mean over templates" for name in named], *shares,
                over="templates", unit="probability", note=note,
            ),
            *paired_columns(
                [f"log-odds of {name}" for name in named], one[0], other[0],
                over="templates", unit="log-odds", note=note,
            ),
        )  # fmt: skip
    shares = [ensemble_probabilities(result)[:, labels] for result in (first, second)]
    agreeing = [[seen.agreeing / len(first.templates) for seen in result.seen] for result in (first, second)]
    return (
        *paired_columns(
            [f"probability of {name}" for name in named], *shares,
            over="pictures", unit="probability", note=note,
        ),
        *paired_columns(
            [f"log-odds of {name}" for name in named], one.mean(axis=1), other.mean(axis=1),
            over="pictures", unit="log-odds", note=note,
        ),
        paired("templates that keep the first label", *agreeing, over="pictures", unit="share of templates"),
    )  # fmt: skip


def _labels(first: ZeroShotResult, second: ZeroShotResult) -> list[int]:
    """Places of the labels that are compared, in order."""
    most = np.maximum(*(ensemble_probabilities(result).mean(axis=0) for result in (first, second)))
    return sorted(np.argsort(-most, kind="stable")[:MOST].tolist())


def ensemble_probabilities(result: ZeroShotResult) -> Float64:
    """Probabilities of the ensemble of templates, (n, l)."""
    rows = np.array([answer.probability for answer in result.answers], dtype=np.float64)
    return rows.reshape(len(result.seen), len(result.labels))


def log_odds(result: ZeroShotResult) -> Float64:
    """Log-odds of every label with each template alone, (n, t, l)."""
    logits = result.logit_scale * result.cosines + result.logit_bias
    if result.sigmoid or logits.shape[-1] < 2:
        return logits
    others = np.stack(
        [scipy.special.logsumexp(np.delete(logits, place, axis=-1), axis=-1) for place in range(logits.shape[-1])],
        axis=-1,
    )
    return np.asarray(logits - others)
