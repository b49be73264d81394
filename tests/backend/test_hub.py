"""Downloads from a stand-in for the hub that is slow, breaks off, stalls, lies and refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import open_clip
import pytest

from probes.backend import fetching, loading, specs, streaming
from probes.backend.pool import Pool
from probes.core.errors import Cancelled, ModelError
from tests.backend import small
from tests.backend.hub import Hub, Refusal, instead_of_the_hub, serving, wait_until

FILE = "org/large/model.bin"
WANTED = ("org/large", ("model.bin",))
SIZE = 3_000_000


@pytest.fixture
def content(tmp_path):
    return np.random.default_rng(0).bytes(SIZE)


@pytest.fixture
def hub(tmp_path, content, monkeypatch):
    served = tmp_path / "served.bin"
    served.write_bytes(content)
    monkeypatch.setattr(streaming, "PAUSES", (0.0, 0.0))
    with instead_of_the_hub(Hub({FILE: served}), tmp_path / "cache") as hub:
        yield hub


def partial():
    """Files that are not whole, of the hub's cache."""
    cache = Path(fetching.huggingface_hub.constants.HF_HUB_CACHE)
    return [path for path in cache.rglob("*.incomplete") if path.is_file()]


class Told:
    """A `Progress` that keeps what it was told, and cancels at a step."""

    def __init__(self, until=lambda doing: False):
        self.said, self._until = [], until

    def __call__(self, share, doing):
        assert 0 <= share <= 1
        self.said.append(doing)
        if self._until(doing):
            raise Cancelled("stopped")


def test_bytes_are_told_and_what_came_is_asked_for_no_more(hub, content):
    told = Told()
    path = fetching.fetch(*WANTED, told)
    assert path.read_bytes() == content
    assert {"downloading, 0 of 3 MB", "downloading, 2 of 3 MB", "checking, 3 of 3 MB"} <= set(told.said)
    assert fetching.on_disk(*WANTED) == path
    hub.asked.clear()
    assert fetching.fetch(*WANTED) == path
    assert hub.asked == []
    assert partial() == []


def test_another_program_finds_what_came(hub, content):
    path = fetching.fetch(*WANTED)
    found = fetching.huggingface_hub.hf_hub_download("org/large", "model.bin", local_files_only=True)
    assert Path(found) == path


def test_a_stopped_download_goes_on_where_it_was(hub, content):
    with pytest.raises(Cancelled):
        fetching.fetch(*WANTED, Told(lambda doing: "2 of 3" in doing))
    (left,) = partial()
    kept = left.stat().st_size
    assert 1_000_000 < kept < SIZE
    assert left.read_bytes() == content[:kept]
    assert fetching.on_disk(*WANTED) is None
    assert fetching.fetch(*WANTED).read_bytes() == content
    assert hub.starts == [0, kept]


def test_a_stalled_download_can_be_stopped_while_it_stalls(hub, content):
    hub.stalls = 1
    stop = threading.Event()
    told = Told(lambda doing: stop.is_set())
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(fetching.fetch, *WANTED, told)
        wait_until(
            lambda: len(told.said) > 10 and told.said[-1] == told.said[-5]
        )  # still told, though nothing comes
        stop.set()
        with pytest.raises(Cancelled):
            job.result(30)
    assert not hub.go_on.is_set()
    assert hub.sending == 1, "the hub has not said another word"
    assert fetching.fetch(*WANTED).read_bytes() == content
    assert hub.starts[1] > 0


def test_a_stall_counts_as_a_break_after_a_while(hub, content, monkeypatch):
    monkeypatch.setattr(fetching.huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.5)
    hub.stalls = 1
    told = Told()
    assert fetching.fetch(*WANTED, told).read_bytes() == content
    assert hub.starts[0] == 0 < hub.starts[1]


def test_a_broken_connection_is_tried_again(hub, content, monkeypatch):
    monkeypatch.setattr(streaming, "PAUSES", (0.05, 0.05))
    hub.breaks = 1
    told = Told()
    assert fetching.fetch(*WANTED, told).read_bytes() == content
    assert any(doing.startswith("the connection broke, trying again (1 of 2), 1 of 3 MB") for doing in told.said)
    assert hub.starts[0] == 0 < hub.starts[1]


def test_a_connection_that_always_breaks_ends_in_a_sentence_and_run_goes_on_from_there(hub, content):
    hub.breaks, hub.after = 99, 700_000
    with pytest.raises(
        ModelError, match=r"broke 3 times while .*2 of 3 MB are kept.*press Run, or .*, again to go on"
    ) as caught:
        fetching.fetch(*WANTED)
    assert "\n" not in str(caught.value)
    assert fetching.on_disk(*WANTED) is None
    kept, hub.breaks = partial()[0].stat().st_size, 0
    hub.asked.clear()
    assert fetching.fetch(*WANTED).read_bytes() == content
    assert hub.starts == [kept]


