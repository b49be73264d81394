"""What parts carry of a property: exact sums, planted heads, and nothing where nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from probes.attention_heads.carrying import carried_along_texts, carried_between_pictures, leading, parts_of
from probes.core.decomposition import Decomposition

LAYERS, HEADS, WIDTH, D = 2, 3, 4, 10


def tower(n, seed=0, layers=LAYERS, heads=HEADS):
    """A decomposition of noise: heads of width 4 in a space of 10 dimensions, and parts beside them."""
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=(n, layers, heads, WIDTH)).astype(np.float32)
    writes = rng.normal(size=(layers, heads, WIDTH, D)).astype(np.float32) / 5
    mlps, initial, constant = (
        rng.normal(size=shape).astype(np.float32) / 5 for shape in ((n, layers, D), (n, D), (n, D))
    )
    taken = Decomposition(
        outputs,
        writes,
        mlps,
        initial,
        constant,
        np.zeros((n, D), np.float32),
        0.0,
        ("layer 0", "layer 1")[:layers],
    )
    object.__setattr__(taken, "embedding", taken.total())
    return taken


def planted(n, codes, layer=1, head=2, strength=3.0, seed=0):
    """The same, with one head that writes a known direction by the set of the picture."""
    taken = tower(n, seed)
    taken.outputs[:, layer, head, 0] += strength * (codes - codes.mean())
    object.__setattr__(taken, "embedding", taken.total())
    return taken


def written_out(taken, part, codes):
    """The unbiased scatter from its definition: means over pairs of different pictures, one after the other."""
    terms = dict(parts_of(taken))[part]
    t = terms.outputs.astype(np.float64) @ terms.writes
    x, count = taken.embedding.astype(np.float64), codes.max() + 1
    means = np.zeros((count, count))
    for a in range(count):
        for b in range(count):
            pairs = [t[i] @ x[j] for i in np.flatnonzero(codes == a) for j in np.flatnonzero(codes == b) if i != j]
            means[a, b] = np.mean(pairs)
    return means.diagonal().mean() - means.mean()


@pytest.mark.parametrize("sets", [2, 3])
def test_values_are_those_of_the_definition(sets):
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2][: 7 if sets == 2 else 9])
    taken = tower(len(codes), seed=sets)
    found = carried_between_pictures(taken, codes, 0)
    expected = [written_out(taken, part, codes) for part in found.parts]
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert len(found.parts) == LAYERS * HEADS + LAYERS + 2


def test_shares_sum_to_the_scatter_of_the_whole():
    codes = np.repeat([0, 1], 200)
    taken = planted(400, codes)
    found = carried_between_pictures(taken, codes, 0)
    x = taken.embedding.astype(np.float64)
    apart = ((x[codes == 0].mean(0) - x[codes == 1].mean(0)) ** 2).sum() / 4
    noise = sum(x[codes == k].var(0, ddof=1).sum() / 200 for k in (0, 1)) / 4
    assert found.total == pytest.approx(apart - noise, rel=1e-3)
    assert found.shares.sum() == pytest.approx(1)


def test_a_planted_head_is_found_between_pictures():
    codes = np.repeat([0, 1], 60)
    found = carried_between_pictures(planted(120, codes), codes, 0)
    first = found.parts[leading(found)[0]]
    assert (first.layer, first.head) == (1, 2)
    place = found.parts.index(first)
    assert found.p[place] == pytest.approx(1 / 1000)
    assert found.low[place] > 0
    assert found.shares[place] > 0.8
    assert found.low[place] <= found.values[place] <= found.high[place]


def test_where_nothing_is_planted_heads_are_called_about_as_often_as_said():
    """Each head alone at 0.05, over many towers of noise; and values are zero on average."""
    codes, p, values = np.repeat([0, 1], 20), [], []
    for seed in range(40):
        found = carried_between_pictures(tower(40, seed), codes, seed)
        p += list(found.p[: LAYERS * HEADS])
        values += list(found.values[: LAYERS * HEADS])
    called = binomtest(int(np.sum(np.array(p) <= 0.05)), len(p)).proportion_ci(0.99)
    assert called.low <= 0.05 <= called.high
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_along_texts_the_values_are_covariances_and_sum_to_the_variance():
    taken, rng = tower(50, 3), np.random.default_rng(5)
    texts = rng.normal(size=(6, D)).astype(np.float32)
    codes = np.array([0, 0, 1, 1, 2, 2])
    found = carried_along_texts(taken, texts, codes, 0)
    means = np.stack([texts[codes == k].mean(0) for k in range(3)])
    u = (means - means.mean(0)).astype(np.float64)
    along = taken.embedding.astype(np.float64) @ u.T
    assert found.total == pytest.approx(along.var(axis=0).mean(), rel=1e-4)
    for place, (_, terms) in enumerate(parts_of(taken)):
        t = terms.outputs.astype(np.float64) @ terms.writes @ u.T
        expected = np.mean([np.cov(t[:, k], along[:, k], ddof=0)[0, 1] for k in range(3)])
        assert found.values[place] == pytest.approx(expected, abs=1e-5)


def test_a_head_that_varies_along_the_difference_of_texts_is_found():
    codes = np.repeat([0, 1], 8)
    taken = planted(100, np.tile([0, 1], 50), layer=0, head=1, strength=6.0)
    direction = taken.writes[0, 1, 0] / np.linalg.norm(taken.writes[0, 1, 0])
    rng = np.random.default_rng(2)
    texts = 0.3 * rng.normal(size=(16, D)) + np.where(codes[:, None] == 1, 1, -1) * direction
    found = carried_along_texts(taken, texts.astype(np.float32), codes, 0)
    first = found.parts[leading(found)[0]]
    assert (first.layer, first.head) == (0, 1)
    assert found.p[found.parts.index(first)] <= 0.005


def test_few_arrangements_give_no_p():
    """One text against one text: there is nothing to deal."""
    texts = np.random.default_rng(0).normal(size=(2, D)).astype(np.float32)
    assert np.isnan(carried_along_texts(tower(20), texts, np.array([0, 1]), 0).p).all()
    few = carried_between_pictures(tower(6), np.array([0, 0, 0, 1, 1, 1]), 0)
    assert np.isnan(few.p).all(), "ten ways"
    enough = carried_between_pictures(tower(7), np.array([0, 0, 0, 1, 1, 1, 1]), 0)
    assert not np.isnan(enough.p).any(), "thirty-five ways"


@pytest.mark.parametrize("codes", [[0, 0, 0], [0, 0, 1], []])
def test_too_little_is_refused(codes):
    with pytest.raises(ValueError, match=r"two|zero-size|empty"):
        carried_between_pictures(tower(len(codes)), np.array(codes, np.intp), 0)


def test_the_same_seed_gives_the_same():
    codes = np.repeat([0, 1], 10)
    one, other = (carried_between_pictures(tower(20), codes, 3) for _ in range(2))
    np.testing.assert_array_equal(one.p, other.p)
    np.testing.assert_array_equal(one.low, other.low)


def in_rounds(rounds, sets, seed=0, strength=0.0, shared=2.0):
    """Pictures of which those of one round have much in common, and one head that writes by the set."""
    n = rounds * sets
    taken, codes = tower(n, seed), np.tile(np.arange(sets), rounds)
    which = np.repeat(np.arange(rounds), sets)
    scene = np.random.default_rng(seed + 1).normal(size=(rounds, LAYERS, HEADS, WIDTH)).astype(np.float32)
    taken.outputs[...] = 0.5 * taken.outputs + shared * scene[which]
    taken.outputs[:, 1, 2, 0] += strength * (codes - codes.mean())
    object.__setattr__(taken, "embedding", taken.total())
    return taken, codes, which


def test_rounds_leave_out_products_of_pictures_of_one_round():
    taken, codes, which = in_rounds(5, 3)
    order = np.random.default_rng(9).permutation(15)  # in whatever order the pictures come
    names = ("outputs", "mlps", "initial", "constant", "embedding")
    mixed = replace(taken, **{name: getattr(taken, name)[order] for name in names})
    found = carried_between_pictures(mixed, codes[order], 0, which[order])
    x = taken.embedding.astype(np.float64)
    for place, (_, terms) in enumerate(parts_of(taken)):
        t = terms.outputs.astype(np.float64) @ terms.writes
        means = np.zeros((3, 3))
        for a in range(3):
            for b in range(3):
                pairs = [t[3 * r + a] @ x[3 * s + b] for r in range(5) for s in range(5) if r != s]
                means[a, b] = np.mean(pairs)
        assert found.values[place] == pytest.approx(means.diagonal().mean() - means.mean(), abs=2e-5)


def test_what_rounds_have_in_common_hides_a_property_only_if_it_is_not_known():
    hidden, shown = [], []
    for seed in range(12):
        taken, codes, which = in_rounds(30, 2, seed)
        hidden.append(carried_between_pictures(taken, codes, seed).total)
        shown.append(carried_between_pictures(taken, codes, seed, which).total)
    assert np.mean(hidden) < -3 * np.std(hidden) / np.sqrt(12)
    assert abs(np.mean(shown)) < 3 * np.std(shown) / np.sqrt(12)
    taken, codes, which = in_rounds(30, 2, 5, strength=1.5)
    found = carried_between_pictures(taken, codes, 0, which)
    first = leading(found)[0]
    assert (found.parts[first].layer, found.parts[first].head) == (1, 2)
    assert found.p[first] == pytest.approx(1 / 1000)
    assert 0 < found.low[first] <= found.values[first] <= found.high[first]


def test_within_rounds_heads_are_called_by_chance_as_often_as_said():
    p = []
    for seed in range(40):
        taken, codes, which = in_rounds(15, 2, seed)
        p += list(carried_between_pictures(taken, codes, seed, which).p[: LAYERS * HEADS])
    called = binomtest(int(np.sum(np.array(p) <= 0.05)), len(p)).proportion_ci(0.99)
    assert called.low <= 0.05 <= called.high


def test_rounds_that_are_not_whole_are_refused():
    taken, codes, which = in_rounds(4, 2)
    which[0] = 1
    with pytest.raises(ValueError, match="in each one picture of every set"):
        carried_between_pictures(taken, codes, 0, which)
