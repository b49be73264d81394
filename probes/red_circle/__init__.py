"""The red circle: what a mark on the picture does to its labels, beyond placebos."""

from __future__ import annotations

from pathlib import Path

from probes.core.card import Card, Reference
from probes.core.examples import examples
from probes.core.probe import Probe
from probes.red_circle.figures import figures
from probes.red_circle.science import RedCircleParams, RedCircleResult, measure, preview

CARD = Card.from_notes(
    Path(__file__).with_name("notes.md"),
    name="red_circle",
    references=(
        Reference(
            key="shtedritski2023redcircle",
            title="What does CLIP know about a red circle? Visual prompt engineering for VLMs",
            authors="Shtedritski, Aleksandar and Rupprecht, Christian and Vedaldi, Andrea",
            year=2023,
            venue="ICCV",
            url="https://arxiv.org/abs/2304.06712",
            why="Found that a red circle steers CLIP to a region.",
        ),
    ),
)


def example() -> RedCircleParams:
    """The first bundled scene of several things, one of them circled."""
    scene = next(example for example in examples() if example.point is not None)
    assert scene.point is not None
    return RedCircleParams(images=(scene.picture(),), texts=scene.labels)


PROBE = Probe(
    card=CARD,
    params=RedCircleParams,
    result=RedCircleResult,
    measure=measure,
    figures=figures,
    example=example,
    preview=preview,
)
