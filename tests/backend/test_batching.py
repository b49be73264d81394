"""Single flight, shared batches, and the pool of models."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from probes.backend import batching
from probes.backend.batching import Batcher
from probes.backend.pool import Pool
from probes.core.errors import ModelError
from tests.backend import small


def test_equal_requests_are_computed_once():
    computed, gate = [], threading.Event()

    def compute(items):
        gate.wait(5)
        computed.extend(items)
        return [item * 10 for item in items]

    batcher = Batcher(compute, batch=4, name="test")
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(lambda: batcher.ask(["a", "b"], lambda k: k + 1)) for _ in range(8)]
        futures = [job.result() for job in asked]
        gate.set()
        assert [[future.result(5) for future in both] for both in futures] == [[10, 20]] * 8
    assert sorted(computed) == [1, 2]


def test_requests_of_several_people_ride_in_one_batch():
    sizes, started, gate = [], threading.Event(), threading.Event()

    def compute(items):
        sizes.append(len(items))
        started.set()
        gate.wait(5)
        return items

    batcher = Batcher(compute, batch=8, name="test")
    first = batcher.ask(["first"], lambda k: 0)
    started.wait(5)
    others = [batcher.ask([f"{person}"], lambda k: 1) for person in range(5)]
    gate.set()
    assert [future.result(5) for (future,) in [first, *others]] == [0, 1, 1, 1, 1, 1]
    assert sizes == [1, 5]


def test_a_failure_reaches_all_who_wait_and_is_not_remembered():
    failing = [True]

    def compute(items):
        if failing[0]:
            raise ModelError("broken")
        return items

    batcher = Batcher(compute, batch=2, name="test")
    with pytest.raises(ModelError, match="broken"):
        batcher.ask(["a"], lambda k: 1)[0].result(5)
    failing[0] = False
    assert batcher.ask(["a"], lambda k: 1)[0].result(5) == 1


def test_the_thread_ends_when_idle_and_starts_again(monkeypatch):
    monkeypatch.setattr(batching, "IDLE_SECONDS", 0.05)
    batcher = Batcher(lambda items: items, batch=2, name="idle-test")
    assert batcher.ask(["a"], lambda k: 1)[0].result(5) == 1
    deadline = time.monotonic() + 5
    while any(thread.name == "idle-test" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(thread.name != "idle-test" for thread in threading.enumerate())
    assert batcher.ask(["a"], lambda k: 2)[0].result(5) == 2


def test_many_threads_on_one_model_compute_each_picture_once(vit, monkeypatch):
    seen, plain = [], vit._model.encode_image
    monkeypatch.setattr(vit._model, "encode_image", lambda batch: seen.append(len(batch)) or plain(batch))
    shown = small.pictures(12)
    with ThreadPoolExecutor(6) as threads:
        rows = list(threads.map(lambda _: vit.encode_images(shown), range(6)))
    assert sum(seen) == 12
    for other in rows[1:]:
        np.testing.assert_array_equal(rows[0], other)


def test_decomposing_and_encoding_at_once_do_not_disturb_each_other(vit_folder):
    backend, shown = small.open_folder(vit_folder), small.pictures(6)
    alone = small.open_folder(vit_folder).decompose(shown).heads
    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(backend.decompose, shown) for _ in range(3)]
        jobs_encode = [threads.submit(backend.encode_images, small.pictures(8, seed=s)) for s in range(4)]
        for job in jobs:
            np.testing.assert_allclose(job.result().heads, alone, atol=1e-6)
        assert all(job.result().shape == (8, 24) for job in jobs_encode)


class Weight:
    """Stands in for a loaded model."""

    def __init__(self, nbytes):
        self.nbytes = nbytes


def test_the_pool_lets_go_of_the_least_recently_used():
    loaded = []

    def opener(spec, device, precision, progress):
        loaded.append(spec.name)
        return Weight(40)

    pool = Pool(100, opener)
    for name in ("a", "b", "a", "c", "b"):
        pool.load(f"random:{name}", device="cpu")
    assert loaded == ["a", "b", "c", "b"], "b had to leave for c, since a was used after it"
    assert pool.loaded() == ("random:c:0", "random:b:0")
    assert pool.nbytes == 80


def test_a_model_larger_than_the_budget_stays_alone():
    sizes = {"small": 10, "huge": 500}
    pool = Pool(100, lambda spec, *rest: Weight(sizes[spec.name]))
    pool.load("random:small", device="cpu")
    pool.load("random:huge", device="cpu")
    assert pool.loaded() == ("random:huge:0",)


def test_two_who_ask_for_one_model_load_it_once():
    loads, gate = [], threading.Event()

    def opener(spec, device, precision, progress):
        loads.append(spec)
        gate.wait(5)
        return Weight(1)

    pool = Pool(10, opener)
    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(pool.load, "random:a", device="cpu") for _ in range(4)]
        time.sleep(0.1)
        gate.set()
        assert len({id(job.result(5)) for job in jobs}) == 1
    assert len(loads) == 1


def test_a_failed_load_is_tried_again():
    attempts = []

    def opener(spec, *rest):
        attempts.append(spec)
        if len(attempts) == 1:
            raise ModelError("no network")
        return Weight(1)

    pool = Pool(10, opener)
    with pytest.raises(ModelError, match="no network"):
        pool.load("random:a", device="cpu")
    assert pool.load("random:a", device="cpu").nbytes == 1
    assert len(attempts) == 2
