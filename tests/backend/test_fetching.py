"""Files from a stand-in for the hub that is slow, breaks off, stalls, lies and refuses."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from probes.backend import fetching, streaming
from probes.core.errors import Cancelled, ModelError
from tests.backend.hub import Hub, Refusal, Told, instead_of_the_hub, partial, wait_until

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
