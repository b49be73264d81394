"""What a calibration holds, and its JSON: planted doses beside what a probe measured, on both bundled models.

How each number is made stands in `probes.core.calibrating`. Files of every earlier schema must keep loading.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from probes.core.errors import ClipspectError
from probes.core.model import Backend, Progress
from probes.core.statistics import wilson

SCHEMA = 1
"""Number of the layout of a calibration in JSON."""
LEAST_RHO = 0.8
"""An instrument should rank the doses of the skewed world at least this well."""
RATES = (0.02, 0.08)
"""Between these the false-positive rate of a test at 5 % should lie."""

Float64 = NDArray[np.float64]
Arms = Mapping[str, Float64]
"""Log-odds of each concept's own word, (scenes, arms), the arm with what was planted first."""


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """How a probe measures a planted behaviour.

    Attributes:
        probe: its name.
        behaviour: as the table of planted behaviours names it.
        title: the behaviour in a few words, for a figure.
        dose: what the dose is the share of.
        measured: what is measured, in words.
        stimuli: the scenes, and in which drawings, in a sentence or two.
        arms: measures all concepts on a model from fresh scenes dealt by a seed.
    """

    probe: str
    behaviour: str
    title: str
    dose: str
    measured: str
    stimuli: str
    arms: Callable[[Backend, int, Progress], Arms]


@dataclass(frozen=True)
class Dose:
    """The dose of a concept in either world."""

    concept: str
    skewed: float
    balanced: float


@dataclass(frozen=True)
class Reading:
    """What was measured for one concept on one model.

    Attributes:
        dose: planted in the world that the model was trained on.
        measured: change of log-odds (natural logarithm), mean over scenes.
        low, high: 95 % interval over scenes.
        n: scenes.
        p, p_adjusted: that it is zero, two-tailed; corrected for the number of concepts.
    """

    concept: str
    dose: float
    measured: float
    low: float
    high: float
    n: int
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class Order:
    """Spearman's rank correlation over `n` concepts, its 95 % interval, and p of no order, two-tailed."""

    rho: float
    low: float
    high: float
    n: int
    p: float

    def describe(self) -> str:
        """The correlation in words."""
        return f"{self.rho:.2f} (95 % interval {self.low:.2f} to {self.high:.2f}, n = {self.n} concepts)"


@dataclass(frozen=True)
class Share:
    """`k` of `n`, with its 95 % Wilson interval."""

    k: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, k: int, n: int) -> Share:
        """The share k of n (n at least 1)."""
        interval = wilson(k, n)
        return cls(k, n, interval.low, interval.high)

    @property
    def value(self) -> float:
        """K of n as a number, 0 to 1."""
        return self.k / self.n

    def describe(self) -> str:
        """The share in words."""
        return f"{self.value:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {self.k} of {self.n:,})"


@dataclass(frozen=True)
class OnModel:
    """What an instrument measured on one model.

    Attributes:
        model: how it was asked for.
        weights_digest: of the weights as loaded; `file_digest`: SHA-256 of the file, empty where there is none.
        order: of the skewed world's doses with what was measured.
    """

    model: str
    weights_digest: str
    file_digest: str
    readings: tuple[Reading, ...]
    order: Order


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The calibration of one instrument; see `probes.core.calibrating` for what each number is.

    Attributes:
        probe, behaviour, title, dose, measured, stimuli: as the instrument has them.
        false_positives: repetitions with names dealt anew that the test calls, on the balanced model.
        as_it_is, as_it_is_adjusted: concepts that the test calls there with the true names; after correction.
        made: the day, ISO 8601.
        seed: of scenes, resamples and dealings.
        command: what makes it again.
    """

    probe: str
    behaviour: str
    title: str
    dose: str
    measured: str
    stimuli: str
    skewed: OnModel
    balanced: OnModel
    false_positives: Share
    as_it_is: Share
    as_it_is_adjusted: Share
    made: str
    seed: int
    command: str
    schema: int = field(default=SCHEMA)

    @property
    def ranks(self) -> bool:
        """Whether the instrument ranks the planted doses as well as it should."""
        return self.skewed.order.rho >= LEAST_RHO

    @property
    def holds_its_level(self) -> bool:
        """Whether the false-positive rate lies where it should."""
        return RATES[0] <= self.false_positives.value <= RATES[1]

    def shortfalls(self) -> tuple[str, ...]:
        """In sentences, which aims are missed; nothing where none is."""
        found = []
        if not self.ranks:
            found.append(
                f"This instrument misses its aim: Spearman’s rho on the skewed model is "
                f"{self.skewed.order.rho:.2f}, below {LEAST_RHO}. Differences in dose can be misread."
            )
        if not self.holds_its_level:
            found.append(
                f"Its false-positive rate, {self.false_positives.value:.3f}, "
                f"lies outside {RATES[0]} to {RATES[1]}."
            )
        return tuple(found)

    def to_json(self) -> str:
        """The calibration as one JSON object."""
        return json.dumps(_adapter().dump_python(self, mode="json"), indent=1, allow_nan=False) + "\n"


def load(text: str) -> Calibration:
    """Read a calibration from JSON; files of every earlier schema keep loading.

    Raises:
        ClipspectError: not a calibration, damaged, or of a later schema than this program's.
    """
    try:
        raw = json.loads(text)
        schema = int(raw["schema"])
    except (ValueError, KeyError, TypeError):
        raise ClipspectError("this file is not a calibration of Clipspect") from None
    if schema > SCHEMA:
        raise ClipspectError(f"this calibration has schema {schema}; this program reads up to {SCHEMA}")
    try:
        return _adapter().validate_python(raw)
    except ValidationError as error:
        raise ClipspectError(f"this calibration is damaged: {str(error).splitlines()[0]}") from None


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Calibration]:
    return TypeAdapter(Calibration)


def load_all(folder: Path, probe: str | None = None) -> tuple[Calibration, ...]:
    """The calibrations in a folder, of one probe or of all, by name of file."""
    paths = sorted(folder.glob("*.json" if probe is None else f"{probe}-*.json"))
    read = [load(path.read_text(encoding="utf-8")) for path in paths]
    return tuple(one for one in read if probe in (None, one.probe))
