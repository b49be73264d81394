"""What a person types, and what it means."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.backend import specs
from probes.backend.specs import Kind, Spec, parse
from probes.core.errors import ModelError
from probes.core.switches import Switches

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: name not in {"bundled", "random"} and not name.endswith(specs.WEIGHT_SUFFIXES)
)


@given(names, names)
def test_pairs_are_read_back(name, tag):
    assert parse(f"{name}:{tag}") == Spec(Kind.PAIR, name, tag)
    assert parse(f" {name}:{tag} \n") == parse(str(parse(f"{name}:{tag}")))


@given(st.text(max_size=40))
def test_anything_is_either_read_or_refused_in_a_sentence(text):
    try:
        spec = parse(text)
    except ModelError:
        return
    assert parse(str(spec)) == spec


@given(names, st.integers(0, 999_999_999))
def test_random_weights_have_a_seed(name, seed):
    assert parse(f"random:{name}:{seed}") == Spec(Kind.RANDOM, name, seed=seed)
    assert parse(f"random:{name}").seed == 0


@pytest.mark.parametrize(
    ("text", "kind", "name", "pretrained"),
    [
        ("bundled", Kind.BUNDLED, "skewed", ""),
        ("bundled:balanced", Kind.BUNDLED, "balanced", ""),
        ("ViT-B/32:openai", Kind.PAIR, "ViT-B-32", "openai"),
        ("ViT-B-32:weights/mine.pt", Kind.FILE, "ViT-B-32", "weights/mine.pt"),
        ("hf-hub:org/name", Kind.HUB, "org/name", ""),
        ("local-dir:/a b/c", Kind.FOLDER, "/a b/c", ""),
    ],
)
def test_each_way_of_writing(text, kind, name, pretrained):
    assert parse(text) == Spec(kind, name, pretrained)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "ViT-B-32",
        "ViT-B-32:",
        "hf-hub:",
        "hf-hub:one",
        "hf-hub:../x",
        "local-dir:",
        "bundled:../x",
        "bundled:",
        "random:",
        "random:ViT-B-32:x",
        "random:ViT-B-32:-1",
        "a\nb:c",
        "../x:y",
    ],
)
def test_malformed_specifications_are_refused(text):
    with pytest.raises(ModelError):
        parse(text)


def test_a_misspelt_name_is_met_with_the_close_ones():
    known = ["ViT-B-32", "ViT-L-14", "RN50", *string.ascii_uppercase]
    assert specs.suggestion("vit-b32", known) == "; did you mean ViT-B-32?"
    assert specs.suggestion("qqqqqq", known) == ""
    assert specs.suggestion("qqqqqq", ["one", "two"]) == "; there are one, two"


def test_bundled_names_put_the_default_first(tmp_path, monkeypatch):
    for name in ("zebra", "skewed", "apple", "no-config"):
        (tmp_path / name).mkdir()
        if name != "no-config":
            (tmp_path / name / specs.CONFIG_NAME).write_text("{}")
    monkeypatch.setattr(specs, "bundled_root", lambda: tmp_path)
    assert specs.bundled_names() == ("skewed", "apple", "zebra")
    with pytest.raises(ModelError, match="did you mean apple"):
        specs.bundled_folder("aple")


@pytest.mark.parametrize(
    "name", ["bundled:skewed", "ViT-B-32:openai", "hf-hub:timm/ViT-B-16-SigLIP", "random:RN50:3"]
)
def test_parts_of_the_tower_are_switched_off_behind_any_name(name):
    spec = parse(f"{name}~l4h2,M1")
    assert str(spec) == f"{name}~L4H2,M1"
    assert parse(str(spec)) == spec
    assert spec.whole == parse(name)
    assert spec.off == Switches.parse("M1,L4H2")
