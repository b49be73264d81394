"""Attributions of one model's similarities, always in float32, with the halves of texts kept.

What is differentiated (`probes.backend.written_out`) is in float32, on the model's device. Where a model encodes
in bfloat16, pictures are therefore encoded anew in float32: else the products would not sum to their totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from probes.backend import second_order
from probes.backend.anatomy import Anatomy
from probes.backend.cache import Store, key_of, remembered
from probes.backend.second_order import Side
from probes.core.attribution import Attribution, Contributions
from probes.core.model import Float32, Progress
from probes.core.pictures import Picture
from probes.core.watching import part

HALF = 0.4
"""Share of the work that the text's half is, told to whoever watches."""


@dataclass(frozen=True)
class Attributor:
    """What attributes the similarities of one model whose towers are plain transformers.

    Attributes:
        anatomy: of the model.
        memory: what was computed in this process.
        space: cache namespace: everything but the content that embeddings depend on.
        precision: in which the model encodes.
    """

    anatomy: Anatomy
    memory: Store
    space: str
    precision: str

    def pairs(self, pictures: Sequence[Picture], text: str, progress: Progress) -> Iterator[Attribution]:
        """The attributions of one text and several pictures."""
        half = self._half(text, part(progress, 0.0, HALF))
        return second_order.against(self.anatomy, pictures, half, progress=part(progress, HALF, 1.0))

    def contributions(
        self,
        pictures: Sequence[Picture],
        text: str,
        encode: Callable[[Sequence[Picture], Progress], Float32],
        progress: Progress,
    ) -> Contributions:
        """What each token of a text adds to its similarity with each picture.

        Args:
            pictures: n pictures.
            text: the text.
            encode: unit embeddings of pictures, (n, d), in the model's precision.
            progress: told the share that is done.
        """
        half = self._half(text, part(progress, 0.0, HALF))
        exact = encode if self.precision == "float32" else self._encoded
        rows = exact(pictures, part(progress, HALF, 1.0))
        return second_order.contributions(rows, self._blank(), half)

    def _half(self, text: str, progress: Progress) -> Side:
        """A text's half, computed once: vectors, displacement and embedding are kept as rows of one array."""
        key = key_of(self.space, "text", text)
        kept = self.memory.get(key)
        if kept is None:
            side = second_order.text_side(self.anatomy, text, progress=progress)
            self.memory.put(key, np.vstack([side.vectors, side.displacement, side.embedding]))
            return side
        vectors, displacement = kept[:-2], kept[-2]
        lacking = displacement - vectors.sum(axis=0)
        progress(1.0, "differentiating")
        return Side(vectors, displacement, kept[-1], float(np.linalg.norm(lacking)), prefix=1, grid=None)

    def _blank(self) -> Float32:
        """The unit embedding of the pictures' reference, (d,)."""
        key = key_of(self.space, "blank")
        kept = self.memory.get(key)
        if kept is None:
            kept = second_order.blank_embedding(self.anatomy)
            self.memory.put(key, kept)
        return kept

    def _encoded(self, pictures: Sequence[Picture], progress: Progress) -> Float32:
        """Unit embeddings of pictures in float32, (n, d)."""
        preprocessing, anatomy = self.anatomy.preprocessing, self.anatomy
        keys = [key_of(self.space, "picture", picture.digest) for picture in pictures]

        def compute(chosen: Sequence[int]) -> Float32:
            waiting = [preprocessing.submit(pictures[place]) for place in chosen]
            pixels = preprocessing.normalise(preprocessing.unit([future.result() for future in waiting]))
            with anatomy.lock, torch.inference_mode():
                rows: Float32 = F.normalize(anatomy.features(pixels).float(), dim=-1).cpu().numpy()
            return rows

        width = len(self._blank())
        return remembered(self.memory, keys, width, anatomy.batch, compute, progress, "encoding")
