"""Whether a picture or a text is unlike anything a bundled model was trained on.

Only bundled models can say: `familiarity.safetensors` and `vocabulary.txt` lie beside their weights. A picture
with unit embedding u (d,) is unfamiliar when its squared Mahalanobis distance (u - mean)^T precision (u - mean)
exceeds `threshold`, or when two colours make up less of the border of what the tower sees than `border_threshold`
(the grounds of its world are plain or a pattern of two colours; those of photos seldom are). A text is unfamiliar
when it holds a word outside the vocabulary, or has more tokens than the longest training caption.
`assets/make/familiarity.py` defines the same and writes the files.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from probes.core.model import Float32
from probes.core.pictures import RGB

TOLERANCE = 0.05
"""Largest channel difference, 0..1, at which two pixels of the border count as one colour."""


@dataclass(frozen=True, eq=False)
class Familiarity:
    """What a bundled model was trained on, in short.

    Attributes:
        mean: (d,) of the unit embeddings of training pictures.
        precision: (d, d), inverse of their covariance.
        threshold: on the squared Mahalanobis distance.
        border_threshold: on `two_colour_share`.
        longest: tokens of the longest training caption, start and end counted.
        words: all words of the training captions.
    """

    mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    threshold: float
    border_threshold: float
    longest: int
    words: frozenset[str]

    @classmethod
    def read(cls, folder: Path | None) -> Familiarity | None:
        """From a model's folder; None where there is no folder, or none of the files."""
        if folder is None or not (folder / "familiarity.safetensors").is_file():
            return None
        tensors = load_file(folder / "familiarity.safetensors")
        return cls(
            mean=tensors["mean"].astype(np.float64),
            precision=tensors["precision"].astype(np.float64),
            threshold=float(tensors["threshold"][0]),
            border_threshold=float(tensors["border_threshold"][0]),
            longest=int(tensors["longest_caption"][0]),
            words=frozenset((folder / "vocabulary.txt").read_text(encoding="utf-8").split()),
        )

    def picture(self, embedding: Float32, seen: RGB) -> str | None:
        """A sentence if a picture is unfamiliar.

        Args:
            embedding: (d,), unit length.
            seen: what the tower sees of it.
        """
        away = embedding.astype(np.float64) - self.mean
        if float(away @ self.precision @ away) > self.threshold:
            return "this picture is unlike anything this model was trained on; what it says of it means little"
        if two_colour_share(seen) < self.border_threshold:
            return (
                "this model was trained on drawings on a ground of one or two colours, not on one like this; "
                "what it says of it means little"
            )
        return None

    def text(self, text: str, length: int) -> str | None:
        """A sentence if a text is unfamiliar.

        Args:
            text: as it was given.
            length: its tokens, start and end counted.
        """
        unknown = [word for word in dict.fromkeys(words(text)) if word not in self.words]
        if unknown:
            listed = ", ".join(unknown[:5]) + (" and more" if len(unknown) > 5 else "")
            return f"this model was never trained on {'the word' if len(unknown) == 1 else 'the words'} {listed}"
        if not words(text):
            return "this model reads words in Latin letters, and this text has none"
        if length > self.longest:
            return f"this text has {length} tokens; the longest this model was trained on has {self.longest}"
        return None


def words(text: str) -> list[str]:
    """The words of a text: runs of letters a to z and digits, lower case, accents taken off."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"[a-z0-9]+", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def two_colour_share(seen: RGB) -> float:
    """How much of the one-pixel border of a picture (height, width, 3) two colours make up, 0..1.

    The first is that of the pixel most others are near, the second that of the pixel most of the rest are near.
    """
    unit = seen.astype(np.float32) / 255
    border = np.concatenate([unit[0], unit[-1], unit[1:-1, 0], unit[1:-1, -1]])
    near = np.abs(border[:, None] - border[None]).max(axis=2) <= TOLERANCE
    left = np.ones(len(border), dtype=bool)
    for _ in range(2):
        first = int(((near & left).sum(axis=1) * left).argmax())
        left = left & ~near[first]
    return float(1 - left.mean())
