"""Files that a visitor brings: a zip and its table, embeddings, what is wrong with them, and lists with a note."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gradio.utils import get_upload_folder
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.app.conftest import Tab

pytestmark = pytest.mark.browser


def open_fold(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).click()


def send(page: Page, field: str, name: str, content: bytes) -> None:
    page.set_input_files(
        f"#field-{field} input[type=file]",
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content}],
    )


def faces(count: int = 24) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(count):
            picture = io.BytesIO()
            Image.fromarray(np.full((20, 20, 3), 10 * i % 255, np.uint8)).save(picture, "PNG")
            archive.writestr(f"val/{i}.png", picture.getvalue())
        archive.writestr("val/broken.png", b"nonsense")
    return stream.getvalue()


def table(count: int = 24) -> bytes:
    rows = [f"val/{i}.png,{('Male', 'Female')[i % 2]},{('A', 'B', 'C')[i % 3]}" for i in range(count)]
    return "\n".join(["file,gender,race", *rows, "val/broken.png,Male,A", "val/gone.png,Male,A", "short"]).encode()


def embeddings(count: int, seed: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32))
    return stream.getvalue()


def set_lines(page: Page, field: str, text: str) -> None:
    page.fill(f"#field-{field} textarea", text)
    page.locator(f"#field-{field} textarea").blur()


def test_own_pictures_with_a_table_are_audited_and_nothing_is_dropped_in_silence(tab: Tab) -> None:
    page = tab.open("/bias-audit")
    open_fold(page, "Your own pictures")
    expect(page.locator(".body")).to_contain_text("2,000 pictures and 200 MB")
    send(page, "images", "faces.zip", faces())
    expect(page.locator(".brought", has_text="faces.zip")).to_contain_text("25 pictures")
    send(page, "attributes", "labels.csv", table())
    expect(page.locator(".brought", has_text="labels.csv")).to_contain_text("26 rows; columns file, gender, race")
    expect(page.locator(".cautions", has_text="1 cells under 3 heads")).to_be_visible()
    set_lines(page, "groups", "")
    page.locator("#field-group input").fill("gender")
    page.keyboard.press("Enter")
    open_fold(page, "Harm words")
    set_lines(page, "added_words", "")
    set_lines(page, "harm_words", "")
    page.locator("#field-by input").fill("race")
    page.keyboard.press("Enter")
    page.get_by_label("off").check()
    found = tab.run()
    assert "24 pictures" in found
    expect(page.locator("#answer-model .cautions")).to_contain_text("3 rows or pictures could not be used")
    assert "faces" not in page.url
    assert "labels.csv" in page.input_value("#command textarea, #command input")
    left = [path for path in Path(get_upload_folder()).rglob("*") if path.name in ("faces.zip", "labels.csv")]
    assert left == []


def test_a_broken_table_gets_a_sentence_and_what_was_there_stays(tab: Tab) -> None:
    page = tab.open("/bias-audit")
    open_fold(page, "Your own pictures")
    send(page, "attributes", "good.csv", table())
    expect(page.locator(".brought")).to_contain_text("good.csv")
    send(page, "attributes", "bad.csv", b"a,a\n1,2\n")
    expect(page.locator(".error", has_text="two columns are called 'a'")).to_be_visible()
    expect(page.locator(".brought")).to_contain_text("good.csv")
    page.click("#remove-attributes")
    expect(page.locator(".brought")).to_have_count(0)


def test_embeddings_ask_no_model(tab: Tab) -> None:
    page = tab.open("/bias-audit")
    open_fold(page, "Your own pictures")
    send(page, "image_embeddings", "pictures.npy", embeddings(30, 0))
    send(page, "text_embeddings", "words.npy", embeddings(3, 1))
    rows = "\n".join(["gender", *("ab"[i % 2] for i in range(30))])
    send(page, "attributes", "who.csv", rows.encode())
    expect(page.locator(".brought")).to_have_count(3)
    set_lines(page, "words", "one\ntwo\nthree")
    set_lines(page, "groups", "")
    page.locator("#field-group input").fill("gender")
    page.keyboard.press("Enter")
    page.click("#field-by input")
    page.get_by_role("option", name="none").click()
    open_fold(page, "Harm words")
    set_lines(page, "added_words", "")
    set_lines(page, "harm_words", "")
    page.get_by_label("off").check()
    assert "30 pictures" in tab.run()
    assert len(tab.headlines) == 1
    expect(page.locator("#answer-model")).to_contain_text("no model: embeddings from files")
    assert "--model" not in page.input_value("#command textarea, #command input")


def test_a_list_with_a_note_asks_first(tab: Tab) -> None:
    page = tab.open("/bias-audit")
    before = page.input_value("#field-words textarea")
    page.click("#list-words input")
    page.get_by_role("option", name="Crime words").click()
    expect(page.locator(".content-note")).to_contain_text("These words accuse")
    assert page.input_value("#field-words textarea") == before
    page.click("#confirm-words")
    expect(page.locator("#field-words textarea")).to_have_value(re.compile("^a thief\na criminal\n"))
    expect(page.locator(".content-note")).to_have_count(0)
    page.wait_for_function("location.search.includes('words=%40crime')")


def test_two_visitors_do_not_see_each_others_files(browser: Browser, address: str) -> None:
    contexts = [browser.new_context() for _ in range(2)]
    one, other = (Tab(context.new_page(), address).open("/bias-audit") for context in contexts)
    for page in (one, other):
        open_fold(page, "Your own pictures")
    send(one, "attributes", "mine.csv", table())
    expect(one.locator(".brought")).to_contain_text("mine.csv")
    other.wait_for_timeout(500)
    expect(other.locator(".brought")).to_have_count(0)
    for context in contexts:
        context.close()


def test_the_examples_settings_go_when_own_files_come(tab: Tab) -> None:
    """The example asks about skin tones of drawn people; a table of one's own knows nothing of them."""
    page = tab.open("/bias-audit")
    assert page.input_value("#field-groups textarea").startswith("dark =")
    open_fold(page, "Your own pictures")
    send(page, "images", "faces.zip", faces())
    send(page, "attributes", "labels.csv", table())
    expect(page.locator("#field-groups textarea")).to_have_value("")
    expect(page.locator("#field-group input")).to_have_value("gender")
    expect(page.get_by_label("off")).to_be_checked()
    page.locator("#field-by input").fill("race")
    page.keyboard.press("Enter")
    assert "24 pictures" in tab.run()
    for field in ("images", "attributes"):
        page.click(f"#remove-{field}")
    expect(page.locator("#field-by input")).to_have_value("none")


def test_a_link_is_no_way_round_a_note(tab: Tab) -> None:
    page = tab.open("/bias-audit?words=%40crime&k=9&groups=man&groups=woman", ".banner")
    expect(page.locator(".banner")).to_contain_text("words that can hurt")
    expect(page.locator(".content-note")).to_contain_text("These words accuse")
    assert "thief" not in page.input_value("#field-words textarea")
    assert page.locator(".headline").count() == 0
    page.click("#confirm-words")
    expect(page.locator("#field-words textarea")).to_have_value(re.compile("^a thief\na criminal\n"))
    assert "words differ" in tab.run()


def test_a_link_gives_back_the_very_words_after_its_note(tab: Tab) -> None:
    page = tab.open("/bias-audit?harm_words=a+thief&harm_words=a+liar", ".banner")
    open_fold(page, "Harm words")
    assert page.input_value("#field-harm_words textarea") == ""
    page.click("#confirm-harm_words")
    expect(page.locator("#field-harm_words textarea")).to_have_value("a thief\na liar")
