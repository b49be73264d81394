"""What the pages ask of models: load one, list them, and answer each probe's example once.

`Engine` is the only place of the app that knows `probes.backend`; tests put another one in its place.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from app import zero_gpu
from app.zero_gpu import Elsewhere
from probes import backend
from probes.backend import specs
from probes.backend.specs import Kind
from probes.core.errors import Cancelled, ClipspectError
from probes.core.explorer import Payload
from probes.core.glance import Glance
from probes.core.model import Backend, Capability, ModelCard, Progress, no_progress
from probes.core.no_model import NoModel
from probes.core.parameters import Params
from probes.core.probe import AnyProbe, require, run
from probes.core.report import Report

_LOG = logging.getLogger("clipspect.app")

NONE = "none"
"""What stands for no second model where a specification could stand."""
OTHER = "bundled:balanced"
"""The bundled model that stands beside the default one."""
FRESH = 30.0
"""Seconds for which a list of the models is good enough for everybody: making it looks at hundreds of files."""
CARD = "model.json"
"""The file beside a bundled model's weights that says what it is."""

Load = Callable[[str, Progress], Backend]
"""(specification, progress) -> the model of that specification."""


class Entry(Protocol):
    """A model that the picker offers."""

    @property
    def spec(self) -> str:
        """How it is asked for."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def nbytes(self) -> int | None:
        """Bytes of its weights; None where nobody knows."""

    @property
    def exact(self) -> bool:
        """Whether `nbytes` is known rather than estimated."""

    @property
    def on_disk(self) -> bool:
        """Whether nothing has to be downloaded."""

    @property
    def note(self) -> str:
        """A sentence about it, or nothing."""

    @property
    def licence(self) -> str:
        """Of its weights; empty where nobody knows."""

    @property
    def lacks(self) -> Mapping[Capability, str] | None:
        """For each capability it does not have, why; None where nobody knows yet."""


@dataclass(frozen=True)
class Answer:
    """A report with the card of the model that gave it.

    Attributes:
        whole: whether it has all that was asked; False while the model still works, and after it was stopped.
    """

    report: Report[Any]
    model: ModelCard
    whole: bool = True


@dataclass(frozen=True)
class Engine:
    """Models, as the pages see them.

    Attributes:
        load: gives a model by its specification.
        catalogue: the models to offer; may take seconds the first time.
        bundled: those of them that come with the program; at once.
        told: title and description of a bundled model, as its card has them; empty for other models.
        lacks: for each capability that a model does not have, why, before it is loaded; None where nobody knows.
        loaded: specifications of the models in memory.
        default: specification of the model that a page opens with.
        beside: specification of the second model that a page opens with; empty for none.
        files: whether visitors may name folders and files of this machine as models.
        elsewhere: asks models that are not bundled in another process, with a lent GPU; None where there is none.
    """

    load: Load
    catalogue: Callable[[], Sequence[Entry]]
    bundled: Callable[[], Sequence[Entry]]
    told: Callable[[str], tuple[str, str]] = lambda spec: ("", "")
    lacks: Callable[[str], Mapping[Capability, str] | None] = lambda spec: None
    loaded: Callable[[], Sequence[str]] = tuple
    default: str = "bundled"
    beside: str = ""
    files: bool = True
    elsewhere: Elsewhere | None = None
    _examples: dict[tuple[str, str], Future[Answer]] = field(default_factory=dict)
    _listed: dict[str, Entry] = field(default_factory=dict)
    _listing: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _being_listed: threading.Lock = field(default_factory=threading.Lock)

    def models(self, wait: bool = False) -> tuple[Entry, ...]:
        """The models to offer, as listed last; before that, or if that fails, those that are bundled.

        Args:
            wait: list them anew, unless that was done within `FRESH` seconds. What is on disk changes when
                somebody downloads a model.
        """
        if wait:
            with self._being_listed:  # who comes meanwhile waits for the list
                if time.monotonic() - self._listing.get("done", -FRESH) >= FRESH:
                    self._list()
                    self._listing["done"] = time.monotonic()
        with self._lock:
            found = tuple(self._listed.values())
        return found or tuple(self.bundled())

    def _list(self) -> None:
        try:
            listed = {entry.spec: entry for entry in self.catalogue()}
        except (OSError, ImportError, ClipspectError) as error:
            _LOG.warning("the models cannot be listed: %s", error)
            listed = {}
        with self._lock:
            self._listed.update(listed)

    def answer(
        self,
        probe: AnyProbe,
        params: Any,
        spec: str,
        progress: Progress = no_progress,
        watch: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Load a model and ask it a probe's question; none is loaded where everything comes from files.

        Args:
            probe: which question.
            params: what is set.
            spec: of the model.
            progress: told how far the work is.
            watch: shown what there is so far, where the probe shows any.

        Raises:
            ModelError: the model cannot be had.
            CapabilityError: it lacks what the probe needs.
            FieldError: a parameter cannot be used.
        """
        if not params.needs_model():
            nobody = NoModel(params.scale_of_files())
            return Answer(run(probe, params, nobody, progress), nobody.card)
        probe.card.require(self.lacks(spec) or {})  # before anything is downloaded
        if self.elsewhere is not None and not self.is_bundled(spec):
            return self._answered_elsewhere(self.elsewhere, probe, params, spec, progress, watch)
        progress(0.0, "loading the model")
        loaded = self.load(spec, lambda share, doing: progress(0.4 * share, doing))
        require(probe, loaded)
        progress(0.4, "asking the model")
        seen = None if watch is None else _partly(watch, loaded.card)
        report = run(probe, params, loaded, lambda share, doing: progress(0.4 + 0.6 * share, doing), seen)
        return Answer(report, loaded.card)

    def _answered_elsewhere(
        self,
        elsewhere: Elsewhere,
        probe: AnyProbe,
        params: Any,
        spec: str,
        progress: Progress,
        watch: Callable[[Answer], None] | None,
    ) -> Answer:
        """Fetch the weights here, so that no lent second is spent on that, and ask there."""
        backend.fetch(spec, lambda share, doing: progress(0.4 * share, doing))
        progress(0.4, "waiting for a GPU")

        def see(report: Report[Any], card: ModelCard) -> None:
            if watch is not None:
                watch(Answer(report, card, whole=False))

        told = elsewhere(probe.card.name, params, spec)
        return Answer(*zero_gpu.answered(told, lambda share, doing: progress(0.4 + 0.6 * share, doing), see))

    def is_bundled(self, spec: str) -> bool:
        """Whether a model comes with the program."""
        return specs.parse(spec).kind is Kind.BUNDLED

    def example(self, probe: AnyProbe, spec: str, progress: Progress = no_progress) -> Answer:
        """The answer to a probe's example by a model that pages open with, computed once for all visitors."""
        key = (probe.card.name, spec)
        with self._lock:
            future = self._examples.get(key)
            mine = future is None
            if future is None:
                future = self._examples[key] = Future()
        if not mine:
            return future.result()
        try:
            # Others wait for this answer too: the visitor who happened to come first cannot stop it.
            future.set_result(self.answer(probe, probe.example(), spec, _unstoppable(progress)))
        except BaseException as error:  # those who wait hear of it, and the next one tries again
            with self._lock:
                self._examples.pop(key, None)
            future.set_exception(error)
            raise
        return future.result()

    def ready(self, probe: AnyProbe, spec: str) -> Answer | None:
        """The example's answer by a model if it has been computed."""
        with self._lock:
            future = self._examples.get((probe.card.name, spec))
        done = future is not None and future.done() and future.exception() is None
        return future.result() if future is not None and done else None

    def follow(self, probe: AnyProbe, place: int, answer: Answer, progress: Progress = no_progress) -> Payload:
        """What follows an answer in a probe's explorer, computed by the model that gave it."""
        report = answer.report
        if not isinstance(report.params, Params) or probe.explorer is None:
            return {}
        needed = report.params.needs_model()
        if needed and self.elsewhere is not None and not self.is_bundled(report.provenance.model):
            raise ClipspectError("here a GPU is lent for one question at a time, and this would need another")
        backend = (
            self.load(report.provenance.model, no_progress) if needed else NoModel(report.params.scale_of_files())
        )
        return probe.explorer.follow[place](report.params, report.result, backend, progress)

    def glance(self, probe: AnyProbe, params: Any, spec: str) -> tuple[Glance, str] | None:
        """What a model makes of the parameters at once, and its name; None for probes without glances."""
        if probe.glance is None:
            return None
        loaded = self.load(spec, no_progress)
        return probe.glance(params, loaded), loaded.card.name

    @property
    def opens_with(self) -> tuple[str, ...]:
        """Specifications of the models that a page opens with, one or two."""
        return (self.default, self.beside) if self.beside else (self.default,)


