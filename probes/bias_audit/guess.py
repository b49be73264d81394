"""Predict first: how many words go with a group."""

from __future__ import annotations

from probes.bias_audit.result import BiasAuditResult, clear
from probes.core.guessing import Guess

OPTIONS = ("none", "some, fewer than half", "half of them or more")


def guess(result: BiasAuditResult) -> Guess:
    """How many words differ clearly between the groups that the headline speaks of."""
    words, found = len(result.main), len(clear(result.main))
    sides = f"“{result.foremost}” and “{result.other}”"
    told = (
        f"{found} of {words} {'differs' if found == 1 else 'differ'} clearly, after correction for their number."
    )
    if words == 1:
        question = f"Does “{result.main[0].word}” differ clearly between {sides}?"
        return Guess(question, ("no", "yes"), min(found, 1), told)
    question = f"How many of the {words} words differ clearly between {sides}?"
    return Guess(question, OPTIONS, 0 if not found else 1 if 2 * found < words else 2, told)
