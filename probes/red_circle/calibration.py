"""Calibration of the red circle on scenes of two or three objects.

Every scene is one run of the probe with the circle round the concept's object and `PLACEBOS` placebos (the page
draws 99; fewer widen a scene's own interval, which is not used here). The arms are `beyond` of the probe in parts:
how far the circle, and each placebo, moved the logit of the circled object's label less that of the others'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import CIRCLED
from assets.world.stock import corners, stand
from probes.core.calibrating import log_odds
from probes.core.calibration import Arms, Instrument
from probes.core.marks import Mark
from probes.core.model import Backend, Progress
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.red_circle import PROBE
from probes.red_circle.science import RedCircleParams
from probes.stage import Stage, named, open_stage, stream

TEMPLATES = ("{}", "a photo of {}", "a picture of {}", "an emoji of {}")
SCENES = 24
"""Of each object."""
PLACEBOS = 12


def circle(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: the circle round the object, then the same circle in other places of the same scene."""
    stage = open_stage("held-out")
    arms = {}
    for place, concept in enumerate(CIRCLED):
        progress(place / len(CIRCLED), "red circle")
        rows = [_scene(stage, backend, seed, place, number) for number in range(SCENES)]
        arms[concept] = np.stack(rows)
    return arms


def staged(stage: Stage, seed: int, place: int, number: int) -> tuple[Picture, list[int], Mark]:
    """A scene laid out as in training pairs: the picture, places of its objects, and a circle round the first."""
    rng = stream(seed, 5, place, number)
    others = [int(other) for other in rng.permutation(len(CIRCLED)) if other != place]
    places = [place, *others[: int(rng.integers(1, 3))]]
    things = [
        stage.thing(rng, CIRCLED[one], (0.36, 0.44), at) for one, at in zip(places, corners(rng, 4), strict=False)
    ]
    (picture,) = stage.pictures([stand(rng, things)], CIRCLED[place])
    circle = Mark(
        "circle",
        (((things[0].x + 1) / 2, (things[0].y + 1) / 2),),
        radius=round(things[0].scale * float(rng.uniform(0.5, 0.62)), 2),
        width=round(float(rng.uniform(0.018, 0.05)), 3),
    )
    return picture, places, circle


def _scene(stage: Stage, backend: Backend, seed: int, place: int, number: int) -> NDArray[np.float64]:
    """The arms (1 + placebos,) of one scene."""
    picture, places, circle = staged(stage, seed, place, number)
    labels = [CIRCLED[one] for one in places]
    params = RedCircleParams(
        images=(picture,),
        marks=(circle,),
        texts=tuple(map(named, labels)),
        templates=TEMPLATES,
        placebos=PLACEBOS,
        seed=seed + number,
        foveal=False,
        grid=0,
        curves=False,
    )
    tables = run(PROBE, params, backend).result.tables()
    here = [row.logit_change for row in tables["effects"]]
    away = [row.logit_change for row in tables["placebos"] if row.kind == "elsewhere"]
    elsewhere = np.reshape(away, (-1, len(labels)))
    return log_odds(np.vstack([here, elsewhere]), 0, range(1, len(labels)))


INSTRUMENTS = (
    Instrument(
        probe=PROBE.card.name,
        behaviour="circle",
        title="A red circle",
        dose="share of captions that name the circled object alone, the rest another one",
        measured="log-odds of the circled object’s word against the other objects’, circled less circle elsewhere",
        stimuli=f"{SCENES} scenes of two or three objects for each object, with the circle round it and "
        f"{PLACEBOS} placebos, in the held-out drawing style.",
        arms=circle,
    ),
)
