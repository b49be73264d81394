r"""The heads of the text tower: what each adds to a text's similarity with one picture, and which tokens it read.

A text's unit embedding is an exact sum of terms, y = sum_p t^p, over heads, MLPs and constants, as a picture's is
(`probes.core.decomposition`). With the picture's unit embedding x the direct effect of a part is t^p . x, and the
effects sum to the cosine x . y. Of two texts the effects are subtracted, the second from the first, and sum to the
difference of the cosines. A head's effect is itself a sum over the tokens it reads from.

Reference: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916: the decomposition, there of the image tower alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.arrays import Floats, Packed
from probes.core.decomposition import Decomposition
from probes.core.model import Backend, Capability, Float32, Progress, no_progress
from probes.core.pictures import Picture

START, END, REST = "<start>", "<end>", "<other>"
"""What tokens without a text are called: the first, the one after the last piece, and all that follow together."""


@dataclass(frozen=True)
class TextHeadRow:
    """A row of the table `text_heads`: what one head adds, in cosine; layer and head counted from 0."""

    layer: int
    head: int
    effect: float


@dataclass(frozen=True)
class TextMlpRow:
    """A row of the table `text_mlps`: what one MLP adds, in cosine."""

    layer: int
    effect: float


@dataclass(frozen=True)
class TextTokenRow:
    """A row of the table `text_tokens`: what all heads together add through one token, in cosine.

    Attributes:
        text: which text it is a token of.
        place: counted from 0.
        token: a piece, or what a token without text is called.
        effect: on the text's own cosine, before another text's is taken off.
    """

    text: str
    place: int
    token: str
    effect: float


@dataclass(frozen=True)
class TextCheckRow:
    """The row of the table `text_check`: whether the parts sum to the whole.

    Attributes:
        similarity: cosine of text and picture, or the difference of two.
        heads, mlps, rest: what each kind adds; the rest is what enters the first layer and biases.
        sum_of_terms: of all parts.
        reconstruction_error: largest absolute difference between a text's sum of terms and its embedding.
    """

    similarity: float
    heads: float
    mlps: float
    rest: float
    sum_of_terms: float
    reconstruction_error: float


@dataclass(frozen=True, eq=False)
class TextHeads:
    """Direct effects of the parts of a text tower on the similarity with one picture.

    Attributes:
        texts: one, or two of which the second is taken off.
        heads: (L, H).
        mlps: (M,).
        rest: what enters the first layer, and biases.
        check: whether the parts sum to the whole.
        tokens: for each text what its T tokens are called.
        by_token: for each text (L, H, T), effects through each token; none unless asked for.
        layers: L names.
    """

    texts: tuple[str, ...]
    heads: Floats
    mlps: Floats
    rest: float
    check: TextCheckRow
    tokens: tuple[tuple[str, ...], ...]
    by_token: tuple[Packed, ...]
    layers: tuple[str, ...]

    @property
    def rows(self) -> tuple[TextHeadRow, ...]:
        """All heads, layer by layer."""
        return tuple(
            TextHeadRow(layer, head, float(effect)) for (layer, head), effect in np.ndenumerate(self.heads)
        )

    @property
    def mlp_rows(self) -> tuple[TextMlpRow, ...]:
        """All MLPs."""
        return tuple(TextMlpRow(layer, float(effect)) for layer, effect in enumerate(self.mlps))

    @property
    def token_rows(self) -> tuple[TextTokenRow, ...]:
        """All tokens of each text; none unless asked for."""
        return tuple(
            TextTokenRow(text, place, token, float(effect))
            for text, names, effects in zip(self.texts, self.tokens, self.by_token, strict=False)
            for place, (token, effect) in enumerate(
                zip(names, effects.sum(axis=(0, 1), dtype=np.float64), strict=True)
            )
        )


def why_not(backend: Backend) -> str | None:
    """Why the text tower's heads cannot be told apart, in a sentence; None if they can."""
    if backend.card.can(Capability.DECOMPOSE_TEXTS):
        return None
    return f"No heads of the text tower: {backend.card.lacks[Capability.DECOMPOSE_TEXTS]}."


def text_heads(
    backend: Backend,
    picture: Picture,
    text: str,
    against: str | None = None,
    by_token: bool = True,
    progress: Progress = no_progress,
) -> TextHeads:
    """The direct effects of a text tower's parts on the similarity with a picture.

    Args:
        backend: the model.
        picture: the picture.
        text: the text.
        against: another text whose effects are taken off; None for none.
        by_token: also by the tokens that were read.
        progress: told the share that is done.

    Raises:
        CapabilityError: the tower is none whose embedding is a sum over heads.
    """
    backend.card.require(Capability.DECOMPOSE_TEXTS)
    texts = (text,) if against is None else (text, against)
    direction = backend.encode_images([picture])
    taken = backend.decompose_texts(texts, by_token, progress)
    signs = np.array([1.0, -1.0][: len(texts)])
    heads = np.einsum("n,nlh->lh", signs, taken.effects(direction)[:, 0].astype(np.float64))
    mlps = np.einsum("n,nm->m", signs, _along(taken.mlps, direction[0]))
    rest = float(signs @ (_along(taken.initial, direction[0]) + _along(taken.constant, direction[0])))
    tokens, effects = _by_token(backend, taken, texts, direction) if by_token else ((), ())
    return TextHeads(
        texts=texts,
        heads=heads,
        mlps=mlps,
        rest=rest,
        check=TextCheckRow(
            similarity=float(signs @ _along(taken.embedding, direction[0])),
            heads=float(heads.sum()),
            mlps=float(mlps.sum()),
            rest=rest,
            sum_of_terms=float(heads.sum() + mlps.sum() + rest),
            reconstruction_error=taken.error,
        ),
        tokens=tokens,
        by_token=effects,
        layers=taken.layers,
    )


def _along(terms: Float32, direction: Float32) -> NDArray[np.float64]:
    """Terms (..., d) along a direction (d,), in float64."""
    found: NDArray[np.float64] = terms.astype(np.float64) @ direction.astype(np.float64)
    return found


def _by_token(
    backend: Backend, taken: Decomposition, texts: tuple[str, ...], direction: Float32
) -> tuple[tuple[tuple[str, ...], ...], tuple[Float32, ...]]:
    """For each text what its tokens are called, and the effects through each, (L, H, T)."""
    found = taken.token_effects(direction)[:, 0]
    names, effects = [], []
    for cut, each in zip(backend.tokens(texts), found, strict=True):
        called = [START] * cut.start + list(cut.pieces)
        own, after = each[..., : len(called)], each[..., len(called) :]
        parts = [own]
        if after.shape[-1]:
            called.append(END)
            parts.append(after[..., :1])
        if after.shape[-1] > 1 and np.abs(after[..., 1:]).max() > 0:  # nothing comes from behind a causal mask
            called.append(REST)
            parts.append(after[..., 1:].sum(axis=-1, keepdims=True))
        names.append(tuple(called))
        effects.append(np.ascontiguousarray(np.concatenate(parts, axis=-1), dtype=np.float32))
    return tuple(names), tuple(effects)
