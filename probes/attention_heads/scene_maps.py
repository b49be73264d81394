r"""Maps over patches of what is in the shipped scenes, of several kinds.

For a thing with name t in a picture, a map gives a number to every patch, larger where more speaks for t:

    patch terms               sum over layers and heads of term(patch) . (t - mean of all names), the contrast
    patch terms, text alone   the same with t in place of the contrast
    attention                 of the token that is read in the last layer, mean over heads: it knows no text
    gradient                  |d cosine(picture, t) / d colour|, summed over colours, mean over a patch's pixels
    noise                     normal numbers: what a map gets by chance

The gradient is that of Simonyan, Vedaldi & Zisserman (2014, arXiv:1312.6034), summed over colours. It has no
sign: gradient times colour, summed with its sign, orders pixels little better than noise. The mean over patches
gives it the resolution of the other maps, so that no difference is one of resolution. It is of the text alone,
since the contrast would need a gradient for every name and picture: held against it fairly is `patch terms, text
alone`.

The scenes are square, and a square tower sees them whole; others are refused.

Reference: Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916, section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes import scenes
from probes.core.model import Backend, Float32, Progress, no_progress
from probes.core.pictures import Picture

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

PATCH_TERMS, ALONE, ATTENTION, GRADIENT, NOISE = (
    "patch terms",
    "patch terms, text alone",
    "attention",
    "gradient",
    "noise",
)
TEMPLATE = "a picture of {}"
"""One, for all kinds alike: gradients of several would take as many times as long."""


@dataclass(frozen=True, eq=False)
class Things:
    """What is to be found.

    Attributes:
        pictures: P of them.
        names: m names of all things in the set, each once.
        picture: (n,), the place of the picture that each thing is in.
        name: (n,), the place of its name.
        truth: (n, height, width), its pixels.
    """

    pictures: tuple[Picture, ...]
    names: tuple[str, ...]
    picture: NDArray[np.intp]
    name: NDArray[np.intp]
    truth: Bools


def shipped(seed: int, most: int | None = None) -> Things:
    """The things of the shipped scenes, or of some of these by chance."""
    names = scenes.pictures().names
    if most is not None and most < len(names):
        chosen = np.random.default_rng([seed, 43]).choice(len(names), most, replace=False)
        names = tuple(names[place] for place in np.sort(chosen))
    pictures = tuple(one for one in scenes.pictures().read(names) if isinstance(one, Picture))
    every = tuple(sorted({region.name for region in scenes.regions().rows}))
    picture, name, truth = [], [], []
    for place, shown in enumerate(pictures):
        regions = scenes.regions().of(shown.name, shown.width, shown.height)
        for number, region in enumerate(regions, start=1):
            picture.append(place)
            name.append(every.index(region.name))
            truth.append(scenes.masks()[shown.name] == number)
    return Things(pictures, every, np.array(picture, np.intp), np.array(name, np.intp), np.stack(truth))


def _texts(backend: Backend, things: Things) -> Float32:
    return backend.encode_texts([TEMPLATE.format(name) for name in things.names])


def patch_maps(backend: Backend, things: Things, progress: Progress = no_progress) -> dict[str, Float64]:
    """What all heads add through each patch, (n, rows, columns): for the contrast, and for the text alone."""
    texts, batches, done = _texts(backend, things), [], 0
    for taken in backend.decompose_each(things.pictures, by_token=True, progress=progress):
        if taken.by_token is None or taken.grid is None:
            raise ValueError("these terms are not by patch")
        # `token_effects` summed over layers and heads, without ever holding those of each head
        added = np.einsum("nlhte,mlhe->nmt", taken.by_token, taken.read(texts), optimize=True)
        some = np.flatnonzero((things.picture >= done) & (things.picture < done + len(added)))
        shape = (len(some), *taken.grid)
        every = added[things.picture[some] - done, :, taken.prefix :].astype(np.float64)  # (some, m, patches)
        own = every[np.arange(len(some)), things.name[some]]
        batches.append(np.stack([(own - every.mean(axis=1)).reshape(shape), own.reshape(shape)]))
        done += len(added)
    contrast, alone = np.concatenate(batches, axis=1)
    return {PATCH_TERMS: contrast, ALONE: alone}


def attention_maps(
    backend: Backend, things: Things, grid: tuple[int, int], progress: Progress = no_progress
) -> Float64:
    """Attention of the last layer, mean over heads, (n, rows, columns); one map for all things of a picture."""
    last = backend.attention(things.pictures, progress)[:, -1].mean(axis=1, dtype=np.float64)
    patches = last[:, last.shape[1] - grid[0] * grid[1] :].reshape(-1, *grid)
    return np.asarray(patches[things.picture])


def gradient_maps(
    backend: Backend, things: Things, grid: tuple[int, int], progress: Progress = no_progress
) -> Float64:
    """The gradient's size over each patch, (n, rows, columns)."""
    maps = np.empty((len(things.name), *grid))
    for place, (picture, name) in enumerate(zip(things.picture, things.name, strict=True)):
        progress(place / len(maps), "gradients")
        slope = backend.gradient(things.pictures[picture], TEMPLATE.format(things.names[name]))
        maps[place] = over_patches(np.abs(slope).sum(axis=2, dtype=np.float64), grid)
    return maps


def over_patches(pixels: Float64, grid: tuple[int, int]) -> Float64:
    """Means of pixels (height, width) over each patch, (rows, columns); what no patch covers is left out."""
    rows, columns = grid
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    cells = pixels[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return np.asarray(cells.mean(axis=(1, 3)))
