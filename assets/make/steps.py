"""The commands of `python -m assets.make`, each a few calls of the modules beside this one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import open_clip
import torch

from assets.make import (
    card,
    doses,
    evaluate,
    examples,
    familiarity,
    figures,
    manifest,
    metrics,
    people,
    phrases,
    regions,
    runs,
    snapshots,
)
from assets.make import train as training
from assets.make.emoji import read_json
from assets.make.export import export
from assets.make.network import configuration
from assets.make.render import drawings, read_world, render
from assets.make.sources import fetch, read_sources
from assets.world import EMOJI, load, sheet
from assets.world.emoji import write_table
from assets.world.pairs import World
from assets.world.schedule import END, NAMES, Name


@dataclass(frozen=True)
class Places:
    """Where things lie: `work` holds what is not shipped, `out` what is."""

    work: Path
    out: Path

    @property
    def packages(self) -> Path:
        """The downloaded npm packages."""
        return self.work / "npm"

    @property
    def models(self) -> Path:
        """The shipped models, one folder each, and the table of doses."""
        return self.out / "models"

    def stage(self, name: str) -> Path:
        """One stage of training: checkpoint and curve."""
        return self.work / name


def chosen(arguments: argparse.Namespace) -> tuple[Name, ...]:
    """The worlds that the command line asks for."""
    return NAMES if arguments.world is None else (arguments.world,)


def fetch_all(places: Places, arguments: argparse.Namespace) -> None:
    """Download and check every package."""
    for source in read_sources():
        print(source.package, source.version, fetch(source, places.packages))


def write_drawings(places: Places, arguments: argparse.Namespace) -> None:
    """Draw every drawing of both roles and pack them with the marks; write the table of emoji."""
    emoji, _ = read_world(places.packages, read_sources())
    write_table(places.out / "world" / EMOJI, emoji.values())
    for role in ("train", "held-out"):
        drawn = render(places.packages, role).with_marks()
        path = places.out / "world" / f"{role}.zip"
        drawn.save(path)
        print(path, len(drawn.pixels), "drawings and marks,", path.stat().st_size, "bytes")


def write_doses(places: Places, arguments: argparse.Namespace) -> None:
    """Write the table of what is planted."""
    doses.write(places.models / doses.FILE)


def train_stage(places: Places, arguments: argparse.Namespace) -> None:
    """Train, or go on training, until all pictures of the stage are seen."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    trainer = new_trainer(places, arguments.stage, arguments.device)
    asked = questions(trainer.world, trainer.recipe.size)
    folder = places.stage(arguments.stage)
    runs.write_machine(folder)
    training.train(
        trainer, folder, lambda model: evaluate.recalls(model, trainer.tokenizer, asked),
        keep=training.KEPT.get(arguments.stage, ()),
    )  # fmt: skip


def new_trainer(places: Places, stage: str, device: str | None) -> training.Trainer:
    """A trainer at step 0 of a stage: with new weights, or with those that the stage before it ended with."""
    recipe = training.STAGES[stage]
    world = load("balanced" if stage == "balanced" else "skewed")
    world.sheet = world.sheet.unpacked()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    config = configuration(recipe.size, recipe.patch)
    trainer = training.Trainer(recipe, config, world, open_clip.SimpleTokenizer(context_length=77), device)
    before = training.BEFORE.get(stage)
    if before is not None:
        same = training.STAGES[before].patch == recipe.patch
        trainer.begin(places.stage(before) / "checkpoint.pt", same_patches=same)
    return trainer


def export_models(places: Places, arguments: argparse.Namespace) -> None:
    """Write the checkpoints as open_clip loads them, and the training curve beside each."""
    for world in chosen(arguments):
        recipe, folder = training.STAGES[world], places.models / world
        state = torch.load(places.stage(world) / "checkpoint.pt", map_location="cpu", weights_only=True)
        stages = {stage: places.stage(stage) for stage in training.stages_of(world)}
        past = [runs.read_run(stage, at) for stage, at in stages.items()]
        export(state, configuration(recipe.size, recipe.patch), folder, past)
        runs.write_curves(stages, folder / "curve.csv")


def questions(world: World, size: int) -> evaluate.Questions:
    """The question set of the held-out style, at so many pixels a side."""
    return evaluate.questions(sheet("held-out"), world.emoji, world.hexcodes, size)


def models(
    places: Places, arguments: argparse.Namespace
) -> Iterator[tuple[Name, Path, open_clip.CLIP, open_clip.SimpleTokenizer]]:
    """The shipped models asked for: name, folder, model and tokenizer, loaded as anyone would load them."""
    for world in chosen(arguments):
        folder = places.models / world
        spec = f"local-dir:{folder}"
        yield world, folder, open_clip.create_model(spec).eval(), open_clip.get_tokenizer(spec)


def write_familiarity(places: Places, arguments: argparse.Namespace) -> None:
    """Write what tells familiar pictures and words from others, from pairs past those trained on."""
    for world, folder, model, tokenizer in models(places, arguments):
        familiarity.make(folder, model, tokenizer, load(world), load(world, style="held-out"), END)


def evaluate_models(places: Places, arguments: argparse.Namespace) -> None:
    """Measure the shipped models on the held-out style and write each one's `model.json`."""
    for world, folder, model, tokenizer in models(places, arguments):
        drawn = load(world)
        measured = metrics.measure(model, tokenizer, drawn, load(world, style="held-out"))
        card.write_json(folder / "model.json", card.describe(model, drawn, folder, measured))


def write_cards(places: Places, arguments: argparse.Namespace) -> None:
    """Write the model cards from `model.json`, and the pictures of the training curves from `curve.csv`."""
    for world in chosen(arguments):
        folder = places.models / world
        described = read_json(folder / "model.json")
        (folder / "README.md").write_text(card.render(described), encoding="utf-8")
        card.draw_curve(folder / "curve.csv", folder / "curve.png")


def write_figures(places: Places, arguments: argparse.Namespace) -> None:
    """Put the table of both models' figures into the project's README."""
    figures.write(places.models, places.out.parent / "README.md")


def write_examples(places: Places, arguments: argparse.Namespace) -> None:
    """Write the example pictures and their table."""
    sources = read_sources()
    _, names = read_world(places.packages, sources)
    held_out = next(source for source in sources if source.role == "held-out")
    found = drawings(fetch(held_out, places.packages), held_out.style, names)
    examples.write(places.out / "stimuli" / "examples", {d.hexcode: d.svg for d in found}, held_out)


def write_people(places: Places, arguments: argparse.Namespace) -> None:
    """Write the listing of drawn people that the bias audit opens with."""
    path = places.out / "stimuli" / "people" / "people.csv"
    print(path, people.write(path, load("balanced"), read_sources()), "people")


def write_phrases(places: Places, arguments: argparse.Namespace) -> None:
    """Write the phrases that attention heads are described with."""
    path = places.out / "words" / "phrases.txt"
    print(path, phrases.write(path), "phrases")


def write_regions(places: Places, arguments: argparse.Namespace) -> None:
    """Write the scenes with boxes and names that visual prompts are tried on."""
    folder = places.out / "stimuli" / "regions"
    print(folder, regions.write(folder, load("balanced", style="held-out")), "regions")


def write_snapshots(places: Places, arguments: argparse.Namespace) -> None:
    """Write what the weights kept during training make of the fixed set of pairs."""
    path = places.models / "snapshots.npz"
    print(path, snapshots.write(path, places.work), "moments of training")


def write_manifest(places: Places, arguments: argparse.Namespace) -> None:
    """Write the manifest of everything shipped."""
    manifest.write(places.out, read_sources())
