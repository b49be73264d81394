"""Direct effects: they sum to the similarity, stray where something is planted, and switch off exactly."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest

from probes.attention_heads.ablating import Labelled, ablate, layer_by_layer, right, without
from probes.attention_heads.effects import effects, strays
from probes.backend import load
from probes.cli import main
from probes.core.errors import ModelError
from probes.core.examples import examples
from probes.core.switches import Switches
from probes.usual_pictures import usual_pictures

TEXTS = ("an elephant", "a penguin", "a cow")


@lru_cache(maxsize=1)
def clip():
    return load("bundled:skewed", precision="float32")


def example(stem="elephant-on-sand"):
    return next(one for one in examples() if one.file.stem == stem).picture()


@pytest.fixture(scope="module")
def others():
    return clip().decompose(usual_pictures())


@pytest.fixture(scope="module")
def found(others):
    own = clip().decompose([example()], by_token=True)
    return effects(own, others, clip().encode_texts(TEXTS), clip().attention([example()]))


def test_the_effects_sum_to_the_difference_of_the_similarities(found):
    x, texts = clip().encode_images([example()])[0].astype(np.float64), clip().encode_texts(TEXTS)
    wanted = x @ texts[0] - (x @ texts[1:].T).mean()
    rows = (*found.rows, *found.mlp_rows, *found.rest)
    assert sum(row.effect for row in rows) == pytest.approx(wanted, abs=1e-5)
    assert found.check.similarity == pytest.approx(wanted, abs=1e-5)
    assert found.check.sum_of_terms == pytest.approx(wanted, abs=1e-5)
    assert found.check.reconstruction_error < 1e-5


def test_patches_and_other_tokens_sum_to_their_head(found):
    through = found.maps.sum(axis=(3, 4), dtype=np.float64) + found.elsewhere
    np.testing.assert_allclose(through, found.heads, atol=1e-5)


def test_what_is_usual_is_the_mean_over_the_other_pictures(found):
    texts = clip().encode_texts(TEXTS)
    pictures = usual_pictures()
    some = clip().decompose(pictures[:64]), clip().decompose(pictures[64:])
    heads = np.concatenate([part.heads[:, 4, 2] for part in some]).astype(np.float64)
    assert found.usual_heads[0, 4, 2] == pytest.approx((heads @ texts[0]).mean(), abs=1e-5)
    means = clip().encode_images(pictures).astype(np.float64).mean(axis=0)
    assert found.usual_similarity[0] == pytest.approx(means @ texts[0], abs=1e-5)


@pytest.mark.parametrize("off", ["L5H1", "L2,L5H0,M4", "M0,M5"])
def test_products_give_the_similarity_with_parts_off_as_the_switched_model_does(found, off):
    """What the page reckons in the browser while a visitor switches heads."""
    switches = Switches.parse(off)
    layers, heads = found.heads.shape[1:]
    parts = [layer * heads + head for layer, head in switches.off(heads)]
    parts += [layers * heads + layer for layer in sorted(switches.mlps)]
    beyond = np.concatenate([(found.heads - found.usual_heads)[0].ravel(), (found.mlps - found.usual_mlps)[0]])
    chosen = np.ix_(parts, parts)
    length = np.sqrt(1 - 2 * found.onto[parts].sum() + found.products[chosen].sum())
    reckoned = (found.similarity[0] - beyond[parts].sum()) / length
    switched = clip().without(switches, usual_pictures())
    wanted = switched.encode_images([example()])[0] @ clip().encode_texts(TEXTS[:1])[0]
    assert reckoned == pytest.approx(float(wanted), abs=1e-5)


@pytest.mark.parametrize("off", ["L5H1", "L2,L5H0,M4"])
def test_without_is_the_switched_model(others, off):
    pictures = [example(), example("cow-on-the-sea"), example("rocket")]
    switched = clip().without(Switches.parse(off), usual_pictures()).encode_images(pictures)
    np.testing.assert_allclose(
        without(clip().decompose(pictures), others, Switches.parse(off)), switched, atol=1e-5
    )


def test_a_planted_stray_is_found_and_chance_is_not():
    rng = np.random.default_rng(0)
    usual = rng.normal(size=(199, 3, 4))
    own = rng.normal(size=(3, 4)).clip(-1.5, 1.5)
    own[1, 2] = 8.0
    p, adjusted = strays(own, usual)
    assert p[1, 2] == adjusted[1, 2] == 1 / 200
    assert np.delete(adjusted.ravel(), 6).min() > 0.05
    assert (adjusted >= p).all()


def test_corrected_strays_err_as_often_as_they_should():
    """A picture like any other: the least corrected p is uniform, so 5 % of pictures call a head."""
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(400):
        every = rng.normal(size=(100, 2, 6)) @ np.diag([1, 2, 5, 1, 1, 3])
        called += strays(every[0], every[1:])[1].min() <= 0.05
    assert 0.03 <= called / 400 <= 0.075


def test_a_head_that_does_the_same_to_every_picture_strays_nowhere():
    own, usual = np.zeros((1, 2)), np.zeros((50, 1, 2))
    usual[:, 0, 1] = np.linspace(-1, 1, 50)
    own[0] = 0.3, 5.0
    usual[:, 0, 0] = 0.3
    p, adjusted = strays(own, usual)
    assert p[0, 0] == adjusted[0, 0] == 1.0
    assert adjusted[0, 1] == 1 / 51


def labelled(others):
    pictures = usual_pictures()[:40]
    taken = clip().decompose(pictures)
    texts = clip().encode_texts(["a dog", "a cat", "a key"])
    labels = (taken.embedding @ texts.T).argmax(axis=1)
    labels[::4] = (labels[::4] + 1) % 3
    return Labelled(taken, labels, texts, others)


def test_accuracy_with_nothing_off_is_that_of_the_model_and_ties_are_wrong(others):
    pictures = labelled(others)
    nothing, off, chance = ablate(pictures, Switches.parse("L5"), 0)
    assert nothing.accuracy == 0.75
    assert nothing.change == nothing.change_low == 0.0
    assert off.heads == chance.heads == 6
    assert off.change == pytest.approx(off.accuracy - 0.75)
    assert chance.low <= chance.accuracy <= chance.high
    same = np.tile(pictures.texts[:1], (3, 1))
    assert not right(pictures.taken.embedding, same, pictures.labels).any()


def test_layer_by_layer_ends_where_all_heads_or_mlps_are_off(others):
    pictures = labelled(others)
    steps = layer_by_layer(pictures)
    assert [(row.part, row.layers) for row in steps] == [(part, n) for part in ("heads", "MLPs") for n in range(7)]
    for part, every in (("heads", "L0,L1,L2,L3,L4,L5"), ("MLPs", "M0,M1,M2,M3,M4,M5")):
        images = without(pictures.taken, others, Switches.parse(every))
        last = [row for row in steps if row.part == part][-1]
        assert last.accuracy == right(images, pictures.texts, pictures.labels).mean()


def test_a_part_that_is_not_there_is_refused(others):
    with pytest.raises(ModelError, match="there is no L9H0"):
        without(others, others, Switches.parse("L9H0"))


def test_the_command_line_prints_the_promised_tables(capsys):
    picture = "assets/stimuli/examples/elephant-on-sand.png"
    asked = ["run", "attention_heads", "--images", picture, "--text", "an elephant", "--phrases-a-head", "0"]
    assert main([*asked, "--model", "bundled:skewed", "--json", "-"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert list(tables["heads"][0])[:3] == ["layer", "head", "effect"]
    assert list(tables["mlps"][0])[:2] == ["layer", "effect"]
    assert list(tables["rest"][0]) == ["part", "effect"]
    assert list(tables["check"][0]) == ["reconstruction_error", "similarity", "sum_of_terms"]
    total = sum(row["effect"] for name in ("heads", "mlps", "rest") for row in tables[name])
    assert total == pytest.approx(tables["check"][0]["similarity"], abs=1e-5)
    assert len(tables["heads"]) == 36
