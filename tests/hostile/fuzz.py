"""Each function here throws so many cases at one door, checks what came of every one, and gives their number."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import failures, files, forms, links, training_link
from app.forms import Form
from probes import registry
from probes.core.controls import Pictures
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.embeddings import Embeddings
from probes.core.errors import ClipspectError
from probes.core.file_controls import EmbeddingPairsFile, EmbeddingsFile, File, PictureSet, RegionsFile, TableFile
from probes.core.parameters import Params, fields, parse
from probes.core.picture_sets import PictureFiles, Unreadable
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe, run
from probes.core.regions import Regions
from probes.core.tables import Table
from tests.fakes import PixelBackend, noise
from tests.hostile import corpus

PROBES = tuple(registry.all_probes().values())
ROOT = Path(__file__).parents[2]
OWN = (str(ROOT), sys.prefix, tempfile.gettempdir(), "site-packages", "Traceback", '.py"', "object at 0x")
"""What no sentence says."""
QUICK = ("zero_shot", "red_circle")
"""Probes that the fake answers at once."""

nasty = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "9" * 400,
        "9" * 5000,
        "1e999",
        "-inf",
        "nan",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "{}{}",
        "{0.__class__}",
        "%s%n",
        "=1+1",
        "@nothing",
        "@",
        "\u202e",
        "\r\n",
        "a\nb",
        "true",
        "[]",
        "None",
        "-1",
        "0x10",
        "circle 0.5,0.5 0.1",
        "circle nan,inf 1e400",
        "arrow 1,1",
        "point 0.1,0.1 0.02 fill=9e999",
        "a" * 70_000,
        "\n" * 3000,
        "L4H2",
        "L999H999,M5",
        10**400,
        -(10**400),
        1e308,
        float("nan"),
        float("inf"),
        True,
        b"\xff\xfe",
        {},
        [],
        [[]],
        (),
        {"shape": "circle", "points": [[1e400, 0]], "colour": "red", "width": 10**400, "fill": 0, "radius": 1},
        {"shape": [], "points": "ab"},
        {"path": "/etc/passwd"},
        [{"path": "/etc/passwd"}],
    ]
)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=9)
junk = nasty | st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
asked = nasty.map(str) | st.text(max_size=60)


def often(count: int) -> Callable[..., Any]:
    return settings(
        max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


def check_sentence(text: str) -> None:
    assert text.strip(), "an error without words"
    assert len(text) < 1_500, text[:300]
    assert not [one for one in OWN if one in text], text


def refused(door: Callable[[], object], also: tuple[type[Exception], ...] = ()) -> bool:
    """Whether a door says no; whatever else it raises fails the test."""
    try:
        door()
    except (ClipspectError, *also) as error:
        check_sentence(failures.sentence(error) if isinstance(error, ClipspectError) else str(error))
        return True
    return False


@lru_cache(maxsize=8)
def form_of(probe: AnyProbe) -> Form:
    with gr.Blocks():
        entries = [forms.lay_out(f) for f in fields(probe.params) if not f.is_pictures]
        pictures = [forms.Entry(f, (), gr.HTML()) for f in fields(probe.params) if f.is_pictures]
    return Form(probe.params, (*entries, *pictures))


def held_pictures(params: type[Params]) -> Mapping[str, object]:
    return {f.name: [noise(i) for i in range(max(1, f.control.fewest))]
            for f in fields(params) if isinstance(f.control, Pictures)}  # fmt: skip


def of_forms(each: int = 120) -> int:
    """What a browser can send in place of a form's values; the link to what is kept must be writable."""
    return sum(_of_form(probe, each) for probe in PROBES)


def _of_form(probe: AnyProbe, each: int) -> int:
    cases: list[int] = []
    form, held = form_of(probe), held_pictures(probe.params)
    own = own_values(form, {})

    @often(each)
    @given(st.lists(st.tuples(st.integers(0, len(own) - 1), junk), min_size=1, max_size=5))
    def sent(changes: list[tuple[int, object]]) -> None:
        cases.append(1)
        values = list(own)
        for place, value in changes:
            values[place] = value
        checked = form.check(values, held)
        for text in checked.errors.values():
            check_sentence(text)
        checked.params.check()
        read = links.read(probe.params, parse_qsl(links.query(checked.params, None), keep_blank_values=True))
        assert not read.errors

    sent()
    return len(cases)


def own_values(form: Form, given_some: Mapping[str, object]) -> list[object]:
    """What the components of a form hold, with some of it given."""
    return [given_some.get(e.field.name, forms.to_components(e.field.control, e.field.default)[0])
            for e in form.entries if e.inputs]  # fmt: skip


def of_files_in_place_of_values(each: int = 60) -> int:
    """Anything in place of pictures and files."""
    return sum(_of_brought(probe, each) for probe in PROBES)


def _of_brought(probe: AnyProbe, each: int) -> int:
    cases: list[int] = []
    brought = [f.name for f in fields(probe.params) if f.is_pictures or isinstance(f.control, File)]

    @often(each)
    @given(st.dictionaries(st.sampled_from(brought), junk.filter(lambda one: not _a_path(one)), max_size=3))
    def held(values: dict[str, object]) -> None:
        cases.append(1)
        refused(lambda: parse(probe.params, values))

    held()
    return len(cases)


def _a_path(value: object) -> bool:
    """What the command line would open; a form and a link never get there."""
    return isinstance(value, (str, bytes)) or (isinstance(value, (list, tuple)) and any(map(_a_path, value)))


def of_links(each: int = 150) -> int:
    """Queries of links to pages of probes."""
    return sum(_of_link(probe, each) for probe in PROBES)


