"""The page on towers of other families: what can be exact is answered, what cannot is said in a sentence."""

from __future__ import annotations

import pytest

from probes.attention_heads import PROBE, explorer
from probes.attention_heads.parameters import MY_WORDS, AttentionHeadsParams
from probes.core.errors import CapabilityError
from probes.core.examples import examples
from probes.core.model import Capability
from probes.core.probe import run
from tests.backend import small

FAMILIES = {
    "plain": small.config(),
    "one layer, one head": small.config({"layers": 1, "head_width": 48}),
    "oblong": small.config({"image_size": [24, 40]}),
    "mean of patches": small.config({"pool_type": "avg", "final_ln_after_pool": True, "no_ln_pre": True}),
    "resnet": small.config({"layers": [1, 1, 1, 1], "width": 8, "image_size": 64}),
    "attention pooling": small.config(
        {"attentional_pool": True, "attn_pooler_heads": 3, "attn_pooler_queries": 4}
    ),
}


def asked(**changes):
    scene = next(one for one in examples() if one.file.stem == "cow-on-the-sea")
    few = {"phrases": ("red", "blue", "a cow", "the sea"), "phrases_a_head": 2, "resamples": 3}
    return AttentionHeadsParams(**{"images": (scene.picture(),), "texts": ("a cow", "a dog"), **few, **changes})


@pytest.fixture(scope="module", params=FAMILIES, ids=list(FAMILIES))
def clip(request, tmp_path_factory):
    folder = small.save(tmp_path_factory.mktemp("family"), FAMILIES[request.param])
    return small.open_folder(folder)


def test_the_page_answers_and_its_parts_sum_to_the_whole(clip):
    params = asked(
        caption="a cow", other_pictures=5, carries=MY_WORDS, sets=("red; pink", "blue; green"), off="L0"
    )
    report = run(PROBE, params, clip)
    result, tables = report.result, report.tables()
    (check,) = tables["check"]
    assert check.reconstruction_error < 1e-5
    assert check.sum_of_terms == pytest.approx(check.similarity, abs=1e-5)
    parts = sum(row.effect for name in ("heads", "mlps", "rest") for row in tables[name])
    assert parts == pytest.approx(check.similarity, abs=1e-5)
    assert tables["found"]
    assert tables["ablated"]
    assert (result.words is None) is not clip.card.can(Capability.ATTRIBUTE)
    if result.words is None:
        assert any("attribute to words and patches" in warning for warning in result.warnings())
    payload = explorer.payload(params, result)
    rows, columns = payload["grid"]
    assert rows * columns * payload["heads"] * len(payload["layers"]) == result.effects.maps[0].size
    drawn = PROBE.figures(result)
    assert {"grid", "maps", "directions", "overview", "found", "ablated"} <= set(drawn)


def test_a_tower_whose_heads_cannot_be_told_apart_is_refused_before_anything_is_computed(tmp_path):
    clip = small.open_folder(small.save(tmp_path, small.config({"pool_type": "avg"})))
    with pytest.raises(CapabilityError, match="Attention heads needs a model that can decompose"):
        run(PROBE, asked(), clip)
