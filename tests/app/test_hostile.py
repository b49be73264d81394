"""What a hostile visitor sends over HTTP, past the pages."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio.utils import get_upload_folder

from app import guard
from app.files import LARGEST
from bench.load.wire import Broken, Session, Wiring
from tests.app import loops
from tests.hostile import corpus
from tests.hostile.fuzz import OWN

PAGE = "/zero-shot"
API = guard.API


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def send(http: httpx.Client, name: str, content: bytes) -> str:
    answer = http.post(f"{API}upload", files={"files": (name, content)})
    assert answer.status_code == 200
    return str(answer.json()[0])


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text[:300]
    assert not [one for one in OWN if one in answer.text and one != '.py"'], answer.text[:300]


def test_no_upload_can_be_fetched_by_anyone(http: httpx.Client) -> None:
    content = corpus.picture("PNG")
    path = send(http, "mine.png", content)
    assert Path(path).read_bytes() == content
    for way in (
        "file=",
        "file/",
        "proxy=",
        "stream/",
        "//file=",
        "../gradio_api/file=",
        "deep_link?session_hash=",
    ):
        for there in (path, path.lstrip("/"), f"/x/../{path}", path.replace("/", "%2f"), "http://127.0.0.1/x.png"):
            for method in ("GET", "HEAD"):
                answer = http.request(method, f"{API}{way}{there}")
                assert answer.status_code in (403, 404), (way, there, answer.status_code)
                assert content not in answer.content


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../etc/passwd", "..%2f..%2fetc/passwd", str(Path(__file__))]
)
def test_no_file_of_the_machine_can_be_fetched(http: httpx.Client, path: str) -> None:
    for way in ("gradio_api/file=", "file=", "static/", "assets/", "svelte/", "theme.css/", "gradio_api/proxy="):
        answer = http.get(f"/{way}{path}")
        check(answer)
        assert "root:" not in answer.text
        assert "def test_" not in answer.text


def test_the_same_file_of_two_visitors_lies_twice_and_each_is_read(http: httpx.Client) -> None:
    content = corpus.picture("PNG")
    one, other = send(http, "same.png", content), send(http, "same.png", content)
    assert Path(one).parent != Path(other).parent
    assert Path(one).stat().st_mode & 0o077 == 0
    Path(one).unlink()
    assert Path(other).read_bytes() == content


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "run/predict"),
        ("POST", "api/predict"),
        ("POST", "component_server"),
        ("POST", "process_recording"),
        ("GET", "runs"),
        ("POST", "vibe-edit"),
        ("GET", "vibe-code"),
        ("POST", "stream/x"),
        ("GET", "user"),
        ("GET", "token"),
        ("GET", "dev/reload"),
        ("GET", "profiling/summary"),
    ],
)
def test_what_no_page_uses_is_closed(http: httpx.Client, method: str, path: str) -> None:
    assert http.request(method, f"{API}{path}", content=b"{}").status_code == 404


def test_a_body_is_refused_by_its_declared_length(http: httpx.Client) -> None:
    before = set(Path(get_upload_folder()).rglob("*"))
    for path, limit in (("upload", LARGEST * 1_000_000 + guard.FORM), ("queue/join", guard.BODY)):
        answer = loops.run(_head_only(http.base_url, path, limit + 1))
        assert answer.startswith("HTTP/1.1 413"), answer
    assert http.post(f"{API}queue/join", content=iter([b"{}"])).status_code == 411
    assert set(Path(get_upload_folder()).rglob("*")) == before


def test_a_declared_length_and_pieces_of_any_length_are_refused_together(http: httpx.Client) -> None:
    sent = f"POST {API}queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert http.base_url.port is not None
    with socket.create_connection((http.base_url.host, http.base_url.port), timeout=20) as line:
        line.sendall(sent.encode() + b"100000\r\n" + b"x" * 4096)
        assert line.recv(100).split(b" ")[1] in (b"400", b"411")


@pytest.mark.parametrize("path", ["/", PAGE, "/glossary"])
def test_nobody_can_write_another_address_into_the_pages_of_others(http: httpx.Client, path: str) -> None:
    plain = http.get(path).text
    for name in ("X-Gradio-Server", "X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded", "Referer", "Origin"):
        hostile = http.get(path, headers={name: "http://evil.example"}).text
        assert "evil.example" in hostile if name == "X-Forwarded-Host" else "evil" not in hostile
        assert http.get(path).text == plain


async def _head_only(base: httpx.URL, path: str, length: int) -> str:
    """The first line of the answer to a request whose body never comes."""
    reader, writer = await asyncio.open_connection(base.host, base.port)
    writer.write(
        f"POST {API}{path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=a\r\n"
        f"Content-Length: {length}\r\n\r\n".encode()
    )
    await writer.drain()
    line = (await asyncio.wait_for(reader.readline(), 20)).decode()
    writer.close()
    return line


JUNK = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b'{"data": []}',
    b'{"data": [], "fn_index": 0}',
    b"\xff\xfe",
    b'{"a":' * 5000,
    *(
        json.dumps(
            {"data": data, "fn_index": index, "session_hash": name, "event_data": event, "trigger_id": 1}
        ).encode()
        for data, index, name, event in (
            ([], 10**6, "a", None),
            ([], -1, "a", None),
            ("x", 1, "a", None),
            ([None] * 3000, 1, "a", None),
            ([], "1", "a", None),
            ([[]], 1, ["a"], None),
            ([], 1, {"a": 1}, None),
            ([], None, "a", None),
            (["\ud800"], 1, "../../x", "x"),
            (["x" * 100_000], 1, "y" * 100_000, [1]),
            ([{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}], 1, "a", None),
        )
    ),
)


@pytest.mark.parametrize("place", range(len(JUNK)))
def test_junk_in_the_queue_gets_a_refusal_without_a_trace(http: httpx.Client, place: int) -> None:
    for path in ("queue/join", "cancel", "reset", "call/zero_shot", "upload"):
        check(http.post(f"{API}{path}", content=JUNK[place], headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize(
    "event",
    [
        None,
        7,
        "x",
        [],
        {"files": 7},
        {"files": ["x"]},
        {"files": [{"path": "/etc/passwd"}]},
        {"index": "x"},
        {"files": [{"path": {"a": 1}, "name": ["b"]}]},
        {"field": [], "files": [None]},
        {"index": 10**30},
    ],
)
@pytest.mark.parametrize("what", ["upload", "delete", "select"])
def test_a_handler_is_sent_what_no_page_sends(http: httpx.Client, what: str, event: object) -> None:
    wiring = Wiring.of(http.get(PAGE).text)
    stage = wiring.component("field-images")
    call = next(
        i
        for i, one in wiring.calls.items()
        if one["backend_fn"] and any(e == what and (what == "select" or c == stage) for c, e in one["targets"])
    )

    async def ask() -> list[object]:
        async with httpx.AsyncClient(base_url=http.base_url, timeout=60, trust_env=False) as client:
            session = Session(client, wiring)
            session.values = {i: one["props"].get("value") for i, one in wiring.components.items()}
            return await session.call(call, event=event)

    try:
        told = str(loops.run(ask()))
    except Broken as broken:
        told = str(broken)
        assert not isinstance(event, dict) or "is not in the cache folder" in told
    assert "root:" not in told
    assert not [one for one in OWN if one in told]


@pytest.mark.parametrize(
    "query",
    [
        "?" + "a" * 30_000,
        "?labels=%00",
        "?labels=%ed%a0%80",
        "?model=%ff",
        "?%",
        "?&&&=&=",
        "?__theme=<script>",
        "?labels=" + "%0a" * 5000,
    ],
)
def test_a_hostile_query_opens_the_page(http: httpx.Client, query: str) -> None:
    check(http.get(PAGE + query))
    wiring = Wiring.of(http.get(PAGE).text)

    async def ask() -> list[object]:
        async with httpx.AsyncClient(base_url=http.base_url, timeout=60, trust_env=False) as client:
            call = wiring.call(None, "load")
            return await Session(client, wiring).call(
                call, given=dict.fromkeys(wiring.calls[call]["inputs"], query)
            )

    told = str(loops.run(ask()))
    assert "<script>" not in told.replace("“<script>”", "")
    assert not [one for one in OWN if one in told]
