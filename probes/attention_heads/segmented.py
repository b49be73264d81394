r"""How well patch terms find what a text names, as masks on the shipped scenes, against other kinds of maps.

What each kind of map is stands in `scene_maps`. All are brought to the picture's size alike, and become masks by
a rule without a free number (`segmenting`).

Patch terms are compared with each other kind, paired over pictures: percentile bootstrap of the difference; p
from exchanging, picture by picture, what the two kinds found; Benjamini-Hochberg over kinds and both measures.
Counts of pixels are summed over pictures before they are divided, in resamples and under the null as well.

Reference: Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916, section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.scene_maps import (
    ALONE,
    ATTENTION,
    GRADIENT,
    NOISE,
    PATCH_TERMS,
    Things,
    attention_maps,
    gradient_maps,
    patch_maps,
    shipped,
)
from probes.attention_heads.segmenting import Float64, above_mean, enlarged, measured, miou
from probes.core.errors import CapabilityError
from probes.core.model import Backend, Capability, Progress, no_progress
from probes.core.pictures import RGB, Raster
from probes.core.resampling import RESAMPLES, at_least, bootstrap_weights, ends, p_value, sign_flips
from probes.core.statistics import benjamini_hochberg
from probes.core.watching import part

AT_ONCE = 64
"""Maps that are enlarged at once."""
DIMMED = 0.25
"""What is left of the brightness outside a mask."""


@dataclass(frozen=True)
class MapFit:
    """A row of the table `masks`: how well one kind of map fits the masks that are known.

    Attributes:
        kind: of map.
        things, pictures: how many.
        accuracy: share of pixels called rightly.
        miou, miou_low, miou_high: mean IoU of thing and rest, with its 95 % interval over pictures.
        precision, precision_low, precision_high: average precision, mean over things, with its interval.
        miou_ahead, miou_ahead_low, miou_ahead_high, miou_p, miou_p_adjusted: by how much the patch terms are
            ahead of this kind; None for themselves.
        precision_ahead, precision_ahead_low, precision_ahead_high, precision_p, precision_p_adjusted: the same.
    """

    kind: str
    things: int
    pictures: int
    accuracy: float
    miou: float
    miou_low: float
    miou_high: float
    precision: float
    precision_low: float
    precision_high: float
    miou_ahead: float | None = None
    miou_ahead_low: float | None = None
    miou_ahead_high: float | None = None
    miou_p: float | None = None
    miou_p_adjusted: float | None = None
    precision_ahead: float | None = None
    precision_ahead_low: float | None = None
    precision_ahead_high: float | None = None
    precision_p: float | None = None
    precision_p_adjusted: float | None = None


@dataclass(frozen=True)
class Segmented:
    """All kinds of maps.

    Attributes:
        rows: the patch terms first.
        left_out: why a kind is not among them, in sentences.
    """

    rows: tuple[MapFit, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Found:
    """How one kind of map did, picture by picture.

    Attributes:
        pixels: (P, 4), as `segmenting.counts` orders them, summed over the picture's things.
        precision: (P,), average precisions of the picture's things, summed.
        things: (P,).
    """

    pixels: Float64
    precision: Float64
    things: Float64

    def measures(self, weights: NDArray[np.floating]) -> Float64:
        """Mean IoU and average precision, (b, 2), with each picture counted as often as weights (b, P) say."""
        exact = np.asarray(weights, np.float64)
        return np.stack([miou(exact @ self.pixels), exact @ self.precision / (exact @ self.things)], axis=1)


def mask_of(values: NDArray[np.floating], height: int, width: int) -> Raster:
    """The mask of one map over patches (rows, columns) at a picture's size: white where it is above its mean."""
    (mask,) = above_mean(enlarged(np.asarray(values)[None], height, width))
    return Raster.encode(np.repeat(np.where(mask, 255, 0).astype(np.uint8)[:, :, None], 3, axis=2))


def lit(view: RGB, values: NDArray[np.floating]) -> Raster:
    """A picture (height, width, 3) with all dimmed that is outside the mask of a map over patches."""
    (mask,) = above_mean(enlarged(np.asarray(values)[None], *view.shape[:2]))
    return Raster.encode(np.where(mask[:, :, None], view, (view * DIMMED).round()).astype(np.uint8))


