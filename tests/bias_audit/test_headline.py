"""What headline and figures lead with, and what a reader is told first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.bias_audit import PROBE
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.result import clear
from probes.bias_audit.sample import ordered
from probes.core.embeddings import Embeddings
from probes.core.errors import FieldError
from probes.core.picture_sets import PictureFiles
from probes.core.probe import run
from probes.core.tables import Table
from probes.core.word_lists import lists
from tests.bias_audit.planted import of, unit
from tests.fakes import CARD, PixelBackend

GROUPS = ("alpha", "beta", "gamma")


def three_groups(leaning="gamma"):
    """Embeddings of ninety pictures in three groups, of which one leans to two of three words."""
    rng = np.random.default_rng(0)
    group = [GROUPS[i % 3] for i in range(90)]
    rows = rng.normal(size=(90, 8))
    rows[:, 0] += [2.0 * (name == leaning) for name in group]
    words = np.eye(8)[:3] * 0.2
    words[:2, 0] += 1.0
    table = Table.read(
        ("file,race\n" + "".join(f"{i},{name}\n" for i, name in enumerate(group))).encode(), "t.csv"
    )
    return BiasAuditParams(
        group="race", words=("x", "y", "z"), k=10, attributes=table,
        image_embeddings=Embeddings("pictures", unit(rows), "0"),
        text_embeddings=Embeddings("words", unit(words), "1"),
    )  # fmt: skip


@pytest.mark.parametrize("leaning", GROUPS)
def test_of_several_groups_the_one_with_most_clear_words_leads(leaning):
    result = run(PROBE, three_groups(leaning), PixelBackend()).result
    counted = {group: len(clear(of(result.measures, "association_difference", group=group))) for group in GROUPS}
    assert counted[leaning] == max(counted.values()) >= 2
    assert result.foremost == leaning
    total = sum(counted.values())
    assert f"{total} of 9 differences are clear" in result.headline()
    assert f"most for {leaning}, {counted[leaning]} of 3 words" in result.headline()


def test_what_is_asked_first_does_not_name_the_group_that_leads():
    """Models in which other groups lead are asked the same, over all groups, and told what was corrected."""
    results = [run(PROBE, three_groups(leaning), PixelBackend()).result for leaning in GROUPS]
    assert len({result.foremost for result in results}) == 3
    guesses = [PROBE.guess(result) for result in results]
    assert len({(one.question, one.options) for one in guesses}) == 1
    assert not any(f"“{group}”" in guesses[0].question for group in GROUPS)
    assert "the 9 differences are clear, after correction" in guesses[0].question
    for result, one in zip(results, guesses, strict=True):
        every = [m for group in GROUPS for m in result.of_group(group)]
        assert one.told.startswith(f"{len(clear(every))} of 9 differences")
        assert one.right == (2 if 2 * len(clear(every)) >= 9 else 1)


def test_the_forest_has_every_group_in_its_menu_and_shows_one():
    result = run(PROBE, three_groups(), PixelBackend()).result
    forest = PROBE.figures(result)["forest"]
    (menu,) = forest.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["gamma", "alpha", "beta"]
    assert [trace.visible for trace in forest.data] == list(menu.buttons[0].args[0]["visible"])
    for button in menu.buttons:
        seen = [trace for trace, on in zip(forest.data, button.args[0]["visible"], strict=True) if on]
        values = sorted(value for trace in seen for value in trace.x)
        rows = of(result.measures, "association_difference", group=button.label)
        assert values == pytest.approx(sorted(m.value for m in rows))
        assert button.args[1]["title.text"].startswith(button.label)


def test_pairs_of_more_than_two_groups_say_who_is_left_out():
    params = BiasAuditParams(words=("x", "y"), templates=("{}",), k=9)
    result = run(PROBE, params, PixelBackend()).result
    assert [row.group for row in result.groups] == ["man", "woman", "person"]
    assert any("are of man and woman; person" in text for text in result.warnings())
    two = run(PROBE, replace(params, groups=("man", "woman")), PixelBackend()).result
    assert not any("Name two groups" in text for text in two.warnings())


def test_values_are_listed_as_people_list_them():
    ages = ["more than 70", "10-19", "3-9", "0-2", "20-29"]
    assert sorted(ages, key=ordered) == ["0-2", "3-9", "10-19", "20-29", "more than 70"]
    assert sorted(["dark", "none", "woman", "light", "man"], key=ordered) == [
        "man",
        "woman",
        "none",
        "light",
        "dark",
    ]


def test_random_weights_are_said_to_have_learned_nothing():
    params = BiasAuditParams(groups=("man", "woman"), words=("x",), templates=("{}",), k=9)
    random = PixelBackend(card=replace(CARD, pretrained="random, seed 0"))
    assert any("learned nothing" in text for text in run(PROBE, params, random).result.warnings())
    assert not any("learned nothing" in text for text in run(PROBE, params, PixelBackend()).result.warnings())


@pytest.mark.parametrize(("harm", "beside"), [(lists()["crime"].words, True), (("a mox person",), False)])
def test_published_figures_stand_beside_their_own_kind_alone(harm, beside):
    table = Table.read(
        b"file,gender\n" + b"".join(b"%d,%s\n" % (i, (b"Male", b"Female")[i % 2]) for i in range(40)), "t"
    )
    rows = unit(np.random.default_rng(1).normal(size=(40, CARD.width)))
    params = BiasAuditParams(
        attributes=table, image_embeddings=Embeddings("faces", rows, "0"), words=("x",), k=5, harm_words=harm
    )
    assert bool(run(PROBE, params, PixelBackend()).result.published) == beside


def test_what_the_table_shows_to_be_wrong_is_said_before_pictures_are_read():
    files = PictureFiles.of_bytes({f"{i}.png": b"no picture" for i in range(4)}, "broken")
    table = Table.read(b"file,race\n0.png,a\n1.png,a\n2.png,b\n3.png,b\n", "t")
    asked = BiasAuditParams(images=files, attributes=table, group="race", words=("x",), k=2)
    for wrong, field in (
        ({"group": "nonsense"}, "group"), ({"groups": ("a", "c")}, "groups"), ({"by": "nonsense"}, "by"),
        ({"pair_column": "nonsense"}, "pair_column"), ({"mitigate": "texts", "task": "nonsense"}, "task"),
    ):  # fmt: skip
        with pytest.raises(FieldError) as caught:
            run(PROBE, replace(asked, **wrong), PixelBackend())
        assert caught.value.field == field
    with pytest.raises(FieldError) as caught:  # nothing wrong with the table: the pictures are what is wrong
        run(PROBE, asked, PixelBackend())
    assert caught.value.field == "images"
