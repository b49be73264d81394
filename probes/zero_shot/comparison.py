r"""What two models' answers differ in, label by label.

Of one picture, over templates t: the probability of label l with each template alone, and its log-odds

    log_odds_tl = logit_tl - ln sum_{m != l} exp(logit_tm)        (softmax), or logit_tl (sigmoid),

with each model's own scale and bias. Of several pictures, over pictures: the probability of the ensemble of
templates, the log-odds as a mean over templates, and the share of templates that keep the first label. All are
paired: both models had the same pictures and templates.

Where one model weighs labels against each other and the other each by itself, their probabilities are not the same
quantity and are left out; the log-odds of both are those of a softmax over the labels, in which a bias falls out.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.comparison import Compared, Difference, LeftOut
from probes.core.differences import paired, paired_columns
from probes.zero_shot.science import ZeroShotResult

Float64 = NDArray[np.float64]

MOST = 10
"""Labels that are compared: those most probable to either model."""
UNLIKE = LeftOut(
    "Probabilities are not compared: one model weighs labels against each other, the other each by itself. "
    "Log-odds are of each label against the others, from the logits of both."
)
AGAINST = "of a softmax over the labels, which only one of the models was trained with"


def compare(first: ZeroShotResult, second: ZeroShotResult) -> Compared:
    """Differences of probabilities and log-odds, first less second."""
    labels, alike = _labels(first, second), first.sigmoid == second.sigmoid
    shares = _probabilities(first, second, labels) if alike else (UNLIKE,)
    found = (*shares, *_log_odds(first, second, labels))
    if len(first.seen) == 1:
        return found
    agreeing = [[seen.agreeing / len(first.templates) for seen in result.seen] for result in (first, second)]
    keep = paired("templates that keep the first label", *agreeing, over="pictures", unit="share of templates")
    return (*found, keep)


def _probabilities(first: ZeroShotResult, second: ZeroShotResult, labels: list[int]) -> Compared:
    """Of one picture over templates, of several the ensemble's over pictures."""
    one_picture = len(first.seen) == 1
    shares = [(r.shares[0] if one_picture else ensemble_probabilities(r))[:, labels] for r in (first, second)]
    what = "probability of “{}”, mean over templates" if one_picture else "probability of “{}”"
    return paired_columns(
        [what.format(first.labels[place]) for place in labels], *shares,
        over="templates" if one_picture else "pictures", unit="probability",
    )  # fmt: skip


def _log_odds(first: ZeroShotResult, second: ZeroShotResult, labels: list[int]) -> tuple[Difference, ...]:
    """Of one picture over templates, of several the mean over templates, over pictures."""
    one_picture = len(first.seen) == 1
    odds = [log_odds(r, alone=first.sigmoid and second.sigmoid)[:, :, labels] for r in (first, second)]
    return paired_columns(
        [f"log-odds of “{first.labels[place]}”" for place in labels],
        *(rows[0] if one_picture else rows.mean(axis=1) for rows in odds),
        over="templates" if one_picture else "pictures", unit="log-odds",
        note="" if first.sigmoid == second.sigmoid else AGAINST,
    )  # fmt: skip


def _labels(first: ZeroShotResult, second: ZeroShotResult) -> list[int]:
    """Places of the labels that are compared, in order."""
    most = np.maximum(*(ensemble_probabilities(result).mean(axis=0) for result in (first, second)))
    return sorted(np.argsort(-most, kind="stable")[:MOST].tolist())


def ensemble_probabilities(result: ZeroShotResult) -> Float64:
    """Probabilities of the ensemble of templates, (n, l)."""
    rows = np.array([answer.probability for answer in result.answers], dtype=np.float64)
    return rows.reshape(len(result.seen), len(result.labels))


def log_odds(result: ZeroShotResult, alone: bool) -> Float64:
    """Log-odds of every label with each template alone, (n, t, l): of each alone, or against the others."""
    logits = result.logit_scale * result.cosines + result.logit_bias
    if alone or logits.shape[-1] < 2:
        return logits
    others = np.stack(
        [scipy.special.logsumexp(np.delete(logits, place, axis=-1), axis=-1) for place in range(logits.shape[-1])],
        axis=-1,
    )
    return np.asarray(logits - others)
