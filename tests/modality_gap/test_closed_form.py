"""Sums in place of whole tables, closed-form clouds, what must not change a measure, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.resampling import bootstrap_weights
from probes.modality_gap.closed_form import NAMES, closed_forms
from probes.modality_gap.pairwise import uniformity
from tests.modality_gap.clouds import cones, pairs, plainly, turned, unit


def measured(images, texts, seed=0):
    return {one.measure: one for one in closed_forms(images, texts, seed)}


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(2, 40), st.floats(0, 2), st.integers(0, 99))
def test_sums_give_what_whole_tables_give(n, d, gap, seed):
    images, texts = pairs(n, d, gap, seed=seed)
    expected, found = plainly(images, texts), measured(images, texts)
    for name in NAMES:
        assert found[name].value == pytest.approx(expected[name], abs=2e-5), name


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 50), st.integers(2, 20), st.integers(0, 99))
def test_uniformity_is_the_mean_potential_of_all_pairs(n, d, seed):
    images, texts = pairs(n, d, seed=seed)
    expected = plainly(images, texts)
    for rows, name in ((images, "uniformity_image"), (texts, "uniformity_text")):
        value, potentials = uniformity(rows)
        assert value == pytest.approx(expected[name], abs=1e-5)
        assert np.log(potentials.mean()) == pytest.approx(value, abs=1e-9)


def test_uniformity_does_not_depend_on_how_rows_are_cut_into_blocks(monkeypatch):
    images, _ = pairs(70, 8)
    whole, potentials = uniformity(images)
    monkeypatch.setattr("probes.modality_gap.pairwise.BLOCK", 16)
    cut, others = uniformity(images)
    assert cut == pytest.approx(whole, abs=1e-6)
    assert others == pytest.approx(potentials, abs=1e-6)


@pytest.mark.parametrize("half_angle", [0.2, 0.7])
@pytest.mark.parametrize("between", [0.5, 1.5, 3.0])
def test_two_cones_at_a_known_angle(half_angle, between):
    n = 24
    found = measured(*cones(n, half_angle, between))
    inner = np.cos(half_angle) ** 2
    assert found["gap"].value == pytest.approx(2 * np.cos(half_angle) * np.sin(between / 2), abs=1e-6)
    assert found["cosine_matched"].value == pytest.approx(inner * np.cos(between), abs=1e-6)
    assert found["cosine_unmatched"].value == pytest.approx(inner * np.cos(between), abs=1e-6)
    cone = (n * inner - 1) / (n - 1)
    assert found["cosine_image_image"].value == pytest.approx(cone, abs=1e-6)
    assert found["cosine_text_text"].value == pytest.approx(cone, abs=1e-6)
    far, wide = (1 - inner * np.cos(between)) / 2, (1 - cone) / 2
    assert found["rmg"].value == pytest.approx(far / (far + wide), abs=1e-6)


def test_two_points_are_as_far_apart_as_their_angle_says():
    images, texts = np.tile([[1.0, 0.0]], (5, 1)), np.tile([[0.6, 0.8]], (5, 1))
    found = measured(images.astype(np.float32), texts.astype(np.float32))
    assert found["gap"].value == pytest.approx(np.sqrt(0.8), abs=1e-6)
    assert found["paired_distance"].value == pytest.approx(np.sqrt(0.8), abs=1e-6)
    assert found["cosine_image_image"].value == pytest.approx(1.0, abs=1e-6)
    assert found["rmg"].value == pytest.approx(1.0, abs=1e-6)
    assert found["gap"].low == pytest.approx(found["gap"].high, abs=1e-6)


def test_isotropic_noise_has_no_cone_and_only_the_gap_of_chance():
    rng = np.random.default_rng(0)
    n, d = 4_000, 64
    images, texts = unit(rng.normal(size=(n, d))), unit(rng.normal(size=(n, d)))
    found = measured(images, texts)
    assert abs(found["cosine_image_image"].value) < 1e-3
    assert abs(found["cosine_matched"].value) < 4 / np.sqrt(n * d)
    assert found["gap"].value == pytest.approx(np.sqrt(2 / n), rel=0.25)
    assert found["rmg"].value == pytest.approx(0.5, abs=2e-3)


def test_neither_rotation_nor_order_changes_a_measure():
    images, texts = pairs(80, 12)
    before = measured(images, texts)
    order = np.random.default_rng(1).permutation(80)
    for other in (measured(turned(images), turned(texts)), measured(images[order], texts[order])):
        for name in NAMES:
            assert other[name].value == pytest.approx(before[name].value, abs=1e-5)


def test_a_bootstrap_does_not_let_a_pair_meet_itself():
    """With copies counted, every resampled cone would lie above the estimate; so the middle of the draws tells."""
    images, texts = pairs(12, 30, gap=0.0)
    found = measured(images, texts)
    for name in ("cosine_image_image", "cosine_text_text", "cosine_unmatched"):
        assert found[name].low < found[name].value < found[name].high


def test_weights_count_draws_with_replacement():
    weights = np.concatenate(list(bootstrap_weights(40, 3_000, 0)))
    assert weights.shape == (3_000, 40)
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1 - 1 / 40, rel=0.03)


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Truth from 200,000 pairs of the same kind; 200 samples of 150."""
    truth = measured(*pairs(200_000, 10, gap=0.6, seed=1))
    hits = dict.fromkeys(NAMES, 0)
    for seed in range(200):
        for name, one in measured(*pairs(150, 10, gap=0.6, seed=1_000 + seed), seed).items():
            hits[name] += one.low <= truth[name].value <= one.high
    for name, count in hits.items():
        assert 0.90 <= count / 200 <= 0.995, (name, count / 200)


@pytest.mark.parametrize("wide", [0.1, 0.4, 0.9, 1.3])
def test_a_gap_set_by_hand_is_recovered_within_the_interval(wide):
    """Heights above and below an equator are dealt evenly about half the gap; all other directions at random."""
    rng = np.random.default_rng(7)
    d, n = 40, 900
    height = np.array([[1.0], [-1.0]]) * (wide / 2 + rng.uniform(-0.2, 0.2, (2, n)))
    flat = rng.normal(size=(2, n, d))
    flat /= np.linalg.norm(flat, axis=2, keepdims=True)
    rows = np.concatenate([height[:, :, None], flat * np.sqrt(1 - height[:, :, None] ** 2)], axis=2)
    found = measured(*rows.astype(np.float32))["gap"]
    assert found.low <= wide <= found.high
    assert found.high - found.low < 0.06
