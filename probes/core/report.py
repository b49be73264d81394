"""A report: what leaves the program. A result, how it came about, and a schema number.

In JSON a report is one object with the keys `schema`, `probe`, `headline`, `params`, `result`, `tables` and
`provenance`. Files of every earlier schema must keep loading; `load` is the only reader.
"""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib import metadata
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from probes.core.errors import ClipspectError
from probes.core.model import ModelCard
from probes.core.parameters import Params, fields, to_flags
from probes.core.version import VERSION

SCHEMA = 1
"""Number of the layout of a report in JSON."""

R = TypeVar("R")

_LIBRARIES = ("torch", "open_clip_torch", "numpy", "scipy", "pillow")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a result came about: enough to repeat it, and to see why a repetition differs.

    Attributes:
        model: specification; `none` where everything came as embeddings from files.
        pipeline_digest: see `ModelCard`; empty in earlier reports.
        stimuli: SHA-256 of every picture or file that went in, by name.
        versions: of this program, Python and the libraries that computed.
        time: when it was computed, UTC, ISO 8601.
        seconds: how long it took.
        command: the same call as a command line.
    """

    model: str
    architecture: str
    pretrained: str
    weights_digest: str
    pipeline_digest: str = ""
    activation: str
    device: str
    precision: str
    seed: int
    stimuli: Mapping[str, str]
    versions: Mapping[str, str]
    time: str
    seconds: float
    command: str

    @classmethod
    def of(cls, probe: str, params: Params, model: ModelCard, at: datetime, seconds: float) -> Provenance:
        """Provenance of a run that began at `at` and took `seconds`."""
        stimuli: dict[str, str] = {}
        for f in fields(params):
            for name, digest in f.control.stimuli(getattr(params, f.name)).items():
                stimuli[name if stimuli.get(name, digest) == digest else f"{f.name}: {name}"] = digest
        return cls(
            model=model.spec,
            architecture=model.architecture,
            pretrained=model.pretrained,
            weights_digest=model.weights_digest,
            pipeline_digest=model.pipeline_digest,
            activation=model.activation,
            device=model.device,
            precision=model.precision,
            seed=params.seed,
            stimuli=stimuli,
            versions=dict(library_versions()),
            time=at.isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
            command=command_line(probe, params, model.spec),
        )


def command_line(probe: str, params: Params, spec: str) -> str:
    """The call that repeats a run, as typed in a shell."""
    model = ["--model", spec] if params.needs_model() else []
    return shlex.join(["python", "-m", "probes", "run", probe, *model, *to_flags(params)])


@lru_cache(maxsize=1)
def library_versions() -> Mapping[str, str]:
    """Versions of this program, Python and the libraries that compute."""
    found = {"clipspect": VERSION, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # a saved report is read where nothing computes
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class Report(Generic[R]):
    """A result in its envelope.

    Attributes:
        params: the probe's parameters, or, in a report read from a file, what the file says of them.
    """

    probe: str
    headline: str
    params: Params | Mapping[str, Any]
    result: R
    provenance: Provenance
    schema: int = field(default=SCHEMA)

    def tables(self) -> Mapping[str, Sequence[Any]]:
        """The result's tables; rows are dataclasses."""
        tables: Mapping[str, Sequence[Any]] = self.result.tables()  # type: ignore[attr-defined]
        return tables

    def asked(self) -> dict[str, Any]:
        """The parameters as JSON-ready values."""
        asked: dict[str, Any] = jsonable(self.params) if isinstance(self.params, Params) else dict(self.params)
        return asked

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "schema": self.schema,
            "probe": self.probe,
            "headline": self.headline,
            "params": self.asked(),
            "result": jsonable(self.result),
            "tables": {name: [asdict(row) for row in rows] for name, rows in self.tables().items()},
            "provenance": asdict(self.provenance),
        }

    def to_json(self) -> str:
        """The report as one JSON object; not-a-number has no place in it."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)


def jsonable(value: Any) -> Any:
    """A dataclass as JSON has it, by its own fields."""
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def load(text: str, result_types: Mapping[str, type[Any]]) -> Report[Any]:
    """Read a report from JSON.

    Args:
        text: the file's content.
        result_types: the class of result of each known probe, by name.

    Raises:
        ClipspectError: not a report, of a probe that is not known, or of a later schema than this program's.
    """
    try:
        raw = json.loads(text)
        schema, probe = int(raw["schema"]), str(raw["probe"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise ClipspectError("this file is not a report of Clipspect") from None
    if schema > SCHEMA:
        raise ClipspectError(
            f"this report has schema {schema}; this program reads up to {SCHEMA}: update Clipspect to open it"
        )
    if probe not in result_types:
        raise ClipspectError(f"this report is of the probe '{probe}', which is not known here")
    try:
        return Report(
            probe=probe,
            headline=str(raw["headline"]),
            params=dict(raw["params"]),
            result=TypeAdapter(result_types[probe]).validate_python(raw["result"]),
            provenance=TypeAdapter(Provenance).validate_python(raw["provenance"]),
            schema=schema,
        )
    except (ValidationError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ClipspectError(f"this report of '{probe}' is damaged: {str(error).splitlines()[0]}") from None
