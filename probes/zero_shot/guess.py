"""Predict first: which label will lead."""

from __future__ import annotations

from probes.core.guessing import Guess
from probes.zero_shot.science import ZeroShotResult

OFFERED = 7
"""Labels offered by name."""


def guess(result: ZeroShotResult) -> Guess:
    """Which label comes first for the first picture; those beyond the seventh are one option."""
    several = "the first picture" if len(result.seen) > 1 else "the picture"
    options = result.labels[:OFFERED]
    if len(result.labels) > OFFERED:
        options = (*options, "another one")
    best, second = result.of(0)[:2]
    place = min(result.labels.index(best.label), len(options) - 1)
    told = f"“{best.label}” has {best.probability:.0%}, “{second.label}” comes next with {second.probability:.0%}."
    return Guess(f"Which label will the model put first for {several}?", options, place, told)
