"""Predict first: how much of what heads write comes from one of them."""

from __future__ import annotations

from probes.attention_heads.result import AttentionHeadsResult
from probes.core.guessing import Guess

OPTIONS = ("less than a tenth", "a tenth to a third", "more than a third")


def guess(result: AttentionHeadsResult) -> Guess:
    """Share of the strongest head in the sum of the absolute effects of all heads."""
    rows = result.effects.rows
    strongest = max(rows, key=lambda row: abs(row.effect))
    total = sum(abs(row.effect) for row in rows)
    share = abs(strongest.effect) / total if total else 0.0
    told = (
        f"{strongest.name} writes {strongest.effect:+.3f}, {share:.0%} of what all {len(rows)} heads write, "
        "signs left aside."
    )
    question = (
        f"{len(rows)} heads write what the picture has in common with {result.asked}. How much of it, signs left "
        "aside, does the strongest of them write?"
    )
    return Guess(question, OPTIONS, 0 if share < 0.1 else 1 if share <= 1 / 3 else 2, told)
