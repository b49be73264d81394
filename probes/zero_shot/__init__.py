"""Zero-shot classification, with its spread over templates."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from probes.core.card import Card, Reference
from probes.core.examples import examples
from probes.core.probe import Probe
from probes.core.references import CLIP
from probes.zero_shot.comparison import compare
from probes.zero_shot.figures import figures
from probes.zero_shot.guess import guess
from probes.zero_shot.science import ZeroShotParams, ZeroShotResult, measure
from probes.zero_shot.slide import slide

CARD = Card.from_notes(
    Path(__file__).with_name("notes.md"),
    name="zero_shot",
    references=(
        CLIP,
        Reference(
            key="maniparambil2023vdt",
            title="Enhancing CLIP with GPT-4: Harnessing Visual Descriptions as Prompts",
            authors="Maniparambil, Mayug and Vorster, Chris and Molloy, Derek and Murphy, Noel and "
            "McGuinness, Kevin and O'Connor, Noel E.",
            year=2023,
            venue="ICCV Workshops",
            url="https://arxiv.org/abs/2307.11661",
            why="Wording decides what the model sees.",
        ),
    ),
)


def example() -> ZeroShotParams:
    """The first bundled picture with the labels that suit it."""
    first = examples()[0]
    return ZeroShotParams(images=(first.picture(),), labels=first.labels)


PROBE = Probe(
    card=CARD,
    params=ZeroShotParams,
    result=ZeroShotResult,
    measure=measure,
    figures=figures,
    compare=compare,
    guess=guess,
    example=example,
    slide=partial(slide, CARD),
)
