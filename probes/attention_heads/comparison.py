r"""What two towers differ in that can be compared: no head of one is a head of the other.

Layers and heads are numbered by each model for itself, so that no effect is compared by its index. Compared are
totals and how concentrated an answer is. With e the direct effects and b = e - usual of all H heads:

    share of heads      sum |e| over heads / the same over heads, MLPs and what is left
    heads in effect     (sum |b|)^2 / sum b^2, as a share of H: 1 where all stray alike, 1/H where one does alone
    largest head        max |b| / sum |b|

These are of one picture and have no interval. What was measured over pictures has one, from the two intervals
alone: what the leading head carries of a property, zero-shot accuracy with as many parts off by rank, accuracy of
groups as heads are dropped, how words fit, and masks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from probes.attention_heads.ablating import Ablated
from probes.attention_heads.dropping import DropRow
from probes.attention_heads.finding import HeadShare
from probes.attention_heads.group_accuracy import ALL, WORST
from probes.attention_heads.result import AttentionHeadsResult
from probes.attention_heads.scene_maps import PATCH_TERMS
from probes.attention_heads.segmented import MapFit
from probes.core.comparison import Compared, Difference, LeftOut
from probes.core.differences import End, from_intervals, plain

LARGEST = "the largest of many, and that alone makes it large in both"
LEADING = f"the interval is over its pictures; {LARGEST}"
BY_HAND = LeftOut(
    "The change of zero-shot accuracy is not compared: parts named by hand were off, and no part of one tower "
    "is a part of the other."
)
OTHER_PARTS = LeftOut(
    "The change of zero-shot accuracy is not compared: the models did not have as many heads and MLPs off."
)
FEW_HEADS = 4
"""Heads whose share of a property is told together."""


def compare(first: AttentionHeadsResult, second: AttentionHeadsResult) -> Compared:
    """Differences of totals and concentration, and of what was asked besides, first less second."""
    found: list[Difference | LeftOut] = [
        plain(what, measured(first), measured(second), n=1, over="picture", unit=unit)
        for what, unit, measured in OF_ONE_PICTURE
    ]
    for part in (_carried, _ablated, _dropped, _words, _masks):
        found += part(first, second)
    return tuple(found)


def similarity(result: AttentionHeadsResult) -> float:
    """The similarity that is taken apart, in logits."""
    return result.logit_scale * result.effects.check.similarity


def share_of_heads(result: AttentionHeadsResult) -> float:
    """How much of all effects, without their signs, is heads'."""
    heads = sum(abs(row.effect) for row in result.effects.rows)
    others = sum(abs(row.effect) for row in result.effects.mlp_rows)
    others += sum(abs(row.effect) for row in result.effects.rest)
    return heads / (heads + others) if heads + others else 0.0


def heads_in_effect(result: AttentionHeadsResult) -> float:
    """Over how many heads the strays are spread, as a share of all heads."""
    beyond = np.array([row.beyond for row in result.effects.rows])
    squares = float((beyond**2).sum())
    return float(np.abs(beyond).sum() ** 2 / squares / len(beyond)) if squares else 1.0


def largest_head(result: AttentionHeadsResult) -> float:
    """The share of the head that strays farthest among all strays."""
    beyond = np.abs([row.beyond for row in result.effects.rows])
    return float(beyond.max() / beyond.sum()) if beyond.sum() else 1 / len(beyond)


OF_ONE_PICTURE: tuple[tuple[str, str, Callable[[AttentionHeadsResult], float]], ...] = (
    ("similarity that is taken apart", "logit", similarity),
    ("heads' share of all effects", "share", share_of_heads),
    ("share of heads over which the answer is spread", "share", heads_in_effect),
    ("share of the head that strays farthest", "share", largest_head),
)
"""What it is called, its unit, and how it is measured."""


def _carried(first: AttentionHeadsResult, second: AttentionHeadsResult) -> list[Difference]:
    """How concentrated a property is, if both carry it."""
    rows = [[one for one in result.found if one.kind == "head"] for result in (first, second)]
    if not all(rows) or any(several[0].share is None for several in rows):
        return []
    lead = (_share(several[0]) for several in rows)
    together = [sum(one.share or 0.0 for one in several[:FEW_HEADS]) for several in rows]
    every = [sum(one.share or 0.0 for one in several) for several in rows]
    told: dict[str, Any] = {"n": 1, "over": "set of pictures", "unit": "share of what is carried"}
    return [
        from_intervals(
            "share of the leading head in the property", *lead, over="set of pictures",
            unit="share of what is carried", note=LEADING,
        ),
        plain(f"share of the {FEW_HEADS} leading heads in the property", *together, **told, note=LARGEST),
        plain("share of all heads in the property", *every, **told),
    ]  # fmt: skip


