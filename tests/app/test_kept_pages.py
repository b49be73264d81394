"""The HTML of a page: made once for all who see the server alike, and never for anybody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from app.kept_pages import LARGEST, KeptPages
from tests.app import loops


class Maker:
    """Makes a page, and counts how often."""

    def __init__(self, **given: Any) -> None:
        self.made: list[str] = []
        self.given = {"status_code": 200, **given}
        self.content = "<p>{}</p>"
        self.cookie = False

    def answer(self, request: Request) -> Response:
        self.made.append(f"{request.url}")
        answer = HTMLResponse(self.content.format(request.url), **self.given)
        if self.cookie:
            answer.set_cookie("whose", f"number {len(self.made)}")
        return answer


def client(maker: Maker, **given: Any) -> TestClient:
    routes = [Route(path, maker.answer, methods=["GET", "POST"]) for path in ("/", "/glossary", "/file")]
    kept = KeptPages(Starlette(routes=routes), ("/", "/glossary"))
    return TestClient(kept, base_url="http://one.example", **given)


def test_a_page_is_made_once_and_sent_whole_to_everybody() -> None:
    maker = Maker()
    asking = client(maker)
    answers = [asking.get("/glossary") for _ in range(3)]
    assert len(maker.made) == 1
    assert {answer.text for answer in answers} == {"<p>http://one.example/glossary</p>"}
    assert all(answer.headers["content-type"].startswith("text/html") for answer in answers)


def test_what_a_link_says_is_read_in_the_browser_and_makes_no_other_page() -> None:
    maker = Maker()
    asking = client(maker)
    asking.get("/glossary")
    asking.get("/glossary?texts=a+cow")
    asking.get("/glossary/")
    assert len(maker.made) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "two.example"},
        {"x-forwarded-host": "two.example"},
        {"x-forwarded-proto": "https"},
        {"x-forwarded-prefix": "/behind"},
    ],
)
def test_who_sees_the_server_at_another_address_gets_a_page_of_that_address(headers: dict[str, str]) -> None:
    maker = Maker()
    asking = client(maker)
    asking.get("/")
    asking.get("/", headers=headers)
    assert len(maker.made) == 2
    asking.get("/", headers=headers)
    assert len(maker.made) == 2


@pytest.mark.parametrize(("method", "path"), [("GET", "/file"), ("POST", "/"), ("GET", "/?deep_link=abc")])
def test_what_is_no_page_is_left_to_the_app(method: str, path: str) -> None:
    maker = Maker()
    asking = client(maker)
    for _ in range(2):
        asking.request(method, path)
    assert len(maker.made) == 2


@pytest.mark.parametrize("why", ["cookie", "failed", "missing", "large"])
def test_somebodys_own_a_failure_and_what_is_too_large_are_sent_but_not_kept(why: str) -> None:
    maker = Maker(status_code={"failed": 500, "missing": 404}.get(why, 200))
    maker.cookie = why == "cookie"
    if why == "large":
        maker.content = "x" * (LARGEST + 1)
    asking = client(maker)
    answers = [asking.get("/") for _ in range(2)]
    assert len(maker.made) == 2
    assert {answer.status_code for answer in answers} == {maker.given["status_code"]}
    if why == "cookie":
        assert [answer.cookies["whose"] for answer in answers] == ['"number 1"', '"number 2"']


def test_an_error_while_a_page_is_made_is_not_swallowed_and_the_next_visitor_gets_the_page() -> None:
    maker = Maker()
    maker.content = "{} {}"  # one word too many
    asking = client(maker)
    with pytest.raises(IndexError):
        asking.get("/")
    maker.content = "{}"
    assert asking.get("/").status_code == 200


def scope() -> Scope:
    return {
        "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"one.example")],
        "scheme": "http", "server": ("one.example", 80), "root_path": "",
    }  # fmt: skip


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_visitors_who_come_at_once_wait_for_one_making() -> None:
    made = 0

    async def slow(_: Scope, __: Any, send: Any) -> None:
        nonlocal made
        made += 1
        await asyncio.sleep(0.05)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page", "more_body": False})

    kept = KeptPages(slow, ("/",))

    async def visit() -> bytes:
        got: list[Message] = []

        async def send(message: Message) -> None:
            got.append(message)

        await kept(scope(), receive, send)
        return b"".join(message.get("body", b"") for message in got)

    async def all_at_once() -> list[bytes]:
        return list(await asyncio.gather(*(visit() for _ in range(20))))

    assert loops.run(all_at_once()) == [b"page"] * 20
    assert made == 1


def test_a_visitor_who_reads_nothing_keeps_nobody_waiting() -> None:
    async def page(_: Scope, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page", "more_body": False})

    async def never(_: Message) -> None:
        await asyncio.Event().wait()

    async def read(message: Message) -> None:
        got.append(message)

    async def two() -> None:
        first = asyncio.create_task(kept(scope(), receive, never))
        await asyncio.sleep(0)
        await asyncio.wait_for(kept(scope(), receive, read), 5)
        first.cancel()

    got: list[Message] = []
    kept = KeptPages(page, ("/",))
    loops.run(two())
    assert got[-1]["body"] == b"page"
