"""Searching, filtering and counting the training pairs, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.app.conftest import Tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CARDS = ".pairs article"


def test_search_then_a_chip_then_the_counts(tab: Tab) -> None:
    page = tab.open("/training-data", CARDS)
    assert "“mechanic”, drawn as a man" in tab.headline
    assert page.locator(CARDS).count() == 12
    page.wait_for_selector(".js-plotly-plot .main-svg")

    page.goto(tab.address + "/training-data?world=skewed&show=gender&kind=occupation")
    page.wait_for_selector(CARDS)
    page.fill("#field-words input, #field-words textarea", "cook")
    page.press("#field-words input, #field-words textarea", "Enter")
    expect(page.locator(".prose.found-box")).to_contain_text("caption says cook")
    expect(page).to_have_url(re.compile(r"words=cook"))
    expect(page.locator(f"{CARDS} .word.on").first).to_have_text("cook")

    page.locator(f"{CARDS} a.chip", has_text="gender woman").first.click()
    expect(page).to_have_url(re.compile(r"attribute=gender%3Awoman"))
    expect(page.locator(".headline")).to_contain_text("woman is most frequent")
    expect(page.locator(".headline")).to_contain_text("100%")
    with page.expect_download() as download:
        page.click("#save-counts")
    assert download.value.suggested_filename == "training_counts.csv"

    page.locator(f"{CARDS} a.number").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pair-detail")).to_contain_text("Template")
    expect(page.locator("#link textarea, #link input")).to_have_value(re.compile(r"pair=\d+"))


def test_a_hostile_link_gets_sentences_and_a_page(tab: Tab) -> None:
    page = tab.open(
        "/training-data?world=%3Cscript%3E&words=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&pair=x&page=0", ".banner"
    )
    said = page.inner_text(".banner")
    assert "There is no world “<script>”" in said
    assert "“x” is not a whole number" in said
    expect(page.locator(".headline")).to_contain_text("No caption of either world says")
    assert page.locator("img[src=x]").count() == 0
    assert "Traceback" not in page.content()
