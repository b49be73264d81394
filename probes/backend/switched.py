r"""A model with heads and MLPs of its image tower switched off by mean ablation (Gandelsman 2024).

Where an embedding is a sum over parts (`probes.backend.decomposition`), a part that is off writes its mean over
other pictures instead of what it would write to this one:

    embedding' = unit( embedding - sum_off term(picture) + sum_off mean over usual pictures of term )

This takes away the parts' **direct** effect alone: what later layers had read from them stays, as in the paper.

Reference: Gandelsman, Efros, Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition",
ICLR 2024, arXiv:2310.05916, section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from probes.backend import foveal
from probes.backend.anatomy import Anatomy, known
from probes.backend.cache import Store, key_of, remembered
from probes.core.attribution import Attribution, Contributions
from probes.core.decomposition import Decomposition, joined
from probes.core.model import Capability, Float32, ModelCard, Progress, Tokens, no_progress
from probes.core.pictures import Picture, Raster
from probes.core.switches import MARK, Switches

if TYPE_CHECKING:
    from probes.backend.clip import Clip

_NO_GRADIENT = "parts of it are switched off, and their means have no gradients in the pixels"
_NO_ATTRIBUTION = "parts of it are switched off, and their means have no share in any patch"


class Switched:
    """A loaded model with parts off. See `probes.core.model.Backend` for what each method answers.

    Args:
        whole: the model with everything on.
        anatomy: of the same.
        memory: embeddings computed in this process.
        switches: what is off.
        usual: pictures over which what is off keeps its mean.

    Raises:
        ModelError: the tower has no such part.
    """

    def __init__(
        self, whole: Clip, anatomy: Anatomy, memory: Store, switches: Switches, usual: Sequence[Picture]
    ) -> None:
        reader = known(anatomy.images)
        layers, heads, _ = reader.shape
        switches.check(layers, heads, reader.mlp_count)
        self._whole, self._anatomy, self._memory, self._usual = whole, anatomy, memory, usual
        self._heads, self._mlps = switches.off(heads), tuple(sorted(switches.mlps))
        digests = [picture.digest for picture in usual]
        card = whole.card
        of_whole = card.weights_digest, card.pipeline_digest, card.precision
        self._space = key_of("switched", *of_whole, str(switches), *digests)
        self._card = _card(card, switches, self._space, len(usual))

    @property
    def card(self) -> ModelCard:
        """What is known of the model, and what is off."""
        return self._card

    @property
    def nbytes(self) -> int:
        """Bytes of weights in memory: those of the whole model, which it shares."""
        return self._whole.nbytes

    @property
    def mean(self) -> Float32:
        """What the parts that are off write together, on the mean of the usual pictures, (d,)."""
        key = key_of(self._space, "mean")
        with self._anatomy.measuring:
            kept = self._memory.get(key)
            if kept is None:
                total = np.zeros(self._card.width, np.float64)
                for part in self._whole.decompose_each(self._usual):
                    total += self._off(part).sum(axis=0, dtype=np.float64)
                kept = (total / len(self._usual)).astype(np.float32)
                self._memory.put(key, kept)
            return kept

    def encode_images(
        self, pictures: Sequence[Picture], progress: Progress = no_progress, *, persist: bool = False
    ) -> Float32:
        """Unit embeddings of pictures, (n, d). They are never kept on disk."""
        keys = [key_of(self._space, picture.digest) for picture in pictures]
        preprocessing = self._anatomy.preprocessing

        def compute(chosen: Sequence[int]) -> Float32:
            waiting = [preprocessing.submit(pictures[place]) for place in chosen]
            pixels = preprocessing.normalise(preprocessing.unit([future.result() for future in waiting]))
            mean = self.mean  # before the lock, which measuring it takes
            with self._anatomy.lock, torch.inference_mode():
                return np.asarray(self._features(pixels, mean).cpu().numpy())

        return remembered(self._memory, keys, self._card.width, self._anatomy.batch, compute, progress, "encoding")

    def encode_focused(
        self,
        pictures: Sequence[Picture],
        focus: Sequence[Picture],
        strength: float,
        progress: Progress = no_progress,
    ) -> Float32:
        """Unit embeddings of pictures under foveal attention, (n, d).

        Raises:
            CapabilityError: the tower has no class token whose attention can be biased.
        """
        self._card.require(Capability.FOCUS)
        keys = [
            key_of(self._space, "focused", picture.digest, where.digest, repr(float(strength)))
            for picture, where in zip(pictures, focus, strict=True)
        ]
        mean = self.mean

        def compute(chosen: Sequence[int]) -> Float32:
            some = [pictures[place] for place in chosen], [focus[place] for place in chosen]
            return foveal.focused(self._anatomy, *some, strength, lambda pixels: self._features(pixels, mean))

        size = min(self._anatomy.batch, foveal.most_at_once(self._anatomy.model.visual))
        return remembered(self._memory, keys, self._card.width, size, compute, progress, "looking closer")

    def _features(self, pixels: Tensor, mean: Float32) -> Tensor:
        """Unit embeddings of what the tower takes in; the caller holds the lock."""
        embedding, written = self._anatomy.written(pixels, self._heads, self._mlps)
        return F.normalize(embedding - written + torch.tensor(mean, device=written.device), dim=-1)

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Terms of what is left; what is off writes nothing, and its mean is among the constants."""
        return joined(list(self.decompose_each(pictures, by_token, progress)))

    def decompose_each(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Iterator[Decomposition]:
        """The same a batch at a time."""
        mean = self.mean
        for part in self._whole.decompose_each(pictures, by_token, progress):
            yield self._without(part, mean)

    def _without(self, part: Decomposition, mean: Float32) -> Decomposition:
        left = part.embedding - self._off(part) + mean
        length = np.linalg.norm(left, axis=1, keepdims=True)
        on = np.ones(part.outputs.shape[1:3], np.float32)
        for layer, head in self._heads:
            on[layer, head] = 0
        mlps_on = np.ones(part.mlps.shape[1], np.float32)
        mlps_on[list(self._mlps)] = 0
        by_token = part.by_token
        if by_token is not None:
            by_token = by_token * on[None, :, :, None, None] / length[:, :, None, None, None]
        return replace(
            part,
            outputs=part.outputs * on[None, :, :, None] / length[:, :, None, None],
            mlps=part.mlps * mlps_on[None, :, None] / length[:, :, None],
            initial=part.initial / length,
            constant=(part.constant + mean) / length,
            embedding=left / length,
            error=part.error / float(length.min()),
            by_token=by_token,
        )

    def _off(self, part: Decomposition) -> Float32:
        """What the parts that are off write together to each picture, (n, d)."""
        total: Float32 = part.mlps[:, list(self._mlps)].sum(axis=1)
        for layer, head in self._heads:
            total = total + part.head(layer, head)
        return total

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Unit embeddings of texts, (n, d), of which nothing is off."""
        return self._whole.encode_texts(texts, progress)

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        """What the tower really sees of each picture."""
        return self._whole.preprocess(pictures)

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        """How the tokenizer cuts each text."""
        return self._whole.tokens(texts)

    def logits(self, images: Float32, texts: Float32) -> Float32:
        """logit_scale x cosine + logit_bias, (n, m)."""
        return self._whole.logits(images, texts)

    def decompose_texts(
        self, texts: Sequence[str], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Terms of texts, of which nothing is off."""
        return self._whole.decompose_texts(texts, by_token, progress)

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Attention weights, which switching off leaves as they are, (n, L, H, T)."""
        return self._whole.attention(pictures, progress)

    def gradient(self, picture: Picture, text: str) -> Float32:
        """Refuse."""
        raise self._card.refusal(Capability.DIFFERENTIATE)

    def attribute(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Iterator[Attribution]:
        """Refuse."""
        raise self._card.refusal(Capability.ATTRIBUTE)

    def contributions(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Contributions:
        """Refuse."""
        raise self._card.refusal(Capability.ATTRIBUTE)

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        """What the whole model was not trained on."""
        return self._whole.unfamiliar_pictures(pictures)

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        """What the whole model was not trained on."""
        return self._whole.unfamiliar_texts(texts)

    def untrained(self, seed: int = 0) -> Clip:
        """The architecture before any training, with everything on."""
        return self._whole.untrained(seed)


def _card(whole: ModelCard, switches: Switches, digest: str, count: int) -> ModelCard:
    warning = (
        f"Parts of the image tower are switched off ({str(switches).replace(',', ', ')}): each writes its mean "
        f"over {count} other pictures. What later layers had read from them stays."
    )
    return replace(
        whole,
        spec=f"{whole.spec}{MARK}{switches}",
        name=switches.named(whole.name),
        weights_digest=digest,
        precision="float32",
        lacks={
            **whole.lacks,
            Capability.DIFFERENTIATE: _NO_GRADIENT,
            Capability.ATTRIBUTE: whole.lacks.get(Capability.ATTRIBUTE, _NO_ATTRIBUTION),
        },
        warnings=(*whole.warnings, warning),
    )
