"""What the server keeps of its visitors: what is alike for all is made once, what is somebody's stays theirs."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
import pytest

from app.sessions import CLOSED, ForAll, Pages, Visit, Visits


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every value that a box was made to show."""
    values: list[Any] = []
    plain = gr.Textbox.postprocess

    def noted(box: gr.Textbox, value: Any) -> Any:
        values.append(value)
        return plain(box, value)

    monkeypatch.setattr(gr.Textbox, "postprocess", noted)
    return values


@pytest.fixture
def demo() -> Pages:
    with Pages() as pages:
        given = gr.Textbox()
        shown, alone, own = gr.Textbox(), gr.Number(), gr.State("nothing")
        given.change(lambda: None, None, [shown, alone, own])
    return pages


def sent(demo: Pages, updates: dict[Any, Any], *visits: Visit) -> list[list[Any]]:
    [handler] = demo.fns.values()

    async def all_at_once() -> list[list[Any]]:
        return await asyncio.gather(*(demo.postprocess_data(handler, updates, visit) for visit in visits))

    return asyncio.run(all_at_once())


def outputs(demo: Pages) -> list[Any]:
    [handler] = demo.fns.values()
    return list(handler.outputs)


def test_what_is_for_all_is_made_once_and_equals_what_each_would_get(demo: Pages, made: list[Any]) -> None:
    shown, _, own = outputs(demo)
    plain = {shown: gr.Textbox("for everybody"), own: "kept"}
    made.clear()
    [expected] = sent(demo, plain, Visit(demo))
    once = len(made)
    got = sent(demo, ForAll(plain), *(Visit(demo) for _ in range(5)))
    assert got == [expected] * 5
    assert expected[0]["value"] == "for everybody"
    assert len(made) == 2 * once > 0


def test_every_visitor_keeps_the_state_that_all_are_given(demo: Pages) -> None:
    *_, own = outputs(demo)
    visits = [Visit(demo) for _ in range(3)]
    updates = ForAll({own: "the same"})
    sent(demo, updates, *visits[:2])
    assert [visit.state_data.get(own._id) for visit in visits] == ["the same", "the same", None]
    visits[0][own._id] = "changed by one"
    assert visits[1].state_data[own._id] == "the same"


def test_updates_of_one_visitor_are_made_for_that_visitor(demo: Pages) -> None:
    shown, _, own = outputs(demo)
    first, second = Visit(demo), Visit(demo)
    [[mine, *_]] = sent(demo, {shown: gr.Textbox("mine"), own: "mine"}, first)
    [[yours, *_]] = sent(demo, {shown: gr.Textbox("yours"), own: "yours"}, second)
    assert (mine["value"], yours["value"]) == ("mine", "yours")
    assert (first.state_data[own._id], second.state_data[own._id]) == ("mine", "yours")


def test_what_no_update_names_is_left_as_it_is(demo: Pages) -> None:
    shown, *_ = outputs(demo)
    [said] = sent(demo, {shown: gr.Textbox("said")}, Visit(demo))
    assert said[1:] == [gr.skip(), gr.skip()]
    [none] = sent(demo, {}, Visit(demo))
    assert none == [gr.skip()] * 3


def test_if_the_first_is_gone_while_it_is_made_the_next_makes_it(demo: Pages) -> None:
    shown, *_ = outputs(demo)
    [handler] = demo.fns.values()
    updates = ForAll({shown: gr.Textbox("for everybody")})

    async def leave_and_come() -> list[Any]:
        first = asyncio.create_task(demo.postprocess_data(handler, updates, Visit(demo)))
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.wait_for(demo.postprocess_data(handler, updates, Visit(demo)), 10)

    assert asyncio.run(leave_and_come())[0]["value"] == "for everybody"


def test_of_closed_pages_the_last_are_kept_and_open_ones_all() -> None:
    with gr.Blocks() as demo:
        gr.State([])
    visits = Visits()
    demo.state_session_capacity = 10_000
    visits.set_blocks(demo)
    for number in range(3 * CLOSED):
        visits[f"v{number}"].is_closed = number % 2 == 0
    visits.delete_all_expired_state()
    kept = set(visits.session_data)
    assert {f"v{number}" for number in range(1, 3 * CLOSED, 2)} <= kept
    assert {f"v{number}" for number in range(0, 3 * CLOSED, 2)} & kept == {
        f"v{number}" for number in range(CLOSED, 3 * CLOSED, 2)
    }
