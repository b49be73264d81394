"""Predict first: what a visitor is asked before an answer is shown, and what the answer says to it.

A guess is made from a result, without a model. What it asks and offers follows from the question alone, so that
neither gives the answer away.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """A question with one right option.

    Attributes:
        question: one sentence.
        options: at least two, all different.
        right: the place of the one that the result bears out.
        told: what the result says, in a sentence.
    """

    question: str
    options: tuple[str, ...]
    right: int
    told: str

    def __post_init__(self) -> None:
        if len(set(self.options)) != len(self.options) or not 0 <= self.right < len(self.options) > 1:
            raise ValueError("a guess needs two or more different options, one of which is right")