def _of_link(probe: AnyProbe, each: int) -> int:
    cases: list[int] = []
    names = st.sampled_from(
        [f.name for f in fields(probe.params)] + ["model", "beside", "example", "x", "__theme"]
    )

    @often(each)
    @given(st.lists(st.tuples(names | asked, asked), max_size=6))
    def linked(pairs: list[tuple[str, str]]) -> None:
        cases.append(1)
        for text in links.read(probe.params, pairs).errors.values():
            check_sentence(text)

    linked()
    return len(cases)


def of_searches(each: int = 200) -> int:
    """Queries of links to the page of training data; what is understood is understood again."""
    cases: list[int] = []
    names = ["world", "words", "kind", "attribute", "concept", "show", "page", "pair", "y"]

    @often(each)
    @given(st.lists(st.tuples(st.sampled_from(names), asked), max_size=6))
    def searched(pairs: list[tuple[str, str]]) -> None:
        cases.append(1)
        link = training_link.read("&".join(f"{name}={text}" for name, text in pairs))
        for text in link.errors.values():
            check_sentence(text)
        assert training_link.read(link.ask.query() or "world=both").errors == {}

    searched()
    return len(cases)


def of_questions(each: int = 25) -> int:
    """What a form lets through is answered, or refused in a sentence."""
    return sum(_of_question(probe, each) for probe in PROBES if probe.card.name in QUICK)


def _of_question(probe: AnyProbe, each: int) -> int:
    cases: list[int] = []
    backend, form, held = PixelBackend(), form_of(probe), held_pictures(probe.params)
    free = sorted(f.name for f in fields(probe.params) if not f.is_pictures and not isinstance(f.control, File))
    short = {"placebos": 19, "grid": 0, "cells": 4, "curves": False}

    @often(each)
    @given(st.dictionaries(st.sampled_from(free), asked | st.integers(0, 20) | st.booleans(), max_size=3))
    def run_it(values: dict[str, object]) -> None:
        cases.append(1)
        checked = form.check(own_values(form, {**short, **values}), held)
        refused(lambda: run(probe, checked.params, backend).headline.strip())

    run_it()
    return len(cases)


def _each(
    good: Mapping[str, bytes], bad: Mapping[str, bytes], mutations: int, door: Callable[[bytes], object]
) -> int:
    """All bad files, and as many mutations of every good one."""
    dice = random.Random(7)
    for content in (*good.values(), *bad.values()):
        door(content)
    for content in good.values():
        for _ in range(mutations):
            door(corpus.mutated(content, dice))
    return len(good) + len(bad) + mutations * len(good)


def of_pictures(mutations: int = 110) -> int:
    def read(content: bytes) -> None:
        refused(lambda: Picture.read(content, name="sent.png"))

    return _each(corpus.valid_pictures(), corpus.broken_pictures(), mutations, read)


def of_sets(mutations: int = 400) -> int:
    def read(content: bytes) -> None:
        def every() -> None:
            found = files.value_of(PictureSet(label="x", most=200_000), {"sent.zip": content})
            names = found.names[:20]
            for one in found.read(names):
                if isinstance(one, Unreadable):
                    check_sentence(one.reason)
            assert PictureFiles.none() != found

        refused(every)

    good = {"zip": corpus.zipped({"a.png": corpus.picture("PNG"), "b/c.jpg": corpus.picture("JPEG")})}
    return _each(good, corpus.hostile_zips(), mutations, read)


def of_tables(mutations: int = 400) -> int:
    def read(content: bytes) -> None:
        def table() -> None:
            for problem in Table.read(content, "sent.csv").problems[:20]:
                check_sentence(problem.reason)

        refused(table)
        refused(lambda: files.describe(files.value_of(TableFile(label="x"), {"sent.csv": content[:5000]})))

    good = {"csv": b'file,group,note\r\na.png,one,"x, y"\r\nb.png,two,""""\r\n', "bom": "﻿a;b\n1;ü\n".encode()}
    return _each(good, corpus.hostile_tables(), mutations, read)


def of_regions(mutations: int = 500) -> int:
    def read(content: bytes) -> None:
        def boxes() -> None:
            found = Regions.read(content, "sent.json")
            found.of("a.png", 640, 480)
            files.describe(files.value_of(RegionsFile(label="x"), {"sent.json": content}))
            for problem in found.problems[:20]:
                check_sentence(problem.reason)

        refused(boxes)

    return _each({"coco": corpus.coco()}, corpus.hostile_regions(), mutations, read)


def of_embeddings(mutations: int = 350) -> int:
    def read(content: bytes) -> None:
        refused(lambda: Embeddings.read(content, "sent.npz"))
        refused(lambda: EmbeddingPairs.read([content], ["sent.npz"]))
        refused(lambda: files.value_of(EmbeddingsFile(label="x"), {"sent.npy": content[:2000]}))
        refused(lambda: files.value_of(EmbeddingPairsFile(label="x"), {"a.npy": content[:2000], "b.npy": content}))

    good = {
        "npy": corpus.array_file(corpus.rows()), "npz": corpus.npz(embeddings=corpus.rows(), ids=list("abcdef")),
        "pairs": corpus.npz(images=corpus.rows(), texts=corpus.rows() + 1, captions=list("abcdef")),
    }  # fmt: skip
    return _each(good, corpus.hostile_arrays(), mutations, read)


DOORS = (
    of_forms, of_files_in_place_of_values, of_links, of_searches, of_questions, of_pictures, of_sets, of_tables,
    of_regions, of_embeddings,
)  # fmt: skip
