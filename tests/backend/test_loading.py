"""Unsafe, broken, missing and mistaken models, each met with one sentence; QuickGELU; the digest."""

import copy
import json
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import open_clip
import pytest
import torch
from safetensors.torch import load_file

from probes.backend import device, fetching, listing, loading, specs
from probes.backend.digests import modules_digest, weights_digest
from probes.core.errors import ModelError
from tests import programs
from tests.backend import small


def load(text):
    return loading.load(specs.parse(text), small.CPU)


class Malicious:
    def __reduce__(self):
        return (os.system, ("touch pwned",))


@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", "model.pth"])
def test_pickled_code_is_not_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    small.save(tmp_path, small.config(), name=name)
    torch.save({"state_dict": Malicious()}, tmp_path / name)
    with pytest.raises(ModelError, match="holds code or is broken"):
        load(f"local-dir:{tmp_path}")
    assert not (tmp_path / "pwned").exists()
    (tmp_path / name).write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(ModelError, match="holds code or is broken"):
        load(f"local-dir:{tmp_path}")
    assert not (tmp_path / "pwned").exists()


def test_pickled_weights_without_code_are_read(tmp_path, vit_folder):
    small.save(tmp_path, small.config(), name="open_clip_pytorch_model.bin")
    one, two = load(f"local-dir:{tmp_path}").model, load(f"local-dir:{vit_folder}").model
    assert weights_digest(one.state_dict()) == weights_digest(two.state_dict())


@pytest.mark.parametrize("keep", [0, 7, 200, 20_000])
def test_cut_off_safetensors(tmp_path, keep):
    weights = small.save(tmp_path, small.config()) / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelError, match="broken or incomplete"):
        load(f"local-dir:{tmp_path}")


def test_weights_of_another_architecture(tmp_path):
    small.save(tmp_path, small.config())
    changed = {"model_cfg": small.config({"width": 96})}
    (tmp_path / specs.CONFIG_NAME).write_text(json.dumps(changed))
    with pytest.raises(ModelError, match="do not fit the architecture"):
        load(f"local-dir:{tmp_path}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "holds no open_clip_config.json"),
        ("{", "cannot be read"),
        ("[]", "does not describe a model"),
        ('{"model_cfg": {"embed_dim": 3}}', "does not describe a model"),
        ('{"model_cfg": {"embed_dim": 3, "vision_cfg": {"colour": 1}, "text_cfg": {}}}', "cannot build it"),
        (
            '{"model_cfg": {"embed_dim": 3, "vision_cfg": {}, "text_cfg": {"hf_tokenizer_name": "a/b", '
            '"tokenizer_kwargs": {"trust_remote_code": true}}}}',
            "asks to run code",
        ),
    ],
)
def test_configurations_that_cannot_be_used(tmp_path, text, sentence):
    small.save(tmp_path, small.config())
    (tmp_path / specs.CONFIG_NAME).unlink()
    if text is not None:
        (tmp_path / specs.CONFIG_NAME).write_text(text)
    with pytest.raises(ModelError, match=sentence):
        load(f"local-dir:{tmp_path}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ViT-B-23:openai", "did you mean ViT-B-32"),
        ("ViT-B-32:openia", "did you mean openai"),
        ("ViT-B-32:nowhere/weights.pt", "there is no file"),
        ("local-dir:/no/such/folder", "there is no folder"),
        ("random:ViT-B-23", "did you mean ViT-B-32"),
        ("bundled:nothing-like-it", "no bundled model"),
    ],
)
def test_unknown_models(text, sentence):
    with pytest.raises(ModelError, match=sentence):
        load(text)


def test_a_folder_without_weights(tmp_path):
    (small.save(tmp_path, small.config()) / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        load(f"local-dir:{tmp_path}")


def test_no_network_is_said_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching, "on_disk", lambda repository, names, *revision: None)
    monkeypatch.setattr(fetching, "reachable", lambda: False)
    for text in ("ViT-B-32:openai", "hf-hub:org/name", "random:xlm-roberta-base-ViT-B-32"):
        with pytest.raises(ModelError, match="is not on this disk and the Hugging Face hub cannot be reached"):
            load(text)


