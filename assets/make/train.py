"""Training: the CLIP loss over the pairs of the world, exactly resumable.

Step s sees pairs s*batch .. (s+1)*batch-1 and nothing random happens besides, so the weights after N pictures
are a function of the recipe, the device and the library versions alone; stopping and resuming changes nothing.

Loss: with unit embeddings u (pictures) and v (texts), logits L = scale * u v^T, and targets T with T_ij = 1 /
(number of captions in the batch about the emoji of pair i) where pair j is about that emoji and 0 elsewhere,
the mean of the cross-entropies of the rows of L and of the rows of L^T with T. Matrices inside the
transformers are moved by Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/), all else by
AdamW. The learning rate warms up, stays, and falls linearly to zero over the last part of the run.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
import torch.nn.functional as F

from assets.make.network import build, crop, encode_text, normalise
from assets.make.scenes import World

Tokenizer = Callable[[list[str]], torch.Tensor]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights: how many pictures, in what batches, how fast, from which seed.

    `lr` is AdamW's; `muon_lr` Muon's (RMS-matched to AdamW's); `decay` the last share of the run over which
    both fall.
    """

    pictures: int = 336_000
    batch: int = 128
    lr: float = 2e-3
    muon_lr: float = 3e-3
    weight_decay: float = 0.05
    warm_up: int = 100
    decay: float = 0.3
    seed: int = 0

    @property
    def steps(self) -> int:
        """The number of whole batches."""
        return self.pictures // self.batch

    def rate(self, step: int) -> float:
        """The share of the full learning rate at a step."""
        rise = (step + 1) / max(1, self.warm_up)
        fall = (self.steps - step) / max(1.0, self.decay * self.steps)
        return min(1.0, rise, fall)


def soft_targets(keys: Sequence[str]) -> torch.Tensor:
    """`(n, n)`: row i spreads one evenly over the pairs that show the same as pair i."""
    number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    ids = torch.tensor([number[key] for key in keys])
    same = (ids[:, None] == ids[None, :]).float()
    return same / same.sum(1, keepdim=True)


def clip_loss(
    pictures: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """The symmetric cross-entropy (scalar) of unit rows `(n, d)` and `(n, d)` with targets `(n, n)`."""
    logits = scale * pictures @ texts.T
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2


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
        first = self.step * self.recipe.batch
        pairs = [self.world.pair(index) for index in range(first, first + self.recipe.batch)]
        pictures = normalise(self.world.compose(pairs, self.device))
        tokens = crop(self.tokenizer([pair.caption.text for pair in pairs])).to(self.device)
        loss = clip_loss(
            self.model.encode_image(pictures, normalize=True),
            encode_text(self.model, tokens),
            self.model.logit_scale.exp(),
            soft_targets([pair.key for pair in pairs]).to(self.device),
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
        seen = trainer.step * trainer.recipe.batch
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
    measure_every: int = 300,
) -> None:
    """Run the recipe to its end, resuming from `folder/checkpoint.pt` when it is there."""
    checkpoint, curve = folder / "checkpoint.pt", Curve(folder / "curve.csv")
    folder.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        trainer.load(checkpoint)
    curve.keep_until(trainer.step)
    losses: list[float] = []
    while trainer.step < trainer.recipe.steps:
        losses.append(trainer.advance())
        last = trainer.step == trainer.recipe.steps
        recalls = measure(trainer.model) if trainer.step % measure_every == 0 or last else None
        if trainer.step % 25 == 0 or recalls is not None:
            curve.add(trainer, sum(losses) / len(losses), recalls)
            losses = []
        if trainer.step % save_every == 0 or last:
            trainer.save(checkpoint)
