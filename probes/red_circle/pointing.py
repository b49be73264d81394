r"""Which of these regions is "the ..."? Asked of every visual prompt, and counted where the answer is known.

With s_vrt the logit (mean over templates) of text t on the picture with region r marked by prompt v:

    plain        r* = argmax_r s_vrt
    subtracted   r* = argmax_r [ s_vrt - mean_{u != t} s_vru ],   u over the other texts (Shtedritski 2023): what a
                 region gains with every text alike falls out
    together     the same with the mean of s over all prompts v

On a set with names each region whose name is no other's in its picture is one question, right if r* is that
region. Accuracy is the share of right answers; chance the mean of 1/regions. Interval: 95 % percentile bootstrap
over pictures (Wilson's over pictures where all answers are alike). p: one-tailed, names dealt to the regions of
each picture by chance; Benjamini-Hochberg over prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Backend, Float32, Progress
from probes.core.pictures import Picture
from probes.core.regions import Box, Region
from probes.core.resampling import RESAMPLES, SWAPS, bootstrap_weights, ends, p_value
from probes.core.statistics import benjamini_hochberg, wilson
from probes.red_circle.drawing import working_copy
from probes.red_circle.visual_prompts import ENSEMBLE, Style, encoded, names

SUBTRACTED = "subtracted"
NOBODY = -1
TIE = 1e-6
"""Logits so near to one another are the same but for rounding: no answer, and not a right one."""
FEW = 10
"""With fewer pictures than this an interval over pictures means nothing: it is Wilson's over questions."""
Float64 = NDArray[np.float64]
Logits = Callable[[Float32], Float64]
"""Embeddings (n, d) -> logits (n, l), mean over templates."""


@dataclass(frozen=True)
class Scene:
    """A picture with its regions."""

    picture: Picture
    regions: tuple[Region, ...]

    @property
    def asked(self) -> tuple[int, ...]:
        """Regions whose name is no other's: each is a question."""
        called = [region.name for region in self.regions]
        return tuple(place for place, name in enumerate(called) if name and called.count(name) == 1)


@dataclass(frozen=True)
class Pick:
    """A row of the table `choices`: which region a prompt takes a text for.

    Attributes:
        region: number of the chosen region, from 1.
        name: its name, if it has one.
        x0, y0, x1, y1: its box, shares of width and height.
        score: of the chosen region.
        ahead: of the second best, in logits.
    """

    prompt: str
    text: str
    region: int
    name: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    ahead: float


@dataclass(frozen=True)
class Pointed:
    """A row of the table `pointing`: how often a prompt finds the region that has a name.

    Attributes:
        correct, total: questions.
        value: share that is right; low and high its 95 % interval over pictures.
        chance: share that guessing would get.
        pictures: how many the questions are of.
        p, p_adjusted: against names dealt by chance, one-tailed; corrected over prompts.
    """

    prompt: str
    correct: int
    total: int
    value: float
    low: float
    high: float
    chance: float
    pictures: int
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Answers:
    """What every prompt answered in one picture.

    Attributes:
        right: (v, q) whether each question was answered with its region.
        taken: (v, q) places of the regions answered; NOBODY where several share the highest score.
        asked: (q,) places of the regions asked for.
        regions: how many there were to choose from.
    """

    right: NDArray[np.bool_]
    taken: NDArray[np.intp]
    asked: NDArray[np.intp]
    regions: int


def variants(style: Style) -> tuple[str, ...]:
    """Names of the rows: each prompt, then all together; plain, then subtracted."""
    plain = (*names(style), ENSEMBLE)
    return (*plain, *(f"{name}, {SUBTRACTED}" for name in plain))


def scores(logits: Float64) -> Float64:
    """Scores (2 (v + 1), r, l) from logits (v, r, l): in the order of `variants`."""
    together = np.concatenate([logits, logits.mean(axis=0, keepdims=True)])
    count = together.shape[-1]
    if count < 2:
        return np.concatenate([together, together])
    others = (together.sum(axis=-1, keepdims=True) - together) / (count - 1)
    return np.concatenate([together, together - others])


