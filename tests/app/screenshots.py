"""Pictures of every page, to look at: `python -m tests.app.screenshots [DIR [ADDRESS]]`.

Without a folder they go to `out/screenshots`, and without an address the app is started on the bundled models.
Each page is taken at 390, 768, 1280 and 1920 pixels, light and dark; `screenshot.png`, small enough for a README,
shows the first view of the first probe: copy it to `docs/screenshot.png` to renew the one that is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from app import glossary, launch, lessons
from app.engine import installed
from app.training_link import ADDRESS as TRAINING
from probes import registry
from tests import browser as chromium
from tests.app.conftest import ARGUMENTS, PATIENCE

WIDTHS = (390, 768, 1280, 1920)
FOLDER = Path(__file__).parents[2] / "out" / "screenshots"
THERE = {"/": ".probe-card img", TRAINING: ".pairs article", lessons.ADDRESS: ".sheet", glossary.ADDRESS: "dt"}
"""What tells that a page without a model's answer is there."""
MOODS = ("light", "dark")
FIRST_VIEW = 1080
"""Pixels of height of the picture in the README: as far as what both models answer."""


def take(browser: Browser, address: str, path: str, width: int, mood: str, into: Path, whole: bool = True) -> None:
    """One page as a picture."""
    page = browser.new_page(viewport={"width": width, "height": 900 if whole else FIRST_VIEW})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}{path}?__theme={mood}")
    page.locator(THERE.get(path, ".headline")).first.wait_for()
    if path not in THERE:
        page.locator("#evidence-beside .js-plotly-plot .main-svg").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=into, full_page=whole)
    page.close()


def main(folder: Path, address: str | None) -> None:
    """Every page, then the picture for the README."""
    folder.mkdir(parents=True, exist_ok=True)
    probes = list(registry.all_probes().values())
    demo = None
    if address is None:
        demo, address = launch(installed("bundled", files=True), probes, "127.0.0.1", None, wait=False)
    address = address.rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(ARGUMENTS))
        for path in ("/", *(probe.card.address for probe in probes), *list(THERE)[1:]):
            for width in WIDTHS:
                for mood in MOODS:
                    take(
                        browser,
                        address,
                        path,
                        width,
                        mood,
                        folder / f"{path.strip('/') or 'start'}-{width}-{mood}.png",
                    )
        shot = folder / "screenshot.png"
        take(browser, address, probes[0].card.address, 1280, "light", shot, whole=False)
        Image.open(shot).convert("RGB").quantize(256).save(shot, optimize=True)
        browser.close()
    if demo is not None:
        demo.close(verbose=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, sys.argv[2] if len(sys.argv) > 2 else None)
