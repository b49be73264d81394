"""What was asked besides, in a sentence each, for the headline."""

from __future__ import annotations

from collections.abc import Sequence

from probes.attention_heads.ablating import Ablated
from probes.attention_heads.dropping import Dropped
from probes.attention_heads.finding import HeadShare
from probes.attention_heads.group_accuracy import WORST
from probes.attention_heads.segmented import MapFit


def of_found(rows: Sequence[HeadShare], carries: str) -> str:
    """Which head carries most of a property."""
    heads = [row for row in rows if row.kind == "head"]
    if not heads:
        return ""
    lead = heads[0]
    if lead.share is None or lead.low is None or lead.high is None:
        return f"These pictures do not differ in {carries}."
    tested = "too few to test" if lead.p_adjusted is None else f"corrected p = {lead.p_adjusted:.2g}"
    clear = sum(row.clear for row in heads)
    ends = f"95 % interval {lead.low:.0%} to {lead.high:.0%}"
    return (
        f"Of {carries}, {lead.part} carries most: {lead.share:.0%} ({ends}, {tested}); {clear} of "
        f"{len(heads)} heads carry more than labels dealt by chance."
    )


def of_ablated(rows: Sequence[Ablated]) -> str:
    """What switching off does to zero-shot accuracy."""
    if len(rows) < 2:
        return ""
    whole, off = rows[:2]
    chance = f"; as many heads by chance {rows[2].accuracy:.1%}" if len(rows) > 2 else ""
    change = _points(off.change, off.change_low, off.change_high)
    return (
        f"With {off.off.replace(',', ', ')} off, zero-shot accuracy on {off.n} scenes goes from "
        f"{whole.accuracy:.1%} to {off.accuracy:.1%} ({change}, p = {off.p:.2g}{chance})."
    )


def _points(change: float, low: float, high: float) -> str:
    return f"change {100 * change:+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f}"


def of_dropped(found: Dropped | None) -> str:
    """What dropping heads does to the worst group."""
    row = next((row for row in found.rows if row.group == WORST), None) if found is not None else None
    if found is None or row is None:
        return ""
    if found.carried <= 0:
        return f"On {found.name} the embedding carries nothing of the groups: no heads are to be chosen by them."
    names = ", ".join(f"L{one.layer}H{one.head}" for one in found.chosen[: row.heads])
    change = _points(row.change, row.change_low, row.change_high)
    return (
        f"On {found.name}, dropping {names} moves the worst group from {row.before:.1%} to {row.after:.1%} "
        f"({change}; heads by chance {row.random:.1%}, corrected p = {row.random_p_adjusted:.2g})."
    )


def of_masks(rows: Sequence[MapFit]) -> str:
    """How well patch terms fit as masks."""
    if not rows:
        return ""
    lead, *others = rows
    beside = "".join(f", {row.kind} {row.miou:.3f}" for row in others)
    return (
        f"As masks, {lead.kind} have a mean IoU of {lead.miou:.3f} ({lead.miou_low:.3f} to {lead.miou_high:.3f}, "
        f"{lead.things} things){beside}."
    )
