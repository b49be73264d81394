"""Similarities attributed to words of a text and patches of a picture (Möller 2025).

With f the unit embedding of a picture x, g that of a text y, and references x' and y' without content,

    f(x) . g(y) = sum_ij A_ij + f(x') . g(y) + f(x) . g(y') - f(x') . g(y'),

i over image tokens and j over text tokens: what a pair of tokens adds, and what the references account for. Summed
over image tokens, A_ij is (f(x) - f(x')) . v_j with v_j what the word adds to the text's embedding: what a word
adds to the similarity with a picture is known without any derivative in the picture.

Reference: Möller, Tilli, Vu, Padó, "Explaining Caption-Image Interactions in CLIP Models with Second-Order
Attributions", TMLR 2025, arXiv:2408.14153.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Attribution:
    """A similarity attributed to pairs of an image token and a text token.

    Attributes:
        matrix: what each pair adds to the cosine, (T_img, T_txt).
        prefix: image tokens before the first patch.
        grid: (rows, columns) of patches.
        similarity: cosine of picture and text.
        total: what the matrix should sum to: the product of the two sides' displacements.
        error: how far its sum is from that. More steps make it smaller.
    """

    matrix: Float32
    prefix: int
    grid: tuple[int, int]
    similarity: float
    total: float
    error: float

    @property
    def explained(self) -> float:
        """The sum of the matrix."""
        return float(self.matrix.sum(dtype=np.float64))

    def over_patches(self, tokens: Sequence[int]) -> Float32:
        """What some text tokens together have in common with each patch, (rows, columns)."""
        found: Float32 = self.matrix[self.prefix :, list(tokens)].sum(axis=1).reshape(self.grid)
        return found


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each token of a text adds to its similarity with each of n pictures: `Attribution` without patches.

    Attributes:
        matrix: in cosine, (n, T_txt).
        similarity: cosine of each picture and the text, (n,).
        total: what each row should sum to, (n,).
        error: how far the sum of a row is from that at most.
    """

    matrix: Float32
    similarity: Float32
    total: Float32
    error: float
