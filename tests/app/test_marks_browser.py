"""Marks drawn by hand on the page of the red circle, what follows the hand, and a stop that keeps what is done."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from probes.red_circle import sweep
from tests.app.conftest import Tab
from tests.core.test_marks import CONTROL

pytestmark = pytest.mark.browser
MARKS = "#field-marks textarea"
QUICK = (
    "/red-circle?marks=circle+0.3,0.5+0.1+width%3D0.03&outside=as+it+is&grid=0&curves=off&texts=a+dog&texts=a+cat"
)


def spot(tab: Tab, x: float, y: float) -> tuple[float, float]:
    """Where on the screen a place on the picture is; its frame may be wider than the picture."""
    found = tab.page.evaluate(
        """([x, y]) => {
          const image = document.querySelector('.stage img'), box = image.getBoundingClientRect();
          const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
          const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
          const [left, top] = [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2];
          return [left + x * width, top + y * height];
        }""",
        [x, y],
    )
    return found[0], found[1]


def drag(tab: Tab, start: tuple[float, float], end: tuple[float, float], steps: int = 15) -> None:
    tab.page.mouse.move(*spot(tab, *start))
    tab.page.mouse.down()
    for step in range(1, steps + 1):
        share = step / steps
        tab.page.mouse.move(*spot(tab, *(a + share * (b - a) for a, b in zip(start, end, strict=True))))
        tab.page.wait_for_timeout(15)
    tab.page.mouse.up()


def written(tab: Tab, pattern: str) -> tuple:
    """What stands in the field of marks once it looks as it should."""
    expect(tab.page.locator(MARKS)).to_have_value(re.compile(pattern))
    return CONTROL.parse(tab.page.input_value(MARKS))


def test_a_click_moves_the_mark_the_picture_the_link_and_the_bars(tab: Tab) -> None:
    page = tab.open(QUICK)
    image = page.locator(".stage img")
    before = image.get_attribute("src")
    bars = page.locator(".glance").first
    expect(bars).to_contain_text("a dog")
    expect(page.locator(".glance")).to_have_count(2)
    told = bars.inner_text()
    page.mouse.click(*spot(tab, 0.5, 0.25))
    (mark,) = written(tab, r"circle 0\.(49|5)\d*,0\.2")
    assert mark.centre == pytest.approx((0.5, 0.25), abs=0.01)
    assert (mark.radius, mark.width) == (0.1, 0.03)
    expect(image).not_to_have_attribute("src", before or "")
    expect(page).to_have_url(re.compile(r"marks=circle\+0\.(49|5)"))
    expect(bars).not_to_have_text(told)
    expect(page.locator(".notice")).to_contain_text("Changed since this answer")
    image.focus()
    page.keyboard.press("ArrowRight")
    (moved,) = written(tab, r"circle 0\.5[12]")
    assert moved.centre[0] == pytest.approx(mark.centre[0] + 0.02, abs=0.002)
    assert page.evaluate("document.activeElement.tagName") == "IMG"  # the new picture has the focus of the old one


def test_a_drag_draws_anew_and_the_last_place_counts(tab: Tab) -> None:
    tab.open(QUICK)
    tab.page.get_by_role("button", name="Rectangle").click()
    written(tab, "^rectangle")
    drag(tab, (0.6, 0.1), (0.9, 0.6))
    (mark,) = written(tab, r"^rectangle \S+ 0\.(89|9)\d*,0\.(59|6)")
    assert sum(mark.points, ()) == pytest.approx((0.6, 0.1, 0.9, 0.6), abs=0.02)
    drag(tab, (0.75, 0.35), (0.45, 0.55))  # from its middle: it moves as it is
    (moved,) = written(tab, r"^rectangle \S+ 0\.(59|6)\d*,0\.(79|8)")
    assert moved.centre == pytest.approx((0.45, 0.55), abs=0.02)
    tab.page.get_by_role("button", name="Arrow").click()
    drag(tab, (0.9, 0.1), (0.7, 0.2))
    (arrow,) = written(tab, r"^arrow \S+ 0\.(69|7)\d*,0\.(19|2)")
    assert arrow.centre == pytest.approx((0.7, 0.2), abs=0.02)


def test_marks_are_added_coloured_and_taken_away(tab: Tab) -> None:
    page = tab.open(QUICK)
    page.get_by_role("button", name="Add a mark").click()
    first, second = written(tab, r"circle[^\n]*\ncircle")
    assert first.centre != second.centre
    page.get_by_role("button", name="Blue").click()
    _, second = written(tab, "blue")
    assert second.colour == "blue"
    page.locator(".stage img").focus()
    page.keyboard.press("Delete")
    (left,) = written(tab, r"^circle[^\n]*$")
    assert left == first
    page.keyboard.press("Delete")  # the last one stays
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_disabled()
    assert written(tab, "circle") == (left,)


def test_what_is_typed_is_drawn_and_what_is_wrong_is_said(tab: Tab) -> None:
    page = tab.open(QUICK)
    page.fill(MARKS, "point 0.8,0.2 0.05 green")
    page.locator("h1").click()
    expect(page.locator(".stage")).to_have_attribute("data-marks", re.compile("green"))
    expect(page.locator(".marks-bar [aria-label=Point]")).to_have_attribute("aria-pressed", "true")
    page.fill(MARKS, "blob 0.8,0.2")
    page.locator("h1").click()
    expect(page.locator(".field:has(#field-marks) .error")).to_contain_text("is no mark; there are circle")
    expect(page.locator(".stage")).to_have_attribute(
        "data-marks", re.compile("green")
    )  # what was drawn last stays


def test_what_is_wrong_in_a_fold_opens_it(tab: Tab) -> None:
    page = tab.open(QUICK + "&among=my+marks", ".notice")
    expect(page.locator(".field:has(#field-among) .error")).to_contain_text("Draw at least two marks")
    expect(page.locator(".glance")).to_have_count(2)  # the bars need no second mark


def test_a_map_fills_while_a_slow_model_works_and_a_stop_keeps_it(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "AT_ONCE", 4)  # long enough for whoever wants to stop it
    page = tab.open(
        "/red-circle?model=unhurried:model&grid=14&curves=off&foveal=off&texts=a+dog&texts=a+cat", ".progress"
    )
    expect(page.locator("#stop")).to_be_visible()
    expect(page.locator("#answer-model .headline")).to_contain_text("placebos")
    expect(page.locator("#evidence-model")).to_contain_text(re.compile(r"\(\d+ of 196 places\)"))
    assert page.locator("#stop").is_visible()  # it still works
    page.click("#stop")
    expect(page.locator(".notice")).to_contain_text("What was done by then is shown")
    expect(page.locator("#answer-model .cautions")).to_contain_text("The map has")
    with page.expect_download() as download:
        page.click("#save-json")
    assert download.value.suggested_filename == "red_circle_unhurried-model.json"


def test_accusing_labels_stand_behind_a_note(tab: Tab) -> None:
    page = tab.open(QUICK)
    page.get_by_role("button", name="A circle round a person").click()
    assert page.input_value("#field-accusing textarea") == ""
    page.locator("#list-accusing input").click()
    page.get_by_role("option", name=re.compile("Accusing labels")).click()
    expect(page.locator(".content-note")).to_contain_text("knows nothing about the person")
    assert page.input_value("#field-accusing textarea") == ""
    page.click("#confirm-accusing")
    expect(page.locator("#field-accusing textarea")).to_have_value(re.compile("a suspect"))
    page.click("#run")
    expect(page.locator("#evidence-model")).to_contain_text("A circle round a drawn person")
    expect(page.locator("#command textarea, #command input").first).to_have_value(
        re.compile("--accusing @accusing")
    )


def test_a_link_may_not_bring_accusing_labels_unasked(tab: Tab) -> None:
    page = tab.open(QUICK + "&accusing=a+suspect", ".banner")
    expect(page.locator(".banner").first).to_contain_text("This link asks about words that can hurt")
    page.get_by_role("button", name="A circle round a person").click()
    assert page.input_value("#field-accusing textarea") == ""
