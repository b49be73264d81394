"""Predict first: what lies closer together, a picture and its caption or two pictures."""

from __future__ import annotations

from probes.core.guessing import Guess
from probes.modality_gap.closed_form import Measured
from probes.modality_gap.result import ModalityGapResult

OPTIONS = ("a picture and its own caption", "two pictures of different things", "neither clearly")


def guess(result: ModalityGapResult) -> Guess:
    """Whether matched pairs or pictures among themselves have the larger cosine, if intervals do not overlap."""
    matched, pictures = result.measure("cosine_matched"), result.measure("cosine_image_image")
    (low, high), (lower, higher) = _ends(matched), _ends(pictures)
    overlap = low <= higher and lower <= high
    right = 2 if overlap else 0 if matched.value > pictures.value else 1
    told = (
        f"The mean cosine of a picture and its caption is {matched.value:.2f} ({low:.2f} to {high:.2f}), of two "
        f"pictures {pictures.value:.2f} ({lower:.2f} to {higher:.2f})."
    )
    return Guess("Which two lie closer together, on average?", OPTIONS, right, told)


def _ends(one: Measured) -> tuple[float, float]:
    """The interval; the value alone where there is none."""
    return (one.value, one.value) if one.low is None or one.high is None else (one.low, one.high)
