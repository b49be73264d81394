"""TextSpan against its definition in d dimensions, planted phrases, ranks, copies, constants and resampling."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.attention_heads import textspan
from probes.attention_heads.textspan import LEFT, NOTHING, span, span_all, stability, stability_all
from probes.core.resampling import bootstrap_weights

NORMS = ("kept", "unit")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def drawn(n=60, e=6, d=20, m=50, seed=0):
    """Outputs (n, e) of uneven spread and not centred, writes (e, d) and unit texts (m, d), in float32."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(n, e)) * np.linspace(1.0, 0.3, e) + rng.normal(size=e)
    writes, texts = rng.normal(size=(e, d)) / np.sqrt(d), unit(rng.normal(size=(m, d)))
    return outputs.astype(np.float32), writes.astype(np.float32), texts.astype(np.float32)


def terms(outputs, writes):
    """The head's terms less their mean, (n, d), in float64."""
    rows = outputs.astype(np.float64) @ writes.astype(np.float64)
    return rows - rows.mean(axis=0)


def planted(a=3.0, b=1.5, cosine=0.0, n=400, noise=0.01, seed=0):
    """Terms that are a * texts[1] + b * texts[0] + noise, and what a and b were for each picture, (n, 2)."""
    rng = np.random.default_rng(seed)
    writes = np.linalg.qr(rng.normal(size=(32, 8)))[0].T
    first = np.eye(8)[0]
    second = cosine * first + np.sqrt(1 - cosine**2) * np.eye(8)[1]
    amounts = rng.normal(size=(n, 2)) * [a, b]
    outputs = amounts @ np.stack([first, second]) + noise * rng.normal(size=(n, 8)) + 5
    others = unit(rng.normal(size=(40, 32)))
    texts = np.concatenate([[second @ writes, first @ writes], others])
    return outputs.astype(np.float32), writes.astype(np.float32), texts.astype(np.float32), amounts


def by_definition(C, T, norms):
    """Variance of the pictures along what is left of every phrase, (m,); -1 where nothing is."""
    scores = np.full(len(T), -1.0)
    for t, phrase in enumerate(T):
        length = np.linalg.norm(phrase)
        if length > LEFT:
            scores[t] = np.var(C @ (phrase if norms == "kept" else phrase / length))
    return scores


def check_by_definition(outputs, writes, texts, count, norms):
    """Follow a span step by step in d dimensions in float64: was each pick the best, or as good as the best?

    Returns how many picks there are and how many were alone the best.
    """
    found = span(outputs, writes, texts, count, norms)
    C = terms(outputs, writes)
    T = texts.astype(np.float64) @ np.linalg.pinv(writes.astype(np.float64)) @ writes.astype(np.float64)
    total, alone = (C**2).sum(), 0
    rank = np.sum(np.linalg.svd(C, compute_uv=False) ** 2 > NOTHING * total)
    for pick, share in zip(found.picks, found.shares, strict=True):
        scores = by_definition(C, T, norms)
        assert scores[pick] >= scores.max() * (1 - 1e-6)
        alone += np.sum(scores >= scores.max() * (1 - 1e-6)) == 1
        direction = T[pick] / np.linalg.norm(T[pick])
        assert share == pytest.approx(((C @ direction) ** 2).sum() / total, abs=1e-9)
        C = C - np.outer(C @ direction, direction)
        T = T - np.outer(T @ direction, direction)
    assert len(found.picks) <= min(count, rank)
    if len(found.picks) < min(count, rank):
        assert by_definition(C, T, norms).max() * len(C) <= NOTHING * total
    return len(found.picks), alone


@pytest.mark.parametrize("norms", NORMS)
@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 8), st.integers(8, 30), st.integers(1, 40), st.integers(0, 999))
def test_every_pick_is_the_best_by_the_definition(norms, n, e, d, m, seed):
    check_by_definition(*drawn(n, e, d, m, seed), count=7, norms=norms)


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_picks_are_those_of_the_definition_and_no_others(norms, seed):
    picks, alone = check_by_definition(*drawn(120, 16, 40, 150, seed), count=15, norms=norms)
    assert (picks, alone) == (15, 15)


