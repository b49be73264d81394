"""Controls parse what they formatted, and refuse the rest in sentences that name the field."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.controls import Choice, Count, Lines, Pictures, Range, Switch
from probes.core.errors import FieldError
from probes.core.marks import Mark, Marks
from probes.core.parameters import Params, fields, parameter, parse, to_flags, to_query, verify
from probes.core.pictures import Picture
from tests.fakes import noise


@dataclass(frozen=True, kw_only=True)
class Everything(Params):
    words: tuple[str, ...] = parameter(("a", "b"), Lines(label="Words", fewest=2, most=5, longest=40))
    size: float = parameter(0.5, Range(label="Size", low=-1, high=1, step=0.1))
    number: int = parameter(3, Count(label="Number", low=1, high=9))
    kind: str = parameter("x", Choice(label="Kind", options=("x", "y")))
    on: bool = parameter(False, Switch(label="On"))
    at: tuple[Mark, ...] = parameter((Mark("circle", ((0.5, 0.5),), 0.1),), Marks(label="At", on="pictures"))
    pictures: tuple[Picture, ...] = parameter((), Pictures(label="Pictures", fewest=0, most=2))

    def check(self):
        if self.kind == "y" and self.on:
            raise FieldError("on", "y cannot be on")


line = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=40).map(str.strip)
everything = st.builds(
    Everything,
    words=st.lists(line.filter(bool), min_size=2, max_size=5, unique=True).map(tuple),
    size=st.floats(-1, 1).map(lambda x: round(x, 6)),
    number=st.integers(1, 9),
    kind=st.just("x"),
    on=st.booleans(),
    at=st.tuples(*[st.floats(0, 1).map(lambda x: round(x, 3))] * 2).map(
        lambda point: (Mark("circle", (point,), 0.1), Mark("point", (point,), 0.02, "#123456", fill=0.25))
    ),
    seed=st.integers(0, 2**31 - 1),
)


@given(everything)
def test_a_link_gives_back_what_went_in(params):
    pairs = {}
    for name, text in to_query(params):
        pairs.setdefault(name, []).append(text)
    assert parse(Everything, pairs) == params


@given(everything)
def test_flags_of_the_defaults_are_empty_and_others_are_named(params):
    named = {text.split("=")[0] for text in to_flags(params)}
    assert {f.flag for f in fields(params) if getattr(params, f.name) != f.default} <= named
    assert to_flags(Everything()) == ()


@pytest.mark.parametrize(
    ("given", "field", "part"),
    [
        ({"words": []}, "words", "at least 2 lines; none given"),
        ({"words": "one\n\none\n"}, "words", "each different; 1 given"),
        ({"words": [str(i) for i in range(10_000)]}, "words", "10,000 lines are too many; the limit is 5"),
        ({"words": ["a", "b" * 41]}, "words", "has 41 characters"),
        ({"words": 7}, "words", "list"),
        ({"words": None}, "words", "none given"),
        ({"size": "nan"}, "size", "not between -1 and 1"),
        ({"size": "wide"}, "size", "not a number"),
        ({"size": ["1", "2"]}, "size", "one value; 2 given"),
        ({"number": "2.5"}, "number", "not a whole number"),
        ({"number": "inf"}, "number", "not a whole number"),
        ({"number": 10}, "number", "between 1 and 9"),
        ({"kind": "z"}, "kind", "not one of x, y"),
        ({"on": "maybe"}, "on", "neither on nor off"),
        ({"at": "circle 0.5"}, "at", "takes its centre and radius"),
        ({"at": ["circle 0.5,1.5 0.1"]}, "at", "outside of the picture"),
        ({"pictures": ["missing.png"]}, "pictures", "missing.png: there is no such file"),
        ({"pictures": [1]}, "pictures", "not int"),
        ({"pictures": [noise(i) for i in range(3)]}, "pictures", "give 0 to 2 pictures; 3 given"),
        ({"kind": "y", "on": True}, "on", "y cannot be on"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_refusals_name_the_field_and_say_why(given, field, part):
    with pytest.raises(FieldError) as caught:
        parse(Everything, given)
    assert caught.value.field == field
    assert part in caught.value.message


def test_a_template_must_hold_its_slot_once():
    control = Lines(label="Templates", slot="{}")
    assert control.parse("a {}\nb {}") == ("a {}", "b {}")
    for bad in ("none", "{} and {}"):
        with pytest.raises(ValueError, match="once"):
            control.parse(bad)


def test_blank_and_repeated_lines_go_and_order_stays():
    assert Lines(label="L").parse(" b \r\n\na\nb\n") == ("b", "a")
    assert Lines(label="L").parse(["b\n a", "c"]) == ("b", "a", "c"), "a file's text as one argument"


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.binary()))
def test_no_control_fails_otherwise_than_in_a_sentence(value):
    for f in fields(Everything):
        with contextlib.suppress(FieldError):
            assert isinstance(parse(Everything, {f.name: value}), Everything)


def test_verify_holds_python_to_the_same_rules():
    verify(Everything())
    for bad in ({"number": 0}, {"words": ("a", "a")}, {"size": 2.0}):
        with pytest.raises(FieldError):
            verify(replace(Everything(), **bad))


def test_seed_comes_last():
    assert [f.name for f in fields(Everything)][-1] == "seed"
