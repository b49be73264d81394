r"""Which heads carry what should not matter, and not what should.

With t_i^h what head h writes to picture i, x_i its embedding, and both less their mean over pictures with the
same label, what h carries of the groups is

    s_h = [ scatter of t^h between groups along x, products of a picture with itself left out ] / [ the same of x ]

as in `carrying`, a share of what the whole embedding carries of them. With labels and groups in each other's
place the same gives h's share r_h of the labels. Heads are ranked by s_h - r_h: one that carries as much of the
labels as of the groups is spared, since it would take the answer with it. Means within labels keep a set in which
labels and groups go together from taking the one for the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.carrying import scatter
from probes.core.decomposition import Decomposition
from probes.core.errors import FieldError

Float64 = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Chosen:
    """A row of the table `dropped`: a head that is dropped, in the order of choice.

    Attributes:
        spurious: its share of what the embedding carries of the groups, within labels.
        labels: its share of what the embedding carries of the labels, within groups.
    """

    layer: int
    head: int
    spurious: float
    labels: float


def choose(taken: Decomposition, labels: Codes, groups: Codes, count: int) -> tuple[tuple[Chosen, ...], float]:
    """The heads that carry most of the groups, those that carry the labels spared; and what all parts carry.

    Args:
        taken: n pictures.
        labels, groups: (n,).
        count: of heads.

    Raises:
        FieldError: within no label are there two groups of two pictures.
    """
    spurious, carried = carried_within(taken, groups, labels)
    if carried is None:
        raise FieldError("column", "two groups of two pictures or more are needed to choose heads by")
    wanted, _ = carried_within(taken, labels, groups)
    order = np.argsort(-(spurious - wanted).ravel(), kind="stable")[:count]
    places = [(int(place) // taken.writes.shape[1], int(place) % taken.writes.shape[1]) for place in order]
    return tuple(Chosen(*at, float(spurious[at]), float(wanted[at])) for at in places), carried


def carried_within(taken: Decomposition, codes: Codes, strata: Codes) -> tuple[Float64, float | None]:
    """Each head's share of the scatter between sets of pictures within strata, (L, H), and the whole scatter.

    Shares are zero where the whole is not positive; the whole is None where no two sets have two pictures.

    Args:
        taken: n pictures.
        codes: (n,), the set of each.
        strata: (n,); terms and embeddings are taken less their mean over the stratum.
    """
    layers, heads = taken.writes.shape[:2]
    shares = np.zeros((layers, heads))
    kept = np.bincount(codes)[codes] >= 2
    sets = np.unique(codes[kept], return_inverse=True)[1]
    if not kept.any() or sets.max() < 1:
        return shares, None
    whole = _centred(taken.embedding, strata)[kept]
    total = scatter(whole, whole, sets)
    for layer, head in np.ndindex(layers, heads):
        outputs = _centred(taken.outputs[:, layer, head], strata)[kept]
        if total > 0:
            shares[layer, head] = scatter(outputs, whole @ taken.writes[layer, head].T, sets) / total
    return shares, total


def _centred(rows: NDArray[np.floating], strata: Codes) -> Float64:
    """Rows (n, w) less the mean of their stratum."""
    member = (strata[:, None] == np.unique(strata)).astype(np.float64)  # (n, S)
    means = member.T @ rows / member.sum(axis=0)[:, None]
    centred: Float64 = rows - member @ means
    return centred
