"""Reports of the red-circle lab: those of its first version load, slides show what is told."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from probes import red_circle, scenes
from probes.core.picture_sets import Unreadable
from probes.core.probe import run
from probes.core.report import load
from probes.red_circle.result import RedCircleResult
from tests.red_circle.test_effects import BACKEND, PARAMS

PROBE = red_circle.PROBE
EARLIER = Path(__file__).with_name("earlier_report.json")
"""Written by the first version of this probe, which drew one circle."""


def test_a_report_of_the_first_version_still_loads_and_is_drawn():
    report = load(EARLIER.read_text(encoding="utf-8"), {"red_circle": RedCircleResult})
    raw = json.loads(EARLIER.read_text(encoding="utf-8"))
    assert report.headline == raw["headline"]
    (mark,) = report.result.marks
    assert str(mark) == "circle 0.73,0.5 0.2 width=0.03"
    old, new = raw["tables"]["effects"], report.to_dict()["tables"]["effects"]
    for before, after in zip(old, new, strict=True):
        assert before["label"] == after["text"]
        for name in ("logit_change", "placebo_mean", "p", "p_adjusted", "beyond_placebos", "probability_marked"):
            assert before[name] == pytest.approx(after[name])
    assert len(report.result.placebos) == raw["tables"]["effects"][0]["placebos"]
    assert "effects" in PROBE.figures(report.result)


def test_a_slide_is_one_picture_with_the_map_in_it():
    report = run(PROBE, replace(PARAMS, grid=6), BACKEND)
    with Image.open(io.BytesIO(PROBE.slide(report))) as image:
        assert image.size == (1920, 1080)
        pixels = np.asarray(image.convert("RGB")).astype(int)
    with Image.open(io.BytesIO(PROBE.slide(run(PROBE, PARAMS, BACKEND)))) as image:
        without = np.asarray(image.convert("RGB")).astype(int)
    inked, bare = (((drawn[660:780, 400:600] - 255).min(axis=-1) < -10).mean() for drawn in (pixels, without))
    assert inked > 0.5 > bare


def test_a_slide_stands_a_long_headline_and_many_texts():
    names = tuple(f"a rather long description of thing number {number}, with clauses" for number in range(30))
    report = run(PROBE, replace(PARAMS, texts=names), BACKEND)
    long = replace(report, headline=report.headline * 4)
    with Image.open(io.BytesIO(PROBE.slide(long))) as image:
        assert image.size == (1920, 1080)


def test_the_shipped_scenes_are_whole():
    pictures, regions = scenes.pictures(), scenes.regions()
    assert len(pictures) == 240
    assert len(regions) == 735
    assert regions.pixels
    for picture in pictures.read(pictures.names[:20]):
        assert not isinstance(picture, Unreadable)
        found = regions.of(picture.name, picture.width, picture.height)
        assert 2 <= len(found) <= 4
        assert len({region.name for region in found}) == len(found)
        for one in found:
            left, top, right, bottom = (round(share * 144) for share in one.box)
            part = picture.rgb[top:bottom, left:right].astype(int)
            assert np.abs(part - np.median(picture.rgb, axis=(0, 1))).max() > 40  # something is drawn there


def test_masks_say_whose_each_pixel_is():
    """A thing's pixels lie in its box and reach its edges: no thing of these scenes covers another."""
    regions, masks = scenes.regions(), scenes.masks()
    pictures = scenes.pictures()
    assert set(masks) == set(pictures.names)
    for name, mask in masks.items():
        found = regions.of(name, 144, 144)
        assert mask.shape == (144, 144)
        assert mask.max() == len(found)
        for number, one in enumerate(found, start=1):
            left, top, right, bottom = (round(share * 144) for share in one.box)
            rows, columns = np.nonzero(mask == number)
            assert (rows.min(), rows.max() + 1) == (top, bottom)
            assert (columns.min(), columns.max() + 1) == (left, right)
