"""Pictures and texts to the terms of their embeddings, a batch at a time, in float32."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from probes.backend import decomposition, towers
from probes.backend import device as devices
from probes.backend.decomposition import Terms
from probes.backend.preprocessing import Preprocessing
from probes.backend.readers import Reader
from probes.core.decomposition import Decomposition
from probes.core.errors import ModelError
from probes.core.model import Float32, Progress
from probes.core.pictures import Picture


@dataclass
class Anatomy:
    """The towers of one model, ready to be taken apart.

    Attributes:
        model: open_clip's model.
        tokenize: texts to ids, (n, context).
        preprocessing: of pictures.
        device: where the model is.
        lock: held through each forward pass.
        batch: most pictures or texts of one forward pass.
        measuring: held while a mean over many pictures is measured, so that two who want it measure it once.
    """

    model: Any
    tokenize: Callable[[Sequence[str]], Tensor]
    preprocessing: Preprocessing
    device: torch.device
    lock: threading.Lock
    batch: int
    measuring: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def images(self) -> Reader | str:
        """How the image tower is read, or why it cannot be."""
        return towers.image_reader(self.model.visual)

    @cached_property
    def texts(self) -> Reader | str:
        """How the text tower is read, or why it cannot be."""
        return towers.text_reader(self.model)

    @cached_property
    def why_no_focus(self) -> str | None:
        """Why the image tower cannot be told where to look; None if it can."""
        return towers.why_no_focus(self.model.visual)

    def of_pictures(
        self, pictures: Sequence[Picture], by_token: bool, progress: Progress
    ) -> Iterator[Decomposition]:
        """Decompositions of pictures, a batch at a time.

        Raises:
            ModelError: `by_token` asks for more memory than there is, already for one batch.
        """
        reader = known(self.images)
        where = towers.image_where(self.model.visual)
        if by_token:
            self.check_room(min(len(pictures), self.batch))
        for pixels in self.batches(pictures, progress, "taking the embedding apart"):
            with self.lock:
                terms = decomposition.decompose(reader, lambda: self.features(pixels), where, by_token)  # noqa: B023
            yield self._answer(reader, terms)

    def of_texts(self, texts: Sequence[str], by_token: bool, progress: Progress) -> Iterator[Decomposition]:
        """Decompositions of texts, a batch at a time."""
        reader = known(self.texts)
        for start in range(0, len(texts), self.batch):
            progress(start / len(texts), "taking the embedding apart")
            ids = self.tokenize(texts[start : start + self.batch]).to(self.device)
            where = towers.text_where(self.model, ids)
            with self.lock:
                terms = decomposition.decompose(reader, lambda: self.model.encode_text(ids), where, by_token)  # noqa: B023
            yield self._answer(reader, terms)
        progress(1.0, "taking the embedding apart")

    def attention(self, pictures: Sequence[Picture], progress: Progress) -> Float32:
        """Attention weights of the token that is read over all tokens, (n, L, H, T)."""
        reader = known(self.images)
        where = towers.image_where(self.model.visual)
        layers, heads, _ = reader.shape
        maps = np.empty((len(pictures), layers, heads, reader.tokens), np.float32)
        done = 0
        for pixels in self.batches(pictures, progress, "reading attention"):
            with self.lock:
                found = decomposition.attention(reader, lambda: self.features(pixels), where)  # noqa: B023
            maps[done : done + len(found)] = found.cpu().numpy()
            done += len(found)
        return maps

    def written(
        self, pixels: Tensor, heads: Sequence[tuple[int, int]], mlps: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Embeddings of a batch and what some parts write to them, (n, d) each; the caller holds the lock."""
        where = towers.image_where(self.model.visual)
        return decomposition.written(known(self.images), lambda: self.features(pixels), heads, mlps, where)

    def features(self, pixels: Tensor) -> Tensor:
        """The image tower's output before its norm is divided out, (n, d)."""
        found = self.model.visual(pixels)
        features: Tensor = found[0] if isinstance(found, tuple) else found  # CoCa gives its tokens too
        return features

    def batches(self, pictures: Sequence[Picture], progress: Progress, doing: str) -> Iterator[Tensor]:
        """What the tower takes in, a batch at a time; the next one is prepared while one is computed."""
        parts = [pictures[start : start + self.batch] for start in range(0, len(pictures), self.batch)]
        waiting = [self.preprocessing.submit(picture) for picture in parts[0]] if parts else []
        for index in range(len(parts)):
            progress(index / len(parts), doing)
            pixels = [future.result() for future in waiting]
            following = parts[index + 1] if index + 1 < len(parts) else ()
            waiting = [self.preprocessing.submit(picture) for picture in following]
            yield self.preprocessing.normalise(self.preprocessing.unit(pixels))
        progress(1.0, doing)

    def _answer(self, reader: Reader, terms: Terms) -> Decomposition:
        return Decomposition(
            outputs=terms.outputs.cpu().numpy(),
            writes=reader.writes_copied,
            mlps=terms.mlps.cpu().numpy(),
            initial=terms.initial.cpu().numpy(),
            constant=terms.constant.cpu().numpy(),
            embedding=terms.embedding.cpu().numpy(),
            error=terms.error,
            layers=reader.layers,
            by_token=None if terms.by_token is None else terms.by_token.cpu().numpy(),
            prefix=reader.prefix,
            grid=reader.grid,
        )

    def check_room(self, n: int) -> None:
        """Whether memory takes the terms of n pictures by token.

        Raises:
            ModelError: it does not.
        """
        reader = known(self.images)
        layers, heads, width = reader.shape
        needed, left = n * layers * heads * reader.tokens * width * 4, devices.available_bytes(torch.device("cpu"))
        if 2 * needed > left:
            raise ModelError(
                f"terms by token of {n} pictures take {needed / 1e9:.1f} GB and {left / 1e9:.1f} GB of memory "
                "are left; ask for fewer pictures"
            )


def known(reader: Reader | str) -> Reader:
    """The reader, where the caller has already asked whether there is one."""
    if isinstance(reader, str):
        raise TypeError(reader)
    return reader
