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
from functools import lru_cache, reduce
from operator import or_
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from app import downloads, failures, snippets
from app.sessions import ForAll
from app.training_grid import detail, grid, link
from app.training_layout import Layout
from app.training_link import BOTH, Ask, Link, check, read
from app.wiring import ADDRESS_JS, CHEAP, LOCATION_JS
from probes import counts as counting
from probes import pairs
from probes.core import export
from probes.core.errors import FieldError
from probes.pairs import ATTRIBUTES, Search

A_PAGE = {BOTH: 12, "skewed": 24, "balanced": 24}
"""Pairs on a page of the list, by what is looked at; two pictures a pair where both worlds are."""
IN_FILE = 5_000
"""Most pairs of a world in the CSV."""

Updates = dict[Any, Any]
SCROLL_JS = """
() => {
  const shown = document.querySelector('.pair-detail');
  (shown || document.querySelector('.found-box')).scrollIntoView({block: 'start', behavior: 'smooth'});
  if (shown) shown.focus({preventScroll: true});
}
"""


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
