"""The phrases that heads are described with where nobody brings any: ours, of photos and drawings alike."""

from __future__ import annotations

from functools import lru_cache

from probes.core.examples import ASSETS

FILE = ASSETS / "words" / "phrases.txt"


@lru_cache(maxsize=1)
def phrases() -> tuple[str, ...]:
    """Between 3,000 and 4,000 short English phrases, all different; `assets/make/phrases.toml` says of what."""
    return tuple(FILE.read_text(encoding="utf-8").splitlines())
