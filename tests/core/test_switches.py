"""What is switched off, as it is written behind a model's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.errors import ModelError
from probes.core.switches import Switches, split

PLACES = st.integers(0, 40)


@given(st.sets(st.tuples(PLACES, PLACES)), st.sets(PLACES), st.sets(PLACES))
def test_what_is_written_reads_back(heads, layers, mlps):
    switches = Switches(frozenset(h for h in heads if h[0] not in layers), frozenset(layers), frozenset(mlps))
    assert Switches.parse(str(switches)) == switches
    assert bool(switches) == bool(heads or layers or mlps)
    if switches:
        assert split(f"bundled:skewed~{switches}") == ("bundled:skewed", switches)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("l4h2", "L4H2"),
        (" L10H1 , L9 ,M3,", "L9,L10H1,M3"),
        ("L4H1,L4", "L4"),
        ("M2,L1H0+L0H5", "L0H5,L1H0,M2"),
        ("L4H2,L4H2", "L4H2"),
    ],
)
def test_spelling(written, canonical):
    assert str(Switches.parse(written)) == canonical


@pytest.mark.parametrize("written", ["4", "L", "H2", "L4H", "L4M2", "LxH1", "L-1", "L4H2;L3", "L1234"])
def test_what_is_no_part_is_refused(written):
    with pytest.raises(ModelError, match="no part of a tower"):
        split(f"bundled:skewed~{written}")


@pytest.mark.parametrize(
    "spec", ["bundled", "ViT-B-32:openai", "local-dir:~/mine", "local-dir:/a~b/c", "local-dir:/a~b"]
)
def test_names_without_switches_stay_as_they_are(spec):
    assert split(spec) == (spec, Switches())


def test_nothing_after_the_mark_is_refused():
    with pytest.raises(ModelError, match="come parts of the tower"):
        split("bundled:skewed~")


def test_a_whole_layer_is_all_its_heads():
    assert Switches.parse("L2,L0H1").off(3) == ((0, 1), (2, 0), (2, 1), (2, 2))


@pytest.mark.parametrize(
    ("written", "said"),
    [("L2H3", "no L2H3: the image tower has 3 layers of 3 heads"), ("L3", "no L3H0"), ("M3", "no M3: .* 3 MLPs")],
)
def test_parts_the_tower_does_not_have(written, said):
    with pytest.raises(ModelError, match=said):
        Switches.parse(written).check(3, 3, 3)
    Switches.parse("L2H2,L0,M2").check(3, 3, 3)
