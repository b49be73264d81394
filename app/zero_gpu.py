"""ZeroGPU of Hugging Face Spaces: a GPU that is lent for one question at a time, to another process.

Where such a Space says so, a published model is asked there: the weights are fetched here, the question goes over
with its parameters, and what is told on the way and the report come back, all of it pickled. What that process
caches is lost with it, and nothing on a GPU comes back. The bundled models stay on the CPU of this process, where
they answer sooner than a GPU is to be had, and their embeddings stay cached. Elsewhere `spaces` is never imported.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.limits import LIMITS
from app.running import Job, Ticket
from probes import backend, registry
from probes.core.model import ModelCard, Progress
from probes.core.parameters import Params
from probes.core.probe import require, run
from probes.core.report import Report

HERE = "cpu"
"""Where the process that serves the pages runs its models: CUDA may not be touched there."""
THERE = "cuda"


@dataclass(frozen=True)
class Told:
    """What comes back: how far the work is, what there is so far, the report, or what went wrong.

    Attributes:
        report: with the card of the model that gave it; None if there is none yet.
        whole: whether that is all.
    """

    share: float = 0.0
    doing: str = ""
    report: Report[Any] | None = None
    card: ModelCard | None = None
    whole: bool = False
    error: BaseException | None = None


Elsewhere = Callable[[str, Params, str], Iterator[Told]]
"""(name of the probe, parameters, specification) -> what comes back."""


def offered(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a Space that lends GPUs."""
    said = environment.get("SPACES_ZERO_GPU", "").strip().lower() in ("1", "t", "true", "yes")
    return said and importlib.util.find_spec("spaces") is not None


def lent(device: str = THERE) -> Elsewhere:
    """A function that asks on a lent GPU; to be made before the pages are served, where one is offered."""
    import spaces

    def on_a_lent_gpu(probe: str, params: Params, spec: str) -> Iterator[Told]:
        yield from ask(device, probe, params, spec)

    asked: Elsewhere = spaces.GPU(duration=LIMITS.gpu_seconds)(on_a_lent_gpu)
    return asked


def ask(device: str, probe: str, params: Params, spec: str) -> Iterator[Told]:
    """In the lent process: load the model, ask it, and tell on the way."""
    job: Job[tuple[Report[Any], ModelCard]] = Job(partial(_work, device, probe, params, spec), ticket := Ticket())
    seen = None
    try:
        for step in job.steps():
            if job.so_far is not None and job.so_far is not seen:
                seen = job.so_far
                yield Told(step.share, step.doing, *seen)
            else:
                yield Told(step.share, step.doing)
        report, card = job.result()
        yield Told(1.0, "done", report, card, whole=True)
    except GeneratorExit:  # nobody waits any longer
        ticket.stop()
        raise
    except Exception as error:
        yield Told(error=error)


def _work(device: str, name: str, params: Params, spec: str, progress: Progress) -> tuple[Report[Any], ModelCard]:
    probe = registry.get(name)
    progress(0.0, "loading the model")
    loaded = backend.load(spec, device=device, progress=lambda share, doing: progress(0.3 * share, doing))
    require(probe, loaded)
    see = getattr(progress, "see", None)
    watch = None if see is None else lambda report: see((report, loaded.card))
    report = run(probe, params, loaded, lambda share, doing: progress(0.3 + 0.7 * share, doing), watch)
    return report, loaded.card


def answered(
    told: Iterator[Told], progress: Progress, watch: Callable[[Report[Any], ModelCard], None]
) -> tuple[Report[Any], ModelCard]:
    """In this process: pass on what comes back, until it is the report.

    Raises:
        ClipspectError: the question failed there; whatever else was raised there is raised here.
    """
    with closing(told):  # type: ignore[type-var]  # a stop ends the work there
        for one in told:
            if one.error is not None:
                raise one.error
            if one.report is not None and one.card is not None:
                if one.whole:
                    return one.report, one.card
                watch(one.report, one.card)
            progress(one.share, one.doing)
    raise RuntimeError("the lent process ended without an answer")