def segment(backend: Backend, seed: int, progress: Progress = no_progress, most: int | None = None) -> Segmented:
    """Measure every kind of map that the model has.

    Args:
        backend: whose maps.
        seed: of the noise, the resamples, and which scenes are taken.
        progress: told the share that is done.
        most: so many scenes, dealt by chance; all of them for None.

    Raises:
        CapabilityError: the embedding is no sum over patches, or the tower does not see squares.
    """
    card = backend.card
    card.require(Capability.DECOMPOSE)
    if card.image_size[0] != card.image_size[1]:
        raise CapabilityError(f"{card.name} does not see squares, and would see but a part of the square scenes")
    things = shipped(seed, most)
    maps = patch_maps(backend, things, part(progress, 0.0, 0.15))
    grid, left_out = maps[ALONE].shape[1:], []
    for kind, needed, made in (
        (ATTENTION, Capability.ATTEND, attention_maps),
        (GRADIENT, Capability.DIFFERENTIATE, gradient_maps),
    ):
        if card.can(needed):
            maps[kind] = made(backend, things, (grid[0], grid[1]), part(progress, *_SPAN[kind]))
        else:
            left_out.append(f"No maps of {kind}: {card.refusal(needed)}")
    maps[NOISE] = np.random.default_rng([seed, 42]).normal(size=maps[ALONE].shape)
    found = {}
    for place, (kind, values) in enumerate(maps.items()):
        share = 0.6 + 0.4 * place / len(maps)
        found[kind] = held_against(values, things, part(progress, share, share + 0.4 / len(maps)))
    return Segmented(compared(found, seed), tuple(left_out))


_SPAN = {ATTENTION: (0.15, 0.2), GRADIENT: (0.2, 0.6)}


def held_against(maps: Float64, things: Things, progress: Progress = no_progress) -> Found:
    """How maps (n, rows, columns) fit the things' masks."""
    pixels, precision = np.zeros((len(things.pictures), 4)), np.zeros(len(things.pictures))
    for some in _batches(len(maps)):
        progress(some.start / len(maps), "comparing masks")
        truth, of = things.truth[some], things.picture[some]
        called, ordered = measured(enlarged(maps[some], *truth.shape[1:]), truth)
        np.add.at(pixels, of, called)
        np.add.at(precision, of, ordered)
    number = np.bincount(things.picture, minlength=len(things.pictures)).astype(np.float64)
    return Found(pixels, precision, number)


def _batches(n: int) -> Iterator[slice]:
    for start in range(0, n, AT_ONCE):
        yield slice(start, min(n, start + AT_ONCE))


def compared(found: Mapping[str, Found], seed: int) -> tuple[MapFit, ...]:
    """The rows of all kinds, the patch terms against each of the others."""
    best = found[PATCH_TERMS]
    whole = np.ones((1, len(best.things)))
    weights = np.concatenate(list(bootstrap_weights(len(best.things), RESAMPLES, seed)))
    drawn = {kind: one.measures(weights) for kind, one in found.items()}
    rows = []
    for kind, one in found.items():
        (value,), (low, high) = one.measures(whole), ends(drawn[kind])
        total = one.pixels.sum(axis=0)
        row = MapFit(
            kind, int(one.things.sum()), len(one.things), float((total[0] + total[2]) / total.sum()),
            float(value[0]), float(low[0]), float(high[0]), float(value[1]), float(low[1]), float(high[1]),
        )  # fmt: skip
        if kind != PATCH_TERMS:
            ahead = (best.measures(whole) - one.measures(whole))[0]
            low, high = ends(drawn[PATCH_TERMS] - drawn[kind])
            p = exchanged_p(best, one, ahead, seed)
            row = replace(
                row, miou_ahead=float(ahead[0]), miou_ahead_low=float(low[0]), miou_ahead_high=float(high[0]),
                miou_p=float(p[0]), precision_ahead=float(ahead[1]), precision_ahead_low=float(low[1]),
                precision_ahead_high=float(high[1]), precision_p=float(p[1]),
            )  # fmt: skip
        rows.append(row)
    return _adjusted(rows)


def exchanged_p(one: Found, other: Found, ahead: Float64, seed: int) -> Float64:
    """Two-tailed p, (2,), of the differences with what the two kinds found exchanged in pictures by chance."""
    flips, exact = sign_flips(len(one.things), seed)
    reached, arrangements = np.zeros(2, np.intp), 0
    for signs in flips:
        stays = (1 + signs.astype(np.float64)) / 2
        first = _mixed(one, other, stays)
        second = _mixed(other, one, stays)
        reached += at_least(np.abs(first - second), np.abs(ahead)).sum(axis=0)
        arrangements += len(signs)
    return p_value(reached, arrangements, exact)


def _mixed(one: Found, other: Found, stays: Float64) -> Float64:
    """Mean IoU and average precision, (b, 2), of one kind where it stays (b, P) and of the other elsewhere."""
    pixels = stays @ one.pixels + (1 - stays) @ other.pixels
    precision = stays @ one.precision + (1 - stays) @ other.precision
    return np.stack([miou(pixels), precision / one.things.sum()], axis=1)


def _adjusted(rows: list[MapFit]) -> tuple[MapFit, ...]:
    """The rows with p corrected over kinds and both measures."""
    tested = [p for row in rows for p in (row.miou_p, row.precision_p) if p is not None]
    adjusted = iter(benjamini_hochberg(tested))
    return tuple(
        row
        if row.miou_p is None
        else replace(row, miou_p_adjusted=next(adjusted), precision_p_adjusted=next(adjusted))
        for row in rows
    )