def test_an_endpoint_that_does_not_answer_is_unreachable(monkeypatch):
    monkeypatch.setattr(fetching.huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert not fetching.reachable()


def test_models_larger_than_memory_are_refused(vit_folder, monkeypatch):
    monkeypatch.setattr(device, "available_bytes", lambda where: 10_000)
    with pytest.raises(ModelError, match=r"of memory and 0\.0 GB are left"):
        load(f"local-dir:{vit_folder}")
    monkeypatch.setattr(fetching, "on_disk", lambda repository, names, *revision: None)
    with pytest.raises(ModelError, match=r"ViT-bigG-14:laion2b_s39b_b160k needs about 20\.\d GB"):
        load("ViT-bigG-14:laion2b_s39b_b160k")


@pytest.fixture
def tiny_pair(monkeypatch, tmp_path):
    """An architecture `tiny` with weights trained with QuickGELU and others trained without."""
    weights = small.save(tmp_path, small.config(quick_gelu=True)) / "open_clip_model.safetensors"
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny-quickgelu", small.config(quick_gelu=True))
    plain = {"hf_hub": "org/tiny/", "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.5, 0.5), "resize_mode": "squash"}
    openai = {**plain, "quick_gelu": True}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"openai": openai, "laion": plain})
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny-quickgelu", {"openai": copy.deepcopy(openai)})
    monkeypatch.setattr(fetching, "on_disk", lambda repository, names, *revision: weights)
    return weights


def test_weights_trained_with_quickgelu_get_it_under_the_plain_name(tiny_pair):
    from probes.backend.cards import activation

    guarded, named, plain = load("tiny:openai"), load("tiny-quickgelu:openai"), load("tiny:laion")
    built = [activation(model.model.visual) for model in (guarded, named, plain)]
    assert built == ["QuickGELU", "QuickGELU", "GELU"]
    assert activation(guarded.model.visual) == type(guarded.model.transformer.resblocks[0].mlp.gelu).__name__
    assert "tiny-quickgelu" in guarded.warnings[0]
    assert named.warnings == plain.warnings == ()


def test_the_tags_preprocessing_is_used(tiny_pair):
    loaded = load("tiny:laion")
    assert (tuple(loaded.preprocess.mean), loaded.preprocess.resize_mode) == ((0.1, 0.2, 0.3), "squash")
    assert tuple(loaded.preprocess.size) == (32, 32)


def test_weights_from_a_file_say_what_cannot_be_known(tiny_pair):
    assert "this model uses GELU" in load(f"tiny:{tiny_pair}").warnings[0]


def test_every_tag_of_open_clip_that_needs_quickgelu_is_marked_in_the_catalogue():
    marked = {entry.spec for entry in listing.published() if "QuickGELU" in entry.note}
    assert {"ViT-B-32:openai", "ViT-L-14:openai", "ViT-B-16:dfn2b", "RN50:openai"} <= marked
    assert "ViT-B-32-quickgelu:openai" not in marked
    assert "ViT-B-32:laion2b_s34b_b79k" not in marked


def test_the_catalogue_knows_every_architecture_of_open_clip():
    assert set(open_clip.list_models()) <= set(listing.parameter_counts())
    assert listing.parameter_counts()["ViT-B-32"] == 151_277_313
    entries = listing.catalogue()
    assert len(entries) == len(open_clip.list_pretrained()) + len(specs.bundled_names())
    assert all(specs.parse(entry.spec) for entry in entries)
    assert [entry.spec for entry in entries[:2]] == ["bundled:skewed", "bundled:balanced"]
    assert [entry.name.split(" ", 1)[0] for entry in entries[:2]] == ["Skewed", "Balanced"]
    assert all(entry.name.endswith(" glass CLIP (bundled)") for entry in entries[:2])
    assert all(entry.on_disk and "needs no network" in entry.note for entry in entries[:2])
    (entry,) = [entry for entry in entries if entry.spec == "ViT-L-14:openai"]
    assert entry.nbytes > 1_600_000_000


@pytest.mark.parametrize(
    ("where", "what", "value"),
    [
        ("model_cfg", "quick_gelu", True),
        ("preprocess_cfg", "mean", [0.4, 0.4, 0.45]),
        ("preprocess_cfg", "std", [0.3, 0.3, 0.27]),
        ("preprocess_cfg", "interpolation", "bilinear"),
    ],
)
def test_the_same_weights_in_another_configuration_have_another_pipeline(tmp_path, where, what, value):
    folder = small.save(tmp_path / "m", small.config())
    first, again = small.open_folder(folder).card, small.open_folder(folder).card
    assert len(first.pipeline_digest) == 64
    assert first.pipeline_digest == again.pipeline_digest
    path = folder / specs.CONFIG_NAME
    described = json.loads(path.read_text())
    described[where][what] = value
    path.write_text(json.dumps(described))
    changed = small.open_folder(folder).card
    assert changed.weights_digest == first.weights_digest
    assert changed.pipeline_digest != first.pipeline_digest


def test_where_functions_lie_in_memory_is_no_part_of_a_pipeline():
    modules = [torch.nn.ModuleList([Called(lambda values: values)]) for _ in range(2)]
    assert repr(modules[0]) != repr(modules[1])
    assert modules_digest(modules[0], {}) == modules_digest(modules[1], {})
    assert modules_digest(modules[0], {}) != modules_digest(modules[0], {"quick_gelu": True})


