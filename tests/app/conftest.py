from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import launch
from app.engine import Engine
from probes import registry
from probes.attention_heads import steps
from tests import browser as chromium
from tests.app.fakes import bundled, catalogue, load, told

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
"""Milliseconds before a page counts as stuck; a busy machine is no failure."""
PHRASES = tuple(f"a thing of kind {number}" for number in range(120))
"""In place of a few thousand, of which heads of pixels take long to pick."""
LEAVING = ("AbortError", "Connection errored out")
"""What Gradio itself says when one leaves a page while it listens to the server."""

expect.set_options(timeout=PATIENCE / 2)


def make_engine(**changes: object) -> Engine:
    given = {
        "load": load, "catalogue": catalogue, "bundled": bundled, "told": told,
        "default": "bundled:skewed", "beside": "bundled:balanced",
    }  # fmt: skip
    return Engine(**{**given, **changes})


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A started app on models that cost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "phrases", lambda: PHRASES)
        demo, url = launch(
            make_engine(), list(registry.all_probes().values()), "127.0.0.1", None, wait=False, mcp=True
        )
        yield url.rstrip("/")
        demo.close(verbose=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = chromium.find()
    if found is None:
        pytest.fail("There is no Chromium for the browser tests: run `python -m tests.browser`.", pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()


class Tab:
    """A page of the browser that remembers what it should not have done."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.abroad: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self._hear(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._hear(str(error)))
        page.on("request", lambda request: self._watch(request.url))

    def _hear(self, text: str) -> None:
        if not any(leaving in text for leaving in LEAVING):
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.abroad.append(url)
        if "/queue/join" in url or "/run/" in url:
            self.asked.append(url)

    def rest(self, milliseconds: int = 1_500) -> None:
        """Wait until the page has asked the server for nothing this long: what opening it began is over."""
        known = -1
        while known != len(self.asked):
            known = len(self.asked)
            self.page.wait_for_timeout(milliseconds)

    def open(self, path: str, until: str = ".headline") -> Page:
        self.page.goto(self.address + path)
        self.page.locator(until).first.wait_for()
        return self.page

    @property
    def headlines(self) -> list[str]:
        return self.page.locator(".headline").all_inner_texts()

    @property
    def headline(self) -> str:
        return self.page.locator(".headline").first.inner_text()

    def run(self) -> str:
        """Press Run and wait for another headline, or for the same one after the work is done."""
        self.page.click("#run")
        self.page.wait_for_selector("#stop", state="attached")
        self.page.wait_for_selector("#run")
        self.page.wait_for_selector(".progress", state="detached")
        return self.headline


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = Tab(context.new_page(), address)
    yield tab
    assert tab.abroad == []
    assert tab.complaints == []
    context.close()
