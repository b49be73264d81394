"""The one implementation of `probes.core.model.Backend`, on open_clip."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from probes.backend import device as devices
from probes.backend import loading, tokens
from probes.backend.batching import Batcher
from probes.backend.cache import MemoryStore, Store, key_of
from probes.backend.cards import make_card
from probes.backend.device import Placement
from probes.backend.preprocessing import Preprocessing
from probes.backend.specs import Spec
from probes.core.errors import ModelError
from probes.core.model import (
    Float32,
    ModelCard,
    Progress,
    Tokens,
    no_progress,
)
from probes.core.pictures import RGB, Picture, Raster

BATCH = {"cpu": 32, "mps": 64, "cuda": 128}
"""Most pictures or texts of one forward pass, by kind of device."""
AHEAD = 4
"""How many batches one request may have waiting, so that another one's turn comes soon."""


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
        self._model: Any = loaded.model
        self._tokenizer: Any = loaded.tokenizer
        self._placement, self._memory, self._disk = placement, memory, disk
        self._preprocessing = Preprocessing(loaded.preprocess, placement.device)
        self._lock = threading.Lock()  # one forward pass at a time, and no hooks on another's
        self._cutting = threading.Lock()  # tokenizers of transformers are not safe to share
        warning = tokens.make_repeatable(self._tokenizer)
        self._card = make_card(loaded, placement, self._preprocessing.size, {}, (warning,) if warning else ())
        model_key = key_of(self._card.weights_digest, repr(self._model), str(loaded.recipe.config))
        self._image_space = key_of("image", model_key, self._preprocessing.digest, placement.precision)
        self._text_space = key_of("text", model_key, tokens.digest(self._tokenizer), placement.precision)
        batch = BATCH.get(placement.device.type, 32)
        self._window = AHEAD * batch
        self._images: Batcher[Future[RGB], Float32] = Batcher(self._encode_pixels, batch, "clipspect-images")
        self._texts: Batcher[str, Float32] = Batcher(self._encode_strings, batch, "clipspect-texts")

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
        """
        keys = [key_of(self._image_space, picture.digest) for picture in pictures]

        def ask(positions: list[int]) -> list[Future[Float32]]:
            return self._images.ask(
                [keys[i] for i in positions], lambda k: self._preprocessing.submit(pictures[positions[k]])
            )

        return self._embed(keys, ask, self._disk if persist else None, progress)

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Unit embeddings of texts, (n, d). Texts longer than the context are cut: see `tokens`."""
        keys = [key_of(self._text_space, text) for text in texts]

        def ask(positions: list[int]) -> list[Future[Float32]]:
            return self._texts.ask([keys[i] for i in positions], lambda k: texts[positions[k]])

        return self._embed(keys, ask, self._disk, progress)

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
        return np.float32(self._card.logit_scale) * cosine + np.float32(self._card.logit_bias)

    def _embed(
        self,
        keys: list[str],
        ask: Callable[[list[int]], list[Future[Float32]]],
        disk: Store | None,
        progress: Progress,
    ) -> Float32:
        """Rows from the caches where they are, else computed, a window at a time."""
        rows = np.empty((len(keys), self._card.width), dtype=np.float32)
        missing: dict[str, list[int]] = {}
        for position, key in enumerate(keys):
            if key in missing:
                missing[key].append(position)
                continue
            found = self._find(key, disk)
            if found is None:
                missing[key] = [position]
            else:
                rows[position] = found
        wanted = list(missing.items())
        for start in range(0, len(wanted), self._window):
            progress((len(keys) - len(wanted) + start) / len(keys), "encoding")
            window = wanted[start : start + self._window]
            for (key, positions), future in zip(window, ask([where[0] for _, where in window]), strict=True):
                row = future.result()
                rows[positions] = row
                self._memory.put(key, row)
                if disk is not None:
                    disk.put(key, row)
        progress(1.0, "encoded")
        return rows

    def _find(self, key: str, disk: Store | None) -> Float32 | None:
        found = self._memory.get(key)
        if found is None and disk is not None:
            found = disk.get(key)
            if found is not None:
                self._memory.put(key, found)
        return found

    def _encode_pixels(self, waiting: list[Future[RGB]]) -> Sequence[Float32]:
        pixels = [future.result() for future in waiting]

        def forward(part: slice) -> Tensor:
            unit = self._preprocessing.unit(pixels[part])
            features: Tensor = self._model.encode_image(self._preprocessing.normalise(unit))
            return features

        return list(self._forward(forward, len(pixels)))

    def _encode_strings(self, texts: list[str]) -> Sequence[Float32]:
        with self._cutting:
            ids: Tensor = self._tokenizer([_encodable(text) for text in texts])

        def forward(part: slice) -> Tensor:
            features: Tensor = self._model.encode_text(ids[part].to(self._placement.device))
            return features

        return list(self._forward(forward, len(texts)))

    def _forward(self, forward: Callable[[slice], Tensor], count: int) -> Float32:
        """Run a tower over `count` rows, in smaller parts if memory runs out; unit rows on the CPU."""
        size = count
        while True:
            try:
                with self._lock, torch.inference_mode(), self._placement.autocast():
                    parts = [forward(slice(start, start + size)) for start in range(0, count, size)]
                rows = F.normalize(torch.cat(parts).float(), dim=-1).cpu().numpy()
                break
            except torch.OutOfMemoryError:
                if size == 1:
                    raise ModelError(
                        f"{self._card.name}: the memory of {self._card.device} does not suffice"
                    ) from None
                size = max(1, size // 2)
        if not np.isfinite(rows).all():
            raise ModelError(f"{self._card.name}: embeddings came out as values that are not numbers")
        return rows


def _encodable(text: str) -> str:
    """The text without lone surrogates, which no tokenizer can take."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def open_model(spec: Spec, device: torch.device, precision: str, progress: Progress) -> Clip:
    """Load a model and put the process's cache in front of it.

    Raises:
        ModelError: see `probes.backend.load`.
    """
    loaded = loading.load(spec, device, progress)
    parameters = sum(weight.numel() for weight in loaded.model.parameters())
    placement = Placement(device, devices.choose_precision(precision, device, parameters))
    return Clip(loaded, placement, _memory())


_shared_memory = MemoryStore()


def _memory() -> MemoryStore:
    return _shared_memory