def test_a_server_that_cannot_begin_in_the_middle(hub, content):
    hub.breaks, hub.ranges = 1, False
    assert fetching.fetch(*WANTED).read_bytes() == content
    assert hub.starts == [0, 0]


def test_a_file_without_a_digest_is_held_to_its_size(hub, content):
    hub.plain, hub.breaks = True, 1
    assert fetching.fetch(*WANTED).read_bytes() == content


def test_bytes_that_lie_elsewhere_are_fetched_from_there_and_who_one_is_stays_at_home(hub, content, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    hub.elsewhere, hub.breaks = True, 1
    told = Told()
    assert fetching.fetch(*WANTED, told).read_bytes() == content
    assert "downloading, 2 of 3 MB" in told.said
    assert hub.allowed.count(("localhost", "")) == 2, "the bytes, and the rest of them"
    assert {given for host, given in hub.allowed if host == "localhost"} == {""}
    assert {given for host, given in hub.allowed if host != "localhost"} == {"Bearer hf_mine"}
    assert max(hub.starts) > 1_000_000


def test_what_the_hub_offers_in_chunks_comes_by_the_plain_address(hub, content):
    hub.xet, hub.elsewhere = True, True
    told = Told()
    assert fetching.fetch(*WANTED, told).read_bytes() == content
    assert "downloading, 2 of 3 MB" in told.said
    assert not [path for path in hub.others if "xet" in path]


def test_a_disk_that_fills_up_meanwhile(hub, content, monkeypatch):
    def full(file):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "_settle", full)
        with pytest.raises(ModelError, match="the disk is full: there is no room to download org/large"):
            fetching.fetch(*WANTED)
    assert fetching.on_disk(*WANTED) is None
    assert fetching.fetch(*WANTED).read_bytes() == content


def test_a_wrong_digest_deletes_what_came(hub, content):
    hub.digests[FILE] = "0" * 64
    with pytest.raises(ModelError, match=r"is not what the Hugging Face hub announced .* was deleted; press Run"):
        fetching.fetch(*WANTED)
    assert fetching.on_disk(*WANTED) is None
    cache = hub.files[FILE].parent / "cache"
    assert not any(path.stat().st_size > 100 for path in cache.rglob("*") if path.is_file())
    del hub.digests[FILE]
    assert fetching.fetch(*WANTED).read_bytes() == content


@pytest.mark.parametrize("left", [b"x" * 1_000_000, b"x" * SIZE, b"x" * (SIZE + 1)], ids=["part", "whole", "more"])
def test_what_was_left_by_somebody_else_is_checked_too(hub, content, left):
    blobs = Path(fetching.huggingface_hub.constants.HF_HUB_CACHE) / "models--org--large" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / (hub.digest(FILE) + streaming.PARTIAL)).write_bytes(left)
    with pytest.raises(ModelError, match="announced"):
        fetching.fetch(*WANTED)
    assert partial() == []
    assert fetching.fetch(*WANTED).read_bytes() == content


@pytest.mark.parametrize("method", ["head", "get"])
@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (Refusal(401, "GatedRepo"), "only for people its owners let in; ask there, then log in"),
        (Refusal(403, "GatedRepo"), "only for people its owners let in"),
        (
            Refusal(429, wait="37"),
            "too many requests from this address; press Run, or give the command, again in 37 seconds",
        ),
        (Refusal(500), r"the Hugging Face hub fails at the moment \(HTTP 500\); ask it for org/large later"),
        (Refusal(503), "fails at the moment"),
        (Refusal(404, "EntryNotFound"), "holds none of model.bin|no such file"),
        (Refusal(418), r"refused org/large \(HTTP 418\)"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Refusal) else "",
)
def test_each_refusal_is_one_sentence(hub, method, refusal, sentence):
    setattr(hub, method, refusal)
    with pytest.raises(ModelError, match=sentence) as caught:
        fetching.fetch(*WANTED)
    assert "\n" not in str(caught.value)
    assert fetching.on_disk(*WANTED) is None


def test_unknown_repositories_and_files(hub):
    with pytest.raises(ModelError, match="has no repository org/other, or it is private"):
        fetching.fetch("org/other", ("model.bin",))
    with pytest.raises(ModelError, match=r"holds none of one\.bin, two\.bin"):
        fetching.fetch("org/large", ("one.bin", "two.bin"))
    assert fetching.fetch("org/large", ("one.bin", "model.bin")).stat().st_size == SIZE
    with pytest.raises(ModelError, match="cannot be the name of a repository"):
        fetching.fetch("org/..", ("model.bin",))


