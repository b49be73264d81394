r"""`python -m probes.misfit_words`: how often the word of a caption that is wrong is told, where it is known.

Scenes of the made-up world show one thing in one colour on one ground, in the drawing style no model was trained
on. Their captions, "a photo of a red dog on a snow background", say one of the three wrong: the colour, the thing
or the ground, in turn. Four scores of the same three words are compared, low for a word that does not fit:

- `contribution`: what the word adds to the similarity (`probes.attention_heads.words`);
- `score`: the same held against `--others` other pictures;
- `left out`: by how much the similarity falls as the word is left out of the caption, the plain baseline;
- `left out, score`: that, held against the same other pictures.

Told are how often the wrong word is the lowest of the three (chance: 1/3), and the AUC of right words over wrong
ones, over all words and with words of one kind alone. Intervals: Wilson, and bootstraps over captions. `called` is
how often the page calls a wrong and a right word a misfit, or one that fits.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from assets.world.captions import fill
from assets.world.plan import ANIMALS, BOUND, CIRCLED, ORDERED, WORDS
from assets.world.scene import GROUNDS, TEXTURES, TINTS, Scene
from assets.world.stock import pick, stand
from probes.attention_heads.words import cut, weigh
from probes.core.model import Backend
from probes.core.pictures import Picture
from probes.core.resampling import bootstrap_weights, ends
from probes.core.statistics import Estimate, Interval, wilson
from probes.stage import Stage, open_stage, stream
from probes.usual_pictures import usual_pictures

KINDS = ("colour", "thing", "ground")
MODELS = ("bundled:skewed", "bundled:balanced")
RESAMPLES = 999
Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Captioned:
    """A picture with a caption one word of which is wrong.

    Attributes:
        picture: of a thing on a ground.
        caption: what is said of it.
        words: the colour, the thing and the ground that are said.
        places: of these among the words of the caption.
        wrong: which of the three is wrong.
    """

    picture: Picture
    caption: str
    words: tuple[str, ...]
    places: tuple[int, ...]
    wrong: int


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of n captions.

    Attributes:
        wrong: (n, 3), which word is wrong.
        scores: by name, (n, 3) each; low for a word that does not fit.
        misfit, fits: (n, 3), which words the page calls so.
    """

    wrong: Bools
    scores: dict[str, Float64]
    misfit: Bools
    fits: Bools


def captioned(count: int, seed: int) -> list[Captioned]:
    """Pictures with captions; every number deals its own."""
    stage = open_stage("held-out")
    dealt = [_dealt(stage, seed, number) for number in range(count)]
    pictures = stage.pictures([scene for scene, _ in dealt], "misfit")
    found = []
    for number, (picture, (_, shown)) in enumerate(zip(pictures, dealt, strict=True)):
        wrong = number % len(KINDS)
        options = [one for one in _options(stage)[wrong] if one not in shown]
        said = list(shown)
        said[wrong] = pick(stream(seed, 91, number), options)
        first = fill("a photo of a {}", said[0])
        caption = f"{first} {said[1]} {fill('on a {} background', said[2])}"
        place = len(first.split()) - 1
        found.append(Captioned(picture, caption, tuple(said), (place, place + 1, place + 4), wrong))
    return found


def _options(stage: Stage) -> tuple[list[str], list[str], list[str]]:
    """Colours, things and grounds of one word."""
    world = stage.world
    listed = [*(name for names in ANIMALS.values() for name in names), *WORDS, *ORDERED, *CIRCLED, *BOUND]
    things = [name for name in listed if name.isalpha() and name in world.by_label]
    return list(TINTS), things, [name for name in (*GROUNDS, *TEXTURES) if name.isalpha()]


def _dealt(stage: Stage, seed: int, number: int) -> tuple[Scene, tuple[str, ...]]:
    """A scene and its colour, thing and ground, which are three words."""
    rng = stream(seed, 90, number)
    colours, things, grounds = _options(stage)
    colour, thing = pick(rng, colours), pick(rng, things)
    ground = pick(rng, [name for name in grounds if name != colour])
    code = stage.world.by_label[thing]
    return stand(rng, [stage.world.thing(rng, code, (0.5, 0.95), tint=colour)], ground), (colour, thing, ground)


