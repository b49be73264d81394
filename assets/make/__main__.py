"""The steps that make `assets/`, each a command.

In this order, for models from nothing:

    fetch                     download and check the packages of drawings and labels (needs npm)
    drawings                  draw them, and pack them into assets/world with the table of emoji
    doses                     write the table of what is planted
    train --stage names-48    the four stages: each starts where the one before it ended,
    train --stage names-72    and goes on where it was stopped
    train --stage skewed
    train --stage balanced
    export                    write both models as open_clip loads them, with their training curve
    familiarity               write what tells a model's own pictures and words from others
    evaluate                  measure the models on the held-out style, and write model.json
    card                      write each model's README.md and the picture of its curve
    figures                   put the models' figures into the project's README
    examples                  write the example pictures (needs the packages)
    people                    write the listing of drawn people
    phrases                   write the phrases that attention heads are described with
    regions                   write the scenes with boxes and names
    snapshots                 write what the weights kept during training make of a fixed set of pairs
    manifest                  write the list of everything shipped, with digests

All but fetch, drawings and examples need nothing but what is shipped. `--world skewed` or `--world balanced`
takes one model alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from assets.make import steps
from assets.make.train import STAGES
from assets.world.schedule import NAMES

STEPS: dict[str, Callable[[steps.Places, argparse.Namespace], None]] = {
    "fetch": steps.fetch_all,
    "drawings": steps.write_drawings,
    "doses": steps.write_doses,
    "train": steps.train_stage,
    "export": steps.export_models,
    "familiarity": steps.write_familiarity,
    "evaluate": steps.evaluate_models,
    "card": steps.write_cards,
    "figures": steps.write_figures,
    "examples": steps.write_examples,
    "people": steps.write_people,
    "phrases": steps.write_phrases,
    "regions": steps.write_regions,
    "snapshots": steps.write_snapshots,
    "manifest": steps.write_manifest,
}


def parser() -> argparse.ArgumentParser:
    """The command line: one step's name, and the few things that can be set."""
    p = argparse.ArgumentParser(
        prog="python -m assets.make", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("step", choices=STEPS, help="the step to run")
    p.add_argument("--stage", choices=STAGES, help="for train: which stage")
    p.add_argument("--world", choices=NAMES, help="one model alone; both where it is left out")
    p.add_argument("--device", help="for train: cpu or cuda; a GPU where there is one")
    p.add_argument(
        "--work", type=Path, default=Path(".cache/make"), help="what is downloaded and what is half done"
    )
    p.add_argument("--out", type=Path, default=Path("assets"), help="the folder that is shipped")
    return p


def main() -> None:
    """Run one step."""
    p = parser()
    arguments = p.parse_args()
    if (arguments.step == "train") != (arguments.stage is not None):
        p.error("--stage goes with train, and train needs it")
    STEPS[arguments.step](steps.Places(arguments.work, arguments.out), arguments)


if __name__ == "__main__":
    main()
