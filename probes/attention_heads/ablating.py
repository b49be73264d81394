r"""Mean ablation: zero-shot accuracy as heads, MLPs and layers are switched off.

With parts p off, a picture's embedding becomes

    x' = unit( x - sum_p (t^p - mean over other pictures of t^p) )

where the other pictures are never those evaluated. `probes.backend.switched` is the same for every page; here the
terms of all pictures are at hand, so that many ways to switch off cost one pass through the tower.

Accuracy: share of pictures whose own label has the highest cosine, ties counting as wrong; interval: Wilson's;
change: paired over pictures, with a percentile-bootstrap interval and a two-tailed sign-flip p. The null is as
many heads by chance, `DRAWS` times.

Reference: Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916, sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes import evaluation
from probes.core.decomposition import Decomposition
from probes.core.model import Backend, Float32, Progress, no_progress
from probes.core.prompts import TEMPLATES, encode_prompts, ensemble
from probes.core.statistics import Interval, mean_estimate, sign_flip_p, wilson
from probes.core.switches import Switches

DRAWS = 50
"""Times as many heads are drawn by chance."""

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ablated:
    """A row of the table `ablated`: zero-shot accuracy with parts off.

    Attributes:
        off: the parts, as they are written; `nothing`, or `heads by chance`.
        heads, mlps: how many of them are off.
        accuracy, low, high: with its 95 % interval over pictures; of heads by chance the mean and the central 95 %
            of the draws.
        change, change_low, change_high, p: against everything on, paired over pictures; of heads by chance p is
            how often they cost at least as much as the heads that were chosen.
        n: pictures, or draws.
        chance: accuracy of guessing.
    """

    off: str
    heads: int
    mlps: int
    accuracy: float
    low: float
    high: float
    change: float
    change_low: float
    change_high: float
    p: float
    n: int
    chance: float


@dataclass(frozen=True)
class LayerStep:
    """A row of the table `layers`: zero-shot accuracy with the first layers' heads, or MLPs, off.

    Attributes:
        part: `heads` or `MLPs`.
        layers: so many layers from the first on are off.
        accuracy, low, high: with its 95 % interval over n pictures.
    """

    part: str
    layers: int
    accuracy: float
    low: float
    high: float
    n: int
    chance: float


@dataclass(frozen=True, eq=False)
class Labelled:
    """Pictures with labels, taken apart, and what they are held against.

    Attributes:
        taken: n pictures.
        labels: (n,), the place of each picture's own among `texts`.
        texts: (l, d), unit embeddings of all labels.
        usual: other pictures, over which what is off keeps its mean.
    """

    taken: Decomposition
    labels: NDArray[np.intp]
    texts: Float32
    usual: Decomposition

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / len(self.texts)

    def right(self, switches: Switches) -> Bools:
        """Whether each picture's own label comes first with parts off, (n,).

        Raises:
            ModelError: the tower has no such part.
        """
        return right(without(self.taken, self.usual, switches), self.texts, self.labels)


def evaluated(backend: Backend, usual: Decomposition, progress: Progress = no_progress) -> Labelled:
    """The scenes of one thing that are kept for evaluation, with the names of all things among them as labels.

    Args:
        backend: what takes them apart.
        usual: other pictures, taken apart by the same.
        progress: told the share that is done.
    """
    every = zip(evaluation.evaluated(), evaluation.pictures(), strict=True)
    chosen = [(one.thing, picture) for one, picture in every if one.thing]
    names, labels = np.unique([thing for thing, _ in chosen], return_inverse=True)
    texts = ensemble(encode_prompts(backend, names.tolist(), TEMPLATES))
    taken = backend.decompose([picture for _, picture in chosen], progress=progress)
    return Labelled(taken, labels.astype(np.intp), texts, usual)


def without(taken: Decomposition, usual: Decomposition, switches: Switches) -> Float32:
    """Unit embeddings (n, d) of pictures with parts off, each at its mean over other pictures.

    Raises:
        ModelError: the tower has no such part.
    """
    _, layers, heads, _ = taken.outputs.shape
    switches.check(layers, heads, taken.mlps.shape[1])
    left = taken.embedding.astype(np.float64)
    for layer, head in switches.off(heads):
        left -= _beyond(taken, usual, layer, head)
    for layer in sorted(switches.mlps):
        left -= taken.mlps[:, layer] - usual.mlps[:, layer].mean(axis=0, dtype=np.float64)
    return _unit(left)


def _beyond(taken: Decomposition, usual: Decomposition, layer: int, head: int) -> Float64:
    """What one head writes to each picture beyond its mean over the usual ones, (n, d)."""
    outputs = taken.outputs[:, layer, head] - usual.outputs[:, layer, head].mean(axis=0, dtype=np.float64)
    beyond: Float64 = outputs @ taken.writes[layer, head].astype(np.float64)
    return beyond


def _unit(rows: Float64) -> Float32:
    unit: Float32 = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def right(images: Float32, texts: Float32, labels: NDArray[np.intp]) -> Bools:
    """Whether each picture's own label has the highest cosine, alone, (n,)."""
    cosines = images @ texts.T
    own = np.take_along_axis(cosines, labels[:, None], axis=1)
    found: Bools = (cosines >= own).sum(axis=1) == 1
    return found


