"""Shipped properties: alike but for the property, balanced, the seed's alone, and apart from the instruments."""

import numpy as np
import pytest

from assets.world.plan import ANIMALS, CIRCLED, OCCUPATIONS, WORDS
from probes.attention_heads import properties
from probes.attention_heads.properties import PROPERTIES, shipped
from probes.core.errors import FieldError
from probes.stage import open_stage, stream


def rounds(name, seed=0):
    """Pixels (rounds, values, 72, 72, 3) as whole numbers."""
    found = shipped(name, seed)
    pixels = np.stack([picture.rgb for picture in found.pictures]).astype(int)
    return pixels.reshape(-1, len(found.values), *pixels.shape[1:])


def scenes(name, seed=0):
    """The scenes of each round."""
    kind, stage = properties._KINDS[name], open_stage("train")
    return [list(kind.scenes(stage, stream(seed, kind.key, number))) for number in range(kind.rounds)]


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_value_is_shown_equally_often(name):
    found = shipped(name, 0)
    counts = np.bincount(found.codes)
    assert len(counts) == len(found.values) >= 2
    assert len(set(counts.tolist())) == 1
    pairs = set(zip(found.rounds.tolist(), found.codes.tolist(), strict=True))
    assert len(pairs) == len(found.pictures) == counts[0] * len(found.values)  # each value once a round
    assert 100 <= len(found.pictures) == len(found.codes) <= 400
    assert len({picture.name for picture in found.pictures}) == len(found.pictures)


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "ground"])
def test_pictures_of_a_round_differ_and_rounds_differ_more(name):
    pixels = rounds(name)
    within = np.abs(pixels[:, 0] - pixels[:, 1]).mean(axis=(1, 2, 3))
    across = np.abs(pixels[:-1, 0] - pixels[1:, 0]).mean(axis=(1, 2, 3))
    assert within.min() > 0
    assert np.median(within) < 0.6 * np.median(across)


@pytest.mark.parametrize("name", ["gender as drawn", "left or right"])
def test_the_seed_is_all_there_is(name):
    first = [picture.digest for picture in shipped(name, 0).pictures]
    shipped.cache_clear()
    assert first == [picture.digest for picture in shipped(name, 0).pictures]
    assert not set(first) & {picture.digest for picture in shipped(name, 1).pictures}


def test_nothing_but_the_word_differs():
    """The word's drawing is a square of its scale; outside of it no pixel moves."""
    across = 2 * (np.arange(72) + 0.5) / 72 - 1
    for (with_word, without), (written, bare) in zip(rounds("written word"), scenes("written word"), strict=True):
        word = written.things[-1]
        assert written.things[:-1] == bare.things
        assert word.name in WORDS
        inside = (np.abs(across - word.y) < word.scale + 0.05)[:, None] & (
            np.abs(across - word.x) < word.scale + 0.05
        )
        differ = (with_word != without).any(axis=-1)
        assert not (differ & ~inside).any()
        assert differ.any()


def test_nothing_but_the_circle_differs_and_it_is_red():
    centre = np.arange(72) + 0.5
    for (with_circle, without), (circled, _) in zip(rounds("red circle"), scenes("red circle"), strict=True):
        ring = circled.ring
        far = np.hypot(centre[:, None] - (ring.y + 1) * 36, centre - (ring.x + 1) * 36)
        line = np.abs(far - 72 * ring.radius) < 72 * ring.width / 2 + 1
        differ = (with_circle != without).any(axis=-1)
        assert not (differ & ~line).any()
        on = np.abs(far - 72 * ring.radius) < 72 * ring.width / 2 - 0.5
        if on.any():
            assert (with_circle[on][:, 0] > 200).all()
            assert (with_circle[on][:, 1:] < 60).all()


def test_the_thing_is_the_same_on_every_ground():
    for drawn in scenes("ground"):
        assert [scene.ground for scene in drawn] == list(ANIMALS)
        assert len({scene.things for scene in drawn}) == 1


def test_people_differ_in_their_drawing_alone_and_in_nothing_but_the_property():
    world = open_stage("train").world
    sheet, emoji = world.sheet, world.emoji
    for man, woman in scenes("gender as drawn"):
        rows = [scene.things[0].drawing for scene in (man, woman)]
        drawn = [emoji[sheet.hexcode[row]] for row in rows]
        assert [one.gender for one in drawn] in (
            ["man", "woman"],
            [None, None],
        )  # a boy's and a girl's is not said
        assert drawn[0].tones == drawn[1].tones
        assert sheet.style[rows[0]] == sheet.style[rows[1]] != "emojione"
    for portraits in scenes("skin tone as drawn"):
        rows = [scene.things[0].drawing for scene in portraits]
        drawn = [emoji[sheet.hexcode[row]] for row in rows]
        assert [one.tones for one in drawn] == [(tone,) for tone in range(1, 6)]
        assert len({one.base for one in drawn}) == len({sheet.style[row] for row in rows}) == 1


def test_colours_are_tints_of_one_thing_and_sides_mirror_its_place():
    for drawn in scenes("colour"):
        assert len({(scene.things[0].drawing, scene.things[0].x, scene.base) for scene in drawn}) == 1
        assert [scene.things[0].tint for scene in drawn] == list(shipped("colour", 0).values)
    for left, right in scenes("left or right"):
        assert left.things[0].x == -right.things[0].x < -0.1
        assert left.things[0].y == right.things[0].y


def test_nothing_is_shown_that_calibrations_show():
    world = open_stage("train").world
    animals = {animal for animals in ANIMALS.values() for animal in animals}
    at_work = {world.by_label[f"{who} {what}"] for who in ("man", "woman") for what in OCCUPATIONS.values()}
    shown = {"ground": animals, "written word": set(WORDS), "red circle": set(CIRCLED)}
    for name, labels in shown.items():
        codes = {world.by_label[label] for label in labels}
        rows = {thing.drawing for drawn in scenes(name) for thing in drawn[-1].things}
        assert not {world.sheet.hexcode[row] for row in rows} & codes
    rows = {scene.things[0].drawing for drawn in scenes("gender as drawn") for scene in drawn}
    assert not {world.emoji[world.sheet.hexcode[row]].base for row in rows} & at_work


def test_words_stand_out_from_their_ground():
    for written, _ in scenes("written word"):
        inks = properties._legible(written)
        assert written.things[-1].tint in inks


def test_an_unknown_property_is_refused():
    with pytest.raises(FieldError, match="left or right"):
        shipped("shape", 0)
