"""Masks from maps, and how well they fit, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from probes.attention_heads.segmenting import above_mean, counts, enlarged, miou
from tests.attention_heads.fits import fit

THING = np.zeros((12, 16), bool)
THING[2:7, 3:9] = True


def test_enlarged_maps_keep_their_mean_order_and_values():
    maps = np.random.default_rng(0).normal(size=(3, 6, 8))
    found = enlarged(maps, 12, 16)
    assert found.shape == (3, 12, 16)
    assert found.min() >= maps.min()
    assert found.max() <= maps.max()
    np.testing.assert_allclose(enlarged(np.ones((1, 6, 8)), 12, 16), 1)
    np.testing.assert_allclose(enlarged(maps, 6, 8), maps, atol=1e-12)
    np.testing.assert_allclose(enlarged(maps[:, ::-1], 12, 16), found[:, ::-1], atol=1e-12)
    ramp = enlarged(np.arange(4.0)[None, None].repeat(4, axis=1), 12, 12)[0, 0]
    np.testing.assert_allclose(ramp[1::3], np.arange(4), atol=1e-12)  # the middle pixel of each patch


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95), st.floats(0.0, 1.0))
def test_the_mean_iou_is_that_of_scikit_learn(seed, share, agreement):
    rng = np.random.default_rng(seed)
    truth = rng.random((2, 9, 9)) < share
    called = np.where(rng.random(truth.shape) < agreement, truth, rng.random(truth.shape) < 0.5)
    expected = jaccard_score(truth.ravel(), called.ravel(), average="macro", labels=[0, 1], zero_division=1.0)
    assert miou(counts(called, truth).sum(axis=0)) == pytest.approx(expected)


def test_a_perfect_map_fits_and_its_opposite_does_not():
    truth = np.stack([THING, ~THING])
    right = fit(truth.astype(float), truth, np.array([0, 1]), 0)
    assert (right.n, right.accuracy, right.miou, right.average_precision) == (2, 1, 1, 1)
    wrong = fit(-truth.astype(float), truth, np.array([0, 1]), 0)
    assert wrong.accuracy == wrong.miou == 0


def test_a_map_of_noise_fits_as_chance_does():
    rng = np.random.default_rng(0)
    truth = np.repeat(THING[None], 60, axis=0)
    found = fit(rng.normal(size=truth.shape), truth, np.arange(60), 0)
    share = THING.mean()
    iou = [half * 0.5 / (half + 0.5 - half * 0.5) for half in (share, 1 - share)]
    assert found.miou == pytest.approx(np.mean(iou), abs=0.02)
    assert found.average_precision == pytest.approx(share, abs=0.03)
    assert found.miou_interval.low < found.miou < found.miou_interval.high


def test_the_scale_and_level_of_a_map_do_not_matter():
    maps = np.random.default_rng(3).normal(size=(4, 12, 16))
    assert (above_mean(maps) == above_mean(7 * maps + 100)).all()


def test_things_of_one_picture_are_resampled_together():
    """Sixty copies of one thing in two pictures say no more than two pictures."""
    rng = np.random.default_rng(1)
    truth = np.repeat(THING[None], 60, axis=0)
    maps = np.repeat(rng.normal(size=(2, *THING.shape)), 30, axis=0)
    apart = fit(maps, truth, np.arange(60), 0).miou_interval
    together = fit(maps, truth, np.repeat([0, 1], 30), 0).miou_interval
    assert together.high - together.low > 3 * (apart.high - apart.low)


@pytest.mark.parametrize("truth", [np.zeros((1, 4, 4), bool), np.ones((1, 4, 4), bool), np.zeros((0, 4, 4), bool)])
def test_what_cannot_be_measured_is_refused(truth):
    with pytest.raises(ValueError, match=r"no maps|no pixel"):
        fit(np.zeros(truth.shape), truth, np.arange(len(truth)), 0)