def test_with_unit_norms_the_last_dimension_is_any_phrase():
    picks, alone = check_by_definition(*drawn(), count=6, norms="unit")
    assert (picks, alone) == (6, 5)
    for seed in range(5):
        assert span(*drawn(e=1, seed=seed), 3, "unit").picks.tolist() == [0]


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("cosine", [0.0, 0.3, -0.5])
def test_planted_phrases_are_picked_in_the_order_of_their_variance(norms, cosine):
    outputs, writes, texts, amounts = planted(cosine=cosine)
    found = span(outputs, writes, texts, 2, norms)
    assert found.picks.tolist() == [1, 0]
    a, b = amounts.T
    first, second = np.var(a + cosine * b), np.var(b) * (1 - cosine**2)
    assert found.variance == pytest.approx(first + second, rel=0.01)
    np.testing.assert_allclose(found.shares, np.array([first, second]) / (first + second), atol=0.002)
    np.testing.assert_allclose(found.scores[:, 0], a + cosine * b - np.mean(a + cosine * b), atol=0.1)


def test_published_norms_let_a_phrase_far_from_the_head_lose():
    # phrase 0 is mostly outside what the head writes, but what is inside points where all the variance is
    outputs = np.random.default_rng(0).normal(size=(100, 2)) * [1.0, 0.6]
    writes = np.eye(3)[:2]
    texts = unit(np.array([[0.1, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    assert span(outputs, writes, texts, 2, "kept").picks.tolist() == [1, 0]
    assert span(outputs, writes, texts, 2, "unit").picks.tolist() == [0, 1]


@pytest.mark.parametrize("norms", NORMS)
def test_no_more_picks_than_the_head_is_wide_and_then_all_is_explained(norms):
    found = span(*drawn(e=5), 50, norms)
    assert len(found.picks) == len(set(found.picks)) == 5
    assert found.cumulative[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("norms", NORMS)
def test_no_more_picks_than_writes_have_ranks(norms):
    outputs, writes, texts = drawn(e=6)
    writes[4:] = writes[:2] * 2 - writes[2:4]
    found = span(outputs, writes, texts, 50, norms)
    assert len(found.picks) == 4
    assert found.cumulative[-1] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize(("n", "most"), [(1, 0), (2, 1), (3, 2)])
def test_few_pictures_span_little(norms, n, most):
    outputs, writes, texts = drawn(n=n)
    assert len(span(outputs, writes, texts, 50, norms).picks) == most
    assert stability(outputs, writes, texts, 50, 9, 0, norms).shape == (most,)


@pytest.mark.parametrize("norms", NORMS)
def test_phrases_that_do_not_span_the_head_leave_something(norms):
    found = span(*drawn(e=6, m=3), 50, norms)
    assert sorted(found.picks) == [0, 1, 2]
    assert found.cumulative[-1] < 0.99
    assert not len(span(*drawn(), 0, norms).picks)
    # phrase 1 lies where no picture differs from another, though pictures do differ in two dimensions
    outputs = np.random.default_rng(0).normal(size=(30, 3)) * [1, 1, 0]
    found = span(outputs, np.eye(3, 5), np.eye(5)[[0, 2, 4]], 3, norms)
    assert found.picks.tolist() == [0]


@pytest.mark.parametrize("norms", NORMS)
@settings(max_examples=15, deadline=None)
@given(st.integers(2, 40), st.integers(1, 8), st.integers(1, 40), st.integers(0, 999))
def test_directions_are_orthonormal_and_scores_are_coordinates(norms, n, e, m, seed):
    outputs, writes, texts = drawn(n, e, 20, m, seed)
    found = span(outputs, writes, texts, 50, norms)
    assert (found.shares > 0).all()
    assert found.shares.sum() <= 1 + 1e-12
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(len(found.picks)), atol=1e-5)
    rows = terms(outputs, writes)
    np.testing.assert_allclose(found.scores, rows @ found.directions.T, atol=1e-5)
    np.testing.assert_allclose(found.shares, (found.scores**2).sum(axis=0) / (rows**2).sum(), atol=1e-5)


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("kind", ["zeros", "constant", "rounding", "writes nothing"])
def test_a_head_without_variance_picks_nothing(norms, kind):
    outputs, writes, texts = drawn(n=33)
    if kind == "writes nothing":
        writes[:] = 0
    else:
        outputs[:] = 0 if kind == "zeros" else outputs[0] * 0.1
    if kind == "rounding":
        outputs *= 1 + np.random.default_rng(0).integers(-1, 2, outputs.shape, dtype=np.int8) * np.float32(2**-23)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = span(outputs, writes, texts, 5, norms)
        again = stability(outputs, writes, texts, 5, 3, 0, norms)
    assert len(found.picks) == len(found.cumulative) == len(again) == 0
    assert found.directions.shape == (0, 20)
    assert found.scores.shape == (33, 0)
    assert np.isfinite(found.variance)


@pytest.mark.parametrize("norms", NORMS)
def test_planted_phrases_are_stable_and_those_of_noise_are_not(norms):
    outputs, writes, texts, _ = planted(n=200, seed=3)
    again = stability(outputs, writes, texts, 5, 60, 0, norms)
    assert again[:2].tolist() == [1, 1]
    noise = np.random.default_rng(5).normal(size=(60, 32)).astype(np.float32)
    _, writes, texts = drawn(e=32, d=64, m=2000, seed=4)
    assert stability(noise, writes, texts, 5, 60, 0, norms).mean() < 0.5


def test_stability_follows_from_the_seed_and_means_what_it_says():
    outputs, writes, texts = drawn(n=25, m=200)
    told = []
    first = stability(outputs, writes, texts, 3, 45, 1, progress=lambda share, doing: told.append(share))
    np.testing.assert_array_equal(first, stability(outputs, writes, texts, 3, 45, 1))
    assert not np.array_equal(first, stability(outputs, writes, texts, 3, 45, 2))
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("n", [4, 9])
def test_weights_are_pictures_drawn_again(norms, n):
    outputs, writes, texts = drawn(n=n, m=200)
    picks = span(outputs, writes, texts, 3, norms).picks
    rows = np.concatenate(list(bootstrap_weights(n, 40, 5))).astype(int)
    draws = [span(np.repeat(outputs, row, axis=0), writes, texts, 3, norms).picks for row in rows]
    plain = np.mean([np.isin(picks, draw) for draw in draws], axis=0)
    np.testing.assert_allclose(stability(outputs, writes, texts, 3, 40, 5, norms), plain)


@pytest.mark.parametrize("norms", NORMS)
@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(1, 8), st.integers(1, 60), st.integers(1, 9), st.integers(0, 999))
def test_many_resamples_at_once_are_each_by_itself(norms, n, e, m, count, seed):
    outputs, writes, texts = drawn(n, e, 20, m, seed)
    outputs[: n // 2] = outputs[0]  # so that some resamples have fewer dimensions than others, or none
    asked = outputs, writes, texts, count, 25, seed, norms
    together = stability(*asked)
    assert len(together) == len(span(outputs, writes, texts, count, norms).picks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textspan, "AT_ONCE", 1)
        patch.setattr(textspan, "CHUNK", 7)
        np.testing.assert_array_equal(together, stability(*asked))


def picked_plainly(outputs, writes, texts, count, norms):
    """TextSpan as it is published, in d dimensions: every phrase and every picture is deflated."""
    C, T = terms(outputs, writes), texts.astype(np.float64)
    T = T @ np.linalg.pinv(writes.astype(np.float64)) @ writes.astype(np.float64)
    picks = []
    for _ in range(count):
        pick = int(np.argmax(by_definition(C, T, norms)))
        direction = T[pick] / np.linalg.norm(T[pick])
        C, T = C - np.outer(C @ direction, direction), T - np.outer(T @ direction, direction)
        picks.append(pick)
    return picks


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_stability_is_that_of_picking_one_resample_at_a_time(norms, seed):
    outputs, writes, texts = drawn(n=40, m=80, seed=seed)
    picks = picked_plainly(outputs, writes, texts, 4, norms)
    rows = np.concatenate(list(bootstrap_weights(40, 50, seed))).astype(int)
    draws = [picked_plainly(np.repeat(outputs, row, axis=0), writes, texts, 4, norms) for row in rows]
    plain = np.mean([np.isin(picks, draw) for draw in draws], axis=0)
    np.testing.assert_array_equal(stability(outputs, writes, texts, 4, 50, seed, norms), plain)


@pytest.mark.parametrize("norms", NORMS)
def test_a_copy_of_a_phrase_is_never_picked_again(norms):
    outputs, writes, texts = drawn(m=10)
    copied = np.concatenate([texts, texts, texts])
    alone, found = (span(outputs, writes, rows, 50, norms) for rows in (texts, copied))
    np.testing.assert_array_equal(alone.picks, found.picks)
    halves = (copied.astype(np.float16).astype(np.float32), texts)  # the same phrases, but for rounding
    nearly = span(outputs, writes, np.concatenate(halves), 50, norms).picks
    assert len(set(nearly % 10)) == len(nearly)
    np.testing.assert_array_equal(
        *(stability(outputs, writes, rows, 4, 30, 0, norms) for rows in (texts, copied)),
    )


@pytest.mark.parametrize("norms", NORMS)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999))
def test_a_constant_added_to_all_outputs_changes_nothing(norms, seed):
    outputs, writes, texts = drawn(n=40, e=5, seed=seed)
    moved = outputs.astype(np.float64) + 10 * np.random.default_rng(seed).normal(size=5)
    before, after = (span(rows, writes, texts, 4, norms) for rows in (outputs, moved))
    np.testing.assert_array_equal(before.picks, after.picks)
    np.testing.assert_allclose(before.shares, after.shares, atol=1e-9)
    np.testing.assert_allclose(before.scores, after.scores, atol=1e-5)
    assert before.variance == pytest.approx(after.variance)


def test_all_heads_are_each_head_by_itself():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(30, 2, 3, 4)).astype(np.float32)
    writes = rng.normal(size=(2, 3, 4, 12)).astype(np.float32)
    texts = unit(rng.normal(size=(25, 12))).astype(np.float32)
    told = []
    found = span_all(outputs, writes, texts, 3, lambda share, doing: told.append(share), "unit")
    assert [len(row) for row in found] == [3, 3]
    np.testing.assert_allclose(told, np.arange(1, 7) / 6)
    for layer in range(2):
        for head in range(3):
            one = span(outputs[:, layer, head], writes[layer, head], texts, 3, "unit")
            for name in ("picks", "shares", "directions", "scores", "variance"):
                np.testing.assert_array_equal(getattr(found[layer][head], name), getattr(one, name))


def test_stability_of_all_heads_is_that_of_each():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(30, 2, 3, 4)).astype(np.float32)
    outputs[:, 1, 2] = 0  # a head that writes nothing
    writes = rng.normal(size=(2, 3, 4, 12)).astype(np.float32)
    texts = unit(rng.normal(size=(25, 12))).astype(np.float32)
    told = []
    found = stability_all(outputs, writes, texts, 3, 20, 1, lambda share, doing: told.append(share))
    np.testing.assert_allclose(told, np.arange(1, 7) / 6)
    assert [[len(again) for again in row] for row in found] == [[3, 3, 3], [3, 3, 0]]
    for layer in range(2):
        for head in range(3):
            one = stability(outputs[:, layer, head], writes[layer, head], texts, 3, 20, 1)
            np.testing.assert_array_equal(found[layer][head], one)