def ablate(pictures: Labelled, switches: Switches, seed: int) -> tuple[Ablated, ...]:
    """Accuracy with everything on, with parts off, and with as many heads by chance off.

    Raises:
        ModelError: the tower has no such part.
    """
    before = right(pictures.taken.embedding, pictures.texts, pictures.labels)
    after = pictures.right(switches)
    count = len(switches.off(pictures.taken.outputs.shape[2]))
    rows = [_row("nothing", 0, 0, before, before, pictures.chance, seed)]
    rows.append(_row(str(switches), count, len(switches.mlps), before, after, pictures.chance, seed))
    if count:
        rows.append(_by_chance(pictures, switches, count, before, float(after.mean()), seed))
    return tuple(rows)


def _row(off: str, heads: int, mlps: int, before: Bools, after: Bools, chance: float, seed: int) -> Ablated:
    low, high = _interval(after)
    differences = after.astype(np.float64) - before
    change = mean_estimate(differences, "pictures", seed)
    p = sign_flip_p(differences, seed) if differences.any() else 1.0
    ends = change.interval or Interval(change.value, change.value)
    return Ablated(
        off, heads, mlps, float(after.mean()), low, high, change.value, ends.low, ends.high, p, len(after), chance
    )


def _interval(hits: Bools) -> tuple[float, float]:
    found = wilson(int(hits.sum()), len(hits))
    return found.low, found.high


def _by_chance(
    pictures: Labelled, switches: Switches, count: int, before: Bools, chosen: float, seed: int
) -> Ablated:
    """As many heads by chance, the same MLPs off."""
    _, layers, heads, _ = pictures.taken.outputs.shape
    rng = np.random.default_rng([seed, 31])
    found = np.zeros(DRAWS)
    for draw in range(DRAWS):
        places = rng.choice(layers * heads, size=count, replace=False)
        drawn = Switches(frozenset((int(p) // heads, int(p) % heads) for p in places), mlps=switches.mlps)
        found[draw] = pictures.right(drawn).mean()
    low, high = np.quantile(found, [0.025, 0.975])
    whole = float(before.mean())
    p = (1 + np.count_nonzero(found <= chosen)) / (1 + DRAWS)
    return Ablated(
        "heads by chance", count, len(switches.mlps), float(found.mean()), float(low), float(high),
        float(found.mean()) - whole, float(low) - whole, float(high) - whole, float(p), DRAWS, pictures.chance,
    )  # fmt: skip


def layer_by_layer(pictures: Labelled) -> tuple[LayerStep, ...]:
    """Accuracy as the heads of more and more layers, from the first on, are off; then the same of MLPs."""
    taken = pictures.taken
    _, layers, heads, _ = taken.outputs.shape
    parts: Sequence[tuple[str, int]] = (("heads", layers), ("MLPs", taken.mlps.shape[1]))
    steps = []
    for part, count in parts:
        left = taken.embedding.astype(np.float64)
        for done in range(count + 1):
            if done and part == "heads":
                for head in range(heads):
                    left -= _beyond(taken, pictures.usual, done - 1, head)
            elif done:
                usual = pictures.usual.mlps[:, done - 1].mean(axis=0, dtype=np.float64)
                left -= taken.mlps[:, done - 1] - usual
            hits = right(_unit(left), pictures.texts, pictures.labels)
            steps.append(LayerStep(part, done, float(hits.mean()), *_interval(hits), len(hits), pictures.chance))
    return tuple(steps)
