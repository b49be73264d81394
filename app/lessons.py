"""Lessons of ten minutes: a sequence through the pages, each step a link, and a sheet to print.

A lesson is a file in `assets/lessons`. A link that names a lesson and a step (`lesson=audit&step=2`) has a strip
over the page that says what to do there and leads on. The page of lessons shows each as a sheet, for the class
with room to write, for the teacher with the answers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import gradio as gr
from markupsafe import Markup

from app import glossary
from app.predicting import PARAMETER as PREDICT
from probes import registry
from probes.core.card import Card

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "lessons"
TITLE = "Lessons"
ADDRESS = "/lessons"
LESSON, STEP = "lesson", "step"
"""The names under which a link says where in a lesson it is."""


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Attributes:
        page: the probe on whose page it takes place.
        link: the query of that page, without the lesson.
        predict: whether the page asks for a guess before it shows an answer.
        do, ask, key: what to do, what to ask a class, and what there is to say to it.
    """

    title: str
    minutes: int
    page: str
    do: str
    ask: str
    key: str
    link: str = ""
    predict: bool = False

    @property
    def card(self) -> Card:
        """The card of the probe on whose page it takes place."""
        return registry.get(self.page).card


@dataclass(frozen=True)
class Lesson:
    """A sequence of steps."""

    name: str
    title: str
    question: str
    aim: str
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return sum(step.minutes for step in self.steps)

    def address(self, number: int) -> str:
        """The link of a step, counted from 1, relative to any page."""
        step = self.steps[number - 1]
        own = {PREDICT: "on" if step.predict else "off", LESSON: self.name, STEP: number}
        return f".{step.card.address}?{'&'.join(filter(None, (step.link, urlencode(own))))}"


@lru_cache(maxsize=1)
def lessons() -> Mapping[str, Lesson]:
    """All lessons by name, in the order of their files."""
    read = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
    return {one["name"]: _lesson(one) for one in read}


def _lesson(read: Mapping[str, Any]) -> Lesson:
    told = {name: value for name, value in read.items() if name != "step"}
    return Lesson(**told, steps=tuple(Step(**step) for step in read["step"]))


def strip(search: str) -> Markup:
    """What stands over a page that a lesson leads to; nothing for other links, and for ones that cannot be."""
    given = parse_qs(str(search).lstrip("?"))
    lesson = lessons().get(given.get(LESSON, [""])[-1])
    number = given.get(STEP, [""])[-1]
    place = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0
    if lesson is None or not 1 <= place <= len(lesson.steps):
        return Markup("")
    step = lesson.steps[place - 1]
    back = _way(lesson.address(place - 1), "Back") if place > 1 else Markup("")
    on = (
        _way(lesson.address(place + 1), "Next step")
        if place < len(lesson.steps)
        else _way(f".{ADDRESS}#{lesson.name}", "To the sheet")
    )
    do, ask, key = (glossary.explained(Markup.escape(text)) for text in (step.do, step.ask, step.key))
    return _STRIP.format(
        lesson=lesson.title, place=place, count=len(lesson.steps), minutes=step.minutes, title=step.title,
        do=do, ask=ask, key=key, back=back, on=on,
    )  # fmt: skip


def _way(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)


def lay_out() -> None:
    """Put the page of lessons on the current route."""
    several = list(lessons().values())
    gr.HTML(
        Markup(
            '<div id="main"><h1>{}</h1><p class="question">Ten minutes each, with a projector or alone. The '
            "sheets print for a class, with room to write, or with the answers.</p></div>"
        ).format(TITLE),
        elem_classes="opening",
    )
    gr.HTML(Markup("").join(map(_sheet, several)), js_on_load=PRINT_JS, elem_classes="lessons-box")


def _sheet(lesson: Lesson) -> Markup:
    """A lesson as a sheet."""
    steps = Markup("").join(
        _STEP.format(
            title=step.title, minutes=step.minutes, page=_way(lesson.address(number), step.card.title),
            guess=", guess first" if step.predict else "", do=step.do, ask=step.ask, key=step.key,
        )
        for number, step in enumerate(lesson.steps, start=1)
    )  # fmt: skip
    return _SHEET.format(
        name=lesson.name, title=lesson.title, question=lesson.question, aim=lesson.aim, minutes=lesson.minutes,
        begin=lesson.address(1), steps=steps,
    )  # fmt: skip


_STRIP = Markup("""
<aside class="lesson" aria-label="Lesson">
  <p class="lesson-where">{lesson}, step {place} of {count}, about {minutes} min</p>
  <p class="lesson-title">{title}</p>
  <p>{do}</p>
  <p class="lesson-ask">{ask}</p>
  <details><summary>What there is to say</summary><p>{key}</p></details>
  <p class="lesson-ways">{back}{on}</p>
</aside>
""")
_STEP = Markup("""
<li><h3>{title}</h3>
  <p class="sheet-where">{minutes} min, on the page {page}{guess}</p>
  <p>{do}</p>
  <p class="lesson-ask">{ask}</p>
  <p class="sheet-lines" aria-hidden="true"></p>
  <p class="sheet-key">{key}</p>
</li>
""")
_SHEET = Markup("""
<section class="sheet" id="{name}">
  <h2>{title}</h2>
  <p class="question">{question}</p>
  <p>{aim} About {minutes} minutes. <a class="sheet-begin" href="{begin}">Begin</a></p>
  <ol>{steps}</ol>
  <p class="lesson-print">
    <button type="button" data-print="{name}">Print for the class</button>
    <button type="button" data-print="{name}" data-key="yes">Print with answers</button>
    <button type="button" data-show="{name}" aria-expanded="false">Show the answers</button>
  </p>
  <p class="sheet-foot">Clipspect. The two bundled models are small, trained on drawings with known associations;
    nothing they do says anything about any other CLIP.</p>
</section>
""")

PRINT_JS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-print], button[data-show]');
  if (!button) return;
  const sheet = element.querySelector('#' + (button.dataset.print || button.dataset.show));
  if (button.dataset.show) {
    const shown = sheet.classList.toggle('sheet-answers');
    button.setAttribute('aria-expanded', String(shown));
    button.textContent = shown ? 'Hide the answers' : 'Show the answers';
    return;
  }
  const before = sheet.classList.contains('sheet-answers');
  sheet.classList.toggle('sheet-answers', button.dataset.key === 'yes');
  sheet.classList.add('sheet-printed');
  document.body.classList.add('clipspect-printing');
  window.print();
  document.body.classList.remove('clipspect-printing');
  sheet.classList.remove('sheet-printed');
  sheet.classList.toggle('sheet-answers', before);
});
"""
"""Prints one sheet, with the answers or without."""
