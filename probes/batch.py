"""Probes x models from a file: what is asked, and the answers, as one comparison.

    models = ["bundled:skewed", "bundled:balanced"]   # two or more, as after --model; the first less each other
    title = "Skewed and balanced"                     # all from here on may be left out
    device = "auto"                                   # as after --device
    precision = "auto"                                # as after --precision

    [[run]]                                           # one or more
    probe = "zero_shot"                               # its name, as after `run`
    name = "food"                                     # what to call it; the probe's name if nothing is said
    example = false                                   # true: what is not said is as on the probe's page at first
    images = ["photos/lunch.jpg"]                     # every field of the probe, as its flag on the command line,
    labels = ["a pizza", "a salad"]                   # with - or _; paths are relative to this file

Reports are written as soon as they are there. A report that answers the same question by the same model (weights,
architecture, preprocessing, tokenizer), with this version of Clipspect, is not computed again. What fails is said
in its cell, and the rest goes on.
"""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from probes import registry
from probes.core import comparison
from probes.core.errors import CapabilityError, ClipspectError, FieldError
from probes.core.model import Backend, Progress
from probes.core.naming import slug, told_apart
from probes.core.parameters import Field, Params, fields, parse
from probes.core.probe import AnyProbe, run
from probes.core.report import Provenance, Report, load
from probes.core.suite import Cell, Question, Suite
from probes.core.version import VERSION
from probes.run_command import parameters

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TITLE = "Clipspect: a comparison of models"
PRECISIONS = ("auto", "float32", "bfloat16")
OWN = ("probe", "name", "example")
"""What a run says besides the fields of its probe."""
OF_MODEL = ("model", "architecture", "weights_digest", "pipeline_digest", "activation", "precision")
"""What of a report's provenance has to be as it is now, so that it is not computed again."""
TOP = ("models", "title", "device", "precision", "run")

Load = Callable[[str, Progress], Backend]
"""(specification, progress of a download) -> the model."""


@dataclass(frozen=True)
class Run:
    """One question, ready to be asked."""

    name: str
    probe: AnyProbe
    params: Params


@dataclass(frozen=True)
class Plan:
    """What a file asks for."""

    title: str
    models: tuple[str, ...]
    device: str
    precision: str
    runs: tuple[Run, ...]


def read(path: Path) -> Plan:
    """The plan in a file.

    Raises:
        FieldError: there is no such file, or it is no TOML.
        ClipspectError: something in it cannot be used; the message names the run and the field.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FieldError("suite", f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError):
        raise FieldError("suite", f"{path} cannot be read as text") from None
    except tomllib.TOMLDecodeError as error:
        raise FieldError("suite", f"{path.name} is not TOML: {error}") from None
    for key in table:
        if key not in TOP:
            raise FieldError("suite", f"{path.name} says '{key}', which is not one of {', '.join(TOP)}")
    precision = _text(table, "precision", "auto")
    if precision not in PRECISIONS:
        raise FieldError("precision", f"'{precision}' is not one of {', '.join(PRECISIONS)}")
    return Plan(
        title=_text(table, "title", TITLE),
        models=_models(table.get("models")),
        device=_text(table, "device", "auto"),
        precision=precision,
        runs=_runs(table.get("run"), path.parent),
    )


def _text(table: Mapping[str, Any], key: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or not value:
        raise FieldError(key, "give a text in quotes")
    return value


def _models(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) and one for one in given):
        raise FieldError(
            "models", 'give a list of models, such as models = ["bundled:skewed", "bundled:balanced"]'
        )
    twice = [spec for spec, times in Counter(given).items() if times > 1]
    if twice:
        raise FieldError("models", f"'{twice[0]}' stands there twice")
    return tuple(given)


def _runs(given: Any, folder: Path) -> tuple[Run, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise FieldError("run", "give at least one [[run]] with a probe")
    names = _names(given)
    found = []
    for number, (table, name) in enumerate(zip(given, names, strict=True), start=1):
        try:
            found.append(_run(table, name, folder))
        except ClipspectError as error:
            raise ClipspectError(f"run {number} ({name}): {error}") from None
    return tuple(found)


def _names(given: list[dict[str, Any]]) -> list[str]:
    """What runs are called, each once: as they say, or as their probes, numbered where one comes again."""
    return told_apart(
        [str(table.get("name") or str(table.get("probe", "run")).replace("-", "_")) for table in given]
    )


def _run(table: Mapping[str, Any], name: str, folder: Path) -> Run:
    if not isinstance(table.get("probe"), str):
        raise FieldError("probe", "say which probe, by its name")
    probe = registry.get(table["probe"].replace("-", "_"))
    known = {field.name: field for field in fields(probe.params)}
    given = {}
    for key, value in table.items():
        if key not in OWN:
            key = key.replace("-", "_")
            given[key] = _value(known[key], value, folder) if key in known else value
    example = table.get("example", False)
    if not isinstance(example, bool):
        raise FieldError("example", "say true or false")
    params = _like_example(probe, given) if example else parameters(probe, given)
    if not params.needs_model():
        raise ClipspectError("everything comes as embeddings from files, so that no model is asked; use run")
    return Run(name, probe, params)


def _like_example(probe: AnyProbe, given: Mapping[str, object]) -> Params:
    """The page's first question with what was given in its place."""
    said = parse(probe.params, given) if given else None
    example: Params = probe.example()
    if said is not None:
        example = replace(example, **{name: getattr(said, name) for name in given})
    example.check()
    return example


