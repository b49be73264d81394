"""Predict first, the glossary and the lessons, without a browser."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import numpy as np
import pytest
import scipy
from markupsafe import Markup

from app import glossary, lessons, links, opening, picker, predicting, stage
from app.engine import Answer, Engine, installed
from app.page import Page
from assets.world.plan import PLAN
from probes import registry
from probes.bias_audit.result import clear
from probes.core.guessing import Guess
from tests.app.conftest import make_engine

PROBES = list(registry.all_probes().values())


def test_a_term_is_marked_once_and_never_in_links_code_headings_or_quotes() -> None:
    text = Markup(
        "<h2>Cosine</h2><p>A “cosine”, a <a href='#'>cosine</a>, <code>cosine</code>, a cosine, a cosine.</p>"
    )
    marked = glossary.explained(text)
    assert marked.count('class="term"') == 1
    assert "a <span" in marked
    assert marked.index("<span") > marked.index("</code>")
    assert '">cosine</span>, a cosine.' in marked


def test_longer_terms_go_before_shorter_ones_and_words_are_whole() -> None:
    marked = glossary.explained(Markup("<p>Logit scale, then logits; an overhead; the EMBEDDINGS.</p>"))
    assert ">Logit scale</span>" in marked
    assert ">logits</span>" in marked
    assert ">EMBEDDINGS</span>" in marked
    assert "overhead;" in marked


def test_marking_changes_no_word() -> None:
    for probe in PROBES:
        text = Markup("<p>{}</p>").format(probe.card.how_to_read)
        assert glossary.explained(text).striptags() == text.striptags()


def test_terms_are_told_once_each() -> None:
    spellings = [spelling.casefold() for one in glossary.terms() for spelling in (one.term, *one.also)]
    assert len(spellings) == len(set(spellings))
    assert all(one.text.endswith(".") for one in glossary.terms())


def test_a_guess_has_one_right_option() -> None:
    with pytest.raises(ValueError, match="different options"):
        Guess("?", ("a", "a"), 0, "")
    with pytest.raises(ValueError, match="different options"):
        Guess("?", ("a", "b"), 2, "")


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_what_is_asked_does_not_give_the_answer_away(probe) -> None:
    """Two models that answer differently are asked the same, with the same options."""
    engine = make_engine()
    answers = [engine.answer(probe, probe.example(), spec) for spec in engine.opens_with]
    guesses = [probe.guess(answer.report.result) for answer in answers]
    assert guesses[0].question == guesses[1].question
    assert guesses[0].options == guesses[1].options
    sent = json.loads(predicting.ask(probe, dict(enumerate(answers))))
    assert [side["right"] for side in sent["sides"]] == [guess.right for guess in guesses]
    partly = Answer(answers[0].report, answers[0].model, whole=False)
    working, stopped, failed = (
        json.loads(predicting.ask(probe, found, over))
        for found, over in (({0: partly}, False), ({0: partly}, True), ({}, True))
    )
    assert working["sides"] == stopped["sides"] == failed["sides"] == []
    assert (working["over"], stopped["over"], failed["over"]) == (False, True, True)


@pytest.mark.parametrize("step", ["0", "-1", "00011", "9" * 5000, "²", "1.5", "", "x", "999"])
def test_a_step_that_no_lesson_has_puts_nothing_over_the_page(step: str) -> None:
    assert lessons.strip(f"?lesson=audit&step={step}") == ""


def test_lessons_take_ten_minutes_and_lead_through_every_step() -> None:
    assert list(lessons.lessons()) == ["audit", "gap", "heads"]
    for lesson in lessons.lessons().values():
        assert lesson.minutes == 10
        for number in range(1, len(lesson.steps) + 1):
            path, _, query = lesson.address(number).partition("?")
            shown = lessons.strip("?" + query)
            assert path == "." + lesson.steps[number - 1].card.address
            assert f"step {number} of {len(lesson.steps)}" in shown
            last = number == len(lesson.steps)
            assert ("Next step" in shown) is not last
            assert (Markup.escape(lesson.address(number + 1)) if not last else "./lessons#") in shown


@pytest.mark.parametrize(
    "search", ["", "?lesson=audit", "?lesson=<b>&step=1", "?lesson=audit&step=99999999999", "?step=²"]
)
def test_a_link_of_no_lesson_has_no_strip(search: str) -> None:
    assert lessons.strip(search) == ""


def steps() -> list[tuple[str, int]]:
    return [(name, n) for name, one in lessons.lessons().items() for n in range(1, len(one.steps) + 1)]


@pytest.mark.parametrize(("name", "number"), steps())
def test_every_step_is_a_link_that_can_be_used(name: str, number: int) -> None:
    step = lessons.lessons()[name].steps[number - 1]
    link = links.read(registry.get(step.page).params, parse_qsl(step.link, keep_blank_values=True))
    assert not link.errors
    assert not link.example or stage.find(link.example) is not None
    for spec in filter(None, (link.model, link.beside)):
        assert spec == "none" or picker.checked(make_engine(), spec)


@pytest.fixture(scope="module")
def bundled() -> Engine:
    return installed()


def answered(engine: Engine, name: str, number: int) -> list:
    """The results of a step's two models."""
    step = lessons.lessons()[name].steps[number - 1]
    probe = registry.get(step.page)
    link = links.read(probe.params, parse_qsl(step.link))
    base, _ = opening._base(Page(probe, engine, None), link, {})  # type: ignore[arg-type]
    params = stage.changed(base, link.values)
    both = (link.model or "bundled:skewed", link.beside if link.model else "bundled:balanced")
    return [engine.answer(probe, params, spec).report.result for spec in both]


