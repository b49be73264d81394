"""How well a linear rule tells pictures from captions, cross-validated; both rows of a pair fall into one fold.

Two rules: a linear classifier of all dimensions (ridge regression on the modality), and a threshold on the gap
direction alone, half-way between both means, which is the classifier of the nearer mean. Each row is judged by a
rule that saw neither it nor its partner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.core.statistics import wilson
from probes.core.threads import one_blas_thread
from probes.modality_gap.closed_form import Measured

FOLDS = 3


def separability(images: Float32, texts: Float32, seed: int) -> tuple[Measured, Measured]:
    """Accuracy of both rules, 0.5 by chance; Wilson's interval takes a pair for one observation.

    Args:
        images, texts: (n, d) unit rows; row i of both is one pair.
        seed: of the folds.
    """
    from sklearn.linear_model import RidgeClassifier  # takes a second to import
    from sklearn.neighbors import NearestCentroid

    n = len(images)
    found = []
    for name, make in (("separability", RidgeClassifier), ("separability_gap_direction", NearestCentroid)):
        accuracy = float(_right(images, texts, make, seed).mean())
        interval = wilson(round(accuracy * n), n)
        found.append(Measured(name, accuracy, min(interval.low, accuracy), max(interval.high, accuracy), n))
    return found[0], found[1]


def _right(images: Float32, texts: Float32, make: Callable[[], Any], seed: int) -> NDArray[np.bool_]:
    """Whether each row is told right, (2, n): pictures, then captions."""
    from sklearn.model_selection import KFold

    right = np.zeros((2, len(images)), dtype=np.bool_)
    for train, test in KFold(min(FOLDS, len(images)), shuffle=True, random_state=seed).split(images):
        rows = np.concatenate([images[train], texts[train]])
        # one pair has no spread, which nobody needs; threads would wait for one another on shared cores
        with np.errstate(invalid="ignore"), one_blas_thread():
            rule = make().fit(rows, np.repeat([0, 1], len(train)))
        right[0, test] = rule.predict(images[test]) == 0
        right[1, test] = rule.predict(texts[test]) == 1
    return right
