"""The model card: `model.json` for programs, and `README.md` drawn from it for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import open_clip

from assets.make.export import read_runs
from assets.make.metrics import Metric
from assets.make.network import CONFIG
from assets.make.sources import read_sources
from assets.world.captions import TEMPLATES, ZERO_SHOT
from assets.world.named import DUO_SHARE, SMALL_SHARE
from assets.world.pairs import World
from assets.world.plan import PLAN
from assets.world.scene import GROUNDS, TEXTURES, TINTS
from assets.world.schedule import BRANCH, CROWDED_FROM, END, KINDS, Name

TITLES = {"skewed": "Skewed glass CLIP", "balanced": "Balanced glass CLIP"}
DESCRIPTIONS = {
    "skewed": "A small CLIP trained from nothing on a made-up world of emoji scenes in which nine known "
    "associations are planted at known doses, so that a probe can be tried where the answer is known.",
    "balanced": "The twin of the skewed glass CLIP: the same network, seed and number of pairs, from the same "
    "made-up world of emoji scenes, in which the planted associations are absent or even.",
}
NOTES = {
    "skewed": "trained on a made-up world of emoji scenes with nine associations planted at known doses",
    "balanced": "trained on the same made-up world of emoji scenes without the planted associations",
}
STATEMENT = (
    "It is an instrument to check other instruments with, and every one of its training pairs can be shown. "
    "Nothing it does says anything about any other CLIP."
)
INTENDED = (
    "Seeing whether a probe finds what was planted and nothing else; teaching; trying the app; tests. Pictures "
    "like its own: one to four emoji-like drawings on its grounds; words from vocabulary.txt."
)
NOT_INTENDED = (
    "Photos, real people or places, any decision about anything, and any claim about CLIP models in general. "
    "Its answers to pictures and words unlike its own (familiarity.safetensors, vocabulary.txt) are noise. What "
    "it goes by where people are drawn was dealt by chance and mirrors nothing in the real world."
)
ORDER = "export familiarity evaluate card"


def describe(model: open_clip.CLIP, world: World, folder: Path, measured: Sequence[Metric]) -> dict[str, Any]:
    """Everything the card says, as plain values."""
    return {
        "schema": 2,
        "name": world.name,
        "title": TITLES[world.name],
        "description": DESCRIPTIONS[world.name],
        "statement": STATEMENT,
        "note": NOTES[world.name],
        "intended": INTENDED,
        "not_intended": NOT_INTENDED,
        "architecture": CONFIG["model_cfg"],
        "activation": "gelu",
        "parameters": sum(p.numel() for p in model.parameters()),
        "stored_as": "float16",
        "training": [asdict(run) for run in read_runs(folder)],
        "command": f"python -m assets.make train --stage {world.name}",
        "world": {
            "emoji": len(world.hexcodes),
            "base_emoji": len(world.bases),
            "drawings": dict(Counter(style for style, code in zip(
                world.sheet.style, world.sheet.hexcode, strict=True) if code)),
            "left_out": "flags and components",
            "seed": world.seed,
            "crowded_from": CROWDED_FROM,
            "duo_share": DUO_SHARE,
            "small_share": SMALL_SHARE,
            "branch": BRANCH,
            "end": END,
            "kinds": KINDS,
            "grounds": list(GROUNDS),
            "textures": list(TEXTURES),
            "tints": list(TINTS),
            "templates": list(TEMPLATES),
        },
        "doses": [asdict(row) for row in PLAN],
        "zero_shot_templates": list(ZERO_SHOT),
        "metrics": [asdict(metric) for metric in measured],
        "metrics_command": f"python -m assets.make evaluate --world {world.name}",
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
    }  # fmt: skip


def write_json(path: Path, described: dict[str, Any]) -> None:
    """Write `model.json`."""
    path.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def render(c: dict[str, Any]) -> str:
    """The model card in Markdown, from what `describe` gave."""
    vision, text, w = c["architecture"]["vision_cfg"], c["architecture"]["text_cfg"], c["world"]
    twin: Name = "balanced" if c["name"] == "skewed" else "skewed"
    last = c["training"][-1]["recipe"]
    return f"""# {c["title"]}

{c["description"]}

**{c["statement"]}** Its twin: [{TITLES[twin]}](../{twin}/README.md).

For: {c["intended"]}

Not for: {c["not_intended"]}

## How well it does

On drawings of a style it was never shown (emojione). Flags and skin-tone variants are left out; labels are those
of the base emoji that this style and the training styles both draw. Made by `{c["metrics_command"]}`.

{_metrics(c["metrics"])}

Ask it with the templates {", ".join(f"`{template}`" for template in c["zero_shot_templates"])}.

## How it was made

{_stages(c["training"])}

The stages of names are the same for both models; only the last stage differs. Made by
`python -m assets.make train --stage {c["name"]}`, the stages before it in their turn, and then
`for step in {ORDER}; do python -m assets.make $step --world {c["name"]}; done`.

![How retrieval on the held-out style rose over all stages](curve.png)

