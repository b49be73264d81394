"""Backends without a network of neurons, whose answers can be worked out by hand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from probes.core.attribution import Attribution, Contributions
from probes.core.decomposition import Decomposition
from probes.core.errors import CapabilityError
from probes.core.model import Capability, Float32, ModelCard, Progress, Tokens, no_progress
from probes.core.pictures import Picture, Raster
from tests import fake_heads

SIDE = 16
"""The fake tower sees pictures of this many pixels a side."""

CARD = ModelCard(
    spec="fake:pixels",
    name="pixels",
    architecture="pixels",
    pretrained="by hand",
    weights_digest="0" * 64,
    activation="none",
    device="cpu",
    precision="float32",
    parameters=0,
    width=SIDE * SIDE * 3,
    image_size=(SIDE, SIDE),
    context_length=8,
    logit_scale=20.0,
    lacks={
        Capability.DECOMPOSE: "pixels have no heads.",
        Capability.DECOMPOSE_TEXTS: "texts of pixels have no heads.",
        Capability.ATTEND: "pixels do not attend.",
        Capability.FOCUS: "pixels have no attention to bias.",
        Capability.DIFFERENTIATE: "pixels have no gradients.",
        Capability.ATTRIBUTE: "pixels have no patches.",
    },
)

HEADED = (Capability.DECOMPOSE, Capability.ATTEND, Capability.FOCUS)
"""What the fake can do if its card says so."""
BEYOND_IT = {what: why for what, why in CARD.lacks.items() if what not in HEADED}
"""What it cannot do, whatever its card says."""


def unit(rows: np.ndarray) -> Float32:
    rows = np.asarray(rows, dtype=np.float64)
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@dataclass
class PixelBackend:
    """Embeds a picture as its own shrunken pixels, and a text as pixels chosen by the test.

    Attributes:
        meanings: text -> (SIDE, SIDE, 3) pattern that the text stands for; other texts are noise of their own.
        delay: seconds that every call of an encoder takes, told step by step.
    """

    meanings: Mapping[str, np.ndarray] = field(default_factory=dict)
    delay: float = 0.0
    card: ModelCard = CARD
    encoded: int = 0

    def encode_images(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        self._dawdle(progress, "encoding pictures")
        self.encoded += len(pictures)
        return unit(np.stack([self._view(picture).astype(np.float64).ravel() - 120.0 for picture in pictures]))

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        self._dawdle(progress, "encoding texts")
        return unit(np.stack([self._meaning(text).ravel() for text in texts]))

    def _dawdle(self, progress: Progress, doing: str) -> None:
        steps = 20 if self.delay else 1
        for step in range(steps):
            progress(step / steps, doing)
            time.sleep(self.delay / steps)

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        return tuple(Raster.encode(self._view(picture)) for picture in pictures)

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        length = self.card.context_length
        return tuple(
            Tokens(text, tuple(text.split()[:length]), max(0, len(text.split()) - length)) for text in texts
        )

    def logits(self, images: Float32, texts: Float32) -> Float32:
        return (self.card.logit_scale * images @ texts.T + self.card.logit_bias).astype(np.float32)

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        self.card.require(Capability.DECOMPOSE)
        return fake_heads.decomposed(self.encode_images(pictures, progress), SIDE, by_token)

    def decompose_each(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Iterator[Decomposition]:
        yield self.decompose(pictures, by_token, progress)

    def decompose_texts(
        self, texts: Sequence[str], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        raise CapabilityError(self.card.lacks[Capability.DECOMPOSE_TEXTS])

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        self.card.require(Capability.ATTEND)
        return fake_heads.attention(len(pictures))

    def encode_focused(
        self,
        pictures: Sequence[Picture],
        focus: Sequence[Picture],
        strength: float,
        progress: Progress = no_progress,
    ) -> Float32:
        """Pixels count for more where the focus is; as ever at strength zero."""
        rows = [
            ((self._view(picture) - 120.0) * np.exp(strength * self._view(where) / 255)).ravel()
            for picture, where in zip(pictures, focus, strict=True)
        ]
        return unit(np.stack(rows))

    def gradient(self, picture: Picture, text: str) -> Float32:
        raise CapabilityError(self.card.lacks[Capability.DIFFERENTIATE])

    def attribute(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Iterator[Attribution]:
        raise CapabilityError(self.card.lacks[Capability.ATTRIBUTE])

    def contributions(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Contributions:
        raise CapabilityError(self.card.lacks[Capability.ATTRIBUTE])

    def untrained(self, seed: int = 0) -> PixelBackend:
        return replace(
            self, meanings={}, card=replace(self.card, name="pixels, untrained", weights_digest=f"{seed:064d}")
        )

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        return tuple(None for _ in pictures)

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        return tuple("“zyx” is no word of its training." if "zyx" in text else None for text in texts)

    def _view(self, picture: Picture) -> np.ndarray:
        return np.asarray(picture.image().resize((SIDE, SIDE), Image.Resampling.BOX))

    def _meaning(self, text: str) -> np.ndarray:
        for meant, pattern in self.meanings.items():
            if meant in text:
                return pattern + 0.05 * self._noise(text)
        return self._noise(text)

    @staticmethod
    def _noise(text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3))


def headed_backend() -> PixelBackend:
    """A fake whose heads can be taken apart."""
    return PixelBackend(card=replace(CARD, lacks=BEYOND_IT))


def sigmoid_backend(bias: float = -10.0) -> PixelBackend:
    """A fake that judges each label by itself, as SigLIP does."""
    return PixelBackend(card=replace(CARD, sigmoid=True, logit_bias=bias))


def grey(height: int = 120, width: int = 160, name: str = "grey.png") -> Picture:
    """A picture of one grey."""
    return Picture(name, np.full((height, width, 3), 127, dtype=np.uint8))


def noise(seed: int, height: int = 96, width: int = 96) -> Picture:
    """A picture of coloured noise."""
    rng = np.random.default_rng(seed)
    return Picture(f"noise{seed}.png", rng.integers(0, 256, size=(height, width, 3), dtype=np.uint8))
