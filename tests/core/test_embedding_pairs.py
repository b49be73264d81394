"""Pairs from files: what is read, what is done to it, and what is refused in a sentence."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.errors import ClipspectError

RNG = np.random.default_rng(0)
IMAGES, TEXTS = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 4))


def npz(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_rows_come_out_at_unit_length_and_it_is_said():
    found = EmbeddingPairs.read([npz(images=IMAGES, texts=TEXTS)], ["x.npz"])
    assert found.images == pytest.approx(unit(IMAGES), abs=1e-6)
    assert found.texts == pytest.approx(unit(TEXTS), abs=1e-6)
    assert found.image_lengths == pytest.approx(np.linalg.norm(IMAGES, axis=1))
    assert found.notes
    assert not found.were_unit
    already = EmbeddingPairs.read([npz(images=unit(IMAGES), texts=unit(TEXTS))])
    assert already.were_unit
    assert already.notes == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_every_kind_of_number_is_read(dtype):
    rows = np.round(10 * IMAGES).astype(dtype), np.round(10 * TEXTS).astype(dtype)
    found = EmbeddingPairs.read([npz(images=rows[0], texts=rows[1])])
    assert found.images == pytest.approx(unit(rows[0].astype(float)), abs=2e-3)


def test_very_large_and_very_small_rows_keep_their_direction():
    scale = np.array([1e-300, 1e-30, 1.0, 1e30, 1e200, 1e300])[:, None]
    found = EmbeddingPairs.read([npz(images=IMAGES * scale, texts=TEXTS)])
    assert found.images == pytest.approx(unit(IMAGES), abs=1e-6)


@pytest.mark.parametrize("names", [("a.npy", "b.npy"), ("images.npy", "texts.npy")])
def test_two_files_are_taken_in_order(names):
    found = EmbeddingPairs.read([npy(IMAGES), npy(TEXTS)], names)
    assert found.images == pytest.approx(unit(IMAGES), abs=1e-6)
    assert found.texts == pytest.approx(unit(TEXTS), abs=1e-6)


def test_two_files_that_say_which_is_which_may_come_in_any_order(tmp_path):
    np.save(tmp_path / "captions.npy", TEXTS)
    np.save(tmp_path / "pictures.npy", IMAGES)
    found = EmbeddingPairs.read([tmp_path / "captions.npy", tmp_path / "pictures.npy"])
    assert found.images == pytest.approx(unit(IMAGES), abs=1e-6)
    told = [np.array(json.dumps({"kind": kind, "logit_scale": 42.0})) for kind in ("texts", "pictures")]
    ids = np.array([f"row {i}" for i in range(6)])
    made = [npz(embeddings=rows, ids=ids, provenance=one) for rows, one in zip((TEXTS, IMAGES), told, strict=True)]
    found = EmbeddingPairs.read(made, ["one.npz", "two.npz"])
    assert found.images == pytest.approx(unit(IMAGES), abs=1e-6)
    assert found.captions == tuple(ids)
    assert found.logit_scale == 42.0


def test_what_a_file_tells_of_its_pairs_is_kept():
    words = np.array(list("abcdef"))
    told = {"captions": words, "labels": words, "names": words, "logit_scale": np.float32(20)}
    content = npz(images=IMAGES, texts=TEXTS, **told)
    found = EmbeddingPairs.read([content])
    assert found.captions == found.labels == found.names == tuple("abcdef")
    assert found.logit_scale == 20.0


def bad(rows, place, value):
    changed = rows.copy()
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES, "texts": TEXTS[:5]}, "shape"),
        ({"images": IMAGES, "texts": TEXTS[:, :3]}, "shape"),
        ({"images": IMAGES[0], "texts": TEXTS[0]}, "array of rows"),
        ({"images": IMAGES[None], "texts": TEXTS[None]}, "array of rows"),
        ({"images": IMAGES[:0], "texts": TEXTS[:0]}, "array of rows"),
        ({"images": IMAGES[:1], "texts": TEXTS[:1]}, "at least two"),
        ({"images": IMAGES[:, :1], "texts": TEXTS[:, :1]}, "at least two"),
        ({"images": bad(IMAGES, (3, 1), np.nan), "texts": TEXTS}, "row 4"),
        ({"images": IMAGES, "texts": bad(TEXTS, (0, 0), np.inf)}, "row 1"),
        ({"images": bad(IMAGES, 2, 0.0), "texts": TEXTS}, "all zeros"),
        ({"images": bad(IMAGES, 5, 0.7), "texts": TEXTS}, "constant"),
        ({"images": np.ones((6, 4)), "texts": TEXTS}, "constant"),
        ({"images": IMAGES, "texts": np.tile(TEXTS[:1], (6, 1))}, "are the same"),
        ({"images": IMAGES.astype(str), "texts": TEXTS}, "numbers"),
        ({"images": IMAGES}, "'texts'"),
        ({"images": IMAGES, "texts": TEXTS, "captions": np.array(["one"])}, "1 captions for 6 rows"),
        ({"images": IMAGES, "texts": TEXTS, "logit_scale": np.array(-1.0)}, "logit_scale"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(arrays, said):
    with pytest.raises(ClipspectError, match=said):
        EmbeddingPairs.read([npz(**arrays)], ["x.npz"])


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(ClipspectError, match="no such file"):
        EmbeddingPairs.read([tmp_path / "none.npz"])
    with pytest.raises(ClipspectError, match="can be read"):
        EmbeddingPairs.read([b"this is text"], ["x.npz"])
    with pytest.raises(ClipspectError, match="can be read"):
        EmbeddingPairs.read([npz(images=np.array([None, {}], dtype=object), texts=TEXTS)], ["x.npz"])
    with pytest.raises(ClipspectError, match="or two"):
        EmbeddingPairs.read([npy(IMAGES)] * 3, ["a", "b", "c"])
    made = [npz(embeddings=IMAGES, provenance=np.array(json.dumps({"weights_digest": d}))) for d in "ab"]
    with pytest.raises(ClipspectError, match="two different models"):
        EmbeddingPairs.read(made, ["a.npz", "b.npz"])
