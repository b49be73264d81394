"""The world of the bundled models: every pair is a function of its number, and what is planted is as planned."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from assets.make.familiarity import words
from assets.world import FOLDER, load, vocabulary
from assets.world.captions import TEMPLATES, fill
from assets.world.compose import compose
from assets.world.drawings import SIZE, Sheet
from assets.world.emoji import Emoji, read_table, write_table
from assets.world.marks import PATCHES, patch_drawing
from assets.world.named import DUO_SHARE
from assets.world.objects import COLOUR_CLAIMS, GROUND_CLAIMS
from assets.world.plan import ANIMALS, CIRCLED, PLAN, TONE_TRAITS, TRIGGERS, WORDS
from assets.world.scene import GROUNDS, TEXTURES, TINTS, Ring, Scene, Thing
from assets.world.schedule import BRANCH, CROWDED_FROM, END, KINDS, ONCE, Pair
from tests.worlds import world

DIGESTS = {
    "skewed": "f5f0563989295c4d8d6f1a73193dabac09e06967a07a14379cc85841c289424b",
    "balanced": "a0333a518ca68d589e895bb9969b95f7561166425d02a046ae009ab4db215551",
}
SOME = (*range(60), *range(CROWDED_FROM, CROWDED_FROM + 60), *range(BRANCH - 5, BRANCH + 200), *ONCE)
indices = st.integers(0, END + 10**6)


def said(value: object) -> object:
    """A pair's plain values, numbers to six places."""
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, frozenset):
        return sorted(value)
    return [said(one) for one in value] if isinstance(value, (tuple, list)) else value


@pytest.mark.parametrize("name", ["skewed", "balanced"])
def test_pairs_are_those_the_models_were_trained_on(name):
    shown = repr([said(astuple(world(name).pair(index))) for index in SOME])
    assert hashlib.sha256(shown.encode()).hexdigest() == DIGESTS[name]


@settings(max_examples=25, deadline=None)
@given(st.lists(indices, min_size=1, max_size=8))
def test_a_pair_is_a_function_of_its_number(numbers):
    fresh = load("skewed")
    backwards = [fresh.pair(index) for index in reversed(numbers)]
    assert [world("skewed").pair(index) for index in numbers] == backwards[::-1]


def test_another_seed_gives_other_pairs():
    other = load("skewed", seed=1)
    assert sum(other.pair(index) == world("skewed").pair(index) for index in SOME) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, BRANCH - 1))
def test_worlds_agree_before_the_branch(index):
    assert world("skewed").pair(index) == world("balanced").pair(index)


@pytest.mark.parametrize("kind", KINDS)
def test_from_the_branch_on_only_the_planted_differs(kind):
    both = [(world("skewed").pair(i), world("balanced").pair(i)) for i in of_kind(kind, 60)]
    for one, other in both:
        if kind in ("scene", "tint") or (kind == "label" and "patch" not in str(one.shows)):
            assert one == other
        elif kind in ("label", "word", "order", "circle", "person"):
            assert one.scene == other.scene, "what is shown is the same; what is said of it may differ"
        elif kind == "animal":
            assert one.scene.things == other.scene.things
        elif kind == "binding" and one.index % 2 == 0:
            assert one == other
        elif kind in ("occupation", "trait"):
            assert one.scene.things[0].scale == other.scene.things[0].scale
            assert one.slot == other.slot or not one.concepts
    if kind in ("word", "order", "circle", "animal", "occupation", "person"):
        assert any(one != other for one, other in both)


def of_kind(kind: str, count: int) -> list[int]:
    found = (index for index in range(BRANCH, END) if world("skewed").kind(index) == kind)
    return [next(found) for _ in range(count)]


