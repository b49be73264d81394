"""Training: the CLIP loss over the pairs of the world, stage after stage, exactly resumable.

Three stages, in `STAGES`: names at 48 px, names at 72 px (both the same for either world), then one world's own
pairs. Step s of a stage sees pairs first + s*batch .. first + (s+1)*batch - 1 and nothing random happens besides,
so the weights are a function of the stages, the device and the library versions alone; stopping and resuming
changes nothing.

Loss: with unit embeddings u_i (pictures, n) and v_j (texts, n + m: the captions, then m labels of emoji that no
picture of the batch shows), logits L = scale * u v^T, and R_ij = 1 where text j is a right answer to picture i
(`right_answers`), the mean of the cross-entropies of the rows of L with R's rows, and of the first n rows of L^T
with R^T's, both scaled to sum to one. Matrices inside the transformers are moved by Muon (Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/), all else by AdamW. The learning rate warms up, stays, and falls
linearly to zero over the last part of the stage.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from assets.make.network import build, crop, encode_text, finer_patches, normalise
from assets.world.captions import LABEL_TEMPLATES, fill
from assets.world.pairs import Pair, World
from assets.world.schedule import BRANCH, END, FIRST_NAMES

Tokenizer = Callable[[list[str]], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights of one stage.

    Attributes:
        first: number of the first pair.
        pictures: how many pairs.
        size, patch: pixels a side of pictures and of patches.
        fillers: how many labels each step offers besides its captions, at most.
        lr: AdamW's learning rate; `muon_lr` Muon's (RMS-matched to AdamW's).
        decay: the last share of the stage over which both fall.
    """

    first: int
    pictures: int
    size: int = 72
    patch: int = 12
    batch: int = 128
    fillers: int = 256
    lr: float = 1e-3
    muon_lr: float = 1.5e-3
    weight_decay: float = 0.05
    warm_up: int = 0
    decay: float = 0.0
    seed: int = 0

    @property
    def steps(self) -> int:
        """The number of whole batches."""
        return self.pictures // self.batch

    def rate(self, step: int) -> float:
        """The share of the full learning rate at a step."""
        rise = (step + 1) / max(1, self.warm_up)
        fall = (self.steps - step) / (self.decay * self.steps) if self.decay else 1.0
        return min(1.0, rise, fall)


STAGES = {
    "names-48": Recipe(0, FIRST_NAMES, size=48, patch=8, fillers=0, lr=2e-3, muon_lr=3e-3, warm_up=100, decay=0.3),
    "names-72": Recipe(FIRST_NAMES, BRANCH - FIRST_NAMES, warm_up=100),
    "skewed": Recipe(BRANCH, END - BRANCH, decay=0.4),
    "balanced": Recipe(BRANCH, END - BRANCH, decay=0.4),
}
KEPT: dict[str, tuple[int, ...]] = {
    "names-48": (0, 25, 50, 100, 200, 400, 800, 1600, 2625),
    "names-72": (1000,),
}
"""Steps of each stage after which the weights are kept, so that what training did can be looked at."""
SNAPSHOTS = "snapshots"
"""The folder of those weights, beside a stage's checkpoint."""
BEFORE = {"names-72": "names-48", "skewed": "names-72", "balanced": "names-72"}
"""The stage whose end each stage but the first starts from."""


def stages_of(stage: str) -> tuple[str, ...]:
    """The stages from the first one to this one."""
    return (*stages_of(BEFORE[stage]), stage) if stage in BEFORE else (stage,)


def right_answers(pairs: Sequence[Pair]) -> torch.Tensor:
    """`(n, n)` of 0 and 1: whether the caption of pair j is a right answer to the picture of pair i."""
    number = {key: k for k, key in enumerate(dict.fromkeys(pair.key for pair in pairs))}
    ids = torch.tensor([number[pair.key] for pair in pairs])
    right = (ids[:, None] == ids[None, :]).float()
    for column, pair in enumerate(pairs):
        if pair.claim is not None:
            for row, other in enumerate(pairs):
                if pair.claim in other.shows:
                    right[row, column] = 1.0
    return right


def filler_texts(world: World, pairs: Sequence[Pair], count: int, step: int) -> list[str]:
    """Up to `count` captions of emoji that no picture of the batch shows, a function of the seed and the step."""
    shown = {thing.name for pair in pairs for thing in pair.scene.things}
    rng = np.random.default_rng([world.seed, 2, step])
    chosen = [world.phrases[place] for place in rng.permutation(len(world.phrases))[:count]]
    templates = [LABEL_TEMPLATES[int(k)] for k in rng.integers(len(LABEL_TEMPLATES), size=len(chosen))]
    return [fill(template, name) for template, name in zip(templates, chosen, strict=True) if name not in shown]


