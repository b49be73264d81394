"""Models that cost nothing: unit rows drawn from the digest of what is encoded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from probes.core.errors import ModelError
from probes.core.model import Capability, Decomposition, Float32, ModelCard, Progress, Tokens, no_progress
from probes.core.pictures import Picture, Raster

WIDTH = 64


def unit_row(key: str) -> Float32:
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    row = np.random.default_rng(seed).normal(size=WIDTH)
    return (row / np.linalg.norm(row)).astype(np.float32)


def make_card(spec: str, lacks: bool = False) -> ModelCard:
    return ModelCard(
        spec=spec,
        name="fake",
        architecture="fake",
        pretrained="none",
        weights_digest="0" * 64,
        activation="GELU",
        device="cpu",
        precision="float32",
        parameters=1000,
        width=WIDTH,
        image_size=(64, 64),
        context_length=12,
        logit_scale=20.0,
        lacks=dict.fromkeys(Capability, "the tower is a ResNet") if lacks else {},
    )


@dataclass
class FakeBackend:
    card: ModelCard
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def _dawdle(self, progress: Progress, doing: str) -> None:
        steps = 20 if self.seconds else 1
        for step in range(steps):
            progress(step / steps, doing)
            time.sleep(self.seconds / steps)

    def encode_images(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        self._dawdle(progress, "encoding pictures")
        self.asked += [picture.digest for picture in pictures]
        return np.stack([unit_row(picture.digest) for picture in pictures])

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        self._dawdle(progress, "encoding texts")
        return np.stack([unit_row(text) for text in texts])

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        return tuple(Raster.encode(np.asarray(p.image().resize(self.card.image_size[::-1]))) for p in pictures)

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        room = self.card.context_length - 2
        cut = [(text, text.split()) for text in texts]
        return tuple(Tokens(text, tuple(words[:room]), max(len(words) - room, 0)) for text, words in cut)

    def logits(self, images: Float32, texts: Float32) -> Float32:
        return np.float32(self.card.logit_scale) * images @ texts.T

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        raise NotImplementedError

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        raise NotImplementedError

    def gradient(self, picture: Picture, text: str) -> Float32:
        raise NotImplementedError

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        return tuple(None for _ in pictures)

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        return tuple(None for _ in texts)


@dataclass(frozen=True)
class FakeEntry:
    spec: str
    name: str
    nbytes: int | None
    on_disk: bool
    note: str = ""
    exact: bool = True


ENTRIES = (
    FakeEntry("bundled:emoji", "Clipspect emoji", 24_000_000, True, "Trained on drawings of emoji."),
    FakeEntry("slow:model", "Slow", 600_000_000, True),
    FakeEntry("lacking:model", "Lacking", 600_000_000, True),
    FakeEntry("ViT-B-32-quickgelu:openai", "ViT-B-32-quickgelu (openai)", 605_000_000, False),
    FakeEntry("broken:model", "Broken", 605_000_000, False),
)


def catalogue() -> tuple[FakeEntry, ...]:
    return ENTRIES


def bundled() -> tuple[FakeEntry, ...]:
    return ENTRIES[:1]


def load(spec: str, progress: Progress = no_progress) -> FakeBackend:
    if spec.startswith("slow:"):
        return FakeBackend(make_card(spec), seconds=6.0)
    if spec.startswith("lacking:"):
        return FakeBackend(make_card(spec, lacks=True))
    if spec.startswith("bug:"):
        raise RuntimeError("nobody foresaw this")
    if spec.startswith(("bundled", "ViT-B-32-quickgelu:")):
        return FakeBackend(make_card(spec))
    raise ModelError(f"{spec}: there are no such weights")