class Called(torch.nn.Module):
    """A module that shows its function, as some of timm's do."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def extra_repr(self):
        return repr(self.function)


def test_the_digest_changes_with_any_one_weight_name_or_shape(vit_folder):
    state = load_file(vit_folder / "open_clip_model.safetensors")
    first = weights_digest(state)
    assert first == weights_digest(dict(reversed(list(state.items()))))
    for name in ("logit_scale", "visual.proj", "ln_final.bias"):
        changed = {key: value.clone() for key, value in state.items()}
        changed[name].view(-1)[-1] += 1e-3
        assert weights_digest(changed) != first
    renamed = {("other" if key == "visual.proj" else key): value for key, value in state.items()}
    assert weights_digest(renamed) != first
    assert weights_digest({**state, "visual.proj": state["visual.proj"].T.contiguous()}) != first


def test_random_weights_follow_their_seed_and_leave_the_generator_alone(monkeypatch):
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    before = torch.get_rng_state()
    asked = ("random:tiny", "random:tiny:0", "random:tiny:1")
    digests = [weights_digest(load(text).model.state_dict()) for text in asked]
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(before, torch.get_rng_state())


def test_a_model_that_is_built_meanwhile_leaves_seeded_weights_as_they_are(vit_folder, monkeypatch):
    """Torch has one generator for all threads: no second model may draw from it after the first set its seed."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", small.config())
    expected = weights_digest(load("random:tiny").model.state_dict())
    create, begun, built = open_clip.create_model, threading.Event(), threading.Event()

    def slowly(source, **options):
        if source == "tiny":
            begun.set()
            built.wait(1)
        return create(source, **options)

    monkeypatch.setattr(open_clip, "create_model", slowly)

    def another():
        begun.wait(30)
        load(f"local-dir:{vit_folder}")
        built.set()

    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(another)
        assert weights_digest(load("random:tiny").model.state_dict()) == expected
        job.result(30)


def test_the_weights_of_a_folder_are_those_open_clip_takes(tmp_path):
    names = (
        "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
        "open_clip_pytorch_model.pth", "model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth",
        "a.pth", "b.safetensors", "c.safetensors", "d.bin",
    )  # fmt: skip
    for name in names:
        (tmp_path / name).touch()
    while found := list(tmp_path.iterdir()):
        theirs = open_clip.factory._find_checkpoint_in_dir(tmp_path)
        assert str(fetching.chosen(found)) == theirs
        os.remove(theirs)


def test_nothing_is_said_of_missing_weights_where_there_are_some(vit_folder, caplog):
    load(f"local-dir:{vit_folder}")
    assert "No pretrained weights" not in caplog.text


def test_a_device_that_is_full_is_one_sentence(monkeypatch, vit_folder):
    class Full(torch.nn.Module):
        def to(self, *where):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr(loading, "build", lambda recipe: Full())
    with pytest.raises(ModelError, match="does not fit into memory"):
        load(f"local-dir:{vit_folder}")


@pytest.mark.parametrize(("left", "fits"), [(400 * 10**6, False), (700 * 10**6, True)])
def test_a_file_in_half_precision_is_twice_as_large_on_a_device(monkeypatch, tmp_path, left, fits):
    weights = tmp_path / "half.safetensors"
    weights.touch()
    os.truncate(weights, 302 * 10**6)
    recipe = loading.resolve(specs.parse(f"ViT-B-32:{weights}"))
    monkeypatch.setattr(device, "available_bytes", lambda where: left if where.type == "cuda" else 10**12)
    if fits:
        loading.check_size(recipe, torch.device("cuda:0"))
        return
    with pytest.raises(ModelError, match="does not fit into the memory that is left on cuda:0"):
        loading.check_size(recipe, torch.device("cuda:0"))


def test_precision_and_device():
    assert device.choose_precision("auto", small.CPU, 1000) == "float32"
    assert device.choose_precision("bfloat16", small.CPU, 1000) == "bfloat16"
    with pytest.raises(ModelError, match="not a precision"):
        device.choose_precision("int4", small.CPU, 1000)
    with pytest.raises(ModelError, match="not a device"):
        device.choose_device("toaster")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="no cuda device"):
            device.choose_device("cuda")


@pytest.mark.parametrize(("amx", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_a_large_model_takes_bfloat16_on_a_cpu_with_amx_alone(monkeypatch, amx, precision):
    monkeypatch.setattr(device, "cpu_has_amx", lambda: amx)
    assert device.choose_precision("auto", small.CPU, 150_000_000) == precision


def test_the_package_is_light_to_import():
    said = programs.run(
        "import sys, probes.backend as b; b.bundled(); print({'torch', 'open_clip'} & set(sys.modules))"
    )
    assert said == "set()"
