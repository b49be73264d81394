"""Paraphrases of a word: each counts, the word is their mean, and one that turns the sign is marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.bias_audit import PROBE
from probes.bias_audit.association import association_measures
from probes.bias_audit.audited import Grouping, Scores
from probes.bias_audit.class_design import class_design
from probes.bias_audit.intersections import intersections
from probes.bias_audit.lines import split
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.rates import ANY, harm_rates
from probes.bias_audit.result import verdict
from probes.bias_audit.texts import Texts, wordings
from probes.core.embeddings import Embeddings
from probes.core.errors import FieldError
from probes.core.probe import run
from probes.core.tables import Table
from probes.core.word_lists import lists
from tests.bias_audit.planted import grouping, of, unit
from tests.fakes import PixelBackend

LINES = ("a cook = a cook | a chef | a kitchen worker", "a judge", "a guard=a sentry|a guard")
TEMPLATES = ("{}", "a photo of {}")


@pytest.fixture(scope="module")
def scored():
    backend = PixelBackend()
    images = unit(np.random.default_rng(0).normal(size=(30, backend.card.width)))
    return images, backend, Texts(backend, TEMPLATES).score(images, LINES)


def test_lines_name_what_stands_for_a_word():
    assert split(" man ") == ("man", ("man",))
    assert split("dark = medium-dark | dark |") == ("dark", ("medium-dark", "dark"))
    assert split("x =") == ("x", ())
    assert wordings(LINES) == ("a cook", "a chef", "a kitchen worker", "a judge", "a sentry", "a guard")


def test_a_word_is_the_mean_of_its_wordings_and_each_is_there_alone(scored):
    images, backend, found = scored
    assert found.words == ("a cook", "a judge", "a guard")
    several = [("a cook", "a chef", "a kitchen worker"), ("a judge",), ("a sentry", "a guard")]
    for w, texts in enumerate(several):
        single = {
            text: np.stack([images @ backend.encode_texts([t.replace("{}", text)])[0] for t in TEMPLATES], axis=1)
            for text in texts
        }
        mean = np.mean(list(single.values()), axis=0)
        np.testing.assert_allclose(found.cosines[..., w], mean, atol=1e-6)
        np.testing.assert_allclose(found.by_wording[:, :2, w], mean, atol=1e-6)
        for v in range(3):
            alone = single[texts[v % len(texts)]].mean(axis=1)
            np.testing.assert_allclose(found.by_wording[:, 2 + v, w], alone, atol=1e-6)


def test_without_paraphrases_nothing_changes(scored):
    images, backend, _ = scored
    plain = Texts(backend, TEMPLATES).score(images, ["a judge", "a guard"])
    assert plain.paraphrased is None
    assert plain.by_wording is plain.cosines
    assert plain.wordings == 2


def test_a_paraphrase_that_turns_the_sign_is_marked():
    """Three wordings of one word: two lean to the first group by 2, one to the second by 1; the mean by 1."""
    codes = np.repeat([0, 1], 40)
    lean = np.where(codes == 0, 0.5, -0.5)
    noise = 0.05 * np.random.default_rng(1).normal(size=80)
    alone = np.stack([2 * lean, 2 * lean, -lean], axis=1)[..., None]
    cosines = (lean + noise)[:, None, None]
    given = Scores(("w",), ("{}",), cosines.astype(np.float32), alone.astype(np.float32))
    (m,) = of(association_measures(given, grouping(codes), 0), "association_difference", group="first")
    assert m.by_wording[1:] == pytest.approx([2, 2, -1], abs=1e-6)
    assert m.p < 0.001
    assert verdict(m) == "flips"
    assert verdict(replace(m, by_wording=m.by_wording[:3])) == "clear"


def test_harm_class_design_and_cells_have_their_spread_over_wordings():
    rng = np.random.default_rng(2)
    codes, other = rng.integers(0, 2, 90), rng.integers(0, 2, 90)
    given = Scores(
        ("a person", "harm", "added"), ("{}",), rng.normal(size=(90, 1, 3)).astype(np.float32),
        rng.normal(size=(90, 2, 3)).astype(np.float32),
    )  # fmt: skip
    harmful, added = np.array([False, True, False]), np.array([False, False, True])
    (rate,) = of(
        harm_rates(given.of_words(~added), harmful[~added], grouping(codes), 0), "harm_rate", "", ANY, "first"
    )
    each = given.by_wording
    alone = [(each[codes == 0, w, :2].argmax(axis=1) == 1).mean() for w in range(3)]
    assert rate.by_wording == pytest.approx(alone)
    row = class_design(given, harmful, added, grouping(codes), 0)[0]
    design = [(each[codes == 0, w].argmax(axis=1) == 1).mean() - alone[w] for w in range(3)]
    assert (row.least, row.most) == pytest.approx((min(design), max(design)))

    cells = intersections(given, grouping(codes), Grouping("other", ("x", "y"), other), 0)
    inside = (codes == 1) & (other == 0)
    alone = [each[inside, w, 1].mean() - each[~inside, w, 1].mean() for w in range(3)]
    (cell,) = [c for c in cells if (c.word, c.first, c.second) == ("harm", "second", "x")]
    assert (cell.least, cell.most) == pytest.approx((min(alone), max(alone)), abs=1e-6)
    assert cell.flips == (min(alone) * cell.difference < 0 or max(alone) * cell.difference < 0)


def test_a_whole_audit_names_the_paraphrase_at_either_end():
    words = ("a cook = a cook | a chef", "a judge")
    params = BiasAuditParams(groups=("man", "woman"), templates=TEMPLATES, words=words, k=9, mitigate="texts")
    result = run(PROBE, params, PixelBackend()).result
    assert result.words == ("a cook", "a judge")
    assert result.paraphrases == {"a cook": ("a cook", "a chef")}
    (m,) = of(result.measures, "association_difference", "", "a cook", "man")
    assert [result.wording(m, place) for place in range(4)] == [*TEMPLATES, "a cook", "a chef"]
    rows = [row for row in result.tables()["wordings"] if (row.measure, row.word) == (m.measure, "a cook")]
    assert rows[0].wordings == 4
    assert {rows[0].least_wording, rows[0].most_wording} <= {*TEMPLATES, "a cook", "a chef"}
    for row in result.tables()["mitigation"]:
        assert row.before_least <= row.before_most
        assert row.after_least <= row.after_most


@pytest.mark.parametrize("words", [("x =",), ("= y",), ("a", "a = b | c"), ("x = | ",)])
def test_lines_that_say_nothing_or_the_same_are_refused(words):
    with pytest.raises(FieldError) as caught:
        run(PROBE, BiasAuditParams(words=words), PixelBackend())
    assert caught.value.field == "words"


def test_embeddings_of_words_have_no_paraphrases():
    rows = unit(np.random.default_rng(3).normal(size=(8, 4)))
    table = Table.read(
        b"file,gender\n" + b"".join(b"%d,%s\n" % (i, b"ab"[i % 2 : i % 2 + 1]) for i in range(8)), "t"
    )
    params = BiasAuditParams(
        image_embeddings=Embeddings("pictures", rows, "0"), attributes=table, words=("x = x | y",),
        text_embeddings=Embeddings("words", rows[:1], "1"), k=2,
    )  # fmt: skip
    with pytest.raises(FieldError, match="leave paraphrases out"):
        run(PROBE, params, PixelBackend())


def test_the_shipped_paraphrases_are_of_the_shipped_occupations():
    reworded = [split(line) for line in lists()["occupations-reworded"].words]
    assert all(len(several) == 3 and several[0] == name for name, several in reworded)
    assert {name for name, _ in reworded} <= set(lists()["occupations"].words)
