"""Addresses of pages: what a person set, as the query of a link, and back.

A link holds the models, the fields that differ from their defaults or from the page's example, and the name of
the bundled picture if one was taken. A visitor's own pictures never travel. Whoever opens a link gets the page
it describes; what in it cannot be used is said beside the field it is about, and the rest is used all the same.
What is too long for a link stays out, and the link says so to whoever opens it.

The pair of models that a page opens with is left out. A link that names a first model and no second asks the first
alone; one that names a second alone puts it beside the page's own; `beside=none` takes the second away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from app.engine import NONE
from probes.core.errors import ClipspectError
from probes.core.parameters import Params, fields

MODEL = "model"
BESIDE = "beside"
EXAMPLE = "example"
APART = ("predict", "lesson", "step", "explore", "explore-beside")
"""What a link says of the page around the question: whether to guess first, which step of a lesson it is, and what
was set in the explorers of the answers; the browser alone reads that (`app.explorers`)."""
WITHOUT = "without"
"""What a link calls the fields that were too long for it."""
LONGEST = 8000
"""Characters of a query beyond which servers and chats cut links off: the longest fields stay out then."""
LONGEST_NAME = 4000
"""Characters of a model's name."""


@dataclass(frozen=True)
class Link:
    """What a link asks for.

    Attributes:
        model: specification of a model; empty if it names none.
        beside: specification of the second model, `none` for none; empty if it says nothing of one.
        example: name of a bundled picture; empty if it names none.
        values: parsed values of the fields it sets.
        errors: sentences on what cannot be used, by field; the key `""` holds those about no field.
    """

    model: str = ""
    beside: str = ""
    example: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether it asks for nothing but the page."""
        return not (self.model or self.beside or self.example or self.values or self.errors)


def read(params: type[Params], pairs: Iterable[tuple[str, str]]) -> Link:
    """Understand the query of a link, given as its pairs in order."""
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        if not name.startswith("__"):  # Gradio's own, such as __theme
            given.setdefault(name, []).append(text)
    named = (MODEL, BESIDE, EXAMPLE)
    model, beside, example = (given.pop(name, [""])[-1].strip() for name in named)
    values: dict[str, object] = {}
    errors: dict[str, str] = {}
    for role, spec in ((MODEL, model), (BESIDE, beside)):
        if len(spec) > LONGEST_NAME:  # nothing is cut: a part of a name may name another model
            errors[role] = "The link cannot be used here: no model has so long a name."
    model, beside = ("" if role in errors else spec for role, spec in ((MODEL, model), (BESIDE, beside)))
    left_out = given.pop(WITHOUT, [])
    for f in fields(params):
        if f.name in left_out:
            errors[f.name] = "What stood here was too long for a link: bring it here."
        if f.name not in given:
            continue
        texts = given.pop(f.name)
        if not f.travels:
            what = (
                "Pictures never travel in a link: choose one"
                if f.is_pictures
                else "Files never travel in a link: bring it"
            )
            errors[f.name] = f"{what} here."
            continue
        try:
            values[f.name] = f.control.parse(texts)
        except (ValueError, ClipspectError) as error:
            errors[f.name] = f"The link cannot be used here: {error}."
    for name in APART:
        given.pop(name, None)
    if given:
        unknown = ", ".join(f"“{name[:40]}”" for name in list(given)[:3]) + ("…" if len(given) > 3 else "")
        errors[""] = f"This page has no field {unknown}; that part of the link was ignored."
    if model and not beside:
        beside = NONE
    return Link(model, beside, example, values, errors)


def models(
    chosen: Sequence[str], opening: Sequence[str], same: Callable[[str, str], bool] = str.__eq__
) -> tuple[str, str]:
    """What a link says of the models, first and second: as little as brings them back.

    Args:
        chosen: specifications of the two; the second may be `none`.
        opening: those that the page opens with.
        same: whether two specifications mean the same model.
    """
    model, beside = chosen
    if same(model, opening[0]):
        return "", "" if same(beside, opening[1]) else beside
    return model, "" if beside == NONE else beside


def query(params: Params, shown: Params | None, model: str = "", beside: str = "", example: str = "") -> str:
    """The query of a link to a page as it stands.

    Args:
        params: what is set. Pictures are left out.
        shown: the page's example, which a link without fields opens; None if the page has none.
        model: specification of the model, left empty for the page's own.
        beside: specification of the second model or `none`, left empty for what follows from `model`.
        example: name of the bundled picture that is on the page, or empty.
    """
    pairs = [(name, text) for name, text in ((MODEL, model), (BESIDE, beside), (EXAMPLE, example)) if text]
    settable = [f for f in fields(params) if f.travels]
    same = shown is not None and all(getattr(params, f.name) == getattr(shown, f.name) for f in settable)
    if not same:
        for f in settable:
            value = getattr(params, f.name)
            if value != f.default or (shown is not None and value != getattr(shown, f.name)):
                pairs += [(f.name, text) for text in f.control.format(value)]
    return _fitting(pairs, {f.name for f in settable})


def _fitting(pairs: list[tuple[str, str]], settable: Collection[str]) -> str:
    """A query of no more than `LONGEST` characters, which says which fields it is without."""
    whole = urlencode(pairs, errors="replace")
    while len(whole) > LONGEST:
        sizes = Counter[str]()
        for name, text in pairs:
            sizes[name] += len(urlencode([(name, text)], errors="replace")) if name in settable else 0
        longest, size = sizes.most_common(1)[0]
        if not size:
            break
        pairs = [*((name, text) for name, text in pairs if name != longest), (WITHOUT, longest)]
        whole = urlencode(pairs, errors="replace")
    return whole


def missing(query: str) -> tuple[str, ...]:
    """The fields that were too long for a query."""
    return tuple(text for name, text in parse_qsl(query) if name == WITHOUT)
