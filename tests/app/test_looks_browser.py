"""Every page: accessible by axe-core's rules, light and dark; nothing jumps, sticks out or is too small.

A picture of each page is left in `out/screenshots`, which git does not keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from probes import registry
from tests.app.conftest import Tab

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parents[2] / "out" / "screenshots"
PROBES = [probe.card.address for probe in registry.all_probes().values()]
PAGES = {
    "/": ".probe-card img", **dict.fromkeys(PROBES, ".headline"), "/training-data": ".pairs article",
    "/lessons": ".sheet", "/glossary": ".glossary dt",
}  # fmt: skip
"""Address -> what is there when the page is."""
LONGEST = 0.1
"""Cumulative layout shift that Web Vitals calls good."""
KNOWN: tuple[tuple[str, str], ...] = ()
"""Rule and part of a selector of what is inside of a component of Gradio's and cannot be mended from outside."""

WATCH_JS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push([entry.value,
    ...entry.sources.map(({node}) => String(node && (node.className || node.nodeName)).slice(0, 60))]);
}).observe({type: 'layout-shift', buffered: true});
"""
OPEN_JS = """
document.querySelectorAll('.label-wrap:not(.open)').forEach((fold) => fold.click());
document.querySelectorAll('details').forEach((fold) => { fold.open = true; });
"""
SMALL_JS = """
[...document.querySelectorAll('.gradio-container *')].flatMap((node) => {
  if (node.closest('svg, .sr-only, .skip') || !node.checkVisibility({visibilityProperty: true})) return [];
  const box = node.getBoundingClientRect(), found = [];
  const name = `${node.tagName} ${node.className} ${Math.round(box.width)}x${Math.round(box.height)}`;
  const target = node.matches('button, .site-top a, .chip, summary') && box.width;
  if (target && Math.min(box.width, box.height) < 23.5) found.push(name);
  const words = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
  const size = parseFloat(getComputedStyle(node).fontSize);
  if (words && size < 12.9 && !node.closest('.progress-text')) found.push(`${name} ${size}px`);
  return found;
})
"""
"""Targets under 24 px and text under 13 px, but for Gradio's own clock while something loads."""


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of the width asked for that tells what moves."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    context.add_init_script(WATCH_JS)
    tab = Tab(context.new_page(), address)
    yield tab
    assert tab.abroad == []
    assert tab.complaints == []
    context.close()


def still(page: Page) -> None:
    """What moved since last asked is little."""
    shifts = page.evaluate("window.shifts.splice(0)")
    assert sum(value for value, *_ in shifts) < LONGEST, shifts


def ask_again(tab: Tab) -> None:
    """Press Run without an input that would excuse what moves."""
    page = tab.page
    page.wait_for_selector("#run:enabled")
    page.evaluate("window.shifts = []; document.querySelector('#run').click()")
    tab.rest()  # an answer that is kept comes too fast for "Stop" to be caught
    page.wait_for_selector("#run:enabled")
    page.wait_for_timeout(500)


CELLS_JS = """() => [...document.querySelectorAll('.heatmap-label text')]
  .map((text) => [text.style.fill, getComputedStyle(text).fill]).filter(([own, seen]) => own !== seen)"""


def accessible(page: Page, where: str, within: str | None = None) -> None:
    """No serious or critical finding of axe-core."""
    found = Axe().run(page, context=within, options={"resultTypes": ["violations"]}).response["violations"]
    bad = [
        (one["id"], " ".join(map(str, node["target"])), node["failureSummary"])
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    left = [b for b in bad if not any(b[0] == rule and part in b[1] for rule, part in KNOWN)]
    assert not left, (where, left)


@pytest.mark.slow
@pytest.mark.parametrize("opened", [1280], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_with_everything_opened_and_nothing_jumps(opened: Tab, path: str) -> None:
    page = opened.open(path + "?__theme=light", PAGES[path])
    opened.rest()
    still(page)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{path.strip('/') or 'start'}.png", full_page=True)
    if path in PROBES:
        ask_again(opened)
        still(page)
        page.evaluate(OPEN_JS)
        page.wait_for_selector(".table-fold table")
        page.locator("#field-seed input").first.fill("-1")
        page.locator("#field-seed input").first.blur()
        page.locator(".error").first.wait_for()
    else:
        page.evaluate(OPEN_JS)
    accessible(page, "light")
    page.evaluate("window.clipspect.mood(true)")
    page.wait_for_timeout(400)  # colours that fade
    accessible(page, "dark")
    assert page.evaluate(CELLS_JS) == [], "numbers in cells go by the colour of the cell, in the dark as well"
    if path in PROBES:
        page.locator(".guess-turn").click()
        page.wait_for_selector(".guess-side")
        accessible(page, "dark, predict first", ".guess-box")
        page.evaluate("window.clipspect.mood(false)")
        page.wait_for_timeout(400)
        accessible(page, "light, predict first", ".guess-box")


@pytest.mark.slow
@pytest.mark.parametrize("opened", [390], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_on_a_phone_nothing_jumps_sticks_out_or_is_too_small(opened: Tab, path: str) -> None:
    page = opened.open(path, PAGES[path])
    opened.rest()
    still(page)
    if path in PROBES:
        ask_again(opened)
        still(page)
    assert page.evaluate(SMALL_JS) == []
    for width in (390, 768, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, width
        top = page.locator(".site-top nav a")
        assert all(box["x"] + box["width"] <= width for box in (top.nth(i).bounding_box() for i in range(8))), (
            width
        )


@pytest.mark.parametrize("opened", [794], indirect=True)
def test_a_sheet_is_printed_alone_dark_on_white(opened: Tab) -> None:
    page = opened.open("/lessons?__theme=dark", ".sheet")
    page.emulate_media(media="print")
    page.evaluate(
        "window.print = () => { window.printed = [...document.querySelectorAll('.sheet, .site-top, .sheet-where')]"
        ".filter((one) => one.checkVisibility()).map((one) => [one.id, getComputedStyle(one).color]); }"
    )
    page.evaluate("document.querySelector('[data-print]').click()")
    printed = page.evaluate("window.printed")
    assert [name for name, _ in printed if name] == [page.locator(".sheet").first.get_attribute("id")]
    assert {colour for name, colour in printed if not name} == {"rgb(0, 0, 0)"}
