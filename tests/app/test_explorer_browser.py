"""The explorer of the modality gap in a real browser: seen, touched, moved, and on files of a visitor's own."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.app.conftest import PATIENCE, Tab
from tests.modality_gap.clouds import pairs, plainly

pytestmark = pytest.mark.browser

STAGE = "#evidence-model .explorer-stage"
GAP = "#evidence-model .explorer-tile[data-key=gap] .explorer-value"


def opened(tab: Tab, path: str = "/modality-gap") -> Page:
    page = tab.open(path)
    page.wait_for_selector(STAGE)
    return page


def part(page: Page, selector: str) -> Locator:
    return page.locator(f"#evidence-model {selector}")


def tile(page: Page, key: str) -> float:
    value = part(page, f".explorer-tile[data-key={key}] .explorer-value")
    return float(value.get_attribute("data-value") or "nan")


SLIDE_JS = "(slider, delta) => { slider.value = delta; slider.dispatchEvent(new Event('input', {bubbles: true})) }"


def slide(page: Page, delta: float) -> None:
    """Move the slider, and wait until the gap has followed."""
    gap = page.locator(GAP)
    before = gap.get_attribute("data-value") or ""
    part(page, ".explorer-slider").evaluate(SLIDE_JS, delta)
    expect(gap).not_to_have_attribute("data-value", before)


def npz(images: np.ndarray, texts: np.ndarray) -> dict[str, object]:
    stream = io.BytesIO()
    np.savez(stream, images=images, texts=texts)
    return {"name": "mine.npz", "mimeType": "application/octet-stream", "buffer": stream.getvalue()}


def test_the_slider_moves_every_value_without_asking_the_server(tab: Tab) -> None:
    page = opened(tab)
    still = tile(page, "gap")
    for side in ("model", "beside"):  # what follows the answers has been asked for by then
        umap = page.locator(f"#evidence-{side} .explorer-button").filter(has_text="UMAP").first
        expect(umap).to_be_enabled(timeout=PATIENCE)
    tab.rest()
    before = len(tab.asked)
    slide(page, 0.5)
    together = tile(page, "gap")
    slide(page, -1)
    apart = tile(page, "gap")
    assert together < still < apart
    assert len(tab.asked) == before
    part(page, ".explorer-reset").click()
    expect(part(page, ".explorer-tile[data-key=gap] .explorer-value")).to_have_attribute("data-value", str(still))


def test_a_pair_is_shown_and_walked_from_its_picture_to_its_caption(tab: Tab) -> None:
    page = opened(tab)
    part(page, ".explorer-next").click()
    card = part(page, ".explorer-card")
    expect(card).to_contain_text("house, card index dividers and fried shrimp emoji")
    expect(card).to_contain_text("Pair 1 of 500")
    assert part(page, ".explorer-walk .explorer-step").count() == 11 + 2
    part(page, ".explorer-next").click()
    expect(card).to_contain_text("Pair 2 of 500")
    page.keyboard.press("Escape")


def test_something_else_is_done_to_the_clouds(tab: Tab) -> None:
    page = opened(tab)
    still = tile(page, "gap")
    part(page, ".explorer-move[data-key=centred]").click()
    page.wait_for_function(f"most => document.querySelector('{GAP}').dataset.value < most", arg=still / 2)
    expect(part(page, ".explorer-move-note")).to_contain_text("mean")
    slide(page, 0.1)
    expect(part(page, ".explorer-move[data-key=centred]")).to_have_attribute("aria-pressed", "false")


def test_a_lasso_lists_what_is_inside(tab: Tab) -> None:
    page = opened(tab)
    part(page, ".explorer-lasso").click()
    part(page, ".explorer-stage").scroll_into_view_if_needed()
    box = part(page, ".explorer-stage").bounding_box()
    assert box is not None
    corners = [(0.15, 0.1), (0.95, 0.1), (0.95, 0.85), (0.15, 0.85), (0.15, 0.1)]
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    expect(part(page, ".explorer-list")).to_contain_text("more")
    assert part(page, ".explorer-item").count() == 60
    part(page, ".explorer-clear").click()
    expect(part(page, ".explorer-item")).to_have_count(0)


def test_own_embeddings_are_measured_and_what_cannot_be_is_refused_beside_the_field(tab: Tab) -> None:
    page = opened(tab)
    images, texts = pairs(60, 12, gap=0.8)
    page.get_by_role("button", name="Your own pairs").click()
    page.set_input_files("#field-embeddings input[type=file]", [npz(images, texts[:5])])
    expect(page.get_by_text("row i of both is one pair")).to_be_visible()
    page.click("#run")  # what was refused is not replaced by the shipped pairs in silence
    expect(page.get_by_text("Not asked yet: see the field that is marked.")).to_be_visible()
    expect(page.get_by_text("row i of both is one pair")).to_be_visible()
    expect(page.locator("#answer-model .headline")).to_contain_text("500 drawn scenes")
    page.set_input_files("#field-embeddings input[type=file]", [npz(5 * images, texts)])
    expect(page.get_by_text("60 pairs of width 12")).to_be_visible()
    tab.run()
    expect(page.locator("#answer-model .headline")).to_contain_text("n = 60 pairs")
    expected = plainly(images, texts)["gap"]
    page.wait_for_function(
        f"gap => Math.abs(document.querySelector('{GAP}').dataset.value - gap) < 1e-3", arg=expected
    )
    assert part(page, ".explorer-colour option[value=norm]").count() == 1
    assert page.locator("#evidence-beside").is_hidden()
    page.set_input_files("#field-embeddings input[type=file]", [{**npz(images, texts), "buffer": b"no arrays"}])
    expect(page.get_by_text("can be read")).to_be_visible()
    page.click("#remove-embeddings")
    expect(page.get_by_text("can be read")).to_be_hidden()
    tab.run()
    expect(page.locator("#answer-model .headline")).to_contain_text("500 drawn scenes")


SETTINGS_JS = """
(side) => [...document.querySelectorAll(`#evidence-${side} *`)].find((one) => one.explorer).explorer.settings()
"""
RESTORE_JS = """
(wanted) => {
  const { explorer } = [...document.querySelectorAll('#evidence-model *')].find((one) => one.explorer);
  return wanted.map((one) => { explorer.restore(one); return explorer.settings(); });
}
"""
LINK = "#link textarea, #link input"


def settings(page: Page, side: str = "model") -> dict[str, object]:
    found: dict[str, object] = page.evaluate(SETTINGS_JS, side)
    return found


def test_what_was_set_in_both_explorers_travels_in_the_link(tab: Tab) -> None:
    page = opened(tab)
    tab.rest()
    slide(page, 0.5)
    part(page, ".explorer-dimension[data-dimensions='3']").click()
    part(page, ".explorer-next").click()
    part(page, ".explorer-colour").select_option("distance")
    page.locator("#evidence-beside .explorer-move[data-key=centred]").click()
    expect(page.locator(LINK)).to_have_value(re.compile("explore=.*explore-beside="))
    link = page.locator(LINK).input_value()
    assert parse_qs(urlsplit(page.url).query) == parse_qs(urlsplit(link).query)
    mine, beside = settings(page), settings(page, "beside")
    assert mine == {"dimensions": 3, "delta": 0.5, "pinned": 0, "colour": "distance"}
    assert beside == {"move": "centred"}
    gap = tile(page, "gap")
    other = Tab(page.context.new_page(), tab.address)
    elsewhere = opened(other, link.removeprefix(tab.address))
    elsewhere.wait_for_function("document.querySelector('#evidence-beside .explorer-move[aria-pressed=true]')")
    assert (settings(elsewhere), settings(elsewhere, "beside")) == (mine, beside)
    expect(elsewhere.locator(GAP)).to_have_attribute("data-value", str(gap))
    expect(part(elsewhere, ".explorer-card")).to_contain_text("Pair 1 of 500")
    expect(elsewhere.locator(LINK)).to_have_value(link)
    part(elsewhere, ".explorer-reset").click()
    expect(elsewhere.locator(LINK)).not_to_have_value(re.compile("delta"))
    assert (other.complaints, other.abroad) == ([], [])
    elsewhere.close()


HOSTILE: list[dict[str, object]] = [
    {"view": "__proto__", "move": "constructor", "colour": "<img src=x onerror=alert(1)>", "dimensions": "3"},
    {"delta": "1", "pinned": -1, "chosen": [1e9, -1, "a", None, 0.5], "pan": {"0": 1}, "zoom": None, "yaw": []},
    {"pinned": 10**6, "chosen": "0", "pan": ["a", None], "view": {"toString": 1}, "move": ["centred"], "x": {}},
    {"chosen": list(range(401)), "unknown": "y" * 1000, "view": 7, "colour": None, "pitch": "0"},
]


def test_a_link_that_wants_what_is_not_there_gives_the_page_as_usual(tab: Tab) -> None:
    page = opened(
        tab, "/modality-gap?" + urlencode({"explore": '{"delta": "1e99", "view": "<b>"}', "explore-beside": "["})
    )
    assert page.evaluate(RESTORE_JS, HOSTILE) == [{}] * len(HOSTILE)
    far = [{"delta": -7, "zoom": 1e9, "dimensions": 3, "pitch": -9}]
    assert page.evaluate(RESTORE_JS, far) == [{"delta": -1, "zoom": 40, "dimensions": 3, "pitch": -1.57}]
    expect(page.locator(".banner")).to_have_count(0)


@pytest.mark.slow
def test_umap_follows_with_its_warning(tab: Tab) -> None:
    page = opened(tab)
    page.wait_for_selector("#evidence-model .explorer-view[data-view=umap]:not([disabled])", timeout=120_000)
    part(page, ".explorer-view[data-view=umap]").click()
    expect(part(page, ".explorer-note")).to_contain_text("exaggerates gaps")
    expect(part(page, ".explorer-note")).to_contain_text("not moved by the slider")
