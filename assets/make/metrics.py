"""The numbers on the model card: how often the label of an unseen drawing is found, with intervals.

Every metric is k successes of n trials with the 95 % Wilson interval (Wilson 1927,
doi:10.1080/01621459.1927.10502953).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import open_clip
import torch
from scipy.stats import binomtest

from assets.make.captions import ZERO_SHOT
from assets.make.evaluate import Questions, Tokenizer, embed_labels, embed_pictures, questions, ranks
from assets.make.render import Sheet
from assets.make.scenes import World

OTHERS = 8  # labels that a scene of two is asked about besides its own two


@dataclass(frozen=True)
class Metric:
    """One share: what it is of, k of n, and its 95 % Wilson interval."""

    name: str
    what: str
    k: int
    n: int
    value: float
    low: float
    high: float


def metric(name: str, what: str, hits: torch.Tensor) -> Metric:
    """The share of True in `hits (n,)`."""
    k, n = int(hits.sum()), len(hits)
    interval = binomtest(k, n).proportion_ci(confidence_level=0.95, method="wilson")
    return Metric(name, what, k, n, round(k / n, 4), round(float(interval.low), 4), round(float(interval.high), 4))


def places(
    model: open_clip.CLIP, tokenizer: Tokenizer, asked: Questions, templates: Sequence[str]
) -> torch.Tensor:
    """How many other labels come before the right one, `(n,)`."""
    texts = embed_labels(model, tokenizer, [emoji.phrase for emoji in asked.emoji], templates)
    return ranks(embed_pictures(model, asked.pictures), texts)


def measure(model: open_clip.CLIP, tokenizer: Tokenizer, world: World, held_out: Sheet) -> list[Metric]:
    """Every metric of the card: the held-out style, templates apart, groups of emoji apart, and one seen style."""
    asked = questions(held_out, world.emoji, world.hexcodes)
    rank = places(model, tokenizer, asked, ZERO_SHOT)
    base = f"of {len(asked.emoji)} labels, held-out style"
    found = [
        metric(
            f"R@{k}",
            f"own label {'first' if k == 1 else f'among the first {k}'} {base}, templates averaged",
            rank < k,
        )
        for k in (1, 5, 10)
    ]
    for template in ZERO_SHOT:
        alone = places(model, tokenizer, asked, (template,))
        found.append(metric(f"R@1, “{template}”", f"own label first {base}, this template alone", alone < 1))
    for group in dict.fromkeys(emoji.group for emoji in asked.emoji):
        inside = torch.tensor([emoji.group == group for emoji in asked.emoji])
        found.append(metric(f"R@1, {group}", f"pictures of this group, own label first {base}", rank[inside] < 1))
    seen = questions(only(world.sheet, "noto"), world.emoji, [emoji.hexcode for emoji in asked.emoji])
    seen_rank = places(model, tokenizer, seen, ZERO_SHOT)
    what = f"own label first of {len(seen.emoji)} labels, drawings of a style it was trained on (noto)"
    found.append(metric("R@1, a trained style", what, seen_rank < 1))
    hits = duo_hits(model, tokenizer, World(held_out, world.emoji, world.seed), asked)
    what = f"both labels ahead of {OTHERS} others drawn at random, held-out style; chance is 1 in 45"
    return [*found, metric("scenes of two", what, hits)]


def duo_hits(
    model: open_clip.CLIP, tokenizer: Tokenizer, world: World, asked: Questions, count: int = 1000
) -> torch.Tensor:
    """For scenes of two drawings: whether both labels come before `OTHERS` random other labels, `(n,)` bool."""
    place = {emoji.hexcode: k for k, emoji in enumerate(asked.emoji)}
    scenes = [world.duo(index) for index in range(count)]
    rows = [(pair, place.get(pair.hexcode), place.get(pair.second.hexcode)) for pair in scenes if pair.second]
    known = [(pair, a, b) for pair, a, b in rows if a is not None and b is not None and a != b]
    texts = embed_labels(model, tokenizer, [emoji.phrase for emoji in asked.emoji], ZERO_SHOT)
    cosine = embed_pictures(model, world.compose([pair for pair, _, _ in known])) @ texts.T
    own = torch.tensor([[a, b] for _, a, b in known])
    lottery = torch.rand(cosine.shape, generator=torch.Generator().manual_seed(world.seed)).scatter(1, own, -1.0)
    others = lottery.topk(OTHERS, dim=1).indices
    return cosine.gather(1, own).amin(1) > cosine.gather(1, others).amax(1)


def only(sheet: Sheet, style: str) -> Sheet:
    """The drawings of one style."""
    rows = [row for row, name in enumerate(sheet.style) if name == style]
    columns = (tuple(column[row] for row in rows) for column in (sheet.hexcode, sheet.style, sheet.name))
    return Sheet(sheet.pixels[rows], *columns)
