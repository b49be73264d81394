"""What a probe may ask of a model: the interface that `probes.backend` implements.

Arrays are NumPy, so that measures never depend on the library or the device that computed them. Embeddings are
float32 unit rows. Symbols: n pictures or texts, d the width of the shared space, L layers, H heads, T tokens
of a tower (in images the class token first, if there is one, then patches row by row).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.core.attribution import Attribution, Contributions
from probes.core.decomposition import Decomposition
from probes.core.errors import CapabilityError
from probes.core.pictures import Picture, Raster

Float32 = NDArray[np.float32]

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done. May raise `Cancelled`."""


def no_progress(share: float, doing: str) -> None:
    """A `Progress` that tells nobody."""


class Capability(str, Enum):
    """What a model can be asked to do beyond encoding pictures and texts, which all can."""

    DECOMPOSE = "decompose"
    """Its image embedding is an exact sum over heads, MLPs and constants."""
    DECOMPOSE_TEXTS = "decompose texts"
    """So is its text embedding."""
    ATTEND = "attend"
    """Its attention maps can be read."""
    FOCUS = "be told where to look"
    """The attention of its class token can be biased."""
    DIFFERENTIATE = "differentiate"
    """Similarities have gradients in the pixels."""
    ATTRIBUTE = "attribute to words and patches"
    """Similarities can be attributed to pairs of a word and a patch."""


