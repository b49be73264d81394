"""Predict first: how many words go with a group."""

from __future__ import annotations

from probes.bias_audit.result import BiasAuditResult, clear
from probes.core.guessing import Guess

OPTIONS = ("none", "some, fewer than half", "half of them or more")
CORRECTED = "after correction for their number"


def guess(result: BiasAuditResult) -> Guess:
    """How many words differ clearly between the groups; of more than two groups, how many of all differences.

    Which group the headline opens with follows from the answer, so that it is not named.
    """
    if len(result.groups) > 2 and not result.differences:
        return _of_all(result)
    words, found = len(result.main), len(clear(result.main))
    sides = f"“{result.groups[0].group}” and “{result.other}”"
    told = f"{found} of {words} {'differs' if found == 1 else 'differ'} clearly, {CORRECTED}."
    if words == 1:
        question = f"Does “{result.main[0].word}” differ clearly between {sides}?"
        return Guess(question, ("no", "yes"), min(found, 1), told)
    question = f"How many of the {words} words differ clearly between {sides}, {CORRECTED}?"
    return Guess(question, OPTIONS, _option(found, words), told)


def _of_all(result: BiasAuditResult) -> Guess:
    """Of every word in every group against the others."""
    every = [m for group in result.groups for m in result.of_group(group.group)]
    found, words = len(clear(every)), len(result.words)
    told = f"{found} of {len(every):,} differences {'is' if found == 1 else 'are'} clear, {CORRECTED}."
    what = f"{words} word{'' if words == 1 else 's'} in {len(result.groups)} groups"
    question = (
        f"{what}, each against the others: how many of the {len(every):,} differences are clear, {CORRECTED}?"
    )
    return Guess(question, OPTIONS, _option(found, len(every)), told)


def _option(found: int, of: int) -> int:
    return 0 if not found else 1 if 2 * found < of else 2
