"""Asking two models, without a browser: what the handlers put on the page."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
import pytest

from app import asking
from app.engine import Answer, Engine
from app.layout import lay_out
from app.page import Page
from app.running import Ticket
from app.stage import Held
from probes import registry
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.errors import ClipspectError
from probes.core.model import Progress, no_progress
from probes.core.parameters import fields
from tests.app.conftest import make_engine
from tests.app.fakes import load
from tests.fakes import PixelBackend

PROBE = registry.all_probes()["zero_shot"]
LABELS = ("a cat", "a dog")


def make_page(engine: Engine) -> Page:
    with gr.Blocks():
        return Page(PROBE, engine, lay_out(PROBE, engine))


def given(page: Page, *models: str, answers: tuple[Answer | None, ...] = (None, None)) -> list[Any]:
    """What the components hold: the example's picture and two labels."""
    (pictures,) = page.picture_fields
    held = Held().lay(pictures, getattr(page.shown, pictures.name))
    values = {f.name: getattr(page.shown, f.name) for f in fields(PROBE.params) if not f.is_pictures}
    shown = page.at.form.show({**values, "labels": LABELS})
    return [held, *answers, *models, *(shown[component] for component in page.at.form.inputs)]


def ask(page: Page, ticket: Ticket, *models: str, **more: Any) -> dict[Any, Any]:
    """Everything that was put on the page, the last word on each component."""
    updates: dict[Any, Any] = {}
    for update in asking.ask(page, ticket, *given(page, *models, **more)):
        updates |= update
    return updates


def test_both_models_answer_each_on_its_side() -> None:
    page = make_page(make_engine())
    updates = ask(page, Ticket(), "bundled:skewed", "bundled:balanced")
    answers = [updates[side.answer] for side in page.at.sides]
    assert [answer.report.provenance.model for answer in answers] == ["bundled:skewed", "bundled:balanced"]
    for side, answer in zip(page.at.sides, answers, strict=True):
        assert updates[side.finding.headline].striptags() == answer.report.headline
        assert answer.report.provenance.command == updates[side.taken.command]


@pytest.mark.parametrize("wrong", [0, 1])
def test_the_error_of_one_leaves_the_other_its_answer(wrong: int) -> None:
    page = make_page(make_engine())
    models = ["bundled:skewed", "bundled:skewed"]
    models[wrong] = "broken:model"
    updates = ask(page, Ticket(), *models)
    sides = page.at.sides
    assert updates[sides[wrong].answer] is None
    assert "there are no such weights" in updates[sides[wrong].finding.error]
    assert updates[sides[1 - wrong].finding.headline]


def test_a_second_model_that_is_none_is_marked_and_nobody_is_asked() -> None:
    page = make_page(make_engine())
    updates = ask(page, Ticket(), "bundled:skewed", "../../x")
    assert updates[page.at.sides[1].chooser.error]
    assert not updates[page.at.sides[0].chooser.error]
    assert page.at.sides[0].answer not in updates


def test_only_the_model_that_has_not_answered_this_is_asked() -> None:
    asked: list[str] = []

    def watched(spec: str, progress: Progress = no_progress) -> PixelBackend:
        asked.append(spec)
        return load(spec, progress)

    page = make_page(make_engine(load=watched))
    first = ask(page, Ticket(), "bundled:skewed", "none")[page.at.sides[0].answer]
    asked.clear()
    updates = ask(page, Ticket(), "bundled:skewed", "bundled:balanced", answers=(first, None))
    assert asked == ["bundled:balanced"]
    assert updates[page.at.sides[0].answer] is first
    ask(page, Ticket(), "bundled:skewed", "none", answers=(first, None))
    assert asked == ["bundled:balanced", "bundled:skewed"]


def test_stopping_the_second_keeps_what_the_first_answered() -> None:
    ticket = Ticket()

    def stopped(spec: str, progress: Progress = no_progress) -> PixelBackend:
        if spec == "bundled:balanced":
            ticket.stop()
            progress(0.0, "loading")
            raise ClipspectError("stopping had no effect")
        return load(spec, progress)

    page = make_page(make_engine(load=stopped))
    updates = ask(page, ticket, "bundled:skewed", "bundled:balanced")
    first, second = page.at.sides
    assert updates[first.finding.headline]
    assert "Stopped before it answered" in updates[second.finding.error]
    assert updates[second.answer] is None
    assert "Stopped" in updates[page.at.progress]


def test_a_change_is_told_until_both_have_answered_it() -> None:
    page = make_page(make_engine())
    updates = ask(page, Ticket(), "bundled:skewed", "bundled:balanced")
    answers = tuple(updates[side.answer] for side in page.at.sides)
    told = page.settle(*given(page, "bundled:skewed", "bundled:balanced", answers=answers))
    assert not told[page.at.progress]
    told = page.settle(*given(page, "bundled:skewed", "none", answers=answers))
    assert not told[page.at.progress]
    told = page.settle(*given(page, "bundled:balanced", "bundled:balanced", answers=answers))
    assert "Changed since" in told[page.at.progress]


def test_a_page_that_was_forgotten_is_never_asked_about_what_comes_along() -> None:
    page = make_page(make_engine())
    setting = given(page, "bundled:skewed", "bundled:balanced")
    setting[0] = page.at.sessions.held.value
    assert setting[0].forgotten
    updates: dict[Any, Any] = {}
    for update in asking.ask(page, Ticket(), *setting):
        updates |= update
    assert "Reload it to go on" in updates[page.at.progress]
    assert not any(side.answer in updates for side in page.at.sides)
    assert "Reload it to go on" in page.settle(*setting)[page.at.progress]


def test_an_answer_from_files_alone_is_up_to_date_and_leaves_the_models_in_the_link() -> None:
    probe, rng = registry.get("modality_gap"), np.random.default_rng(0)
    with gr.Blocks():
        page = Page(probe, make_engine(), lay_out(probe, make_engine()))
    field = next(f for f in fields(probe.params) if f.name == "embeddings")
    pairs = EmbeddingPairs.of("mine", *rng.normal(size=(2, 40, 8)).astype(np.float32))
    held = Held().bring(field, pairs, 100)
    shown = page.at.form.show({f.name: f.default for f in fields(probe.params)})
    form = [shown[component] for component in page.at.form.inputs]
    models = ["bundled:skewed", "bundled:balanced"]
    updates: dict[Any, Any] = {}
    for update in asking.ask(page, Ticket(), held, None, None, *models, *form):
        updates |= update
    answers = [updates[side.answer] for side in page.at.sides]
    assert answers[0].report.provenance.model == "none"
    assert answers[1] is None
    settled = page.settle(held, *answers, *models, *form)
    assert "Changed" not in settled[page.at.progress]
    assert updates[page.at.query] == settled[page.at.query]
    assert "beside" not in settled[page.at.query]


def test_what_has_to_be_known_of_differences_stands_once_below_their_table() -> None:
    page = make_page(make_engine())
    updates = ask(page, Ticket(), "bundled:skewed", "bundled:balanced")
    told = str(updates[page.at.compared.table])
    assert told.count("Too few for a test") == 1
    rows = told.partition("</table>")[0]
    assert rows.count("<td>1</td>") == rows.count("<tr>") - 1, "all of them are paired over five templates"
