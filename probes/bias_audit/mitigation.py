r"""Five ways to reduce a measured association, before and after, with what each costs.

Symbols: x unit pictures (n, d), y unit texts, G groups, mu_g the mean picture of a group. Methods are fitted on
half of the pictures and half of the words and judged on the other half of the pictures: on the words they were
fitted on, and on words they never saw.

- `projection`: texts (or both) lose the span of the differences between the groups' mean pictures, G - 1
  directions.
- `projection_of_texts`: the same with the differences between the groups' own texts. Where texts and pictures of
  a group do not differ in the same direction, this can raise an association: words that leaned both ways lose
  one.
- `dimension_removal`, after FairPIVARA (Moreira 2024): the tenth of the dimensions that raises the association on
  the fitted words most is set to zero. Theirs searches sets of dimensions; here they are ranked by their own
  contribution.
- `closed_form`, in the manner of FairerCLIP (Dehdashtian 2024): with linear kernels, the directions in which
  dependence on the group (HSIC) outweighs dependence on the model's own zero-shot labels and the pictures'
  variance, the eigenvectors of A_labels + A_pictures - A_groups (each of trace one) with negative eigenvalues,
  are projected out. Theirs trains encoders in a space of random features, alternating between pictures and
  texts; this is its linear case, once.
- `neutral_only`, after the idea of SANER (Hirota 2025) without its training: `projection` of the texts that do
  not name a group; those that do stay as they are.

association = mean over words of (largest - smallest group mean of the cosine) / std of the cosine over pictures.
The division makes it blind to a mere shrinking of all cosines. A range is never negative, so its mean with labels
swapped, `chance`, stands beside it, and its interval is the basic bootstrap's: resamples overstate a range.
Changed embeddings are brought back to unit length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from probes.bias_audit.audited import Codes, Grouping
from probes.core.model import Float32
from probes.core.resampling import ends, stratified_weights, swapped

Float64 = NDArray[np.float64]

METHODS = ("projection", "projection_of_texts", "dimension_removal", "closed_form", "neutral_only")
TEXTS, BOTH = "texts", "both"
REMOVED = 0.1
"""Share of the dimensions that `dimension_removal` sets to zero, as in the paper's 54 of 512."""
RESAMPLES, SWAPS = 399, 199


@dataclass(frozen=True)
class MitigationRow:
    """A row of the table `mitigation`: a method judged on one half of the words and on fresh pictures.

    Attributes:
        changed: `texts` or `both`.
        words: `fitted` or `held out`; `n_words` how many.
        before, after: association in standard deviations, with 95 % intervals over pictures, and the least and
            most of it with one template alone.
        chance_before, chance_after: the same with labels swapped, mean.
        accuracy_before, accuracy_after: zero-shot accuracy of the task; None without one.
        accuracy_change_low, accuracy_change_high: 95 % interval of the paired change over pictures.
        naming_before, naming_after: accuracy of naming the group itself.
        n: pictures it was judged on.
    """

    method: str
    changed: str
    words: str
    n_words: int
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    before_least: float
    before_most: float
    after_least: float
    after_most: float
    chance_before: float
    chance_after: float
    accuracy_before: float | None
    accuracy_after: float | None
    accuracy_change_low: float | None
    accuracy_change_high: float | None
    naming_before: float
    naming_after: float
    n: int


@dataclass(frozen=True, eq=False)
class Space:
    """All embeddings that a method may change, and that it is judged by.

    Attributes:
        images: (n, d).
        words: (t, l, d).
        groups: (t, G, d), what the groups are called.
        task: (t, c, d), or None.
    """

    images: Float64
    words: Float64
    groups: Float64
    task: Float64 | None


