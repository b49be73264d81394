"""What comes out of the towers, against open_clip's own loop over `preprocess` and `encode_image`."""

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from probes.backend import load
from probes.backend.preprocessing import Preprocessing
from tests.backend import small

TEXTS = ["a cat", "a photo of a dog", "", "Ünïcode 🎉", "lone \ud800 surrogate"]


def loop(folder, shown, texts=()):
    """open_clip's own way, one picture at a time."""
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.no_grad():
        images = [model.encode_image(preprocess(picture.image())[None], normalize=True)[0] for picture in shown]
        words = [model.encode_text(tokenizer([text]), normalize=True)[0] for text in texts]
    return np.array(torch.stack(images)), np.array(torch.stack(words)) if words else None


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_embeddings_agree_with_open_clips_own_loop(vit_folder, precision):
    backend, shown = small.open_folder(vit_folder, precision), small.pictures(7)
    images, texts = loop(vit_folder, shown, TEXTS[:4])
    least = 0.99999 if precision == "float32" else 0.999
    assert (backend.encode_images(shown) * images).sum(1).min() > least
    assert (backend.encode_texts(TEXTS[:4]) * texts).sum(1).min() > least
    assert backend.card.precision == precision


def test_rows_are_float32_of_unit_length(vit):
    for rows in (vit.encode_images(small.pictures(40)), vit.encode_texts(TEXTS)):
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert vit.encode_images([]).shape == vit.encode_texts([]).shape == (0, 24)


def test_a_row_does_not_depend_on_its_company(vit_folder):
    shown = small.pictures(33)
    together = small.open_folder(vit_folder).encode_images(shown)
    alone = small.open_folder(vit_folder).encode_images(shown[32:])
    np.testing.assert_allclose(together[32], alone[0], atol=1e-6)


def test_logits_use_the_models_own_scale(vit):
    images, texts = vit.encode_images(small.pictures(3)), vit.encode_texts(TEXTS)
    expected = np.exp(np.float64(vit._model.logit_scale)) * images.astype(np.float64) @ texts.astype(np.float64).T
    np.testing.assert_allclose(vit.logits(images, texts), expected, atol=1e-4)
    assert (vit.card.logit_bias, vit.card.sigmoid) == (0.0, False)


def test_siglip_has_a_bias_and_a_sigmoid(siglip_folder):
    backend = small.open_folder(siglip_folder)
    images, texts = backend.encode_images(small.pictures(2)), backend.encode_texts(TEXTS[:2])
    assert backend.card.sigmoid
    assert backend.card.logit_bias == -10.0
    ids = backend._tokenize(TEXTS[:2])
    pixels = backend._preprocessing.unit([backend._preprocessing.pixels(p) for p in small.pictures(2)])
    with torch.no_grad():
        expected, _ = backend._model.get_logits(backend._preprocessing.normalise(pixels), ids)
    np.testing.assert_allclose(backend.logits(images, texts), expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [32, (24, 40)])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_preprocessing_gives_open_clips_own_values(mode, size, interpolation):
    config = open_clip.transform.PreprocessCfg(
        size=size, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3), resize_mode=mode, interpolation=interpolation
    )
    ours, theirs = Preprocessing(config, small.CPU), open_clip.transform.image_transform_v2(config, is_train=False)
    shown = small.pictures(4, sizes=((40, 60), (20, 90), (32, 32), (1, 7)))
    batch = ours.normalise(ours.unit([ours.submit(picture).result() for picture in shown]))
    expected = torch.stack([theirs(picture.image()) for picture in shown])
    torch.testing.assert_close(batch.contiguous(), expected, rtol=0, atol=1e-6)


def test_preprocess_shows_what_the_tower_sees(vit):
    raster = vit.preprocess(small.pictures(1, sizes=((64, 96),)))[0].decode()
    assert raster.shape == (*vit.card.image_size, 3)
    whole = small.pictures(1, sizes=((64, 96),))[0].image().resize((48, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(raster, np.asarray(whole.crop((8, 0, 40, 32))))


def test_tokens_and_what_is_cut_off(vit):
    short, long, empty = vit.tokens(["two words", "one " * 20, ""])
    assert (short.pieces, short.dropped) == (("two", "words"), 0)
    assert (len(long.pieces), long.dropped, long.truncated) == (14, 6, True)
    assert (empty.pieces, empty.dropped) == ((), 0)
    kept, whole = vit.encode_texts(["one " * 14, "one " * 20])
    np.testing.assert_allclose(kept, whole, atol=1e-6)


def test_progress_is_told_and_can_stop(vit):
    told = []
    vit.encode_images(small.pictures(70), lambda share, doing: told.append(share))
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)

    def stop(share, doing):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vit.encode_images(small.pictures(3, seed=9), stop)
    assert vit.encode_images(small.pictures(3, seed=9)).shape == (3, 24)


def test_running_out_of_memory_makes_smaller_batches(vit, monkeypatch):
    plain, sizes = vit._model.encode_image, []

    def tight(batch):
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return plain(batch)

    expected = vit.encode_images(small.pictures(5))
    vit._encoder._memory.clear()
    monkeypatch.setattr(vit._model, "encode_image", tight)
    np.testing.assert_allclose(vit.encode_images(small.pictures(5)), expected, atol=1e-6)
    assert sizes == [5, 2, 2, 1]


def test_broken_weights_are_said_to_be_broken(vit_folder):
    from probes.core.errors import ModelError

    backend = small.open_folder(vit_folder)
    backend._model.visual.proj.data[0, 0] = float("nan")
    with pytest.raises(ModelError, match="not numbers"):
        backend.encode_images(small.pictures(1))


def test_the_bundled_model_through_the_front_door():
    from probes.backend import bundled

    if not bundled():
        pytest.skip("no bundled model is there yet")
    backend = load("bundled", device="cpu")
    assert backend is load(f" {bundled()[0].spec}", device="cpu"), "the pool has one of each"
    shown = small.pictures(3)
    images, _ = loop(bundled_folder(), shown)
    assert (backend.encode_images(shown) * images).sum(1).min() > 0.99999
    assert backend.decompose(shown).error < 1e-5
    assert backend.card.precision == "float32"


def bundled_folder():
    from probes.backend import specs

    return specs.bundled_folder(specs.bundled_names()[0])
