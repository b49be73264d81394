"""What two models' gaps differ in: the same pictures and captions, embedded by both.

Paired over pairs where single pairs were kept: the gap (how far apart each pair lies along the unit gap of its own
model, whose mean is the gap; the direction is held, so that this is the linear part of the gap), the cosine of
matched pairs, R@1 either way, and the loss. From the two intervals: what no mean over pairs gives. Cosines and
distances lie as widely as a model's cones let them; RMG and R@1 do not depend on that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from probes.core.comparison import Compared, Difference, LeftOut
from probes.core.differences import from_intervals, paired_columns, plain
from probes.modality_gap.result import EachPair, ModalityGapResult, Moved

PAIRED = {
    "gap": ("gap", "distance"),
    "cosine_matched": ("cosine of matched pairs", "cosine"),
    "r1_image_to_text": ("R@1 from picture to caption", "share"),
    "r1_text_to_image": ("R@1 from caption to picture", "share"),
    "loss": ("loss, each at its own logit scale", "nats"),
}
"""By name of the measure: what it is called, and its unit."""
FROM_INTERVALS = {
    "rmg": ("RMG", "RMG"),
    "cosine_unmatched": ("cosine of pictures with captions of others", "cosine"),
    "cosine_image_image": ("cosine among pictures", "cosine"),
    "cosine_text_text": ("cosine among captions", "cosine"),
    "uniformity_image": ("uniformity of pictures", "uniformity"),
    "uniformity_text": ("uniformity of captions", "uniformity"),
    "zero_shot": ("zero-shot accuracy", "share"),
    "association": ("association of drawn people with words", "effect size"),
}
CLOSED = {
    "r1_image_to_text": ("change of R@1 from picture to caption as the gap is closed", "share"),
    "r1_text_to_image": ("change of R@1 from caption to picture as the gap is closed", "share"),
}
UNLIKE = LeftOut("The loss is not compared: one model was trained with a softmax over pairs, one with sigmoids.")
HELD = "the direction of the gap is held"


def compare(first: ModalityGapResult, second: ModalityGapResult) -> Compared:
    """Differences of the gap and of what goes with it, first less second."""
    names = [name for name in PAIRED if name != "loss" or first.sigmoid == second.sigmoid]
    if first.each is None or second.each is None or first.each.sizes != second.each.sizes:
        found = [
            from_intervals(PAIRED[n][0], first.measure(n), second.measure(n), over="pairs", unit=PAIRED[n][1])
            for n in names
        ]
    else:
        found = [*_pair_by_pair(first.each, second.each, names)]
    measured = [{m.measure: m for m in result.measures} for result in (first, second)]
    for name, (what, unit) in FROM_INTERVALS.items():
        if all(name in measures for measures in measured):
            one, other = (measures[name] for measures in measured)
            over = {"zero_shot": "pictures", "association": "drawn people"}.get(name, "pairs")
            found.append(from_intervals(what, one, other, over=over, unit=unit))
    for name, (what, unit) in CLOSED.items():
        changes = [float(getattr(_closed(r), name) - getattr(r.at(0.0), name)) for r in (first, second)]
        found.append(plain(what, *changes, n=first.compared, over="pairs", unit=unit))
    return tuple(found) if "loss" in names else (*found, UNLIKE)


def _pair_by_pair(first: EachPair, second: EachPair, names: Sequence[str]) -> Iterator[Difference]:
    """Differences paired over pairs; those over as many pairs share their resamples."""
    values = {name: (getattr(first, name), getattr(second, name)) for name in names}
    for n in dict.fromkeys(len(one) for one, _ in values.values()):
        some = [name for name, (one, _) in values.items() if len(one) == n]
        both = (np.stack([values[name][place] for name in some], axis=1) for place in (0, 1))
        for name, one in zip(some, paired_columns(some, *both, over="pairs", unit=""), strict=True):
            what, unit = PAIRED[name]
            yield replace(one, what=what, unit=unit, note=HELD if name == "gap" and not one.note else one.note)


def _closed(result: ModalityGapResult) -> Moved:
    return next(one.moved for one in result.interventions if one.key == "both")
