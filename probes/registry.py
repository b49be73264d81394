"""All probes, found by their folders: a package under `probes/` that has a `PROBE` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import probes
from probes.core.errors import FieldError
from probes.core.model import Capability
from probes.core.probe import AnyProbe

_ORDER = ("zero_shot", "bias_audit", "modality_gap", "red_circle", "attention_heads")
"""Probes that lead the navigation; others follow by name."""


@lru_cache(maxsize=1)
def all_probes() -> Mapping[str, AnyProbe]:
    """Every probe by name, in the order of the navigation."""
    found: dict[str, AnyProbe] = {}
    for module in pkgutil.iter_modules(probes.__path__):
        if module.ispkg and module.name not in ("core", "backend"):
            found[module.name] = importlib.import_module(f"probes.{module.name}").PROBE
    rank = {name: place for place, name in enumerate(_ORDER)}
    ordered = sorted(found, key=lambda name: (rank.get(name, len(rank)), name))
    return MappingProxyType({name: found[name] for name in ordered})


def get(name: str) -> AnyProbe:
    """The probe of a name.

    Raises:
        FieldError: there is none; the message lists those there are.
    """
    known = all_probes()
    if name not in known:
        raise FieldError("probe", f"there is no probe '{name}'; there are {', '.join(known)}")
    return known[name]


def pages(lacks: Mapping[Capability, str] | None, why: bool = True) -> str:
    """Which probes a model can answer and what else it cannot do, such as `pages: all; it cannot attend`.

    Args:
        lacks: for each capability it does not have, why; None where that is not known yet.
        why: whether to say why it cannot answer some.
    """
    if lacks is None:
        return "which pages it can answer is known once it is loaded"
    refused: dict[str, list[str]] = {}
    for probe in all_probes().values():
        if reason := probe.card.refusal(lacks):
            refused.setdefault(reason, []).append(probe.card.title)
    told = "pages: all"
    if refused:
        told += " but " + "; ".join(
            ", ".join(titles) + (f" ({reason})" if why else "") for reason, titles in refused.items()
        )
    return told + (f"; it cannot {', '.join(sorted(lacks))}" if lacks else "")


def markdown() -> str:
    """The probes as the table that stands in the README."""
    rows = [
        f"| [{probe.card.title}](probes/{name}/notes.md) | {probe.card.question} | "
        f"{', '.join(f'[{r.short()}]({r.url})' for r in probe.card.references)} | `{name}` |"
        for name, probe in all_probes().items()
    ]
    return "\n".join(["| probe | asks | asked first by | on the command line |", "|---|---|---|---|", *rows])
