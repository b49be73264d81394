"""One visitor: goes from page to page, brings what nobody else has, asks, and checks that the answers are to that.

What is timed is timed by kind. `INTERACTIVE` are the steps that a hand waits for: opening a page, bringing a file,
changing a setting, pressing Run until the page says that it asks, downloading. A question to the models lasts as
long as it lasts and is told apart.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from bench.load import pictures
from bench.load.wire import Broken, Session, Wiring

INTERACTIVE = ("open a page", "bring a file", "change a setting", "press Run", "download")
QUESTION = "ask the models"
LATER = "what follows an answer"


@dataclass
class Record:
    """What all visitors met.

    Attributes:
        seconds: how long each step took, by its kind.
        errors: what went wrong, and how often.
        mixed: what of another visitor somebody was sent.
        answers: what was answered to a visitor's own file: (page, visitor, place) -> headline.
        visits: how often a page was gone through.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    answers: dict[tuple[str, int, int], str] = field(default_factory=dict)
    visits: Counter[str] = field(default_factory=Counter)


@dataclass
class Visitor:
    """One visitor of the pages.

    Attributes:
        number: which one; nobody else has what it brings.
        think: seconds, on average, between two steps.
    """

    number: int
    address: str
    wirings: Mapping[str, Wiring]
    words: tuple[str, ...]
    think: float
    record: Record
    _places: Any = field(default_factory=itertools.count)

    async def stay(self) -> None:
        """Go round the pages until cancelled, each visitor from another page on."""
        dice = random.Random(self.number)
        pages = [page for page in self.wirings if page in TOURS]
        turned = self.number % len(pages)
        for page in itertools.cycle(pages[turned:] + pages[:turned]):
            try:
                await TOURS[page](self, page, dice)
                self.record.visits[page] += 1
            except (Broken, httpx.HTTPError, KeyError) as error:
                self.record.errors[f"{page}: {type(error).__name__}: {str(error)[:160]}"] += 1
                await asyncio.sleep(1)

    async def pause(self, dice: random.Random) -> None:
        """Look at the page for a while."""
        await asyncio.sleep(dice.uniform(0.5, 1.5) * self.think)

    @asynccontextmanager
    async def at(self, page: str) -> AsyncIterator[Session]:
        """A page, opened and closed again."""
        async with httpx.AsyncClient(base_url=self.address, timeout=60, trust_env=False) as http:
            with self.timed("open a page"):
                html = await http.get(page)
                if html.status_code != 200:
                    raise Broken(f"the page answered {html.status_code}")
                session = Session(http, self.wirings[page])
                session.begin()
                opened = session.wiring.call(None, "load")
                await self.checked(
                    session, opened, given=dict.fromkeys(session.wiring.calls[opened]["inputs"], "")
                )
            try:
                await self.follow(session, opened)
                yield session
            finally:
                await session.end()

    def timed(self, kind: str) -> _Timed:
        """Time a step."""
        return _Timed(self.record, kind)

    async def checked(self, session: Session, call: int, **told: Any) -> list[Any]:
        """Call a function, and look whether anything of another visitor is in what comes back."""
        sent = await session.call(call, **told)
        for stranger in pictures.strangers(orjson.dumps(sent, default=str), self.number):
            self.record.mixed.append(f"visitor {self.number} was sent something of visitor {stranger}")
        return sent

    async def follow(self, session: Session, call: int) -> None:
        """What the page calls by itself after a call."""
        for after in session.wiring.after(call):
            asks = session.wiring.generates(after)
            with self.timed(QUESTION if asks and session.wiring.after(after) else LATER):
                await self.checked(session, after)
            await self.follow(session, after)

    async def change(self, session: Session, component: int, event: str, value: object) -> None:
        """Change a setting."""
        session.values[component] = value
        with self.timed("change a setting"):
            await self.checked(session, session.wiring.call(component, event))

    async def send(self, session: Session, name: str, content: bytes) -> str:
        """Send a file; its path on the server."""
        sent = await session.http.post("/gradio_api/upload", files={"files": (name, content)})
        if sent.status_code != 200:
            raise Broken(f"an upload was answered {sent.status_code}: {sent.text[:160]}")
        return str(sent.json()[0])

    async def lay(self, session: Session, field: str, name: str, content: bytes) -> None:
        """Bring a picture to the stage."""
        stage = session.wiring.component(f"field-{field}")
        with self.timed("bring a file"):
            path = await self.send(session, name, content)
            event = {"field": field, "files": [{"name": name, "path": path}]}
            await self.checked(session, session.wiring.call(stage, "upload"), event=event)
        self.expect(session, stage, name)

    async def bring(self, session: Session, field: str, files: Mapping[str, bytes], several: bool) -> None:
        """Bring files into a field of files."""
        upload = session.wiring.component(f"field-{field}")
        with self.timed("bring a file"):
            sent = [
                {"path": await self.send(session, name, content), "orig_name": name, "size": len(content),
                 "meta": {"_type": "gradio.FileData"}}
                for name, content in files.items()
            ]  # fmt: skip
            call = session.wiring.call(upload, "upload")
            await self.checked(session, call, given={upload: sent if several else sent[0]})
        told = session.wiring.calls[call]["outputs"][-2]
        self.expect(session, told, "file" if len(files) > 1 else next(iter(files)))

    def expect(self, session: Session, component: int, text: str) -> None:
        """What was brought has to be told on the page."""
        if text not in str(session.values.get(component)):
            raise Broken(f"the page does not tell of {text}")

    async def run(self, session: Session) -> str:
        """Press Run, and wait for the answer; its headline."""
        press = session.wiring.call(session.wiring.component("run"), "click")
        with self.timed("press Run"):
            await self.checked(session, press)
        await self.follow(session, press)
        headline = str(session.values[session.wiring.styled("headline-box")] or "")
        if not headline:
            raise Broken(f"no answer: {self._complaints(session)}")
        return headline

    def _complaints(self, session: Session) -> str:
        """What the page says is wrong."""
        told = (str(value) for value in session.values.values() if 'class="error"' in str(value))
        return " ".join(told)[:300]


