"""What the server keeps of its visitors: what is alike for all is made once, what is somebody's stays theirs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import gradio as gr
import numpy as np
import pytest

from app import sessions
from app.sessions import CLOSED, ForAll, Pages, Visit, Visits
from tests.app import loops


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

    return loops.run(all_at_once())


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

    assert loops.run(leave_and_come())[0]["value"] == "for everybody"


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


def expire(visits: Visits, name: str, seconds: float) -> None:
    """Let so many seconds pass for what a page holds."""
    ttl = visits.session_data[name]._state_ttl
    for key, (lasts, since) in ttl.items():
        ttl[key] = (lasts, since - timedelta(seconds=seconds))


def holding(demo: Pages, **sizes: int) -> Visits:
    """Visits by name, each of which holds something of so many bytes."""
    visits = Visits()
    demo.state_session_capacity = 10_000
    visits.set_blocks(demo)
    *_, own = outputs(demo)
    for name, size in sizes.items():
        visits[name][own._id] = np.zeros(size, np.uint8)
    return visits


def test_what_an_open_page_holds_stays_however_long_ago_it_was_brought(demo: Pages) -> None:
    visits = holding(demo, mine=10)
    expire(visits, "mine", 10**6)
    visits.delete_all_expired_state()
    assert visits["mine"].nbytes == 10


def test_a_closed_page_is_forgotten_an_hour_after_it_was_closed(demo: Pages) -> None:
    visits = holding(demo, mine=10)
    expire(visits, "mine", 10**6)
    visits.session_data["mine"].is_closed = True
    expire(visits, "mine", 3500)
    visits.delete_all_expired_state()
    assert visits.session_data["mine"].nbytes == 10
    expire(visits, "mine", 200)
    visits.delete_all_expired_state()
    assert visits.session_data["mine"].nbytes == 0


def test_a_page_that_asks_is_open_though_its_connection_was_lost(demo: Pages) -> None:
    visits = holding(demo, mine=10)
    mine = visits.session_data["mine"]
    mine.is_closed = True
    [handler] = demo.fns.values()
    loops.run(demo.preprocess_data(handler, [], mine))
    assert not mine.is_closed


def test_what_holds_nothing_goes_before_anybodys_page(demo: Pages) -> None:
    visits = holding(demo, first=10, second=10)
    visits.capacity = 3
    for number in range(100):
        assert visits[f"call {number}"] is not None
    assert {"first", "second", "call 99"} == set(visits.session_data)


def test_beyond_the_room_closed_pages_go_then_those_used_longest_ago(
    demo: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = holding(demo, old=40, left=40, nothing=0, young=40)
    visits.session_data["left"].is_closed = True
    for room, kept in ((120, {"old", "left", "young"}), (90, {"old", "young"}), (79, {"young"}), (10, set())):
        monkeypatch.setattr(sessions, "HELD", room)
        visits.delete_all_expired_state()
        assert set(visits.session_data) == kept | {"nothing"}
