"""What an architecture lacks is known before it is loaded, and is what a loaded model says."""

import csv

import open_clip
import pytest
from open_clip.factory import get_model_config
from PIL import Image

from probes import backend, cli, registry
from probes.backend import capabilities, listing, loading, specs
from probes.backend.cache import MemoryStore
from probes.backend.clip import Clip
from probes.backend.device import Placement
from probes.core.model import Capability
from tests.backend import small
from tests.backend.test_families import FAMILIES, HEAVY

SAMPLE = (
    "ViT-B-32", "ViT-B-16-quickgelu", "RN50", "coca_ViT-B-32", "convnext_tiny", "EVA02-B-16", "ViT-B-16-SigLIP",
    "ViTamin-S", "MobileCLIP-S1", "PE-Core-T-16-384", "ViT-L-14-CLIPA", "roberta-ViT-B-32",
)  # fmt: skip


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in FAMILIES]
)
def test_without_weights_a_family_lacks_what_it_lacks_with_them(family, monkeypatch):
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "family", FAMILIES[family])
    loaded = loading.load(specs.parse("random:family"), small.CPU)
    card = Clip(loaded, Placement(small.CPU, "float32"), MemoryStore()).card
    built, whole = capabilities.without_weights(FAMILIES[family])
    assert whole
    assert capabilities.of_architecture(built) == card.lacks
    assert sum(weight.numel() for weight in built.parameters()) == card.parameters
    assert {weight.device.type for weight in built.parameters()} == {"meta"}


@pytest.mark.parametrize("name", SAMPLE)
def test_the_table_says_what_the_code_says(name):
    built, whole = capabilities.without_weights(get_model_config(name))
    known = listing.architectures()[name]
    assert known.lacks == capabilities.of_architecture(built)
    assert whole == (name != "roberta-ViT-B-32")
    assert not whole or known.parameters == sum(weight.numel() for weight in built.parameters())


@pytest.mark.parametrize("name", ["RN50", "ViT-B-32"])
def test_the_table_says_what_a_real_model_in_memory_lacks(name):
    model = open_clip.create_model(name, load_weights=False)
    assert listing.architectures()[name].lacks == capabilities.of_architecture(model)


def test_the_bundled_models_lack_nothing():
    for entry in listing.bundled():
        loaded = loading.load(specs.parse(entry.spec), small.CPU)
        assert entry.lacks == capabilities.of_architecture(loaded.model) == {}
        assert entry.licence == "Apache-2.0"


def test_every_architecture_and_every_reason():
    known = listing.architectures()
    offered = {*open_clip.list_models(), "bundled:skewed", "bundled:balanced"}
    assert offered <= set(known), "run `python -m assets.make.architectures`"
    for name, one in known.items():
        assert all(reason.startswith("its ") and not reason.endswith(".") for reason in one.lacks.values()), name
        assert (Capability.DECOMPOSE in one.lacks) == (Capability.ATTEND in one.lacks)
        assert Capability.FOCUS in one.lacks or Capability.DECOMPOSE not in one.lacks
    assert known["ViT-bigG-14"].lacks == {}
    assert "transformers library" in known["nllb-clip-base"].lacks[Capability.DECOMPOSE_TEXTS]


def test_what_a_specification_lacks_before_it_is_loaded():
    resnet = listing.architectures()["RN50"].lacks
    assert listing.lacks("RN50:openai") == listing.lacks("RN50:mine.pt") == listing.lacks("random:RN50") == resnet
    assert listing.lacks("bundled:skewed~L1H1") == {}
    assert listing.lacks("hf-hub:org/name") is listing.lacks("local-dir:x") is listing.lacks("no such") is None
    assert listing.lacks("ViT-of-tomorrow:openai") is None


def test_the_command_line_refuses_before_it_loads(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(backend, "load", lambda *args, **named: pytest.fail("it was loaded"))
    picture = tmp_path / "grey.png"
    Image.new("RGB", (32, 32), "grey").save(picture)
    asked = ["run", "attention_heads", "--images", str(picture), "--model", "EVA02-B-16:merged2b_s8b_b131k"]
    assert cli.main(asked) == 3
    assert "needs a model that can decompose: its image tower is timm's Eva" in capsys.readouterr().err


def test_pages_in_a_sentence():
    known = listing.architectures()
    assert registry.pages(None) == "which pages it can answer is known once it is loaded"
    assert registry.pages({}) == "pages: all"
    resnet = registry.pages(known["RN50"].lacks)
    assert resnet == "pages: all; it cannot attribute to words and patches, be told where to look"
    title = registry.get("attention_heads").card.title
    assert registry.pages(known["EVA02-B-16"].lacks).startswith(
        f"pages: all but {title} (its image tower is timm's Eva"
    )


def test_licences_have_a_source_and_belong_to_weights_that_are_offered():
    repositories = {
        open_clip.pretrained.get_pretrained_cfg(*pair)["hf_hub"].rpartition("/")[0]
        for pair in open_clip.list_pretrained()
    }
    path = listing.TABLE.with_name("licences.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["repository"] for row in rows}) == len(rows)
    for row in rows:
        assert row["repository"] in repositories
        assert row["source"].startswith(f"https://huggingface.co/{row['repository']}/")
        assert row["licence"] in ("MIT", "Apache-2.0", "CC-BY-NC-4.0", "apple-amlr")
    by_spec = {entry.spec: entry.licence for entry in listing.published()}
    assert by_spec["ViT-B-16:metaclip_400m"] == "CC-BY-NC-4.0"
    assert by_spec["ViT-B-32:openai"] == by_spec["ViT-B-32-quickgelu:openai"] == "Apache-2.0"
    assert by_spec["ViT-H-14:laion2b_s32b_b79k"] == "", "its own page was not seen"
