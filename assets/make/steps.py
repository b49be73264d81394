"""The commands of `python -m assets.make`, each a few calls of the modules beside this one."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path

import open_clip
import torch

from assets.make import card, evaluate, examples, familiarity, manifest, metrics, scenes
from assets.make import train as training
from assets.make.captions import all_texts, longest_captions
from assets.make.emoji import Emoji, read_json
from assets.make.export import export, progress
from assets.make.network import CONFIG
from assets.make.render import Sheet, drawings, read_world, render
from assets.make.sources import fetch, read_sources

SCENES = 6144  # scenes to fit the familiarity of pictures on; half as many set its threshold


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
    def run(self) -> Path:
        """The training run: checkpoint and curve."""
        return self.work / "run"

    @property
    def model(self) -> Path:
        """The shipped model."""
        return self.out / "models" / "emoji"

    def sheet(self, role: str) -> Path:
        """The rendered drawings of one role, `train` or `held-out`."""
        return self.work / f"{role}.npz"


def fetch_all(places: Places, arguments: argparse.Namespace) -> None:
    """Download and check every package."""
    for source in read_sources():
        print(source.package, source.version, fetch(source, places.packages))


def render_all(places: Places, arguments: argparse.Namespace) -> None:
    """Draw every drawing of both roles."""
    for role in ("train", "held-out"):
        sheet = render(places.packages, role)
        sheet.save(places.sheet(role))
        print(role, sheet.pixels.shape)


def load_world(places: Places, seed: int) -> tuple[scenes.World, dict[str, Emoji]]:
    """The training world and all emoji by hexcode."""
    emoji, _ = read_world(places.packages, read_sources())
    return scenes.World(Sheet.load(places.sheet("train")), emoji, seed), emoji


def load_questions(places: Places, world: scenes.World) -> evaluate.Questions:
    """The held-out question set."""
    return evaluate.questions(Sheet.load(places.sheet("held-out")), world.emoji, world.hexcodes)


def load_model(places: Places) -> tuple[open_clip.CLIP, open_clip.SimpleTokenizer]:
    """The shipped model and its tokenizer, loaded as anyone would load them."""
    name = f"local-dir:{places.model}"
    return open_clip.create_model(name).eval(), open_clip.get_tokenizer(name)


def new_recipe(arguments: argparse.Namespace) -> training.Recipe:
    """The recipe the command line asks for."""
    return training.Recipe(pictures=arguments.pictures, batch=arguments.batch, seed=arguments.seed)


def new_trainer(places: Places, arguments: argparse.Namespace) -> training.Trainer:
    """A trainer at step 0 of the recipe that the command line asks for."""
    world, _ = load_world(places, arguments.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return training.Trainer(
        new_recipe(arguments), CONFIG, world, open_clip.SimpleTokenizer(context_length=77), device
    )


def train_model(places: Places, arguments: argparse.Namespace) -> None:
    """Train, or go on training, until all pictures are seen."""
    torch.use_deterministic_algorithms(True, warn_only=True)
    trainer = new_trainer(places, arguments)
    asked = load_questions(places, trainer.world)
    training.train(trainer, places.run, lambda model: evaluate.recalls(model, trainer.tokenizer, asked))


def export_model(places: Places, arguments: argparse.Namespace) -> None:
    """Write the checkpoint as open_clip loads it, and the training curve beside it."""
    state = torch.load(places.run / "checkpoint.pt", map_location="cpu", weights_only=True)
    export(state, CONFIG, places.model)
    shutil.copyfile(places.run / "curve.csv", places.model / "curve.csv")


def write_familiarity(places: Places, arguments: argparse.Namespace) -> None:
    """Write what tells familiar pictures and words from others, from pairs past those trained on."""
    world, _ = load_world(places, arguments.seed)
    held_out = scenes.World(Sheet.load(places.sheet("held-out")), world.emoji, arguments.seed)
    model, tokenizer = load_model(places)
    embeddings, pictures = [], []
    for drawn, count in ((world, SCENES), (held_out, SCENES // 2)):
        pairs = [drawn.pair(arguments.pictures + index) for index in range(count)]
        parts = [drawn.compose(pairs[first : first + 256]) for first in range(0, count, 256)]
        embeddings.append(torch.cat([evaluate.embed_pictures(model, part) for part in parts]).double().numpy())
        pictures.append(torch.cat(parts))
    drawn_emoji = [world.emoji[code] for code in world.hexcodes]
    longest = int((tokenizer(list(longest_captions(drawn_emoji, list(scenes.GROUNDS)))) != 0).sum(1).max())
    texts = all_texts(drawn_emoji, scenes.GROUNDS)
    familiarity.write(places.model, embeddings[0], embeddings[1], pictures[1], texts, longest)


def evaluate_model(places: Places, arguments: argparse.Namespace) -> None:
    """Measure the shipped model on the held-out style and write `model.json`."""
    world, _ = load_world(places, arguments.seed)
    step, seconds = progress(places.model)
    model, tokenizer = load_model(places)
    measured = metrics.measure(model, tokenizer, world, Sheet.load(places.sheet("held-out")))
    recipe = new_recipe(arguments)
    run = card.Run(step, seconds, recipe, card.command(arguments.pictures, arguments.seed))
    card.write_json(places.model / "model.json", card.describe(model, world, run, measured))


def write_card(places: Places, arguments: argparse.Namespace) -> None:
    """Write the model card from `model.json`, and the picture of the training curve from `curve.csv`."""
    described = read_json(places.model / "model.json")
    (places.model / "README.md").write_text(card.render(described), encoding="utf-8")
    card.draw_curve(places.model / "curve.csv", places.model / "curve.png")


def write_examples(places: Places, arguments: argparse.Namespace) -> None:
    """Write the example pictures and their table."""
    sources = read_sources()
    _, names = read_world(places.packages, sources)
    held_out = next(source for source in sources if source.role == "held-out")
    found = drawings(fetch(held_out, places.packages), held_out.style, names)
    examples.write(places.out / "stimuli" / "examples", {d.hexcode: d.svg for d in found}, held_out)


def write_manifest(places: Places, arguments: argparse.Namespace) -> None:
    """Write the manifest of everything shipped."""
    manifest.write(places.out, read_sources())
