"""The page's measure as a whole: every part that can be asked, files of one's own, and what is refused."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from probes.attention_heads import PROBE, explorer
from probes.attention_heads.parameters import (
    GROUNDS,
    MY_TABLE,
    MY_WORDS,
    AttentionHeadsParams,
)
from probes.backend import load
from probes.core import report as reports
from probes.core.errors import FieldError
from probes.core.examples import examples
from probes.core.model import no_progress
from probes.core.parameters import parse
from probes.core.picture_sets import PictureFiles
from probes.core.probe import run
from probes.core.tables import Table
from probes.core.watching import UNFINISHED
from tests.fakes import headed_backend, noise

FEW = ("something red", "something blue", "a sky", "a dog")


@lru_cache(maxsize=1)
def clip():
    return load("bundled:skewed", precision="float32")


def cow():
    return next(one for one in examples() if one.file.stem == "cow-on-the-sea").picture()


def asked(**changes):
    return AttentionHeadsParams(
        **{"images": (cow(),), "texts": ("a cow",), "phrases": FEW, "resamples": 5, **changes}
    )


def answered(backend=None, **changes):
    return run(PROBE, asked(**changes), backend or clip())


def test_the_ground_is_found_in_the_head_that_writes_it_and_both_ways_agree():
    """By pictures that differ in ground, and by words for grounds: the same head leads, and by far."""
    by_pictures = answered(carries="ground").result
    words = ("on the sea; a sea background", "on the grass; a grass background", "on the snow; a snow background")
    by_words = answered(carries=MY_WORDS, sets=words).result
    for result in (by_pictures, by_words):
        heads = [row for row in result.found if row.kind == "head"]
        assert heads[0].part == "L5H1"
        assert heads[0].share > 0.35
        assert heads[0].low > heads[1].high
    assert "L5H1 carries most" in by_pictures.headline()
    assert sum(row.share for row in by_pictures.found) == pytest.approx(1.0)


def test_heads_by_rank_are_switched_off_with_those_by_hand():
    result = answered(carries="ground", best_off=2, off="M0").result
    assert result.best_off == "L1H5,L5H1"
    assert [row.off for row in result.ablated] == ["nothing", "L1H5,L5H1,M0", "heads by chance"]
    assert result.ablated[1].heads == result.ablated[2].heads == 2
    assert "off, zero-shot accuracy" in result.headline()


@pytest.mark.slow
def test_everything_at_once_is_answered_drawn_and_survives_its_report():
    report = answered(
        texts=("a cow", "a whale"), carries="red circle", off="L2H1", layer_by_layer=True, spurious=GROUNDS,
        drop=2, caption="a cow on the sea", other_pictures=30,
    )  # fmt: skip
    tables = report.tables()
    assert [name for name, rows in tables.items() if not rows] == ["masks"]
    loaded = reports.load(report.to_json(), {"attention_heads": PROBE.result})
    drawn, redrawn = PROBE.figures(report.result), PROBE.figures(loaded.result)
    assert [figure.to_json() for figure in drawn.values()] == [figure.to_json() for figure in redrawn.values()]
    assert len(drawn) == 12
    assert sum(
        row.effect for row in (*tables["text_heads"], *tables["text_mlps"])
    ) + loaded.result.text_heads.rest == (pytest.approx(tables["check"][0].similarity, abs=1e-5))


def own(tmp_path: Path, count=24):
    """Half of the pictures are red, half blue, with a table that says so."""
    rng = np.random.default_rng(0)
    rows = ["file,colour,size"]
    for number in range(count):
        rgb = np.zeros((40, 40, 3), np.uint8)
        rgb[..., 0 if number % 2 else 2] = 200
        rgb += rng.integers(0, 50, rgb.shape).astype(np.uint8)
        Image.fromarray(rgb).save(tmp_path / f"{number:02}.png")
        rows.append(f"{number:02}.png,{'red' if number % 2 else 'blue'},{'large' if number % 4 < 2 else 'small'}")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    table = Table.read(("\n".join(rows) + "\n").encode(), "colours.csv")
    return PictureFiles.of(tmp_path), table


def test_pictures_of_ones_own_are_what_heads_are_understood_over(tmp_path):
    files, table = own(tmp_path)
    report = answered(pictures=files, carries=MY_TABLE, table=table, column="Colour")
    result = report.result
    assert result.over == "24 pictures of your own"
    assert any("broken.png" in warning for warning in result.warnings())
    assert "00.png" not in report.to_json(), "names of files never leave in a report"
    assert result.carries == "Colour (blue / red), 24 pictures of your own"
    total = sum(row.share for row in result.found)
    assert total == pytest.approx(1.0)
    payload = explorer.payload(asked(pictures=files), result)
    assert payload["n"] == len(payload["names"]) <= 24
    assert payload["sprite"] is not None


def test_the_picture_itself_is_not_near_itself(tmp_path):
    files, _ = own(tmp_path)
    mine = next(iter(files.read(["03.png"])))
    result = answered(images=(mine,), pictures=files).result
    places = {int(place) for place in result.nearest.ravel()}
    assert result.places.index(files.names.index("03.png")) not in places


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("off", {"off": "head four"}),
        ("best_off", {"best_off": 2}),
        ("sets", {"carries": MY_WORDS, "sets": ("red; green",)}),
        ("sets", {"carries": MY_WORDS, "sets": ("red; green", "green; blue")}),
        ("sets", {"carries": MY_WORDS, "sets": ("red", ";")}),
        ("pictures", {"carries": MY_TABLE}),
        ("pictures", {"spurious": MY_TABLE}),
    ],
)
def test_what_does_not_go_together_is_refused_beside_its_field(field, changes):
    with pytest.raises(FieldError) as caught:
        run(PROBE, asked(**changes), headed_backend())
    assert caught.value.field == field


def test_a_column_that_is_not_there_and_one_of_a_single_value_are_refused(tmp_path):
    files, table = own(tmp_path)
    with pytest.raises(FieldError, match="there is no column 'hue'"):
        answered(headed_backend(), pictures=files, carries=MY_TABLE, table=table, column="hue")
    one = Table.read(b"file,hue\n01.png,red\n03.png,red\n", "one.csv")
    with pytest.raises(FieldError, match="two different values or more"):
        answered(headed_backend(), pictures=files, carries=MY_TABLE, table=one, column="hue")


def test_too_few_pictures_of_ones_own_are_refused(tmp_path):
    files, _ = own(tmp_path, count=5)
    with pytest.raises(FieldError, match="5 pictures can be read; at least 20 are needed"):
        answered(headed_backend(), pictures=files)


def test_a_part_the_tower_lacks_is_refused_in_a_sentence():
    with pytest.raises(FieldError, match="there is no L9H0") as caught:
        answered(off="L9")
    assert caught.value.field == "off"


def test_what_the_model_cannot_do_is_said_and_the_rest_answered():
    result = answered(headed_backend(), caption="a dog", segment=False, images=(noise(1),)).result
    assert result.words is None
    assert result.text_heads is None
    said = " ".join(result.warnings())
    assert "pixels have no patches" in said
    assert "No heads of the text tower" in said


def test_it_is_shown_step_by_step_and_says_what_is_unfinished():
    seen = []
    run(PROBE, asked(images=(noise(2),)), headed_backend(), no_progress, seen.append)
    assert len(seen) >= 2
    assert all(UNFINISHED in one.result.warnings() for one in seen)
    assert seen[0].result.description is None
    assert seen[-1].result.description is not None


def test_the_texts_of_a_link_and_of_the_command_line_are_parsed():
    params = parse(AttentionHeadsParams, {"images": [cow()], "sets": "a; b\nc", "carries": MY_WORDS})
    assert params.sets_of_words == (("a", "b"), ("c",))
