"""What is shipped: each file is in the manifest, the model loads without a network, the card holds true."""

import json
import socket
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from assets.make import card, familiarity, manifest
from assets.make.network import CONFIG, normalise
from assets.make.sources import read_sources
from assets.world.captions import ZERO_SHOT, fill
from assets.world.schedule import NAMES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ASSETS = Path(__file__).resolve().parents[1] / "assets"
MODELS = ASSETS / "models"
EXAMPLES = ASSETS / "stimuli" / "examples"
LISTED = tomllib.loads((ASSETS / "manifest.toml").read_text(encoding="utf-8"))["shipped"]
OURS = ("models/doses.json", "calibration", "words/phrases.txt")
PICTURES = tomllib.loads((EXAMPLES / "examples.toml").read_text(encoding="utf-8"))["examples"]
DESCRIBED = {name: json.loads((MODELS / name / "model.json").read_text(encoding="utf-8")) for name in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    """The name of a bundled model."""
    return request.param


@pytest.fixture(scope="module")
def loaded(name):
    """A bundled model as open_clip loads it, with every connection refused."""

    def refuse(*_):
        raise AssertionError("the bundled model asked for the network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        spec = f"local-dir:{MODELS / name}"
        model, _, preprocess = open_clip.create_model_and_transforms(spec)
        return model.eval(), preprocess, open_clip.get_tokenizer(spec)


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["name"])
def test_every_digest_holds(entry):
    folder = ASSETS / entry["path"]
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    if folder.is_file():
        files = {folder.name: folder}
    assert {name: manifest.sha256(path) for name, path in files.items()} == entry["sha256"]
    assert sum(path.stat().st_size for path in files.values()) == entry["size"]
    assert entry["licence"]
    assert entry["credits"] or entry["path"] in OURS
    assert "python -m assets.make" in entry["command"] or entry["command"] == "make calibrate"


def test_every_shipped_file_is_covered():
    places = {entry["path"]: ASSETS / entry["path"] for entry in LISTED}
    listed = {
        (places[entry["path"]] if places[entry["path"]].is_dir() else places[entry["path"]].parent) / file
        for entry in LISTED
        for file in entry["sha256"]
    }
    found = {
        path
        for part in ("models", "stimuli", "world", "calibration")
        for path in (ASSETS / part).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    } | set((ASSETS / "words").glob("*.txt"))  # lists of words are written by hand
    assert found == listed


def test_sources_name_their_licence_and_digest():
    sources = read_sources()
    assert {source.role for source in sources} == {"train", "held-out", "labels"}
    assert [source.style for source in sources if source.role == "held-out"] == ["emojione"]
    for source in sources:
        assert source.integrity.startswith("sha512-")
        assert source.licence in {"Apache-2.0", "CC-BY-4.0", "MIT"}
        assert source.licence_url.startswith("https://")


def test_the_model_loads_offline_as_plain_open_clip(loaded):
    model, preprocess, tokenizer = loaded
    assert type(model) is open_clip.CLIP
    assert isinstance(tokenizer, open_clip.SimpleTokenizer)
    assert all(p.dtype == torch.float32 for p in model.parameters())
    assert isinstance(model.visual.transformer.resblocks[0].mlp.gelu, torch.nn.GELU)
    assert model.logit_scale.exp().item() <= 100.1
    picture = Image.new("RGB", (96, 96), (255, 0, 0))
    pixels = torch.zeros(1, 3, 72, 72)
    pixels[:, 0] = 1
    torch.testing.assert_close(preprocess(picture)[None], normalise(pixels))


def test_the_card_says_what_the_model_is(loaded, name):
    model, described = loaded[0], DESCRIBED[name]
    assert described["architecture"] == CONFIG["model_cfg"]
    assert json.loads((MODELS / name / "open_clip_config.json").read_text())["model_cfg"] == CONFIG["model_cfg"]
    assert described["parameters"] == sum(p.numel() for p in model.parameters())
    assert described["zero_shot_templates"] == list(ZERO_SHOT)
    assert {entry["package"] for entry in described["credits"]} == {source.package for source in read_sources()}
    assert described["name"] == name
    assert [run["stage"] for run in described["training"]] == ["names-48", "names-72", name]
    assert (MODELS / name / "README.md").read_text(encoding="utf-8") == card.render(described)


def test_the_models_differ_in_their_weights_alone():
    one, other = (DESCRIBED[name] for name in NAMES)
    for key in ("architecture", "parameters", "doses", "zero_shot_templates", "credits", "statement"):
        assert one[key] == other[key]
    assert [run["pictures"] for run in one["training"]] == [run["pictures"] for run in other["training"]]
    assert [run["recipe"] for run in one["training"]] == [run["recipe"] for run in other["training"]]
    assert [m["name"] for m in one["metrics"]] == [m["name"] for m in other["metrics"]]


def test_a_model_is_small_enough_for_the_repository(name):
    assert sum(path.stat().st_size for path in (MODELS / name).iterdir()) < 25_000_000


def test_metrics_lie_in_their_intervals(name):
    for metric in DESCRIBED[name]["metrics"]:
        assert metric["value"] == pytest.approx(metric["k"] / metric["n"], abs=1e-4)
        assert metric["low"] <= metric["value"] <= metric["high"]
    first = DESCRIBED[name]["metrics"][0]
    assert first["name"] == "R@1"
    assert first["n"] > 1000
    assert first["low"] > 20 / first["n"]  # chance is 1 / n


def test_familiarity_has_the_fields_it_documents(name):
    tensors = load_file(MODELS / name / "familiarity.safetensors")
    d = CONFIG["model_cfg"]["embed_dim"]
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes == {
        "mean": (d,), "precision": (d, d), "threshold": (1,), "border_threshold": (1,), "longest_caption": (1,),
    }  # fmt: skip
    assert torch.linalg.eigvalsh(tensors["precision"].double()).min() > 0
    words = (MODELS / name / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert words == sorted(set(words))
    assert {"dog", "apple", "photo", "background", "pinata", "dax", "grass", "checks", "swimmer", "beside"} <= set(
        words
    )
    assert {"ceo", "photorealistic"}.isdisjoint(words)


@pytest.mark.parametrize("entry", PICTURES, ids=lambda entry: entry["file"])
def test_examples_are_usable_and_familiar(entry, loaded, name):
    model, preprocess, _ = loaded
    with Image.open(EXAMPLES / entry["file"]) as picture:
        assert (picture.size, picture.mode) == ((256, 256), "RGB")
        pixels = preprocess(picture)[None]
    assert len(entry["labels"]) == len(set(entry["labels"])) >= 3
    assert "CC-BY-4.0" in entry["credit"]
    assert all(0 < value < 1 for value in entry.get("point", (0.5, 0.5)))
    words = (MODELS / name / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    assert {word for label in entry["labels"] for word in familiarity.words(label)} <= set(words)
    if "point" not in entry:
        with torch.no_grad():
            u = model.encode_image(pixels, normalize=True).double().numpy()
        fit = {k: v.double().numpy() for k, v in load_file(MODELS / name / "familiarity.safetensors").items()}
        assert familiarity.squared_distance(u, fit["mean"], fit["precision"])[0] < fit["threshold"][0]


def test_most_single_examples_are_told_right(loaded):
    model, preprocess, tokenizer = loaded
    right = []
    for entry in PICTURES:
        if "point" in entry:
            continue
        tokens = tokenizer([fill(template, label) for label in entry["labels"] for template in ZERO_SHOT])
        with torch.no_grad():
            texts = (
                model.encode_text(tokens, normalize=True).reshape(len(entry["labels"]), len(ZERO_SHOT), -1).mean(1)
            )
            image = model.encode_image(preprocess(Image.open(EXAMPLES / entry["file"]))[None], normalize=True)
        best = entry["labels"][int((image @ texts.T).argmax())]
        right.append(best.split()[-1] in entry["title"].lower() or best.split()[0] in entry["title"].lower())
    assert np.mean(right) >= 0.7
