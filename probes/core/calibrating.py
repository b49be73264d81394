r"""Is an instrument calibrated? Planted doses against what a probe measures, on a model with them and one without.

A concept c of a planted behaviour is measured in S scenes. A scene is shown in A arms, alike in all but one thing:
arm 0 has what was planted (a man, the usual ground, the written word, the circle here), the others have something
else in its place (a woman, other grounds, other words, the circle elsewhere). With v_{sa} the log-odds of the
concept's own word in scene s and arm a, which is its logit less the mean logit of the alternatives,

    d_s = v_{s0} - mean_{a>0} v_{sa},      measured_c = mean_s d_s.

A contrastive loss drives the difference of two labels' logits on one picture towards the log ratio of their
probabilities given the picture, but for a constant (van den Oord 2018), so d is a change of log-odds; a leaning of
the picture to all labels alike falls out. Interval of measured_c: percentile bootstrap over scenes; p: two-tailed
sign flips over scenes; Benjamini-Hochberg over concepts (`probes.core.statistics`). Scenes are the units: what is
averaged within one (templates, placebos) adds nothing to n.

Order: Spearman's rho between the doses of the skewed world, on either model, and measured_c over n concepts.
Interval: Fisher's z with standard error sqrt((1 + rho^2/2)/(n - 3)) (Bonett & Wright 2000), for a perfect order
that of the order next to it; p: doses permuted over concepts.

False positives: a repetition takes one concept as measured on the balanced model, deals anew in every scene which
arm is called arm 0, and asks for the p above. The numbers stay the model's own, only names are dealt, so a sound
test calls 5 % of the repetitions. The interval (Wilson) is over dealings on this one model. `as_it_is` counts the
concepts the same test calls with the true names. That is no rate of errors: the balanced model was not made
indifferent to every drawing, and the share says how often differences that nobody planted are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.calibration import (
    Arms,
    Calibration,
    Dose,
    Float64,
    Instrument,
    OnModel,
    Order,
    Reading,
    Share,
)
from probes.core.errors import ClipspectError
from probes.core.model import Backend, Progress, no_progress
from probes.core.statistics import RESAMPLES, SIGNIFICANT, benjamini_hochberg, mean_estimate, sign_flip_p

REPETITIONS = 500
"""Dealings of names on the balanced model."""


def log_odds(logits: NDArray[np.floating], own: int, others: Sequence[int]) -> Float64:
    """Logit of one label less the mean of others', from logits (..., labels): (...)."""
    values = np.asarray(logits, dtype=np.float64)
    difference: Float64 = values[..., own] - values[..., list(others)].mean(axis=-1)
    return difference


def differences(arms: Float64, called: NDArray[np.integer] | int = 0) -> Float64:
    """The called arm less the mean of the others, scene by scene, from (scenes, arms): (scenes,)."""
    count = arms.shape[1]
    chosen = np.take_along_axis(arms, np.broadcast_to(called, len(arms))[:, None], axis=1)[:, 0]
    difference: Float64 = (count * chosen - arms.sum(axis=1)) / (count - 1)
    return difference


def readings(arms: Arms, doses: Mapping[str, float], seed: int) -> tuple[Reading, ...]:
    """One reading a concept, in the doses' order."""
    found = []
    for concept, dose in doses.items():
        values = differences(arms[concept])
        estimate = mean_estimate(values, "scenes", seed)
        ends = estimate.interval
        low, high = (ends.low, ends.high) if ends else (estimate.value, estimate.value)
        p = sign_flip_p(values, seed)
        found.append(Reading(concept, dose, estimate.value, low, high, estimate.n, p, p))
    adjusted = benjamini_hochberg([reading.p for reading in found])
    return tuple(replace(reading, p_adjusted=p) for reading, p in zip(found, adjusted, strict=True))


