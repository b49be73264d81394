"""Maps as masks against counting by hand, planted maps, and a short float64 version of the comparison."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import plotly.graph_objects as go
import pytest
from pydantic import TypeAdapter

from probes import segmentation
from probes.attention_heads.scene_maps import (
    ALONE,
    ATTENTION,
    GRADIENT,
    NOISE,
    PATCH_TERMS,
    TEMPLATE,
    Things,
    attention_maps,
    gradient_maps,
    over_patches,
    patch_maps,
    shipped,
)
from probes.attention_heads.segmented import (
    Found,
    MapFit,
    Segmented,
    compared,
    held_against,
    lit,
    mask_of,
    segment,
)
from probes.attention_heads.segmented_figures import masks
from probes.attention_heads.segmenting import counts, enlarged, miou
from probes.backend import load
from probes.core.errors import Cancelled, CapabilityError
from tests.attention_heads.fits import fit
from tests.fakes import CARD, PixelBackend, noise


def made_up(pictures=8, things=2, side=24, seed=0):
    """Things that are rectangles, so many in each picture."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((pictures * things, side, side), bool)
    for mask in truth:
        top, left = rng.integers(0, side // 2, 2)
        mask[top : top + rng.integers(4, 12), left : left + rng.integers(4, 12)] = True
    of = np.repeat(np.arange(pictures), things)
    return Things(tuple(noise(i) for i in range(pictures)), ("a", "b"), of, np.arange(len(truth)) % 2, truth)


def shares(truth, cells=6):
    """The share of each patch that is the thing's: the best map there is."""
    return np.stack([over_patches(mask.astype(float), (cells, cells)) for mask in truth])


def test_a_mask_is_where_the_map_is_above_its_mean():
    values = np.array([[0.0, 1.0], [0.0, 1.0]])
    white = mask_of(values, 4, 4).decode()
    assert white.shape == (4, 4, 3)
    # columns of the enlarged map are 0, 1/4, 3/4, 1, and their mean is 1/2
    assert (white[:, :2] == 0).all()
    assert (white[:, 2:] == 255).all()
    view = np.full((4, 4, 3), 200, np.uint8)
    shown = lit(view, values).decode()
    assert (shown[:, :2] == 50).all()
    assert (shown[:, 2:] == 200).all()


def test_means_over_patches_leave_out_what_no_patch_covers():
    pixels = np.arange(35.0).reshape(5, 7)
    found = over_patches(pixels, (2, 3))
    assert found[0, 0] == pixels[:2, :2].mean()
    assert found[1, 2] == pixels[2:4, 4:6].mean()


def test_rows_are_those_of_the_fit_of_all_things():
    things = made_up()
    values = np.random.default_rng(1).normal(size=(16, 6, 6)) + 2 * shares(things.truth)
    (row,) = compared({PATCH_TERMS: held_against(values, things)}, seed=3)
    large = enlarged(values, 24, 24)
    expected = fit(large, things.truth, things.picture, 3)
    assert (row.things, row.pictures) == (16, 8)
    assert row.accuracy == pytest.approx(expected.accuracy, abs=1e-12)
    assert row.miou == pytest.approx(expected.miou, abs=1e-12)
    assert row.precision == pytest.approx(expected.average_precision, abs=1e-12)
    ends = (expected.miou_interval.low, expected.miou_interval.high, expected.precision_interval.low)
    assert (row.miou_low, row.miou_high, row.precision_low) == pytest.approx(ends, abs=1e-6)
    assert row.miou_ahead is None


def test_differences_are_those_of_every_exchange_counted_out():
    things, rng = made_up(pictures=6), np.random.default_rng(2)
    good = held_against(shares(things.truth) + 0.3 * rng.normal(size=(12, 6, 6)), things)
    poor = held_against(shares(things.truth) + 0.6 * rng.normal(size=(12, 6, 6)), things)
    _, row = compared({PATCH_TERMS: good, NOISE: poor}, seed=0)

    def both(pixels, precision):
        return np.array([miou(pixels.sum(axis=0)), precision.sum() / 12])

    def difference(stays):
        s = np.array(stays, float)
        return both(
            (s * good.pixels.T + (1 - s) * poor.pixels.T).T, s * good.precision + (1 - s) * poor.precision
        ) - both((s * poor.pixels.T + (1 - s) * good.pixels.T).T, s * poor.precision + (1 - s) * good.precision)

    observed = difference([1] * 6)
    every = np.array([difference(stays) for stays in product((0, 1), repeat=6)])
    p = (np.abs(every) >= np.abs(observed) - 1e-12).mean(axis=0)
    assert (row.miou_ahead, row.precision_ahead) == pytest.approx(tuple(observed), abs=1e-12)
    assert (row.miou_p, row.precision_p) == pytest.approx(tuple(p), abs=1e-12)
    assert row.miou_ahead_low <= row.miou_ahead <= row.miou_ahead_high


def test_a_map_of_the_masks_is_ahead_of_noise_and_noise_is_not_ahead_of_noise():
    things, rng = made_up(pictures=40), np.random.default_rng(0)
    planted, chance, again = shares(things.truth), *rng.normal(size=(2, 80, 6, 6))
    found = {
        kind: held_against(values, things)
        for kind, values in ((PATCH_TERMS, planted), (NOISE, chance), (ALONE, planted))
    }
    best, worse, same = compared(found, seed=0)
    assert best.precision > 0.9
    assert worse.miou_ahead > 0.3
    assert worse.miou_p_adjusted == pytest.approx(2e-4, rel=0.01)  # 1/10,000, two of four
    assert (same.miou_ahead, same.miou_p, same.precision_p) == (0, 1, 1)
    _, even = compared({PATCH_TERMS: held_against(again, things), NOISE: found[NOISE]}, seed=0)
    assert even.miou_p > 0.05
    assert even.miou_ahead_low < 0 < even.miou_ahead_high


def test_things_are_those_of_the_shipped_scenes():
    every = shipped(0)
    assert (len(every.pictures), len(every.names), len(every.name)) == (240, 20, 735)
    assert every.truth.any(axis=(1, 2)).all()
    # masks of one picture never overlap
    assert (np.stack([every.truth[every.picture == place].sum(axis=0).max() for place in range(240)]) == 1).all()
    some, again, other = shipped(0, 7), shipped(0, 7), shipped(1, 7)
    assert [one.name for one in some.pictures] == [one.name for one in again.pictures]
    assert [one.name for one in some.pictures] != [one.name for one in other.pictures]
    assert len(some.names) == 20  # the contrast is against all names, however few scenes are taken
    place = [one.name for one in every.pictures].index(some.pictures[0].name)
    assert (some.truth[some.picture == 0] == every.truth[every.picture == place]).all()


def test_patch_terms_sum_to_what_heads_add_to_the_text():
    backend, things = load("bundled:balanced"), shipped(0, 3)
    maps = patch_maps(backend, things)
    taken = backend.decompose(things.pictures, by_token=True)
    texts = backend.encode_texts([TEMPLATE.format(name) for name in things.names])
    effects = taken.token_effects(texts).astype(np.float64).sum(axis=(2, 3))[:, :, taken.prefix :]
    for place, (picture, name) in enumerate(zip(things.picture, things.name, strict=True)):
        np.testing.assert_allclose(maps[ALONE][place].ravel(), effects[picture, name], atol=1e-6)
        contrast = effects[picture, name] - effects[picture].mean(axis=0)
        np.testing.assert_allclose(maps[PATCH_TERMS][place].ravel(), contrast, atol=1e-6)


def test_attention_and_gradient_are_those_of_the_model():
    backend, things = load("bundled:balanced"), shipped(0, 2)
    looked = attention_maps(backend, things, (6, 6))
    weights = backend.attention(things.pictures).astype(np.float64)
    for place, picture in enumerate(things.picture):
        expected = sum(weights[picture, -1, head, 1:] for head in range(6)) / 6
        np.testing.assert_allclose(looked[place].ravel(), expected, atol=1e-7)
    slopes = gradient_maps(backend, things, (6, 6))
    text = TEMPLATE.format(things.names[things.name[0]])
    slope = backend.gradient(things.pictures[things.picture[0]], text).astype(np.float64)
    corner = np.abs(slope[:12, 60:]).sum() / 144  # the last patch of the first row
    assert slopes[0, 0, 5] == pytest.approx(corner, rel=1e-5)


@pytest.mark.slow
def test_patch_terms_of_a_bundled_model_find_things_and_noise_does_not():
    told = []
    found = segment(load("bundled:balanced"), 0, lambda share, doing: told.append(share), most=12)
    kinds = {row.kind: row for row in found.rows}
    assert tuple(kinds) == (PATCH_TERMS, ALONE, ATTENTION, GRADIENT, NOISE)
    assert found.left_out == ()
    assert kinds[PATCH_TERMS].precision > 0.45
    assert 0.05 < kinds[NOISE].precision < 0.2
    assert all(kinds[kind].precision_p_adjusted < 0.01 for kind in (ATTENTION, GRADIENT, NOISE))
    assert told == sorted(told)
    assert told[-1] <= 1
    again = TypeAdapter(Segmented).validate_json(TypeAdapter(Segmented).dump_json(found))
    assert again == found
    assert segment(load("bundled:balanced"), 0, most=12) == found


@pytest.mark.parametrize("after", [1, 7, 15])
def test_it_can_be_stopped_in_every_part(after):
    calls = []

    def told(share, doing):
        calls.append(doing)
        if len(calls) == after:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        segment(load("bundled:balanced"), 0, told, most=3)
    assert len(calls) == after


@pytest.mark.slow
def test_kinds_that_a_model_lacks_are_told():
    found = segment(load("bundled:balanced~L0H0"), 0, most=2)
    assert GRADIENT not in {row.kind for row in found.rows}
    assert any(sentence.startswith("No maps of gradient: ") for sentence in found.left_out)


def test_models_whose_maps_do_not_lie_on_the_scenes_are_refused():
    with pytest.raises(CapabilityError, match="heads"):
        segment(PixelBackend(), 0, most=2)
    oblong = PixelBackend(card=replace(CARD, lacks={}, image_size=(16, 32)))
    with pytest.raises(CapabilityError, match="squares"):
        segment(oblong, 0, most=2)


def rows():
    first = MapFit(PATCH_TERMS, 4, 2, 0.7, 0.46, 0.45, 0.47, 0.6, 0.58, 0.62)
    second = replace(
        first, kind=NOISE, miou=0.28, miou_low=0.27, miou_high=0.29, precision=0.1, precision_low=0.09,
        precision_high=0.11, miou_ahead=0.18, miou_ahead_low=0.16, miou_ahead_high=0.2, miou_p=0.01,
        miou_p_adjusted=0.02, precision_ahead=0.5, precision_ahead_low=-0.4, precision_ahead_high=0.6,
        precision_p=0.01, precision_p_adjusted=0.02,
    )  # fmt: skip
    return first, second


def test_the_figure_shows_values_and_whiskers():
    figure = masks(rows())
    assert isinstance(figure, go.Figure)
    bars = figure.data
    assert [tuple(bar.x) for bar in bars] == [(0.46, 0.28), (0.6, 0.1)]
    assert bars[0].error_x.array[0] == pytest.approx(0.01)
    assert "+0.180" in bars[0].text[1]


def test_the_table_goes_between_its_marks_and_nowhere_else(tmp_path):
    table = segmentation.markdown([("bundled:skewed", Segmented(rows(), ("No maps of gradient: so.",)))])
    lines = table.splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|") == 9
    assert "0.460 (0.450 to 0.470)" in lines[2]
    assert "+0.500 (−0.400 to +0.600), p = 0.02" in lines[3]
    assert lines[-1] == "`bundled:skewed`: No maps of gradient: so."
    file = tmp_path / "README.md"
    start, end = segmentation.PLACE.marks
    file.write_text(f"before\n{start}\nold\n{end}\nafter\n<!-- end -->\n", encoding="utf-8")
    assert segmentation.PLACE.put(table, file)
    assert file.read_text(encoding="utf-8") == f"before\n{start}\n{table}\n{end}\nafter\n<!-- end -->\n"
    file.write_text("nothing\n", encoding="utf-8")
    assert not segmentation.PLACE.put(table, file)
    assert file.read_text(encoding="utf-8") == "nothing\n"


def test_found_counts_things_by_picture():
    things = made_up(pictures=3)
    found = held_against(shares(things.truth), things)
    assert isinstance(found, Found)
    whole = counts(enlarged(shares(things.truth), 24, 24) > 0.5, things.truth).sum()
    assert found.pixels.sum() == whole == 6 * 24 * 24
    assert found.things.tolist() == [2, 2, 2]
