"""Two models' associations: standardised, planted differences, pairs, and older reports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.bias_audit import PROBE
from probes.bias_audit.comparison import compare, standardised_differences
from probes.bias_audit.result import EachPicture
from probes.core.probe import run
from tests.bias_audit.test_science import planted
from tests.fakes import PixelBackend


def plain_sc_eat(scores, inside):
    scores = np.asarray(scores, dtype=np.float64)
    return (scores[inside].mean(0) - scores[~inside].mean(0)) / scores.std(0, ddof=1)


def both(strength, seed=0, n=120):
    """Cosines (n, 2) of two models that share how pictures are; the first leans by `strength` on the group."""
    rng = np.random.default_rng(seed)
    codes = (np.arange(n) % 3 == 0).astype(np.intp)
    shared = rng.normal(0, 1, (n, 2))
    first = 0.1 * (shared + rng.normal(0, 0.3, (n, 2)) + strength * (codes == 0)[:, None])
    return first, 0.02 * (shared + rng.normal(0, 0.3, (n, 2))) + 0.3, codes


def test_values_are_those_of_a_plain_version_whatever_a_model_s_cone():
    first, second, codes = both(0.5)
    values, low, high, p = standardised_differences(first, second, codes, 0)
    assert values[0] == pytest.approx(plain_sc_eat(first, codes == 0))
    assert values[1] == pytest.approx(plain_sc_eat(second, codes == 0))
    again = standardised_differences(first, 7 * second + 1, codes, 0)
    for one, other in zip((values, low, high, p), again, strict=True):
        assert other == pytest.approx(one)


def test_a_planted_difference_is_found_and_swaps_exactly():
    first, second, codes = both(1.0)
    values, low, high, p = standardised_differences(first, second, codes, 0)
    assert (low > 0).all()
    assert (p < 0.01).all()
    swapped, low_swapped, high_swapped, p_swapped = standardised_differences(second, first, codes, 0)
    assert (swapped == values[::-1]).all()
    assert (low_swapped == -high).all()
    assert (high_swapped == -low).all()
    assert (p_swapped == p).all()


def test_where_nothing_is_planted_few_are_called_clear_and_intervals_cover():
    covered, called, runs = 0, 0, 40
    for seed in range(runs):
        _, low, high, p = standardised_differences(*both(0.0, seed, 60), 0)
        covered += int(((low <= 0) & (high >= 0)).sum())
        called += int((p <= 0.05).sum())
    assert 0.86 <= covered / (2 * runs) <= 1.0
    assert called / (2 * runs) <= 0.13


@pytest.fixture(scope="module")
def audits():
    """Two sets of embeddings, as two models would make of the same pictures."""
    return [run(PROBE, planted(strength), PixelBackend()).result for strength in (2.0, 0.0)]


def test_an_audit_without_pairs_compares_standardised_words(audits):
    leaning, level = audits
    found = {each.what: each for each in compare(leaning, level)}
    up = found["“up”, SC-EAT of Female − Male"]
    values = {(m.word, m.group): m.value for m in leaning.of("sc_eat")}
    assert up.first == pytest.approx(values["up", "Female"], abs=1e-5)
    assert up.clear
    assert up.difference < -1
    assert found["“down”, SC-EAT of Female − Male"].difference > 1
    assert "strength of associations (SC-EAT without its sign), mean over words" in found
    harm = found["harm rate of Male, any harm word"]
    assert harm.difference == pytest.approx(harm.first - harm.second)
    assert harm.low <= harm.difference <= harm.high
    assert any(what.startswith("WEAT of up, thief / down, level") for what in found)


def test_strength_is_the_plain_mean_of_sizes(audits):
    leaning, level = audits
    strength = next(each for each in compare(leaning, level) if each.what.startswith("strength"))
    sizes = [np.mean([abs(m.value) for m in result.of("sc_eat", group="Female")]) for result in (leaning, level)]
    assert strength.first == pytest.approx(sizes[0])
    assert strength.second == pytest.approx(sizes[1])
    assert strength.n == len(leaning.words)


def test_reports_that_kept_no_pictures_are_compared_from_their_intervals(audits):
    older = [replace(result, each=None) for result in audits]
    up = next(each for each in compare(*older) if each.what.startswith("“up”"))
    newer = next(each for each in compare(*audits) if each.what.startswith("“up”"))
    assert abs(up.difference) == pytest.approx(abs(newer.difference), abs=1e-5)
    assert up.p is None
    assert "as if" in up.note


def test_pairs_that_share_a_picture_are_flipped_together(audits):
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (30, 6))
    one = EachPicture((values + 1).astype(np.float32), np.repeat(np.arange(10), 3).astype(np.float32))
    other = EachPicture(values.astype(np.float32), one.codes)
    measures = tuple(
        replace(m, measure="counterfactual_difference", variant="logit")
        for m in audits[0].of("sc_eat", group="Male")
    )
    results = [replace(audits[0], each=each, differences=measures) for each in (one, other)]
    up = next(each for each in compare(*results) if each.what.startswith("“up”"))
    assert up.difference == pytest.approx(1.0, abs=1e-6)
    assert up.p == pytest.approx(2 / 2**10)
    assert (up.n, up.over, up.unit) == (30, "pairs of pictures", "logit")