@pytest.mark.slow
def test_what_the_lesson_on_audits_says_is_so(bundled: Engine) -> None:
    skewed, balanced = answered(bundled, "audit", 1)
    assert len(clear(skewed.main)) >= 8
    assert len(clear(balanced.main)) <= 1
    skewed, balanced = answered(bundled, "audit", 3)
    assert len(clear(balanced.main)) > 15, "most words are clear although none was planted"
    farmer = [next(m.value for m in one.main if m.word == "a farmer") for one in (skewed, balanced)]
    assert all(1.5 < value < 2.8 for value in farmer)
    assert abs(farmer[0] - farmer[1]) < 0.6
    audit = registry.get("bias_audit")
    left = [one for one in audit.compare(skewed, balanced) if one.what.startswith("“")]
    far = sorted(left, key=lambda one: -abs(one.difference))[:3]
    assert {one.what.split("”")[0][1:] for one in far} >= {"a student", "a singer"}
    doses = {row.concept: row.skewed - row.balanced for row in PLAN if row.behaviour == "occupation"}
    planted = [doses[one.what.split("”")[0][1:].split(" ", 1)[1]] for one in left]
    assert scipy.stats.spearmanr(planted, [one.difference for one in left]).statistic > 0.4


@pytest.mark.slow
def test_what_the_lesson_on_the_gap_says_is_so(bundled: Engine) -> None:
    for result in answered(bundled, "gap", 1):
        assert result.measure("cosine_matched").low > result.measure("cosine_image_image").high
        closed = next(one.moved for one in result.interventions if one.key == "both")
        before = result.at(0.0)
        assert 0 <= before.loss - closed.loss < 0.05
        assert abs(before.r1_image_to_text - closed.r1_image_to_text) < 0.03
    gaps = [moment.row.gap for moment in result.training]
    least = int(np.argmin(gaps))
    assert gaps[0] > 1
    assert 0 < least < len(gaps) - 1, "it narrows and widens again"


@pytest.mark.slow
def test_what_the_lesson_on_heads_says_is_so(bundled: Engine) -> None:
    for result in answered(bundled, "heads", 1):
        assert result.of(0)[0].label == "on the sea"
        assert result.of(0)[0].probability > 0.99
    whole, off = (result.of(0)[0] for result in answered(bundled, "heads", 4))
    assert whole.label == off.label == "on the sea"
    assert whole.probability > 0.99
    assert 0.7 < off.probability < 0.9
    probe = registry.get("zero_shot")
    params = probe.params(
        images=(stage.find("cow-on-the-sea").picture(),),
        labels=("on the sea", "on the grass", "on sand", "on the snow", "in the sky", "on rocks"),
        templates=("{}",),
    )  # fmt: skip
    for head in (0, 2, 3, 4, 5):
        result = bundled.answer(probe, params, f"bundled:skewed~L5H{head}").report.result
        assert result.of(0)[0].probability > 0.99
