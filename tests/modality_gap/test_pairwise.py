"""Losses and ranks after every move from one product, against whole tables of moved rows in float64."""

from __future__ import annotations

import numpy as np
import pytest

from probes.modality_gap import pairwise
from probes.modality_gap.moves import Move, gaps, interventions, shift
from probes.modality_gap.pairwise import Scoring, compare, same_as
from probes.modality_gap.rows import gap_direction
from tests.modality_gap.clouds import clip_loss, pairs, sigmoid_loss, turned


def moved_plainly(move: Move, images, texts):
    """Both clouds after a move, in float64."""
    found = []
    for rows, offset in ((images, move.image_offset), (texts, move.text_offset)):
        away = rows.astype(np.float64) - offset
        away[:, list(move.dropped)] = 0
        found.append(away / np.linalg.norm(away, axis=1, keepdims=True))
    return found


def every_move(images, texts):
    direction, gap = gap_direction(images, texts)
    return [
        *(shift(direction, delta) for delta in (-1.0, -0.3, 0.0, 0.5, 1.0)),
        *interventions(images, texts, direction, gap, 16),
    ]


SCORINGS = [
    Scoring(1.0), Scoring(14.3), Scoring(100.0), Scoring(250.0), Scoring(10.0, -10.0, sigmoid=True),
    Scoring(112.7, -16.5, sigmoid=True),
]  # fmt: skip


@pytest.mark.parametrize("scoring", SCORINGS, ids=str)
@pytest.mark.parametrize("noise", [0.3, 2.5])
def test_moved_losses_and_ranks_are_those_of_moved_rows(scoring, noise):
    images, texts = pairs(230, 24, gap=0.8, noise=noise, seed=3)
    moves = every_move(images, texts)
    for move, found in zip(moves, compare(images, texts, moves, [scoring, Scoring(1.0)]), strict=True):
        x, y = moved_plainly(move, images, texts)
        table = x @ y.T
        if scoring.sigmoid:
            expected = sigmoid_loss(table, scoring.scale, scoring.bias)
        else:
            expected = clip_loss(table, scoring.scale)
        assert found.loss(0) == pytest.approx(expected, rel=2e-5, abs=2e-5)
        assert found.loss(1) == pytest.approx(clip_loss(table, 1.0), rel=1e-5)
        own = np.diag(table)
        for k in (1, 5):
            r_images = ((table > own[:, None] + 1e-6).sum(1) < k).mean()
            r_texts = ((table > own[None] + 1e-6).sum(0) < k).mean()
            assert found.recall(k) == pytest.approx((r_images, r_texts), abs=1 / 230 + 1e-9)


def test_blocks_and_strips_do_not_change_what_is_found(monkeypatch):
    images, texts = pairs(150, 16, noise=1.5)
    moves = every_move(images, texts)
    whole = compare(images, texts, moves, [Scoring(50.0)])
    monkeypatch.setattr(pairwise, "BLOCK_BYTES", 4 * 150 * 40)
    monkeypatch.setattr(pairwise, "STRIP_BYTES", 4 * 150 * 7)
    for one, other in zip(whole, compare(images, texts, moves, [Scoring(50.0)]), strict=True):
        assert other.loss(0) == pytest.approx(one.loss(0), rel=1e-6)
        assert (one.image_ranks == other.image_ranks).all()
        assert (one.text_ranks == other.text_ranks).all()


def test_neither_rotation_nor_order_changes_loss_or_recall():
    images, texts = pairs(200, 16, noise=1.5)
    order = np.random.default_rng(0).permutation(200)
    still = [shift(gap_direction(images, texts)[0], 0.0)]
    (before,) = compare(images, texts, still, [Scoring(30.0)])
    for x, y in ((turned(images), turned(texts)), (images[order], texts[order])):
        (after,) = compare(x, y, still, [Scoring(30.0)])
        assert after.loss(0) == pytest.approx(before.loss(0), rel=1e-5)
        assert after.recall(1) == pytest.approx(before.recall(1), abs=1 / 200 + 1e-9)


def test_loss_of_pairs_that_nothing_tells_apart_is_the_logarithm_of_their_number():
    images, texts = np.tile([[1.0, 0.0]], (32, 1)), np.tile([[0.0, 1.0]], (32, 1))
    nothing = np.zeros(2)
    (found,) = compare(
        images.astype(np.float32), texts.astype(np.float32), [Move("none", nothing, nothing)], [Scoring(100.0)]
    )
    assert found.loss(0) == pytest.approx(np.log(32), abs=1e-6)
    assert found.recall(1) == (1.0, 1.0)  # a tie is right


def test_a_caption_of_the_same_picture_is_right_and_the_mask_is_applied():
    """Each picture has two captions; the nearer one is its twin's half of the time, which is no error."""
    images, texts = pairs(100, 16, noise=1.2, seed=4)
    images = np.repeat(images[:50], 2, axis=0)
    right = same_as([row.tobytes() for row in images], 10_000)
    assert right is not None
    still = [shift(gap_direction(images, texts)[0], 0.0)]
    (strict,) = compare(images, texts, still, [Scoring(30.0)])
    (fair,) = compare(images, texts, still, [Scoring(30.0)], right)
    table = images.astype(np.float64) @ texts.astype(np.float64).T
    expected = np.mean([table[i].argmax() // 2 == i // 2 for i in range(100)])
    assert fair.recall(1)[0] == pytest.approx(expected)
    assert fair.recall(1)[0] > strict.recall(1)[0]


def test_places_of_equal_keys():
    rows, columns = same_as(["a", "b", "a", "c", "a"], 100)
    found = set(zip(rows.tolist(), columns.tolist(), strict=True))
    assert found == {(0, 2), (0, 4), (2, 0), (2, 4), (4, 0), (4, 2)}
    assert same_as(["a"] * 20, 100) is None


def test_gaps_after_every_move_are_those_of_moved_rows():
    images, texts = pairs(120, 20, gap=0.8)
    direction, gap = gap_direction(images, texts)
    moves = every_move(images, texts)
    for move, found in zip(moves, gaps(moves, images, texts, direction), strict=True):
        x, y = moved_plainly(move, images, texts)
        difference = x.mean(0) - y.mean(0)
        expected = difference @ direction if move.name == "shift" else np.linalg.norm(difference)
        assert found == pytest.approx(expected, abs=1e-6)
    still, across = gaps([shift(direction, 0.0), shift(direction, 3.0)], images, texts, direction)
    assert still == pytest.approx(gap, abs=1e-6)
    assert across < 0
