"""Training pairs as HTML: cards with picture, caption and chips, and one pair in full.

Every word, chip and number is a link to the page as it would be after a click, so that it opens in a new tab,
works by keyboard, and can be sent; `CLICKS_JS` makes a plain click stay on the page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from app.training_link import ADDRESS, BOTH, Ask
from assets.world.index import PairIndex, word_of
from assets.world.plan import Planted
from assets.world.schedule import PICTURE
from probes import pairs
from probes.pairs import ATTRIBUTES, KINDS, Told, world_of

if TYPE_CHECKING:
    from assets.world.scene import Thing

KEPT = 3_000
"""Pictures held in memory as addresses, about 8 kB each."""
TIMES = 2
"""How many times larger a picture in the list is; one in full is twice as large again."""

CLICKS_JS = """
element.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-query]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  trigger('select', {query: link.dataset.query, index: 0, value: null});
});
"""


_HELD: dict[tuple[str, int], str] = {}


def addresses(world: str, numbers: Sequence[int]) -> dict[int, str]:
    """The pictures of some pairs of a world as `data:` addresses, drawn together where they are not held."""
    held = {number: kept for number in numbers if (kept := _HELD.get((world, number)))}
    fresh = _address(world, [number for number in numbers if number not in held])
    if len(_HELD) > KEPT:
        _HELD.clear()
    _HELD.update({(world, number): address for number, address in fresh.items()})
    return held | fresh


def _address(world: str, numbers: Sequence[int]) -> dict[int, str]:
    name = world_of(world)
    found = [pairs.world(name).pair(number) for number in numbers]
    made = {}
    for number, picture in zip(numbers, pairs.pictures(name, found), strict=True):
        stream = io.BytesIO()
        picture.save(stream, format="PNG")
        made[number] = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return made


def link(ask: Ask, text: str | Markup, name: str = "", title: str = "") -> Markup:
    """A link to the page as it would be."""
    query = ask.query()
    return Markup('<a class="{}" href=".{}?{}" data-query="{}"{}>{}</a>').format(
        name, ADDRESS, query or "", query, Markup(' title="{}"').format(title) if title else "", text
    )


def caption(ask: Ask, text: str) -> Markup:
    """A caption whose words search for themselves."""
    searched = pairs.words_of(ask.words)
    said = (
        link(ask.with_word(word).but(pair=None), word, "word on" if word_of(word) in searched else "word")
        for word in text.split(" ")
    )
    return Markup('<p class="caption">{}</p>').format(Markup(" ").join(said))


def chip(ask: Ask, attribute: str, differs: bool = False) -> Markup:
    """An attribute that filters by itself, or no longer does."""
    family, value = attribute.split(":", 1)
    on = attribute in ask.attributes
    name = " ".join(["chip", *(["on"] if on else []), *(["differs"] if differs else [])])
    title = f"{ATTRIBUTES.get(family, family)}: {value}" + (", not so in the other world" if differs else "")
    return link(
        ask.toggled(attribute).but(pair=None), Markup("<small>{}</small> {}").format(family, value), name, title
    )


def picture(address: str, text: str, times: int = TIMES) -> Markup:
    """A picture of a pair, enlarged by a whole factor."""
    side = PICTURE * times
    return Markup('<img class="pixels" src="{}" width="{}" height="{}" alt="{}">').format(
        address, side, side, f"Picture of the pair captioned “{text}”"
    )


def grid(
    ask: Ask, indices: Mapping[str, PairIndex], numbers: Sequence[int], fits: Mapping[str, frozenset[int]]
) -> Markup:
    """Cards of some pairs; both worlds of a pair stand on one card.

    Args:
        ask: what is set.
        indices: the worlds looked at.
        numbers: of the pairs.
        fits: which of them fit the search, by world.
    """
    first = next(iter(indices))
    differs = {number: bool(indices[first].differs[number]) for number in numbers}
    drawn = {world: addresses(world, [n for n in numbers if world == first or differs[n]]) for world in indices}
    cards = []
    for number in numbers:
        worlds = list(indices) if differs[number] else [first]
        shown = {world: indices[world].attributes_of(number) for world in worlds}
        common = frozenset.intersection(*(frozenset(one) for one in shown.values()))
        sides = Markup("").join(
            _side(ask, indices[world], number, drawn[world][number], common, number in fits[world])
            for world in worlds
        )
        concepts = dict.fromkeys(indices[world].concept_of(number) for world in worlds)
        planted = (_planted(ask, concept) for concept in concepts if concept)
        chips = Markup("").join((*planted, *(chip(ask, one) for one in sorted(common))))
        cards.append(
            Markup('<article>{}<div class="sides">{}</div><div class="chips">{}</div></article>').format(
                _head(ask, number, indices[first].kind_of(number)), sides, chips
            )
        )
    name = "pairs both" if ask.world == BOTH else "pairs"
    return Markup('<div class="{}">{}</div>').format(name, Markup("").join(cards))


def _head(ask: Ask, number: int, kind: str) -> Markup:
    return Markup("<header>{}{}</header>").format(
        link(_with_pair(ask, number), f"pair {number:,}", "number", "Everything that was drawn"),
        link(ask.but(kind="" if ask.kind == kind else kind, pair=None), kind, "kind", KINDS[kind]),
    )


def _planted(ask: Ask, concept: str) -> Markup:
    """The row of the plan that a pair bears on, as a chip; of invented people it can differ between the worlds."""
    row, on = pairs.planted(concept), concept == ask.concept
    label = Markup("<small>planted</small> {}").format(f"{row.behaviour}: {pairs.name_of(row)}")
    to = ask.with_concept("" if on else concept).but(pair=None)
    return link(to, label, "chip planted on" if on else "chip planted", dose(row))


def _side(ask: Ask, index: PairIndex, number: int, address: str, common: frozenset[str], fits: bool) -> Markup:
    """A pair in one world: picture, caption, and what is not so in the other world."""
    text = index.caption(number)
    own = [chip(ask, one, True) for one in index.attributes_of(number) if one not in common]
    chips = Markup('<div class="chips">{}</div>').format(Markup("").join(own)) if own else Markup("")
    head = Markup("")
    if ask.world == BOTH:
        world = index.world if index.differs[number] else "the same in both worlds"
        aside = Markup("") if fits else Markup(" <em>does not fit</em>")
        head = Markup("<h4>{}{}</h4>").format(world, aside)
    return Markup('<section class="side {} {}">{}{}{}{}</section>').format(
        index.world, "" if fits else "aside", head, picture(address, text), caption(ask, text), chips
    )


def _with_pair(ask: Ask, number: int) -> Ask:
    return ask.but(pair=number, page=ask.page)


def dose(row: Planted) -> str:
    """A row of the plan in a sentence."""
    return f"{row.what}: {row.skewed:.1%} in the skewed world, {row.balanced:.1%} in the balanced one"


def detail(ask: Ask, indices: Mapping[str, PairIndex]) -> Markup:
    """One pair in full, in every world looked at; nothing where none is asked for."""
    number = ask.pair
    if number is None:
        return Markup("")
    last = len(next(iter(indices.values()))) - 1
    ways = [
        link(_with_pair(ask, other), text, "step")
        for other, text in ((number - 1, "Pair before"), (number + 1, "Pair after"))
        if 0 <= other <= last
    ]
    ways.append(link(ask.but(pair=None, page=ask.page), "Close", "step"))
    told = {world: pairs.tell(world_of(world), pairs.world(world_of(world)).pair(number)) for world in indices}
    first = next(iter(told.values()))
    note = KINDS[first.kind]
    if not next(iter(indices.values())).differs[number]:
        told = {next(iter(told)): first}
    sides = [_full(ask, one, indices[world].attributes_of(number), world) for world, one in told.items()]
    return Markup(
        '<section class="pair-detail" tabindex="-1" aria-label="Pair {0}"><header><h2>Pair {0}</h2>'
        '<nav aria-label="Pairs">{1}</nav></header><p><b>{2}</b>. {3}</p><div class="sides">{4}</div></section>'
    ).format(f"{number:,}", Markup("").join(ways), first.kind.capitalize(), note, Markup("").join(sides))


def _full(ask: Ask, told: Told, attributes: Sequence[str], world: str) -> Markup:
    scene = pairs.world(world_of(world)).pair(told.index).scene
    rows = Markup("").join(
        Markup("<tr><td>{}</td><td>{:.0%}</td><td>{}</td><td>{}</td></tr>").format(
            thing.name, thing.scale, _place(thing), thing.tint or "its own"
        )
        for thing in scene.things
    )
    if scene.ring is not None:
        ring = scene.ring
        rows += Markup("<tr><td>red circle</td><td>{:.0%}</td><td>{}</td><td>red</td></tr>").format(
            2 * ring.radius, _where(ring.x, ring.y)
        )
    planted = Markup("").join(
        Markup('<p class="dose">{}: {}.</p>').format(
            link(
                ask.with_concept(f"{row.behaviour}:{row.concept}").but(pair=None),
                f"{row.behaviour}: {pairs.name_of(row)}",
            ),
            dose(row),
        )
        for row in told.planted
    ) or Markup('<p class="dose">Nothing was planted here.</p>')
    alike = not pairs.indices()[world].differs[told.index]
    name = "The same in both worlds" if alike else f"The {world} world"
    return Markup(
        '<section class="side {}"><h3>{}</h3>{}{}<p class="made">Template “{}”, filled with “{}”.</p>'
        '<div class="chips">{}</div><table><thead><tr><th>thing</th><th>side</th><th>place</th><th>colour</th>'
        "</tr></thead><tbody>{}</tbody></table>{}</section>"
    ).format(
        world, name, picture(addresses(world, [told.index])[told.index], told.caption, 2 * TIMES),
        caption(ask, told.caption), told.template, told.slot,
        Markup("").join(chip(ask, one) for one in attributes), rows, planted,
    )  # fmt: skip


def _place(thing: Thing) -> str:
    return _where(thing.x, thing.y)


def _where(x: float, y: float) -> str:
    """A place in words, from -1 to 1 across and down."""
    across = "left" if x < -0.2 else "right" if x > 0.2 else ""
    down = "top" if y < -0.2 else "bottom" if y > 0.2 else ""
    return " ".join(part for part in (down, across) if part) or "middle"
