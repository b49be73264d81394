"""Models that cost nothing, and the list a picker would offer of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probes.core.errors import ModelError
from probes.core.model import Progress, no_progress
from tests.fakes import CARD, PixelBackend


@dataclass(frozen=True)
class FakeEntry:
    spec: str
    name: str
    nbytes: int | None
    on_disk: bool
    note: str = ""
    exact: bool = True


ENTRIES = (
    FakeEntry("bundled:emoji", "Clipspect emoji", 24_000_000, True, "Trained on drawings of emoji."),
    FakeEntry("slow:model", "Slow", 600_000_000, True),
    FakeEntry("lacking:model", "Lacking", 600_000_000, True),
    FakeEntry("ViT-B-32-quickgelu:openai", "ViT-B-32-quickgelu (openai)", 605_000_000, False),
    FakeEntry("broken:model", "Broken", 605_000_000, False),
)


def catalogue() -> tuple[FakeEntry, ...]:
    return ENTRIES


def bundled() -> tuple[FakeEntry, ...]:
    return ENTRIES[:1]


def load(spec: str, progress: Progress = no_progress) -> PixelBackend:
    card = replace(CARD, spec=spec, lacks={})
    if spec.startswith("slow:"):
        return PixelBackend(card=card, delay=6.0)
    if spec.startswith("lacking:"):
        return PixelBackend(card=replace(CARD, spec=spec))
    if spec.startswith("bug:"):
        raise RuntimeError("nobody foresaw this")
    if spec.startswith(("bundled", "ViT-B-32-quickgelu:")):
        return PixelBackend(card=card)
    raise ModelError(f"{spec}: there are no such weights")
