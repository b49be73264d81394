"""The one implementation of `probes.core.model.Backend`, on open_clip."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from probes.backend import capabilities, foveal, gradients, loading, tokens
from probes.backend import device as devices
from probes.backend.anatomy import Anatomy
from probes.backend.attributing import Attributor
from probes.backend.cache import MemoryStore, Store, key_of, remembered
from probes.backend.cards import make_card
from probes.backend.device import Placement
from probes.backend.digests import modules_digest
from probes.backend.disk import shared_disk
from probes.backend.encoding import Encoder, batch_of
from probes.backend.familiarity import Familiarity
from probes.backend.preprocessing import Preprocessing
from probes.backend.specs import Spec
from probes.backend.switched import Switched
from probes.core.attribution import Attribution, Contributions
from probes.core.decomposition import Decomposition, joined
from probes.core.model import Capability, Float32, ModelCard, Progress, Tokens, no_progress
from probes.core.pictures import Picture, Raster
from probes.core.switches import Switches


class Clip:
    """A loaded model behind its cache. See `probes.core.model.Backend` for what each method answers.

    Args:
        loaded: the model in memory.
        placement: where and in which precision it encodes.
        memory: embeddings computed in this process.
        disk: embeddings of texts, and of pictures whose owner asked for it; None for none.
    """

    def __init__(
        self, loaded: loading.Loaded, placement: Placement, memory: Store, disk: Store | None = None
    ) -> None:
        self._loaded, self._memory = loaded, memory
        self._model: Any = loaded.model
        self._tokenizer: Any = loaded.tokenizer
        self._cutting = threading.Lock()  # tokenizers of transformers are not safe to share
        self._placement = placement
        self._preprocessing = Preprocessing(loaded.preprocess, placement.device)
        self._familiarity = Familiarity.read(loaded.recipe.folder)
        warning = tokens.make_repeatable(self._tokenizer)
        self._lock = threading.Lock()  # one forward pass at a time, and nobody's hooks on another's
        batch = batch_of(placement)
        self._anatomy = Anatomy(
            self._model, self._tokenize, self._preprocessing, placement.device, self._lock, batch
        )
        size = self._preprocessing.size
        modules = modules_digest(self._model, loaded.recipe.config)
        pictures, texts = self._preprocessing.digest, tokens.digest(self._tokenizer)
        warned = (warning,) if warning else ()
        self._card = make_card(loaded, placement, size, self._lacks(), key_of(modules, pictures, texts), warned)
        model_key = key_of(self._card.weights_digest, modules)
        spaces = (
            key_of("image", model_key, pictures, placement.precision),
            key_of("text", model_key, texts, placement.precision),
        )
        self._focused_space = key_of("focused", spaces[0])
        self._attributor = Attributor(self._anatomy, memory, key_of("attribution", *spaces), placement.precision)
        self._encoder = Encoder(
            self._model,
            self._tokenize,
            self._preprocessing,
            placement,
            self._card.width,
            spaces,
            memory,
            disk,
            self._lock,
        )

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._card

    @property
    def nbytes(self) -> int:
        """Bytes of weights in memory."""
        return sum(value.nbytes for value in self._model.state_dict().values())

    def encode_images(
        self, pictures: Sequence[Picture], progress: Progress = no_progress, *, persist: bool = False
    ) -> Float32:
        """Unit embeddings of pictures, (n, d).

        Args:
            pictures: n pictures.
            progress: told the share that is done.
            persist: also keep the embeddings on disk. For a person's own files alone; never for uploads.

        Raises:
            ModelError: memory does not suffice even for one picture, or the weights are broken.
        """
        return self._encoder.images(pictures, progress, persist)

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Unit embeddings of texts, (n, d). Texts longer than the context are cut: see `tokens`.

        Raises:
            ModelError: memory does not suffice even for one text, or the weights are broken.
        """
        return self._encoder.texts(texts, progress)

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        """What the tower really sees of each picture, after resizing and cropping."""
        waiting = [self._preprocessing.submit(picture) for picture in pictures]
        return tuple(Raster.encode(future.result()) for future in waiting)

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        """How the tokenizer cuts each text, and whether its end is lost."""
        with self._cutting:
            return tokens.describe(self._tokenizer, texts)

    def logits(self, images: Float32, texts: Float32) -> Float32:
        """logit_scale x cosine + logit_bias for every picture and text, (n, m)."""
        cosine = np.asarray(images, np.float32) @ np.asarray(texts, np.float32).T
        return np.asarray(np.float32(self._card.logit_scale) * cosine + np.float32(self._card.logit_bias))

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Split image embeddings into terms of heads, MLPs and constants, in float32.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
            ModelError: `by_token` asks for more memory than there is.
        """
        self._card.require(Capability.DECOMPOSE)
        if by_token:
            self._anatomy.check_room(len(pictures))
        return joined(list(self.decompose_each(pictures, by_token, progress)))

    def decompose_each(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Iterator[Decomposition]:
        """The same a batch at a time, so that memory does not grow with the number of pictures.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
            ModelError: `by_token` asks for more memory than there is.
        """
        self._card.require(Capability.DECOMPOSE)
        return self._anatomy.of_pictures(pictures, by_token, progress)

    def decompose_texts(
        self, texts: Sequence[str], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Split text embeddings into terms of heads, MLPs and constants, in float32.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
        """
        self._card.require(Capability.DECOMPOSE_TEXTS)
        return joined(list(self._anatomy.of_texts(texts, by_token, progress)))

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Attention weights of the token that is read over all tokens, (n, L, H, T), rows summing to one.

        Raises:
            CapabilityError: the tower is none whose attention can be read.
        """
        self._card.require(Capability.ATTEND)
        return self._anatomy.attention(pictures, progress)

    def encode_focused(
        self,
        pictures: Sequence[Picture],
        focus: Sequence[Picture],
        strength: float,
        progress: Progress = no_progress,
    ) -> Float32:
        """Unit embeddings of pictures under foveal attention, (n, d): see `probes.backend.foveal`.

        Raises:
            CapabilityError: the tower has no class token whose attention can be biased.
            ValueError: there are not as many focuses as pictures.
        """
        self._card.require(Capability.FOCUS)
        keys = [
            key_of(self._focused_space, picture.digest, where.digest, repr(float(strength)))
            for picture, where in zip(pictures, focus, strict=True)
        ]

        def features(pixels: Tensor) -> Tensor:
            with self._placement.autocast():
                return F.normalize(self._anatomy.features(pixels).float(), dim=-1)

        def compute(chosen: Sequence[int]) -> Float32:
            some = [pictures[place] for place in chosen], [focus[place] for place in chosen]
            return foveal.focused(self._anatomy, *some, strength, features)

        size = min(self._anatomy.batch, foveal.most_at_once(self._model.visual))
        return remembered(self._memory, keys, self._card.width, size, compute, progress, "looking closer")

    def gradient(self, picture: Picture, text: str) -> Float32:
        """Gradient of cosine(picture, text) in what the tower sees, per unit of colour 0..1: (h, w, 3).

        Raises:
            CapabilityError: the tower does not let gradients through.
        """
        self._card.require(Capability.DIFFERENTIATE)
        unit = self._preprocessing.unit([self._preprocessing.pixels(picture)])
        ids = self._tokenize([text]).to(self._placement.device)

        def encode(point: Tensor) -> Tensor:
            features: Tensor = self._model.encode_image(self._preprocessing.normalise(point))
            return features

        with self._lock:
            with torch.no_grad():
                direction = F.normalize(self._model.encode_text(ids).float(), dim=-1)[0]
            slope = gradients.cosine_gradient(encode, unit, direction)
        return np.ascontiguousarray(slope.cpu().numpy())

    def attribute(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Iterator[Attribution]:
        """What each pair of a patch and a token adds to the cosine: see `probes.backend.second_order`.

        Raises:
            CapabilityError: the towers are no plain transformers.
        """
        self._card.require(Capability.ATTRIBUTE)
        return self._attributor.pairs(pictures, text, progress)

    def contributions(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Contributions:
        """The same summed over patches, for many pictures at once.

        Raises:
            CapabilityError: the towers are no plain transformers.
        """
        self._card.require(Capability.ATTRIBUTE)
        return self._attributor.contributions(pictures, text, self.encode_images, progress)

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        """For each picture a sentence if it is unlike anything the model was trained on, else None."""
        known = self._familiarity
        if known is None:
            return (None,) * len(pictures)
        embeddings = self.encode_images(pictures)
        waiting = [self._preprocessing.submit(picture) for picture in pictures]
        seen = [future.result() for future in waiting]
        return tuple(known.picture(row, pixels) for row, pixels in zip(embeddings, seen, strict=True))

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        """For each text a sentence if it is unlike anything the model was trained on, else None."""
        known = self._familiarity
        if known is None:
            return (None,) * len(texts)
        lengths = [len(cut.pieces) + cut.dropped + 2 for cut in self.tokens(texts)]
        return tuple(known.text(text, length) for text, length in zip(texts, lengths, strict=True))

    def without(self, switches: Switches, usual: Sequence[Picture]) -> Switched:
        """The same model with heads and MLPs of its image tower switched off: see `probes.backend.switched`.

        Args:
            switches: what is off.
            usual: pictures over which what is off keeps its mean.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
            ModelError: the tower has no such part.
        """
        self._card.require(Capability.DECOMPOSE)
        return Switched(self, self._anatomy, self._memory, switches, usual)

    def untrained(self, seed: int = 0) -> Clip:
        """The same architecture before any training, with weights from a seed. It is not kept in memory.

        Raises:
            ModelError: it cannot be built.
        """
        loaded = loading.untrained(self._loaded, seed)
        return Clip(loaded, self._placement, self._memory)

    def _tokenize(self, texts: Sequence[str]) -> Tensor:
        """Ids, (n, context). Lone surrogates, which no tokenizer can take, are replaced."""
        encodable = [text.encode("utf-8", errors="replace").decode("utf-8") for text in texts]
        with self._cutting:
            ids: Tensor = self._tokenizer(encodable)
        return ids

    def _lacks(self) -> dict[Capability, str]:
        """For each capability the model does not have, why."""
        anatomy = self._anatomy
        return capabilities.lacks(anatomy.images, anatomy.texts, anatomy.why_no_focus)


def open_model(spec: Spec, device: torch.device, precision: str, progress: Progress) -> Clip:
    """Load a model and put this process's cache, and this user's disk, in front of it.

    Raises:
        ModelError: see `probes.backend.load`.
    """
    loaded = loading.load(spec, device, progress)
    parameters = sum(weight.numel() for weight in loaded.model.parameters())
    placement = Placement(device, devices.choose_precision(precision, device, parameters))
    return Clip(loaded, placement, shared_memory, shared_disk())


shared_memory = MemoryStore()
"""Embeddings of all models of this process."""