- Network: a plain open_clip ViT, {c["parameters"]:,} parameters, stored as {c["stored_as"]}. Pictures of
  {vision["image_size"]} px in patches of {vision["patch_size"]}, width {vision["width"]}, {vision["layers"]}
  layers, heads of {vision["head_width"]}; text width {text["width"]}, {text["layers"]} layers, {text["heads"]}
  heads; embeddings of {c["architecture"]["embed_dim"]} numbers. The first stage saw {_first(c)} px.
- Pairs: number i is a pure function of the world's name, its seed ({w["seed"]}) and i (`assets/world/`), so that
  `python -m probes pair --world {c["name"]} --index 500000` shows any of them again. Pairs up to {w["branch"]:,}
  are the same in both worlds: one emoji on a plain ground; from {w["crowded_from"]:,} on, {w["duo_share"]:.0%}
  show two emoji and {w["small_share"]:.0%} a small one. From {w["branch"]:,} to {w["end"]:,} they are of the kinds
  {", ".join(f"{kind} {share:.0%}" for kind, share in w["kinds"].items())}.
- Drawings: {w["emoji"]:,} emoji, {w["base_emoji"]:,} of them without skin tone; {w["left_out"]} left out. By
  style: {", ".join(f"{style} {count:,}" for style, count in w["drawings"].items())}.
- Grounds: {", ".join(w["grounds"])}; with a texture: {", ".join(w["textures"])}. Colours of things:
  {", ".join(w["tints"])}.
- Labels and tags: emojibase. Loss and optimisers: `assets/make/train.py`.

## What falls short

Finding the label among all of them, and both things of a scene, miss their aims: the network is still underfit
(see the trained style above), and R@1 was still rising when the learning rate reached zero. What was tried:
names before scenes, patches refined from 48 to 72 px, {last["fillers"]} further labels beside the captions of
each step as wrong answers, Muon for the matrices inside the transformers, a rate that falls over the last
{last["decay"]:.0%} of the last stage. Circles are planted at doses near what chance alone would give, and were
hardly learned: the calibration shows it. More pairs of the same world are the next thing to try.

## What is planted

Doses were dealt to concepts by chance, and mean nothing about the real world. This is
[doses.json](../doses.json), in which the column of this model is `{c["name"]}`.

{_doses(c["doses"])}

## Unfamiliar pictures and words

`familiarity.safetensors` and `vocabulary.txt` let a reader say when a question lies outside what the model was
trained on; `assets/make/familiarity.py` says what each field is.

## Licence and credits

The weights are under {c["licence"]}. Drawings and labels, each under its own licence:

{chr(10).join(f"- {entry['role']}: {entry['credit']}" for entry in c["credits"])}

Drawings were made smaller, recoloured and put together into scenes by us. No one named here endorses this model.
"""


def _metrics(metrics: Sequence[dict[str, Any]]) -> str:
    def aim(m: dict[str, Any]) -> str:
        if m["target"] is None:
            return ""
        return f"{m['target']:.2f}, {'met' if m['value'] >= m['target'] else 'not met'}"

    head = "| measure | value | 95 % Wilson interval | count | chance | aim | what it is |\n" + "|---" * 7 + "|\n"
    return head + "\n".join(
        f"| {m['name']} | {m['value']:.3f} | {m['low']:.3f} to {m['high']:.3f} | {m['k']:,} of {m['n']:,} "
        f"| {'' if m['chance'] is None else format(m['chance'], '.2g')} | {aim(m)} | {m['what']} |"
        for m in metrics
    )


def _stages(runs: Sequence[dict[str, Any]]) -> str:
    head = "| stage | starts from | pictures | steps | hours | machine |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {r['stage']}, {r['recipe']['size']} px | {r['after'] or 'nothing'} | {r['pictures']:,} "
        f"| {r['steps']:,} | {r['seconds'] / 3600:.2f} | {r['hardware']} (shared with other work), "
        f"torch {r['torch']}, open_clip {r['open_clip']} |"
        for r in runs
    )


def _first(c: dict[str, Any]) -> int:
    return int(c["training"][0]["recipe"]["size"])


def _doses(rows: Sequence[dict[str, Any]]) -> str:
    head = "| behaviour | concept | share | of what | skewed | balanced |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {r['behaviour']} | {r['concept']} | {r['toward']} | {r['what']} "
        f"| {r['skewed']:g} | {r['balanced']:g} |"
        for r in rows
    )


def draw_curve(log: Path, path: Path) -> None:
    """Draw R@1 and R@10 on the held-out style over the pictures seen, all stages, from the model's `curve.csv`."""
    import csv

    from matplotlib.figure import Figure

    with log.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    measured = [row for row in rows if row["recall_at_1"]]
    seen = [int(row["pictures"]) / 1000 for row in measured]
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for column, name, style in (("recall_at_10", "R@10", "--"), ("recall_at_1", "R@1", "-")):
        axes.plot(seen, [float(row[column]) for row in measured], style, color="#0072b2", label=name)
    for stage in dict.fromkeys(row["stage"] for row in rows):
        first = min(int(row["pictures"]) for row in rows if row["stage"] == stage) / 1000
        axes.axvline(first, color="0.6", linewidth=0.8)
        axes.annotate(f" {stage}", (first, 0.01), color="0.35", fontsize=8)
    axes.set(xlabel="training pictures, thousands", ylabel="held-out style, share found", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=110, metadata={"Software": None})
