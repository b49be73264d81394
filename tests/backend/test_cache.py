"""Keys, the memory store and the disk store."""

import logging
import os
import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.backend.cache import MemoryStore, key_of
from probes.backend.disk import DiskStore
from probes.core.pictures import Picture
from tests.backend import small

parts = st.lists(st.text(max_size=6), max_size=4)


@given(parts, parts)
def test_equal_content_has_equal_keys_and_other_content_has_not(left, right):
    assert (key_of(*left) == key_of(*right)) == (left == right)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=40), st.integers(16, 400))
def test_memory_never_exceeds_its_budget(puts, budget):
    store = MemoryStore(budget)
    for key, length in puts:
        name = f"{key} {length}"
        store.put(name, np.full(length, key, np.float32))
        assert store.nbytes <= budget
        found = store.get(name)
        assert (found is None) == (length * 4 > budget)
        assert found is None or found.tolist() == [key] * length


def test_the_least_recently_used_leaves_first():
    store = MemoryStore(3 * 8)
    for key in "abc":
        store.put(key, np.zeros(2, np.float32))
    store.get("a")
    store.put("d", np.zeros(2, np.float32))
    assert [key for key in "abcd" if store.get(key) is not None] == ["a", "c", "d"]


def test_memory_keeps_a_copy_that_cannot_be_changed():
    store, row = MemoryStore(), np.ones((3, 4), np.float32)
    store.put("k", row[1])
    row[:] = 7
    assert store.get("k").tolist() == [1, 1, 1, 1]
    assert store.get("k").base is None
    with pytest.raises(ValueError, match="read-only"):
        store.get("k")[0] = 2


def test_disk_gives_back_what_was_put_also_after_closing(tmp_path):
    store = DiskStore(tmp_path / "deep" / "cache.sqlite")
    row = np.random.default_rng(0).normal(size=24).astype(np.float32)
    store.put("k", row)
    store.close()
    again = DiskStore(tmp_path / "deep" / "cache.sqlite")
    np.testing.assert_array_equal(again.get("k"), row)
    assert again.get("other") is None


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=25))
def test_disk_never_exceeds_its_budget(tmp_path_factory, puts):
    store = DiskStore(tmp_path_factory.mktemp("disk") / "cache.sqlite", budget=400)
    for key, length in puts:
        store.put(str(key), np.zeros(length, np.float32))
        assert store.nbytes <= 400
        assert store.get(str(key)).shape == (length,)


def test_a_damaged_entry_is_not_used_and_leaves(tmp_path):
    path = tmp_path / "cache.sqlite"
    store = DiskStore(path)
    for key in ("changed", "short", "whole"):
        store.put(key, np.ones(4, np.float32))
    with sqlite3.connect(path) as other:
        zeros = np.zeros(4, np.float32).tobytes()
        other.execute("UPDATE embeddings SET value = ? WHERE key = 'changed'", (zeros,))
        other.execute("UPDATE embeddings SET value = x'00' WHERE key = 'short'")
    assert store.get("changed") is None
    assert store.get("short") is None
    assert store.get("whole").tolist() == [1, 1, 1, 1]
    assert store.nbytes == 16


def test_a_value_under_another_key_is_not_used(tmp_path):
    path = tmp_path / "cache.sqlite"
    store = DiskStore(path)
    store.put("one", np.ones(4, np.float32))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE embeddings SET key = 'two'")
    assert store.get("two") is None


def test_a_file_that_is_no_database_is_replaced(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"not a database at all, but long enough to be mistaken for one" * 40)
    store = DiskStore(path)
    assert store.works
    store.put("k", np.ones(2, np.float32))
    assert store.get("k").tolist() == [1, 1]


def test_an_unwritable_folder_means_memory_only_and_one_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        store = DiskStore(tmp_path / "file" / "cache.sqlite")
        store.put("k", np.ones(2, np.float32))
        assert store.get("k") is None
    assert not store.works
    assert len(caplog.records) == 1
    assert "memory only" in caplog.text


def test_a_full_disk_means_memory_only_and_one_warning(tmp_path, caplog):
    store = DiskStore(tmp_path / "cache.sqlite")
    store._connection.execute("PRAGMA max_page_count = 8")  # SQLite then says "database or disk is full"
    with caplog.at_level(logging.WARNING):
        for key in range(40):
            store.put(str(key), np.ones(500, np.float32))
    assert not store.works
    assert len(caplog.records) == 1
    assert "full" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_keeps_its_hands_off(tmp_path, monkeypatch):
    store = DiskStore(tmp_path / "cache.sqlite")
    store.put("k", np.ones(2, np.float32))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert store.get("k") is None
    store.put("l", np.ones(2, np.float32))
    monkeypatch.undo()
    assert store.get("l") is None
    assert store.get("k") is not None


class Counting:
    """A store that says what it was asked to keep."""

    def __init__(self):
        self.kept = {}

    def get(self, key):
        return self.kept.get(key)

    def put(self, key, value):
        self.kept[key] = value


def test_pictures_reach_the_disk_only_when_their_owner_says_so(vit_folder):
    disk = Counting()
    backend = small.open_folder(vit_folder, disk=disk)
    backend.encode_images(small.pictures(2))
    assert disk.kept == {}
    backend.encode_texts(["a", "b", "a"])
    assert len(disk.kept) == 2
    backend.encode_images(small.pictures(3, seed=5), persist=True)
    assert len(disk.kept) == 5


def test_what_is_on_disk_is_not_computed_again(vit_folder, tmp_path, monkeypatch):
    path = tmp_path / "cache.sqlite"
    first = small.open_folder(vit_folder, disk=DiskStore(path)).encode_texts(["a cat"])
    second = small.open_folder(vit_folder, disk=DiskStore(path))
    monkeypatch.setattr(second._model, "encode_text", None)
    np.testing.assert_array_equal(first, second.encode_texts(["a cat"]))


def test_equal_pictures_are_one_whatever_their_name(vit, monkeypatch):
    picture = small.pictures(1)[0]
    twin = Picture("twin", picture.rgb.copy())
    calls = []
    plain = vit._model.encode_image
    monkeypatch.setattr(vit._model, "encode_image", lambda batch: calls.append(len(batch)) or plain(batch))
    rows = vit.encode_images([picture, twin, picture])
    vit.encode_images([twin])
    assert calls == [1]
    np.testing.assert_array_equal(rows[0], rows[1])


def test_models_that_differ_in_their_activation_alone_do_not_share_a_cache(tmp_path):
    memory = MemoryStore()
    one = small.open_folder(small.save(tmp_path / "gelu", small.config()), memory=memory)
    two = small.open_folder(small.save(tmp_path / "quick", small.config(quick_gelu=True)), memory=memory)
    assert one.card.weights_digest == two.card.weights_digest
    assert np.abs(one.encode_images(small.pictures(1)) - two.encode_images(small.pictures(1))).max() > 1e-5
    assert np.abs(one.encode_texts(["a"]) - two.encode_texts(["a"])).max() > 1e-6
