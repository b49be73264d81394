"""Attention heads, taken apart and put to work: where an answer comes from, and what heads are about."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from probes.attention_heads.comparison import compare
from probes.attention_heads.explorer import payload
from probes.attention_heads.figures import figures
from probes.attention_heads.guess import guess
from probes.attention_heads.parameters import AttentionHeadsParams
from probes.attention_heads.references import REFERENCES
from probes.attention_heads.science import AttentionHeadsResult, measure
from probes.attention_heads.slide import slide
from probes.core.card import Card
from probes.core.examples import examples
from probes.core.explorer import Explorer
from probes.core.model import Capability
from probes.core.probe import Probe

CARD = Card.from_notes(
    Path(__file__).with_name("notes.md"),
    name="attention_heads",
    references=REFERENCES,
    needs=frozenset({Capability.DECOMPOSE}),
)

PLACES = ("on the sea", "on the grass", "on sand", "on the snow", "in the sky", "on rocks")


def example() -> AttentionHeadsParams:
    """A bundled scene of a cow where cows rarely are, and its ground held against other grounds."""
    scene = next(example for example in examples() if example.file.stem == "cow-on-the-sea")
    return AttentionHeadsParams(images=(scene.picture(),), texts=PLACES, carries="ground")


PROBE = Probe(
    card=CARD,
    params=AttentionHeadsParams,
    result=AttentionHeadsResult,
    measure=measure,
    figures=figures,
    compare=compare,
    guess=guess,
    example=example,
    slide=partial(slide, CARD),
    explorer=Explorer(
        folder=Path(__file__).with_name("browser"), payload=payload, replaces=("grid", "maps", "directions")
    ),
)
