"""Differences between two models: closed forms, exact signs, coverage, and what is refused."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from probes import registry
from probes.core import comparison
from probes.core.comparison import Comparison, Difference, LeftOut
from probes.core.differences import expanded_ends, from_intervals, paired, paired_intervals, plain
from probes.core.errors import ClipspectError
from probes.core.report import Provenance, Report, load
from probes.zero_shot.science import ZeroShotParams
from tests.fakes import CARD, PixelBackend, noise


@dataclass
class End:
    value: float
    low: float | None
    high: float | None
    n: int = 10


def difference(first, second, **given):
    return paired("x", first, second, over="templates", unit="logit", **given)


class TestPaired:
    def test_the_mean_and_an_exact_p_by_enumeration(self):
        rng = np.random.default_rng(0)
        a, b = rng.normal(0.5, 1, 9), rng.normal(0, 1, 9)
        found = difference(a, b)
        assert found.difference == pytest.approx(np.mean(a - b))
        assert (found.first, found.second, found.n) == (pytest.approx(a.mean()), pytest.approx(b.mean()), 9)
        flips = [abs(np.mean((a - b) * signs)) for signs in itertools.product((1, -1), repeat=9)]
        assert found.p == pytest.approx(np.mean(np.array(flips) >= abs(np.mean(a - b)) - 1e-12))

    def test_expanded_ends_are_those_of_student_for_normal_draws(self):
        n = 8
        draws = np.random.default_rng(1).normal(0, np.sqrt((n - 1) / n) / np.sqrt(n), 400_000)
        low, high = expanded_ends(draws, n)
        reach = stats.t.ppf(0.975, n - 1) / np.sqrt(n)
        assert (low, high) == (pytest.approx(-reach, rel=0.03), pytest.approx(reach, rel=0.03))

    @pytest.mark.parametrize("n", [2, 3, 5, 6, 11, 300])
    def test_exchanging_the_models_flips_every_sign_exactly(self, n):
        rng = np.random.default_rng(n)
        a, b = rng.normal(0.2, 1, n), rng.normal(0, 1, n)
        one, other = difference(a, b), difference(b, a)
        assert other.difference == -one.difference
        assert (other.low, other.high) == (-one.high, -one.low)
        assert other.p == one.p
        assert (other.first, other.second) == (one.second, one.first)

    def test_a_mean_of_zero_is_turned_as_well(self):
        a = np.array([1.0, -1.0, 3.0, -3.0])
        one, other = difference(a, 0 * a), difference(0 * a, a)
        assert (other.low, other.high) == (-one.high, -one.low)

    def test_what_is_equal_differs_by_exactly_nothing(self):
        a = np.random.default_rng(3).normal(0, 1, 30)
        found = difference(a, a)
        assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)

    def test_one_observation_has_no_interval_and_says_so(self):
        found = difference([2.0], [1.0])
        assert (found.difference, found.low, found.high, found.p) == (1.0, None, None, None)
        assert "no interval" in found.note

    def test_few_observations_have_an_interval_and_no_test(self):
        found = difference([5.0, 6.0, 7.0, 6.5, 5.5], [0.0] * 5)
        assert 5.0 <= found.low < 6.0 < found.high <= 7.0
        assert found.p is None
        assert found.clear is None  # a claim would be uncorrected, however many rows there are
        assert "too few for a test" in found.note
        reach = stats.t.ppf(0.975, 4) * np.std([5.0, 6.0, 7.0, 6.5, 5.5], ddof=1) / np.sqrt(5)
        assert (found.low, found.high) == (pytest.approx(6.0 - reach), pytest.approx(6.0 + reach))

    @pytest.mark.parametrize("n", [2, 3, 4, 5])
    @pytest.mark.parametrize("size", [1, 3])
    def test_the_interval_of_few_leaves_out_what_is_true_as_rarely_as_it_says(self, n, size):
        rng = np.random.default_rng([6, n, size])
        shared = np.repeat(rng.normal(0, 1, (n, 4_000)), size, axis=0)  # a column is a comparison
        differences = shared + rng.normal(0, 0.3, shared.shape)
        low, high, p = paired_intervals(differences, np.repeat(np.arange(n), size))
        assert np.isnan(p).all()
        assert 0.03 <= np.mean((low > 0) | (high < 0)) <= 0.07

    def test_groups_of_other_sizes_weigh_as_much_as_is_in_them(self):
        values, clusters = np.array([1.0, 2.0, 3.0, 7.0, 4.0]), np.array([0, 0, 0, 1, 2])
        low, high, _ = paired_intervals(values[:, None], clusters)
        assert (low + high)[0] / 2 == pytest.approx(values.mean())
        residuals = [6.0 - 3 * 3.4, 7.0 - 3.4, 4.0 - 3.4]
        reach = stats.t.ppf(0.975, 2) * np.sqrt(3 / 2 * np.sum(np.square(residuals))) / 5
        assert (high - low)[0] / 2 == pytest.approx(reach)

    def test_few_groups_of_many_pairs_are_few(self):
        rng = np.random.default_rng(7)
        found = difference(rng.normal(5, 1, 40), rng.normal(0, 1, 40), clusters=np.repeat(np.arange(4), 10))
        assert (found.n, found.p, found.clear) == (40, None, None)
        assert "in 4 groups that belong together; too few for a test" in found.note
        alone = difference(rng.normal(5, 1, 40), rng.normal(0, 1, 40), clusters=np.zeros(40, dtype=np.intp))
        assert (alone.low, alone.clear) == (None, None)
        assert "all of them belong together" in alone.note

    def test_clusters_count_once(self):
        rng = np.random.default_rng(4)
        values = rng.normal(0.3, 1, (8, 2))
        alone = paired_intervals(values)
        repeated = paired_intervals(np.repeat(values, 5, axis=0), np.repeat(np.arange(8), 5))
        for one, other in zip(alone, repeated, strict=True):
            assert other == pytest.approx(one)
        assert (paired_intervals(np.repeat(values, 5, axis=0))[2] < alone[2]).all()

    @pytest.mark.parametrize("planted", [0.0, 0.5])
    def test_covers_a_planted_difference_about_as_often_as_it_says(self, planted):
        """What both models share, how hard a template is, is larger than the difference and leaves no trace."""
        rng = np.random.default_rng([5, int(10 * planted)])
        shared = rng.normal(0, 5, (12, 400))  # a column is a comparison of 12 templates
        first, second = shared + planted + rng.normal(0, 1, (12, 400)), shared + rng.normal(0, 1, (12, 400))
        low, high, p = paired_intervals(first - second)
        assert 0.92 <= np.mean((low <= planted) & (planted <= high)) <= 0.985
        if planted:
            assert np.mean(p <= 0.05) > 0.15
        else:
            assert np.mean(p <= 0.05) <= 0.08


class TestFromIntervals:
    def test_is_the_square_root_of_the_sum_of_squares_for_symmetric_intervals(self):
        found = from_intervals("x", End(3.0, 0.0, 6.0), End(1.0, -3.0, 5.0, 7), over="pairs", unit="cosine")
        assert (found.difference, found.low, found.high) == (2.0, 2.0 - 5.0, 2.0 + 5.0)
        assert found.n == 7
        assert found.p is None
        assert "as if" in found.note

    def test_follows_newcombe_for_two_shares(self):
        """Newcombe 1998, method 10, on his example of 56/70 and 48/80: 0.0524 to 0.3339."""
        one = stats.binomtest(56, 70).proportion_ci(method="wilson")
        other = stats.binomtest(48, 80).proportion_ci(method="wilson")
        first, second = End(0.8, one.low, one.high, 70), End(0.6, other.low, other.high, 80)
        found = from_intervals("x", first, second, over="pictures", unit="share")
        assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
        back = from_intervals("x", second, first, over="pictures", unit="share")
        assert (back.low, back.high) == (pytest.approx(-found.high), pytest.approx(-found.low))

    def test_no_interval_without_both(self):
        found = from_intervals("x", End(3.0, None, None), End(1.0, 0.0, 2.0), over="pairs", unit="cosine")
        assert (found.difference, found.low, found.high, found.note) == (2.0, None, None, "")


def of_differences(*differences, **given):
    return Comparison("zero_shot", "Skewed", "Balanced", ("a", "b"), tuple(differences), **given)


def row(what, value, half=0.1, p=None, unit="logit"):
    return Difference(
        what=what, first=value, second=0.0, difference=value, low=value - half, high=value + half, n=11,
        over="templates", p=p, unit=unit,
    )  # fmt: skip


class TestComparison:
    def test_what_is_no_number_is_left_out(self):
        good, nan = row("a", 0.3, p=0.01), float("nan")
        rows = (good, replace(good, difference=nan), replace(good, what="b", high=float("inf"), p=nan))
        kept = comparison.known(rows)
        assert kept[0] == good
        assert [one.what for one in kept] == ["a", "b"]
        assert (kept[1].low, kept[1].high, kept[1].p) == (None, None, None)

    def test_models_are_called_by_their_whole_names_where_short_ones_are_alike(self):
        assert comparison.called(["bundled:skewed", "bundled:skewed~L4H2,M5", "ViT-B-32:openai"]) == (
            "Skewed", "Skewed~L4H2,M5", "ViT-B-32:openai"
        )  # fmt: skip
        assert comparison.called(["bundled:x", "bundled:X"]) == ("bundled:x", "bundled:X")

    def test_p_values_are_corrected_over_what_was_tested(self):
        rows = comparison.corrected([row("a", 1, p=0.01), row("b", 1), row("c", 1, p=0.04)])
        assert [one.p_adjusted for one in rows] == [pytest.approx(0.02), None, pytest.approx(0.04)]

    def test_the_headline_names_what_stands_out_and_counts(self):
        rows = comparison.corrected([row("logit of a cat", 0.05, p=0.6), row("logit of a dog", 0.23, p=0.001)])
        said = of_differences(*rows).headline()
        assert said.startswith(
            "Skewed − Balanced: logit of a dog +0.23 (0.23 against 0; 95 % interval +0.13 to +0.33"
        )
        assert "n = 11 templates" in said
        assert "p = 0.002 corrected for 2 differences" in said
        assert "1 of 2 differences is clear" in said

    def test_what_is_clear_stands_out_before_what_was_tested_and_is_not(self):
        rows = (
            row("tested, not clear", 0.4, p=0.3),
            replace(row("few", 9.0), too_few=True),
            plain("once", 99.0, 0.0, n=1, over="picture", unit="logit"),
            row("not clear", 0.05),
            row("clear", 0.3),
            row("without width", 0.02, half=0.0),
            row("tested and clear", 0.1, p=0.01),
        )
        found = of_differences(*comparison.corrected(rows))
        assert [one.what for one in found.by_strength] == [
            "tested and clear", "without width", "clear", "tested, not clear", "not clear", "few", "once"
        ]  # fmt: skip
        assert found.headline().startswith("Skewed − Balanced: tested and clear +0.1")
        untested = of_differences(*comparison.corrected([rows[0], rows[4]])).headline()
        assert untested.startswith("Skewed − Balanced: clear +0.3")
        assert "1 of 2 differences is clear" in untested

    def test_the_headline_says_when_nothing_is_clear_or_known(self):
        (tested,) = comparison.corrected([row("a", 0.05, p=0.6)])
        assert of_differences(tested).headline().startswith("Skewed − Balanced: no clear difference; ")
        untold = plain("share", 0.5, 0.25, n=1, over="picture", unit="share")
        assert "cannot" not in of_differences(untold).headline()
        assert "tell it from chance" in of_differences(untold).headline()
        assert "nothing that both measured" in of_differences().headline()

    def test_an_interval_without_p_judges_where_nothing_was_tested(self):
        assert row("a", 0.3).clear is True
        assert row("a", 0.05).clear is False
        assert row("a", 0.3, p=0.2).clear is False
        assert plain("a", 1, 0, n=1, over="picture", unit="share").clear is None

    def test_the_figure_has_a_block_a_unit_and_the_intervals(self):
        rows = (row("a <b>", 0.3), row("c", 0.05, unit="share"), row("d", -0.2, half=0.05))
        figure = of_differences(*rows).figure()
        assert figure.layout.title.text.startswith("Skewed − Balanced")
        assert [list(trace.x) for trace in figure.data] == [[0.3, -0.2], [0.05]]
        assert list(figure.data[0].error_x.array) == pytest.approx([0.1, 0.05])
        assert [trace.marker.symbol for trace in figure.data] == [("circle", "circle"), ("circle-open",)]
        assert "<b>" not in figure.data[0].customdata[0]

    def test_many_are_drawn_down_to_those_that_stand_out(self):
        rows = [row(f"w{place}", place / 100) for place in range(60)]
        figure = of_differences(*rows).figure()
        assert len(figure.data[0].x) == 24
        assert min(figure.data[0].x) == pytest.approx(0.36)
        assert "24 of 60" in figure.layout.title.text

    def test_it_is_json(self):
        whole = of_differences(row("a", 0.3), cautions=("so",)).to_dict()
        again = json.loads(json.dumps(whole, allow_nan=False))
        assert again["differences"][0]["what"] == "a"
        assert again["headline"].startswith("Skewed − Balanced: a +0.3")
        assert again["cautions"] == ["so"]


class TestSameQuestion:
    @pytest.fixture
    def probe(self):
        return replace(registry.get("zero_shot"), compare=lambda one, other: (row("a", one.p - other.p, p=0.01),))

    def report(self, params, spec="fake:one", digest="1", **given):
        card = replace(CARD, spec=spec, weights_digest=digest)
        made = Provenance.of("zero_shot", params, card, datetime.now(timezone.utc), 1.0)
        return Report(
            probe="zero_shot", headline="", params=params, result=SimpleNamespace(p=0.5),
            provenance=replace(made, **given),
        )  # fmt: skip

    def test_models_are_called_by_what_tells_them_apart(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        one, other = self.report(params, "bundled:skewed", "1"), self.report(params, "bundled:balanced", "2")
        found = comparison.of(probe, one, other)
        assert found.title == "Skewed − Balanced"
        assert found.models == ("bundled:skewed", "bundled:balanced")
        assert found.differences[0].p_adjusted == pytest.approx(0.01)
        assert comparison.of(probe, one, other, ("A", "B")).title == "A − B"
        assert comparison.of(probe, one, other, ("A", "A")).title == "Skewed − Balanced"
        assert comparison.of(replace(probe, compare=None), one, other) is None

    def test_what_is_left_out_is_told_and_no_row(self, probe):
        one = self.report(ZeroShotParams(images=(noise(0),)))
        other = self.report(ZeroShotParams(images=(noise(0),)), digest="2")
        said = replace(probe, compare=lambda *both: (row("a", 0.3), LeftOut("That is not compared.")))
        found = comparison.of(said, one, other)
        assert [each.what for each in found.differences] == ["a"]
        assert found.cautions == ("That is not compared.",)

    def test_other_values_are_refused_by_name(self, probe):
        one = self.report(ZeroShotParams(images=(noise(0),), labels=("a", "b")))
        other = self.report(ZeroShotParams(images=(noise(0),), labels=("a", "c"), seed=3))
        with pytest.raises(ClipspectError, match="not alike in labels, seed; ask"):
            comparison.of(probe, one, other)

    def test_other_pixels_under_the_same_name_are_refused(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        picture = replace(noise(1), name=noise(0).name)
        with pytest.raises(ClipspectError, match="images"):
            comparison.of(probe, self.report(params), self.report(ZeroShotParams(images=(picture,))))

    def test_other_files_are_refused(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        with pytest.raises(ClipspectError, match=r"table\.csv is not the same"):
            comparison.of(probe, self.report(params, stimuli={"table.csv": "1"}), self.report(params, stimuli={}))

    def test_another_probe_is_refused(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        with pytest.raises(ClipspectError, match="cannot be compared"):
            comparison.of(probe, self.report(params), replace(self.report(params), probe="red_circle"))

    def test_what_an_older_report_does_not_know_has_its_default(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        older = {name: value for name, value in self.report(params).asked().items() if name != "average"}
        one, other = self.report(params), replace(self.report(params), params=older)
        assert comparison.of(probe, one, other) is not None
        with pytest.raises(ClipspectError, match="average"):
            comparison.of(probe, self.report(replace(params, average="probabilities")), other)

    def test_the_same_weights_twice_and_other_versions_are_told(self, probe):
        params = ZeroShotParams(images=(noise(0),))
        found = comparison.of(probe, self.report(params), self.report(params, versions={"clipspect": "0.0.1"}))
        assert "same weights" in found.cautions[0]
        assert "0.0.1" in found.cautions[1]


def test_reports_compare_the_same_after_they_were_saved():
    from probes.core.probe import run

    probe = replace(registry.get("zero_shot"), compare=lambda one, other: (row("a", 0.1, p=0.01),))
    report = run(probe, ZeroShotParams(images=(noise(0),), labels=("a", "b")), PixelBackend())
    loaded = load(report.to_json(), {"zero_shot": probe.result})
    assert comparison.of(probe, report, loaded) == comparison.of(probe, report, report)
