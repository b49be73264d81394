"""The explorer of attention heads in a real browser: a head is opened, switched off, and asked about elsewhere."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.app.conftest import Tab

pytestmark = pytest.mark.browser

PATH = "/attention-heads"
LINK = "#link textarea, #link input"
FEW = "?texts=a+dog&texts=a+cat&phrases=something+red&phrases=something+blue&phrases=a+sky&phrases_a_head=2"


def part(page: Page, selector: str) -> Locator:
    return page.locator(f"#evidence-model {selector}")


def opened(tab: Tab, query: str = FEW) -> Page:
    page = tab.open(PATH + query)
    part(page, ".heads-phrase").first.wait_for()
    tab.rest()
    return page


def cell(page: Page, name: str) -> Locator:
    return part(page, f".heads-cell[aria-label^='{name}:']")


STATE_JS = """
(key) => [...document.querySelectorAll('#evidence-model *')].find((one) => one.explorer).explorer.state()[key]
"""


def state(page: Page, key: str) -> object:
    return page.evaluate(STATE_JS, key)


def test_a_click_opens_a_head_without_asking_the_server(tab: Tab) -> None:
    page = opened(tab)
    before = len(tab.asked)
    cell(page, "Head 2 of layer 1").click()
    expect(part(page, ".heads-card .heads-code")).to_have_text("L1H2")
    expect(part(page, ".heads-card")).to_contain_text("on average to 256 made-up scenes")
    assert part(page, ".heads-phrase").count() == 2
    assert part(page, ".heads-pictures").nth(2).locator(".explorer-thumb").count() == 6
    expect(cell(page, "Head 2 of layer 1")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(part(page, ".heads-card .heads-code")).to_have_text("L1H1")
    page.keyboard.press("ArrowUp")
    expect(part(page, ".heads-card .heads-code")).to_have_text("L0H1")
    assert len(tab.asked) == before


def test_what_is_on_the_screen_sums_to_the_similarity(tab: Tab) -> None:
    page = opened(tab)
    terms = [float(text.replace("−", "-")) for text in part(page, ".heads-term b").all_inner_texts()]
    heads, mlps, rest, whole = terms
    assert heads + mlps + rest == pytest.approx(whole, abs=0.0016)  # three digits each
    expect(part(page, ".heads-left")).to_contain_text("Reconstruction error")
    part(
        page,
        "button",
    ).filter(has_text="a cat").first.click()
    other = [float(text.replace("−", "-")) for text in part(page, ".heads-term b").all_inner_texts()]
    assert sum(other[:3]) == pytest.approx(other[3], abs=0.0016)
    assert other != terms


def test_heads_are_switched_off_under_the_hand_and_other_pages_are_asked_with_them_off(tab: Tab) -> None:
    page = opened(tab)
    whole = state(page, "similarity")
    cell(page, "Head 1 of layer 0").click()
    part(page, ".heads-toggle").click()
    assert state(page, "off") == "L0H1"
    assert state(page, "similarity") != whole
    expect(part(page, ".heads-sum")).to_contain_text("with parts off")
    part(page, ".heads-bar button").filter(has_text="Switch off layer 0").click()
    assert state(page, "off") == "L0H0,L0H1,L0H2,L0H3"
    link = part(page, ".heads-link").filter(has_text="Zero-shot").get_attribute("href") or ""
    asked = parse_qs(urlsplit(link).query)
    assert asked == {"model": ["bundled:skewed"], "beside": ["bundled:skewed~L0H0,L0H1,L0H2,L0H3"]}
    part(page, ".heads-reset").click()
    assert state(page, "similarity") == whole


ASKED_JS = """
(wanted) => {
  const { explorer } = [...document.querySelectorAll('#evidence-model *')].find((one) => one.explorer);
  return wanted.map((one) => { explorer.restore(one); return explorer.settings(); });
}
"""
HOSTILE = [
    {"part": "L99H0", "mode": "constructor", "which": "<b>", "beyond": "yes", "direction": -1, "off": "L0H9,M7,x"},
    {"part": ["L0H0"], "mode": None, "which": {}, "beyond": 1, "direction": "1", "off": ["L0H0"]},
    {"part": "L1", "off": "L99999999999H0,,", "__proto__": "x"},
]


def test_what_was_set_travels_in_the_link_and_nothing_else_does(tab: Tab) -> None:
    page = opened(tab)
    usual = state(page, "part")
    cell(page, "Head 1 of layer 0").click()
    part(page, ".heads-bar button").filter(has_text="Switch off layer 0").click()
    part(page, ".explorer-group button").filter(has_text="All heads").click()
    expect(page.locator(LINK)).to_have_value(re.compile("explore=.*all"))
    link = page.locator(LINK).input_value()
    kept = {"which": "all", "off": "L0", "part": "L0H1"}
    assert json.loads(parse_qs(urlsplit(link).query)["explore"][0]) == kept
    whole = state(page, "similarity")
    other = Tab(page.context.new_page(), tab.address)
    elsewhere = opened(other, "?" + urlsplit(link).query)
    assert state(elsewhere, "off") == "L0H0,L0H1,L0H2,L0H3"
    assert state(elsewhere, "similarity") == whole
    expect(part(elsewhere, ".heads-card .heads-code")).to_have_text("L0H1")
    elsewhere.evaluate(ASKED_JS, [{"which": "head", "part": usual, "off": ""}])
    for found in elsewhere.evaluate(ASKED_JS, HOSTILE):
        assert found == {}
    assert (other.complaints, other.abroad) == ([], [])
    elsewhere.close()


def test_it_stays_on_the_page_once_the_answer_is_whole(tab: Tab) -> None:
    """An answer comes in steps; the last one must not take the explorer away, nor forget what was chosen."""
    page = opened(tab)
    page.wait_for_timeout(1_000)
    assert part(page, ".heads-cell").count() == 4 * 4 + 1
    cell(page, "Head 3 of layer 0").click()
    tab.run()
    expect(part(page, ".heads-card .heads-code")).to_have_text("L0H3")


def test_nothing_sticks_out_of_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = opened(Tab(context.new_page(), address))
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    context.close()


def test_a_part_that_is_not_there_is_refused_beside_its_field(tab: Tab) -> None:
    page = tab.open(PATH + FEW + "&off=L9", "#run")
    page.locator(".banner, .field-error").filter(has_text="there is no L9H0").first.wait_for()
    assert page.locator("text=Traceback").count() == 0
