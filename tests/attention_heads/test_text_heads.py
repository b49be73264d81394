"""Heads of the text tower: their effects sum to the similarity, and tokens to heads."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter

from probes.attention_heads.text_heads import END, REST, START, TextHeads, text_heads, why_not
from probes.backend import load
from probes.core.errors import CapabilityError
from tests.backend import small
from tests.fakes import PixelBackend, noise

TEXT, OTHER = "a red honeybee", "a dog on the snow"


@pytest.fixture(scope="module", params=["plain", "without a mask", "bundled"])
def clip(request, tmp_path_factory):
    if request.param == "bundled":
        return load("bundled:balanced", precision="float32")
    text = {"no_causal_mask": True, "pool_type": "last"} if request.param == "without a mask" else {}
    config = small.config(text=text, custom_text=bool(text))
    return small.open_folder(small.save(tmp_path_factory.mktemp("tower"), config, seed=2))


def shown():
    return small.pictures(1)[0]


def test_effects_sum_to_the_models_own_similarity(clip):
    found = text_heads(clip, shown(), TEXT)
    cosine = clip.encode_images([shown()]) @ clip.encode_texts([TEXT]).T
    assert found.check.similarity == pytest.approx(float(cosine[0, 0]), abs=1e-5)
    assert found.check.sum_of_terms == pytest.approx(found.check.similarity, abs=1e-5)
    parts = sum(row.effect for row in found.rows) + sum(row.effect for row in found.mlp_rows) + found.rest
    assert parts == pytest.approx(found.check.sum_of_terms, abs=1e-9)
    assert found.check.reconstruction_error < 1e-5


def test_each_effect_is_what_the_terms_say(clip):
    taken = clip.decompose_texts([TEXT])
    direction = clip.encode_images([shown()])[0].astype(np.float64)
    found = text_heads(clip, shown(), TEXT)
    terms = np.einsum("lhe,lhed->lhd", taken.outputs[0].astype(np.float64), taken.writes.astype(np.float64))
    np.testing.assert_allclose(found.heads, terms @ direction, atol=1e-6)
    np.testing.assert_allclose(found.mlps, taken.mlps[0].astype(np.float64) @ direction, atol=1e-6)
    assert found.rows[1].layer == 0
    assert found.rows[1].head == 1
    assert found.rows[1].effect == found.heads[0, 1]


def test_of_two_texts_the_second_is_taken_off(clip):
    one, other, both = (text_heads(clip, shown(), *texts) for texts in ((TEXT,), (OTHER,), (TEXT, OTHER)))
    np.testing.assert_allclose(both.heads, one.heads - other.heads, atol=1e-6)
    np.testing.assert_allclose(both.mlps, one.mlps - other.mlps, atol=1e-6)
    difference = one.check.similarity - other.check.similarity
    assert both.check.similarity == pytest.approx(difference, abs=1e-6)
    assert both.check.sum_of_terms == pytest.approx(both.check.similarity, abs=2e-5)
    np.testing.assert_allclose(both.by_token[1], other.by_token[0], atol=1e-6)
    same = text_heads(clip, shown(), TEXT, TEXT)
    assert np.abs(same.heads).max() < 1e-6


def test_tokens_sum_to_heads_and_are_called_what_they_are(clip):
    found = text_heads(clip, shown(), TEXT)
    np.testing.assert_allclose(found.by_token[0].sum(-1), found.heads, atol=1e-5)
    pieces = clip.tokens([TEXT])[0].pieces
    assert found.tokens[0][: len(pieces) + 2] == (START, *pieces, END)
    assert set(found.tokens[0][len(pieces) + 2 :]) <= {REST}
    assert [row.token for row in found.token_rows] == list(found.tokens[0])
    assert sum(row.effect for row in found.token_rows) == pytest.approx(found.heads.sum(), abs=1e-4)


def test_without_a_causal_mask_padding_is_read_as_well(tmp_path):
    text = {"no_causal_mask": True, "pool_type": "last"}
    open_ = small.open_folder(small.save(tmp_path / "open", small.config(text=text, custom_text=True)))
    masked = small.open_folder(small.save(tmp_path / "masked", small.config()))
    assert text_heads(open_, shown(), TEXT).tokens[0][-1] == REST
    assert text_heads(masked, shown(), TEXT).tokens[0][-1] == END


def test_tokens_are_left_out_unless_asked_for(clip):
    found = text_heads(clip, shown(), TEXT, by_token=False)
    assert found.by_token == found.token_rows == ()
    np.testing.assert_allclose(found.heads, text_heads(clip, shown(), TEXT).heads, atol=1e-6)


def test_a_result_survives_json(clip):
    found = text_heads(clip, shown(), TEXT, OTHER)
    adapter = TypeAdapter(TextHeads)
    again = adapter.validate_json(adapter.dump_json(found))
    assert again.rows == found.rows
    assert again.check == found.check
    assert again.token_rows == found.token_rows


def test_a_tower_without_heads_says_so(clip):
    assert why_not(clip) is None
    assert "texts of pixels have no heads" in why_not(PixelBackend())
    with pytest.raises(CapabilityError, match="texts of pixels have no heads"):
        text_heads(PixelBackend(), noise(0), TEXT)
