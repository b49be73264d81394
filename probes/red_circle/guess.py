"""Predict first: what the marks do to the first text."""

from __future__ import annotations

from probes.core.guessing import Guess
from probes.red_circle.result import RedCircleResult

OPTIONS = ("raise it", "lower it", "nothing clear")


def guess(result: RedCircleResult) -> Guess:
    """Whether the marks move the first text beyond the same marks elsewhere, and which way."""
    effect = result.of_marks[0]
    right = 2 if not effect.beyond_place else 0 if effect.beyond.value > 0 else 1
    told = (
        f"Beyond the same marks elsewhere its logit moves by {effect.beyond.describe()}, corrected p = "
        f"{effect.p_adjusted:.2g}."
    )
    question = f"What will the marks do to “{effect.text}”, beyond what the same marks do elsewhere?"
    return Guess(question, OPTIONS, right, told)
