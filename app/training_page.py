"""The page of training data: what the bundled models saw, searched, counted, and shown again.

All that is set is an `Ask`; every handler makes one, and `shown` puts it on the page. Handlers return updates
keyed by component, as on the pages of probes.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app import downloads, failures, forms, snippets
from app.sessions import ForAll
from app.training_grid import CLICKS_JS, detail, grid, link
from app.training_link import BOTH, MOST, Ask, Link, check, read
from app.wiring import ADDRESS_JS, CHEAP, LOCATION_JS
from assets.world.plan import PLAN
from probes import counts as counting
from probes import pairs
from probes.core import export
from probes.core.errors import FieldError
from probes.pairs import ATTRIBUTES, DIFFERING, KINDS, Search

TITLE = "Training data"
QUESTION = "What did the bundled models see, and what was planted there?"
ABOUT = Markup(
    "<p>Two small models come along. Both were trained on pictures that a program put together from drawings of "
    "emoji, and every pair of picture and caption that either has seen can be shown again. They differ in one "
    "thing. In the <b>skewed</b> world certain things go together more or less often than chance, each at a known "
    "dose: an occupation with a gender, an animal with a ground, a circle with what the caption names. In the "
    "<b>balanced</b> world they do not.</p><p>The doses were dealt to the concepts by chance. They say nothing "
    "about people, places or animals in the real world, and nothing about any other CLIP model. Genders and skin "
    "tones are as drawn.</p>"
)
A_PAGE = {BOTH: 12, "skewed": 24, "balanced": 24}
"""Pairs on a page of the list, by what is looked at; two pictures a pair where both worlds are."""
IN_FILE = 5_000
"""Most pairs of a world in the CSV."""

Updates = dict[Any, Any]
WORLD_NAMES = {BOTH: "Side by side", "skewed": "Skewed", "balanced": "Balanced"}
SCROLL_JS = """
() => {
  const shown = document.querySelector('.pair-detail');
  (shown || document.querySelector('.found-box')).scrollIntoView({block: 'start', behavior: 'smooth'});
  if (shown) shown.focus({preventScroll: true});
}
"""


@dataclass(frozen=True)
class Layout:
    """The components of the page."""

    world: gr.Radio
    concept: gr.Dropdown
    words: gr.Textbox
    attributes: gr.Dropdown
    kind: gr.Dropdown
    show: gr.Dropdown
    number: gr.Textbox
    go: gr.Button
    errors: gr.HTML
    headline: gr.HTML
    figure: gr.Plot
    fold: gr.Accordion
    table: gr.Dataframe
    detail: gr.HTML
    found: gr.HTML
    grid: gr.HTML
    ways: gr.HTML
    save_counts: gr.Button
    save_pairs: gr.Button
    file: gr.JSON
    command: gr.Textbox
    query: gr.Textbox
    link: gr.Textbox

    @property
    def settings(self) -> list[Any]:
        """What a person sets, in the order that `asked` takes it."""
        return [self.world, self.concept, self.words, self.attributes, self.kind, self.show]

    @property
    def outputs(self) -> list[Any]:
        """What `shown` sets."""
        return [*self.settings, self.number, self.errors, self.headline, self.figure, self.fold, self.table,
                self.detail, self.found, self.grid, self.ways, self.command, self.query]  # fmt: skip


def lay_out() -> Layout:
    """Put the page on the current route."""
    gr.HTML(snippets.opening(TITLE, QUESTION), elem_classes="opening")
    gr.HTML(Markup('<div id="main" class="about">{}</div>').format(ABOUT))
    query = gr.Textbox(visible="hidden", elem_id="query", container=False, show_label=False)
    file = gr.JSON(visible="hidden", elem_id="file", show_label=False)
    with gr.Row(elem_classes="desk training", equal_height=False):
        with gr.Column(elem_classes="controls", scale=4, min_width=300):
            settings = _settings()
            with gr.Row(elem_classes="jump"):
                number = gr.Textbox(
                    label="Pair number", placeholder="464000", max_lines=1, elem_id="field-pair", min_width=120
                )
                go = gr.Button("Show this pair", elem_id="show-pair", min_width=120)
            errors = gr.HTML(elem_classes="banner-box")
        with gr.Column(elem_classes="view", scale=7, min_width=300):
            with gr.Column(elem_classes="answer"):
                headline = gr.HTML(elem_classes="headline-box")
            with gr.Column(elem_classes="figures"):
                figure = gr.Plot(show_label=False, container=False, elem_classes="figure", buttons=[])
    with gr.Accordion("Table: counts", open=False, elem_classes="table-fold") as fold:
        table = gr.Dataframe(datatype="str", interactive=False, show_label=False, max_height=420, buttons=[],
                             elem_classes="table")  # fmt: skip
    boxes = (_clickable("detail-box"), _clickable("found-box"), _clickable("pairs-box"), _clickable("ways-box"))
    save_counts, save_pairs, command, address = _take_away()
    return Layout(*settings, number, go, errors, headline, figure, fold, table, *boxes, save_counts, save_pairs,
                  file, command, query, address)  # fmt: skip


def _clickable(name: str) -> gr.HTML:
    return gr.HTML(elem_classes=name, js_on_load=CLICKS_JS)


def _settings() -> tuple[Any, Any, Any, Any, Any, Any]:
    world = gr.Radio(
        [(name, key) for key, name in WORLD_NAMES.items()], value=BOTH, label="World", elem_id="field-world"
    )
    concept = gr.Dropdown(
        [("any", ""), *((f"{row.behaviour}: {pairs.name_of(row)} ({row.skewed:.1%} and {row.balanced:.1%})",
                         f"{row.behaviour}:{row.concept}") for row in PLAN)],
        value="", label="What was planted", info="With its dose in the skewed and in the balanced world.",
        elem_id="field-concept",
    )  # fmt: skip
    words = gr.Textbox(
        label="Words in the caption", info="All of them, in any order.", max_lines=1, elem_id="field-words"
    )
    attributes = gr.Dropdown(
        [], value=[], multiselect=True, allow_custom_value=True, max_choices=MOST, label="Drawn in the picture",
        info="All of them. For a thing type object: and its name.", elem_id="field-attributes",
    )  # fmt: skip
    kinds = [("any", ""), ("all that differ between the worlds", DIFFERING), *((name, name) for name in KINDS)]
    kind = gr.Dropdown(kinds, value="", label="Kind of pair", elem_id="field-kind")
    show = gr.Dropdown([("nothing", "")], value="", label="Count by", elem_id="field-show")
    made = (world, concept, words, attributes, kind, show)
    for component in made:
        component.preprocess = forms.as_sent  # type: ignore[method-assign]
    return made


def _take_away() -> tuple[gr.Button, gr.Button, gr.Textbox, gr.Textbox]:
    with gr.Column(elem_classes="take-away"):
        gr.HTML(snippets.heading("Take it with you"))
        with gr.Row(elem_classes="saves"):
            counts = gr.Button("Download the counts as CSV", min_width=150, elem_id="save-counts")
            listed = gr.Button("Download these pairs as CSV", min_width=150, elem_id="save-pairs")
        told: dict[str, Any] = {
            "interactive": False,
            "buttons": ["copy"],
            "lines": 1,
            "max_lines": 6,
            "elem_classes": "mono",
        }
        command = gr.Textbox(label="The same on the command line", elem_id="command", **told)
        address = gr.Textbox(label="Link to this page as it is set", elem_id="link", **told)
    return counts, listed, command, address


def wire(at: Layout, demo: gr.Blocks) -> None:
    """Connect the page; called inside its route."""
    kept: list[ForAll] = []

    def opened(search: str) -> Iterator[Updates]:
        link = read(search)
        if link != read(""):
            yield from offering(link)
            return
        if not kept:  # the page as everybody sees it first
            kept.append(ForAll(reduce(or_, offering(link))))
        yield kept[0]

    def offering(link: Link) -> Iterator[Updates]:
        for updates in shown(at, link):
            yield updates | {
                box: gr.Dropdown(choices=choices, value=updates[box])
                for box, choices in zip((at.attributes, at.show), offered(), strict=True)
                if box in updates
            }

    def settled(*values: Any) -> Iterator[Updates]:
        yield from shown(at, check(asked(*values)))

    def planted(*values: Any) -> Iterator[Updates]:
        ask = asked(*values)
        with contextlib.suppress(FieldError):  # `check` says it
            ask = ask.with_concept(ask.concept)
        yield from shown(at, check(ask))

    def clicked(event: gr.EventData) -> Iterator[Updates]:
        yield from shown(at, read(str(event._data.get("query", ""))[:4000]))

    def jumped(given: str, *values: Any) -> Iterator[Updates]:
        link = check(asked(*values))
        try:
            number = pairs.number_of(given, pairs.indices()[pairs.WORLDS[0]])
        except FieldError as error:
            yield {at.errors: snippets.banner(failures.sentence(error))}
            return
        yield from shown(at, Link(link.ask.but(pair=number), link.errors))

    def counted(search: str) -> Updates:
        return {at.file: downloads.payload(counts_file(read(search).ask))}

    def listed(search: str) -> Updates:
        return {at.file: downloads.payload(pairs_file(read(search).ask))}

    demo.load(opened, at.query, at.outputs, js=LOCATION_JS, **CHEAP).then(
        None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden"
    )
    at.query.change(None, at.query, at.link, js=ADDRESS_JS, show_progress="hidden")
    gr.on([at.world.input, at.words.submit, at.words.blur, at.attributes.input, at.kind.input, at.show.input],
          settled, at.settings, at.outputs, trigger_mode="always_last", **CHEAP)  # fmt: skip
    at.concept.input(planted, at.settings, at.outputs, trigger_mode="always_last", **CHEAP)
    for box in (at.detail, at.found, at.grid, at.ways):
        box.select(clicked, None, at.outputs, **CHEAP).then(None, None, None, js=SCROLL_JS, show_progress="hidden")
    gr.on([at.go.click, at.number.submit], jumped, [at.number, *at.settings], at.outputs, **CHEAP).then(
        None, None, None, js=SCROLL_JS, show_progress="hidden"
    )
    for button, make in ((at.save_counts, counted), (at.save_pairs, listed)):
        button.click(make, at.query, at.file, **CHEAP).then(
            None, at.file, at.file, js=downloads.SAVE_JS, show_progress="hidden"
        )


def asked(world: Any, concept: Any, words: Any, attributes: Any, kind: Any, show: Any) -> Ask:
    """What the components hold, as it was sent: anything a browser can send becomes text."""
    several = attributes if isinstance(attributes, list) else []
    return Ask(str(world or BOTH), str(words or ""), str(kind or ""), tuple(dict.fromkeys(map(str, several))),
               str(concept or ""), str(show or ""))  # fmt: skip


@lru_cache(maxsize=1)
def offered() -> tuple[list[Any], list[Any]]:
    """What can be drawn in a picture and counted by; read when the page is opened, not when the program starts."""
    families = pairs.indices()[pairs.WORLDS[0]].texts.families
    drawn = [
        f"{family}:{value}" for family in ATTRIBUTES if family != "object" for value in families.get(family, ())
    ]
    return drawn, [("nothing", ""), *((text, family) for family, text in ATTRIBUTES.items() if family in families)]


@lru_cache(maxsize=64)
def rows(world: str, search: Search) -> NDArray[np.int64]:
    """Numbers of the pairs of a world that fit a search, ascending."""
    return np.flatnonzero(search.matching(pairs.indices()[world]))


def shown(at: Layout, link: Link) -> Iterator[Updates]:
    """Put what is asked for on the page, and say what of it cannot be used: the counts at once, then pictures."""
    try:
        found = {world: rows(world, link.ask.search) for world in link.ask.worlds}
        every = np.unique(np.concatenate(list(found.values())))
        pages = max(1, math.ceil(len(every) / A_PAGE[link.ask.world]))
        ask = link.ask if link.ask.page <= pages else link.ask.but(page=pages, pair=link.ask.pair)
        updates = _set(at, ask) | _counts(at, ask, len(every))
        updates |= {at.errors: snippets.banner(*link.errors.values()), at.found: _found(ask, found, pages)}
        yield updates | {at.ways: snippets.notice("Drawing the pictures…")}
        yield _drawn(at, ask, found, every, pages)
    except Exception as error:
        yield {at.errors: snippets.banner(*link.errors.values(), failures.sentence(error)), at.ways: Markup("")}


def _set(at: Layout, ask: Ask) -> Updates:
    """The components that hold what is asked for."""
    return {
        at.world: ask.world, at.concept: ask.concept, at.words: ask.words, at.attributes: list(ask.attributes),
        at.kind: ask.kind, at.show: ask.show, at.number: "" if ask.pair is None else str(ask.pair),
        at.command: command(ask), at.query: ask.query(),
    }  # fmt: skip


def _drawn(
    at: Layout, ask: Ask, found: dict[str, NDArray[np.int64]], every: NDArray[np.int64], pages: int
) -> Updates:
    """The pairs of one page of the list, and the one in full."""
    indices = {world: pairs.indices()[world] for world in ask.worlds}
    size = A_PAGE[ask.world]
    numbers = every[(ask.page - 1) * size : ask.page * size]
    fits = {world: frozenset(numbers[np.isin(numbers, rows)].tolist()) for world, rows in found.items()}
    return {
        at.detail: detail(ask, indices),
        at.grid: grid(ask, indices, numbers.tolist(), fits),
        at.ways: _ways(ask, pages) if pages > 1 else Markup(""),
    }


def _counts(at: Layout, ask: Ask, found: int) -> Updates:
    if not found:
        text = nothing(ask)
    elif not ask.show:
        text = "Choose what to count by, to see how often each value was drawn."
    else:
        counts = counting.count({world: pairs.indices()[world] for world in ask.worlds}, ask.search, ask.show)
        cells = [[one.world, one.value, f"{one.count:,}", f"{one.n:,}", f"{one.share:.1%}", f"{one.low:.1%}",
                  f"{one.high:.1%}", "–" if one.planned is None else f"{one.planned:.1%}"]
                 for one in counts.shares]  # fmt: skip
        heads = ["world", "value", "pairs", "of", "share", "low", "high", "the plan"]
        return {
            at.headline: snippets.headline(counts.headline()),
            at.figure: gr.Plot(counting.figure(counts), visible=bool(counts.shares)),
            at.fold: gr.Accordion(
                label=f"Table: counts by {ATTRIBUTES[ask.show]} ({len(cells):,} rows)", visible=bool(cells)
            ),
            at.table: gr.Dataframe({"headers": heads, "data": cells[:500]}, headers=heads),
        }
    return {
        at.headline: snippets.headline(text),
        at.figure: gr.Plot(visible=False),
        at.fold: gr.Accordion(visible=False),
    }


def nothing(ask: Ask) -> str:
    """Why nothing fits, in a sentence, and what to try."""
    known = pairs.indices()[pairs.WORLDS[0]].texts.words
    unknown = [word for word in ask.search.words if word not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 3, 0.75)
        hint = f" Captions do say {', '.join(f'“{word}”' for word in near)}." if near else ""
        return f"No caption of either world says “{unknown[0]}”.{hint}"
    return "No pair fits all of this at once. Take something away: a click on a chip below removes it."


def _found(ask: Ask, found: dict[str, NDArray[np.int64]], pages: int) -> Markup:
    """How many pairs fit, by what, and the way through them."""
    told = " and ".join(f"{len(rows):,} pairs of the {world} world" for world, rows in found.items())
    chips = [(f"caption says {word}", ask.with_word(word)) for word in ask.search.words]
    chips += [(one, ask.toggled(one)) for one in ask.attributes]
    if ask.kind:
        chips.append((f"kind {ask.kind}", ask.but(kind="")))
    if ask.concept:
        chips.append((f"planted {ask.concept.replace('{}', '…')}", ask.but(concept="")))
    made = Markup("").join(
        link(to.but(pair=None), Markup('{} <span aria-hidden="true">×</span>').format(text), "chip on",
             "Take this away")
        for text, to in chips
    )  # fmt: skip
    if len(chips) > 1:
        made += link(Ask(world=ask.world, show=ask.show), "take all away", "chip")
    return Markup(
        '<h2>The pairs</h2><p class="found" role="status">{} fit.</p><div class="chips">{}</div>{}'
    ).format(told, made, _ways(ask, pages) if pages > 1 else Markup(""))


def _ways(ask: Ask, pages: int) -> Markup:
    """To the pages before and after."""
    before, after = max(1, ask.page - 1), min(pages, ask.page + 1)
    steps = [(1, "First"), (before, "Before"), (after, "Next"), (pages, "Last")]
    made = [
        link(ask.but(page=page, pair=None), text, "step")
        if page != ask.page
        else Markup('<span class="step">{}</span>').format(text)
        for page, text in steps
    ]
    return Markup(
        '<nav class="ways" aria-label="Pages of the list">{}{}<span class="page">page {:,} of {:,}</span>'
        "{}{}</nav>"
    ).format(*made[:2], ask.page, pages, *made[2:])


def command(ask: Ask) -> str:
    """The same as a command line."""
    if ask.pair is not None:
        return shlex.join(["python", "-m", "probes", "pair", "--world", ask.worlds[0], "--index", str(ask.pair)])
    told = ["python", "-m", "probes", "pairs", "--world", ask.world]
    for flag, text in (("--words", " ".join(ask.search.words)), ("--kind", ask.kind), ("--concept", ask.concept)):
        told += [flag, text] if text else []
    for one in ask.attributes:
        told += ["--attribute", one]
    return shlex.join([*told, *(["--show", ask.show] if ask.show else [])])


def counts_file(ask: Ask) -> downloads.Download:
    """The counts as CSV; by gender where nothing is chosen."""
    indices = {world: pairs.indices()[world] for world in ask.worlds}
    counts = counting.count(indices, ask.search, ask.show or "gender")
    return downloads.Download("training_counts.csv", "text/csv", export.to_csv(counts.shares))


def pairs_file(ask: Ask) -> downloads.Download:
    """The pairs that fit as CSV, up to `IN_FILE` of a world."""
    indices = (pairs.indices()[world] for world in ask.worlds)
    listed: Sequence[Any] = [row for index in indices for row in pairs.listed(index, ask.search, IN_FILE)]
    return downloads.Download("training_pairs.csv", "text/csv", export.to_csv(listed))