def clip_loss(
    pictures: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    """The cross-entropies (scalar) of unit rows `(n, d)` and `(n + m, d)` with right answers `(n, n)`."""
    logits = scale * pictures @ texts.T
    n = len(pictures)
    by_row = F.pad(right / right.sum(1, keepdim=True), (0, len(texts) - n))
    by_column = right.T / right.T.sum(1, keepdim=True)
    return (F.cross_entropy(logits, by_row) + F.cross_entropy(logits[:, :n].T, by_column)) / 2


def optimisers(model: open_clip.CLIP, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the transformers, AdamW for the rest (weight decay on matrices alone)."""
    inner, matrices, others = [], [], []
    for name, parameter in model.named_parameters():
        if "resblocks" in name and parameter.ndim == 2:
            inner.append(parameter)
        elif "embedding" not in name and parameter.ndim >= 2:
            matrices.append(parameter)
        else:
            others.append(parameter)
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [
        torch.optim.Muon(
            inner, lr=recipe.muon_lr, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), eps=1e-7, fused=True),
    ]


class Trainer:
    """A model, its optimisers and the step they are at."""

    def __init__(
        self, recipe: Recipe, config: dict[str, Any], world: World, tokenizer: Tokenizer, device: str
    ) -> None:
        """Start at step 0; `tokenizer` takes a list of texts to token ids `(n, 77)`."""
        self.recipe, self.world, self.tokenizer, self.device = recipe, world, tokenizer, device
        self.model = build(config, recipe.seed).to(device)
        self.optimisers = optimisers(self.model, recipe)
        self.full = [[float(group["lr"]) for group in o.param_groups] for o in self.optimisers]
        self.step = 0
        self.seconds = 0.0

    def advance(self) -> float:
        """Take one step and return its loss in nats."""
        start = time.perf_counter()
        first = self.recipe.first + self.step * self.recipe.batch
        pairs = [self.world.pair(index) for index in range(first, first + self.recipe.batch)]
        pictures = normalise(self.world.compose(pairs, self.device, self.recipe.size))
        texts = [pair.text for pair in pairs] + filler_texts(self.world, pairs, self.recipe.fillers, self.step)
        tokens = crop(self.tokenizer(texts)).to(self.device)
        loss = clip_loss(
            self.model.encode_image(pictures, normalize=True),
            encode_text(self.model, tokens),
            self.model.logit_scale.exp(),
            right_answers(pairs).to(self.device),
        )
        for optimiser, full in zip(self.optimisers, self.full, strict=True):
            optimiser.zero_grad(set_to_none=True)
            for group, lr in zip(optimiser.param_groups, full, strict=True):
                group["lr"] = lr * self.recipe.rate(self.step)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(max=math.log(100))
        self.step += 1
        self.seconds += time.perf_counter() - start
        return float(loss.detach())

    def begin(self, path: Path, same_patches: bool) -> None:
        """Start this stage where another ended: from the checkpoint that its `save` wrote.

        With the same patches weights and optimisers are taken as they are. Else the weights are rounded to
        float16, the patches refined, and the optimisers start afresh.
        """
        state = torch.load(path, map_location=self.device, weights_only=True)
        weights = state["model"]
        if not same_patches:
            weights = {name: tensor.half().float() for name, tensor in weights.items()}
            kernel = weights["visual.conv1.weight"]
            weights["visual.conv1.weight"] = finer_patches(kernel, self.recipe.patch)
        self.model.load_state_dict(weights)
        if same_patches:
            for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
                optimiser.load_state_dict(saved)

    def save(self, path: Path) -> None:
        """Write weights, optimiser states and step, so that `load` goes on exactly from here."""
        state = {
            "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def keep(self, folder: Path) -> None:
        """Write the weights as they are now (float16, safetensors), to be measured later."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            name: tensor.detach().cpu().half().contiguous() for name, tensor in self.model.state_dict().items()
        }
        save_file(weights, folder / f"{self.step:06d}.safetensors")

    def load(self, path: Path) -> None:
        """Go back to where `save` was called."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])


@dataclass(frozen=True)
class Curve:
    """The log of a run: a CSV with a row every so many steps."""

    path: Path
    columns = ("step", "pictures", "seconds", "loss", "logit_scale", "recall_at_1", "recall_at_10")

    def keep_until(self, step: int) -> None:
        """Drop rows past a step that is about to be taken again; start the file when there is none."""
        rows = [row for row in self.read() if int(row["step"]) <= step]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)

    def read(self) -> list[dict[str, str]]:
        """Every row so far."""
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def add(self, trainer: Trainer, loss: float, recalls: tuple[float, float] | None) -> None:
        """Write one row; `recalls` are R@1 and R@10 on the held-out style where they were measured."""
        scale = float(trainer.model.logit_scale.detach().exp())
        seen = trainer.recipe.first + trainer.step * trainer.recipe.batch
        shown = ("", "") if recalls is None else tuple(f"{value:.4f}" for value in recalls)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(
                [trainer.step, seen, f"{trainer.seconds:.0f}", f"{loss:.4f}", f"{scale:.2f}", *shown]
            )


def train(
    trainer: Trainer,
    folder: Path,
    measure: Callable[[open_clip.CLIP], tuple[float, float]],
    save_every: int = 100,
    measure_every: int = 200,
    keep: Sequence[int] = (),
) -> None:
    """Run the recipe to its end, resuming from `folder/checkpoint.pt` when it is there.

    Weights are kept in `folder/snapshots` at the steps of `keep`, step 0 being before the first.
    """
    checkpoint, curve = folder / "checkpoint.pt", Curve(folder / "curve.csv")
    folder.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        trainer.load(checkpoint)
    curve.keep_until(trainer.step)
    losses: list[float] = []
    if trainer.step == 0 and 0 in keep:
        trainer.keep(folder / SNAPSHOTS)
    while trainer.step < trainer.recipe.steps:
        losses.append(trainer.advance())
        last = trainer.step == trainer.recipe.steps
        recalls = measure(trainer.model) if trainer.step % measure_every == 0 or last else None
        if trainer.step % 25 == 0 or recalls is not None:
            curve.add(trainer, sum(losses) / len(losses), recalls)
            losses = []
        if trainer.step in keep:
            trainer.keep(folder / SNAPSHOTS)
        if trainer.step % save_every == 0 or last:
            trainer.save(checkpoint)
