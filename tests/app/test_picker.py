"""The picker: which models there are, and those whose parts are switched off: their names, and what they cost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from app import picker
from app.engine import installed
from probes import registry
from probes.core.errors import CapabilityError, FieldError
from probes.core.model import Capability
from tests.app.conftest import make_engine
from tests.app.fakes import catalogue

ENGINE = installed()
ENGINE.models(wait=True)
HEADS = registry.get("attention_heads").card
OFF = "bundled:skewed~L5H2,M4"


def test_it_is_called_by_its_model_and_what_is_off() -> None:
    whole = picker.called(ENGINE, "bundled:skewed")
    assert picker.called(ENGINE, OFF) == f"{whole} without L5H2, M4"


def test_it_costs_what_its_model_costs() -> None:
    assert picker.costs_nothing(ENGINE, OFF)
    assert not picker.costs_nothing(ENGINE, "RN50:openai~L0H2")
    assert picker.whole(OFF) == "bundled:skewed"
    assert picker.whole("no such thing") == "no such thing"


def test_it_is_another_model_than_the_whole() -> None:
    assert picker.same(OFF, "bundled:skewed~m4,l5h2")
    assert not picker.same(OFF, "bundled:skewed")


@pytest.mark.parametrize("wrong", ["bundled:skewed~", "bundled:skewed~H3"])
def test_what_cannot_be_read_is_said(wrong: str) -> None:
    with pytest.raises(FieldError, match="tower"):
        picker.checked(ENGINE, wrong)


def test_what_a_bundled_model_is_is_told_once() -> None:
    told = picker.about(ENGINE, [OFF, "bundled:skewed"])
    assert told.count("A small CLIP trained from nothing") == 1
    assert told == picker.about(ENGINE, ["bundled:skewed"])


def test_the_line_under_the_picker_says_size_licence_and_pages_before_a_download() -> None:
    line = picker.describe(ENGINE, "ViT-B-32-quickgelu:openai", page=HEADS)
    assert "About 605 MB to download; licence Apache-2.0; pages: all." in line
    assert "annot" not in line
    resnet = picker.describe(ENGINE, "RN101:openai", page=HEADS)
    assert (
        "licence not known; pages: all; it cannot attribute to words and patches, be told where to look." in resnet
    )
    assert 'class="cannot"' not in resnet


def test_a_model_that_cannot_answer_this_page_says_so_first() -> None:
    spec = "EVA02-B-16:merged2b_s8b_b131k"
    line = picker.describe(ENGINE, spec, page=HEADS)
    reason = "its image tower is timm&#39;s Eva, whose heads are not read here"
    assert line.startswith(f'<p class="model-line"><span class="cannot">Cannot answer this page: {reason}.</span>')
    assert f"pages: all but {HEADS.title}; it cannot" in line, "why is said once"
    other = picker.describe(ENGINE, spec, page=registry.get("zero_shot").card)
    assert 'class="cannot"' not in other
    assert f"pages: all but {HEADS.title} ({reason}); it cannot" in other


def test_a_model_that_cannot_answer_is_refused_before_it_is_downloaded() -> None:
    loaded: list[str] = []
    engine = replace(ENGINE, load=lambda spec, progress: loaded.append(spec))
    probe = registry.get("attention_heads")
    for spec in ("EVA02-B-16:merged2b_s8b_b131k", "EVA02-B-16:weights.pt"):
        with pytest.raises(
            CapabilityError, match="needs a model that can decompose: its image tower is timm's Eva"
        ):
            engine.answer(probe, probe.example(), spec)
    assert loaded == []
    assert 'class="cannot"' in picker.describe(ENGINE, "EVA02-B-16:weights.pt", page=HEADS)


def test_what_is_not_listed_is_known_once_it_is_loaded() -> None:
    line = picker.describe(ENGINE, "hf-hub:org/name", page=HEADS)
    assert "which pages it can answer is known once it is loaded" in line


def test_the_list_stays_short() -> None:
    longest = max(len(label) for label, _ in picker.choices(ENGINE.models(), ENGINE.default))
    assert longest < 90


@pytest.mark.parametrize("probe", registry.all_probes().values(), ids=lambda probe: probe.card.name)
def test_the_line_agrees_with_what_is_refused_once_the_model_is_loaded(probe) -> None:
    card = probe.card
    lacks = {capability: f"no {capability.value}" for capability in Capability}
    assert card.refusal({}) == ""
    assert bool(card.refusal(lacks)) == bool(card.needs)
    assert all(card.refusal({need: "so"}) == "so" for need in card.needs)


def test_a_model_on_disk_is_known_before_the_models_were_ever_listed() -> None:
    engine = make_engine()
    assert picker.costs_nothing(engine, "slow:model")
    assert not picker.costs_nothing(make_engine(), "ViT-B-32-quickgelu:openai")


def test_who_comes_while_the_models_are_listed_waits_for_the_list() -> None:
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def slowly() -> tuple[Any, ...]:
        calls.append(1)
        begun.set()
        go_on.wait(20)
        return catalogue()

    engine = make_engine(catalogue=slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(engine.models, wait=True)
        begun.wait(20)
        second = threads.submit(engine.models, wait=True)
        assert len(engine.models()) == 2, "those that are bundled, meanwhile"
        assert not second.done()
        go_on.set()
        assert first.result(20) == second.result(20) == catalogue()
    assert len(calls) == 1
