r"""Drop what is spurious: heads that carry what should not matter, chosen on some pictures, measured on others.

After Gandelsman et al. (2024), section 5, who ablated heads on Waterbirds that they had chosen by hand, from the
texts that describe them. Here heads are chosen by what they write on the first part of a set (`choosing`), and
write their mean over it when they are dropped (`ablating`), which takes away their direct effect alone:

    x' = unit( x - sum_h (t^h - mean over the first part of t^h) ).

Zero-shot accuracy is measured on the second part, of all pictures, of each group and of the worst group, paired
over pictures (`group_accuracy`). Null: as many heads drawn from all by chance, `DRAWS` times; p is the two-tailed
rank of the chosen ones among them. Both p are corrected over all rows (Benjamini-Hochberg).

Reference: Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.ablating import right, without
from probes.attention_heads.choosing import Chosen, choose
from probes.attention_heads.gathering import take_apart
from probes.attention_heads.group_accuracy import WORST, Groups, changed
from probes.attention_heads.labelled_sets import LabelledSet
from probes.core.decomposition import Decomposition, joined
from probes.core.errors import FieldError
from probes.core.matching import LeftOut
from probes.core.model import Backend, Capability, Float32, Progress, no_progress
from probes.core.prompts import TEMPLATES, encode_prompts, ensemble
from probes.core.resampling import ends
from probes.core.statistics import benjamini_hochberg, rank_p
from probes.core.switches import Switches
from probes.core.watching import part

DRAWS = 99
"""Times as many heads are drawn by chance."""

Float64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.intp]
Head = tuple[int, int]
"""Layer and head."""


@dataclass(frozen=True)
class DropRow:
    """A row of the table `dropping`: zero-shot accuracy in a group before and after heads are dropped.

    Attributes:
        heads: how many are dropped.
        group: `all pictures`, a group, or `worst group`.
        n: pictures.
        before, before_low, before_high, after, after_low, after_high: accuracy with its 95 % interval.
        change, change_low, change_high, p, p_adjusted: after less before, paired over pictures.
        random, random_low, random_high: with as many heads by chance dropped, mean and central 95 % of draws.
        random_p, random_p_adjusted: rank of the chosen heads among those by chance.
        worst_before, worst_after: which is the worst group; empty in other rows.
    """

    heads: int
    group: str
    n: int
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    change: float
    change_low: float
    change_high: float
    p: float
    p_adjusted: float
    random: float
    random_low: float
    random_high: float
    random_p: float
    random_p_adjusted: float
    worst_before: str = ""
    worst_after: str = ""


@dataclass(frozen=True)
class Dropped:
    """What dropping heads did.

    Attributes:
        name: of the set.
        chosen: heads in the order of choice, as many as the largest count.
        rows: for each count of heads all groups.
        worst_of: what the worst group is the worst of, in words.
        to_choose, to_measure: pictures.
        carried: what the whole embedding carries of the groups, squared cosines; where it is not positive there
            is nothing to choose by.
        left_out: pictures and rows that could not be used.
        notes: what else to know, in sentences.
    """

    name: str
    chosen: tuple[Chosen, ...]
    rows: tuple[DropRow, ...]
    worst_of: str
    to_choose: int
    to_measure: int
    carried: float
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def drop(
    backend: Backend,
    labelled: LabelledSet,
    counts: Sequence[int],
    seed: int,
    progress: Progress = no_progress,
    templates: Sequence[str] = TEMPLATES,
) -> Dropped:
    """Choose heads with the first part of a set, drop them, and measure on the second.

    Args:
        backend: whose heads.
        labelled: the pictures.
        counts: how many heads are dropped, one after the other.
        seed: of resamples, exchanges and heads by chance.
        progress: told the share that is done.
        templates: for labels.

    Raises:
        CapabilityError: the model has no heads that can be dropped.
        FieldError: there are not so many heads, or too few pictures.
    """
    backend.card.require(Capability.DECOMPOSE)
    taken, kept, left_out = _taken_apart(backend, labelled, counts, part(progress, 0.0, 0.8))
    words = tuple(dict.fromkeys(kept.labels))
    texts = ensemble(encode_prompts(backend, words, templates))
    found = dropped(taken, kept, words, texts, counts, seed, part(progress, 0.8, 1.0))
    return replace(found, left_out=(*labelled.left_out, *left_out), notes=labelled.notes)


def _taken_apart(
    backend: Backend, labelled: LabelledSet, counts: Sequence[int], progress: Progress
) -> tuple[Decomposition, LabelledSet, list[LeftOut]]:
    """The pictures that can be read, taken apart a few at a time, and the others."""
    files = labelled.read(labelled.names)
    read = take_apart(files, len(labelled), backend, progress, check=partial(_check, counts))
    if not read.parts:
        raise FieldError("pictures", "none of the pictures can be read")
    left_out = [LeftOut(None, one.name, one.reason) for one in read.left_out]
    return joined(read.parts), labelled.taken(read.places), left_out


def dropped(
    taken: Decomposition,
    labelled: LabelledSet,
    words: Sequence[str],
    texts: Float32,
    counts: Sequence[int],
    seed: int,
    progress: Progress = no_progress,
) -> Dropped:
    """The same of pictures that are taken apart.

    Args:
        taken: n pictures.
        labelled: the same pictures.
        words: m labels, each once.
        texts: (m, d), their unit embeddings.
        counts, seed, progress: as for `drop`.

    Raises:
        FieldError: there are not so many heads, or too few pictures.
    """
    _check(counts, taken)
    first, second = np.flatnonzero(labelled.first), np.flatnonzero(~labelled.first)
    if not len(first) or not len(second):
        raise FieldError("pictures", "pictures are needed for both, to choose heads with and to measure")
    labels = np.array([words.index(label) for label in labelled.labels], np.intp)
    own, other = taken.some(first), taken.some(second)
    chosen, carried = choose(own, labels[first], _codes([labelled.spurious[i] for i in first]), max(counts))
    groups = Groups.of([labelled.labels[i] for i in second], [labelled.groups[i] for i in second])

    def recognised(off: Sequence[Head]) -> Bools:
        return right(without(other, own, Switches(frozenset(off))), texts, labels[second])

    before, rows = right(other.embedding, texts, labels[second]), list[DropRow]()
    for done, count in enumerate(counts):
        told = part(progress, done / len(counts), (done + 1) / len(counts))
        draws = np.stack([recognised(off) for off in _by_chance(taken, count, seed, told)])
        after = recognised([(one.layer, one.head) for one in chosen[:count]])
        rows += compared(count, groups, before, after, groups.accuracy(draws), seed)
    return Dropped(labelled.name, chosen, _adjusted(rows), groups.worst_of, len(first), len(second), carried)


def _check(counts: Sequence[int], taken: Decomposition) -> None:
    """Refuse counts that are none, or more than there are heads."""
    layers, heads = taken.writes.shape[:2]
    if not counts or min(counts) < 1 or max(counts) > layers * heads:
        raise FieldError("drop", f"between 1 and all {layers * heads} heads can be dropped")


def _by_chance(taken: Decomposition, count: int, seed: int, progress: Progress) -> Iterator[list[Head]]:
    """So many of all heads, `DRAWS` times."""
    layers, heads = taken.writes.shape[:2]
    rng = np.random.default_rng([seed, 46, count])
    for draw in range(DRAWS):
        progress(draw / DRAWS, "dropping heads by chance")
        places = rng.choice(layers * heads, count, replace=False)
        yield [(int(place) // heads, int(place) % heads) for place in places]


def _codes(values: Sequence[str]) -> Codes:
    return np.unique(values, return_inverse=True)[1].astype(np.intp)


def compared(
    count: int, groups: Groups, before: Bools, after: Bools, by_chance: Float64, seed: int
) -> tuple[DropRow, ...]:
    """The rows of one count of heads, p not yet corrected.

    Args:
        count: of heads.
        groups: of n pictures.
        before, after: (n,), whether each is recognised.
        by_chance: (DRAWS, 2 + G), accuracies with as many heads by chance dropped.
        seed: of resamples and exchanges.
    """
    found = changed(groups, before, after, seed)
    low, high = ends(by_chance)
    worst = groups.worst(before), groups.worst(after)
    sizes = (*groups.sizes, int((groups.cell == worst[0]).sum()))
    rows = []
    for place, name in enumerate(groups.names):
        random_p = rank_p(float(found.after[place]), by_chance[:, place])
        (b_low, b_high), (a_low, a_high), (c_low, c_high) = (
            (float(cut[0][place]), float(cut[1][place]))
            for cut in (found.before_ends, found.after_ends, found.change_ends)
        )
        b, a, c, p, mean = (
            float(values[place])
            for values in (found.before, found.after, found.change, found.p, by_chance.mean(axis=0))
        )
        rows.append(
            DropRow(
                count, name, sizes[place], b, b_low, b_high, a, a_low, a_high, c, c_low, c_high, p, p, mean,
                float(low[place]), float(high[place]), random_p, random_p,
                *([groups.cells[cell] for cell in worst] if name == WORST else []),
            )
        )  # fmt: skip
    return tuple(rows)


def _adjusted(rows: Sequence[DropRow]) -> tuple[DropRow, ...]:
    """The rows with both p corrected over all of them."""
    p = benjamini_hochberg([row.p for row in rows])
    random = benjamini_hochberg([row.random_p for row in rows])
    return tuple(
        replace(row, p_adjusted=one, random_p_adjusted=other)
        for row, one, other in zip(rows, p, random, strict=True)
    )