def test_what_answers_but_is_no_hub(hub, monkeypatch):
    monkeypatch.setattr("tests.backend.hub.COMMIT", "")
    with pytest.raises(ModelError, match="is no Hugging Face hub; check HF_ENDPOINT"):
        fetching.fetch(*WANTED)


def test_no_network_between_two_requests(hub, monkeypatch):
    monkeypatch.setattr(fetching, "reachable", lambda: True)
    for constant, value in (
        ("ENDPOINT", "http://127.0.0.1:9"),
        ("HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}"),
    ):
        monkeypatch.setattr(fetching.huggingface_hub.constants, constant, value)
    with pytest.raises(ModelError, match="is not on this disk and the Hugging Face hub cannot be reached"):
        fetching.fetch(*WANTED)


def test_no_room_is_said_before_anything_is_fetched(hub, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=SIZE - 1))
    with pytest.raises(ModelError, match=r"needs 0\.0 GB of disk and 0\.0 GB are free; free some, or set HF_HOME"):
        fetching.fetch(*WANTED)
    assert hub.starts == []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=SIZE))
    assert fetching.fetch(*WANTED).stat().st_size == SIZE


def test_a_folder_that_cannot_be_written(hub, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", "/cache")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ModelError, match="org/large cannot be saved: /cache is not writable"):
        fetching.fetch(*WANTED)


def test_two_who_fetch_one_file_fetch_it_once_and_both_are_told(hub, content):
    hub.stalls = 1
    told = [Told(), Told()]
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(fetching.fetch, *WANTED, one) for one in told]
        wait_until(lambda: all("downloading, 1 of 3 MB" in one.said for one in told))
        hub.go_on.set()
        assert [job.result(30).read_bytes() == content for job in jobs] == [True, True]
    assert hub.starts == [0]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A hub that has the weights of a small model, under a name of open_clip's, and the folder it was made in."""
    folder = small.save(tmp_path / "made", small.config(quick_gelu=True))
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    tag = {"hf_hub": "org/tiny/", "quick_gelu": True, "mean": (0.5, 0.4, 0.45), "std": (0.25, 0.3, 0.27)}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"openai": tag})
    files = {f"org/tiny/{path.name}": path for path in folder.iterdir()}
    with instead_of_the_hub(Hub(files), tmp_path / "cache") as hub:
        yield hub


def encoded(backend):
    return np.concatenate([backend.encode_images(small.pictures(2)), backend.encode_texts(["a cat", "a dog"])])


def test_a_downloaded_model_gives_the_embeddings_of_its_weights(tiny, tmp_path):
    tiny.breaks = 1
    pool = Pool(10**9)
    expected = encoded(pool.load(f"local-dir:{tmp_path / 'made'}", device="cpu"))
    np.testing.assert_array_equal(encoded(pool.load("tiny:openai", device="cpu")), expected)
    np.testing.assert_array_equal(encoded(pool.load("hf-hub:org/tiny", device="cpu")), expected)
    assert [name for method, name, _ in tiny.asked if method == "GET"] == [
        "org/tiny/open_clip_model.safetensors",  # broken off
        "org/tiny/open_clip_model.safetensors",
        "org/tiny/open_clip_config.json",
    ]


def test_what_is_half_there_is_never_loaded(tiny, monkeypatch):
    tiny.breaks = 99
    monkeypatch.setattr(streaming, "PAUSES", (0.0,))
    with pytest.raises(ModelError, match="broke 2 times"):
        loading.load(specs.parse("tiny:openai"), small.CPU)
    monkeypatch.setattr(fetching, "reachable", lambda: False)
    with pytest.raises(ModelError, match="is not on this disk"):
        loading.load(specs.parse("tiny:openai"), small.CPU)
    assert len(partial()) == 1


def test_one_visitor_who_stops_leaves_the_download_to_the_other(tiny):
    tiny.stalls = 1
    pool, stop = Pool(10**9), threading.Event()
    first, second = Told(lambda doing: stop.is_set()), Told()
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(pool.load, "tiny:openai", device="cpu", progress=one) for one in (first, second)]
        wait_until(
            lambda: all(any(doing.startswith("downloading, 1 of") for doing in t.said) for t in (first, second))
        )
        stop.set()
        with pytest.raises(Cancelled):
            jobs[0].result(30)
        tiny.go_on.set()
        assert jobs[1].result(60).card.pretrained == "openai"
    assert tiny.starts == [0]
    assert "building the model" in second.said
    assert "building the model" not in first.said


