"""Embeddings as exact sums of what heads, MLPs and constants write (Gandelsman 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Embeddings of n pictures or texts, each an exact sum of terms in the shared space.

        embedding = initial + heads.sum((1, 2)) + mlps.sum(1) + constant

    Each term has already been put through the last norm (with the mean and deviation of the whole held fixed) and
    the projection, and divided by the norm of the whole. What a head writes has at most the head's width e
    dimensions, so it is kept as e numbers for each picture and one matrix for all pictures:
    `heads[i, l, h] = outputs[i, l, h] @ writes[l, h]`. That is d / e times smaller, and loses nothing.

    Attributes:
        outputs: (n, L, H, e), each head's output, summed over the tokens it reads.
        writes: (L, H, e, d), what each head does with its output.
        mlps: (n, M, d), with M = L in a transformer that is read at one token, 1 or 0 in a pooling layer.
        initial: (n, d), the token that is read as it enters the first layer; zeros where a pooling layer starts
            anew.
        constant: (n, d), output biases of attention and the biases of the last norm and projection.
        embedding: (n, d), the model's own unit embedding in float32.
        error: largest absolute difference between the sum and `embedding`.
        layers: L names, such as `layer 1` or `pooling`.
        by_token: (n, L, H, T, e), outputs before the sum over tokens; None unless asked for.
        prefix: tokens before the first patch: 1 with a class token, else 0.
        grid: (rows, columns) of patches, T = prefix + rows x columns; None for texts.
    """

    outputs: Float32
    writes: Float32
    mlps: Float32
    initial: Float32
    constant: Float32
    embedding: Float32
    error: float
    layers: tuple[str, ...]
    by_token: Float32 | None = None
    prefix: int = 1
    grid: tuple[int, int] | None = None

    @property
    def heads(self) -> Float32:
        """The terms of all heads, (n, L, H, d)."""
        written: Float32 = np.einsum("nlhe,lhed->nlhd", self.outputs, self.writes, optimize=True)
        return written

    def head(self, layer: int, head: int) -> Float32:
        """The terms of one head, (n, d)."""
        written: Float32 = self.outputs[:, layer, head] @ self.writes[layer, head]
        return written

    def read(self, directions: Float32) -> Float32:
        """What each head's outputs have to be multiplied with to give its effect on directions, (m, L, H, e).

        Args:
            directions: (m, d), such as unit embeddings of texts.
        """
        read: Float32 = np.einsum("md,lhed->mlhe", directions, self.writes, optimize=True)
        return read

    def effects(self, directions: Float32) -> Float32:
        """Direct effect of each head on directions, (n, m, L, H): its term . direction.

        Args:
            directions: (m, d), such as unit embeddings of texts.
        """
        effects: Float32 = np.einsum("nlhe,mlhe->nmlh", self.outputs, self.read(directions), optimize=True)
        return effects

    def token_effects(self, directions: Float32) -> Float32:
        """Direct effect of each head through each token it reads, (n, m, L, H, T).

        Args:
            directions: (m, d), such as unit embeddings of texts.

        Raises:
            ValueError: terms were not asked for by token.
        """
        if self.by_token is None:
            raise ValueError("these terms are not by token; decompose with by_token=True")
        effects: Float32 = np.einsum("nlhte,mlhe->nmlht", self.by_token, self.read(directions), optimize=True)
        return effects

    def some(self, places: Sequence[int] | NDArray[np.intp]) -> Decomposition:
        """Those of some pictures or texts, in that order."""
        chosen = list(places)
        rows: dict[str, Any] = {name: getattr(self, name)[chosen] for name in _rows(self)}
        return replace(self, **rows)

    def total(self) -> Float32:
        """The sum of all terms, (n, d), which is `embedding` but for `error`."""
        summed: Float32 = (
            np.einsum("nlhe,lhed->nd", self.outputs, self.writes, optimize=True)
            + self.mlps.sum(axis=1)
            + self.initial
            + self.constant
        )
        return summed


def _rows(taken: Decomposition) -> tuple[str, ...]:
    """Names of the arrays that have a row for each picture or text."""
    names = ("outputs", "mlps", "initial", "constant", "embedding")
    return names if taken.by_token is None else (*names, "by_token")


def joined(parts: Sequence[Decomposition]) -> Decomposition:
    """One decomposition of several by the same tower, in their order.

    Raises:
        ValueError: there are none.
    """
    if not parts:
        raise ValueError("there is nothing to join")
    together: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _rows(parts[0])
    }
    return replace(parts[0], error=max(part.error for part in parts), **together)
