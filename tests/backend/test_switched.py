"""Parts that are switched off write their mean over other pictures, and everything else is as it was."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from probes.backend.pool import Pool
from probes.core.errors import CapabilityError, ModelError
from probes.core.model import Capability
from probes.core.pictures import Picture
from probes.core.switches import Switches
from tests.backend import small

USUAL = small.pictures(40, seed=11)
SHOWN = small.pictures(7, seed=5)


def switched(vit, written):
    return vit.without(Switches.parse(written), USUAL)


def slowly(vit, heads, mlps):
    """Mean ablation in float64 from the full terms."""
    parts, usual = vit.decompose(SHOWN), vit.decompose(USUAL)
    rows = parts.embedding.astype(np.float64)
    for layer, head in heads:
        rows += usual.heads[:, layer, head].mean(0, dtype=np.float64) - parts.heads[:, layer, head]
    for layer in mlps:
        rows += usual.mlps[:, layer].mean(0, dtype=np.float64) - parts.mlps[:, layer]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("written", "heads", "mlps"),
    [
        ("L1H2", [(1, 2)], []),
        ("L0H0,L2H1,M1", [(0, 0), (2, 1)], [1]),
        ("L2", [(2, 0), (2, 1), (2, 2)], []),
        ("M0,M1,M2", [], [0, 1, 2]),
    ],
)
def test_embeddings_are_those_of_the_full_terms(vit, written, heads, mlps):
    off = switched(vit, written)
    expected = slowly(vit, heads, mlps)
    np.testing.assert_allclose(off.encode_images(SHOWN), expected, atol=1e-5)
    assert np.abs(expected - vit.encode_images(SHOWN)).max() > 1e-3
    np.testing.assert_array_equal(off.encode_images(SHOWN), off.encode_images(SHOWN[:7]))


def test_everything_off_leaves_the_same_embedding_for_all_but_for_what_enters(vit):
    """What is left is the token that enters and the constants."""
    parts, usual = vit.decompose(SHOWN), vit.decompose(USUAL)
    rest = parts.initial + parts.constant + (usual.embedding - usual.initial - usual.constant).mean(0)
    expected = rest / np.linalg.norm(rest, axis=1, keepdims=True)
    found = switched(vit, "L0,L1,L2,M0,M1,M2").encode_images(SHOWN)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_off_writes_nothing_and_the_rest_still_sums(vit):
    off = switched(vit, "L1H2,M0")
    parts = off.decompose(SHOWN, by_token=True)
    assert parts.error < 1e-5
    np.testing.assert_allclose(parts.total(), off.encode_images(SHOWN), atol=1e-5)
    assert np.abs(parts.outputs[:, 1, 2]).max() == np.abs(parts.mlps[:, 0]).max() == 0
    assert np.abs(parts.by_token[:, 1, 2]).max() == 0
    assert np.abs(parts.by_token.sum(3) - parts.outputs).max() < 1e-5


def test_on_the_usual_pictures_the_mean_before_the_norm_stays(vit):
    """Ablating by the mean of the very same pictures moves no mean."""
    off = switched(vit, "L0H1,L2H2")
    parts = vit.decompose(USUAL)
    written = parts.head(0, 1) + parts.head(2, 2)
    np.testing.assert_allclose(off.mean, written.mean(0), atol=1e-6)


def test_the_card_tells_what_is_off_and_the_cache_keeps_apart(vit):
    off, other = switched(vit, "L1H2"), switched(vit, "L1H1")
    assert off.card.spec == f"{vit.card.spec}~L1H2"
    assert off.card.name.endswith("without L1H2")
    assert "L1H2" in off.card.warnings[-1]
    assert "40 other pictures" in off.card.warnings[-1]
    assert len({vit.card.weights_digest, off.card.weights_digest, other.card.weights_digest}) == 3
    rows = [model.encode_images(SHOWN) for model in (vit, off, other)]
    assert all(np.abs(rows[i] - rows[j]).max() > 1e-3 for i, j in ((0, 1), (0, 2), (1, 2)))
    elsewhere = vit.without(Switches.parse("L1H2"), SHOWN)
    assert elsewhere.card.weights_digest != off.card.weights_digest
    assert np.abs(elsewhere.encode_images(SHOWN) - rows[1]).max() > 1e-5


def test_texts_attention_and_preprocessing_are_the_models_own(vit):
    off = switched(vit, "L0")
    np.testing.assert_array_equal(off.encode_texts(["a cat"]), vit.encode_texts(["a cat"]))
    np.testing.assert_array_equal(off.attention(SHOWN[:2]), vit.attention(SHOWN[:2]))
    assert off.preprocess(SHOWN[:1])[0].decode().shape == vit.preprocess(SHOWN[:1])[0].decode().shape
    with pytest.raises(CapabilityError, match="no gradients"):
        off.gradient(SHOWN[0], "a cat")
    assert not off.card.can(Capability.DIFFERENTIATE)


def test_foveal_attention_works_on_what_is_left(vit):
    off = switched(vit, "L2H0")
    black = [Picture("focus", np.zeros(picture.rgb.shape, np.uint8)) for picture in SHOWN]
    half = [Picture("focus", np.where(np.arange(p.rgb.shape[1])[None, :, None] < 9, 255, 0).astype(np.uint8)
                    * np.ones(p.rgb.shape, np.uint8)) for p in SHOWN]  # fmt: skip
    plain = off.encode_images(SHOWN)
    np.testing.assert_allclose(off.encode_focused(SHOWN, half, 0.0), plain, atol=1e-5)
    np.testing.assert_allclose(off.encode_focused(SHOWN, black, 5.0), plain, atol=1e-5)
    found = off.encode_focused(SHOWN, half, 5.0)
    assert np.abs(found - plain).max() > 1e-3
    assert np.abs(found - vit.encode_focused(SHOWN, half, 5.0)).max() > 1e-3


def test_several_switches_at_once_do_not_mix(vit):
    written = ["L0H0", "L1H1", "L2H2", "M1"]
    alone = [switched(small.open_folder(vit_folder_of(vit)), one).encode_images(SHOWN) for one in written]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: switched(vit, one).encode_images(SHOWN), written))
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def vit_folder_of(vit):
    from pathlib import Path

    return Path(vit.card.spec.removeprefix("local-dir:"))


def test_loading_by_name(vit_folder):
    pool = Pool(10**9, usual=lambda: USUAL)
    whole = pool.load(f"local-dir:{vit_folder}", device="cpu")
    off = pool.load(f"local-dir:{vit_folder}~L1H2,M0", device="cpu")
    assert off.card.spec == f"local-dir:{vit_folder}~L1H2,M0"
    assert pool.loaded() == (f"local-dir:{vit_folder}",)
    np.testing.assert_allclose(
        off.encode_images(SHOWN), whole.without(Switches.parse("M0,L1H2"), USUAL).encode_images(SHOWN), atol=1e-6
    )
    with pytest.raises(ModelError, match="no L7H0"):
        pool.load(f"local-dir:{vit_folder}~L7", device="cpu")
