"""Models whose weights come from a stand-in for the hub: two who wait for one, stopping, resuming, the page."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import open_clip
import pytest

from probes.backend import fetching, loading, specs, streaming
from probes.backend.pool import Pool
from probes.core.errors import Cancelled, ModelError
from tests import programs
from tests.backend import small
from tests.backend.hub import Hub, Told, instead_of_the_hub, partial, serving, wait_until


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


def test_configuration_and_weights_are_of_one_commit(tiny, tmp_path, monkeypatch):
    """The configuration came when the repository held another model; the weights come after it was changed."""
    older = small.save(tmp_path / "older", small.config({"layers": 2}))
    newer = tiny.files["org/tiny/open_clip_config.json"]
    tiny.files["org/tiny/open_clip_config.json"] = older / "open_clip_config.json"
    stale = fetching.fetch("org/tiny", (fetching.HUB_CONFIG,))
    tiny.files["org/tiny/open_clip_config.json"] = newer
    tiny.digests.clear()
    commit = "beefbeef" * 5
    monkeypatch.setattr("tests.backend.hub.COMMIT", commit)
    pool = Pool(10**9)
    expected = encoded(pool.load(f"local-dir:{tmp_path / 'made'}", device="cpu"))
    np.testing.assert_array_equal(encoded(pool.load("hf-hub:org/tiny", device="cpu")), expected)
    assert fetching.on_disk("org/tiny", (fetching.HUB_CONFIG,), commit) != stale
    asked = [(method, name, at) for (method, name, _), at in zip(tiny.asked, tiny.revisions, strict=True)]
    assert ("GET", "org/tiny/open_clip_config.json", commit) in asked, "the newest may be another by now"


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
        wait_until(lambda: all(any(doing.startswith("downloading, 1 of") for doing in one.said) for one in told))
        stop.set()
        for job in jobs:
            with pytest.raises(Cancelled):
                job.result(30)
    wait_until(lambda: not any(thread.name == "clipspect-loading" for thread in threading.enumerate()))
    assert pool.loaded() == ()
    tiny.go_on.set()
    assert pool.load("tiny:openai", device="cpu").card.activation == "QuickGELU"
    assert tiny.starts[-1] > 500_000, "what was told to have come is asked for no more"


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
        said = programs.run(script, **environment)
    assert said == small.open_folder(folder).card.weights_digest
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