def picks(texts: Sequence[str], regions: Sequence[Region], found: Float64, style: Style) -> Iterator[Pick]:
    """Which region each variant takes each text for; `found` are its scores (variants, r, l)."""
    for prompt, table in zip(variants(style), found, strict=True):
        for place, text in enumerate(texts):
            order = np.argsort(-table[:, place], kind="stable")
            best, score = int(order[0]), float(table[order[0], place])
            box: Box = regions[best].box
            ahead = score - float(table[order[1], place])
            yield Pick(prompt, text, best + 1, regions[best].name, *box, score, ahead)


def answered(
    backend: Backend, scene: Scene, called: Sequence[str], logits: Logits, style: Style, progress: Progress
) -> Answers:
    """Ask of one picture where each of its names is.

    Args:
        backend: who is asked.
        scene: at least two regions, at least one of them with a name of its own.
        called: every name that `logits` gives a column for; all but the one asked for are subtracted.
        logits: of those names.
        style: how regions are marked.
        progress: told the share that is done.
    """
    picture = working_copy(scene.picture, backend.card.image_size)
    rows = encoded(backend, picture, [region.box for region in scene.regions], style, progress)
    values = logits(rows.reshape(-1, rows.shape[-1])).reshape(*rows.shape[:2], -1)
    asked = np.array(scene.asked, dtype=np.intp)
    columns = [list(called).index(scene.regions[place].name) for place in asked]
    found = scores(values)[:, :, columns]
    taken = found.argmax(axis=1)
    second = np.partition(found, -2, axis=1)[:, -2]
    taken[found.max(axis=1) - second < TIE] = NOBODY
    return Answers(taken == asked, taken, asked, len(scene.regions))


def accuracy(found: Sequence[Answers], style: Style, seed: int) -> tuple[Pointed, ...]:
    """The table `pointing` from the answers of every picture."""
    right = np.array([one.right.sum(axis=1) for one in found], dtype=np.float64).T  # (v, pictures)
    asked = np.array([len(one.asked) for one in found], dtype=np.float64)
    chance = float(sum(len(one.asked) / one.regions for one in found) / asked.sum())
    low, high = _intervals(right, asked, seed)
    by_chance = _dealt(found, seed)
    reached = (by_chance >= right.sum(axis=1)[:, None]).sum(axis=1)
    p = p_value(reached, SWAPS, exact=False)
    adjusted = benjamini_hochberg(p.tolist())
    return tuple(
        Pointed(
            name, int(right[row].sum()), int(asked.sum()), float(right[row].sum() / asked.sum()), float(low[row]),
            float(high[row]), chance, len(found), float(p[row]), adjusted[row],
        )
        for row, name in enumerate(variants(style))
    )  # fmt: skip


def _intervals(right: Float64, asked: Float64, seed: int) -> tuple[Float64, Float64]:
    if len(asked) < FEW:
        cuts = [wilson(int(count), int(asked.sum())) for count in right.sum(axis=1)]
        return np.array([cut.low for cut in cuts]), np.array([cut.high for cut in cuts])
    draws = np.concatenate(
        [
            weights @ right.T / (weights @ asked)[:, None]
            for weights in bootstrap_weights(len(asked), RESAMPLES, seed)
        ]
    )
    low, high = ends(draws)
    for row, count in enumerate(right.sum(axis=1)):
        if count in (0, asked.sum()):  # resampling what is all alike tells nothing
            cut = wilson(len(asked) if count else 0, len(asked))
            low[row], high[row] = cut.low, cut.high
    return low, high


def _dealt(found: Sequence[Answers], seed: int) -> Float64:
    """How many answers would be right, (v, SWAPS), were the names of each picture dealt by chance."""
    rng = np.random.default_rng([seed, 8])
    total = np.zeros((len(found[0].taken), SWAPS))
    for one in found:
        order = rng.permuted(np.broadcast_to(np.arange(one.regions), (SWAPS, one.regions)), axis=1)
        dealt = order[:, one.asked]  # (SWAPS, q): where each name went
        total += (one.taken[:, None, :] == dealt[None]).sum(axis=-1)
    return total