def _value(field: Field, value: Any, folder: Path) -> object:
    """A value of TOML as the command line would have it: paths relative to the file, numbers as they are."""
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, (str, int, float, bool)) for one in several):
        raise FieldError(field.name, "give a text, a number, true or false, or a list of these")
    if field.travels:
        return value
    paths = [str(folder / one) if isinstance(one, str) and one else one for one in several]
    return paths if isinstance(value, list) else paths[0]


def ask(plan: Plan, folder: Path, load_model: Load, progress: Progress) -> Suite:
    """Every run on every model, model by model, so that each is loaded once.

    Args:
        plan: what is asked.
        folder: where reports are kept, in `reports/`.
        load_model: loads a model.
        progress: told the share that is done.
    """
    total, done = len(plan.models) * len(plan.runs), 0
    cells: dict[tuple[str, str], Cell] = {}
    for model, called in zip(plan.models, _files(plan.models), strict=True):
        at = done / total

        def loading(share: float, doing: str, at: float = at, model: str = model) -> None:
            progress(at, f"{model}: {doing}")

        loading(0.0, "loading")
        backend: Backend | Exception
        try:
            backend = load_model(model, loading)
        except Exception as error:  # whatever goes wrong with one model, the others are asked
            backend = error
        for one in plan.runs:
            start = done / total

            def told(share: float, doing: str, start: float = start, at: str = f"{model}, {one.name}") -> None:
                progress(start + share / total, f"{at}: {doing}")

            file = f"reports/{slug(one.name)}/{called}.json"
            cells[one.name, model] = _cell(one, model, backend, folder, file, told)
            done += 1
    questions = tuple(
        Question(one.name, one.probe, tuple(cells[one.name, model] for model in plan.models)) for one in plan.runs
    )
    return Suite(plan.title, plan.models, questions)


def _files(models: Sequence[str]) -> list[str]:
    """What the files of each model are called, whatever other models there are unless they would share a name."""
    return told_apart([slug(model) for model in models], "-")


def _cell(one: Run, model: str, backend: Backend | Exception, folder: Path, file: str, progress: Progress) -> Cell:
    """One model's answer to one run, from disk if it is there, or a sentence on why there is none."""
    try:
        if isinstance(backend, Exception):
            raise backend
        kept = _kept(one, backend, folder / file)
        report = kept or run(one.probe, one.params, backend, progress)
        if kept is None:
            _write(report, folder / file)
    except CapabilityError as error:
        return Cell(model, None, f"{error}")
    except ClipspectError as error:
        return Cell(model, None, f"{error}", failed=True)
    except Exception as error:  # whatever goes wrong in one cell, the others are computed
        traceback.print_exc()
        return Cell(model, None, f"{type(error).__name__}: {error}", failed=True)
    return Cell(model, report, report.headline, file=file)


def _kept(one: Run, backend: Backend, path: Path) -> Report[Any] | None:
    """A report on disk that answers the same question by the same model, if there is one."""
    try:
        report = load(path.read_text(encoding="utf-8"), {one.probe.card.name: one.probe.result})
    except (OSError, UnicodeDecodeError, ClipspectError):  # there is none, or it was cut off
        return None
    made = Provenance.of(one.probe.card.name, one.params, backend.card, datetime.now(timezone.utc), 0.0)
    wanted = replace(report, params=one.params, provenance=made)
    try:
        comparison.same_question(one.probe, report, wanted)
    except ClipspectError:
        return None
    alike = all(getattr(report.provenance, name) == getattr(made, name) for name in OF_MODEL)
    return report if alike and report.provenance.versions.get("clipspect") == VERSION else None


def _write(report: Report[Any], path: Path) -> None:
    """Write a report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(report.to_json(), encoding="utf-8")
    part.replace(path)
