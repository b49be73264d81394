"""What the explorer is sent (`explorer.js`): points, moves, walks and pictures; UMAP follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from probes.core.arrays import base64_of
from probes.core.explorer import Payload, sheet
from probes.core.model import Backend, Progress
from probes.core.pictures import Picture
from probes.core.plotting import BLUE, ORANGE
from probes.modality_gap import gathering
from probes.modality_gap.cloud import umap_points
from probes.modality_gap.drawing import moment
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.path import STEPS
from probes.modality_gap.result import Cloud, ModalityGapResult, Moved
from probes.modality_gap.training import BUNDLED, snapshots

WIDE, HIGH = 640, 360
"""Pixels of the picture on the start page."""
NEAR = 0.9
"""Cosine from which on the first component is called the gap."""
UMAP_NOTE = (
    "UMAP keeps neighbours together and exaggerates gaps: how far apart it draws the two clouds says nothing "
    "about how wide the gap is."
)
SERIES = (
    ("gap", "Gap", 3, False),
    ("loss", "", 2, False),
    ("loss_scale_1", "Loss at scale 1", 3, False),
    ("r1_image_to_text", "R@1, picture to caption", 1, True),
    ("r1_text_to_image", "R@1, caption to picture", 1, True),
    ("r5_image_to_text", "R@5, picture to caption", 1, True),
    ("r5_text_to_image", "R@5, caption to picture", 1, True),
    ("zero_shot", "Zero-shot accuracy", 1, True),
    ("association", "Association (effect size)", 2, False),
)
"""What is followed while the clouds move: key, title, digits, whether it is a share."""
NOTES = {
    "both": "Both clouds are moved along the gap until their means meet, and every row is brought back to unit "
    "length: that opens a little of the gap again.",
    "images": "Pictures alone are moved by the whole gap.",
    "texts": "Captions alone are moved by the whole gap.",
    "centred": "Each cloud has its own mean taken off.",
}


def payload(params: ModalityGapParams, result: ModalityGapResult) -> Mapping[str, Any]:
    """What `show` takes."""
    cloud = result.cloud
    return {
        "title": result.model,
        "n": len(cloud.distance),
        "captions": list(cloud.captions or _numbered("caption", cloud)),
        "names": list(cloud.names or _numbered("picture", cloud)),
        "labels": None if cloud.labels is None else list(cloud.labels),
        "sprite": _sprite(params, cloud),
        "views": _views(cloud),
        "waiting": {"umap": "UMAP"},
        "along": base64_of(cloud.along),
        "distance": base64_of(cloud.distance),
        "norm": None if cloud.lengths is None else base64_of(cloud.lengths),
        "moves": [
            {
                "key": one.key,
                "title": one.title,
                "note": NOTES.get(one.key, "These dimensions are set to zero in every row."),
                "points": {view: base64_of(points) for view, points in cloud.moved[one.key].items()},
                "values": _values(one.moved),
            }
            for one in result.interventions
            if one.key in cloud.moved
        ],
        "slider": {
            "deltas": [step.delta for step in result.shifts],
            "series": list(_series(result)),
            "note": _slider_note(result),
        },
        "walk": _walk(cloud),
    }


def _numbered(what: str, cloud: Cloud) -> Sequence[str]:
    return [f"{what} {int(place) + 1:,}" for place in cloud.places]


def _views(cloud: Cloud) -> dict[str, Any]:
    """The linear views, PCA first."""
    names = ("1st component", "2nd component", "3rd component")
    shares = cloud.views["pca"].shares
    axes = {
        "pca": [f"{name} ({share:.0%} of the variance)" for name, share in zip(names, shares, strict=True)],
        "sphere": ["along the gap", "most of the rest", "second most"],
    }
    notes = {
        "pca": _first_axis(cloud.gap_cosine),
        "sphere": "Directions alone: the vertical axis is the gap, the other two hold most of what is left, and "
        "every point is brought to the surface.",
    }
    return {
        key: {
            "title": title, "points": base64_of(cloud.views[key].points), "gap": cloud.views[key].gap.tolist(),
            "centre": cloud.views[key].centre.tolist(), "sphere": key == "sphere", "axes": axes[key],
            "note": notes[key],
        }
        for key, title in (("pca", "PCA"), ("sphere", "Sphere"))
    }  # fmt: skip


def _first_axis(cosine: float) -> str:
    """How near the first component is to the gap, in words."""
    if cosine >= NEAR:
        return f"The first axis very nearly is the gap: their cosine is {cosine:.3f}."
    return f"Here the first axis is not the gap: their cosine is {cosine:.3f}. The sphere shows the gap upright."


def _slider_note(result: ModalityGapResult) -> str:
    """What the readouts are of."""
    note = "A negative gap means that the clouds have passed through one another."
    if result.people:
        note += f" The association is not of these pairs: it is of {result.people}."
    return note


def _values(moved: Moved) -> dict[str, float]:
    return {key: value for key, value in vars(moved).items() if value is not None}


def _series(result: ModalityGapResult) -> Sequence[dict[str, Any]]:
    own = "Sigmoid loss" if result.sigmoid else f"Loss at scale {result.logit_scale:.3g}"
    found = []
    for key, title, digits, percent in SERIES:
        values = [getattr(step.moved, key) for step in result.shifts]
        if any(value is not None for value in values):
            found.append(
                {"key": key, "title": title or own, "digits": digits, "percent": percent, "values": values}
            )
    return found


def _walk(cloud: Cloud) -> dict[str, Any] | None:
    walks = cloud.walks
    if walks is None:
        return None
    return {
        "steps": list(STEPS),
        "images": base64_of(walks.images, "<i2"),
        "texts": base64_of(walks.texts, "<i2"),
        "image_cosines": base64_of(walks.image_cosines),
        "text_cosines": base64_of(walks.text_cosines),
    }


def _sprite(params: ModalityGapParams, cloud: Cloud) -> Payload | None:
    """Thumbnails of the drawn pictures on one sheet; none where embeddings came without pictures."""
    if len(params.embeddings):
        return None
    pictures = gathering.stimuli(params).pictures
    return sheet([pictures[int(place)] for place in cloud.places])


def _umap(
    dimensions: int, params: ModalityGapParams, result: ModalityGapResult, backend: Backend, progress: Progress
) -> Mapping[str, Any]:
    """The drawn pairs by UMAP, as `later` takes them."""
    if len(params.embeddings):
        pairs = gathering.of_files(params)
    else:
        pairs = gathering.embed_pairs(gathering.stimuli(params), backend, progress)
    places = result.cloud.places.astype(np.intp)
    points = umap_points(pairs.images[places], pairs.texts[places], dimensions, params.seed, progress)
    found = {
        "title": "UMAP", f"points{dimensions}": base64_of(points), "axes": ["", "", ""], "note": UMAP_NOTE,
        "fixed": True,
    }  # fmt: skip
    return {"views": {"umap": found}}


follow = (partial(_umap, 2), partial(_umap, 3))
"""UMAP in two dimensions, and then in three."""


def preview(params: ModalityGapParams) -> Picture:
    """Both clouds along their gap and beside it, from the last kept moment of training: no model, no drawing.

    Raises:
        IndexError: no moment was kept.
    """
    last = snapshots(BUNDLED[0])[-1]
    points = moment(last.title, last.pictures, last.logit_scale, last.images, last.texts, params.seed).points
    sheet = Image.new("RGB", (WIDE, HIGH), "white")
    pen = ImageDraw.Draw(sheet)
    half = len(points) // 2
    # round one centre, to one scale across and down
    x, y = (points - (points.max(axis=0) + points.min(axis=0)) / 2).T
    scale = 0.45 * min(WIDE / np.ptp(x), HIGH / np.ptp(y)) * 2
    for number in range(len(points)):
        across, down = WIDE / 2 + scale * x[number], HIGH / 2 - scale * y[number]
        pen.ellipse((across - 4, down - 4, across + 4, down + 4), fill=BLUE if number < half else ORANGE)
    return Picture("clouds", np.asarray(sheet))
