"""Nulls, separability, paths, views and the association, each against a short version of its own."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from sklearn.decomposition import PCA

from probes.core.errors import Cancelled
from probes.modality_gap import association
from probes.modality_gap.closed_form import closed_forms
from probes.modality_gap.cloud import Axes, umap_points
from probes.modality_gap.gathering import People
from probes.modality_gap.moves import shift
from probes.modality_gap.nulls import SHUFFLED, SWAPPED, nulls
from probes.modality_gap.path import CAPTIONS, OTHER, OWN, PICTURES, STEPS, walk
from probes.modality_gap.rows import gap_direction
from probes.modality_gap.separability import separability
from tests.modality_gap.clouds import pairs, unit


def null_of(images, texts, seed=0):
    measured = {one.measure: one for one in closed_forms(images, texts, seed)}
    return {one.measure: one for one in nulls(images, texts, measured, seed)}


def test_what_belongs_together_is_told_from_what_was_dealt():
    images, texts = pairs(120, 20, gap=0.7)
    found = null_of(images, texts)
    assert found["gap"].kind == SWAPPED
    for name in ("rmg", "paired_distance", "cosine_matched", "alignment", "r1_image_to_text", "r1_text_to_image"):
        assert found[name].kind == SHUFFLED
        assert found[name].p == pytest.approx(1 / 1000)
    assert found["gap"].p == pytest.approx(1 / 1000)
    table = images.astype(np.float64) @ texts.astype(np.float64).T
    assert found["cosine_matched"].null == pytest.approx(table.mean(), abs=2e-3)
    assert found["r1_image_to_text"].null == pytest.approx(1 / 120, abs=2e-3)


@pytest.mark.slow
def test_where_nothing_is_planted_p_is_below_five_percent_five_times_in_a_hundred():
    calls = {"gap": 0, "cosine_matched": 0, "rmg": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        images, texts = unit(rng.normal(size=(40, 6))), unit(rng.normal(size=(40, 6)))
        found = null_of(images, texts, seed)
        for name in calls:
            calls[name] += found[name].p <= 0.05
    for name, count in calls.items():
        assert 0.02 <= count / 300 <= 0.085, (name, count / 300)


def test_a_gap_makes_clouds_separable_and_its_absence_does_not():
    apart = separability(*pairs(300, 16, gap=1.5), 0)
    assert all(one.value > 0.97 for one in apart)
    mixed = separability(*pairs(300, 16, gap=0.0, seed=2), 0)
    assert all(one.low <= 0.5 <= one.high for one in mixed)


def test_no_line_parts_clouds_that_lie_round_one_mean():
    """Pictures along the axes, captions between them: no gap, and nothing for a linear rule to find."""
    rng = np.random.default_rng(0)
    corners = np.concatenate([np.eye(2), -np.eye(2)])[rng.integers(4, size=200)]
    images = unit(corners + 0.05 * rng.normal(size=(200, 2)))
    texts = unit(images @ np.array([[1, 1], [-1, 1]]) + 0.05 * rng.normal(size=(200, 2)))
    both, threshold = separability(images, texts, 0)
    assert both.value < 0.65
    assert threshold.value < 0.65


def test_paths_are_great_circles_and_pass_what_is_nearest():
    images, texts = pairs(30, 8, gap=0.5, noise=1.0)
    steps, walks = walk(images, texts, 0)
    x, y = images.astype(np.float64), texts.astype(np.float64)
    theta = np.arccos((x * y).sum(1))[:, None]
    own = {step.t: step for step in steps if step.path == OWN}
    assert {step.path for step in steps} == {OWN, OTHER, PICTURES, CAPTIONS}
    for place, t in enumerate(STEPS):
        z = (np.sin((1 - t) * theta) * x + np.sin(t * theta) * y) / np.sin(theta)
        assert np.linalg.norm(z, axis=1) == pytest.approx(np.ones(30), abs=1e-6)
        near_images, near_texts = z @ x.T, z @ y.T
        np.fill_diagonal(near_images, -2)
        np.fill_diagonal(near_texts, -2)
        assert (walks.images[:, place] == near_images.argmax(1)).all()
        assert (walks.texts[:, place] == near_texts.argmax(1)).all()
        assert walks.text_cosines[:, place] == pytest.approx(near_texts.max(1), abs=1e-5)
        step = own[t]
        assert step.nearest == pytest.approx(np.maximum(near_images.max(1), near_texts.max(1)).mean(), abs=1e-5)
        assert step.alignment_start == pytest.approx(((z - x) ** 2).sum(1).mean(), abs=1e-5)
        assert step.alignment_end == pytest.approx(((z - y) ** 2).sum(1).mean(), abs=1e-5)
        apart = ~np.eye(30, dtype=bool)
        assert step.uniformity == pytest.approx(np.log(np.exp(4 * (z @ z.T)[apart] - 4).mean()), abs=1e-5)


def test_paths_stand_still_where_both_ends_are_one():
    rows, _ = pairs(12, 6)
    steps, _ = walk(rows, rows, 0)
    for step in steps:
        assert np.isfinite([step.nearest, step.uniformity]).all()
    assert all(step.alignment_end < 1e-6 for step in steps if step.path == OWN)


def test_first_component_is_the_gap_and_all_agree_with_scikit_learn():
    images, texts = pairs(200, 12, gap=1.5, noise=0.5)
    direction, _ = gap_direction(images, texts)
    axes = Axes.of(images, texts, direction)
    both = np.concatenate([images, texts])
    expected = PCA(3, svd_solver="full").fit(both.astype(np.float64))
    assert axes.shares == pytest.approx(expected.explained_variance_ratio_, abs=1e-6)
    assert np.abs((axes.pca * expected.components_).sum(1)) == pytest.approx(np.ones(3), abs=1e-4)
    assert axes.gap_cosine > 0.98
    assert axes.pca[0] @ direction > 0
    assert axes.sphere @ axes.sphere.T == pytest.approx(np.eye(3), abs=1e-6)
    assert axes.sphere[0] == pytest.approx(direction)


@pytest.mark.parametrize("delta", [-1.0, 0.4, 1.0])
def test_a_moved_cloud_is_drawn_from_its_projection_alone(delta):
    """What the script does in the browser: (P x - delta/2 P u) / sqrt(1 - delta x.u + delta^2/4)."""
    images, texts = pairs(60, 12, gap=0.9)
    direction, _ = gap_direction(images, texts)
    axes = Axes.of(images, texts, direction)
    for view, drawn in axes.views(images, texts, direction).items():
        move = shift(direction, delta)
        expected = axes.moved(move, images, texts)[view]
        along = np.concatenate([images, texts]) @ direction
        side = np.repeat([-1.0, 1.0], 60)
        factor = 1 / np.sqrt(1 + side * delta * along + delta**2 / 4)
        found = (drawn.points + (side * delta / 2)[:, None] * drawn.gap) * factor[:, None]
        assert found == pytest.approx(expected, abs=1e-5)


def test_effect_size_is_that_of_the_paper_and_a_swap_of_groups_turns_it():
    rng = np.random.default_rng(0)
    one, other, words, others = (unit(rng.normal(size=(n, 10))) for n in (30, 40, 4, 5))
    one = unit(one + 0.8 * words.mean(0))
    still = shift(np.eye(10)[0], 0.0)
    people = People(one, other, words, others, "a", "b")
    found, p = association.association(people, still, 0)
    s = [rows.astype(float) @ words.T.mean(1) - rows.astype(float) @ others.T.mean(1) for rows in (one, other)]
    expected = (s[0].mean() - s[1].mean()) / np.concatenate(s).std(ddof=1)
    assert found.value == pytest.approx(expected, abs=1e-5)
    assert found.low < found.value < found.high
    assert p < 0.05
    turned, _ = association.association(People(other, one, words, others, "b", "a"), still, 0)
    assert turned.value == pytest.approx(-expected, abs=1e-5)


@pytest.mark.slow
def test_a_map_that_nobody_wants_any_more_leaves_room_for_the_next():
    images, texts = pairs(40, 8)
    told = []

    def stop(share, doing):
        told.append(doing)
        if "epoch" in doing or share == 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        umap_points(images, texts, 2, 0, stop)
    assert any("epoch" in doing for doing in told)
    done: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: done.append(umap_points(images, texts, 3, 0)), daemon=True)
    thread.start()
    thread.join(timeout=120)
    assert done
    assert done[0].shape == (80, 3)
    assert np.isfinite(done[0]).all()
