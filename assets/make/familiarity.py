"""What ships with each model so that a reader can say "this is unlike anything this model was trained on".

`familiarity.safetensors`, float32 tensors:

| name | shape | what it is |
|---|---|---|
| `mean` | (d,) | mean of unit picture embeddings of training scenes |
| `precision` | (d, d) | inverse of their Ledoit-Wolf covariance |
| `threshold` | (1,) | 99.5th percentile of the squared distance over scenes in the held-out style |
| `border_threshold` | (1,) | 0.5th percentile of the two-colour share (below) over the same scenes |
| `longest_caption` | (1,) | tokens of the longest training caption, start and end tokens counted |

Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.

A picture with unit embedding u is unfamiliar when (u - mean)^T precision (u - mean) > threshold, or when its
two-colour share is below border_threshold. That is read off the picture as the tower sees it (square, RGB in 0..1,
before mean and standard deviation): take the pixel of its one-pixel border that has the most border pixels within
0.05 of it (largest channel difference), take those away, do so once more, and count the share taken away. The
world's grounds are plain or a pattern of two colours, and things cover little of the border; photos have more.

`vocabulary.txt`: every word of the training captions, lower case, one a line, sorted; a word is a match of
`[a-z0-9]+` after accents are taken off (NFKD). A text is unfamiliar when it has a word outside the list, or
more than `longest_caption` tokens. Safetensors' metadata repeat the two rules in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from safetensors.torch import save_file
from sklearn.covariance import LedoitWolf

from assets.make.evaluate import Tokenizer, embed_pictures
from assets.world.pairs import World
from assets.world.scene import Scene
from assets.world.vocabulary import all_texts, longest_captions

TOLERANCE = 0.05
SCENES = (
    4096  # scenes to fit on, half of them pairs of names; half as many, in the held-out style, set the thresholds
)
BATCH = 128
RULES = {
    "picture": "unfamiliar if (u-mean)^T precision (u-mean) > threshold or two-colour share < border_threshold",
    "two-colour share": "of the one-pixel border: within 0.05, in every channel, of the pixel most others are "
    "near, or, of the rest, of the pixel most of the rest are near",
    "text": "unfamiliar if a word is not in vocabulary.txt or it has more tokens than longest_caption",
}


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, lower case, accents taken off."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))


def two_colour_share(pictures: torch.Tensor) -> torch.Tensor:
    """How much of the border of each picture `(n, 3, h, w)` in 0..1 two colours make up: `(n,)` in 0..1."""
    sides = (pictures[:, :, 0], pictures[:, :, -1], pictures[:, :, 1:-1, 0], pictures[:, :, 1:-1, -1])
    border = torch.cat(sides, 2).transpose(1, 2)
    near = ((border[:, :, None] - border[:, None]).abs().amax(3) <= TOLERANCE).float()
    left = torch.ones(border.shape[:2])
    for _ in range(2):
        neighbours = (near @ left[:, :, None])[..., 0] * left
        first = neighbours.argmax(1)
        left = left * (1 - near[torch.arange(len(near)), first])
    return 1 - left.mean(1)


def squared_distance(
    embeddings: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], precision: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Squared Mahalanobis distances `(n,)` of rows `(n, d)`."""
    centred = embeddings - mean
    distance: npt.NDArray[np.float64] = np.einsum("nd,de,ne->n", centred, precision, centred)
    return distance


def make(
    folder: Path, model: open_clip.CLIP, tokenizer: Tokenizer, world: World, held_out: World, first: int
) -> None:
    """Write both files for a model, from pairs that it was not trained on, `first` and on."""
    names = [world.pair(index).scene for index in range(SCENES // 2)]
    trained, _ = look(model, world, [*names, *scenes(world, SCENES // 2, first)])
    embeddings, shares = look(model, held_out, scenes(held_out, SCENES // 2, first))
    tensors = fit(trained, embeddings, shares, longest_caption(tokenizer, world))
    path = folder / "familiarity.safetensors"
    save_file(tensors, path, metadata=RULES)
    path.chmod(0o644)  # safetensors writes it for its owner alone
    vocabulary = sorted({word for caption in all_texts(world) for word in words(caption)})
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")


def scenes(world: World, count: int, first: int) -> list[Scene]:
    """Scenes of all kinds of pairs from number `first` on, those aside that the drawings cannot make."""
    found: list[Scene] = []
    index = first
    while len(found) < count:
        with suppress(KeyError):  # the held-out style has no people at work
            found.append(world.pair(index).scene)
        index += 1
    return found


def look(
    model: open_clip.CLIP, world: World, drawn: Sequence[Scene]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Unit embeddings `(n, d)` of scenes, and the two-colour shares `(n,)` of what the tower sees."""
    embeddings, shares = [], []
    for k in range(0, len(drawn), BATCH):
        pictures = world.draw(drawn[k : k + BATCH])
        embeddings.append(embed_pictures(model, pictures))
        shares.append(two_colour_share(pictures))
    return torch.cat(embeddings).double().numpy(), torch.cat(shares).double().numpy()


def fit(
    trained: npt.NDArray[np.float64],
    held_out: npt.NDArray[np.float64],
    shares: npt.NDArray[np.float64],
    longest: int,
) -> dict[str, torch.Tensor]:
    """Fit on unit embeddings of training scenes `(n, d)`; set the thresholds on held-out ones `(m, d)`, `(m,)`."""
    covariance = LedoitWolf().fit(trained)
    mean, precision = covariance.location_, covariance.precision_
    tensors = {
        "mean": mean,
        "precision": precision,
        "threshold": np.percentile(squared_distance(held_out, mean, precision), [99.5]),
        "border_threshold": np.percentile(shares, [0.5]),
        "longest_caption": np.array([float(longest)]),
    }
    return {
        name: torch.tensor(np.asarray(values), dtype=torch.float32).contiguous()
        for name, values in tensors.items()
    }


def longest_caption(tokenizer: Tokenizer, world: World) -> int:
    """Tokens of the longest caption the world can make, start and end counted."""
    candidates = list(longest_captions(world))
    return int((tokenizer(candidates) != 0).sum(1).max())
