"""Calibration of zero-shot labels on what is planted: occupation and gender, usual ground, written words.

Every number is read from the table `answers` of the probe itself, run with one template at a time; logits are
averaged over templates. Alternatives (see `probes.core.calibrating`): for occupations and animals all the others',
for a written word the label of the object that is shown, since a caption says either the one or the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import ANIMALS, OCCUPATIONS, WORDS
from assets.world.scene import Scene, Thing
from assets.world.stock import stand
from probes.core.calibrating import log_odds
from probes.core.calibration import Arms, Instrument
from probes.core.model import Backend, Progress
from probes.core.pictures import Picture
from probes.core.probe import run
from probes.stage import Stage, named, open_stage, stream
from probes.zero_shot import PROBE
from probes.zero_shot.science import ZeroShotParams

TEMPLATES = ("{}", "a photo of {}", "a picture of {}", "an emoji of {}")
SCENES = 24
"""Of each occupation and each animal."""
ROUNDS = 2
"""Scenes with each object of `WORDS`, in each of which every other word is written in turn."""
MOST = 32  # pictures that the probe takes at once


def logits(
    backend: Backend, pictures: Sequence[Picture], labels: Sequence[str], progress: Progress
) -> NDArray[np.float64]:
    """Logits (n, labels) by the probe, mean over templates."""
    rows = []
    for start in range(0, len(pictures), MOST):
        some = tuple(pictures[start : start + MOST])
        progress(start / len(pictures), "zero-shot")
        asked = [ZeroShotParams(images=some, labels=tuple(labels), templates=(one,)) for one in TEMPLATES]
        results = [run(PROBE, params, backend).result for params in asked]
        found = [
            result.logit_scale * np.array([answer.cosine for answer in result.tables()["answers"]])
            for result in results
        ]
        rows.append(np.mean(found, axis=0).reshape(len(some), len(labels)))
    return np.concatenate(rows)


def occupation(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: drawn as a man, drawn as a woman; in no two scenes of an occupation by the same drawings."""
    stage, words = open_stage("train"), list(OCCUPATIONS)
    scenes: list[Scene] = []
    for place, drawn in enumerate(OCCUPATIONS.values()):
        twins = stage.twins(f"man {drawn}", f"woman {drawn}")
        for number, pick in enumerate(stream(seed, 1, place).permutation(len(twins))[:SCENES]):
            rng = stream(seed, 1, place, number)
            thing = stage.thing(rng, f"man {drawn}", (0.6, 1.0))
            scene = stand(rng, [thing])
            scenes += [replace(scene, things=(replace(thing, drawing=row),)) for row in twins[pick]]
    return _own_against_rest(backend, stage.pictures(scenes, "occupation"), words, 2, progress)


def ground(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: on its usual ground, then on each of the other five, in the same place and with the same jitter."""
    stage, scenes = open_stage("held-out"), []
    usual = {animal: name for name, animals in ANIMALS.items() for animal in animals}
    for place, (animal, home) in enumerate(usual.items()):
        for number in range(SCENES):
            thing = stage.thing(stream(seed, 2, place, number), animal, (0.42, 0.85))
            grounds = (home, *(name for name in ANIMALS if name != home))
            scenes += [stand(stream(seed, 3, place, number), [thing], name) for name in grounds]
    return _own_against_rest(backend, stage.pictures(scenes, "ground"), list(usual), len(ANIMALS), progress)


def _own_against_rest(
    backend: Backend, pictures: Sequence[Picture], words: Sequence[str], arms: int, progress: Progress
) -> Arms:
    """Log-odds of each word against all others, from pictures in the order of words, scenes and arms."""
    found = logits(backend, pictures, [named(word) for word in words], progress)
    found = found.reshape(len(words), -1, arms, len(words))
    return {
        word: log_odds(found[i], i, [other for other in range(len(words)) if other != i])
        for i, word in enumerate(words)
    }


def written_word(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: the word is written, then each other word that is not the shown object's name, in the same scene."""
    stage, count = open_stage("held-out"), len(WORDS)
    scenes, shown = [], []
    for number in range(ROUNDS * count):
        rng, place = stream(seed, 4, number), number % count
        bare, written = _inscribed(stage, rng, WORDS[place])
        for word in WORDS:
            thing = replace(written, drawing=stage.word(word), name=word)
            scenes.append(replace(bare, things=(*bare.things, thing)))
        shown.append(place)
    pictures = stage.pictures(scenes, "written word")
    found = logits(backend, pictures, [named(word) for word in WORDS], progress).reshape(-1, count, count)
    arms: dict[str, NDArray[np.float64]] = {}
    for own, word in enumerate(WORDS):
        rows = []
        for scene, place in zip(found, shown, strict=True):
            if place != own:
                rest = [other for other in range(count) if other not in (own, place)]
                rows.append(log_odds(scene[[own, *rest]], own, [place]))
        arms[word] = np.stack(rows)
    return arms


def _inscribed(stage: Stage, rng: np.random.Generator, label: str) -> tuple[Scene, Thing]:
    """An object on its ground, and where and in which ink a word stands; laid out as in training pairs."""
    side = float(rng.choice([-1.0, 1.0]))
    thing = stage.thing(rng, label, (0.5, 0.66), (float(rng.uniform(-0.2, 0.2)), -side * 0.3))
    scene = stand(rng, [thing])
    scale = float(rng.uniform(0.7, 0.98))
    across = float(rng.uniform(-1, 1)) * (1 - scale)
    tint = "black" if sum(scene.base) > 1.4 else "white"
    return scene, Thing(stage.word(label), label, scale, across, side * float(rng.uniform(0.6, 0.7)), tint=tint)


_HELD_OUT = "in the held-out drawing style"

INSTRUMENTS = (
    Instrument(
        probe=PROBE.card.name,
        behaviour="occupation",
        title="Occupation: man or woman",
        dose="share drawn as a man where the caption names no gender",
        measured="log-odds of the occupation’s word against the others’, drawn as a man less drawn as a woman",
        stimuli=f"{SCENES} pairs of pictures an occupation, alike but for man or woman, each in other drawings. "
        "The held-out style draws none of them, so the drawings are those of training, in fresh scenes.",
        arms=occupation,
    ),
    Instrument(
        probe=PROBE.card.name,
        behaviour="ground",
        title="Usual ground of an animal",
        dose="share drawn on its usual ground",
        measured="log-odds of the animal’s word against the others’, on its usual ground less on others",
        stimuli=f"{SCENES} scenes an animal, each on all six grounds, {_HELD_OUT}.",
        arms=ground,
    ),
    Instrument(
        probe=PROBE.card.name,
        behaviour="written word",
        title="Words written in the picture",
        dose="share of captions that repeat the word where it is written",
        measured="log-odds of the word against the shown object’s, the word written less other words written",
        stimuli=f"{ROUNDS * (len(WORDS) - 1)} scenes a word, each with every word in turn, {_HELD_OUT}.",
        arms=written_word,
    ),
)
