"""The table of open_clip's architectures: how large each is, and what it lacks and why.

    python -m assets.make.architectures

writes `probes/backend/architectures.csv` anew, in some minutes: after a release of open_clip or timm, or after a
change to what is read of towers. Text towers of the transformers library are on the hub alone and replaced by a
small one; the number of their parameters stays as it stood in the table.
"""

from __future__ import annotations

import csv
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import open_clip
from open_clip.factory import get_model_config

from probes.backend import capabilities, specs
from probes.backend.listing import TABLE
from probes.core.model import Capability

COLUMNS = ("architecture", "parameters", *(capability.value for capability in Capability))


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and configurations of all rows."""
    for name in open_clip.list_models():
        yield name, get_model_config(name)
    for name in specs.bundled_names():
        path = specs.bundled_folder(name) / specs.CONFIG_NAME
        yield f"bundled:{name}", json.loads(path.read_text(encoding="utf-8"))["model_cfg"]


def row(name: str, config: dict[str, Any], counted: dict[str, str]) -> dict[str, str]:
    """One row of the table.

    Args:
        name: of the architecture.
        config: of both towers.
        counted: parameters by name as they stood, for architectures that cannot be built whole.
    """
    model, whole = capabilities.without_weights(config)
    parameters = str(sum(weight.numel() for weight in model.parameters())) if whole else counted[name]
    lacks = capabilities.of_architecture(model)
    reasons = {capability.value: lacks.get(capability, "") for capability in Capability}
    return {"architecture": name, "parameters": parameters, **reasons}


def write(path: Path = TABLE) -> None:
    """Write the table."""
    with path.open(encoding="utf-8", newline="") as file:
        counted = {known["architecture"]: known["parameters"] for known in csv.DictReader(file)}
    rows = [row(name, config, counted) for name, config in described()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    write()
