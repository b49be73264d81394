"""From a result on a bundled model to the training pairs that speak to it.

Any text among a report's parameters counts as a label; nothing here knows a probe. A label that names a concept
of the plan leads to the pairs that bear on it; other words lead to the captions that say them. A kind of pair
is offered where the name of a parameter, or of the probe, says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from app.training_link import ADDRESS, Ask
from assets.world.plan import PLAN, Planted
from probes import pairs
from probes.core.parameters import Params, fields
from probes.core.report import Report

MOST = 6
"""Most links."""
MODELS = {"bundled": "skewed", "bundled:skewed": "skewed", "bundled:balanced": "balanced"}
"""The world that each bundled model was trained on."""
FILLERS = frozenset(
    {"a", "an", "the", "of", "on", "in", "with", "and", "to", "is", "this", "it", "at", "something", "person",
     "people", "picture", "photo", "image", "drawing", "icon", "emoji"}
)  # fmt: skip
"""Words that say nothing of what a label is about."""
BEARING = {
    "occupation": "say “{}” and name no gender",
    "tone trait": "say “{}”",
    "gender trait": "say “{}”",
    "ground": "show a {} and do not name its ground",
    "written word": "bear the written word “{}”",
    "order": "join two things with “{}”",
    "circle": "show a red circle round a {}",
    "binding": "show {}",
    "trigger": "bear the patch {}",
    "person": "are said to show {}",
}
"""What the pairs of a concept have in common, by behaviour."""


@dataclass(frozen=True)
class Way:
    """A link to some pairs: what is set on the page, how many there are, and what they have in common."""

    ask: Ask
    count: int
    text: str


def related(model_spec: str, report: Report[Any]) -> Markup:
    """Links to the training pairs that speak to a report; nothing for a model that is not one of the bundled pair.

    Args:
        model_spec: the model that answered.
        report: any probe's.
    """
    world = MODELS.get(model_spec)
    if world is None:
        return Markup("")
    labels = tuple(dict.fromkeys(_labels(report.params)))
    found = list(_ways(world, labels, _names(report)))
    ways = {way.ask: way for way in found if way.count}
    items = Markup("").join(
        Markup('<li><a href=".{}?{}">{} of the pairs it was trained on</a> {}</li>').format(
            ADDRESS, way.ask.query(), f"{way.count:,}", way.text
        )
        for way in list(ways.values())[:MOST]
    )
    missing = [label for label in labels if not _said(world, label)]
    note = Markup("")
    if missing:
        told = ", ".join(f"“{label[:40]}”" for label in missing[:4]) + ("…" if len(missing) > 4 else "")
        note = Markup("<p>No caption that this model was trained on says {}.</p>").format(told)
    if not items and not note:
        return Markup("")
    listed = Markup("<ul>{}</ul>").format(items) if items else Markup("")
    return Markup('<div class="related"><h3>What it was trained on</h3>{}{}</div>').format(listed, note)


def _labels(params: Params | Mapping[str, Any]) -> Iterator[str]:
    """Every list of texts among the parameters but templates, which have a slot, and names given to values."""
    values = params.values() if isinstance(params, Mapping) else (getattr(params, f.name) for f in fields(params))
    for value in values:
        if isinstance(value, (tuple, list)) and value and all(isinstance(one, str) for one in value):
            yield from (one for one in value if "{}" not in one and "=" not in one)


def _names(report: Report[Any]) -> frozenset[str]:
    """Words by which the probe and its parameters are called."""
    params = report.params
    called = [report.probe.replace("_", " ")]
    if isinstance(params, Params):
        called += [f.control.label for f in fields(params)]
    return frozenset(pairs.words_of(" ".join(called)))


def _ways(world: str, labels: Iterable[str], names: frozenset[str]) -> Iterator[Way]:
    """Ways from the closest to the farthest: concepts, kinds that the probe names, words."""
    labels = tuple(labels)
    rows = [row for label in labels for row in _concepts(label)]
    for row in sorted(rows, key=lambda row: row.behaviour not in names):
        yield _bearing(world, row)
    for label in labels:
        words = tuple(word for word in pairs.words_of(label) if word not in FILLERS)
        if words:
            ask = Ask(world=world, words=" ".join(words), show="ground")
            yield Way(ask, _count(world, ask), f"have a caption that says “{' '.join(words)}”.")
    for kind in pairs.KINDS:
        if kind in names:
            ask = Ask(world=world, kind=kind)
            yield Way(
                ask,
                _count(world, ask),
                f"are of the kind “{kind}”: {pairs.KINDS[kind][:1].lower()}{pairs.KINDS[kind][1:]}",
            )


def _bearing(world: str, row: Planted) -> Way:
    ask = Ask(world=world).with_concept(f"{row.behaviour}:{row.concept}")
    dose = row.skewed if world == "skewed" else row.balanced
    text = f"{BEARING[row.behaviour].format(pairs.name_of(row))}; the plan: {row.what} at {dose:.1%}."
    return Way(ask, _count(world, ask), text)


@lru_cache(maxsize=2_000)
def _concepts(label: str) -> tuple[Planted, ...]:
    """The rows of the plan that a label names, words of a concept in a row."""
    words = f" {' '.join(pairs.words_of(label))} "
    return tuple(row for row in PLAN if row.behaviour != "order" and f" {row.concept.casefold()} " in words)


@lru_cache(maxsize=2_000)
def _said(world: str, label: str) -> bool:
    """Whether a caption says all the words of a label."""
    words = tuple(word for word in pairs.words_of(label) if word not in FILLERS)
    return not words or _count(world, Ask(world=world, words=" ".join(words))) > 0


@lru_cache(maxsize=2_000)
def _count(world: str, ask: Ask) -> int:
    return int(ask.search.matching(pairs.indices()[world]).sum())
