"""Calibration of zero-shot labels on what is planted: occupation and gender, usual ground, written words.

Every number is read from the table `answers` of the probe itself, run with one template at a time; logits are
averaged over templates. Alternatives (see `probes.core.calibrating`): for an occupation all others, for an animal
the others that are not shown, for a written word the object shown, since a caption says the one or the other.
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
"""Of each occupation."""
GROUND_ROUNDS = 2
"""Scenes with each animal, shown on every ground in turn."""
ROUNDS = 2
"""Scenes with each object of `WORDS`, shown with every word in turn."""
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


Staged = list[tuple[int, list[Scene]]]
"""Rounds of scenes that are alike in all but one thing, each with the place of the concept it is about."""


def occupation_scenes(stage: Stage, seed: int) -> Staged:
    """Drawn as a man, drawn as a woman; in no two scenes of an occupation by the same drawings."""
    rounds = []
    for place, drawn in enumerate(OCCUPATIONS.values()):
        twins = stage.twins(f"man {drawn}", f"woman {drawn}")
        for number, pick in enumerate(stream(seed, 1, place).permutation(len(twins))[:SCENES]):
            rng = stream(seed, 1, place, number)
            thing = stage.thing(rng, f"man {drawn}", (0.6, 1.0))
            scene = stand(rng, [thing])
            rounds.append((place, [replace(scene, things=(replace(thing, drawing=row),)) for row in twins[pick]]))
    return rounds


def ground_scenes(stage: Stage, seed: int) -> Staged:
    """An animal on every ground, in the order of `ANIMALS`; the place is that of the animal."""
    words = [animal for animals in ANIMALS.values() for animal in animals]
    rounds = []
    for number in range(GROUND_ROUNDS * len(words)):
        place = number % len(words)
        thing = stage.thing(stream(seed, 2, number), words[place], (0.42, 0.85))
        rounds.append((place, [stand(stream(seed, 3, number), [thing], name) for name in ANIMALS]))
    return rounds


def word_scenes(stage: Stage, seed: int) -> Staged:
    """An object with every word in turn, in the order of `WORDS`; the place is that of the object."""
    rounds = []
    for number in range(ROUNDS * len(WORDS)):
        place = number % len(WORDS)
        bare, written = _inscribed(stage, stream(seed, 4, number), WORDS[place])
        inscribed = [replace(written, drawing=stage.word(word), name=word) for word in WORDS]
        rounds.append((place, [replace(bare, things=(*bare.things, thing)) for thing in inscribed]))
    return rounds


def flat(rounds: Staged) -> list[Scene]:
    """All scenes, round by round."""
    return [scene for _, scenes in rounds for scene in scenes]


def occupation(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: drawn as a man, drawn as a woman."""
    stage, words = open_stage("train"), list(OCCUPATIONS)
    pictures = stage.pictures(flat(occupation_scenes(stage, seed)), "occupation")
    found = logits(backend, pictures, [named(word) for word in words], progress)
    found = found.reshape(len(words), -1, 2, len(words))
    return {word: log_odds(found[i], i, _without(len(words), i)) for i, word in enumerate(words)}


def ground(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: another animal on this one's usual ground, then the same on each of the other five.

    The animal itself is not in the picture: where it is, the drawing decides, and a model that knows its animals
    well shows nothing of what their grounds have taught it.
    """
    stage, grounds = open_stage("held-out"), list(ANIMALS)
    usual = {animal: name for name, animals in ANIMALS.items() for animal in animals}
    words = list(usual)
    pictures = stage.pictures(flat(ground_scenes(stage, seed)), "ground")
    found = logits(backend, pictures, [named(word) for word in words], progress)
    found = found.reshape(-1, len(grounds), len(words))
    arms = {}
    for own, word in enumerate(words):
        home = grounds.index(usual[word])
        order = [home, *_without(len(grounds), home)]
        arms[word] = np.stack(
            [
                log_odds(scene[order], own, _without(len(words), own, number % len(words)))
                for number, scene in enumerate(found)
                if number % len(words) != own
            ]
        )
    return arms


def _without(count: int, *left_out: int) -> list[int]:
    """The numbers below `count`, but for some."""
    return [number for number in range(count) if number not in left_out]


def written_word(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: the word is written, then each other word that is not the shown object's name, in the same scene."""
    stage, count = open_stage("held-out"), len(WORDS)
    rounds = word_scenes(stage, seed)
    shown = [place for place, _ in rounds]
    pictures = stage.pictures(flat(rounds), "written word")
    found = logits(backend, pictures, [named(word) for word in WORDS], progress).reshape(-1, count, count)
    arms: dict[str, NDArray[np.float64]] = {}
    for own, word in enumerate(WORDS):
        rows = []
        for scene, place in zip(found, shown, strict=True):
            if place != own:
                rows.append(log_odds(scene[[own, *_without(count, own, place)]], own, [place]))
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
        measured="log-odds of the animal’s word where another animal is drawn, on its usual ground less on others",
        stimuli=f"{GROUND_ROUNDS * 23} scenes with other animals for each, all on all six grounds, {_HELD_OUT}. "
        "The animal itself is not shown: where it is, the drawing decides and hides what the ground adds.",
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
