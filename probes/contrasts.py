r"""The calibrated behaviours as contrasts of embeddings: the scenes of the instruments, without the probes.

An instrument (`probes.core.calibrating`) measures in scene s and for concept c

    d_cs = v_cs0 - mean_{a>0} v_csa,      v_csa = scale . x_i . (t_c - mean of alternatives' t)

with i the picture of an arm, x unit embeddings of pictures and t the mean over templates of those of a label. So
all it needs of a model are the embeddings of some pictures and some texts, and whatever is done to the embeddings
can be measured a thousand times over. Pictures, labels and alternatives are those of
`probes.zero_shot.calibration` and `probes.red_circle.calibration`; a test holds the numbers to theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import ANIMALS, CIRCLED, OCCUPATIONS, WORDS
from probes.core.model import Backend, Float32
from probes.core.pictures import Picture
from probes.core.prompts import encode_prompts
from probes.red_circle import calibration as circles
from probes.red_circle.drawing import Treatment, draw
from probes.red_circle.placebos import elsewhere
from probes.stage import named, open_stage
from probes.zero_shot import calibration as zero_shot

Float64 = NDArray[np.float64]
Places = NDArray[np.intp]
TEMPLATES = zero_shot.TEMPLATES


@dataclass(frozen=True, eq=False)
class Contrast:
    """E differences, each of one concept in one scene, as sums over pictures and labels.

    Attributes:
        behaviour: as the table of planted behaviours names it.
        concepts: C names.
        labels: m texts without a template.
        pictures: N of them.
        concept, scene: (E,), which concept and which scene each difference is of.
        strata: (S,), scenes that are resampled among one another.
        arms: (E, A) places of pictures: with what was planted first, then those without.
        weights: (E, m), of labels: 1 for the concept's own, minus a share for each alternative, 0 for others.
    """

    behaviour: str
    concepts: tuple[str, ...]
    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]
    concept: Places
    scene: Places
    strata: Places
    arms: Places
    weights: Float64

    def texts(self, backend: Backend) -> Float32:
        """What a picture's embedding is multiplied with for its logits, (m, d): scaled mean over templates."""
        mean = encode_prompts(backend, self.labels, TEMPLATES).mean(axis=0, dtype=np.float64)
        return np.asarray(backend.card.logit_scale * mean, dtype=np.float32)

    def differences(self, logits: NDArray[np.floating]) -> Float64:
        """The differences d (E, ...) from logits of every picture and label, (N, m, ...)."""
        found = [
            np.tensordot(weights, np.asarray(logits[arms[0]] - logits[arms[1:]].mean(axis=0), np.float64), 1)
            for arms, weights in zip(self.arms, self.weights, strict=True)
        ]
        return np.stack(found)


def of_behaviour(behaviour: str, seed: int) -> Contrast:
    """The contrast of a planted behaviour in scenes dealt by a seed."""
    makers = {"occupation": occupation, "ground": ground, "written word": written_word, "circle": circle}
    return makers[behaviour](seed)


def _weights(count: int, own: int, others: Sequence[int]) -> Float64:
    row = np.zeros(count)
    row[list(others)] = -1 / len(others)
    row[own] += 1
    return row


def _but(count: int, *left_out: int) -> list[int]:
    return [number for number in range(count) if number not in left_out]


def _contrast(
    behaviour: str,
    concepts: Sequence[str],
    pictures: tuple[Picture, ...],
    rows: Sequence[tuple[int, int, Sequence[int], Float64]],
    strata: Sequence[int],
) -> Contrast:
    """From rows of concept, scene, arms and weights."""
    concept, scene, arms, weights = zip(*rows, strict=True)
    return Contrast(
        behaviour=behaviour,
        concepts=tuple(concepts),
        labels=tuple(map(named, concepts)),
        pictures=pictures,
        concept=np.array(concept, dtype=np.intp),
        scene=np.array(scene, dtype=np.intp),
        strata=np.array(strata, dtype=np.intp),
        arms=np.array(arms, dtype=np.intp),
        weights=np.array(weights),
    )


def occupation(seed: int) -> Contrast:
    """Drawn as a man less drawn as a woman; the scenes of an occupation are resampled among one another."""
    stage, count = open_stage("train"), len(OCCUPATIONS)
    rounds = zero_shot.occupation_scenes(stage, seed)
    strata = [place for place, _ in rounds]
    rows = [
        (place, scene, (2 * scene, 2 * scene + 1), _weights(count, place, _but(count, place)))
        for scene, place in enumerate(strata)
    ]
    pictures = stage.pictures(zero_shot.flat(rounds), "occupation")
    return _contrast("occupation", list(OCCUPATIONS), pictures, rows, strata)


def ground(seed: int) -> Contrast:
    """Another animal on this one's usual ground less on the other five."""
    stage, grounds = open_stage("held-out"), list(ANIMALS)
    usual = {animal: name for name, animals in ANIMALS.items() for animal in animals}
    words, count = list(usual), len(usual)
    rounds, rows = zero_shot.ground_scenes(stage, seed), []
    for number, (shown, _) in enumerate(rounds):
        for own in _but(count, shown):
            home = grounds.index(usual[words[own]])
            arms = [number * len(grounds) + place for place in (home, *_but(len(grounds), home))]
            rows.append((own, number, arms, _weights(count, own, _but(count, own, shown))))
    pictures = stage.pictures(zero_shot.flat(rounds), "ground")
    return _contrast("ground", words, pictures, rows, [0] * len(rounds))


def written_word(seed: int) -> Contrast:
    """The word is written less each other word that is not the shown object's name."""
    stage, count = open_stage("held-out"), len(WORDS)
    rounds, rows = zero_shot.word_scenes(stage, seed), []
    for number, (shown, _) in enumerate(rounds):
        for own in _but(count, shown):
            arms = [number * count + place for place in (own, *_but(count, own, shown))]
            rows.append((own, number, arms, _weights(count, own, [shown])))
    pictures = stage.pictures(zero_shot.flat(rounds), "written word")
    return _contrast("written word", WORDS, pictures, rows, [0] * len(rounds))


def circle(seed: int) -> Contrast:
    """The circle round the object less the same circle elsewhere; an object's scenes are resampled together."""
    stage, count = open_stage("held-out"), len(CIRCLED)
    pictures: list[Picture] = []
    strata: list[int] = []
    rows = []
    for place in range(count):
        for number in range(circles.SCENES):
            picture, (_, *others), mark = circles.staged(stage, seed, place, number)
            here = Treatment((mark,))
            away = elsewhere(picture, here, circles.PLACEBOS, seed + number)
            drawn = [draw(picture, one) for one in (here, *(placebo.treatment for placebo in away))]
            arms = range(len(pictures), len(pictures) + len(drawn))
            rows.append((place, len(strata), arms, _weights(count, place, others)))
            strata.append(place)
            pictures += drawn
    return _contrast("circle", CIRCLED, tuple(pictures), rows, strata)