def _share(row: HeadShare) -> End:
    return End(row.share or 0.0, row.low, row.high, 1)


def _ablated(first: AttentionHeadsResult, second: AttentionHeadsResult) -> list[Difference | LeftOut]:
    """Zero-shot accuracy with everything on, and what it loses as parts go."""
    if not first.ablated or not second.ablated:
        return []
    (one, one_off), (other, other_off) = first.ablated[:2], second.ablated[:2]
    what = "change of zero-shot accuracy as the chosen heads go"
    change: Difference | LeftOut
    if one_off.off != first.best_off or other_off.off != second.best_off:
        change = BY_HAND
    elif (one_off.heads, one_off.mlps) != (other_off.heads, other_off.mlps):
        change = OTHER_PARTS
    else:
        change = from_intervals(what, _change(one_off), _change(other_off), over="pictures", unit="share right")
    whole = _accuracy(one), _accuracy(other)
    return [
        from_intervals("zero-shot accuracy, everything on", *whole, over="pictures", unit="share right"),
        change,
    ]


def _accuracy(row: Ablated) -> End:
    return End(row.accuracy, row.low, row.high, row.n)


def _change(row: Ablated) -> End:
    return End(row.change, row.change_low, row.change_high, row.n)


def _dropped(first: AttentionHeadsResult, second: AttentionHeadsResult) -> list[Difference]:
    """Accuracy before, and its change with as many heads dropped, over all pictures and in the worst group."""
    if first.dropped is None or second.dropped is None:
        return []
    rows = [{(row.heads, row.group): row for row in result.dropped.rows} for result in (first, second)
            if result.dropped is not None]  # fmt: skip
    shared = [key for key in rows[0] if key in rows[1] and key[1] in (ALL, WORST)]
    most = max((heads for heads, _ in shared), default=0)
    found = []
    for heads, group in shared:
        if heads != most:
            continue
        both = rows[0][heads, group], rows[1][heads, group]
        before, change = (_before(row) for row in both), (_drop(row) for row in both)
        what = f"change of accuracy, {group}, {heads} head{'' if heads == 1 else 's'} dropped"
        found.append(from_intervals(f"accuracy, {group}", *before, over="pictures", unit="share right"))
        found.append(from_intervals(what, *change, over="pictures", unit="share right"))
    return found


def _before(row: DropRow) -> End:
    return End(row.before, row.before_low, row.before_high, row.n)


def _drop(row: DropRow) -> End:
    return End(row.change, row.change_low, row.change_high, row.n)


def _words(first: AttentionHeadsResult, second: AttentionHeadsResult) -> list[Difference]:
    """How well each word fits the picture, in standard deviations over the same other pictures."""
    if first.words is None or second.words is None:
        return []
    both = zip(first.words.rows, second.words.rows, strict=False)
    return [
        from_intervals(
            f"“{one.word}”, beyond what it adds to other pictures",
            *(End(row.score, row.score_low, row.score_high, row.others) for row in (one, other)),
            over="other pictures", unit="standard deviations",
        )
        for one, other in both
        if one.word == other.word and not one.function_word
    ]  # fmt: skip


def _masks(first: AttentionHeadsResult, second: AttentionHeadsResult) -> list[Difference]:
    """How well patch terms find what a text names."""
    if first.segmented is None or second.segmented is None:
        return []
    rows = [
        next(row for row in one.rows if row.kind == PATCH_TERMS) for one in (first.segmented, second.segmented)
    ]
    return [
        from_intervals("mean IoU of patch terms", *map(_miou, rows), over="pictures", unit="mean IoU"),
        from_intervals(
            "average precision of patch terms", *map(_precision, rows), over="pictures", unit="average precision"
        ),
    ]


def _miou(row: MapFit) -> End:
    return End(row.miou, row.miou_low, row.miou_high, row.pictures)


def _precision(row: MapFit) -> End:
    return End(row.precision, row.precision_low, row.precision_high, row.pictures)
