"""The app as a visitor has it, in a real browser."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from app import stage
from tests.app.conftest import Tab

pytestmark = pytest.mark.browser

PAGES = ("/zero-shot", "/bias-audit", "/modality-gap", "/red-circle", "/attention-heads")
FILE = ".stage input[type=file]"


def png(colour: str, name: str) -> dict[str, object]:
    stream = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(stream, format="PNG")
    return {"name": name, "mimeType": "image/png", "buffer": stream.getvalue()}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_with_an_answer(tab: Tab, path: str) -> None:
    page = tab.open(path)
    assert len(tab.headline) > 20
    page.wait_for_selector(".js-plotly-plot .main-svg")
    expect(page.locator("#link textarea, #link input")).to_have_value(tab.address + path)
    page.locator("#answer-beside .headline").wait_for()
    assert page.locator(".answer .side-name").all_inner_texts() == ["Skewed", "Balanced"]
    assert tab.headlines[0] != tab.headlines[1]
    for provenance in page.locator(".provenance").all():
        expect(provenance).to_contain_text("on cpu in float32")
    expect(page.locator(".about")).to_have_text(
        "Skewed: things were planted. Balanced: none was. Neither says anything about any other CLIP. "
        "See what they were trained on."
    )


def test_the_start_page_leads_to_every_probe(tab: Tab) -> None:
    page = tab.open("/", ".probe-card")
    expect(page.locator(".probe-card img")).to_have_count(len(PAGES))
    for place, path in enumerate(PAGES):
        tab.open("/", ".probe-card").locator(".probe-card").nth(place).click()
        page.wait_for_selector(".headline")
        assert page.url == tab.address + path


@pytest.mark.parametrize("path", ["/", *PAGES])
def test_nothing_sticks_out_of_a_phone(browser: Browser, address: str, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = Tab(context.new_page(), address).open(path, ".headline, .probe-card")
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.evaluate("document.body.classList.contains('dark')")
    context.close()


def test_an_uploaded_picture_is_answered_and_named_nowhere_in_the_link(tab: Tab) -> None:
    page = tab.open("/zero-shot")
    before = tab.headline
    page.set_input_files(FILE, [png("teal", "mine.png")])
    page.wait_for_selector("img[alt='mine.png']")
    expect(page.locator(".notice")).to_contain_text("Changed since this answer")
    assert tab.run() != before
    assert "mine.png" in page.input_value("#command textarea, #command input")
    assert "mine" not in page.url


def test_a_broken_picture_gets_a_sentence_and_the_page_goes_on(tab: Tab) -> None:
    page = tab.open("/red-circle")
    broken = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0 nonsense"}
    page.set_input_files(FILE, [broken])
    expect(page.locator(".view .error")).to_contain_text("broken.jpg: the picture is broken")
    page.set_input_files(FILE, [png("olive", "good.png")])
    page.wait_for_selector("img[alt='good.png']")
    expect(page.locator(".view .error")).to_have_count(0)
    tab.run()


def test_a_link_gives_back_what_was_set(tab: Tab) -> None:
    last = stage.name_of(stage.bundled()[-1])
    page = tab.open(
        f"/red-circle?marks=circle+0.75,0.4+0.1+green&outside=greyed&grid=3&texts=a+car&texts=%F0%9F%9A%97&example={last}"
    )
    expect(page.locator("#field-texts textarea")).to_have_value("a car\n🚗")
    expect(page.locator("#field-marks textarea")).to_have_value("circle 0.75,0.4 0.1 green")
    assert page.locator("#field-outside input:checked").get_attribute("value") == "greyed"
    expect(page.locator(".provenance").first).to_be_visible()
    link = page.input_value("#link textarea, #link input")
    headline = tab.headline
    tab.open(link.removeprefix(tab.address))
    expect(page.locator("#field-texts textarea")).to_have_value("a car\n🚗")
    assert tab.headline == headline


def test_a_hostile_link_gets_sentences(tab: Tab) -> None:
    page = tab.open(
        "/red-circle?outside=%3Cscript%3E&images=/etc/passwd&model=../../x&beside=%3Cb%3E"
        "&marks=circle+0.5,0.5+0.1+%3Cb%3E&texts=%24%7Balert(1)%7D"
        "&texts=%7B%7Bvalue%7D%7D&texts=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&nonsense=1"
    )
    errors = " ".join(page.locator(".error").all_inner_texts())
    assert '"<b>" in "circle 0.5,0.5 0.1 <b>" is neither a colour' in errors
    assert "“<script>”" in errors or '"<script>"' in errors
    assert "Pictures never travel in a link" in errors
    assert "The page's own model is used instead" in errors
    expect(page.locator(".field:has(#field-beside) .error")).to_contain_text("used instead")
    assert "“nonsense”" in page.inner_text(".banner")
    assert "Traceback" not in page.content()
    assert page.input_value("#field-texts textarea").splitlines()[0] == "${alert(1)}"


def test_what_is_wrong_is_said_beside_the_field(tab: Tab) -> None:
    page = tab.open("/zero-shot")
    page.fill("#field-labels textarea", "alone")
    page.click("#run")
    expect(page.locator(".field:has(#field-labels) .error")).to_contain_text("Give at least 2 lines")
    expect(page.locator("#run")).to_be_visible()
    page.fill("#field-labels textarea", "one\ntwo")
    tab.run()
    expect(page.locator(".error")).to_have_count(0)


def test_a_model_that_cannot_be_had_is_priced_beside_its_picker(tab: Tab) -> None:
    page = tab.open("/zero-shot?model=broken:model", ".notice")
    expect(page.locator(".field:has(#field-model) .model-line")).to_contain_text("605 MB to download")
    expect(page.locator("#field-beside input")).to_have_value("no second model")


def test_an_error_of_one_model_is_on_its_side_and_the_other_answers(tab: Tab) -> None:
    tab.open("/red-circle")  # by then it is known which models are on disk
    page = tab.open("/red-circle?beside=lacking:model")
    expect(page.locator("#answer-beside")).to_contain_text("lacking:model")
    expect(page.locator(".headline")).to_have_count(2)
    page = tab.open("/zero-shot?beside=bug:model", ".notice")
    tab.run()
    assert len(tab.headlines) == 1
    expect(page.locator("#answer-beside .banner")).to_contain_text("nobody foresaw (RuntimeError)")
    expect(page.locator("#evidence-beside, #taken-beside")).to_have_count(0)
    page.locator("#evidence-model .js-plotly-plot .main-svg").first.wait_for()
    page = tab.open("/zero-shot?model=bug:model&beside=bundled:balanced", ".notice")
    tab.run()
    expect(page.locator("#answer-model .banner")).to_contain_text("nobody foresaw")
    expect(page.locator("#answer-beside .headline")).to_be_visible()


def test_a_link_brings_back_both_models(tab: Tab) -> None:
    page = tab.open("/zero-shot?model=bundled:balanced&beside=bundled:skewed&labels=a+cat&labels=a+dog")
    page.locator("#answer-beside .headline").wait_for()
    assert page.locator("#answer-model .side-name, #answer-beside .side-name").all_inner_texts() == [
        "Balanced", "Skewed",
    ]  # fmt: skip
    headlines, link = tab.headlines, page.input_value("#link textarea, #link input")
    assert "model=bundled%3Abalanced&beside=bundled%3Askewed" in link
    commands = [page.input_value(f"{box} textarea, {box} input") for box in ("#command", "#command-beside")]
    assert "--model bundled:balanced" in commands[0]
    assert "--model bundled:skewed" in commands[1]
    page = tab.open(link.removeprefix(tab.address))
    page.locator("#answer-beside .headline").wait_for()
    assert tab.headlines == headlines
    anchor = page.locator(".site-top nav a").first.get_attribute("href") or ""
    assert "beside=bundled%3Askewed" in anchor


def test_one_model_alone(tab: Tab) -> None:
    page = tab.open("/zero-shot?beside=none")
    assert len(tab.headlines) == 1
    expect(page.locator("#answer-beside")).to_have_count(0)
    tab.open("/zero-shot")
    page.locator("#answer-beside .headline").wait_for()
    page.click("#field-beside input")
    page.get_by_role("option", name="no second model").click()
    expect(page.locator("#answer-beside, #evidence-beside, #taken-beside")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"beside=none$"))
    expect(page.locator(".notice")).to_have_count(0)
    expect(page.locator(".about")).to_contain_text("It says nothing about any other CLIP")


def test_the_two_sides_are_drawn_to_the_same_axes(tab: Tab) -> None:
    page = tab.open("/zero-shot?labels=a+cat&labels=a+dog&labels=a+cow")
    page.locator("#evidence-beside .js-plotly-plot .main-svg").first.wait_for()
    drawn = page.evaluate(
        """() => ['model', 'beside'].map(side =>
          [...document.querySelectorAll(`#evidence-${side} .js-plotly-plot`)].map(plot => {
            const {xaxis, yaxis} = plot._fullLayout;
            const names = [...plot.querySelectorAll('.yaxislayer-above text')].map(text => text.textContent);
            return [xaxis.range, yaxis.range, names, plot.getBoundingClientRect().top];
          }))"""
    )
    assert len(drawn[0]) == 3
    assert drawn[0] == drawn[1]


def test_a_bundled_picture_brings_its_labels(tab: Tab) -> None:
    page = tab.open("/zero-shot")
    before = page.input_value("#field-labels textarea")
    page.locator(".tile").nth(2).click()
    expect(page.locator("#field-labels textarea")).not_to_have_value(before)
    expect(page).to_have_url(re.compile("example="))


@pytest.mark.parametrize("paths", [("/zero-shot", "/zero-shot"), ("/red-circle", "/attention-heads")])
def test_two_visitors_never_see_each_other(browser: Browser, address: str, paths: tuple[str, str]) -> None:
    contexts = [browser.new_context() for _ in paths]
    tabs = [Tab(context.new_page(), address) for context in contexts]
    names = ("red", "blue")
    for tab, path, name in zip(tabs, paths, names, strict=True):
        tab.open(path).set_input_files(FILE, [png(name, f"{name}.png")])
        tab.page.wait_for_selector(f"img[alt='{name}.png']")
    for tab in tabs:
        tab.page.click("#run")  # both at once
    for tab, own, other in zip(tabs, names, reversed(names), strict=True):
        for box in ("#command", "#command-beside"):
            command = tab.page.locator(f"{box} textarea, {box} input")
            expect(command).to_have_value(re.compile(rf"\b{own}\.png"))
        tab.page.wait_for_selector(".progress", state="detached")
        assert f"{other}.png" not in tab.page.content()
    one, other = ({*tab.headlines} for tab in tabs)
    assert one
    assert not one & other
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("button", "name", "begins"),
    [
        ("json", "red_circle_bundled-skewed.json", "{"),
        ("json-beside", "red_circle_bundled-balanced.json", "{"),
        ("html", "red_circle_bundled-skewed.html", "<!doctype html>"),
        ("png", "red_circle_bundled-skewed.png", "\x89PNG"),
        ("bib", "red_circle.bib", "@misc"),
    ],
)
def test_downloads(tab: Tab, tmp_path: Path, button: str, name: str, begins: str) -> None:
    page = tab.open("/red-circle")
    page.locator("#answer-beside .headline").wait_for()
    with page.expect_download() as download:
        page.click(f"#save-{button}")
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == name
    text = saved.read_bytes().decode("latin-1" if button == "png" else "utf-8")
    assert text.startswith(begins)
    if button.startswith("json"):
        assert json.loads(text)["headline"] == tab.headlines["beside" in button]


def test_a_table_opens_and_is_saved_as_csv(tab: Tab) -> None:
    page = tab.open("/zero-shot")
    page.locator(".table-fold").first.locator("button").first.click()
    expect(page.locator(".table-fold").first).to_contain_text("probability")
    with page.expect_download() as download:
        page.locator(".table-fold").first.get_by_role("button", name="Download this table as CSV").click()
    assert download.value.suggested_filename == "zero_shot_answers_bundled-skewed.csv"
