"""The model card: `model.json` for programs, and `README.md` and the curve drawn from it for people."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch

from assets.make.captions import TEMPLATES, ZERO_SHOT
from assets.make.metrics import Metric
from assets.make.network import CONFIG
from assets.make.scenes import CROWDED_FROM, DUO_SHARE, GROUNDS, SMALL_SHARE, World
from assets.make.sources import read_sources
from assets.make.train import Curve, Recipe

STATEMENT = (
    "Nothing this model does says anything about any other CLIP. It has seen emoji and nothing else; it is here "
    "so that every page of the app works without a network, on a model whose every training pair can be shown."
)
INTENDED = (
    "Trying the app, teaching, and tests: each probe runs on it in seconds on a laptop. Pictures like its own: "
    "one or a few emoji-like drawings on a plain ground; words from vocabulary.txt."
)
NOT_INTENDED = (
    "Photos, real people or places, any decision about anything, and any claim about CLIP models in general. "
    "Its answers to pictures and words unlike its own (familiarity.safetensors, vocabulary.txt) are noise."
)


@dataclass(frozen=True)
class Run:
    """The training run the weights came from."""

    steps: int
    seconds: float
    recipe: Recipe
    command: str


def command(pictures: int, seed: int) -> str:
    """The command that trains these weights."""
    return f"python -m assets.make train --pictures {pictures} --seed {seed}"


def hardware() -> str:
    """The machine in words: kind of processor or GPU, number of cores, system."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, {platform.system()}"
    return f"{os.cpu_count()} CPU cores ({platform.machine()}), {platform.system()}, no GPU"


def describe(model: open_clip.CLIP, world: World, run: Run, measured: Sequence[Metric]) -> dict[str, Any]:
    """Everything the card says, as plain values."""
    drawn = Counter(world.sheet.style)
    return {
        "schema": 1,
        "name": "emoji",
        "title": "Emoji CLIP, a CLIP made of glass",
        "description": (
            "A small open_clip ViT trained from nothing on drawings of emoji on plain coloured grounds, "
            "of which every training pair can be shown again."
        ),
        "statement": STATEMENT,
        "intended": INTENDED,
        "not_intended": NOT_INTENDED,
        "architecture": CONFIG["model_cfg"],
        "activation": "gelu",
        "parameters": sum(p.numel() for p in model.parameters()),
        "stored_as": "float16",
        "training": {
            "pictures": run.steps * run.recipe.batch,
            "steps": run.steps,
            "seconds": round(run.seconds),
            "hardware": hardware(),
            "versions": {"torch": torch.__version__, "open_clip": open_clip.__version__},
            "recipe": asdict(run.recipe),
            "command": run.command,
        },
        "world": {
            "emoji": len(world.hexcodes),
            "base_emoji": sum(not world.emoji[code].tones for code in world.hexcodes),
            "drawings": dict(drawn),
            "left_out": "flags and components",
            "crowded_from": CROWDED_FROM,
            "duo_share": DUO_SHARE,
            "small_share": SMALL_SHARE,
            "grounds": list(GROUNDS),
            "templates": list(TEMPLATES),
        },
        "zero_shot_templates": list(ZERO_SHOT),
        "metrics": [asdict(metric) for metric in measured],
        "metrics_command": run.command.replace(" train ", " evaluate "),
        "licence": "Apache-2.0",
        "credits": [
            {
                "role": s.role,
                "package": s.package,
                "version": s.version,
                "licence": s.licence,
                "credit": s.credit(),
            }
            for s in read_sources()
        ],
    }


def write_json(path: Path, described: dict[str, Any]) -> None:
    """Write `model.json`."""
    path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def render(c: dict[str, Any]) -> str:
    """The model card in Markdown, from what `describe` gave."""
    t, w, vision, text = c["training"], c["world"], c["architecture"]["vision_cfg"], c["architecture"]["text_cfg"]
    rows = "\n".join(
        f"| {m['name']} | {m['value']:.3f} | {m['low']:.3f} to {m['high']:.3f} "
        f"| {m['k']} of {m['n']} | {m['what']} |"
        for m in c["metrics"]
    )
    credits = "\n".join(f"- {entry['role']}: {entry['credit']}" for entry in c["credits"])
    drawings = ", ".join(f"{style} {count}" for style, count in w["drawings"].items())
    return f"""# {c["title"]}

{c["description"]}

**{c["statement"]}**

For: {c["intended"]}

Not for: {c["not_intended"]}

## How well it does

One picture for each base emoji that the held-out style (emojione, never trained on) draws, flags and skin-tone
variants left out, on white; offered are the labels of exactly those emoji. Made by `{c["metrics_command"]}`.

| measure | value | 95 % Wilson interval | count | what it is |
|---|---|---|---|---|
{rows}

Ask it with the templates {", ".join(f"`{template}`" for template in c["zero_shot_templates"])}.

![How retrieval on the held-out style rose during training](curve.png)

## How it was made

- Network: {c["parameters"]:,} parameters, stored as {c["stored_as"]}. Pictures of {vision["image_size"]} px
  in patches of {vision["patch_size"]}, width {vision["width"]}, {vision["layers"]} layers, heads of
  {vision["head_width"]}; text width {text["width"]}, {text["layers"]} layers, {text["heads"]} heads;
  embeddings of {c["architecture"]["embed_dim"]} numbers.
- Training: {t["pictures"]:,} pictures in {t["steps"]:,} steps and {t["seconds"]:,} seconds on
  {t["hardware"]} (cores shared with other work), torch {t["versions"]["torch"]},
  open_clip {t["versions"]["open_clip"]}, by `{t["command"]}`,
  stopped and resumed three times.
- World: {w["emoji"]:,} emoji, {w["base_emoji"]:,} of them without skin tone, each of these as likely as the
  next; skin-tone variants rarer; {w["left_out"]} left out. Drawings: {drawings}.
  Grounds: {", ".join(w["grounds"])}. Pair number i is a function of the seed and i (`assets/make/scenes.py`).
  From pair {w["crowded_from"]:,} on, {w["duo_share"]:.0%} of the pictures show two emoji and
  {w["small_share"]:.0%} a small one.
- Labels and tags: emojibase. Loss and optimisers: `assets/make/train.py`.

## Unfamiliar pictures and words

`familiarity.safetensors` and `vocabulary.txt` let a reader say when a question lies outside what the model was
trained on; `assets/make/familiarity.py` says what each field is.

## Licence and credits

The weights are under {c["licence"]}. Drawings and labels, each under its own licence:

{credits}

The example pictures are drawings of the held-out style, composed on coloured grounds by us. No one named here
endorses this model.
"""


def draw_curve(log: Path, path: Path) -> None:
    """Draw R@1 and R@10 on the held-out style over the pictures seen."""
    from matplotlib.figure import Figure

    rows = [row for row in Curve(log).read() if row["recall_at_1"]]
    seen = [int(row["pictures"]) / 1000 for row in rows]
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for column, name, style in (("recall_at_10", "R@10", "--"), ("recall_at_1", "R@1", "-")):
        axes.plot(seen, [float(row[column]) for row in rows], style, color="#0072b2", label=name)
    axes.set(xlabel="training pictures, thousands", ylabel="held-out style, share found", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110, metadata={"Software": None})
