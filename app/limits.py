"""How much this server takes, each limit settable by the environment of whoever runs it.

| variable | what it limits | default |
|---|---|---|
| `CLIPSPECT_UPLOAD_MB` | megabytes of the files a browser sends into a field | 200 |
| `CLIPSPECT_PICTURE_MB` | megabytes of one picture on a page | 25 |
| `CLIPSPECT_PAGE_MEGAPIXELS` | megapixels of all pictures in one field of a page; each takes 3 MB | 400 |
| `CLIPSPECT_SET_PICTURES` | pictures of a set that is sent from a browser | 2,000 |
| `CLIPSPECT_VISITORS` | visitors whose pictures are held at once; the longest gone are forgotten first | 500 |
| `CLIPSPECT_HELD_MB` | megabytes that all visitors' pictures and files take; the longest gone go first | 4,000 |
| `CLIPSPECT_WAITING` | requests of all visitors that wait at once; more are refused | 1,000 |
| `CLIPSPECT_GPU_SECONDS` | seconds for which a Space that lends GPUs lends one for a question | 120 |
| `CLIPSPECT_AT_ONCE` | visitors whose questions run side by side; the backend puts them into common batches | 2 |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from probes.core.errors import ClipspectError

PREFIX = "CLIPSPECT_"
MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits, as in the table above."""

    upload_mb: int = 200
    picture_mb: int = 25
    page_megapixels: int = 400
    set_pictures: int = 2_000
    visitors: int = 500
    held_mb: int = 4_000
    waiting: int = 1_000
    at_once: int = 2
    gpu_seconds: int = 120

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Limits:
        """The limits that an environment sets.

        Raises:
            ClipspectError: one is no whole number from 1 to a million.
        """
        set_there = {}
        for f in fields(cls):
            name = PREFIX + f.name.upper()
            text = environment.get(name, "").strip()
            if not text:
                continue
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
                raise ClipspectError(f"{name} has to be a whole number from 1 to {MOST:,}, not {text[:40]!r}")
            set_there[f.name] = int(text)
        return cls(**set_there)


try:
    LIMITS = Limits.of(os.environ)
except ClipspectError as error:
    raise SystemExit(f"clipspect: {error}") from None
