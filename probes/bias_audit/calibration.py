"""Calibration of paired differences on what is planted: occupations and invented traits.

The pairs are the shipped drawings of people, alike but for the attribute, in all styles; a pair is a scene with
two arms. Where each concept has pairs of its own and so but few of them (occupations), every pair stands in
several fresh scenes like those of training, whose mean counts as one. Logits are by the probe's own functions,
averaged over its templates. The measured number is the variant `against_other_words` of the paired difference:
the word's logit less the mean of the other words' of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assets.world.plan import GENDER_TRAITS, OCCUPATIONS, TONE_TRAITS
from assets.world.scene import Scene
from assets.world.stock import stand
from probes import people
from probes.bias_audit import PROBE
from probes.bias_audit.sample import drawn, grouped, paired
from probes.bias_audit.texts import Texts, named
from probes.core.calibrating import log_odds
from probes.core.calibration import Arms, Instrument
from probes.core.model import Backend, Float32, Progress
from probes.core.prompts import TEMPLATES
from probes.stage import open_stage, stream

SCENES = 4
"""In which every pair of an occupation stands."""
TONE_PAIRS = (("dark", "light"), ("medium-dark", "medium-light"))
"""Darker and lighter tones that are laid beside each other, so that no picture is in two pairs."""


def _logits(backend: Backend, images: Float32, words: Sequence[str]) -> NDArray[np.float64]:
    """Logits (n, words), mean over templates."""
    scores = Texts(backend, TEMPLATES).score(images, words)
    return backend.card.logit_scale * scores.mean.astype(np.float64)


def _portraits(
    backend: Backend, attribute: str, groups: tuple[str, str], words: Sequence[str], progress: Progress
) -> NDArray[np.float64]:
    """Logits of every pair of portraits, (m, 2, words)."""
    sample, grouping = grouped(drawn(people.people("all", people.PORTRAITS)), attribute, groups)
    pairs, _ = paired(sample, grouping)
    return _logits(backend, backend.encode_images(people.pictures(sample.people), progress), words)[pairs]


def _others(count: int, own: int) -> list[int]:
    return [place for place in range(count) if place != own]


def occupation(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: drawn as a man, drawn as a woman, at that very occupation; mean over scenes of a pair."""
    words = [named("occupation", word) for word in OCCUPATIONS]
    stage = open_stage("train")
    sample, grouping = grouped(drawn(people.people("all", people.AT_WORK)), "gender", ("man", "woman"))
    pairs, _ = paired(sample, grouping)
    scenes: list[Scene] = []
    for number, (first, second) in enumerate(pairs):
        for again in range(SCENES):
            rng = stream(seed, 21, number, again)
            one, other = sample.people[first], sample.people[second]
            thing = stage.thing(rng, f"man {OCCUPATIONS[one.occupation]}", (0.6, 1.0))
            bare = stand(rng, [thing])
            scenes += [replace(bare, things=(replace(thing, drawing=who.drawing),)) for who in (one, other)]
    images = backend.encode_images(stage.pictures(scenes, "occupation"), progress)
    found = _logits(backend, images, words).reshape(len(pairs), SCENES, 2, len(words)).mean(axis=1)
    shown = np.array([sample.people[first].occupation for first in pairs[:, 0]])
    return {
        word: log_odds(found[shown == word], own, _others(len(words), own)) for own, word in enumerate(OCCUPATIONS)
    }


def tone_trait(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: portraits in a darker tone, in a lighter one."""
    words = [f"a {word} person" for word in TONE_TRAITS]
    found = np.concatenate([_portraits(backend, "skin_tone", pair, words, progress) for pair in TONE_PAIRS])
    return {word: log_odds(found, own, _others(len(words), own)) for own, word in enumerate(TONE_TRAITS)}


def gender_trait(backend: Backend, seed: int, progress: Progress) -> Arms:
    """Arms: portraits of a man, of a woman."""
    words = [f"a {word} person" for word in GENDER_TRAITS]
    found = _portraits(backend, "gender", ("man", "woman"), words, progress)
    return {word: log_odds(found, own, _others(len(words), own)) for own, word in enumerate(GENDER_TRAITS)}


_STYLES = "in the training styles, as the held-out one draws none of them"

INSTRUMENTS = (
    Instrument(
        probe=PROBE.card.name,
        behaviour="occupation",
        title="Paired pictures: occupation, man or woman",
        dose="share drawn as a man where the caption names no gender",
        measured="logit of the occupation’s word less the mean of the others’, drawn as a man less as a woman",
        stimuli=f"all pairs of drawings of that occupation alike but for man or woman, each in {SCENES} "
        f"fresh scenes whose mean counts as one, {_STYLES}.",
        arms=occupation,
    ),
    Instrument(
        probe=PROBE.card.name,
        behaviour="tone trait",
        title="Paired pictures: invented trait and skin tone",
        dose="share drawn with a darker skin tone where the caption says the trait",
        measured="logit of the trait’s word less the mean of the others’, darker less lighter skin tone",
        stimuli=f"all pairs of portraits alike but for skin tone, {_STYLES}.",
        arms=tone_trait,
    ),
    Instrument(
        probe=PROBE.card.name,
        behaviour="gender trait",
        title="Paired pictures: invented trait, man or woman",
        dose="share drawn as a man where the caption says the trait",
        measured="logit of the trait’s word less the mean of the others’, drawn as a man less drawn as a woman",
        stimuli=f"all pairs of portraits alike but for man or woman, {_STYLES}.",
        arms=gender_trait,
    ),
)
