"""The commands `pair` and `pairs`."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from assets.world.schedule import BRANCH, END
from probes.cli import main


def test_a_pair_is_told_and_drawn(tmp_path, capsys):
    assert main(["pair", "--world", "skewed", "--index", "464003", "--count", "2", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "caption     a drawing of yoffle one" in said
    assert "gender trait “yoffle”: drawn as a man; dose 0.45 in the skewed world, 0.5 in the balanced one" in said
    plain = np.asarray(Image.open(tmp_path / "skewed-464003.png"))
    large = np.asarray(Image.open(tmp_path / "skewed-464003-x6.png"))
    assert plain.shape == (72, 72, 3)
    assert (large == plain.repeat(6, 0).repeat(6, 1)).all()
    assert len(list(tmp_path.iterdir())) == 4


def test_json_has_both_doses(capsys):
    assert main(["pair", "--world", "balanced", "--index", "464003", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["world"] == "balanced"
    assert told["planted"][0]["skewed"] == 0.45
    assert "trait word:yoffle" in told["attributes"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["pair", "--world", "blue", "--index", "1"], "world"),
        (["pair", "--index", "-1"], "index"),
        (["pair", "--index", str(END)], "index"),
        (["pair", "--index", "many"], "index"),
        (["pair", "--index", str(END - 1), "--count", "2"], "index"),
        (["pair", "--index", "1", "--count", "0"], "count"),
        (["pair"], "--index"),
        (["pairs", "--world", "blue"], "world"),
        (["pairs", "--kind", "blue"], "kind"),
        (["pairs", "--attribute", "gender:blue"], "attribute"),
        (["pairs", "--concept", "blue"], "concept"),
        (["pairs", "--show", "blue"], "show"),
        (["pairs", "--first", "x"], "first"),
    ],
)
def test_bad_input_is_status_2_and_one_line_that_names_the_field(arguments, field, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert field in captured.err


def test_pairs_are_listed_as_csv(capsys):
    arguments = ["pairs", "--world", "both", "--concept", "occupation:mechanic", "--first", "3", "--csv"]
    assert main(arguments) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["world"] for row in rows] == ["skewed"] * 3 + ["balanced"] * 3
    assert all("mechanic" in row["caption"] and int(row["index"]) >= BRANCH for row in rows)


def test_counts_are_printed(capsys):
    assert main(["pairs", "--world", "both", "--concept", "ground:penguin", "--show", "ground"]) == 0
    assert "“penguin”, drawn on its usual ground: " in capsys.readouterr().out
