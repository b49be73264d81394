"""Models that cost nothing, and the list a picker would offer of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from probes.core.errors import ModelError
from probes.core.model import Capability, Progress, no_progress
from tests.fakes import BEYOND_IT, CARD, PixelBackend


@dataclass(frozen=True)
class FakeEntry:
    spec: str
    name: str
    nbytes: int | None
    on_disk: bool
    note: str = ""
    exact: bool = True
    licence: str = ""
    lacks: Mapping[Capability, str] | None = None


ENTRIES = (
    FakeEntry("bundled:skewed", "Skewed", 19_000_000, True, "Comes along."),
    FakeEntry("bundled:balanced", "Balanced", 19_000_000, True, "Comes along."),
    FakeEntry("slow:model", "Slow", 600_000_000, True),
    FakeEntry("unhurried:model", "Unhurried", 600_000_000, True),
    FakeEntry("lacking:model", "Lacking", 600_000_000, True),
    FakeEntry("ViT-B-32-quickgelu:openai", "ViT-B-32-quickgelu (openai)", 605_000_000, False),
    FakeEntry("broken:model", "Broken", 605_000_000, False),
)

NAMES = {entry.spec: entry.name for entry in ENTRIES}


def catalogue() -> tuple[FakeEntry, ...]:
    return ENTRIES


def bundled() -> tuple[FakeEntry, ...]:
    return ENTRIES[:2]


def told(spec: str) -> tuple[str, str]:
    said = {"bundled:skewed": ("Skewed", "things were planted"), "bundled:balanced": ("Balanced", "none was.")}
    return said.get(spec, ("", ""))


def load(spec: str, progress: Progress = no_progress) -> PixelBackend:
    card = replace(CARD, spec=spec, name=NAMES.get(spec, spec), lacks=BEYOND_IT)
    if spec == "bundled:balanced":  # less sure of everything
        return PixelBackend(card=replace(card, logit_scale=5.0))
    if spec.startswith("slow:"):
        return PixelBackend(card=card, delay=6.0)
    if spec.startswith("unhurried:"):
        return PixelBackend(card=card, delay=2.0)
    if spec.startswith("lacking:"):
        return PixelBackend(card=replace(CARD, spec=spec))
    if spec.startswith("bug:"):
        raise RuntimeError("nobody foresaw this")
    if spec.startswith(("bundled", "ViT-B-32-quickgelu:")):
        return PixelBackend(card=card)
    raise ModelError(f"{spec}: there are no such weights")
