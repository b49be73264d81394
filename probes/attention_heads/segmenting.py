"""Maps over patches as masks, and how well they fit masks that are known.

A map says for each patch how much it speaks for a text. It is brought to the picture's size, and a pixel is
called the thing's where the map is above its own mean (Chefer, Gur & Wolf 2021, as Gandelsman et al. 2024
measure it): a rule without a free number, the same for every kind of map. How well a map orders the pixels,
whatever the threshold, is its average precision.

References: Chefer, Gur, Wolf, "Transformer Interpretability Beyond Attention Visualization", CVPR 2021,
arXiv:2012.09838; Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916, section 4.2.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


def enlarged(maps: NDArray[np.floating], height: int, width: int) -> Float64:
    """Maps over patches (n, rows, columns) at a picture's size (n, height, width), linear between patches."""
    n, rows, columns = maps.shape
    factors = (1, height / rows, width / columns)
    found: Float64 = scipy.ndimage.zoom(
        np.asarray(maps, np.float64), factors, order=1, mode="nearest", grid_mode=True
    )
    if found.shape != (n, height, width):
        raise ValueError(f"maps of {rows} x {columns} patches do not go into {height} x {width} pixels")
    return found


def above_mean(maps: Float64) -> Bools:
    """The masks of maps (n, height, width): where each is above its own mean."""
    masks: Bools = maps > maps.mean(axis=(1, 2), keepdims=True)
    return masks


def counts(masks: Bools, truth: Bools) -> Float64:
    """Pixels of each of n masks, (n, 4): true thing, false thing, true rest, false rest."""
    called, thing = masks.reshape(len(masks), -1), truth.reshape(len(truth), -1)
    found = [called & thing, called & ~thing, ~called & ~thing, ~called & thing]
    return np.stack([pixels.sum(axis=1) for pixels in found], axis=1).astype(np.float64)


def miou(pixels: Float64) -> Float64:
    """Mean IoU of thing and rest, (...,), from counts (..., 4) as `counts` orders them."""
    true_thing, false_thing, true_rest, false_rest = np.moveaxis(pixels, -1, 0)
    wrong = false_thing + false_rest
    thing = _share(true_thing, true_thing + wrong)
    rest = _share(true_rest, true_rest + wrong)
    return (thing + rest) / 2


def _share(part: Float64, whole: Float64) -> Float64:
    """Their ratio; 1 where there is nothing to find and nothing was called."""
    return np.divide(part, whole, out=np.ones_like(part), where=whole > 0)


def measured(maps: NDArray[np.floating], truth: Bools) -> tuple[Float64, Float64]:
    """How n maps fit n masks: `counts` of the maps' own masks, (n, 4), and average precisions, (n,).

    Args:
        maps: (n, height, width), of n things.
        truth: (n, height, width), each thing's own pixels.

    Raises:
        ValueError: there is none, or a thing has no pixel or all of them.
    """
    from sklearn.metrics import average_precision_score  # takes a second to import

    if len(maps) == 0:
        raise ValueError("there are no maps")
    shares = truth.mean(axis=(1, 2))
    if shares.min() == 0 or shares.max() == 1:
        raise ValueError("a thing has no pixel, or nothing is around it")
    each = [average_precision_score(t.ravel(), m.ravel()) for t, m in zip(truth, maps, strict=True)]
    return counts(above_mean(np.asarray(maps, np.float64)), truth), np.array(each, np.float64)
