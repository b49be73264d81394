r"""Which heads carry what a property does to the answers, in scenes apart from those measured.

With M_c the mean of a contrast's differences for concept c (`probes.contrasts`) and m_c^h what head h
writes of it (the rest of M_c is written by MLPs and constants), a head's share is

    share_h = Cov_c(m^h, M) / Var_c(M),

so that shares sum to one over all parts. No dose enters: the spread over concepts is that of the answers
themselves. The scenes are those of another seed than the study's, in the same drawings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probes.contrasts import Contrast
from probes.core.decomposition import Decomposition
from probes.core.model import Float32
from probes.core.switches import Switches

Float64 = NDArray[np.float64]


def shares(contrast: Contrast, taken: Decomposition, texts: Float32) -> Float64:
    """Each head's share, (L, H).

    Args:
        contrast: of which concepts are compared.
        taken: its pictures, taken apart.
        texts: (m, d), see `Contrast.texts`.
    """
    _, layers, heads, _ = taken.outputs.shape
    whole = _by_concept(contrast, taken.embedding @ texts.T)
    apart = whole - whole.mean()
    found = np.zeros((layers, heads))
    for layer in range(layers):
        for head in range(heads):
            logits = taken.outputs[:, layer, head] @ (taken.writes[layer, head] @ texts.T)
            found[layer, head] = _by_concept(contrast, logits) @ apart / (apart @ apart)
    return found


def _by_concept(contrast: Contrast, logits: Float32) -> Float64:
    """Mean difference of each concept, (C,)."""
    each = contrast.differences(logits)
    count = len(contrast.concepts)
    means: Float64 = np.bincount(contrast.concept, each, count) / np.bincount(contrast.concept, minlength=count)
    return means


def leading(shares: Float64, count: int) -> Switches:
    """The heads with the largest shares, at most `count` of those above zero."""
    order = np.argsort(-shares.ravel(), kind="stable")[:count]
    places = [divmod(int(at), shares.shape[1]) for at in order if shares.ravel()[at] > 0]
    return Switches.of_heads(places)
