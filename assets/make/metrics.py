"""The numbers on the model card: what is found in drawings of the held-out style, with intervals.

Every metric is k successes of n trials with the 95 % Wilson interval (Wilson 1927,
doi:10.1080/01621459.1927.10502953). Scenes are a function of the world's seed alone, and the same for both models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import open_clip
import torch

from assets.make.evaluate import Questions, Tokenizer, embed_labels, embed_pictures, questions, ranks
from assets.world.captions import ZERO_SHOT, fill
from assets.world.pairs import World
from assets.world.scene import GROUNDS, TEXTURES, TINTS, Scene
from assets.world.stock import stand
from probes.core.statistics import wilson

OTHERS = 8  # labels that a scene of two is asked about besides its own two
DUOS = 1000  # scenes of two that are drawn; those with a skin tone, and those of two of a kind, are left out
EVERY_GROUND = (*GROUNDS, *TEXTURES)
NAMED_COLOUR = ("a {tint} {label}",)
SOME_COLOUR = ("something {tint}", "a {tint} thing", "a {tint} object")
NAMED_GROUND = ("a {label} on a {ground} background",)
SOME_GROUND = ("{ground} background", "a {ground} background", "a picture on {ground}")


@dataclass(frozen=True)
class Metric:
    """One share: what it is of, k of n, its 95 % Wilson interval, and what chance and the aim were, if any."""

    name: str
    what: str
    k: int
    n: int
    value: float
    low: float
    high: float
    chance: float | None = None
    target: float | None = None


def metric(
    name: str, what: str, hits: torch.Tensor, chance: float | None = None, target: float | None = None
) -> Metric:
    """The share of True in `hits (n,)`."""
    k, n = int(hits.sum()), len(hits)
    interval = wilson(k, n)
    low, high = (round(float(end), 4) for end in (interval.low, interval.high))
    shown = None if chance is None else float(f"{chance:.2g}")
    return Metric(name, what, k, n, round(k / n, 4), low, high, shown, target)


def measure(model: open_clip.CLIP, tokenizer: Tokenizer, world: World, held_out: World) -> list[Metric]:
    """Every metric of the card; `world` has the trained drawings and `held_out` those that were never shown."""
    asked = questions(held_out.sheet, world.emoji, world.hexcodes)
    return [
        *of_labels(model, tokenizer, world, asked),
        *of_attributes(model, tokenizer, held_out, asked),
        *of_two(model, tokenizer, held_out, asked),
    ]


def places(
    model: open_clip.CLIP, tokenizer: Tokenizer, asked: Questions, templates: Sequence[str] = ZERO_SHOT
) -> torch.Tensor:
    """How many other labels come before the right one, `(n,)`."""
    texts = embed_labels(model, tokenizer, [emoji.phrase for emoji in asked.emoji], templates)
    return ranks(embed_pictures(model, asked.pictures), texts)


def of_labels(model: open_clip.CLIP, tokenizer: Tokenizer, world: World, asked: Questions) -> list[Metric]:
    """Retrieval of labels: of all, by template, by group of emoji, and in one style that was trained on."""
    rank, count = places(model, tokenizer, asked), len(asked.emoji)
    base = f"of {count} labels, held-out style"
    aims = {1: 0.35, 5: None, 10: 0.7}
    found = [
        metric(
            f"R@{k}",
            f"own label {'first' if k == 1 else f'among the first {k}'} {base}, templates averaged",
            rank < k, k / count, aim,
        )
        for k, aim in aims.items()
    ]  # fmt: skip
    for template in ZERO_SHOT:
        alone = places(model, tokenizer, asked, (template,))
        found.append(metric(f"R@1, “{template}”", f"own label first {base}, this template alone", alone < 1))
    for group in dict.fromkeys(emoji.group for emoji in asked.emoji):
        inside = torch.tensor([emoji.group == group for emoji in asked.emoji])
        found.append(metric(f"R@1, {group}", f"pictures of this group, own label first {base}", rank[inside] < 1))
    seen = questions(world.sheet.only("noto"), world.emoji, [emoji.hexcode for emoji in asked.emoji])
    what = f"own label first of {len(seen.emoji)} labels, drawings of a style it was trained on (noto)"
    return [*found, metric("R@1, a trained style", what, places(model, tokenizer, seen) < 1)]


def of_attributes(model: open_clip.CLIP, tokenizer: Tokenizer, held_out: World, asked: Questions) -> list[Metric]:
    """Whether the colour of a thing and the ground it stands on are told, asked with its label and without."""
    labels = [emoji.phrase for emoji in asked.emoji]
    found = []
    for kind, values, named, some in (
        ("tint", tuple(TINTS), NAMED_COLOUR, SOME_COLOUR),
        ("ground", EVERY_GROUND, NAMED_GROUND, SOME_GROUND),
    ):
        right = torch.arange(len(labels)) % len(values)
        scenes = [
            single(held_out, e.hexcode, k, **{kind: values[k % len(values)]}) for k, e in enumerate(asked.emoji)
        ]
        pictures = embed_pictures(model, held_out.draw(scenes))
        with_label = texts_of(model, tokenizer, named, kind, values, labels)
        without = texts_of(model, tokenizer, some, kind, values, ("",))
        word = "colour" if kind == "tint" else "ground"
        shown = f"one thing in one of {len(values)} colours on any ground" if kind == "tint" else (
            f"one thing on one of {len(values)} grounds")  # fmt: skip
        for name, how, texts, aim in (
            (word, f"asked as “{named[0]}”", with_label, 0.9),
            (f"{word} alone", f"asked as “{some[0]}”", without, None),
        ):
            best = torch.einsum("nd,nvd->nv", pictures, texts.expand(len(labels), -1, -1)).argmax(1)
            what = f"{shown}, held-out style; its {word} first of {len(values)}, {how}"
            found.append(metric(name, what, best == right, 1 / len(values), aim))
    return found


def single(held_out: World, code: str, number: int, tint: str | None = None, ground: str | None = None) -> Scene:
    """One thing, large, in a colour or in its own, on a ground; a function of the seed and the number."""
    rng = np.random.default_rng([held_out.seed, 5, number])
    return stand(rng, [held_out.thing(rng, code, (0.55, 0.9), tint=tint)], ground)


def texts_of(
    model: open_clip.CLIP,
    tokenizer: Tokenizer,
    templates: Sequence[str],
    kind: str,
    values: Sequence[str],
    labels: Sequence[str],
) -> torch.Tensor:
    """Unit embeddings `(labels, values, d)`, averaged over templates that say a value and perhaps a label."""
    rows = []
    for value in values:
        filled = [template.replace(f"a {{{kind}}}", fill("a {}", value)).replace(f"{{{kind}}}", value)
                  for template in templates]  # fmt: skip
        rows.append(embed_labels(model, tokenizer, labels, [one.replace("{label}", "{}") for one in filled]))
    return torch.stack(rows, 1)


def of_two(model: open_clip.CLIP, tokenizer: Tokenizer, held_out: World, asked: Questions) -> list[Metric]:
    """Scenes of two drawings: whether both labels are found, among all labels and ahead of a few others."""
    place = {emoji.hexcode: k for k, emoji in enumerate(asked.emoji)}
    pairs = [pair for pair in map(held_out.duo, range(DUOS)) if len(set(pair.key.split(" ")) & set(place)) == 2]
    own = torch.tensor([[place[code] for code in pair.key.split(" ")] for pair in pairs])
    texts = embed_labels(model, tokenizer, [emoji.phrase for emoji in asked.emoji], ZERO_SHOT)
    pictures = torch.cat([
        embed_pictures(model, held_out.compose(pairs[k : k + 250])) for k in range(0, len(pairs), 250)
    ])  # fmt: skip
    cosine = pictures @ texts.T
    last = cosine.gather(1, own).amin(1, keepdim=True)
    count = len(asked.emoji)
    lottery = torch.rand(cosine.shape, generator=torch.Generator().manual_seed(0)).scatter(1, own, -1.0)
    others = cosine.gather(1, lottery.topk(OTHERS, dim=1).indices).amax(1, keepdim=True)
    top = f"both labels among the first 5 of {count}, held-out style"
    ahead = f"both labels ahead of {OTHERS} others drawn at random, held-out style"
    return [
        metric("scenes of two, top 5", top, (cosine > last).sum(1) < 5, 20 / (count * (count - 1)), 0.6),
        metric("scenes of two", ahead, (last > others).squeeze(1), 2 / ((OTHERS + 2) * (OTHERS + 1))),
    ]
