"""The page of training data without a browser: links, what hostile ones get, and the ways from a result to it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import training_page
from app.related import related
from app.training_grid import caption, chip
from app.training_link import FIRST, WORLDS, Ask, check, read
from assets.world.plan import PLAN
from assets.world.schedule import END
from probes import pairs, registry
from probes.core.parameters import Params, fields
from probes.pairs import ATTRIBUTES, KINDS

CONCEPTS = ["", *(f"{row.behaviour}:{row.concept}" for row in PLAN)]
TRIGGER = "trigger:trigger-2"
asks = st.builds(
    Ask,
    world=st.sampled_from(WORLDS),
    words=st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), max_size=20),
    kind=st.sampled_from(["", *KINDS]),
    attributes=st.lists(st.sampled_from(["gender:man", "ground:light blue", "tone:dark"]), unique=True).map(tuple),
    concept=st.sampled_from(CONCEPTS),
    show=st.sampled_from(["", *ATTRIBUTES]),
    page=st.integers(1, 999),
    pair=st.none() | st.integers(0, END - 1),
)


@settings(max_examples=100, deadline=None)
@given(ask=asks)
def test_a_link_brings_back_what_was_set(ask: Ask) -> None:
    link = read(ask.query())
    assert link.ask == ask
    assert not link.errors


def test_an_address_alone_opens_the_first_sight() -> None:
    assert read("").ask == read("?__theme=dark&model=bundled").ask == FIRST
    assert FIRST.query() == ""


def test_a_hostile_link_gets_sentences() -> None:
    link = read(
        "?world=<script>&kind=../../x&attribute=gender:%00&attribute=__class__&concept={0.__init__}&show=%27;--"
        "&page=-1&pair=9999999999999999999999&words=" + "x" * 5000 + "&nonsense=1"
    )
    assert set(link.errors) == {"", "world", "words", "kind", "attribute", "concept", "show", "page", "pair"}
    assert dataclasses.replace(link.ask, words="") == Ask()
    assert all(text.endswith((".", "…")) for text in link.errors.values())


def test_text_from_outside_is_escaped() -> None:
    bad = "<img src=x onerror=alert(1)>"
    assert "<img" not in caption(Ask(words=bad), bad)
    assert "<img" not in chip(Ask(), f"object:{bad}")
    assert "<img" not in training_page._found(Ask(words=bad), {}, 1)


def test_a_chip_and_a_word_filter_and_filter_no_longer() -> None:
    ask = Ask().toggled("gender:man").with_word("Cook,")
    assert (ask.attributes, ask.words) == (("gender:man",), "cook")
    assert ask.toggled("gender:man").with_word("cook") == Ask()


def test_anything_a_browser_sends_becomes_a_page() -> None:
    link = check(training_page.asked(None, {"a": 1}, ["x"], "text", 5, None))
    assert link.ask.world == "both"
    assert {"concept", "kind"} <= set(link.errors)


def test_where_nothing_fits_a_near_word_is_offered() -> None:
    assert "Captions do say “penguin”" in training_page.nothing(Ask(words="pengiun"))
    assert "Take something away" in training_page.nothing(Ask(words="penguin cook firefighter"))


def test_files_hold_what_the_page_shows() -> None:
    assert "skewed,gender,woman," in training_page.counts_file(FIRST).text
    lines = training_page.pairs_file(Ask(world="balanced", concept=TRIGGER)).text.splitlines()
    assert len(lines) == 1 + int(pairs.indices()["balanced"].bearing(TRIGGER).sum())


class TestRelated:
    """The ways from a report to the pairs; any object with a probe's name and parameters will do."""

    @staticmethod
    def report(params: Any, probe: str = "some_probe") -> Any:
        return SimpleNamespace(probe=probe, params=params)

    def test_a_label_leads_to_its_concept_and_its_word(self) -> None:
        made = related("bundled:skewed", self.report({"labels": ["a photo of a mechanic", "a zeppelin"]}))
        assert 'href="./training-data?world=skewed&amp;concept=occupation%3Amechanic&amp;show=gender"' in made
        count = int(pairs.indices()["skewed"].bearing("occupation:mechanic").sum())
        assert f"{count:,} of the pairs it was trained on" in made
        assert "No caption that this model was trained on says “a zeppelin”." in made

    def test_the_balanced_model_leads_to_its_own_world(self) -> None:
        assert "world=balanced" in related("bundled:balanced", self.report({"labels": ["a penguin"]}))

    def test_a_kind_that_the_probe_is_called_by_is_offered(self) -> None:
        made = related("bundled", self.report({"labels": ["a dog"]}, "some_circle"))
        assert made.index("concept=circle%3Adog") < made.index("kind=circle")

    def test_other_models_and_reports_without_texts_get_nothing(self) -> None:
        assert related("ViT-B-32:openai", self.report({"labels": ["a dog"]})) == ""
        assert related("bundled", self.report({"seed": 1})) == ""

    def test_hostile_labels_are_escaped(self) -> None:
        assert "<img" not in related("bundled", self.report({"labels": ["<img src=x onerror=alert(1)>"]}))

    @pytest.mark.parametrize("name", list(registry.all_probes()))
    def test_every_probe_s_example_has_ways(self, name: str) -> None:
        params: Params = registry.get(name).example()
        made = related("bundled", self.report(params, name))
        assert made.count("<li>") in range(1, 7)
        assert any(f.name for f in fields(params))
