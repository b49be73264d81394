r"""Class design: what one class more, or one less, does to the harm rates by group (Agarwal 2021).

With r_g the harm rate of a group (`probes.bias_audit.rates`) among the groups' own texts and the harm words:

    change_g = r_g with a class added, or with one of them left out, less r_g as it is

A class that does no harm can only take pictures away from harm words; one that is left out sends its pictures
elsewhere, to harm words as well. So the choice of classes decides where harm lands, and on whom.

Intervals: bootstrap over the group's pictures. What is resampled is -1, 0 or 1, so a resample's counts are
multinomial, and are drawn as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.bias_audit.audited import Grouping, Scores
from probes.bias_audit.rates import Bools, top
from probes.core.resampling import RESAMPLES, ends

ALL = "all of these"
"""Stands for all added classes together."""
ADDED, REMOVED = "added", "left out"


@dataclass(frozen=True)
class Design:
    """A row of the table `class_design`: harm rate of a group before and after the classes change.

    Attributes:
        design: `added` or `left out`.
        word: the class, or `all of these`.
        n: the group's pictures.
        rate_before, rate_after: harm rates, 0 to 1.
        change, low, high: of the rate, with its 95 % interval over the group's pictures.
        least, most: `change` with each wording alone; itself where there is but one.
        from_harm, to_harm: pictures whose class was a harm word and is none now, and the other way round.
        touched: pictures whose class is the added one now, or was the one that is left out.
    """

    design: str
    word: str
    group: str
    n: int
    rate_before: float
    rate_after: float
    change: float
    low: float
    high: float
    least: float
    most: float
    from_harm: int
    to_harm: int
    touched: int


def class_design(
    scores: Scores, harmful: Bools, added: Bools, grouping: Grouping, seed: int
) -> tuple[Design, ...]:
    """What each added class alone, all of them together, and each class left out do to every group's harm rate.

    Args:
        scores: of all classes: groups' texts, harm words and those to add.
        harmful: (classes,) which are harm words.
        added: (classes,) which are added.
        grouping: of the pictures.
        seed: of resamples.
    """
    every = scores.by_wording
    ways = [scores.mean, *(every[:, wording] for wording in range(scores.wordings))]
    asis = [_classes(way, ~added) for way in ways]
    rows: list[Design] = []
    for design, word, which in _designs(scores.words, harmful, added):
        allowed = ~added | which if design == ADDED else ~added & ~which
        changed = [_classes(way, allowed) for way in ways]
        moves = [harmful[new].astype(int) - harmful[old] for new, old in zip(changed, asis, strict=True)]
        touched = which[changed[0] if design == ADDED else asis[0]]
        for g, group in enumerate(grouping.groups):
            own = grouping.codes == g
            down, up, n = int((moves[0][own] < 0).sum()), int((moves[0][own] > 0).sum()), int(own.sum())
            low, high = _interval(down, up, n, [seed, 5, g])
            before, change = float(harmful[asis[0][own]].mean()), (up - down) / n
            spread = [float(move[own].mean()) for move in moves[1:]]
            rows.append(
                Design(
                    design=design, word=word, group=group, n=n, rate_before=before, rate_after=before + change,
                    change=change, low=low, high=high, least=min(spread), most=max(spread),
                    from_harm=down, to_harm=up, touched=int(touched[own].sum()),
                )
            )  # fmt: skip
    return tuple(rows)


def _interval(down: int, up: int, n: int, seed: Sequence[int]) -> tuple[float, float]:
    """95 % interval of (up - down) / n over resamples of the n pictures."""
    shares = [down / n, up / n, 1 - (down + up) / n]
    drawn = np.random.default_rng(seed).multinomial(n, shares, RESAMPLES)
    low, high = ends((drawn[:, 1] - drawn[:, 0]) / n)
    return float(low), float(high)


def _designs(words: tuple[str, ...], harmful: Bools, added: Bools) -> Iterator[tuple[str, str, Bools]]:
    """How the classes change: whether one is added, its name, and which it is, (classes,).

    The last harm word is never left out, nor the last that is none: without either there is no rate to speak of.
    """
    place = np.arange(len(words))
    for at in np.flatnonzero(added):
        yield ADDED, words[at], place == at
    if added.sum() > 1:
        yield ADDED, ALL, added
    for at in np.flatnonzero(~added):
        if (harmful[~added] == harmful[at]).sum() > 1:
            yield REMOVED, words[at], place == at


def _classes(scores: NDArray[np.floating], allowed: Bools) -> NDArray[np.intp]:
    """The class of every picture among those that are allowed."""
    return top(np.where(allowed, scores, -np.inf))
