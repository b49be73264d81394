"""Modality gaps: seconds and memory of measuring one from embeddings, and how fast the browser moves one.

Each measurement runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
from numpy.typing import NDArray

from bench.apart import Timed, apart, peak
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.model import Float32
from probes.core.no_model import NoModel
from probes.core.probe import run
from probes.modality_gap import PROBE
from probes.modality_gap.closed_form import closed_forms
from probes.modality_gap.moves import shift
from probes.modality_gap.pairwise import Scoring, compare
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.rows import gap_direction

PAIRS, MANY, WIDTH = 5_000, 50_000, 512
FRAMES = 90
"""Steps of the slider that are timed."""
BROWSER = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def drawn(n: int) -> tuple[Float32, Float32]:
    """Pairs with a gap, that half of the time find each other."""
    rng = np.random.default_rng(0)
    shared, gap = rng.normal(size=(n, WIDTH)), rng.normal(size=WIDTH)
    sides = []
    for sign in (1, -1):
        rows = (shared + sign * gap + 3.2 * rng.normal(size=(n, WIDTH))).astype(np.float32)
        sides.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return sides[0], sides[1]


def asked(n: int, all_pairs: bool = False) -> ModalityGapParams:
    """Parameters for drawn pairs."""
    given = EmbeddingPairs.of("drawn", *drawn(n))
    return ModalityGapParams(embeddings=given, all_pairs=all_pairs)


def everything() -> Timed:
    """All measures, moves, paths and views of 5,000 pairs; and the plain way to shift them, a product a step."""
    params = asked(PAIRS)
    PROBE.measure(ModalityGapParams(embeddings=EmbeddingPairs.of("few", *drawn(300))), NoModel(100.0), _nobody)
    began = time.perf_counter()
    PROBE.measure(params, NoModel(100.0), _nobody)
    seconds = time.perf_counter() - began
    return Timed(seconds, peak(), _plain_shift(params) / _our_shift(params))


def _nobody(share: float, doing: str) -> None:
    """Progress that nobody watches."""


def _deltas(params: ModalityGapParams) -> tuple[Float32, Float32, list[float], NDArray[np.float64]]:
    images, texts = params.embeddings.images, params.embeddings.texts
    direction, _ = gap_direction(images, texts)
    return images, texts, [-1 + 0.25 * step for step in range(9)], direction


def _our_shift(params: ModalityGapParams) -> float:
    images, texts, deltas, direction = _deltas(params)
    began = time.perf_counter()
    compare(images, texts, [shift(direction, d) for d in deltas], [Scoring(100.0), Scoring(1.0)])
    return time.perf_counter() - began


def _plain_shift(params: ModalityGapParams) -> float:
    """Move the rows, multiply, and take logarithms of sums, once for each step."""
    images, texts, deltas, direction = _deltas(params)
    began = time.perf_counter()
    for delta in deltas:
        move = shift(direction, delta)
        table = move.images(images) @ move.texts(texts).T
        own = np.diag(table)
        for scale in (100.0, 1.0):
            for axis in (0, 1):
                np.log(np.exp(scale * (table.astype(np.float64) - 1)).sum(axis=axis)) + scale
        (table > own[:, None]).sum(axis=1), (table > own[None]).sum(axis=0)
    return time.perf_counter() - began


def sums() -> Timed:
    """The measures that need sums alone, of 50,000 pairs, with intervals."""
    images, texts = drawn(MANY)
    closed_forms(images[:100], texts[:100], 0)
    began = time.perf_counter()
    closed_forms(images, texts, 0)
    return Timed(time.perf_counter() - began, peak())


def by_default() -> Timed:
    """All of 50,000 pairs as the probe does it by default: a random 5,000 compared with one another."""
    params = asked(MANY)
    began = time.perf_counter()
    run(PROBE, params, NoModel(100.0))
    return Timed(time.perf_counter() - began, peak())


def every_pair() -> Timed:
    """All of 50,000 pairs, every one compared with every other."""
    params = asked(MANY, all_pairs=True)
    began = time.perf_counter()
    run(PROBE, params, NoModel(100.0))
    return Timed(time.perf_counter() - began, peak())


def in_browser() -> Timed:
    """Seconds until 5,000 pairs are on the screen; the ratio is frames a second while the slider moves."""
    params = asked(PAIRS)
    explorer = PROBE.explorer
    if explorer is None:
        raise RuntimeError("the probe has no explorer")
    payload = json.dumps(explorer.payload(params, PROBE.measure(params, NoModel(100.0), _nobody)))
    script = f"{explorer.script}; createExplorer(element).show(payload);"
    style = "".join(path.read_text(encoding="utf-8") for path in explorer.styles)
    return _timed(f"<style>{style}</style>", script, payload)


def bare_browser() -> Timed:
    """The same page with a slider and nothing else: what the browser itself can do on this machine."""
    slider = "<input type=range class=explorer-slider min=-1 max=1 step=0.025>"
    return _timed("", f"element.innerHTML = '{slider}';", "null")


def _timed(style: str, script: str, payload: str) -> Timed:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(args=[*BROWSER], executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_content(f"{style}<body><div id='here'></div></body>")
        page.evaluate(f"() => {{ window.make = (element, payload) => {{ {script} }} }}")
        timed = page.evaluate(_TIMING, [payload, FRAMES])
        browser.close()
    return Timed(timed["shown"] / 1000, peak(), timed["frames"])


_TIMING = """
async ([payload, frames]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const begun = performance.now();
  window.make(document.getElementById('here'), JSON.parse(payload));
  await frame(); await frame();
  const shown = performance.now() - begun;
  const slider = document.querySelector('.explorer-slider');
  const from = performance.now();
  for (let step = 0; step < frames; step += 1) {
    slider.value = Math.sin(step / 15);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await frame();
  }
  return {shown, frames: 1000 * frames / (performance.now() - from)};
}
"""


def gaps() -> dict[str, Timed]:
    """All of these."""
    works = (everything, sums, by_default, every_pair, in_browser, bare_browser)
    return {work.__name__: apart(work) for work in works}
