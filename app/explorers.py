"""Explorers on the page: a probe's own script with what an answer holds, and what follows after it.

What follows (a map that takes long to compute) is told step by step and kept for the next visitor who sees the
same answer. What a visitor sets in an explorer travels in the address, which the browser alone writes and reads.
Each message bears the stamp of its answer, so that none reaches a page that shows another one by
then.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import gradio as gr
from cachetools import LRUCache

from app import failures
from app.engine import Answer, Engine
from app.running import Job, Ticket
from probes import registry
from probes.core.errors import Cancelled
from probes.core.explorer import Explorer, Payload
from probes.core.probe import AnyProbe

KEPT = 32
"""What followed so many steps of answers is kept."""

GLUE_JS = """
const explorer = createExplorer(element.querySelector('.explorer-root'));
element.explorer = explorer;
let stamp = null, grows = null, wanted = window.clipspect.wanted(NAME), timer = null;
const tell = () => { if (explorer.settings) window.clipspect.explore(NAME, explorer.settings()); };
function take() {
  const payload = props.value ? JSON.parse(props.value) : null, before = stamp;
  stamp = payload && payload.stamp;
  explorer.show(payload);
  if (before && !(payload && payload.grows && payload.grows === grows)) wanted = null;
  if (!payload && !before) return;
  grows = payload && payload.grows;
  if (payload && wanted && explorer.restore) explorer.restore(wanted);
  tell();
}
watch('value', take);
watch('later', () => {
  const update = props.later ? JSON.parse(props.later) : null;
  if (update && update.stamp === stamp) explorer.later(update);
});
for (const type of ['click', 'dblclick', 'input', 'change', 'keyup', 'pointerup', 'wheel']) {
  element.addEventListener(type, () => {
    wanted = null;
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLED);
  }, {passive: true});
}
take();
"""
"""Joins a script to its component: `value` holds what is shown, `later` what comes after. What a link wants of the
explorer is set once its answer is there, again while that answer grows, and no more after a hand was on it; what a
hand sets goes into the address under NAME."""
SETTLED = 300
"""Milliseconds after the last move of a hand until the address follows."""
NAMES = {"model": "explore", "beside": "explore-beside"}
"""What settings are called in a link, by the role of the model that answered."""


@dataclass(frozen=True)
class Slot:
    """Where an explorer goes on the page."""

    explorer: Explorer
    component: gr.HTML

    def show(self, answer: Answer) -> dict[gr.HTML, gr.HTML]:
        """Updates that put an answer into the explorer."""
        return {self.component: gr.HTML(shown(self.explorer, answer), later="")}


def lay_out(explorer: Explorer | None, role: str = "model") -> Slot | None:
    """Room for an explorer of what the model in a role answered; None where the probe has none."""
    if explorer is None:
        return None
    glue = f"const NAME = {json.dumps(NAMES[role])}, SETTLED = {SETTLED};\n{GLUE_JS}"
    component = gr.HTML(
        "", html_template='<div class="explorer-root"></div>', js_on_load=f"{explorer.script}\n{glue}",
        elem_classes="explorer-box", later="",
    )  # fmt: skip
    return Slot(explorer, component)


def stamp(answer: Answer) -> str:
    """What tells an answer from any other."""
    made = answer.report.provenance
    return f"{made.model} {made.weights_digest[:16]} {made.time} {made.seconds} {made.command}"


def shown(explorer: Explorer, answer: Answer) -> str:
    """What the component's value is for an answer."""
    payload = explorer.payload(answer.report.params, answer.report.result)
    return json.dumps({**payload, "stamp": stamp(answer), "pages": _pages()}, ensure_ascii=False)


@lru_cache(maxsize=1)
def _pages() -> list[dict[str, str]]:
    """The pages that ask a model, for links to them."""
    cards = [probe.card for probe in registry.all_probes().values()]
    return [{"title": card.title, "address": card.address} for card in cards]


_followed: LRUCache[tuple[str, str, int], Payload] = LRUCache(maxsize=KEPT)
_lock = threading.Lock()


def follow(probe: AnyProbe, engine: Engine, answer: Answer | None) -> Iterator[dict[str, Any]]:
    """What follows an answer, as properties of its component: progress, then each part as soon as it is there."""
    if probe.explorer is None or answer is None:
        return
    ticket = Ticket()
    ticket.take()
    try:
        for place in range(len(probe.explorer.follow)):
            yield from _step(probe, engine, answer, place, ticket)
    finally:
        ticket.give_back()


def follow_on(
    probe: AnyProbe, engine: Engine, component: gr.HTML, answer: Answer | None
) -> Iterator[dict[gr.HTML, gr.HTML]]:
    """`follow`, as updates of the component."""
    for properties in follow(probe, engine, answer):
        yield {component: gr.HTML(**properties)}


def _step(probe: AnyProbe, engine: Engine, answer: Answer, place: int, ticket: Ticket) -> Iterator[dict[str, Any]]:
    key = (probe.card.name, stamp(answer), place)
    with _lock:
        found = _followed.get(key)
    if found is None:
        job = Job(partial(engine.follow, probe, place, answer), ticket)
        for step in job.steps():
            yield _message(answer, {"progress": step.share, "doing": step.doing})
        try:
            found = job.result()
        except Cancelled:
            return
        except Exception as error:
            yield _message(answer, {"error": failures.sentence(error)})
            return
        with _lock:
            _followed[key] = found
    yield _message(answer, found)


def _message(answer: Answer, told: Payload) -> dict[str, Any]:
    return {"later": json.dumps({**told, "stamp": stamp(answer)}, ensure_ascii=False)}