def _partly(watch: Callable[[Answer], None], card: ModelCard) -> Callable[[Report[Any]], None]:
    """Shows reports that are not whole yet as answers."""
    return lambda report: watch(Answer(report, card, whole=False))


def _unstoppable(progress: Progress) -> Progress:
    def tell(share: float, doing: str) -> None:
        with contextlib.suppress(Cancelled):
            progress(share, doing)

    return tell


def installed(default: str = "bundled", beside: str | None = None, files: bool = True) -> Engine:
    """The engine on the models of `probes.backend`. torch is not imported before a model is asked for.

    Args:
        default: the model that pages open with.
        beside: the second one, `none` for none; None takes the other of the bundled pair beside the first of it.
        files: whether visitors may name folders and files of this machine as models.

    Raises:
        ModelError: `default` or `beside` is no specification.
    """
    first = specs.parse(default)
    if beside is None:
        beside = OTHER if first == specs.parse("bundled") else NONE
    elsewhere = zero_gpu.lent() if zero_gpu.offered() else None
    return Engine(
        load=_load if elsewhere is None else _load_here,
        elsewhere=elsewhere,
        catalogue=backend.catalogue,
        bundled=backend.bundled,
        told=_told,
        lacks=backend.lacks,
        loaded=_loaded,
        default=str(first),
        beside="" if beside == NONE else str(specs.parse(beside)),
        files=files,
    )


def _load(spec: str, progress: Progress) -> Backend:
    return backend.load(spec, progress=progress)


def _load_here(spec: str, progress: Progress) -> Backend:
    return backend.load(spec, device=zero_gpu.HERE, progress=progress)


def _loaded() -> Sequence[str]:
    from probes.backend.pool import models  # imports torch

    return models().loaded()


def _told(spec: str) -> tuple[str, str]:
    """Title and description on a bundled model's card, read without loading the model."""
    try:
        parsed = specs.parse(spec)
        if parsed.kind is not Kind.BUNDLED:
            return "", ""
        card = json.loads((specs.bundled_folder(parsed.name) / CARD).read_text(encoding="utf-8"))
        return parsed.off.named(str(card.get("title", ""))), str(card.get("description", ""))
    except (ClipspectError, OSError, ValueError):
        return "", ""
