"""A GPU that is lent to another process, with a stand-in for `spaces` that pickles everything as that does."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app import engine as engines
from app import zero_gpu
from app.engine import Engine
from app.limits import LIMITS
from probes import registry
from probes.core.errors import Cancelled, ClipspectError, FieldError, ModelError
from probes.core.watching import UNFINISHED, Watched
from tests.app.conftest import make_engine

PROBE = registry.get("zero_shot")
GROWING = registry.get("red_circle")


closed: list[bool] = []


def gpu(duration: int) -> Callable[[Any], Any]:
    """What `spaces.GPU` does to a generator: everything goes there and comes back in pickles."""
    assert duration == LIMITS.gpu_seconds

    def decorate(work: Any) -> Any:
        def elsewhere(*given: Any) -> Iterator[Any]:
            told = work(*pickle.loads(pickle.dumps(given)))
            try:
                for one in told:
                    yield pickle.loads(pickle.dumps(one))
            finally:
                told.close()
                closed.append(True)

        return elsewhere

    return decorate


def fake_load(spec: str, **told: Any) -> Any:
    assert told["device"] == "there"
    return make_engine().load(spec, told["progress"])


@pytest.fixture
def lending(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=gpu))
    monkeypatch.setattr(zero_gpu.backend, "load", fake_load)
    monkeypatch.setattr(engines.backend, "fetch", lambda spec, progress: progress(1.0, "downloading"))
    return replace(make_engine(), elsewhere=zero_gpu.lent("there"))


def test_what_is_asked_elsewhere_is_answered_the_same(lending: Engine) -> None:
    told: list[tuple[float, str]] = []
    spec = "ViT-B-32-quickgelu:openai"
    answer = lending.answer(PROBE, PROBE.example(), spec, lambda share, doing: told.append((share, doing)))
    here = make_engine().answer(PROBE, PROBE.example(), spec)
    assert answer.report.to_dict()["result"] == here.report.to_dict()["result"]
    assert answer.model == here.model
    assert PROBE.figures(answer.report.result)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert {"downloading", "waiting for a GPU"} <= {doing for _, doing in told}


def test_bundled_models_stay_here(lending: Engine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zero_gpu, "answered", lambda *given: pytest.fail("asked elsewhere"))
        for spec in ("bundled", "bundled:balanced~L1H1", "bundled:skewed"):
            assert lending.is_bundled(spec)
        assert lending.answer(PROBE, PROBE.example(), "bundled:skewed").report.headline


def test_what_a_probe_shows_on_the_way_comes_back(lending: Engine) -> None:
    seen: list[Any] = []
    params = replace(GROWING.example(), sweep="map") if hasattr(GROWING.example(), "sweep") else GROWING.example()
    answer = lending.answer(
        GROWING, params, "unhurried:model", Watched(lambda share, doing: None, seen.append), seen.append
    )
    assert answer.whole
    assert all(not one.whole for one in seen)
    assert all(UNFINISHED in one.report.result.warnings() for one in seen)


@pytest.mark.parametrize(
    ("spec", "kind", "says"),
    [("broken:model", ModelError, "no such weights"), ("bug:model", RuntimeError, "nobody foresaw")],
)
def test_what_goes_wrong_there_is_said_here(lending: Engine, spec: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        lending.answer(PROBE, PROBE.example(), spec)


def test_a_field_error_survives_the_way() -> None:
    error = pickle.loads(pickle.dumps(FieldError("labels", "give two")))
    assert (error.field, error.message, str(error)) == ("labels", "give two", "labels: give two")


def test_a_stop_ends_the_work_there(lending: Engine) -> None:
    def progress(share: float, doing: str) -> None:
        if share > 0.4:
            raise Cancelled("stopped")

    closed.clear()
    with pytest.raises(Cancelled):
        lending.answer(PROBE, PROBE.example(), "slow:model", progress)
    assert closed == [True]


@pytest.mark.parametrize("said", [{}, {"SPACES_ZERO_GPU": ""}, {"SPACES_ZERO_GPU": "false"}, {"SPACE_ID": "a/b"}])
def test_elsewhere_spaces_is_not_asked(said: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", types.ModuleType("spaces"))
    assert not zero_gpu.offered(said)


def test_without_spaces_nothing_is_lent() -> None:
    assert not zero_gpu.offered({"SPACES_ZERO_GPU": "true"})


def test_what_would_need_another_gpu_after_an_answer_says_so(lending: Engine) -> None:
    probe = registry.get("modality_gap")
    params = replace(probe.params(), people="nobody", untrained=False)
    answer = make_engine().answer(probe, params, "ViT-B-32-quickgelu:openai")
    with pytest.raises(ClipspectError, match="lent for one question at a time"):
        lending.follow(probe, 0, answer)
    own = replace(
        answer, report=replace(answer.report, provenance=replace(answer.report.provenance, model="bundled:skewed"))
    )
    assert lending.follow(probe, 0, own)
