r"""Which words of a caption a CLIP matches with which patches of a picture: second-order attribution.

With f the unit embedding of a picture as a function of the tokens x that enter the image transformer, g that of
a text as a function of the tokens y that enter the text transformer, and references x' and y' without content,

    (f(x) - f(x')) . (g(y) - g(y')) = sum_ij A_ij,    A_ij = u_i . v_j,
    u_i = [ integral_0^1 J_f(x' + a (x - x'))_i da ] (x_i - x'_i),    v_j the same of g and y,

with i over image tokens and j over text tokens. It does for two inputs what Integrated Gradients do for one. The
similarity holds three more terms, which are nobody's: f(x) . g(y) = sum_ij A_ij + f(x') . g(y) + f(x) . g(y') -
f(x') . g(y').

References keep whatever is not content, so that all that is attributed is attributed to content:

- **Picture**: one colour everywhere, at the same positions: the one the preprocessing subtracts as the
  mean of all pictures, a grey. Patches that look like the reference get zero, and black, which the paper takes, is
  what some things are. With grey a bundled model also needs fewer points and finds more of what is named. The
  class token, which no picture changes, gets zero too.
- **Text**: each word's token is replaced by the padding, which a causal tower has hardly ever read; the tokens
  that mark start and end stay where they are, as in the paper. The text is read at its end token: if that moved,
  as it does in the empty text, halfway between the two there would be two half ends, and what their moving does
  would be put down to words. Start and end get zero, and so does what comes after the end, which a causal mask
  hides from it.

No Jacobian is ever built. The integrals are means over points of the straight path. A `Side` holds all u_i (or
v_j): at each point one derivative forward for each token that differs from the reference. It serves any number of
partners. Held `against` one text, a picture costs less: one derivative backward for each word, which gives the
products u_i . v_j and no u_i. Either way that is fewer than the d derivatives backward of a whole Jacobian.

Reference: Möller, Tilli, Vu, Padó, "Explaining Caption-Image Interactions in CLIP Models with Second-Order
Attributions", TMLR 2025, arXiv:2408.14153.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from probes.backend import towers
from probes.backend.anatomy import Anatomy
from probes.backend.readers import Reader, Stream
from probes.backend.written_out import WrittenOut, entering
from probes.core.attribution import Attribution, Contributions
from probes.core.errors import CapabilityError
from probes.core.model import Float32, Progress, no_progress
from probes.core.pictures import RGB, Picture

STEPS = 32
"""Points of the midpoint rule, at each of which a side is differentiated.

