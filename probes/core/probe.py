"""The contract of a probe, and the one way to run one.

A probe ties five things together so that a type checker holds them to each other: a card, a class of
parameters, a class of results, a measure and figures. `run` serves the browser, the command line and the API
alike: it checks the parameters and the model's capabilities before it computes, and wraps the result in a
report that says how it came about.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, Protocol, TypeVar

import plotly.graph_objects as go

from probes.core.card import Card
from probes.core.comparison import Compared
from probes.core.errors import CapabilityError
from probes.core.explorer import Explorer
from probes.core.glance import Glance
from probes.core.guessing import Guess
from probes.core.model import Backend, Progress, no_progress
from probes.core.no_model import NoModel
from probes.core.parameters import Params, verify
from probes.core.pictures import Picture
from probes.core.report import Provenance, Report
from probes.core.watching import Watched


class Result(Protocol):
    """What every result can say of itself. Results are frozen dataclasses of numbers."""

    @abstractmethod
    def headline(self) -> str:
        """The answer in one sentence, with its uncertainty."""

    @abstractmethod
    def warnings(self) -> tuple[str, ...]:
        """What the reader has to know before trusting the headline, in sentences; often nothing."""

    @abstractmethod
    def tables(self) -> Mapping[str, Sequence[Any]]:
        """Named tables; each row is a frozen dataclass, all rows of a table of one class."""


P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)

Measure = Callable[[P, Backend, Progress], R]
"""(params, backend, progress) -> result; pure but for the backend's cache."""


@dataclass(frozen=True, kw_only=True)
class Probe(Generic[P, R]):
    """One question to a model, with everything needed to ask it anywhere.

    Attributes:
        card: what it asks and how to read the answer.
        params: the class of its parameters.
        result: the class of its results.
        measure: computes a result.
        figures: draws a result, without a model.
        example: parameters that show it at its best on the bundled model, for the page's first sight.
        preview: what the probe is about in one picture, without asking a model: for probes that change the
            picture what it will look like, for those that bring their own some of them.
        glance: what a model makes of the parameters at once, while a visitor's hand still moves; without placebos
        or
            intervals. For probes that change the picture.
        slide: a report as one picture fit for a slide, PNG.
        compare: what two results of the same parameters by two models differ in, without a model; see
            `probes.core.comparison`. None where a probe says nothing of differences.
        guess: what a visitor may be asked before a result is shown; see `probes.core.guessing`.
        explorer: what lets a visitor explore a result in the browser; None where figures are enough.
    """

    card: Card
    params: type[P]
    result: type[R]
    measure: Measure[P, R]
    figures: Callable[[R], Mapping[str, go.Figure]]
    example: Callable[[], P]
    preview: Callable[[P], Picture] | None = None
    glance: Callable[[P, Backend], Glance] | None = None
    slide: Callable[[Report[R]], bytes] | None = None
    explorer: Explorer | None = None
    compare: Callable[[R, R], Compared] | None = None
    guess: Callable[[R], Guess] | None = None


AnyProbe = Probe[Any, Any]
"""A probe whose parameters and result are not known statically, as in a registry."""


def run(
    probe: Probe[P, R],
    params: P,
    backend: Backend,
    progress: Progress = no_progress,
    watch: Callable[[Report[R]], None] | None = None,
) -> Report[R]:
    """Ask a model a probe's question; where everything comes as embeddings from files, no model is asked.

    Args:
        probe: which question.
        params: what is set.
        backend: the model.
        progress: told how far the work is; may stop it by raising `Cancelled`.
        watch: shown what there is so far, if the measure shows any; what it was shown last is what a stop leaves.

    Raises:
        FieldError: a parameter cannot be used.
        CapabilityError: the model lacks what the probe needs; nothing was computed.
    """
    if not params.needs_model():
        backend = NoModel(params.scale_of_files())
    require(probe, backend)
    verify(params)
    started, at = time.perf_counter(), datetime.now(timezone.utc)

    def report(result: R) -> Report[R]:
        seconds = time.perf_counter() - started
        return Report(
            probe=probe.card.name,
            headline=result.headline(),
            params=params,
            result=result,
            provenance=Provenance.of(probe.card.name, params, backend.card, at, seconds),
        )

    if watch is not None:
        seen = watch
        progress = Watched(progress, lambda result: seen(report(result)))
    return report(probe.measure(params, backend, progress))


def require(probe: Probe[P, R], backend: Backend) -> None:
    """Check that a model can do what a probe needs.

    Raises:
        CapabilityError: it cannot; the message says why.
    """
    for need in sorted(probe.card.needs):
        if not backend.card.can(need):
            raise CapabilityError(
                f"{probe.card.title} needs a model that can {need.value}: {backend.card.lacks[need]}"
            )
