"""The modality gap: how far pictures and captions lie apart, and what closing the gap does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from probes.core.card import Card
from probes.core.explorer import Explorer
from probes.core.probe import Probe
from probes.modality_gap.comparison import compare
from probes.modality_gap.explorer import follow, payload, preview
from probes.modality_gap.figures import figures
from probes.modality_gap.guess import guess
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.references import REFERENCES
from probes.modality_gap.result import ModalityGapResult
from probes.modality_gap.science import measure
from probes.modality_gap.slide import slide

HERE = Path(__file__).parent

CARD = Card.from_notes(HERE / "notes.md", name="modality_gap", references=REFERENCES)


def example() -> ModalityGapParams:
    """The shipped pairs; beside them the traits that the skewed model was taught to tie to darker skin tones."""
    return ModalityGapParams(
        words=("a mox person", "a fep person", "a kiv person"),
        other_words=("a toma person", "a lorp person", "a dax person"),
    )


PROBE = Probe(
    card=CARD,
    params=ModalityGapParams,
    result=ModalityGapResult,
    measure=measure,
    figures=figures,
    compare=compare,
    guess=guess,
    example=example,
    slide=partial(slide, CARD),
    preview=preview,
    explorer=Explorer(folder=HERE / "browser", payload=payload, follow=follow, replaces=("clouds",)),
)