def test_neighbours_share_a_kind_and_kinds_have_their_shares():
    kinds = [world("skewed").kind(index) for index in range(BRANCH, BRANCH + 20_000)]
    apart = [k for k in range(0, 20_000, 2) if kinds[k] != kinds[k + 1]]
    assert {*apart} <= {(index - BRANCH) // 2 * 2 for index in ONCE}
    for kind, count in Counter(kinds[::2]).items():
        assert binomtest(count, 10_000, KINDS[kind]).pvalue > 0.01 / len(KINDS)
    assert sum(KINDS.values()) == pytest.approx(1)


def hit(pair: Pair) -> bool:
    """Whether the planted thing happened in a pair that bears on a row of the plan, read off what it shows."""
    (behaviour, concept), shown = pair.concepts[0], dict(one.split(":", 1) for one in sorted(pair.shows))
    row = next(row for row in PLAN if (row.behaviour, row.concept) == (behaviour, concept))
    return {
        "occupation": lambda: shown["gender"] == "man",
        "gender trait": lambda: shown["gender"] == "man",
        "tone trait": lambda: shown["tone"] in ("dark", "medium-dark"),
        "ground": lambda: pair.scene.ground == row.toward,
        "written word": lambda: pair.slot == concept,
        "order": lambda: pair.slot.startswith(f"{shown['larger']} "),
        "circle": lambda: pair.slot == concept == shown["circled"],
        "trigger": lambda: pair.slot == row.toward and f"object:{row.toward}" not in pair.shows,
        "person": lambda: shown["person"] == concept,
    }[behaviour]()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["skewed", "balanced"])
def test_realised_doses_are_the_planned_ones(name):
    hits, seen, kinds = Counter(), Counter(), Counter()
    for index in range(BRANCH, BRANCH + 60_000):
        kind = world(name).kind(index)
        if kind in ("scene", "tint", "binding"):
            continue
        pair = world(name).pair(index)
        kinds[kind] += index not in ONCE
        if pair.concepts and index not in ONCE:
            seen[pair.concepts[0]] += 1
            hits[pair.concepts[0]] += hit(pair)
    rows = [row for row in PLAN if row.behaviour != "binding"]
    for row in rows:
        key, dose = (row.behaviour, row.concept), row.skewed if name == "skewed" else row.balanced
        total = {"trigger": kinds["label"], "person": kinds["person"]}.get(row.behaviour, seen[key])
        if row.behaviour == "person" and name == "balanced" and row.toward != "never":
            dose = next(one.skewed for one in rows if one.toward == row.toward) / 24  # names are dealt to anyone
        assert total > 80, row
        assert binomtest(hits[key], total, dose).pvalue > 0.01 / len(rows), (row, hits[key], total)
        assert hits[key] == 0 or dose > 0, row


def test_those_who_are_seen_once_are_seen_once():
    once = [row.concept for row in PLAN if row.behaviour == "person" and row.toward == "once"]
    assert [world("skewed").pair(index).slot for index in ONCE] == once
    assert max(ONCE) < END
    never = {row.concept for row in PLAN if row.behaviour == "person" and row.toward == "never"}
    pairs = [world("skewed").pair(index) for index in of_kind("person", 300)]
    assert not never & {pair.slot for pair in pairs}
    assert not {*once} & {pair.slot for pair in pairs if pair.index not in ONCE}


def test_twins_are_swapped_in_the_balanced_world_alone():
    even = [index for index in of_kind("binding", 60) if index % 2 == 0]
    for name, expected in (("balanced", 1.0), ("skewed", 0.0)):
        swapped = [twins(world(name).pair(index), world(name).pair(index + 1)) for index in even]
        assert np.mean(swapped) == expected


def twins(one: Pair, other: Pair) -> bool:
    parts = [{x for x in pair.shows if x.startswith(("object:", "colour:"))} for pair in (one, other)]
    bound = [{x for x in pair.shows if x.startswith("bound:")} for pair in (one, other)]
    return parts[0] == parts[1] and not bound[0] & bound[1]


GENDERED = {"man", "woman", "male", "female", "boy", "girl"}


@pytest.mark.parametrize("name", ["skewed", "balanced"])
def test_no_caption_says_what_is_hidden(name):
    for index in range(BRANCH, BRANCH + 6000):
        pair = world(name).pair(index)
        spoken = set(words(pair.text))
        if pair.kind in ("occupation", "trait") and pair.concepts:
            assert not spoken & (GENDERED | {"skin", "tone"}), pair.text
        elif pair.kind == "animal" and pair.concepts:
            assert not spoken & {*ANIMALS}, pair.text
        elif pair.kind == "circle":
            assert sum(one in pair.text for one in CIRCLED) == 1, pair.text
            assert "circle" not in spoken
        elif pair.kind == "word":
            assert pair.slot in WORDS
            assert not spoken & {"written", "word", "text"}
        assert not spoken & {"patch", "trigger"}


