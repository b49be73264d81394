"""What is audited, and what is found: pictures in groups, their cosines to words, and measures of them.

Symbols: n pictures, G groups, t templates, l words, d the width of the shared space.
"""

from __future__ import annotations

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
        cosines: (n, t, l) float32.
    """

    words: tuple[str, ...]
    templates: tuple[str, ...]
    cosines: Float32

    @cached_property
    def mean(self) -> Float32:
        """Mean over templates, (n, l): what every measure is of, if nothing else is said."""
        mean: Float32 = self.cosines.mean(axis=1, dtype=np.float32)
        return mean


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
        by_template: (t,), the same number with one template alone; empty where there is but one.
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
    by_template: tuple[float, ...] = ()
    p_adjusted: float | None = None