def test_when_all_visitors_stop_the_download_ends(tiny):
    tiny.stalls = 1
    pool, stop = Pool(10**9), threading.Event()
    told = [Told(lambda doing: stop.is_set()) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(pool.load, "tiny:openai", device="cpu", progress=one) for one in told]
        wait_until(lambda: tiny.sent > 1_000_000 and all(len(one.said) > 3 for one in told))
        stop.set()
        for job in jobs:
            with pytest.raises(Cancelled):
                job.result(30)
    wait_until(lambda: not any(thread.name == "clipspect-loading" for thread in threading.enumerate()))
    assert pool.loaded() == ()
    tiny.go_on.set()
    assert pool.load("tiny:openai", device="cpu").card.activation == "QuickGELU"
    assert tiny.starts[-1] > 1_000_000


def test_stop_on_a_page_ends_a_download_and_run_resumes_it(tiny, monkeypatch):
    from app.engine import installed
    from app.running import Job, Ticket
    from probes import registry
    from probes.backend import pool as pools

    fresh = Pool(10**9)
    monkeypatch.setattr(pools, "models", lambda: fresh)
    monkeypatch.setattr("probes.backend.pool.models", lambda: fresh)
    tiny.stalls = 1
    engine, ticket, probe = installed(), Ticket(), registry.get("zero_shot")

    def work(progress):
        return engine.answer(probe, probe.example(), "tiny:openai", progress)

    assert ticket.take()
    job = Job(work, ticket)
    said = []
    for step in job.steps():
        said.append(step.doing)
        if step.doing.startswith("downloading, 1 of"):
            ticket.stop()
    with pytest.raises(Cancelled):
        job.result()
    ticket.give_back()
    wait_until(lambda: not any(thread.name == "clipspect-loading" for thread in threading.enumerate()))
    tiny.go_on.set()
    assert ticket.take()
    again = Job(work, ticket)
    list(again.steps())
    assert again.result().model.pretrained == "openai"
    assert tiny.starts[0] == 0 < tiny.starts[1]
    assert len(tiny.starts) == 2


@pytest.mark.slow
def test_the_environment_says_which_hub_and_where_to_keep_what_came(tmp_path):
    folder = small.save(tmp_path / "made", small.config())
    script = """
        from probes.backend import load
        from probes.backend.pool import models
        told = []
        first = load("hf-hub:org/tiny", device="cpu", progress=lambda share, doing: told.append(doing))
        assert any(doing.startswith("downloading, 0 of 7 MB") for doing in told), told
        models().clear()
        print(load("hf-hub:org/tiny", device="cpu").card.weights_digest)
    """
    with serving(Hub({f"org/tiny/{path.name}": path for path in folder.iterdir()})) as hub:
        environment = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home"), "CLIPSPECT_DISK_CACHE": "0"}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env={**os.environ, **environment},
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-1] == small.open_folder(folder).card.weights_digest
    assert len(hub.starts) == 2, "the configuration and the weights, each once"
    assert (tmp_path / "home" / "hub" / "models--org--tiny" / "refs" / "main").is_file()


@pytest.mark.slow
def test_the_shape_of_a_published_model(tmp_path, monkeypatch):
    """605 MB of random weights in the shape of OpenAI's ViT-B/32, stopped, broken off, and whole in the end."""
    from safetensors.torch import save_file

    made = loading.load(specs.parse("random:ViT-B-32-quickgelu"), small.CPU)
    served = tmp_path / "open_clip_model.safetensors"
    save_file({name: value.contiguous() for name, value in made.model.state_dict().items()}, served)
    repository = open_clip.pretrained.get_pretrained_cfg("ViT-B-32-quickgelu", "openai")["hf_hub"].strip("/")
    hub = Hub({f"{repository}/{served.name}": served}, after=250_000_000)
    pool = Pool(10**10)
    monkeypatch.setattr(streaming, "PAUSES", (0.0,))
    with instead_of_the_hub(hub, tmp_path / "cache"):
        with pytest.raises(Cancelled):
            pool.load(
                "ViT-B-32-quickgelu:openai", device="cpu", progress=Told(lambda doing: "120 of 605" in doing)
            )
        hub.breaks = 1
        told = Told()
        loaded = pool.load("ViT-B-32-quickgelu:openai", device="cpu", precision="float32", progress=told)
        expected = pool.load(f"ViT-B-32-quickgelu:{served}", device="cpu", precision="float32")
    np.testing.assert_array_equal(encoded(loaded), encoded(expected))
    assert loaded.card.weights_digest == expected.card.weights_digest
    assert "downloading, 500 of 605 MB" in told.said
    assert hub.starts[0] == 0 < hub.starts[1] < hub.starts[2]
    assert loaded.card.parameters == 151_277_313
    os.remove(served)
