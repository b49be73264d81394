"""The red circle: what marks on the picture do to its labels, beyond placebos."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from probes.core.card import Card
from probes.core.examples import examples
from probes.core.probe import Probe
from probes.red_circle.comparison import compare
from probes.red_circle.figures import figures
from probes.red_circle.guess import guess
from probes.red_circle.looking import glance
from probes.red_circle.parameters import FIRST_MARK, GRID
from probes.red_circle.references import REFERENCES
from probes.red_circle.science import RedCircleParams, RedCircleResult, measure, preview
from probes.red_circle.slide import slide

CARD = Card.from_notes(Path(__file__).with_name("notes.md"), name="red_circle", references=REFERENCES)


def example() -> RedCircleParams:
    """A bundled scene of two things, one of them circled and the rest blurred."""
    scene = next(example for example in examples() if example.file.stem == "ball-and-mushroom")
    assert scene.point is not None
    (mark,) = FIRST_MARK
    return RedCircleParams(
        images=(scene.picture(),),
        texts=scene.labels,
        marks=(mark.moved_to(*scene.point),),
        outside="blurred",
        among=GRID,
    )


PROBE = Probe(
    card=CARD,
    params=RedCircleParams,
    result=RedCircleResult,
    measure=measure,
    figures=figures,
    compare=compare,
    guess=guess,
    example=example,
    preview=preview,
    glance=glance,
    slide=partial(slide, CARD),
)