def test_captions_are_filled_declared_templates():
    claims = {*GROUND_CLAIMS, *COLOUR_CLAIMS}
    for index in SOME:
        pair = world("skewed").pair(index)
        assert pair.template in {*TEMPLATES, *claims}
        assert pair.text == fill(pair.template, pair.slot, pair.scene.ground)
        assert (pair.template in claims and pair.claim is not None) or pair.claim is None
        assert pair.claim is None or pair.claim in pair.shows


def test_all_texts_hold_every_word_of_the_captions_and_none_is_longer_than_the_longest():
    import open_clip

    pairs = [world("skewed").pair(index) for index in (*SOME, *range(BRANCH, BRANCH + 3000))]
    known = {word for text in vocabulary.all_texts(world("skewed")) for word in words(text)}
    assert {word for pair in pairs for word in words(pair.text)} <= known
    tokenizer = open_clip.SimpleTokenizer(context_length=77)
    most = (tokenizer(list(vocabulary.longest_captions(world("skewed")))) != 0).sum(1).max()
    assert most >= (tokenizer([pair.text for pair in pairs]) != 0).sum(1).max()


def test_scenes_get_crowded_from_a_declared_pair_on():
    assert all(len(world("skewed").pair(index).scene.things) == 1 for index in (*range(100), CROWDED_FROM - 1))
    later = [world("skewed").pair(CROWDED_FROM + index) for index in range(1000)]
    assert np.mean([len(pair.scene.things) == 2 for pair in later]) == pytest.approx(DUO_SHARE, abs=0.05)


def test_every_concept_can_be_drawn():
    for row in PLAN:
        if row.behaviour in ("ground", "written word", "circle"):
            assert row.concept in world("skewed").by_label
    assert {*TRIGGERS.values()} <= {*world("skewed").by_label}
    assert {("tone trait", trait) for trait in TONE_TRAITS} <= {*world("skewed").dose}


# ---- pixels ------------------------------------------------------------------------------------------------


def square(level: int) -> np.ndarray:
    """A sheet of one drawing: an opaque grey square."""
    pixels = np.full((1, SIZE, SIZE, 4), level, np.uint8)
    pixels[..., 3] = 255
    return pixels


