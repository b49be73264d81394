"""How a model is named: the specification a person types, and what it means.

| written                  | means                                                                        |
|--------------------------|------------------------------------------------------------------------------|
| `bundled`                | the default model that comes with Clipspect, `bundled:skewed`                |
| `bundled:NAME`           | another of them                                                              |
| `NAME:PRETRAINED`        | one of open_clip's own pairs, such as `ViT-B-32-quickgelu:openai`            |
| `NAME:FILE`              | open_clip's architecture with weights from a file                            |
| `hf-hub:ORG/NAME`        | a repository in open_clip's format                                           |
| `local-dir:FOLDER`       | a folder in open_clip's format                                               |
| `random:NAME[:SEED]`     | open_clip's architecture with random weights: a control, never a model of anything |

After any of them, `~` and parts of the image tower switch those parts off (`probes.core.switches`), such as
`bundled:skewed~L4H2,M5`.

Parsing reads no file but the list of bundled folders, and never imports torch.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from probes.core.errors import ModelError
from probes.core.switches import EVERYTHING_ON, MARK, Switches, split

DEFAULT_BUNDLED = "skewed"
CONFIG_NAME = "open_clip_config.json"
CARD_NAME = "model.json"

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*")
_WAYS = "bundled, NAME:PRETRAINED, hf-hub:ORG/NAME, local-dir:FOLDER or random:NAME"


class Kind(str, Enum):
    """Where the weights of a model come from."""

    BUNDLED = "bundled"
    PAIR = "pair"
    FILE = "file"
    HUB = "hf-hub"
    FOLDER = "local-dir"
    RANDOM = "random"


@dataclass(frozen=True)
class Spec:
    """A parsed specification.

    Attributes:
        kind: where the weights come from.
        name: bundled name, open_clip architecture, `ORG/NAME` or folder.
        pretrained: open_clip's tag, or the file of the weights; empty for the other kinds.
        seed: of random weights.
        off: what is switched off of the image tower.
    """

    kind: Kind
    name: str
    pretrained: str = ""
    seed: int = 0
    off: Switches = EVERYTHING_ON

    @property
    def whole(self) -> Spec:
        """The same with everything on."""
        return replace(self, off=EVERYTHING_ON)

    def __str__(self) -> str:
        """The canonical spelling, which parses to the same specification."""
        return f"{self._named()}{MARK}{self.off}" if self.off else self._named()

    def _named(self) -> str:
        if self.kind in (Kind.PAIR, Kind.FILE):
            return f"{self.name}:{self.pretrained}"
        if self.kind is Kind.RANDOM:
            return f"random:{self.name}:{self.seed}"
        return f"{self.kind.value}:{self.name}"


def parse(text: str) -> Spec:
    """Read a specification.

    Raises:
        ModelError: it is empty or malformed. Whether the model exists is not asked here.
    """
    name, off = split(text.strip())
    return replace(_parse_whole(name), off=off)


def _parse_whole(text: str) -> Spec:
    head, colon, rest = text.partition(":")
    if not text:
        raise ModelError(f"no model was named; write {_WAYS}")
    if any(ord(character) < 32 for character in text):
        raise ModelError("the name of a model cannot hold line breaks or control characters")
    if head == "bundled":
        return Spec(Kind.BUNDLED, _checked_name(rest, text) if colon else DEFAULT_BUNDLED)
    if head == "hf-hub":
        if not _HUB_ID.fullmatch(rest):
            raise ModelError(f"{text}: after hf-hub: comes ORG/NAME, such as hf-hub:timm/ViT-B-16-SigLIP")
        return Spec(Kind.HUB, rest)
    if head == "local-dir":
        if not rest:
            raise ModelError("local-dir: needs a folder, such as local-dir:models/mine")
        return Spec(Kind.FOLDER, rest)
    if head == "random":
        return _parse_random(rest, text)
    if not colon:
        raise ModelError(f"{text}: which weights? Write {_WAYS}")
    name = _checked_name(head.replace("/", "-"), text)  # open_clip does the same to names such as ViT-B/32
    if not rest:
        raise ModelError(f"{text}: the name of the weights is missing after the colon")
    if "/" in rest or os.sep in rest or Path(rest).suffix in WEIGHT_SUFFIXES:
        return Spec(Kind.FILE, name, rest)
    return Spec(Kind.PAIR, name, _checked_name(rest, text))


WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".npz")
"""Endings by which `NAME:FILE` is told from `NAME:PRETRAINED`."""


def _checked_name(name: str, text: str) -> str:
    if not _NAME.fullmatch(name):
        raise ModelError(f"{text}: {name!r} is not the name of a model; write {_WAYS}")
    return name


def _parse_random(rest: str, text: str) -> Spec:
    name, colon, seed = rest.partition(":")
    if colon and not (seed.isascii() and seed.isdigit() and len(seed) < 10):
        raise ModelError(f"{text}: the seed has to be a whole number from 0 to 999999999")
    return Spec(Kind.RANDOM, _checked_name(name.replace("/", "-"), text), seed=int(seed) if colon else 0)


def bundled_root() -> Path:
    """The folder that holds the bundled models, one folder each."""
    return Path(__file__).resolve().parents[2] / "assets" / "models"


def bundled_names() -> tuple[str, ...]:
    """Names of the bundled models that are there, the default first."""
    root = bundled_root()
    if not root.is_dir():
        return ()
    names = (folder.name for folder in root.iterdir() if (folder / CONFIG_NAME).is_file())
    return tuple(sorted(names, key=lambda name: (name != DEFAULT_BUNDLED, name)))


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model.

    Raises:
        ModelError: there is none of that name.
    """
    if name not in bundled_names():
        raise ModelError(f"there is no bundled model {name}{suggestion(name, bundled_names())}")
    return bundled_root() / name


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the names that look like the one that was not found."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(by_lower[match] for match in close) + "?"
    if by_lower and len(by_lower) <= 12:
        return "; there are " + ", ".join(sorted(by_lower.values()))
    return ""
