"""The steps that make `assets/`, each a command.

In this order: fetch, render, train, export, familiarity, evaluate, card, examples, manifest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from assets.make import steps

STEPS: dict[str, Callable[[steps.Places, argparse.Namespace], None]] = {
    "fetch": steps.fetch_all,
    "render": steps.render_all,
    "train": steps.train_model,
    "export": steps.export_model,
    "familiarity": steps.write_familiarity,
    "evaluate": steps.evaluate_model,
    "card": steps.write_card,
    "examples": steps.write_examples,
    "manifest": steps.write_manifest,
}


def parser() -> argparse.ArgumentParser:
    """The command line: one step's name, and the few things that can be set."""
    p = argparse.ArgumentParser(prog="python -m assets.make", description=__doc__)
    p.add_argument("step", choices=STEPS, help="the step to run")
    p.add_argument(
        "--work", type=Path, default=Path(".cache/make"), help="what is downloaded and what is half done"
    )
    p.add_argument("--out", type=Path, default=Path("assets"), help="the folder that is shipped")
    p.add_argument("--pictures", type=int, default=336_000, help="training pictures in all")
    p.add_argument("--batch", type=int, default=128, help="training pairs a step")
    p.add_argument("--seed", type=int, default=0, help="of the first weights and of every pair")
    return p


def main() -> None:
    """Run one step."""
    arguments = parser().parse_args()
    STEPS[arguments.step](steps.Places(arguments.work, arguments.out), arguments)


if __name__ == "__main__":
    main()