def measure(backend: Backend, asked: Sequence[Captioned], others: Sequence[Picture], seed: int) -> Measured:
    """The scores of the three words of every caption."""
    names = ("contribution", "score", "left out", "left out, score")
    scores = {name: np.zeros((len(asked), len(KINDS))) for name in names}
    misfit, fits = np.zeros((2, len(asked), len(KINDS)), bool)
    usual = backend.encode_images(others).astype(np.float64)
    for number, one in enumerate(tqdm(asked, desc=backend.card.spec, leave=False)):
        words = cut(backend, one.caption)
        rows, _ = weigh(backend, one.picture, one.caption, words, others, seed)
        chosen = [rows[place] for place in one.places]
        scores["contribution"][number] = [row.contribution for row in chosen]
        scores["score"][number] = [row.score for row in chosen]
        fallen = -np.array([row.without for row in chosen], np.float64)
        elsewhere = _falls(backend, one, usual)
        scores["left out"][number] = fallen
        scores["left out, score"][number] = (fallen - elsewhere.mean(axis=0)) / elsewhere.std(axis=0, ddof=1)
        misfit[number], fits[number] = [row.misfit for row in chosen], [row.fits for row in chosen]
    wrong = np.array([one.wrong for one in asked])[:, None] == np.arange(len(KINDS))
    return Measured(wrong, scores, misfit, fits)


def _falls(backend: Backend, one: Captioned, usual: Float64) -> Float64:
    """By how much the similarity with other pictures falls as each word is left out, (n, 3)."""
    written = one.caption.split()
    texts = [" ".join(written[:place] + written[place + 1 :]) for place in one.places]
    cosine = usual @ backend.encode_texts([one.caption, *texts]).astype(np.float64).T
    falls: Float64 = cosine[:, :1] - cosine[:, 1:]
    return falls


def lowest(measured: Measured, name: str) -> Estimate:
    """How often the wrong word is the lowest of the three."""
    scores = measured.scores[name]
    hit = int(measured.wrong[np.arange(len(scores)), scores.argmin(axis=1)].sum())
    return Estimate(hit / len(scores), len(scores), "captions", wilson(hit, len(scores)))


def auc(measured: Measured, name: str, kind: int | None = None, seed: int = 0) -> Estimate:
    """AUC of right words over wrong ones; captions are resampled, with all their words."""
    columns = slice(None) if kind is None else slice(kind, kind + 1)
    right, scores = ~measured.wrong[:, columns], measured.scores[name][:, columns]
    n, words = scores.shape
    # pairs of a right and a wrong word, counted as often as both are drawn: all resamples in one product
    one, other = np.flatnonzero(right), np.flatnonzero(~right)
    gap = scores.ravel()[one][:, None] - scores.ravel()[other]
    won = (gap > 0) + 0.5 * (gap == 0)
    drawn = np.concatenate([np.ones((1, n)), *bootstrap_weights(n, RESAMPLES, seed)])
    of_right, of_wrong = drawn[:, one // words], drawn[:, other // words]
    pairs = of_right.sum(axis=1) * of_wrong.sum(axis=1)
    wins = ((of_right @ won) * of_wrong).sum(axis=1)
    values = wins[pairs > 0] / pairs[pairs > 0]
    low, high = ends(values[1:])
    return Estimate(float(values[0]), n, "captions", Interval(float(low), float(high)))


def called(measured: Measured, chosen: Bools) -> tuple[Estimate, Estimate]:
    """Share of wrong and of right words that are called so; words of one caption are counted singly."""

    def share(which: Bools) -> Estimate:
        hit, n = int(chosen[which].sum()), int(which.sum())
        return Estimate(hit / n, n, "words", wilson(hit, n))

    return share(measured.wrong), share(~measured.wrong)


def told(measured: Measured) -> list[str]:
    """The answer, line by line."""
    lines = []
    for name in measured.scores:
        lines.append(f"  {name:<16} lowest {lowest(measured, name).describe('.3f')}")
        lines.append(f"  {'':<16} AUC    {auc(measured, name).describe('.3f')}")
        for k, kind in enumerate(KINDS):
            lines.append(f"  {'':<16} AUC of {kind}s alone {auc(measured, name, k).describe('.3f')}")
    for name, chosen in (("misfit", measured.misfit), ("fits", measured.fits)):
        wrong, right = called(measured, chosen)
        lines.append(f"  called {name:<9} wrong words {wrong.describe('.3f')}")
        lines.append(f"  {'':<16} right words {right.describe('.3f')}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m probes.misfit_words", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, help="(default: %(default)s)")
    parser.add_argument("--captions", type=int, default=120)
    parser.add_argument("--others", type=int, default=256, help="other pictures (default: all 256)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    from probes.backend import load

    asked = captioned(chosen.captions, chosen.seed)
    others = usual_pictures()[: chosen.others]
    for spec in chosen.models:
        measured = measure(load(spec), asked, others, chosen.seed)
        print(f"{spec}: {chosen.captions} captions, {len(others)} other pictures, seed {chosen.seed}")
        print("\n".join(told(measured)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
