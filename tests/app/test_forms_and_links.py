"""What a form reads and a link carries, without a browser."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app import failures, forms, links, picker, stage
from app.forms import Form
from app.running import Job, Ticket
from app.stage import Held
from probes import registry
from probes.core.controls import Lines, Text
from probes.core.errors import Cancelled, FieldError, ModelError
from probes.core.file_controls import File
from probes.core.marks import Marks
from probes.core.parameters import Field, Params, fields
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe
from tests.app.conftest import make_engine

PROBES = list(registry.all_probes().values())

words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30).map(str.strip)
labels = st.lists(words.filter(bool), min_size=2, max_size=8, unique=True)
shares = st.integers(0, 1000).map(lambda value: value / 1000)


def make_form(probe: AnyProbe) -> Form:
    with gr.Blocks():
        entries = [forms.lay_out(f) for f in fields(probe.params) if not f.is_pictures]
        pictures = [forms.Entry(f, (), gr.HTML()) for f in fields(probe.params) if f.is_pictures]
    return Form(probe.params, (*entries, *pictures))


def with_values(probe: AnyProbe, some: list[str], point: tuple[float, float]) -> Params:
    values: dict[str, object] = {}
    for f in fields(probe.params):
        if f.name in ("labels", "texts"):
            values[f.name] = tuple(some)
        elif isinstance(f.control, Marks):
            values[f.name] = tuple(mark.moved_to(*point) for mark in f.default)  # type: ignore[attr-defined]
    return stage.changed(probe.params(), values)


def accepts_nothing(f: Field) -> bool:
    return isinstance(f.control, (Text, File)) or (isinstance(f.control, Lines) and f.control.fewest == 0)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
@settings(max_examples=50, deadline=None)
@given(some=labels, point=st.tuples(shares, shares), own=st.booleans())
def test_a_link_brings_back_every_field(
    probe: AnyProbe, some: list[str], point: tuple[float, float], own: bool
) -> None:
    params = with_values(probe, some, point)
    shown = probe.example() if own else None
    link = links.read(probe.params, parse_qsl(links.query(params, shown), keep_blank_values=True))
    assert not link.errors
    base = probe.params() if link.values or shown is None else shown
    back = stage.changed(base, link.values)
    for f in fields(probe.params):
        if not f.is_pictures:
            assert getattr(back, f.name) == getattr(params, f.name)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_setting_everything_to_its_default_is_told_from_the_example(probe: AnyProbe) -> None:
    params, shown = probe.params(), probe.example()
    assert links.query(shown, shown) == ""
    assert links.read(probe.params, parse_qsl(links.query(params, shown))).values


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_a_form_shows_and_reads_the_same(probe: AnyProbe) -> None:
    form, example = make_form(probe), probe.example()
    shown = form.show({f.name: getattr(example, f.name) for f in fields(example)})
    pictures = {f.name: getattr(example, f.name) for f in fields(example) if f.is_pictures}
    checked = form.check([shown[component] for component in form.inputs], pictures)
    assert checked.errors == {}
    assert checked.params == example


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.card.name)
def test_every_wrong_field_gets_its_own_sentence(probe: AnyProbe) -> None:
    form = make_form(probe)
    checked = form.check([None] * len(form.inputs), {})
    # what may be left empty is not wrong when it is
    may_be_empty = {f.name for f in fields(probe.params) if accepts_nothing(f)}
    assert set(checked.errors) == {f.name for f in fields(probe.params)} - may_be_empty
    assert checked.errors
    assert all(text.endswith(".") and not text[0].islower() for text in checked.errors.values())
    defaults = probe.params()
    for f in fields(probe.params):
        if f.name not in may_be_empty:
            assert getattr(checked.params, f.name) == getattr(defaults, f.name)


def test_ten_thousand_labels_are_refused_with_a_number() -> None:
    form = make_form(PROBES[0])
    shown = form.show({f.name: f.default for f in fields(PROBES[0].params)})
    box = next(entry.inputs[0] for entry in form.entries if entry.field.name == "labels")
    shown[box] = "\n".join(f"label {i}" for i in range(10_000))
    values = [shown[component] for component in form.inputs]
    assert "10,000 lines are too many" in form.check(values, {}).errors["labels"]


def test_a_link_cannot_name_a_file() -> None:
    for probe in PROBES:
        kept_here = [f for f in fields(probe.params) if not f.travels]
        assert kept_here
        named = [(f.name, "/etc/passwd") for f in kept_here]
        link = links.read(probe.params, [*named, ("__theme", "dark"), ("utm", "x")])
        for f in kept_here:
            what, do = ("Pictures", "choose one") if f.is_pictures else ("Files", "bring it")
            assert link.errors[f.name] == f"{what} never travel in a link: {do} here."
            assert f.name not in link.values
        assert "“utm”" in link.errors[""]
        assert "theme" not in link.errors[""]


def switched(heads: int) -> str:
    """A model with so many heads off."""
    return "hf-hub:laion/a-model-of-a-long-name~" + ",".join(f"L{n // 16}H{n % 16}" for n in range(heads))


def test_the_name_of_a_model_travels_whole_or_not_at_all() -> None:
    params = PROBES[0].params()
    spec = switched(300)
    assert len(spec) > 1500
    query = links.query(params, params, spec, switched(299))
    link = links.read(PROBES[0].params, parse_qsl(query))
    assert (link.model, link.beside, link.errors) == (spec, switched(299), {})
    link = links.read(PROBES[0].params, [("model", "a" * 4001), ("beside", "b" * 4001)])
    assert (link.model, link.beside) == ("", "")
    assert set(link.errors) == {"model", "beside"}


@given(st.lists(st.integers(1, 400), min_size=1, max_size=400))
@settings(max_examples=30, deadline=None)
def test_a_link_never_grows_too_long_and_says_what_it_is_without(lengths: list[int]) -> None:
    probe = registry.get("zero_shot")
    words = tuple(f"{number} {'é' * length}" for number, length in enumerate(lengths))
    params = replace(probe.params(), labels=("a", *words), seed=7)
    query = links.query(params, None, "bundled:skewed")
    assert len(query) <= links.LONGEST
    link = links.read(probe.params, parse_qsl(query))
    assert link.values["seed"] == 7
    if links.missing(query):
        assert links.missing(query) == ("labels",)
        assert "too long for a link" in link.errors["labels"]
        assert "labels" not in link.values
        assert "" not in link.errors
    else:
        assert link.values["labels"] == params.labels


def picture(colour: int, name: str = "p.png") -> Picture:
    return Picture(name, np.full((30, 40, 3), colour, np.uint8))


def test_only_uploads_are_read() -> None:
    f = next(f for f in fields(PROBES[0].params) if f.is_pictures)
    for path in ("/etc/passwd", "app.py", "", "../../etc/hosts"):
        received = stage.receive(Held(), f, [{"path": path, "name": "x.png"}])
        assert received.held == Held()
        assert received.error == "x.png: this is not an upload."


def uploaded(colour: int, size: tuple[int, int] = (4, 3)) -> dict[str, str]:
    """A picture of one colour as a browser sends it."""
    folder = Path(get_upload_folder()) / f"of-{colour}"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (colour, 0, 0)).save(folder / "p.png")
    return {"path": str(folder / "p.png"), "name": f"{colour}.png"}


def several() -> Field:
    """A field of several pictures."""
    return next(f for p in PROBES for f in fields(p.params) if f.is_pictures and not stage.takes_one(f))


def test_pictures_that_there_is_no_room_for_are_deleted_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    f = several()
    most = f.control.most  # type: ignore[attr-defined]
    read: list[str] = []
    plain = Picture.read

    def noted(source: bytes, name: str) -> Picture:
        read.append(name)
        return plain(source, name)

    monkeypatch.setattr(Picture, "read", noted)
    sent = [uploaded(number) for number in range(most + 5)]
    received = stage.receive(Held(), f, sent)
    assert len(received.held.laid[f.name]) == len(read) == most
    assert received.error == f"There is room for {most} pictures; the first {most} were kept."
    assert not any(Path(one["path"]).exists() for one in sent)


def test_a_field_holds_so_many_pixels_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    f = several()
    monkeypatch.setattr(stage, "MOST_PIXELS", 3_000_000)
    sent = [uploaded(1, (1000, 1000)), uploaded(2, (2000, 1500)), uploaded(3, (2000, 1000))]
    received = stage.receive(Held(), f, sent)
    assert [one.name for one in received.held.pictures[f.name]] == ["1.png", "3.png"]
    assert received.error == "2.png: there is room for 3 megapixels, and with it there were 4; make it smaller."
    assert received.held.nbytes >= 9_000_000
    assert received.held.lay(f, received.held.pictures[f.name], "cat").nbytes == 0, "what comes along is free"


def test_what_was_on_the_stage_stays_when_a_picture_cannot_be_read() -> None:
    f = next(f for f in fields(PROBES[0].params) if f.is_pictures)
    held = Held().lay(f, [picture(1)], "cat")
    received = stage.receive(held, f, [{"name": "big.png", "error": "the file has 90 MB; the limit is 25 MB"}])
    assert received.held == held
    assert received.error == "big.png: the file has 90 MB; the limit is 25 MB."


def test_the_stage_escapes_what_a_visitor_named() -> None:
    f = next(f for f in fields(PROBES[0].params) if f.is_pictures)
    drawn = stage.draw(Held().lay(f, [picture(9, "<img onerror=x>.png")]), f, PROBES[0].params())
    assert "<img onerror" not in drawn
    assert "&lt;img onerror=x&gt;.png" in drawn


def test_stopping_ends_the_work_and_nobody_elses() -> None:
    mine, other = Ticket(), Ticket()
    assert mine.take()
    assert other.take()
    assert not mine.take()

    def endless(progress: object) -> None:
        while True:
            progress(0.5, "turning")  # type: ignore[operator]

    job: Job[None] = Job(endless, mine)
    steps = job.steps()
    assert next(steps).doing == "turning"
    mine.stop()
    assert list(steps) == []
    with pytest.raises(Cancelled):
        job.result()
    assert not other.stopped.is_set()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk of this machine is full"),
        (MemoryError(), "not enough memory"),
        (ModelError("no such model"), "No such model."),
        (FieldError("labels", "give at least 2 lines"), "Give at least 2 lines."),
        (ZeroDivisionError("x"), "nobody foresaw"),
    ],
)
def test_errors_are_sentences(error: Exception, says: str) -> None:
    told = failures.sentence(error)
    assert says in told
    assert "Traceback" not in told


def test_models_of_a_shared_machine_are_not_files() -> None:
    shared = make_engine(files=False)
    with pytest.raises(FieldError, match="shared"):
        picker.checked(shared, "local-dir:/home")
    assert picker.checked(make_engine(), "local-dir:/home") == "local-dir:/home"
    assert picker.checked(shared, " bundled ") == "bundled"


OPENING = ("bundled:skewed", "bundled:balanced")


@pytest.mark.parametrize(
    ("chosen", "query"),
    [
        (OPENING, ""),
        (("bundled", "bundled:balanced"), ""),
        (("bundled:skewed", "none"), "beside=none"),
        (("bundled:skewed", "b:c"), "beside=b%3Ac"),
        (("a:b", "none"), "model=a%3Ab"),
        (("a:b", "bundled:balanced"), "model=a%3Ab&beside=bundled%3Abalanced"),
        (("bundled:balanced", "bundled:balanced"), "model=bundled%3Abalanced&beside=bundled%3Abalanced"),
    ],
)
def test_a_link_says_as_little_of_the_models_as_brings_them_back(chosen: tuple[str, str], query: str) -> None:
    probe = PROBES[0]
    params = probe.example()
    said = links.models(chosen, OPENING, picker.same)
    assert links.query(params, params, *said) == query
    link = links.read(probe.params, parse_qsl(query))
    back = (link.model or OPENING[0], link.beside or OPENING[1])
    assert all(map(picker.same, back, chosen))


def test_bundled_models_are_told_by_their_cards() -> None:
    engine = make_engine()
    both = picker.about(engine, OPENING)
    assert "things were planted. " in both
    assert "none was. " in both
    alone = picker.about(engine, ("bundled:balanced", "none"))
    assert "planted" not in alone
    assert picker.about(engine, ("ViT-B-32-quickgelu:openai", "none")) == ""


def test_the_picker_says_what_a_model_costs() -> None:
    engine = make_engine()
    engine.models(wait=True)
    offered = dict(picker.choices(engine.models(), engine.default))
    assert offered["ViT-B-32-quickgelu (openai) – 605 MB to download"] == "ViT-B-32-quickgelu:openai"
    assert picker.costs_nothing(engine, "bundled")
    assert not picker.costs_nothing(engine, "ViT-B-32-quickgelu:openai")


def test_an_example_is_answered_once() -> None:
    engine = make_engine()
    first, second = engine.opens_with
    assert engine.ready(PROBES[0], first) is None
    answer = engine.example(PROBES[0], first)
    assert answer is engine.example(PROBES[0], first) is engine.ready(PROBES[0], first)
    assert engine.ready(PROBES[0], second) is None
    assert engine.example(PROBES[0], second).report.headline != answer.report.headline


def test_every_control_has_components() -> None:
    for probe in PROBES:
        form = make_form(probe)
        assert all(entry.inputs or entry.file or entry.field.is_pictures for entry in form.entries)
        assert any(isinstance(entry.field.control, Lines) for entry in form.entries)
