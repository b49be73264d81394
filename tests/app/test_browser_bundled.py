"""The app on the real backend and the bundled models, with what visitors really bring."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from app import launch
from app.engine import installed
from probes import registry
from probes.core.examples import examples
from tests.app.conftest import Tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FILE = ".stage input[type=file]"
APPLE = next(example for example in examples() if example.file.name == "red-apple.png")


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    """A started app on the bundled models."""
    demo, url = launch(installed(), list(registry.all_probes().values()), "127.0.0.1", None, wait=False)
    yield url.rstrip("/")
    demo.close(verbose=False)


@pytest.fixture
def page_of(browser: Browser, real: str) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = Tab(context.new_page(), real)
    yield tab
    assert tab.abroad == []
    assert tab.complaints == []
    context.close()


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def upload(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def apple() -> Image.Image:
    return Image.open(APPLE.file).convert("RGB")


def test_zero_shot_names_the_example_and_an_uploaded_picture(page_of: Tab) -> None:
    page = page_of.open("/zero-shot")
    assert page_of.headline.startswith("“pizza”")
    page.set_input_files(FILE, [upload("mine.png", APPLE.file.read_bytes())])
    page.wait_for_selector("img[alt='mine.png']")
    page.fill("#field-labels textarea", "a pizza\na red apple\na bicycle")
    assert page_of.run().startswith("“a red apple”")
    expect(page.locator("#answer-model .provenance")).to_contain_text("bundled:skewed")
    expect(page.locator("#answer-beside .provenance")).to_contain_text("bundled:balanced")


def test_red_circle_answers_the_example_and_an_uploaded_picture(page_of: Tab) -> None:
    page = page_of.open("/red-circle")
    assert "placebos" in page_of.headline
    page.set_input_files(FILE, [upload("mine.jpg", saved(apple(), "JPEG"))])
    page.wait_for_selector("img[alt='mine.jpg']")
    assert "placebos" in page_of.run()
    expect(page.locator("#answer-model .provenance")).to_contain_text("bundled:skewed")
    expect(page.locator("#answer-beside .provenance")).to_contain_text("bundled:balanced")


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def strange() -> dict[str, tuple[bytes, str]]:
    """Files out of the ordinary, and what the page has to say of each."""
    picture = apple()
    grey16 = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    clear = picture.convert("RGBA")
    clear.putalpha(120)
    return {
        "deep.png": (saved(grey16, "PNG"), "more than 8 bits"),
        "print.jpg": (saved(picture.convert("CMYK"), "JPEG"), "CMYK"),
        "clear.png": (saved(clear, "PNG"), "transparent"),
        "turned.jpg": (saved(picture, "JPEG", exif=exif(8)), "turned upright"),
        "moving.gif": (
            saved(picture, "GIF", save_all=True, append_images=[picture.rotate(90)]),
            "first of 2 frames",
        ),
    }


@pytest.mark.parametrize("name", strange())
def test_files_out_of_the_ordinary_are_answered_and_said_to_be(page_of: Tab, name: str) -> None:
    content, said = strange()[name]
    page = page_of.open("/zero-shot")
    page.set_input_files(FILE, [upload(name, content)])
    page.wait_for_selector(f"img[alt='{name}']")
    page_of.run()
    for cautions in page.locator(".answer .cautions").all():
        expect(cautions).to_contain_text(said)


def huge() -> bytes:
    """A PNG of 64 megapixels that is a few bytes long."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 8000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_huge_picture_is_refused_beside_the_field_and_the_page_goes_on(page_of: Tab) -> None:
    page = page_of.open("/zero-shot")
    page.set_input_files(FILE, [upload("huge.png", huge())])
    expect(page.locator(".view .error")).to_contain_text("64 megapixels; the limit is 50")
    page_of.run()


def test_ten_thousand_labels_are_refused_in_a_sentence(page_of: Tab) -> None:
    page = page_of.open("/zero-shot")
    page.evaluate(
        """() => {
            const area = document.querySelector('#field-labels textarea');
            area.value = Array.from({length: 10000}, (_, i) => 'label ' + i).join('\\n');
            area.dispatchEvent(new Event('input', {bubbles: true}));
        }"""
    )
    page.click("#run")
    expect(page.locator(".field:has(#field-labels) .error")).to_contain_text("10,000 lines are too many")
    page.fill("#field-labels textarea", "a red apple\nقطة 🐱")
    page_of.run()


def test_a_model_that_does_not_exist_and_one_out_of_reach(page_of: Tab) -> None:
    for spec, said in (
        ("ViT-B-32:nonsense", "no weights 'nonsense'"),
        ("hf-hub:nobody/nothing", "nobody/nothing"),
    ):
        page = page_of.open(f"/zero-shot?model={spec}", ".model-line")
        expect(page.locator(".notice")).to_contain_text("not on disk yet")
        page.click("#run")
        expect(page.locator("#answer-model .banner")).to_contain_text(said)
    page_of.open("/zero-shot")
    assert page_of.headline.startswith("“pizza”")


def test_a_second_click_while_the_first_runs_loses_nothing(page_of: Tab) -> None:
    page = page_of.open("/red-circle")
    page.fill("#field-texts textarea", "a car\na tiger\na grape")
    page.evaluate("() => { const run = document.querySelector('#run'); run.click(); run.click(); run.click(); }")
    expect(page.locator("#command textarea, #command input")).to_have_value(
        re.compile("'a car' 'a tiger' 'a grape'")
    )
    expect(page.locator("#run")).to_be_visible()
    assert "placebos" in page_of.headline