@dataclass(frozen=True)
class ModelCard:
    """What is known of a loaded model.

    Attributes:
        spec: how it was asked for, such as `bundled:skewed` or `ViT-B-32-quickgelu:openai`.
        name: what to call it in a sentence.
        architecture: open_clip's name of the configuration, or the folder's.
        pretrained: open_clip's tag of the weights, or where they came from.
        weights_digest: SHA-256 over names, shapes and values of all weights, hexadecimal.
        pipeline_digest: SHA-256 over what else makes embeddings: modules, configuration, preprocessing, tokenizer;
            empty where nobody knows.
        activation: the activation of the image tower's MLPs, such as `GELU` or `QuickGELU`.
        device: such as `cpu` or `cuda:0`.
        precision: in which pictures and texts are encoded, `float32` or `bfloat16`.
        parameters: number of weights.
        width: d, the width of the shared space.
        image_size: (height, width) of what the tower sees, in pixels.
        context_length: most tokens of a text, start and end included.
        logit_scale: the factor on the cosine (after the exponential).
        logit_bias: added to the scaled cosine; 0 where the model has none.
        sigmoid: whether probabilities are sigmoids, each label for itself (SigLIP), or a softmax over labels.
        lacks: for each capability the model does not have, why, in a sentence.
        warnings: what a user of this model has to know, in sentences.
        templates: zero-shot templates that suit the model, each with one `{}`.
        description: a paragraph on what the model is and is not.
    """

    spec: str
    name: str
    architecture: str
    pretrained: str
    weights_digest: str
    activation: str
    device: str
    precision: str
    parameters: int
    width: int
    image_size: tuple[int, int]
    context_length: int
    logit_scale: float
    logit_bias: float = 0.0
    sigmoid: bool = False
    pipeline_digest: str = ""
    lacks: Mapping[Capability, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    templates: tuple[str, ...] = ("a photo of a {}.",)
    description: str = ""

    def can(self, capability: Capability) -> bool:
        """Whether the model has the capability."""
        return capability not in self.lacks

    def require(self, capability: Capability) -> None:
        """Refuse what the model cannot do.

        Raises:
            CapabilityError: it lacks the capability; the message says why.
        """
        if not self.can(capability):
            raise self.refusal(capability)

    def refusal(self, capability: Capability) -> CapabilityError:
        """Why the model cannot do what it lacks."""
        return CapabilityError(f"{self.name} cannot {capability.value}: {self.lacks[capability]}")


def probabilities(card: ModelCard, logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """What the model would call probabilities: a softmax over labels, the last axis, or sigmoids.

    Args:
        card: of the model that gave the logits; says which of the two it was trained with.
        logits: (..., labels), scale and bias already applied.
    """
    values = np.asarray(logits, dtype=np.float64)
    shares: NDArray[np.float64] = (
        scipy.special.expit(values) if card.sigmoid else scipy.special.softmax(values, axis=-1)
    )
    return shares


@dataclass(frozen=True)
class Tokens:
    """A text as the text tower sees it.

    Attributes:
        text: what was given.
        pieces: the tokens kept, as text, without start, end and padding.
        dropped: how many tokens did not fit and were cut off.
        start: tokens before the first piece: 1 where one marks the start, else 0.
    """

    text: str
    pieces: tuple[str, ...]
    dropped: int
    start: int = 1

    @property
    def truncated(self) -> bool:
        """Whether the end of the text was cut off."""
        return self.dropped > 0


class Backend(Protocol):
    """One loaded model, its cache in front. Safe to call from several threads."""

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""

    def encode_images(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Unit embeddings of pictures, (n, d)."""

    def encode_texts(self, texts: Sequence[str], progress: Progress = no_progress) -> Float32:
        """Unit embeddings of texts, (n, d). Texts longer than the context are cut: see `tokens`."""

    def preprocess(self, pictures: Sequence[Picture]) -> tuple[Raster, ...]:
        """What the tower really sees of each picture, after resizing and cropping."""

    def tokens(self, texts: Sequence[str]) -> tuple[Tokens, ...]:
        """How the tokenizer cuts each text, and whether its end is lost."""

    def logits(self, images: Float32, texts: Float32) -> Float32:
        """logit_scale x cosine + logit_bias for every picture and text, (n, m)."""

    def decompose(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Split image embeddings into terms of heads, MLPs and constants, in float32.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
        """

    def decompose_each(
        self, pictures: Sequence[Picture], by_token: bool = False, progress: Progress = no_progress
    ) -> Iterator[Decomposition]:
        """The same a batch at a time, so that memory does not grow with the number of pictures.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
        """

    def decompose_texts(
        self, texts: Sequence[str], by_token: bool = False, progress: Progress = no_progress
    ) -> Decomposition:
        """Split text embeddings into terms of heads, MLPs and constants, in float32.

        Raises:
            CapabilityError: the tower is none whose embedding is a sum over heads.
        """

    def attention(self, pictures: Sequence[Picture], progress: Progress = no_progress) -> Float32:
        """Attention weights of the token that is read over all tokens, (n, L, H, T), rows summing to one.

        Raises:
            CapabilityError: the tower is none whose attention can be read.
        """

    def encode_focused(
        self,
        pictures: Sequence[Picture],
        focus: Sequence[Picture],
        strength: float,
        progress: Progress = no_progress,
    ) -> Float32:
        """Unit embeddings of pictures whose class token is told where to look, (n, d); no pixel changes (FALIP).

        `focus` are grey pictures of the same sizes, white where to look; their mean over each patch, 0 to 1, times
        `strength` is added to the class token's attention logits in every layer and head.

        Raises:
            CapabilityError: the tower has no class token whose attention can be biased.
        """

    def gradient(self, picture: Picture, text: str) -> Float32:
        """Gradient of cosine(picture, text) in what the tower sees, per unit of colour 0..1: (h, w, 3).

        Raises:
            CapabilityError: the tower does not let gradients through.
        """

    def attribute(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Iterator[Attribution]:
        """What each pair of a patch and a token of the text adds to their cosine, picture by picture, in float32.

        Raises:
            CapabilityError: the towers are no plain transformers.
        """

    def contributions(
        self, pictures: Sequence[Picture], text: str, progress: Progress = no_progress
    ) -> Contributions:
        """The same summed over patches, for many pictures at little more than the cost of encoding them.

        Raises:
            CapabilityError: the towers are no plain transformers.
        """

    def untrained(self, seed: int = 0) -> Backend | None:
        """The same architecture before any training, with weights from a seed; None where no model is asked."""

    def unfamiliar_pictures(self, pictures: Sequence[Picture]) -> tuple[str | None, ...]:
        """For each picture a sentence if it is unlike anything the model was trained on, else None.

        Only bundled models know; others always answer None.
        """

    def unfamiliar_texts(self, texts: Sequence[str]) -> tuple[str | None, ...]:
        """For each text a sentence if it is unlike anything the model was trained on, else None."""
