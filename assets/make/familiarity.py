"""What ships with the model so that a reader can say "this is unlike anything this model was trained on".

`familiarity.safetensors`, float32 tensors:

| name | shape | what it is |
|---|---|---|
| `mean` | (d,) | mean of unit picture embeddings of training scenes |
| `precision` | (d, d) | inverse of their Ledoit-Wolf covariance |
| `threshold` | (1,) | 99th percentile of the squared distance over scenes in the held-out style |
| `plain_threshold` | (1,) | 1st percentile of the plainness (below) over the same scenes |
| `longest_caption` | (1,) | tokens of the longest training caption, start and end tokens counted |

Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.

A picture with unit embedding u is unfamiliar when (u - mean)^T precision (u - mean) > threshold, or when its
plainness is below plain_threshold. Plainness is read off the picture as the tower sees it (48 x 48, RGB in
0..1, before mean and standard deviation): the share of the pixels of its one-pixel border that lie within 0.08
(largest channel difference) of the border's median colour. Drawings stand on plain grounds; photos seldom do.

`vocabulary.txt`: every word of the training captions, lower case, one a line, sorted; a word is a match of
`[a-z0-9]+` after accents are taken off (NFKD). A text is unfamiliar when it has a word outside the list, or
more than `longest_caption` tokens. Safetensors' metadata repeat the two rules in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from sklearn.covariance import LedoitWolf

PLAIN = 0.08
RULES = {
    "picture": "unfamiliar if (u-mean)^T precision (u-mean) > threshold or plainness < plain_threshold",
    "plainness": "share of the one-pixel border at 48 x 48 within 0.08 of its median colour in every channel",
    "text": "unfamiliar if a word is not in vocabulary.txt or it has more tokens than longest_caption",
}


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, lower case, accents taken off."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))


def plainness(pictures: torch.Tensor) -> torch.Tensor:
    """How plain the border of each picture `(n, 3, h, w)` in 0..1 is: `(n,)` in 0..1."""
    top, bottom = pictures[:, :, 0], pictures[:, :, -1]
    left, right = pictures[:, :, 1:-1, 0], pictures[:, :, 1:-1, -1]
    border = torch.cat([top, bottom, left, right], 2)
    distance = (border - border.median(2, keepdim=True).values).abs().amax(1)
    return (distance <= PLAIN).float().mean(1)


def squared_distance(
    embeddings: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], precision: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Squared Mahalanobis distances `(n,)` of rows `(n, d)`."""
    centred = embeddings - mean
    distance: npt.NDArray[np.float64] = np.einsum("nd,de,ne->n", centred, precision, centred)
    return distance


def write(
    folder: Path,
    trained: npt.NDArray[np.float64],
    held_out: npt.NDArray[np.float64],
    held_out_pictures: torch.Tensor,
    captions: Iterable[str],
    longest: int,
) -> None:
    """Fit on unit embeddings of training scenes `(n, d)`, set thresholds on held-out ones `(m, d)`, write."""
    fit = LedoitWolf().fit(trained)
    mean, precision = fit.location_, fit.precision_
    tensors = {
        "mean": mean,
        "precision": precision,
        "threshold": np.percentile(squared_distance(held_out, mean, precision), [99.0]),
        "plain_threshold": np.percentile(plainness(held_out_pictures).numpy(), [1.0]),
        "longest_caption": np.array([float(longest)]),
    }
    ready = {
        name: torch.tensor(np.asarray(values), dtype=torch.float32).contiguous()
        for name, values in tensors.items()
    }
    path = folder / "familiarity.safetensors"
    save_file(ready, path, metadata=RULES)
    path.chmod(0o644)  # safetensors writes it for its owner alone
    vocabulary = sorted({word for caption in captions for word in words(caption)})
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