Over the example pictures and four texts, a bundled model's matrices sum to within 0.0024 of their totals, 0.0008
on average. Gauss-Legendre points do no better with so few: on parts of the path the embedding turns too fast for
a polynomial, and where that is differs from picture to picture.
"""

FEW = 32
"""Derivatives of several points are taken together up to this many: fewer take little less time than these."""


@dataclass(frozen=True)
class Side:
    """A picture's or a text's half of an attribution.

    Attributes:
        vectors: what each token adds to the displacement, (T, d).
        displacement: the unit embedding less that of the reference, (d,).
        embedding: the unit embedding, (d,).
        error: length of what the vectors lack to sum to the displacement.
        prefix: image tokens before the first patch.
        grid: (rows, columns) of patches; None for a text.
    """

    vectors: Float32
    displacement: Float32
    embedding: Float32
    error: float
    prefix: int
    grid: tuple[int, int] | None


def why_not(images: Reader | str, texts: Reader | str) -> str | None:
    """Why similarities of towers that are read so cannot be attributed, in a sentence; None if they can."""
    for reader, tower in ((images, "image"), (texts, "text")):
        if isinstance(reader, str):
            return reader
        if not isinstance(reader, Stream):
            return f"its {tower} tower ends in a pooling layer, and only plain transformers are attributed here"
    return None


def image_side(anatomy: Anatomy, picture: Picture, steps: int = STEPS, progress: Progress = no_progress) -> Side:
    """A picture's half, to be `joined` with any text's.

    Raises:
        CapabilityError: a tower is not open_clip's plain ViT or text transformer.
    """
    return _of_picture(anatomy, picture).side(steps, progress)


def text_side(anatomy: Anatomy, text: str, steps: int = STEPS, progress: Progress = no_progress) -> Side:
    """A text's half, to be `joined` with any picture's or held `against` pictures.

    Raises:
        CapabilityError: a tower is not open_clip's plain ViT or text transformer.
    """
    return _of_text(anatomy, text).side(steps, progress)


def joined(image: Side, text: Side) -> Attribution:
    """The attribution of two halves."""
    return _attribution(image.vectors @ text.vectors.T, image, text)


def against(
    anatomy: Anatomy,
    pictures: Sequence[Picture],
    text: Side,
    steps: int = STEPS,
    progress: Progress = no_progress,
) -> Iterator[Attribution]:
    """The attributions of one text and several pictures.

    The same as `joined` with each picture's `image_side`, but with one derivative for each word instead of one
    for each patch.

    Raises:
        CapabilityError: a tower is not open_clip's plain ViT or text transformer.
    """
    _stream(anatomy, anatomy.images)  # refuses now, not when the first is asked for
    return _each_against(anatomy, pictures, text, steps, progress)


def attribute(
    anatomy: Anatomy, picture: Picture, text: str, steps: int = STEPS, progress: Progress = no_progress
) -> Attribution:
    """The attribution of one picture and one text.

    Raises:
        CapabilityError: a tower is not open_clip's plain ViT or text transformer.
    """
    return next(against(anatomy, [picture], text_side(anatomy, text, steps), steps, progress))


def blank_embedding(anatomy: Anatomy) -> Float32:
    """The unit embedding of what every picture's reference is, (d,).

    Raises:
        CapabilityError: a tower is not open_clip's plain ViT or text transformer.
    """
    return _of_picture(anatomy, Picture("blank", _blank(anatomy))).ends().embedding


def contributions(embeddings: Float32, blank: Float32, text: Side) -> Contributions:
    """What each token of a text adds to its similarity with pictures.

    The vectors u_i of a picture sum to its displacement, so sum_i u_i . v_j needs none of them.

    Args:
        embeddings: unit embeddings of n pictures, (n, d).
        blank: that of their reference, (d,).
        text: the text's half.
    """
    displacements: Float32 = embeddings - blank
    matrix: Float32 = displacements @ text.vectors.T
    total: Float32 = displacements @ text.displacement
    return Contributions(
        matrix=matrix,
        similarity=embeddings @ text.embedding,
        total=total,
        error=float(np.abs(matrix.sum(axis=1, dtype=np.float64) - total).max(initial=0.0)),
    )


def _each_against(
    anatomy: Anatomy, pictures: Sequence[Picture], text: Side, steps: int, progress: Progress
) -> Iterator[Attribution]:
    for index, picture in enumerate(pictures):

        def part(share: float, doing: str, done: int = index) -> None:
            progress((done + share) / len(pictures), doing)

        yield _of_picture(anatomy, picture).against(text, steps, part)


def _attribution(matrix: Float32, image: Side, text: Side) -> Attribution:
    if image.grid is None:
        raise TypeError("the first side is to be a picture's")
    total = float(image.displacement @ text.displacement)
    return Attribution(
        matrix=matrix,
        prefix=image.prefix,
        grid=image.grid,
        similarity=float(image.embedding @ text.embedding),
        total=total,
        error=abs(float(matrix.sum(dtype=np.float64)) - total),
    )


@dataclass(frozen=True)
class _Path:
    """The straight line through one tower from a reference to what is attributed.

    Attributes:
        tower: from tokens to unit embeddings.
        start: tokens of the reference, (T', w).
        end: tokens of what is attributed, (T', w).
        tokens: T, of which the first T' are ever read.
        lock: held at each point: while somebody's hooks are on the tower's modules, others have to wait.
        prefix: image tokens before the first patch.
        grid: (rows, columns) of patches; None for a text.
    """

    tower: WrittenOut
    start: Tensor
    end: Tensor
    tokens: int
    lock: threading.Lock
    prefix: int
    grid: tuple[int, int] | None

    def side(self, steps: int, progress: Progress) -> Side:
        """What each token adds to the displacement."""
        way = self.end - self.start
        moving = way.any(dim=1).nonzero()[:, 0]
        positions = torch.arange(len(way), device=way.device)[:, None]

        def forward(point: Tensor) -> Tensor:
            def slope(token: Tensor) -> Tensor:
                found: Tensor = torch.func.jvp(self.tower, (point,), (way * (positions == token),))[1]
                return found

            return self._each(slope, moving)

        found = self._integral(forward, len(moving), steps, progress)
        half = self.ends()
        vectors = np.zeros((self.tokens, len(half.embedding)), np.float32)
        if found is not None:
            vectors[moving.cpu().numpy()] = found.cpu().numpy()
        lacking = half.displacement - vectors.sum(axis=0)
        return replace(half, vectors=vectors, error=float(np.linalg.norm(lacking)))

    def against(self, text: Side, steps: int, progress: Progress) -> Attribution:
        """The attribution of a picture and a text's half."""
        way = self.end - self.start
        words = np.flatnonzero(text.vectors.any(axis=1))
        directions = torch.from_numpy(text.vectors[words]).to(way)

        def backward(point: Tensor) -> Tensor:
            pull = torch.func.vjp(self.tower, point)[1]
            return self._each(lambda direction: (pull(direction)[0] * way).sum(dim=-1), directions)

        found = self._integral(backward, len(words), steps, progress)
        matrix = np.zeros((self.tokens, len(text.vectors)), np.float32)
        if found is not None:
            matrix[:, words] = found.T.cpu().numpy()
        return _attribution(matrix, self.ends(), text)

    def _integral(
        self, derivatives: Callable[[Tensor], Tensor], count: int, steps: int, progress: Progress
    ) -> Tensor | None:
        """The mean of `count` derivatives over the path; None if there are none."""
        if steps < 1:
            raise ValueError(f"an integral over {steps} points")
        shares = (torch.arange(steps, device=self.end.device) + 0.5) / steps
        together = max(1, min(FEW, self.tower.at_once(len(self.end))) // max(1, count))
        total = None
        for group in torch.split(shares, together) if count else ():
            progress(float(group[0]), "differentiating")
            with self.lock, torch.inference_mode(False), torch.no_grad():
                points = torch.lerp(self.start, self.end, group[:, None, None])
                part = torch.func.vmap(derivatives)(points).sum(dim=0) / steps
            total = part if total is None else total + part
        progress(1.0, "differentiating")
        return total

    def _each(self, derivative: Callable[[Tensor], Tensor], ways: Tensor) -> Tensor:
        """One derivative for each row of `ways`."""
        found: Tensor = torch.func.vmap(derivative, chunk_size=self.tower.at_once(len(self.end)))(ways)
        return found

    def ends(self) -> Side:
        """The half without its vectors."""
        with self.lock, torch.no_grad():
            end, start = (self.tower(tokens).cpu().numpy() for tokens in (self.end, self.start))
        return Side(np.zeros((0, len(end)), np.float32), end - start, end, 0.0, self.prefix, self.grid)


def _of_picture(anatomy: Anatomy, picture: Picture) -> _Path:
    """From a picture of one colour to a picture."""
    reader = _stream(anatomy, anatomy.images)
    preprocessing, visual = anatomy.preprocessing, anatomy.model.visual
    pixels = preprocessing.normalise(preprocessing.unit([preprocessing.pixels(picture), _blank(anatomy)]))
    with anatomy.lock:
        (end, start), _ = entering(visual.transformer, lambda: anatomy.features(pixels))
    where = None if towers.image_where(visual) is None else 0
    tower = WrittenOut(visual.transformer.resblocks, reader.ending, where, None)
    return _Path(tower, start, end, len(end), anatomy.lock, reader.prefix, reader.grid)


def _blank(anatomy: Anatomy) -> RGB:
    """What the tower sees of a picture without content, (h, w, 3)."""
    preprocessing = anatomy.preprocessing
    colour = np.round(255 * np.broadcast_to(np.float64(preprocessing.config.mean), 3)).astype(np.uint8)
    return np.broadcast_to(colour, (*preprocessing.size, 3))


def _of_text(anatomy: Anatomy, text: str) -> _Path:
    """From a text with padding for words to a text."""
    reader, model = _stream(anatomy, anatomy.texts), anatomy.model
    ids, empty = anatomy.tokenize([text, ""]).to(anatomy.device)
    padded = torch.where(torch.isin(ids, empty), ids, empty[-1])
    transformer = getattr(model, "text", model).transformer
    with anatomy.lock:
        (end, start), mask = entering(transformer, lambda: model.encode_text(torch.stack([ids, padded])))
    if mask is not None and mask.ndim == 3:
        mask = mask[: transformer.resblocks[0].attn.num_heads]  # what the text masks is masked in its reference
    where, tokens = towers.text_where(model, ids[None]), len(end)
    assert where is not None  # for the type checker: only patches are ever averaged
    read = int(where) % tokens
    # nothing that a causal mask hides from the token that is read has to be computed
    hides = mask is not None and bool(mask[..., : read + 1, read + 1 :].isneginf().all())
    ever = read + 1 if hides else tokens
    seen = None if mask is None else mask[..., :ever, :ever]
    tower = WrittenOut(transformer.resblocks, reader.ending, read, seen)
    return _Path(tower, start[:ever], end[:ever], tokens, anatomy.lock, reader.prefix, None)


def _stream(anatomy: Anatomy, reader: Reader | str) -> Stream:
    refused = why_not(anatomy.images, anatomy.texts)
    if refused is not None:
        raise CapabilityError(f"similarities cannot be attributed to words and patches: {refused}")
    assert isinstance(reader, Stream)
    return reader