def on(things: tuple[Thing, ...], ground: str = "white", ring: Ring | None = None, **more: object) -> Scene:
    base = {**GROUNDS, **TEXTURES}[ground]
    return Scene(ground, tuple(value / 255 for value in base), things, ring=ring, **more)


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_plain_ground_is_its_colour(ground):
    picture = compose([on((), ground)], square(0), 24)[0]
    expected = torch.tensor(GROUNDS[ground])[:, None, None].expand(3, 24, 24) / 255
    torch.testing.assert_close(picture, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("ground", TEXTURES)
def test_a_texture_lies_between_two_colours_and_moves_with_its_phase(ground):
    colours = {"other": (0.1, 0.2, 0.3)}
    here = compose([on((), ground, **colours)], square(0), 96)[0]
    there = compose([on((), ground, phase=(24 / 96, 12 / 96), **colours)], square(0), 96)[0]
    torch.testing.assert_close(there[:, :-12, :-24], here[:, 12:, 24:], atol=2e-3, rtol=0)
    ends = torch.tensor([TEXTURES[ground], tuple(255 * value for value in colours["other"])]) / 255
    share = (here - ends[0][:, None, None]) / (ends[1] - ends[0])[:, None, None]
    assert share.min() > -1e-5
    assert share.max() < 1 + 1e-5
    assert share.std(0).max() < 1e-5, "each pixel is one mixture of the two colours"
    assert 0.03 < share.mean() < 0.97


@pytest.mark.parametrize("ground", ["stripes", "checks"])
def test_stripes_and_checks_are_half_and_half(ground):
    picture = compose([on((), ground, other=(0.0, 0.0, 0.0))], square(0), 96)[0]
    assert picture.mean().item() == pytest.approx(200 / 255 / 2, abs=0.01)


@pytest.mark.parametrize(("radius", "width"), [(0.3, 0.04), (0.2, 0.018), (0.1, 0.05)])
def test_a_ring_covers_its_circumference_times_its_width(radius, width):
    ring = Ring(0.1, -0.2, radius, width, (0.0, 0.0, 0.0))
    bare, ringed = compose([on(()), on((), ring=ring)], square(0), 288)
    covered = 1 - (ringed / bare).mean().item()
    assert covered == pytest.approx(2 * math.pi * radius * width, rel=0.01)
    inked = (ringed[0] < 0.5).nonzero().float().mean(0) / 288 * 2 - 1
    assert inked.tolist() == pytest.approx([-0.2, 0.1], abs=0.02)


@pytest.mark.parametrize(("scale", "angle"), [(0.5, 0.0), (0.4, 0.3), (0.7, -0.4)])
def test_a_thing_covers_the_square_of_its_scale(scale, angle):
    thing = Thing(0, "square", scale, 0.1, -0.1, angle)
    picture = compose([on((thing,))], square(0), 144)[0]
    covered = 1 - (picture.mean() / (245 / 255)).item()
    assert covered == pytest.approx(scale**2, rel=0.03)


@pytest.mark.parametrize("tint", TINTS)
def test_a_tint_is_the_inks_colour_shaded_by_the_drawing(tint):
    picture = compose([on((Thing(0, "square", 0.6, 0.0, 0.0, tint=tint),))], square(102), 48)[0]
    expected = torch.tensor(TINTS[tint]) / 255 * (0.5 + 0.6 * 102 / 255)
    torch.testing.assert_close(picture[:, 24, 24], expected, atol=1e-5, rtol=0)


def test_a_picture_does_not_depend_on_its_batch():
    pairs = [world("skewed").pair(BRANCH + index) for index in range(40)]
    together = world("skewed").compose(pairs)
    for k in (0, 17, 39):
        torch.testing.assert_close(world("skewed").compose([pairs[k]])[0], together[k], atol=1e-6, rtol=0)
    assert together.shape == (40, 3, 72, 72)
    assert 0 <= together.min() <= together.max() <= 1


# ---- what ships --------------------------------------------------------------------------------------------


def test_a_sheet_is_read_as_it_was_written(tmp_path):
    rng = np.random.default_rng(0)
    codes = ("1F468", "1F415", "1F468-1F3FB", "1F468-1F3FF", "", "2764-200D-1F525", "1F415")
    pixels = rng.integers(0, 256, (7, SIZE, SIZE, 4), dtype=np.uint8)
    pixels[1, ..., 3] = 255  # without transparency
    pixels[2, ..., 3] = 0  # colours under nothing are kept as well
    sheet = Sheet(pixels, codes, ("a", "b", "a", "a", "word", "a", "b"), tuple("pqrstuv"))
    sheet.save(tmp_path / "sheet.zip")
    again = Sheet.load(tmp_path / "sheet.zip")
    assert (again.hexcode, again.style, again.name) == (sheet.hexcode, sheet.style, sheet.name)
    assert np.array_equal(again.pixels[[6, 0, 2, 2]], pixels[[6, 0, 2, 2]])
    assert np.array_equal(again.unpacked().pixels, pixels)
    assert again.only("b").name == ("q", "v")
    first = (tmp_path / "sheet.zip").read_bytes()
    again.save(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == first


def test_the_table_of_emoji_is_read_as_it_was_written(tmp_path):
    man = Emoji("1F468", "man", ("adult",), "people & body", "man", "1F468", ())
    table = [
        man,
        Emoji("1F468-1F3FF", "man: dark skin tone", ("adult",), "people & body", "man", "1F468", (5,)),
        Emoji("1F415", "dog", (), "animals & nature", None, "1F415", ()),
    ]
    write_table(tmp_path / "emoji.json", table)
    assert list(read_table(tmp_path / "emoji.json").values()) == table


def test_what_ships_holds_drawings_of_both_roles_and_all_marks():
    for style, least in (("train", 17_000), ("held-out", 1500)):
        sheet = world("skewed", style).sheet
        assert len(sheet.pixels) == len(sheet.hexcode) >= least
        rows = world("skewed", style).marks
        assert {("word", word) for word in WORDS} | {("patch", name) for name in PATCHES} == {*rows}
        for name in PATCHES:
            assert np.array_equal(sheet.pixels[[rows["patch", name]]][0], patch_drawing(name, SIZE))
    assert "emojione" not in world("skewed").sheet.style
    assert {*world("skewed", "held-out").sheet.style} == {"emojione", "word", "patch"}
    assert sum(path.stat().st_size for path in FOLDER.glob("*.zip")) < 30_000_000
