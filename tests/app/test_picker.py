"""Models whose parts are switched off, in the picker: their names, and what they cost."""

from __future__ import annotations

import pytest

from app import picker
from app.engine import installed
from probes.core.errors import FieldError

ENGINE = installed()
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