class _Timed:
    """Times what is done inside it, unless it fails."""

    def __init__(self, record: Record, kind: str) -> None:
        self._record, self._kind, self._began = record, kind, 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self._record.seconds[self._kind].append(time.monotonic() - self._began)


Tour = Callable[[Visitor, str, random.Random], Coroutine[Any, Any, None]]


async def _look(visitor: Visitor, page: str, dice: random.Random) -> None:
    """The start page."""
    async with visitor.at(page):
        await visitor.pause(dice)


async def _own_picture(visitor: Visitor, page: str, dice: random.Random) -> None:
    """A page that asks about a picture."""
    place = next(visitor._places)
    name = pictures.name(visitor.number, place, "png")
    async with visitor.at(page) as session:
        await visitor.pause(dice)
        await visitor.lay(session, "images", name, pictures.picture(visitor.number, place))
        await visitor.pause(dice)
        seed = session.wiring.component("field-seed")
        await visitor.change(session, seed, "input", session.values[seed])
        await visitor.pause(dice)
        headline = await visitor.run(session)
        visitor.expect(session, session.wiring.component("command"), name)
        visitor.record.answers[page, visitor.number, place] = headline
        await visitor.pause(dice)
        with visitor.timed("download"):
            save = session.wiring.call(session.wiring.component("save-json"), "click")
            await visitor.checked(session, save)
        visitor.expect(session, session.wiring.component("file"), name)


async def _own_set(visitor: Visitor, page: str, dice: random.Random) -> None:
    """A page that takes many pictures: bring some, take them away, and ask about those that come along."""
    async with visitor.at(page) as session:
        await visitor.pause(dice)
        own = [next(visitor._places) for _ in range(3)]
        files = {
            pictures.name(visitor.number, place, "png"): pictures.picture(visitor.number, place) for place in own
        }
        await visitor.bring(session, "images", files, several=True)
        await visitor.pause(dice)
        with visitor.timed("change a setting"):
            remove = session.wiring.call(session.wiring.component("remove-images"), "click")
            await visitor.checked(session, remove)


async def _own_pairs(visitor: Visitor, page: str, dice: random.Random) -> None:
    """A page that takes embeddings: bring some, and ask about them."""
    place = next(visitor._places)
    name = pictures.name(visitor.number, place, "npz")
    async with visitor.at(page) as session:
        await visitor.pause(dice)
        await visitor.bring(session, "embeddings", {name: pictures.pairs(visitor.number, place)}, several=True)
        await visitor.pause(dice)
        headline = await visitor.run(session)
        visitor.expect(session, session.wiring.component("command"), name)
        visitor.record.answers[page, visitor.number, place] = headline


async def _search(visitor: Visitor, page: str, dice: random.Random) -> None:
    """Training data: search for a word of one's own, and take the list away."""
    word = visitor.words[visitor.number % len(visitor.words)]
    async with visitor.at(page) as session:
        await visitor.pause(dice)
        session.values[session.wiring.component("field-concept")] = ""  # with which the page opens
        await visitor.change(session, session.wiring.component("field-words"), "submit", word)
        visitor.expect(session, session.wiring.component("query"), f"words={word}")
        await visitor.pause(dice)
        with visitor.timed("download"):
            save = session.wiring.call(session.wiring.component("save-pairs"), "click")
            await visitor.checked(session, save)
        rows = str((session.values[session.wiring.component("file")] or {}).get("text", "")).splitlines()[1:]
        if not rows:
            raise Broken(f"no pairs that say {word}")
        if not all(word in row for row in rows):
            visitor.record.mixed.append(f"visitor {visitor.number} was sent pairs that do not say {word}")


TOURS: dict[str, Tour] = {
    "/": _look,
    "/zero-shot": _own_picture,
    "/bias-audit": _own_set,
    "/modality-gap": _own_pairs,
    "/red-circle": _own_picture,
    "/attention-heads": _own_picture,
    "/training-data": _search,
}
"""What is done on each page."""
