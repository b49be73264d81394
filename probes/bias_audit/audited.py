"""What is audited, and what is found: pictures in groups, their cosines to words, and measures of them.

Symbols: n pictures, G groups, t templates, l words, d the width of the shared space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32

Codes = NDArray[np.intp]
"""The place of each picture's group among the groups, (n,)."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """Pictures by the value of one attribute. Every group has at least one picture.

    Attributes:
        attribute: its name, such as `gender`.
        groups: its values, (G,), in a fixed order.
        codes: (n,), each picture's place in `groups`.
    """

    attribute: str
    groups: tuple[str, ...]
    codes: Codes

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """How many pictures each group has, (G,)."""
        return np.bincount(self.codes, minlength=len(self.groups))


@dataclass(frozen=True, eq=False)
class Scores:
    """Cosines of pictures and words, with every template by itself.

    Attributes:
        words: (l,).
        templates: (t,); `("{}",)` where words stand alone.
        cosines: (n, t, l) float32, mean over the paraphrases of a word.
        paraphrased: (n, v, l) float32, mean over templates of the v-th paraphrase of each word; words with fewer
            repeat theirs. None where no word has several.
    """

    words: tuple[str, ...]
    templates: tuple[str, ...]
    cosines: Float32
    paraphrased: Float32 | None = None

    @classmethod
    def of(cls, images: Float32, texts: Float32, words: Sequence[str], templates: Sequence[str]) -> Scores:
        """Cosines of unit pictures (n, d) to unit texts (t, l, d)."""
        t, count, d = texts.shape
        flat = images @ texts.reshape(t * count, d).T
        return cls(tuple(words), tuple(templates), flat.reshape(len(images), t, count))

    @cached_property
    def mean(self) -> Float32:
        """Mean over templates and paraphrases, (n, l): what every measure is of, if nothing else is said."""
        mean: Float32 = self.cosines.mean(axis=1, dtype=np.float32)
        return mean

    def of_words(self, chosen: NDArray[np.bool_]) -> Scores:
        """The same of some words, chosen (l,)."""
        alone = None if self.paraphrased is None else self.paraphrased[..., chosen]
        words = tuple(word for word, kept in zip(self.words, chosen, strict=True) if kept)
        return Scores(words, self.templates, self.cosines[..., chosen], alone)

    def of_pictures(self, chosen: NDArray[np.bool_]) -> Scores:
        """The same of some pictures, chosen (n,)."""
        alone = None if self.paraphrased is None else self.paraphrased[chosen]
        return Scores(self.words, self.templates, self.cosines[chosen], alone)

    @cached_property
    def by_wording(self) -> Float32:
        """Every wording by itself, (n, t + v, l): templates first, then paraphrases; (n, t, l) without these."""
        if self.paraphrased is None:
            return self.cosines
        return np.concatenate([self.cosines, self.paraphrased], axis=1)

    @property
    def wordings(self) -> int:
        """How many there are, t + v."""
        return int(self.cosines.shape[1] + (0 if self.paraphrased is None else self.paraphrased.shape[1]))


@dataclass(frozen=True)
class Measure:
    """One number of an audit.

    Attributes:
        measure: its kind, such as `max_skew`.
        variant: which of its definitions, where there are several; else empty.
        word: what it is of; `A / B` for two sets of words.
        group: whose it is; empty where it is of all groups together, or several attain it.
        low, high: 95 % interval, None where there is none.
        n: pictures (or pairs) that it rests on.
        p: of the claim that there is nothing, None where nothing is tested.
        by_wording: (t + v,), the same number with one template alone, then with one paraphrase alone; empty
            where there is but one wording.
        p_adjusted: p corrected for the family of its measure and variant (Benjamini & Hochberg 1995).
    """

    measure: str
    variant: str
    word: str
    group: str
    value: float
    low: float | None
    high: float | None
    n: int
    p: float | None
    by_wording: tuple[float, ...] = ()
    p_adjusted: float | None = None
