"""Pieces of HTML. Text goes in through `Markup.format` alone, which escapes it: there is no other way in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from app import glossary
from app.failures import capitalised as sentence
from app.failures import finished
from probes.core.card import Reference
from probes.core.glance import Glance
from probes.core.marks import COLOURS, RADII, SHAPES, WIDTHS, Mark, as_json
from probes.core.no_model import SPEC as NO_MODEL
from probes.core.report import Provenance

__all__ = ["sentence"]


def error(text: str) -> Markup:
    """A sentence beside a field; nothing for an empty text."""
    return Markup('<p class="error" role="alert">{}</p>').format(text) if text else Markup("")


def banner(*texts: str) -> Markup:
    """Errors that are about no field."""
    lines = [text for text in texts if text]
    return Markup('<div class="banner" role="alert">{}</div>').format(_paragraphs(lines)) if lines else Markup("")


def cautions(texts: Sequence[str]) -> Markup:
    """What a reader has to know before trusting a headline."""
    if not texts:
        return Markup("")
    items = Markup("").join(Markup("<li>{}</li>").format(finished(text)) for text in dict.fromkeys(texts))
    return Markup('<ul class="cautions" aria-label="Cautions">{}</ul>').format(items)


def _paragraphs(texts: Iterable[str]) -> Markup:
    return Markup("").join(Markup("<p>{}</p>").format(text) for text in texts)


def brought(name: str, text: str) -> Markup:
    """A file that a visitor brought, and what is in it."""
    return Markup('<p class="brought"><strong>{}</strong> {}</p>').format(name, text)


def content_note(note: str) -> Markup:
    """What a visitor is told before a list is shown."""
    return Markup('<div class="content-note" role="alert"><p>{}</p></div>').format(note) if note else Markup("")


def legend(label: str, help_text: str) -> Markup:
    """The name of a group of components."""
    return Markup('<span class="legend-label">{}</span><span class="legend-help">{}</span>').format(
        label, help_text
    )


def opening(title: str, question: str) -> Markup:
    """The top of a page: its name and the question it answers."""
    return Markup('<h1>{}</h1><p class="question">{}</p>').format(title, question)


def about(told: Sequence[tuple[str, str]]) -> Markup:
    """What the bundled models in use are, as (title, description), and where to see what they were trained on."""
    if not told:
        return Markup("")
    lines = Markup(" ").join(
        Markup("<strong>{}:</strong> {}").format(title, finished(text)) for title, text in told
    )
    none, they = ("Neither says anything", "they were") if len(told) > 1 else ("It says nothing", "it was")
    return Markup(
        '<p class="about">{} {} about any other CLIP. <a href="./training-data">See what {} trained on</a>.</p>'
    ).format(lines, none, they)


def named(name: str) -> Markup:
    """The name of a model over its side of the page."""
    return Markup('<h2 class="side-name">{}</h2>').format(name)


def headline(text: str) -> Markup:
    """The answer."""
    return (
        glossary.explained(Markup('<p class="headline" role="status">{}</p>').format(text)) if text else Markup("")
    )


def difference(text: str) -> Markup:
    """What two models differ in; nothing for an empty text."""
    return (
        glossary.explained(Markup('<p class="difference" role="status">{}</p>').format(text))
        if text
        else Markup("")
    )


def rows(heads: Sequence[str], cells: Iterable[Sequence[str]]) -> Markup:
    """A small table whose rows begin with their names."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(text) for text in heads)
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            name, Markup("").join(Markup("<td>{}</td>").format(text) for text in others)
        )
        for name, *others in cells
    )
    return Markup(
        '<div class="rows-scroll" tabindex="0" role="region" aria-label="{}"><table class="rows">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(heads[0] or "Table", head, body)


def footnotes(notes: Iterable[str]) -> Markup:
    """What the numbers in a table's last column stand for."""
    items = Markup("").join(Markup("<li>{}.</li>").format(text[:1].upper() + text[1:]) for text in notes)
    return Markup('<ol class="footnotes">{}</ol>').format(items) if items else Markup("")


def provenance(made: Provenance) -> Markup:
    """Which model answered, where and how fast."""
    took = f"{made.seconds:.1f} s" if made.seconds >= 0.1 else "under 0.1 s"
    if made.model == NO_MODEL:
        facts: tuple[str, ...] = ("no model asked", took)
    else:
        facts = (made.model, f"on {made.device} in {made.precision}", f"{made.activation} activations", took)
    items = Markup("").join(Markup("<span>{}</span>").format(fact) for fact in facts)
    return Markup('<p class="provenance">{}</p>').format(items)


def progress(share: float, doing: str, seconds: float) -> Markup:
    """How far a computation is."""
    percent = round(100 * min(max(share, 0.0), 1.0))
    since = f" · {seconds:.0f} s" if seconds >= 1 else ""
    return Markup(
        '<div class="progress" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{0}" '
        'aria-label="{1}"><div class="progress-bar"><i style="width:{0}%"></i></div>'
        "<p>{1}{2}</p></div>"
    ).format(percent, sentence(doing).rstrip("."), since)


def notice(text: str) -> Markup:
    """A quiet line, such as that something was stopped."""
    return Markup('<p class="notice" role="status">{}</p>').format(text) if text else Markup("")


def papers(references: Iterable[Reference]) -> Markup:
    """The publications a page rests on."""
    items = Markup("").join(
        Markup(
            '<li><a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
            "<span>{}, {}.</span> <em>{}</em></li>"
        ).format(r.url, r.title, r.short(), r.venue, r.why)
        for r in references
    )
    return Markup('<h2>Papers</h2><ul class="papers">{}</ul>').format(items)


def gallery(tiles: Sequence[tuple[str, str]]) -> Markup:
    """Bundled pictures to choose from, as (address of the picture, title)."""
    items = Markup("").join(
        Markup(
            '<button type="button" class="tile" data-index="{0}" title="{2}">'
            '<img src="{1}" alt="" draggable="false"><span>{2}</span></button>'
        ).format(index, uri, title)
        for index, (uri, title) in enumerate(tiles)
    )
    return Markup('<div class="tiles" role="group" aria-label="Bundled pictures">{}</div>').format(items)


def prose(title: str, text: Markup) -> Markup:
    """A titled section whose text is HTML already."""
    return Markup("<h2>{}</h2>{}").format(title, glossary.explained(text))


def heading(text: str) -> Markup:
    """The title of a section."""
    return Markup("<h2>{}</h2>").format(text)


def gate(note: str) -> Markup:
    """What a visitor is told before harmful content is shown."""
    return Markup('<div class="gate-note" role="note"><h2>Before you go on</h2><p>{}</p></div>').format(note)


_EMPTY = Markup(
    '<p class="stage-empty"><b>{}</b><span>Drop a picture here, paste one, or choose one below.</span></p>'
)
_FIGURE = Markup(
    '<figure><img src="{0}" alt="{1}" draggable="false"{3}><figcaption>{1}</figcaption>'
    '<button type="button" class="stage-remove" data-index="{2}" aria-label="Remove {1}" title="Remove">'
    "×</button></figure>"
)
_STAGE = Markup(
    '<div class="stage {kind}" data-field="{field}" data-largest="{largest}"{marks}>'
    '<div class="stage-pictures">{figures}</div><div class="stage-bar">'
    '<label class="stage-choose">{choose}'
    '<input type="file" accept="image/*" aria-label="{label}"{multiple}></label>'
    '<button type="button" class="stage-paste">Paste</button>'
    '<button type="button" class="stage-camera">Camera</button>'
    '<span class="stage-hint">{hint}</span></div></div>'
)


def stage(
    field: str,
    label: str,
    shown: Sequence[tuple[str, str]],
    one: bool,
    marks: Sequence[Mark] | None,
    largest: int,
) -> Markup:
    """Pictures as (address, name), with the ways to bring others; `marks` if they can be drawn on."""
    handle = Markup("")
    if marks is not None:
        handle = Markup(
            ' tabindex="0" role="application" aria-roledescription="picture with movable marks" '
            'aria-description="Marks: {}. Arrow keys move, + and - resize, Delete removes."'
        ).format("; ".join(map(str, marks)) or "none")
    figures = Markup("").join(_FIGURE.format(uri, name, i, handle) for i, (uri, name) in enumerate(shown))
    kind = "stage-none" if not shown else "stage-one" if len(shown) == 1 else "stage-many"
    hint = "Click to move the mark, drag to draw it anew." if marks is not None and shown else ""
    return _STAGE.format(
        kind=kind + (" stage-placed" if marks is not None else ""),
        field=field,
        largest=largest,
        label=label,
        marks=(
            Markup(' data-marks="{}"').format(json.dumps([as_json(mark) for mark in marks]))
            if marks is not None
            else ""
        ),
        figures=figures if shown else _EMPTY.format(label),
        choose="Your own picture" if one else "Your own pictures",
        multiple="" if one else Markup(" multiple"),
        hint=hint,
    )


def mark_tools(field: str, fewest: int, most: int) -> Markup:
    """Room for the tools with which marks are drawn; the editor in `marks/` fills it."""
    colours = {name: "#{:02x}{:02x}{:02x}".format(*rgb) for name, rgb in COLOURS.items()}
    return Markup(
        '<div data-stage="{}" role="toolbar" aria-label="Marks" data-shapes="{}" data-colours="{}" '
        'data-fewest="{}" data-most="{}" data-widths="{},{}" data-radii="{},{}"></div>'
    ).format(field, json.dumps(list(SHAPES)), json.dumps(colours), fewest, most, *WIDTHS, *RADII)


def glance(model: str, seen: Glance) -> Markup:
    """What a model makes of the picture at once: bars before and after, and what its tower sees."""
    rows = Markup("").join(
        Markup(
            '<tr><th scope="row">{}</th><td class="glance-bars"><i style="width:{:.1f}%"></i>'
            '<b style="width:{:.1f}%"></b></td>'
            "<td>{:.0%} → {:.0%}</td><td>{:+.2f}</td></tr>"
        ).format(row.text, 100 * row.before, 100 * row.after, row.before, row.after, row.change)
        for row in seen.rows
    )
    views = Markup("").join(
        Markup('<img src="{}" alt="what {} sees {} marks">').format(view.uri, model, how)
        for view, how in zip(seen.views, ("without", "with"), strict=True)
    )
    more = Markup("<p>And {} more texts.</p>").format(seen.more) if seen.more else Markup("")
    note = Markup('<p class="glance-note">{}</p>').format(seen.note) if seen.note else Markup("")
    return Markup(
        '<div class="glance"><h3>{} at a glance</h3><div class="glance-views">{}</div>'
        "<table><thead><tr><th></th><th></th><th>probability</th><th>logit</th></tr></thead><tbody>{}</tbody></table>{}{}</div>"
    ).format(model, views, rows, more, note)


def glances(parts: Sequence[Markup]) -> Markup:
    """The glances of all models of a page."""
    if not parts:
        return Markup("")
    legend = Markup(
        '<p class="glance-legend"><i></i> unmarked <b></b> marked. No placebos yet: press Run to '
        "see what the same mark does elsewhere.</p>"
    )
    return Markup('<div class="glances">{}</div>{}').format(Markup("").join(parts), legend)
