"""What stands where a model would, when everything that is asked comes as embeddings from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from probes.core.attribution import Attribution, Contributions
from probes.core.decomposition import Decomposition
from probes.core.errors import ClipspectError
from probes.core.model import Capability, Float32, ModelCard, Progress, Tokens, no_progress
from probes.core.pictures import Picture, Raster

SPEC = "none"
_NOTHING = "no model is asked here: everything comes as embeddings from files"


class NoModel:
    """A backend that embeds nothing; measures of embeddings from files run on it."""

    def __init__(self, logit_scale: float = 1.0) -> None:
        """Take the logit scale of the model that made the embeddings, or 1 where nobody knows."""
        self._card = ModelCard(
            spec=SPEC,
            name="no model: embeddings from files",
            architecture=SPEC,
            pretrained=SPEC,
            weights_digest="",
            activation=SPEC,
            device="cpu",
            precision="float32",
            parameters=0,
            width=0,
            image_size=(0, 0),
            context_length=0,
            logit_scale=logit_scale,
            lacks=dict.fromkeys(Capability, _NOTHING),
        )

    @property
    def card(self) -> ModelCard:
        """Says that there is no model."""
        return self._card

    def encode_images(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Refuse."""
        self._refuse()

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Refuse."""
        self._refuse()

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        """Refuse."""
        self._refuse()

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        """Refuse."""
        self._refuse()

    def logits(self, images: Float32, texts: Float32) -> Float32:
        """The scale times the cosine; nothing is known of a bias."""
        found: Float32 = self._card.logit_scale * (images @ texts.T)
        return found

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Refuse."""
        self._refuse()

    def decompose_each(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Iterator[Decomposition]:
        """Refuse."""
        self._refuse()

    def decompose_texts(
        self, texts: Sequence[str], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Refuse."""
        self._refuse()

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Refuse."""
        self._refuse()

    def encode_focused(
        self,
        pictures: Sequence[Picture],
        focus: Sequence[Picture],
        strength: float,
        progress: Progress = no_progress,
    ) -> Float32:
        """Refuse."""
        self._refuse()

    def gradient(self, picture: Picture, text: str) -> Float32:
        """Refuse."""
        self._refuse()

    def attribute(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Iterator[Attribution]:
        """Refuse."""
        self._refuse()

    def contributions(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Contributions:
        """Refuse."""
        self._refuse()

    def untrained(self, seed: int = 0) -> None:
        """There is no architecture that could be built anew."""

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        """Nothing is known of what was trained on."""
        return (None,) * len(pictures)

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        """Nothing is known of what was trained on."""
        return (None,) * len(texts)

    @staticmethod
    def _refuse() -> NoReturn:
        raise ClipspectError(_NOTHING)
