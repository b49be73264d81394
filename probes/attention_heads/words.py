r"""Which words of a caption fit a picture, and which patches each word meets.

A word w holds some tokens of the text, and what it adds to the similarity with a picture x is the second-order
attribution (`probes.core.attribution`) summed over these and over all image tokens:

    c_w(x) = sum_{j in w} (f(x) - f(x')) . v_j,      f(x) . g(y) = sum_w c_w(x) + references (+ error).

Its map is the same sum taken patch by patch. How it is judged is told in `probes.attention_heads.word_fit`.
`without` is the plain check: by how much the similarity rises as the word is left out of the caption.

Reference: Möller, Tilli, Vu, Padó, TMLR 2025, arXiv:2408.14153.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probes.attention_heads.word_fit import WordRow, judged
from probes.core.arrays import Packed
from probes.core.errors import FieldError
from probes.core.model import Backend, Capability, Progress, no_progress
from probes.core.pictures import Picture
from probes.core.statistics import SIGNIFICANT
from probes.core.watching import part

FEWEST = 5
"""With fewer other pictures there is nothing to be lower than."""
FUNCTION_WORDS = frozenset(
    (
        "a", "an", "the", "this", "that", "these", "those", "of", "on", "in", "at", "by", "with", "without", "to",
        "from", "for", "into", "onto", "over", "under", "near", "and", "or", "but", "nor", "as", "than", "then",
        "is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "do", "does", "did", "it",
        "its", "he", "she", "they", "his", "her", "their", "him", "them", "i", "you", "we", "my", "your", "our",
        "some", "any", "no", "not", "there", "here", "which", "who", "whose", "what", "so", "such",
    )
)  # fmt: skip
"""English words of grammar; what they add is shown, but says nothing of a picture."""


@dataclass(frozen=True)
class Word:
    """A word of a caption and where it stands among the tokens of the text.

    Attributes:
        text: the word as it is written.
        tokens: positions of its pieces.
    """

    text: str
    tokens: tuple[int, ...]

    @property
    def bare(self) -> str:
        """Without what stands around it, in small letters."""
        return self.text.strip("\"'“”‘’.,;:!?()[]{}-–—…").casefold()


@dataclass(frozen=True)
class AccountRow:
    """The row of the table `words_check`: what the similarity is made of, in cosine.

    Attributes:
        similarity: of picture and caption.
        words: what all words add.
        references: what a picture and a caption without content account for.
        error: of the words' sum, the integral being a mean over points.
        map_error: largest difference between a word's contribution and the sum of its map.
    """

    similarity: float
    words: float
    references: float
    error: float
    map_error: float


@dataclass(frozen=True, eq=False)
class WordsResult:
    """Words of a caption against a picture.

    Attributes:
        caption: as it was given.
        picture: its name.
        rows: one a word, in the order of the caption.
        maps: what each word adds through each patch, (words, rows, columns), in cosine.
        account: what the similarity is made of.
        dropped: tokens that did not fit into the model's context.
    """

    caption: str
    picture: str
    rows: tuple[WordRow, ...]
    maps: Packed
    account: AccountRow
    dropped: int = 0

    @property
    def misfits(self) -> tuple[WordRow, ...]:
        """The words that do not fit."""
        return tuple(row for row in self.rows if row.misfit)

    def headline(self) -> str:
        """Which words fit and which do not, in a sentence."""
        fits = _listed([row.word for row in self.rows if row.fits])
        wrong = _listed([row.word for row in self.misfits])
        return (
            f"“{self.caption}”: clearly more than to {self.rows[0].others} other pictures is added by "
            f"{fits or 'no word'}; called misfits: {wrong or 'none'}."
        )

    def warnings(self) -> tuple[str, ...]:
        """What bears on how the numbers are to be read."""
        account = self.account
        told = [
            f"Of the cosine of {account.similarity:+.3f} words account for {account.words:+.3f}, the references "
            f"for {account.references:+.3f}; the sum is known within {account.error:.4f}, a map within "
            f"{account.map_error:.4f}."
        ]
        grammar = [row for row in self.rows if row.function_word]
        content = [abs(row.contribution) for row in self.rows if not row.function_word]
        if grammar and max(abs(row.contribution) for row in grammar) > max(content, default=0.0):
            told.append("A function word adds or takes away most here; that says nothing of the picture.")
        if self.dropped:
            told.append(f"The end of the caption is lost: {self.dropped} tokens do not fit into the context.")
        least = 1 / (1 + self.rows[0].others)
        if least * len(self.rows) > SIGNIFICANT:
            told.append(
                f"With {self.rows[0].others} other pictures no single word can stand out among {len(self.rows)}."
            )
        return tuple(told)


def misfits(
    backend: Backend,
    picture: Picture,
    caption: str,
    others: Sequence[Picture],
    seed: int = 0,
    progress: Progress = no_progress,
) -> WordsResult:
    """What each word of a caption adds to its similarity with a picture, where, and whether it fits.

    Args:
        backend: the model.
        picture: the picture.
        caption: of one word or more.
        others: pictures the words are held against; the picture itself is left out of them.
        seed: of the resamples.
        progress: told the share that is done.

    Raises:
        CapabilityError: the towers are no plain transformers.
        FieldError: the caption holds no word, or there are fewer than `FEWEST` other pictures.
    """
    backend.card.require(Capability.ATTRIBUTE)
    words = cut(backend, caption)
    rows, account = weigh(backend, picture, caption, words, others, seed, part(progress, 0.0, 0.5))
    (pair,) = backend.attribute([picture], caption, part(progress, 0.5, 1.0))
    maps = np.stack([pair.over_patches(word.tokens) for word in words])
    lacking = maps.sum(axis=(1, 2), dtype=np.float64) - [row.contribution for row in rows]
    return WordsResult(
        caption=caption,
        picture=picture.name,
        rows=rows,
        maps=maps,
        account=AccountRow(
            account.similarity, account.words, account.references, account.error, float(np.abs(lacking).max())
        ),
        dropped=backend.tokens([caption])[0].dropped,
    )


def cut(backend: Backend, caption: str) -> tuple[Word, ...]:
    """The words of a caption, parted by spaces, with their tokens; those that were cut off are not among them.

    Words of which the tokenizer keeps nothing are left out. Where it joins what spaces part, its pieces are the
    words.

    Raises:
        FieldError: there is none.
    """
    written = caption.split()
    whole, *starts = backend.tokens([caption, *(" ".join(written[: k + 1]) for k in range(len(written)))])
    ends_at = [len(begun.pieces) for begun in starts]
    if any(whole.pieces[:end] != begun.pieces for end, begun in zip(ends_at, starts, strict=True)):
        written, ends_at = list(whole.pieces), list(range(1, len(whole.pieces) + 1))
    spans = zip(written, [0, *ends_at[:-1]], ends_at, strict=True) if written else ()
    words = tuple(
        Word(text, tuple(range(whole.start + begin, whole.start + end)))
        for text, begin, end in spans
        if end > begin
    )
    if not words:
        raise FieldError("caption", "write a caption of one word or more")
    return words


def weigh(
    backend: Backend,
    picture: Picture,
    caption: str,
    words: Sequence[Word],
    others: Sequence[Picture],
    seed: int,
    progress: Progress = no_progress,
) -> tuple[tuple[WordRow, ...], AccountRow]:
    """What each word adds, held against other pictures, without maps (whose error is told as 0).

    Raises:
        CapabilityError: the towers are no plain transformers.
        FieldError: there are fewer than `FEWEST` other pictures.
    """
    held = [other for other in others if other.digest != picture.digest]
    if len(held) < FEWEST:
        raise FieldError("other_pictures", f"{FEWEST} other pictures or more are needed; {len(held)} given")
    found = backend.contributions([picture, *held], caption, progress)
    added = np.stack([found.matrix[:, list(word.tokens)].sum(axis=1, dtype=np.float64) for word in words], axis=1)
    rises = left_out(backend, picture, caption, words)
    rows = judged(
        [word.text for word in words], added, rises, [word.bare in FUNCTION_WORDS for word in words], seed
    )
    account = AccountRow(
        similarity=float(found.similarity[0]),
        words=float(added[0].sum()),
        references=float(found.similarity[0] - found.total[0]),
        error=float(abs(found.matrix[0].sum(dtype=np.float64) - found.total[0])),
        map_error=0.0,
    )
    return rows, account


def left_out(backend: Backend, picture: Picture, caption: str, words: Sequence[Word]) -> list[float | None]:
    """By how much the cosine rises as each word is left out of the caption."""
    written = caption.split()
    kept = [word.text for word in words]
    if written[: len(kept)] != kept:  # pieces are the words, or a word left no piece
        return [None] * len(words)
    texts = [" ".join(written[:k] + written[k + 1 :]) for k in range(len(kept))]
    embedding = backend.encode_images([picture])[0].astype(np.float64)
    cosine = backend.encode_texts([caption, *texts]).astype(np.float64) @ embedding
    return [float(rise) for rise in cosine[1:] - cosine[0]]


def _listed(words: Sequence[str]) -> str:
    """Words in quotes, the last after an `and`."""
    quoted = [f"“{word}”" for word in words]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