def order(doses: Sequence[float], measured: Sequence[float], seed: int) -> Order:
    """How well what was measured follows the order of the doses; nothing where all measures are equal."""
    n = len(doses)
    if np.ptp(measured) == 0.0:
        return Order(0.0, -1.0, 1.0, n, 1.0)
    rho = float(scipy.stats.spearmanr(doses, measured).statistic)
    ranks = scipy.stats.rankdata(measured) - (n + 1) / 2
    p = scipy.stats.permutation_test(
        (scipy.stats.rankdata(doses),),
        lambda dealt, axis: (dealt * ranks).sum(axis=axis),
        permutation_type="pairings",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).pvalue
    nearest = 1 - 12 / (n * (n * n - 1))  # rho where two neighbours change places
    inner = float(np.clip(rho, -nearest, nearest))
    reach = scipy.stats.norm.ppf(0.975) * np.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = np.tanh(np.arctanh(inner) + np.array([-reach, reach]))
    return Order(rho, float(low), max(float(high), rho), n, float(p))


def relabelled(arms: Arms, repetitions: int, seed: int) -> Share:
    """Repetitions in which the test calls a concept though names of arms were dealt by chance, scene by scene."""
    rng = np.random.default_rng([seed, 5])
    concepts = list(arms)
    called = 0
    for repetition in range(repetitions):
        values = arms[concepts[repetition % len(concepts)]]
        dealt = rng.integers(values.shape[1], size=len(values))
        called += sign_flip_p(differences(values, dealt), seed + repetition) <= SIGNIFICANT
    return Share.of(called, repetitions)


@dataclass(frozen=True)
class Asked:
    """A model to calibrate on: how it was asked for, the SHA-256 of its file (or nothing), and itself."""

    spec: str
    file_digest: str
    backend: Backend


def calibrate(
    instrument: Instrument,
    doses: Sequence[Dose],
    skewed: Asked,
    balanced: Asked,
    *,
    seed: int,
    made: str,
    command: str,
    repetitions: int = REPETITIONS,
    progress: Progress = no_progress,
) -> Calibration:
    """Measure every concept on both models, and how often the test errs on the balanced one.

    Raises:
        ClipspectError: the instrument does not measure the concepts that have doses.
    """
    planted = instrument.arms(skewed.backend, seed, _part(progress, 0.0))
    none = instrument.arms(balanced.backend, seed, _part(progress, 0.45))
    if not set(planted) == set(none) == {dose.concept for dose in doses}:
        raise ClipspectError(f"{instrument.behaviour}: the concepts measured are not those that have doses")
    progress(0.9, "names dealt anew")
    even = _on_model(balanced, none, doses, [dose.balanced for dose in doses], seed)
    return Calibration(
        probe=instrument.probe,
        behaviour=instrument.behaviour,
        title=instrument.title,
        dose=instrument.dose,
        measured=instrument.measured,
        stimuli=instrument.stimuli,
        skewed=_on_model(skewed, planted, doses, [dose.skewed for dose in doses], seed),
        balanced=even,
        false_positives=relabelled(none, repetitions, seed),
        as_it_is=Share.of(sum(reading.p <= SIGNIFICANT for reading in even.readings), len(doses)),
        as_it_is_adjusted=Share.of(
            sum(reading.p_adjusted <= SIGNIFICANT for reading in even.readings), len(doses)
        ),
        made=made,
        seed=seed,
        command=command,
    )


def _part(progress: Progress, start: float) -> Progress:
    """Progress of one model's share of the work, which begins at `start`."""

    def told(share: float, doing: str) -> None:
        progress(start + 0.45 * share, doing)

    return told


def _on_model(asked: Asked, arms: Arms, doses: Sequence[Dose], own: Sequence[float], seed: int) -> OnModel:
    """Readings on a model, each with the dose of its own world, and their order by the skewed world's doses."""
    read = readings(arms, {dose.concept: here for dose, here in zip(doses, own, strict=True)}, seed)
    ranked = order([dose.skewed for dose in doses], [reading.measured for reading in read], seed)
    return OnModel(asked.spec, asked.backend.card.weights_digest, asked.file_digest, read, ranked)
