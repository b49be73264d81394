"""Bias audits: which words a model ties to which group, with intervals, nulls and the spread over templates."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from probes.bias_audit.comparison import compare
from probes.bias_audit.figures import figures
from probes.bias_audit.gathering import preview
from probes.bias_audit.guess import guess
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.references import REFERENCES
from probes.bias_audit.result import BiasAuditResult
from probes.bias_audit.science import measure
from probes.bias_audit.slide import slide
from probes.core.card import Card
from probes.core.probe import Probe
from probes.core.word_lists import lists
from probes.people import PORTRAITS

CARD = Card.from_notes(Path(__file__).with_name("notes.md"), name="bias_audit", references=REFERENCES)


def example() -> BiasAuditParams:
    """Portraits in darker and lighter skin tones, and the invented traits planted with skin tone.

    The skewed model ties them to skin tone at known doses and the balanced one does not. No word of that world
    can hurt; one of them stands in for a harm word.
    """
    return BiasAuditParams(
        people=PORTRAITS,
        group="skin_tone",
        groups=("dark = medium-dark | dark", "light = light | medium-light"),
        words=lists()["traits-tone"].words,
        k=20,
        harm_words=("a mox person",),
        added_words=("a fep person", "a toma person"),
        by="gender",
        mitigate="texts",
        task="gender",
    )


PROBE = Probe(
    card=CARD,
    params=BiasAuditParams,
    result=BiasAuditResult,
    measure=measure,
    figures=figures,
    compare=compare,
    guess=guess,
    example=example,
    slide=partial(slide, CARD),
    preview=preview,
)