def halves(codes: Codes, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of two halves, every group halved by chance."""
    rng = np.random.default_rng([seed, 11])
    first: list[int] = []
    for group in range(int(codes.max()) + 1):
        places = rng.permutation(np.flatnonzero(codes == group))
        first += places[: len(places) // 2].tolist()
    chosen = np.sort(np.array(first, dtype=np.intp))
    return chosen, np.setdiff1d(np.arange(len(codes)), chosen)


def attribute_directions(means: Float64) -> Float64:
    """Orthonormal basis (d, at most G - 1) of the differences between the groups' means (G, d)."""
    return np.asarray(scipy.linalg.orth((means[1:] - means[0]).T))


def group_means(images: Float64, codes: Codes) -> Float64:
    """Mean picture of each group, (G, d)."""
    return np.stack([images[codes == g].mean(axis=0) for g in range(int(codes.max()) + 1)])


def without(embeddings: Float64, directions: Float64) -> Float64:
    """Embeddings (..., d) with the span of orthonormal directions (d, r) projected out, at unit length."""
    return _unit(embeddings - (embeddings @ directions) @ directions.T)


def _unit(embeddings: Float64) -> Float64:
    lengths = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    return np.asarray(embeddings / np.maximum(lengths, 1e-12))


def biased_dimensions(images: Float64, codes: Codes, words: Float64, share: float = REMOVED) -> NDArray[np.intp]:
    """The dimensions that add most to the association on some words (l, d), at most a share of all.

    A word's gap between its nearest and its farthest group is a sum over dimensions of
    (mu_near - mu_far)_j y_j; dimensions are ranked by the mean of their part over words.
    """
    means = group_means(images, codes)
    near, far = (words @ means.T).argmax(axis=1), (words @ means.T).argmin(axis=1)
    part = ((means[near] - means[far]) * words).mean(axis=0)
    order = np.argsort(-part, kind="stable")[: max(1, round(share * images.shape[1]))]
    return np.asarray(order[part[order] > 0])


def dependent_directions(images: Float64, codes: Codes, labels: NDArray[np.intp]) -> Float64:
    """Directions (d, r) in which pictures depend on the group more than on labels and variance."""
    centred = images - images.mean(axis=0)
    both = []
    for one in (labels, codes):
        sums = np.stack([centred[one == value].sum(axis=0) for value in np.unique(one)], axis=1)
        both.append(sums @ sums.T)
    variance = centred.T @ centred
    kept = both[0] / max(np.trace(both[0]), 1e-12) + variance / max(np.trace(variance), 1e-12)
    values, vectors = scipy.linalg.eigh(kept - both[1] / max(np.trace(both[1]), 1e-12))
    return np.asarray(vectors[:, values < -1e-9])


def changed_space(
    method: str,
    space: Space,
    fit_images: NDArray[np.intp],
    fit_words: NDArray[np.intp],
    codes: Codes,
    changed: str,
) -> Space:
    """The embeddings as a method leaves them.

    Raises:
        ValueError: there is no such method.
    """
    if method == "dimension_removal":
        mean = space.words[:, fit_words].mean(axis=0)
        gone = biased_dimensions(space.images[fit_images], codes[fit_images], mean)
        directions = np.eye(space.images.shape[1])[:, gone]
    elif method == "closed_form":
        classes = (space.words[:, fit_words] if space.task is None else space.task).mean(axis=0)
        labels = (space.images[fit_images] @ classes.T).argmax(axis=1)
        directions = dependent_directions(space.images[fit_images], codes[fit_images], labels)
    elif method in ("projection", "neutral_only"):
        directions = attribute_directions(group_means(space.images[fit_images], codes[fit_images]))
    elif method == "projection_of_texts":
        directions = attribute_directions(space.groups.mean(axis=0))
    else:
        raise ValueError(f"there is no method '{method}'; there are {', '.join(METHODS)}")
    texts = [space.words, space.task]
    words, task = (None if text is None else without(text, directions) for text in texts)
    return Space(
        images=without(space.images, directions) if changed == BOTH and method != "neutral_only" else space.images,
        words=space.words if words is None else words,
        groups=space.groups if method == "neutral_only" else without(space.groups, directions),
        task=task,
    )


def association(scores: Float64, codes: Codes, weights: NDArray[np.floating] | None = None) -> Float64:
    """Association (...,) of scores (m, l) for every row of weights (..., m); of all pictures alike without."""
    given = np.ones((1, len(codes))) if weights is None else weights
    places = [np.flatnonzero(codes == g) for g in range(int(codes.max()) + 1)]
    means = np.stack([given[:, own] @ scores[own] / len(own) for own in places], axis=1)
    mean = given @ scores / len(codes)
    variance = given @ scores**2 / len(codes) - mean**2
    reach = means.max(axis=1) - means.min(axis=1)
    # A word whose cosine is the same for all pictures has nothing to associate.
    flat = variance <= 1e-18
    strength = np.where(flat, 0.0, reach / np.sqrt(np.where(flat, 1.0, variance)))
    found = strength.mean(axis=1)
    return np.asarray(found if weights is not None else found[0])


def _basic(value: float, draws: Float64) -> tuple[float, float]:
    """Ends of the basic bootstrap interval, which turns the draws' upward bias around, at least zero."""
    low, high = ends(draws)
    return max(0.0, 2 * value - float(high)), max(0.0, 2 * value - float(low))


def mitigate(
    *,
    images: Float32,
    words: Float32,
    groups: Float32,
    task: Float32 | None,
    task_codes: NDArray[np.intp] | None,
    grouping: Grouping,
    seed: int,
    changed: str,
) -> tuple[MitigationRow, ...]:
    """Every method, on the words it was fitted on and on the others.

    Args:
        images: (n, d).
        words: (t, l, d).
        groups: (t, G, d).
        task: (t, c, d) classes whose zero-shot accuracy is watched; None for none.
        task_codes: (n,) the class of every picture.
        grouping: of the pictures.
        seed: of the halves, resamples and swaps.
        changed: `texts` or `both`.
    """
    space = Space(
        images=images.astype(np.float64),
        words=words.astype(np.float64),
        groups=groups.astype(np.float64),
        task=None if task is None else task.astype(np.float64),
    )
    fit, judged = halves(grouping.codes, seed)
    order = np.random.default_rng([seed, 12]).permutation(words.shape[1])
    seen, unseen = np.sort(order[: -(-len(order) // 2)]), np.sort(order[-(-len(order) // 2) :])
    codes = grouping.codes[judged]
    told = None if task_codes is None else task_codes[judged]
    before = _judged(space, judged, codes, told)
    rows: list[MitigationRow] = []
    for method in METHODS:
        after = _judged(changed_space(method, space, fit, seen, grouping.codes, changed), judged, codes, told)
        for name, some in (("fitted", seen), ("held out", unseen)):
            if len(some):
                what = TEXTS if method == "neutral_only" else changed
                rows.append(_row(method, what, name, some, before, after, codes, seed))
    return tuple(rows)


@dataclass(frozen=True, eq=False)
class _Judged:
    """What is read off changed embeddings.

    Attributes:
        scores: cosines (m, l), mean over templates.
        alone: (t, m, l), with each template.
        right, named: (m,) whose class and group were named rightly, 0 or 1.
    """

    scores: Float64
    alone: Float64
    right: Float64 | None
    named: Float64


def _judged(space: Space, places: NDArray[np.intp], codes: Codes, task: NDArray[np.intp] | None) -> _Judged:
    images = space.images[places]
    named = (images @ space.groups.mean(axis=0).T).argmax(axis=1) == codes
    right = None
    if space.task is not None and task is not None:
        right = ((images @ space.task.mean(axis=0).T).argmax(axis=1) == task).astype(np.float64)
    alone = images @ space.words.transpose(0, 2, 1)
    return _Judged(alone.mean(axis=0), alone, right, named.astype(np.float64))


def _row(
    method: str,
    changed: str,
    name: str,
    words: Sequence[int] | NDArray[np.intp],
    before: _Judged,
    after: _Judged,
    codes: Codes,
    seed: int,
) -> MitigationRow:
    pair = [one.scores[:, words] for one in (before, after)]
    weights = np.concatenate(list(stratified_weights(codes, RESAMPLES, seed))).astype(np.float64)
    here = [float(association(scores, codes)) for scores in pair]
    drawn = [_basic(value, association(scores, codes, weights)) for value, scores in zip(here, pair, strict=True)]
    dealt = np.concatenate(list(swapped(codes, SWAPS, seed)))
    chance = [float(np.mean([association(scores, row) for row in dealt])) for scores in pair]
    spread = [[float(association(each, codes)) for each in one.alone[..., words]] for one in (before, after)]
    low = high = None
    if before.right is not None and after.right is not None:
        change = weights @ (after.right - before.right) / len(codes)
        low, high = (float(end) for end in ends(change))
    return MitigationRow(
        method=method, changed=changed, words=name, n_words=len(words),
        before=here[0], before_low=drawn[0][0], before_high=drawn[0][1],
        after=here[1], after_low=drawn[1][0], after_high=drawn[1][1],
        before_least=min(spread[0]), before_most=max(spread[0]),
        after_least=min(spread[1]), after_most=max(spread[1]),
        chance_before=chance[0], chance_after=chance[1],
        accuracy_before=None if before.right is None else float(before.right.mean()),
        accuracy_after=None if after.right is None else float(after.right.mean()),
        accuracy_change_low=low, accuracy_change_high=high,
        naming_before=float(before.named.mean()), naming_after=float(after.named.mean()), n=len(codes),
    )  # fmt: skip
