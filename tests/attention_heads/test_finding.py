"""Which heads carry a property: rows, the choice of heads to switch off, and their figures."""

import dataclasses
import json

import numpy as np
import pytest
from pydantic import TypeAdapter

from probes.attention_heads import finding_figures
from probes.attention_heads.carrying import Carried, Part, carried_between_pictures
from probes.attention_heads.finding import HeadShare, best, named, rows
from probes.core.switches import EVERYTHING_ON, Switches
from tests.attention_heads.test_carrying import HEADS, LAYERS, planted, tower

CODES = np.repeat([0, 1], 60)


@pytest.fixture(scope="module")
def carried():
    return carried_between_pictures(planted(120, CODES), CODES, 0)


def test_rows_hold_every_part_once_sorted_and_sum_to_the_whole(carried):
    found = rows(carried)
    heads = {f"L{layer}H{head}" for layer in range(LAYERS) for head in range(HEADS)}
    assert {row.part for row in found} == heads | {"M0", "M1", "initial", "constant"}
    assert [row.value for row in found] == sorted((row.value for row in found), reverse=True)
    assert sum(row.share for row in found) == pytest.approx(1)
    assert sum(row.value for row in found) == pytest.approx(carried.total)
    assert all(row.low <= row.share <= row.high for row in found if row.clear)


def test_the_planted_head_is_clear_and_the_one_to_switch_off(carried):
    first = rows(carried)[0]
    assert (first.part, first.layer, first.head, first.clear) == ("L1H2", 1, 2, True)
    assert best(carried, 1) == Switches.parse("L1H2")
    assert best(carried, 4).heads >= {(1, 2)}


def test_without_a_property_hardly_ever_a_head_is_switched_off():
    found = [best(carried_between_pictures(tower(60, seed), np.arange(60) % 2, seed), 6) for seed in range(40)]
    assert sum(bool(switches) for switches in found) <= 6  # 5 % of 40 are 2


def test_p_is_corrected_over_heads_alone():
    parts = (Part("head", 0, 0), Part("head", 0, 1), Part("head", 1, 0), Part("mlp", 0), Part("constant"))
    values = np.array([3.0, 2.0, 1.0, 4.0, 0.0])
    p = np.array([0.01, 0.02, 0.4, 0.001, 1.0])
    found = {row.part: row for row in rows(Carried(parts, values, values - 1, values + 1, p))}
    assert [found[name].p_adjusted for name in ("L0H0", "L0H1", "L1H0")] == pytest.approx([0.03, 0.03, 0.4])
    assert found["M0"].p_adjusted is None
    assert not found["M0"].clear
    assert found["L0H0"].share == pytest.approx(0.3)
    assert (found["L0H0"].low, found["L0H0"].high) == pytest.approx((0.2, 0.4))
    one = Carried(parts, values, values - 1, values + 1, p)
    assert best(one, 8) == Switches.parse("L0H0,L0H1")
    assert best(one, 1) == Switches.parse("L0H0")
    # too few arrangements for a p: the order alone decides, and what carries nothing stays on
    untested = dataclasses.replace(one, p=np.full(5, np.nan), values=values - [0, 0, 1, 0, 0])
    assert best(untested, 8) == Switches.parse("L0H0,L0H1")
    assert all(row.p is None and row.p_adjusted is None for row in rows(untested))


def test_where_there_is_no_property_there_are_no_shares():
    parts = (Part("head", 0, 0), Part("mlp", 0))
    none = Carried(parts, np.array([-0.2, 0.1]), np.array([-1.0, 0]), np.array([1.0, 1]), np.array([0.9, 0.3]))
    assert [row.share for row in rows(none)] == [None, None]
    assert best(none, 3) == EVERYTHING_ON
    for figure in (finding_figures.found(rows(none), "T"), finding_figures.grid(rows(none), "T")):
        assert "nothing to share" in figure.layout.annotations[0].text


def test_parts_are_named_as_they_are_switched_off(carried):
    for part in carried.parts:
        if part.kind in ("head", "mlp"):
            assert str(Switches.parse(named(part))) == named(part)


def test_rows_survive_json(carried):
    adapter = TypeAdapter(tuple[HeadShare, ...])
    found = rows(carried)
    assert adapter.validate_python(json.loads(json.dumps(adapter.dump_python(found, mode="json")))) == found


def test_bars_are_the_heads_in_order_with_their_intervals(carried):
    found = rows(carried)
    figure = finding_figures.found(found, "Who carries it?")
    heads = [row for row in found if row.kind == "head"]
    assert list(figure.layout.yaxis.categoryarray) == [row.part for row in heads][: finding_figures.SHOWN]
    drawn = {part: share for trace in figure.data for part, share in zip(trace.y, trace.x, strict=True)}
    assert drawn == {row.part: row.share for row in heads}
    clear = figure.data[0]
    assert "L1H2" in clear.y
    assert clear.error_x.array[0] == pytest.approx(heads[0].high - heads[0].share)
    assert clear.error_x.arrayminus[0] == pytest.approx(heads[0].share - heads[0].low)
    grey = [part for trace in figure.data if trace.marker.color == finding_figures.GREY for part in trace.y]
    assert set(grey) == {row.part for row in heads if not row.clear}


def test_the_grid_has_every_head_in_its_place(carried):
    figure = finding_figures.grid(rows(carried), "Where?")
    heat, dots = figure.data
    assert heat.z.shape == (LAYERS, HEADS)
    for row in rows(carried):
        if row.kind == "head":
            assert heat.z[row.layer, row.head] == row.share
            assert row.part in heat.customdata[row.layer, row.head]
    assert heat.zmax == -heat.zmin == np.abs(heat.z).max()
    assert {(y, x) for x, y in zip(dots.x, dots.y, strict=True)} == {
        (row.layer, row.head) for row in rows(carried) if row.clear
    }


def test_a_search_without_a_test_is_drawn_as_one(carried):
    untested = rows(dataclasses.replace(carried, p=np.full(len(carried.parts), np.nan)))
    assert "too few pictures" in finding_figures.found(untested, "T").data[0].name
