"""What the model picker offers: bundled models first, then open_clip's own pairs. Never touches the network.

The size of a download is the file's where it is on disk, else four bytes a parameter, which is what most published
float32 weights take. `architectures.csv` holds for each of open_clip's architectures, and for the bundled models,
the number of parameters and why it lacks what it lacks; `python -m assets.make.architectures` writes it, by the
code that decides it for a loaded model. `licences.csv` holds what a repository's own pages on the hub stated when
they were looked up, with their address; what is not in it is not known.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from probes.backend import specs
from probes.backend.specs import Kind
from probes.core.errors import ModelError
from probes.core.model import Capability

BYTES_PER_PARAMETER = 4


@dataclass(frozen=True)
class Entry:
    """One model that can be chosen.

    Attributes:
        spec: what to give to `load`.
        name: what to call it in a list.
        architecture: open_clip's name of the configuration, or the bundled model's.
        pretrained: open_clip's tag; empty for bundled models.
        nbytes: of the weights' file; None where nobody knows.
        exact: whether `nbytes` was read off the file rather than estimated.
        on_disk: whether it can be loaded without a network.
        note: what has to be known before choosing it, in a sentence; may be empty.
        licence: of the weights, by its SPDX identifier or the hub's own; empty where it is not known.
        lacks: for each capability that the architecture does not have, why; None where that is not known.
    """

    spec: str
    name: str
    architecture: str
    pretrained: str
    nbytes: int | None
    exact: bool
    on_disk: bool
    note: str = ""
    licence: str = ""
    lacks: Mapping[Capability, str] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Architecture:
    """What is known of an architecture without building it.

    Attributes:
        parameters: number of weights.
        lacks: for each capability that it does not have, why.
    """

    parameters: int
    lacks: Mapping[Capability, str]


def catalogue() -> tuple[Entry, ...]:
    """Bundled models and all pairs of open_clip, in its order."""
    return bundled() + published()


def installed() -> tuple[Entry, ...]:
    """The entries of the catalogue that are on disk."""
    return tuple(entry for entry in catalogue() if entry.on_disk)


def bundled() -> tuple[Entry, ...]:
    """The models that come with Clipspect. Imports neither torch nor open_clip."""
    return tuple(_bundled(name) for name in specs.bundled_names())


def published() -> tuple[Entry, ...]:
    """open_clip's pairs of architecture and pretrained tag."""
    import open_clip

    return tuple(_published(name, tag) for name, tag in open_clip.list_pretrained())


def _bundled(name: str) -> Entry:
    folder = specs.bundled_folder(name)
    files = [path.stat().st_size for path in folder.glob("open_clip_model.*")]
    card = folder / specs.CARD_NAME
    said = json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
    return Entry(
        spec=f"bundled:{name}",
        name=f"{said.get('title', name)} (bundled)",
        architecture=name,
        pretrained="",
        nbytes=max(files, default=None),
        exact=True,
        on_disk=bool(files),
        note=f"{said.get('note', 'a model of its own')}; comes with Clipspect and needs no network",
        licence=str(said.get("licence", "")),
        lacks=_lacks(f"bundled:{name}"),
    )


def _published(name: str, tag: str) -> Entry:
    from open_clip.factory import get_model_config
    from open_clip.pretrained import get_pretrained_cfg

    from probes.backend import fetching

    source = get_pretrained_cfg(name, tag)
    config = get_model_config(name) or {}
    repository, _, filename = str(source.get("hf_hub", "")).rpartition("/")
    found = fetching.on_disk(repository, fetching.weight_names(filename)) if repository else None
    if found is None and "file" in source:
        found = Path(source["file"])
    parameters = parameter_counts().get(name)
    estimate = None if parameters is None else parameters * BYTES_PER_PARAMETER
    notes = []
    if source.get("quick_gelu") and not config.get("quick_gelu"):
        notes.append("is loaded with QuickGELU, as it was trained")
    text = config.get("text_cfg", {})
    if text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        notes.append("needs `pip install transformers` and its tokenizer from the hub")
    return Entry(
        spec=f"{name}:{tag}",
        name=f"{name} · {tag}",
        architecture=name,
        pretrained=tag,
        nbytes=found.stat().st_size if found is not None else estimate,
        exact=found is not None,
        on_disk=found is not None,
        note="; ".join(notes),
        licence=licences().get(repository, ""),
        lacks=_lacks(name),
    )


def lacks(spec: str) -> Mapping[Capability, str] | None:
    """For each capability that a model does not have, why, before it is loaded; None where that is not known."""
    try:
        asked = specs.parse(spec)
    except ModelError:
        return None
    if asked.kind in (Kind.HUB, Kind.FOLDER):
        return None
    return _lacks(f"bundled:{asked.name}" if asked.kind is Kind.BUNDLED else asked.name)


def _lacks(name: str) -> Mapping[Capability, str] | None:
    known = architectures().get(name)
    return None if known is None else known.lacks


TABLE = Path(__file__).with_name("architectures.csv")
"""Architecture, parameters, and a column for each capability: why it is lacking, or nothing."""


@lru_cache(maxsize=1)
def architectures() -> Mapping[str, Architecture]:
    """open_clip's architectures by name, and the bundled models as `bundled:NAME`.

    Raises:
        ModelError: the table is missing or damaged.
    """
    try:
        with TABLE.open(encoding="utf-8", newline="") as file:
            return {row["architecture"]: _architecture(row) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"{TABLE.name} of Clipspect is damaged: {error}") from None


def _architecture(row: Mapping[str, str]) -> Architecture:
    lacks = {capability: row[capability.value] for capability in Capability if row[capability.value]}
    return Architecture(int(row["parameters"]), lacks)


def parameter_counts() -> dict[str, int]:
    """Number of parameters of open_clip's architectures, by name.

    Raises:
        ModelError: the table is missing or damaged.
    """
    return {name: known.parameters for name, known in architectures().items()}


@lru_cache(maxsize=1)
def licences() -> Mapping[str, str]:
    """Licences of weights, by repository on the hub, where they are known.

    Raises:
        ModelError: the table is missing or damaged.
    """
    path = Path(__file__).with_name("licences.csv")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["repository"]: row["licence"] for row in csv.DictReader(file)}
    except (OSError, KeyError) as error:
        raise ModelError(f"{path.name} of Clipspect is damaged: {error}") from None
