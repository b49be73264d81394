"""Pictures and texts to unit embeddings: caches in front, batches shared between those who ask, towers behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from probes.backend.batching import Batcher
from probes.backend.cache import Store, key_of
from probes.backend.device import Placement
from probes.backend.preprocessing import Preprocessing
from probes.core.errors import ModelError
from probes.core.model import Float32, Progress
from probes.core.pictures import RGB, Picture

BATCH = {"cpu": 32, "mps": 64, "cuda": 128}
"""Most pictures or texts of one forward pass, by kind of device."""
AHEAD = 4
"""How many batches one request may have waiting, so that another one's turn comes soon."""

Ask = Callable[[list[int]], list[Future[Float32]]]


def batch_of(placement: Placement) -> int:
    """Most pictures or texts of one forward pass."""
    return BATCH.get(placement.device.type, 32)


class Encoder:
    """The two towers of one model.

    Args:
        model: open_clip's model.
        tokenize: texts to ids, (n, context); safe to call from several threads.
        preprocessing: of pictures.
        placement: where and in which precision.
        width: d.
        spaces: cache namespaces of pictures and of texts: everything but the content their embeddings depend on.
        memory: embeddings computed in this process.
        disk: embeddings of texts, and of pictures whose owner asked for it; None for none.
        lock: held through each forward pass.
    """

    def __init__(
        self,
        model: Any,
        tokenize: Callable[[Sequence[str]], Tensor],
        preprocessing: Preprocessing,
        placement: Placement,
        width: int,
        spaces: tuple[str, str],
        memory: Store,
        disk: Store | None,
        lock: threading.Lock,
    ) -> None:
        self._lock = lock
        self._model, self._tokenize, self._preprocessing = model, tokenize, preprocessing
        self._placement, self._width = placement, width
        self._image_space, self._text_space = spaces
        self._memory, self._disk = memory, disk
        self.batch = batch_of(placement)
        self._images: Batcher[Future[RGB], Float32] = Batcher(self._encode_pixels, self.batch, "clipspect-images")
        self._texts: Batcher[str, Float32] = Batcher(self._encode_strings, self.batch, "clipspect-texts")

    def images(self, pictures: Sequence[Picture], progress: Progress, persist: bool) -> Float32:
        """Unit embeddings of pictures, (n, d)."""
        keys = [key_of(self._image_space, picture.digest) for picture in pictures]

        def ask(positions: list[int]) -> list[Future[Float32]]:
            chosen = [pictures[position] for position in positions]
            return self._images.ask(
                [keys[position] for position in positions], lambda k: self._preprocessing.submit(chosen[k])
            )

        return self._embed(keys, ask, self._disk if persist else None, progress)

    def texts(self, texts: Sequence[str], progress: Progress) -> Float32:
        """Unit embeddings of texts, (n, d)."""
        keys = [key_of(self._text_space, text) for text in texts]

        def ask(positions: list[int]) -> list[Future[Float32]]:
            chosen = [texts[position] for position in positions]
            return self._texts.ask([keys[position] for position in positions], lambda k: chosen[k])

        return self._embed(keys, ask, self._disk, progress)

    def _embed(self, keys: list[str], ask: Ask, disk: Store | None, progress: Progress) -> Float32:
        """Rows from the caches where they are, else computed, a window at a time."""
        rows = np.empty((len(keys), self._width), dtype=np.float32)
        missing = self._fill(rows, keys, disk)
        wanted = list(missing.items())
        window = AHEAD * self.batch
        for start in range(0, len(wanted), window):
            chosen = wanted[start : start + window]
            answers = ask([positions[0] for _, positions in chosen])
            for done, ((key, positions), answer) in enumerate(zip(chosen, answers, strict=True)):
                if done % self.batch == 0:
                    progress(1 - (len(wanted) - start - done) / len(keys), "encoding")
                row = answer.result()
                rows[positions] = row
                self._memory.put(key, row)
                if disk is not None:
                    disk.put(key, row)
        progress(1.0, "encoded")
        return rows

    def _fill(self, rows: Float32, keys: list[str], disk: Store | None) -> dict[str, list[int]]:
        """Put in the rows that are cached; the positions of the others, by key."""
        missing: dict[str, list[int]] = {}
        for position, key in enumerate(keys):
            if key in missing:
                missing[key].append(position)
                continue
            found = self._memory.get(key)
            if found is None and disk is not None:
                found = disk.get(key)
                if found is not None:
                    self._memory.put(key, found)
            if found is None or found.shape != (self._width,):
                missing[key] = [position]
            else:
                rows[position] = found
        return missing

    def _encode_pixels(self, waiting: list[Future[RGB]]) -> Sequence[Float32]:
        pixels = [future.result() for future in waiting]

        def forward(part: slice) -> Tensor:
            unit = self._preprocessing.unit(pixels[part])
            features: Tensor = self._model.encode_image(self._preprocessing.normalise(unit))
            return features

        return list(self._forward(forward, len(pixels)))

    def _encode_strings(self, texts: list[str]) -> Sequence[Float32]:
        ids = self._tokenize(texts)

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
                    parts = [forward(slice(start, start + size)).float() for start in range(0, count, size)]
                    rows: Float32 = F.normalize(torch.cat(parts), dim=-1).cpu().numpy()
                break
            except torch.OutOfMemoryError:
                if size == 1:
                    raise ModelError(f"the memory of {self._placement.device} does not suffice") from None
                size = max(1, size // 2)
        if rows.shape != (count, self._width):
            raise ModelError(f"a tower gives {rows.shape} for {count} inputs instead of ({count}, {self._width})")
        if not np.isfinite(rows).all():
            raise ModelError("the embeddings came out as values that are not numbers: the weights are broken")
        return rows
