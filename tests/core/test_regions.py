"""Regions from CSV and COCO's JSON: in shares, cut at the edges, and refused with a sentence."""

from __future__ import annotations

import json

import pytest

from probes.core.errors import ClipspectError
from probes.core.regions import Regions

CSV = b"file,x,y,width,height,name\na.png,0.1,0.2,0.3,0.4,a dog\nb.png,0,0,0.5,0.5,a cat\n"
COCO = {
    "images": [{"id": 7, "file_name": "val/a.png"}],
    "categories": [{"id": 3, "name": "dog"}],
    "annotations": [
        {"image_id": 7, "bbox": [10, 20, 30, 40], "category_id": 3},
        {"image_id": 7, "bbox": [50, 20, 30, 40], "caption": "a red ball"},
        {"image_id": 8, "bbox": [50, 20, 30, 40]},
    ],
}


def test_shares_of_a_picture_are_found_by_its_name():
    regions = Regions.read(CSV, "r.csv")
    assert not regions.pixels
    (one,) = regions.of("folder/a.png", 640, 480)
    assert one.box == pytest.approx((0.1, 0.2, 0.4, 0.6))
    assert one.name == "a dog"
    assert regions.of("c.png", 640, 480) == ()


def test_pixels_become_shares_and_are_cut_at_the_edge():
    regions = Regions.read(b"x0;y0;x1;y1;label\n-10;20;50;120;a dog\n", "r.csv")
    assert regions.pixels
    (one,) = regions.of("anything.png", 100, 100)  # no column of files: of whichever picture there is
    assert one.box == pytest.approx((0.0, 0.2, 0.5, 1.0))


def test_shares_that_reach_a_hair_beyond_the_edge_are_no_pixels():
    assert not Regions.read(b"x,y,width,height\n0.7,0.7,0.300001,0.3\n").pixels


def test_coco_names_by_category_or_caption():
    regions = Regions.read(json.dumps(COCO).encode(), "instances.json")
    assert [row.name for row in regions.rows] == ["dog", "a red ball"]
    assert [problem.row for problem in regions.problems] == [3]
    first = regions.of("a.png", 100, 100)[0]
    assert first.box == pytest.approx((0.1, 0.2, 0.4, 0.6))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "the columns x, y, width, height"),
        (b"x,y,width,height\nleft,1,2,3\n", "there is no region that can be used (row 2: left, 1, 2, 3 are not"),
        (b"x,y,width,height\n0.1,0.1,0,0.5\n", "the box has no area"),
        (b"x,y,width,height\n0.1,0.1,nan,0.5\n", "the box has no area"),
        (b'{"images": 3}', "not JSON in COCO's layout"),
        (b"[1, 2]", "not JSON in COCO's layout"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_said(content, said):
    with pytest.raises(ClipspectError) as caught:
        Regions.read(content, "r.csv")
    assert said in str(caught.value)


def test_rows_that_cannot_be_used_are_told_and_the_rest_is():
    regions = Regions.read(CSV + b"c.png,0.1,x,0.3,0.4,a cow\n", "r.csv")
    assert len(regions) == 2
    assert [problem.row for problem in regions.problems] == [4]


def test_what_is_in_a_file_never_stands_in_a_report():
    from pydantic import TypeAdapter

    told = TypeAdapter(Regions).dump_python(Regions.read(CSV, "r.csv"), mode="json")
    assert told == {"name": "r.csv", "regions": 2, "sha256": Regions.read(CSV).digest}
    assert TypeAdapter(Regions).dump_python(Regions.none(), mode="json") is None
