"""What heads are about: planted heads, an independent version of every number, intervals, figures, nearest."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from probes.attention_heads import describing_figures
from probes.attention_heads.describing import FEW, SHOWN, STEADY, Description, describe
from probes.attention_heads.nearest import NOBODY, cosines, nearest
from probes.core.decomposition import Decomposition
from probes.core.export import to_csv
from probes.core.plotting import BLUE, GREY, SKY


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def tower(n=60, layers=2, heads=3, e=4, d=16, seed=0):
    """A decomposition with noise in every part."""
    rng = np.random.default_rng(seed)
    outputs = (rng.normal(size=(n, layers, heads, e)) + rng.normal(size=(layers, heads, e))).astype(np.float32)
    writes = (rng.normal(size=(layers, heads, e, d)) / d).astype(np.float32)
    mlps = (rng.normal(size=(n, layers, d)) / d).astype(np.float32)
    rest = np.zeros((n, d), np.float32)
    whole = np.einsum("nlhe,lhed->nd", outputs, writes) + mlps.sum(axis=1)
    names = tuple(f"layer {number + 1}" for number in range(layers))
    return Decomposition(outputs, writes, mlps, rest, rest, whole, 0.0, names)


def texts_of(m=30, d=16, seed=1):
    return unit(np.random.default_rng(seed).normal(size=(m, d))).astype(np.float32)


def names_of(texts):
    return [f"phrase {number}" for number in range(len(texts))]


def planted(amount=5.0, n=80, e=4, d=16, m=30):
    """A tower whose head L1H2 writes phrase 7 by an amount that differs between pictures, and that amount."""
    taken, texts = tower(n=n, e=e, d=d), texts_of(m, d)
    amounts = np.random.default_rng(3).normal(size=n).astype(np.float32)
    writes = taken.writes.copy()
    writes[1, 2, 0] = texts[7]
    outputs = taken.outputs.copy()
    outputs[:, 1, 2, 0] = amount * amounts
    whole = np.einsum("nlhe,lhed->nd", outputs, writes) + taken.mlps.sum(axis=1)
    return replace(taken, outputs=outputs, writes=writes, embedding=whole), texts, amounts


def test_a_planted_head_is_found_with_its_pictures_and_no_other():
    taken, texts, amounts = planted()
    found = describe(taken, names_of(texts), texts, 3, 40, 0)
    first = found.of(1, 2)[0]
    assert (first.place, first.phrase, first.steady) == (1, "phrase 7", True)
    assert first.share > 0.95
    assert first.kept == 1
    assert first.low <= first.share <= first.high
    order = np.argsort(amounts)
    ends = found.extremes_of(1, 2)[0]
    assert set(ends.low_pictures[:3]) == set(order[:3].tolist())
    assert set(ends.high_pictures[:3]) == set(order[-3:].tolist())
    most = max(found.variances, key=lambda one: one.embedding)
    assert (most.layer, most.head) == (1, 2)
    others = [one for one in found.directions if one.place == 1 and (one.layer, one.head) != (1, 2)]
    assert len(others) == 5
    assert all(one.share < 0.8 for one in others)


def test_without_the_plant_it_is_one_head_of_many():
    texts = texts_of()
    found = describe(planted(amount=0.0)[0], names_of(texts), texts, 3, 0, 0)
    assert max(found.variances, key=lambda one: one.embedding).embedding < 0.5
    assert found.of(1, 2)[0].share < 0.9


def test_phrases_of_noise_are_not_steady_and_planted_ones_are():
    taken, texts, _ = planted(n=40, e=12, d=32, m=800)
    found = describe(taken, names_of(texts), texts, 3, 60, 0)
    assert found.of(1, 2)[0].kept == 1
    noise = [one for one in found.directions if (one.layer, one.head) != (1, 2)]
    assert np.mean([one.kept for one in noise]) < STEADY
    assert not all(one.steady for one in noise)
    assert all(one.steady == (one.kept >= STEADY) for one in found.directions)


def test_shares_extremes_and_variances_by_deflating_in_float64():
    taken, texts = tower(n=25, seed=4), texts_of()
    found = describe(taken, names_of(texts), texts, 4, 0, 0)
    x = taken.embedding.astype(float)
    x = x - x.mean(axis=0)
    assert found.variance == pytest.approx((x**2).sum() / 25)
    for one in found.variances:
        writes = taken.writes[one.layer, one.head].astype(float)
        C = taken.outputs[:, one.layer, one.head].astype(float) @ writes
        C = C - C.mean(axis=0)
        total = (C**2).sum()
        assert one.variance == pytest.approx(total / 25)
        assert one.embedding == pytest.approx((C * x).sum() / (x**2).sum())
        T = texts.astype(float) @ np.linalg.pinv(writes) @ writes
        so_far = 0.0
        rows, ends = found.of(one.layer, one.head), found.extremes_of(one.layer, one.head)
        for row, outer in zip(rows, ends, strict=True):
            pick = int(row.phrase.split()[1])
            u = T[pick] / np.linalg.norm(T[pick])
            scores = C @ u
            so_far += (scores**2).sum() / total
            assert row.share == pytest.approx((scores**2).sum() / total)
            assert row.cumulative == pytest.approx(so_far)
            assert list(outer.low_pictures) == np.argsort(scores)[:SHOWN].tolist()
            assert list(outer.high_pictures) == np.argsort(-scores)[:SHOWN].tolist()
            C, T = C - np.outer(scores, u), T - np.outer(T @ u, u)
        assert one.explained == pytest.approx(so_far)
        assert one.directions == len(rows) == 4


def test_parts_of_the_embedding_sum_to_one():
    taken = tower()
    found = describe(taken, names_of(texts_of()), texts_of(), 1, 0, 0)
    x = taken.embedding.astype(float)
    x = x - x.mean(axis=0)
    mlps = taken.mlps.sum(axis=1) - taken.mlps.sum(axis=1).mean(axis=0)
    heads = sum(one.embedding for one in found.variances)
    assert heads + (mlps * x).sum() / (x**2).sum() == pytest.approx(1, abs=1e-5)


def test_intervals_are_those_of_pictures_drawn_again():
    taken, texts, _ = planted(n=30)
    found = describe(taken, names_of(texts), texts, 1, 0, 0)
    row, head = found.of(1, 2)[0], found.variances[5]
    C, x = taken.head(1, 2).astype(float), taken.embedding.astype(float)
    writes = taken.writes[1, 2].astype(float)
    t = texts[7].astype(float) @ np.linalg.pinv(writes) @ writes
    u, rng, shares, parts = unit(t), np.random.default_rng(9), [], []
    for _ in range(2000):
        drawn = rng.integers(30, size=30)
        c, y = C[drawn] - C[drawn].mean(axis=0), x[drawn] - x[drawn].mean(axis=0)
        shares.append(((c @ u) ** 2).sum() / (c**2).sum())
        parts.append((c * y).sum() / (y**2).sum())
    for low, high, draws in ((row.low, row.high, shares), (head.low, head.high, parts)):
        ends = np.quantile(draws, [0.025, 0.975])
        np.testing.assert_allclose([low, high], ends, atol=0.12 * (ends[1] - ends[0]))


def test_of_few_pictures_there_is_no_interval_and_of_one_nothing():
    texts = texts_of()
    few = describe(tower(n=FEW - 1), names_of(texts), texts, 2, 5, 0)
    assert all(row.low is None and row.high is None for row in (*few.directions, *few.variances))
    assert all(row.kept is not None for row in few.directions)
    assert describe(tower(n=FEW), names_of(texts), texts, 2, 5, 0).directions[0].low is not None
    one = describe(tower(n=1), names_of(texts), texts, 2, 5, 0)
    assert one.directions == one.extremes == ()
    assert [(row.variance, row.embedding, row.explained) for row in one.variances] == [(0, None, 0)] * 6
    assert len(one.fewer) == 6


def test_a_head_that_writes_the_same_to_all_gets_no_phrase_and_the_rest_as_many_as_it_is_wide():
    taken, texts = tower(), texts_of()
    taken.outputs[:, 0, 1] = taken.outputs[0, 0, 1]
    found = describe(taken, names_of(texts), texts, 9, 10, 0)
    assert [one.directions for one in found.variances] == [4, 0, 4, 4, 4, 4]
    assert found.fewer == found.variances
    assert found.of(0, 1) == found.extremes_of(0, 1) == ()
    assert [one.place for one in found.of(0, 0)] == [1, 2, 3, 4]
    assert found.variances[0].explained == pytest.approx(1)
    fewer = describe(taken, names_of(texts), texts, 4, 0, 0).fewer
    assert [(one.layer, one.head) for one in fewer] == [(0, 1)]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(0, 12), st.integers(0, 99))
def test_what_always_holds(n, count, resamples, seed):
    texts, told = texts_of(seed=seed), []
    taken = tower(n=n, seed=seed)
    found = describe(taken, names_of(texts), texts, count, resamples, seed, lambda share, _: told.append(share))
    np.testing.assert_allclose(told, np.arange(1, 7) / 6)
    assert len(found.directions) == len(found.extremes) == sum(one.directions for one in found.variances)
    for row, ends in zip(found.directions, found.extremes, strict=True):
        assert (row.layer, row.head, row.place) == (ends.layer, ends.head, ends.place)
        assert 0 < row.share <= row.cumulative <= 1 + 1e-9
        assert (row.kept is None) == (row.steady is None) == (resamples == 0)
        assert not set(ends.low_pictures) & set(ends.high_pictures)
        assert len(ends.low_pictures) == len(ends.high_pictures) == min(SHOWN, n // 2)
    adapter = TypeAdapter(Description)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    assert "NaN" not in json.dumps(adapter.dump_python(found, mode="json"))


def test_rows_go_into_tables():
    texts = texts_of()
    found = describe(tower(), names_of(texts), texts, 2, 5, 0)
    for rows in (found.directions, found.variances):
        lines = to_csv(rows).splitlines()
        assert len(lines) == len(rows) + 1
        assert "(" not in lines[1]
    with pytest.raises(ValueError, match="29 phrases do not go with 30"):
        describe(tower(), names_of(texts)[1:], texts, 2, 5, 0)


def test_the_figure_of_a_head_shows_each_phrase_once_and_greys_what_is_not_steady():
    taken, texts, _ = planted(n=40, e=12, d=32, m=800)
    found = describe(taken, names_of(texts), texts, 3, 30, 0)
    figure = describing_figures.directions(found, 1, 2)
    bars = {trace.marker.color: trace for trace in figure.data}
    assert BLUE in bars
    assert set(bars) <= {BLUE, GREY}
    shown = {place: share for trace in figure.data for place, share in zip(trace.y, trace.x, strict=True)}
    assert shown == {row.place: row.share for row in found.of(1, 2)}
    for colour, steady in ((BLUE, True), (GREY, False)):
        places = [row.place for row in found.of(1, 2) if row.steady is steady]
        assert list(bars[colour].y if colour in bars else ()) == places
    assert "not steady" in describing_figures.directions(found, 0, 0).to_json()
    assert figure.layout.title.text.startswith("L1H2")
    assert "phrase 7" in figure.layout.yaxis.ticktext[0]
    assert f"{found.of(1, 2)[2].cumulative:.0%} so far" in figure.layout.yaxis.ticktext[2]
    plain = describe(taken, names_of(texts), texts, 3, 0, 0)
    assert {trace.marker.color for trace in describing_figures.directions(plain, 1, 2).data} == {SKY}


def test_the_overview_has_every_head_and_gaps_where_nothing_is_written():
    taken, texts = tower(), ["<b>bold</b>", *names_of(texts_of())[1:]]
    taken.outputs[:, 0, 1] = taken.outputs[0, 0, 1]
    found = describe(taken, texts, texts_of(), 2, 20, 0)
    figure = describing_figures.overview(found)
    z = figure.data[0].z
    assert [len(row) for row in z] == [3, 3]
    assert z[0][1] is None
    assert z[1][2] == pytest.approx(found.variances[5].explained)
    assert found.of(1, 2)[0].phrase in figure.data[0].customdata[1][2]
    assert "<b>bold</b>" not in figure.to_json()
    steady = {(one.layer, one.head) for one in found.directions if one.place == 1 and one.steady}
    drawn = {(y, x) for trace in figure.data[1:] for y, x in zip(trace.y, trace.x, strict=True)}
    assert drawn == steady
    empty = describing_figures.directions(found, 0, 1)
    assert "the same to all" in empty.layout.title.text


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 30), st.integers(1, 30), st.integers(0, 99))
def test_nearest_by_brute_force_in_all_dimensions(n, count, seed):
    taken, own = tower(n=n, seed=seed), tower(n=1, seed=seed + 1)
    own = replace(own, writes=taken.writes)
    found, alike = nearest(taken, own, count), cosines(taken, own)
    assert found.shape == (2, 3, min(count, n))
    for layer in range(2):
        for head in range(3):
            terms = taken.head(layer, head).astype(float)
            mean = terms.mean(axis=0)
            one = own.head(layer, head)[0].astype(float) - mean
            brute = unit(terms - mean) @ unit(one)
            np.testing.assert_allclose(alike[layer, head], brute, atol=1e-4)
            np.testing.assert_allclose(brute[found[layer, head]], np.sort(brute)[::-1][:count], atol=1e-4)


def test_nearest_to_itself_is_itself_unless_it_is_left_out():
    taken = tower(n=12)
    own = replace(taken, outputs=taken.outputs[4:5], embedding=taken.embedding[4:5])
    assert (nearest(taken, own, 1) == 4).all()
    np.testing.assert_allclose(cosines(taken, own)[:, :, 4], 1)
    without = nearest(taken, own, 12, without=4)
    assert 4 not in without[:, :, :11]
    assert (without[:, :, 11] == NOBODY).all()
    np.testing.assert_array_equal(without[:, :, :11], nearest(taken, own, 12)[:, :, 1:])


def test_where_a_head_tells_nothing_apart_nobody_is_near():
    taken, own = tower(n=9), tower(n=1)
    taken.outputs[:, 1, 0] = taken.outputs[0, 1, 0]
    found = nearest(taken, own, 3)
    assert (found[1, 0] == NOBODY).all()
    assert (found[0] != NOBODY).all()
    assert np.isnan(cosines(taken, own)[1, 0]).all()


def test_phrases_without_meaning_explain_what_chance_does_and_planted_ones_more():
    """One phrase is what the head writes, so it explains all of it; one at random in d dimensions hardly any."""
    rng = np.random.default_rng(3)
    d, n = 64, 200
    texts = rng.normal(size=(30, d))
    texts = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    writes = np.linalg.qr(np.column_stack([texts[7], rng.normal(size=(d, 7))]))[0].T[:8].astype(np.float32)
    outputs = np.zeros((n, 1, 1, 8), np.float32)
    outputs[:, 0, 0, 0] = rng.normal(size=n)
    nothing = np.zeros((n, d), np.float32)
    taken = Decomposition(
        outputs,
        writes[None, None],
        nothing[:, None],
        nothing,
        nothing,
        outputs[:, 0, 0] @ writes,
        0.0,
        ("layer 0",),
    )
    (found,) = describe(taken, [f"phrase {i}" for i in range(30)], texts, 1, 0, 0).variances
    assert found.explained == pytest.approx(1.0, abs=1e-5)
    assert found.chance < 0.7
    noisy = outputs.copy()
    noisy[:, 0, 0] = rng.normal(size=(n, 8))
    taken = Decomposition(
        noisy, writes[None, None], nothing[:, None], nothing, nothing, noisy[:, 0, 0] @ writes, 0.0, ("layer 0",)
    )
    (noise,) = describe(taken, [f"phrase {i}" for i in range(30)], texts, 1, 0, 0).variances
    assert noise.explained == pytest.approx(noise.chance, abs=0.1)
