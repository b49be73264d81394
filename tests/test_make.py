"""What makes the bundled models: the join of names, exact training, the loss, familiarity, the curve, the card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import binomtest

from assets.make import doses, evaluate, familiarity, metrics, network, runs
from assets.make.emoji import hexcode, letters, read_emoji, read_names
from assets.make.render import drawings
from assets.make.sources import Source, fetch, integrity
from assets.make.train import (
    BEFORE,
    STAGES,
    Curve,
    Recipe,
    Trainer,
    clip_loss,
    filler_texts,
    right_answers,
    stages_of,
    train,
)
from assets.world import captions
from assets.world.plan import PLAN
from assets.world.scene import Scene
from assets.world.schedule import BRANCH, END, Pair
from probes.backend.familiarity import two_colour_share
from tests.worlds import world

RECORDS = [  # rows of emojibase's data.json, shortened
    {"label": "dog", "hexcode": "1F415", "tags": ["animal", "pet"], "group": 3},
    {"label": "red apple", "hexcode": "1F34E", "tags": ["fruit", "red"], "group": 4},
    {"label": "heart on fire", "hexcode": "2764-FE0F-200D-1F525", "tags": ["love"], "group": 0},
    {"label": "flag: Finland", "hexcode": "1F1EB-1F1EE", "tags": ["FI"], "group": 9},
    {
        "label": "man", "hexcode": "1F468", "tags": ["adult"], "group": 1,
        "skins": [
            {"label": "man: light skin tone", "hexcode": "1F468-1F3FB", "tone": 1},
            {"label": "man: dark skin tone", "hexcode": "1F468-1F3FF", "tone": 5},
        ],
    },
    {"label": "man: red hair", "hexcode": "1F468-200D-1F9B0", "tags": [], "group": 1, "gender": 1,
     "skins": [{"label": "man: light skin tone, red hair", "hexcode": "1F468-1F3FB-200D-1F9B0", "tone": 1}]},
]  # fmt: skip
TINY = {
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 24, "layers": 1, "width": 32, "head_width": 16, "patch_size": 12},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
    }
}


@pytest.fixture(scope="module")
def emoji():
    return read_emoji(RECORDS)


@pytest.fixture(scope="module")
def tokenizer():
    return open_clip.SimpleTokenizer(context_length=77)


def test_hexcodes_have_one_spelling():
    assert hexcode("2764-fe0f-200d-1f525") == "2764-200D-1F525"
    assert letters("Piñata_2 (new)") == "pinata2new"


def test_flags_are_left_out_and_variants_know_their_base(emoji):
    assert "1F1EB-1F1EE" not in emoji
    assert len(emoji) == 8
    assert emoji["1F468-1F3FF"].base == "1F468"
    assert emoji["1F468-1F3FF"].tones == (5,)


def test_phrases(emoji):
    assert emoji["1F34E"].phrase == "red apple"
    assert emoji["1F468-1F3FB"].phrase == "man with light skin tone"
    assert emoji["1F468-1F3FB-200D-1F9B0"].phrase == "man: red hair with light skin tone"


def test_gender_from_the_field_or_the_one_gendered_word(emoji):
    assert emoji["1F468-200D-1F9B0"].gender == "man"
    assert emoji["1F468-1F3FB"].gender == "man"
    assert emoji["1F415"].gender is None


def test_names_join_by_codepoint_then_label_then_alias(emoji):
    names = read_names(emoji, [{"1f415": "hound"}], {"1F34E": "RED APPLE FRUIT", "1F1EB-1F1EE": "FINLAND"})
    assert names.find("anything", "2764-fe0f-200d-1f525") == "2764-200D-1F525"
    assert names.find("anything", "1F1EB-1F1EE") is None
    assert names.find("red-apple", None) == "1F34E"
    assert names.find("redapplefruit", None) == "1F34E"
    assert names.find("dog-2", None) == "1F415"
    assert names.find("a-hound", None, ["hound"]) == "1F415"
    assert names.find("unicorn", None) is None
    assert names.find("finland", None) is None


def test_drawings_of_a_package(tmp_path, emoji):
    body = '<rect width="8" height="8"/>'
    icons = {
        "icons": {"dog": {"body": body}, "unicorn": {"body": body}, "flag": {"body": body}},
        "width": 8,
        "height": 8,
    }
    (tmp_path / "icons.json").write_text(json.dumps(icons))
    (tmp_path / "chars.json").write_text('{"1f1eb-1f1ee": "flag"}')
    found = list(drawings(tmp_path, "style", read_names(emoji, [], {})))
    assert [(d.hexcode, d.name) for d in found] == [("1F415", "dog")]
    assert 'viewBox="0 0 8 8"' in found[0].svg


def test_a_package_with_another_digest_is_refused(tmp_path):
    source = Source("@x/y", "1.0.0", "sha512-no", "MIT", "url", "author", "url", "train")
    (tmp_path / f"{source.stem}.tgz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="digest"):
        fetch(source, tmp_path)
    assert integrity(tmp_path / "x-y-1.0.0.tgz").startswith("sha512-")


@pytest.mark.parametrize(
    ("template", "slot", "colour", "text"),
    [
        ("a photo of a {}", "dog", "", "a photo of a dog"),
        ("a photo of a {}", "apple", "", "a photo of an apple"),
        ("a {}", "elephant", "", "an elephant"),
        ("a {} on a {colour} background", "dog", "orange", "a dog on an orange background"),
        ("a {} on a {colour} background", "owl", "white", "an owl on a white background"),
    ],
)
def test_articles(template, slot, colour, text):
    assert captions.fill(template, slot, colour) == text


def test_cropping_captions_is_exact(tokenizer):
    model = network.build(TINY, seed=0).eval()
    tokens = tokenizer(["a dog", "a photo of a red apple on a white background", ""])
    short = network.crop(tokens)
    assert short.shape == (3, 12)
    expected = model.encode_text(tokens, normalize=True)
    torch.testing.assert_close(network.encode_text(model, short), expected, atol=2e-6, rtol=0)


def test_finer_patches_embed_an_enlarged_patch_as_the_patch_was():
    kernel = torch.randn(5, 3, 8, 8, generator=torch.manual_seed(0))
    picture = torch.rand(2, 3, 8, 8, generator=torch.manual_seed(1))
    large = F.interpolate(picture, size=(12, 12), mode="bilinear")
    finer = network.finer_patches(kernel, 12)
    assert finer.shape == (5, 3, 12, 12)
    torch.testing.assert_close(F.conv2d(large, finer), F.conv2d(picture, kernel), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network.finer_patches(kernel, 8), kernel)


def pair(key: str, shows: tuple[str, ...] = (), claim: str | None = None) -> Pair:
    return Pair(0, "label", Scene("white", (1, 1, 1), ()), "", "", "", key, frozenset(shows), claim)


def test_right_answers_are_equal_keys_and_claims_that_hold():
    batch = [
        pair("dog", ("ground:sea", "object:dog")),
        pair("cat", ("ground:grass",)),
        pair("dog", ("ground:grass",)),
        pair("ground:sea", ("ground:sea",), "ground:sea"),
    ]
    assert right_answers(batch).tolist() == [[1, 0, 1, 1], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]


def test_fillers_name_nothing_that_is_shown():
    pairs = [world("skewed").pair(BRANCH + index) for index in range(128)]
    shown = {thing.name for one in pairs for thing in one.scene.things}
    texts = filler_texts(world("skewed"), pairs, 256, step=3)
    possible = {captions.fill(template, name) for template in captions.LABEL_TEMPLATES for name in shown}
    assert 100 < len(texts) <= 256
    assert not possible.intersection(texts)
    assert texts == filler_texts(world("skewed"), pairs, 256, step=3)
    assert texts != filler_texts(world("skewed"), pairs, 256, step=4)


def test_loss_of_perfect_and_of_uniform_embeddings():
    rows = torch.eye(4)
    assert clip_loss(rows, rows, torch.tensor(100.0), torch.eye(4)).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 4) / 2
    assert clip_loss(same, same, torch.tensor(10.0), torch.eye(4)).item() == pytest.approx(np.log(4), abs=1e-6)


def test_fillers_count_against_pictures_alone():
    """With all embeddings equal the pictures choose among n + m texts, and the captions among n pictures."""
    same = torch.ones(7, 4) / 2
    expected = (np.log(7) + np.log(4)) / 2
    assert clip_loss(same[:4], same, torch.tensor(10.0), torch.eye(4)).item() == pytest.approx(expected, abs=1e-6)


def test_the_rate_rises_stays_and_falls():
    recipe = Recipe(0, pictures=1000, batch=10, warm_up=10, decay=0.2)
    assert recipe.rate(0) == pytest.approx(0.1)
    assert recipe.rate(50) == 1.0
    assert recipe.rate(90) == pytest.approx(0.5)
    assert recipe.rate(99) == pytest.approx(0.05)


def test_stages_follow_one_another_without_a_gap():
    assert stages_of("balanced") == ("names-48", "names-72", "balanced")
    for stage, before in BEFORE.items():
        assert STAGES[stage].first == STAGES[before].first + STAGES[before].pictures
    assert STAGES["skewed"] == STAGES["balanced"]
    assert STAGES["skewed"].first + STAGES["skewed"].pictures == END
    assert all(recipe.pictures % recipe.batch == 0 for recipe in STAGES.values())


def test_ranks_count_the_nearer_labels():
    pictures = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    texts = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert evaluate.ranks(pictures, texts).tolist() == [0, 1]


def new_trainer(tokenizer):
    recipe = Recipe(BRANCH, pictures=48, size=24, batch=8, fillers=4, warm_up=2, seed=5)
    return Trainer(recipe, TINY, world("skewed"), tokenizer, "cpu")


def test_training_is_deterministic_and_resumes_exactly(tokenizer, tmp_path):
    straight, again = new_trainer(tokenizer), new_trainer(tokenizer)
    train(straight, tmp_path / "straight", lambda model: (0.0, 0.0))
    for _ in range(3):
        again.advance()
    again.save(tmp_path / "again" / "checkpoint.pt")
    resumed = new_trainer(tokenizer)
    train(resumed, tmp_path / "again", lambda model: (0.0, 0.0))
    assert straight.step == resumed.step == 6
    start = new_trainer(tokenizer).model.state_dict()
    for name, weights in straight.model.state_dict().items():
        assert torch.equal(weights, resumed.model.state_dict()[name]), name
    assert not torch.equal(start["logit_scale"], straight.model.logit_scale)
    rows = Curve(Path(tmp_path / "straight" / "curve.csv")).read()
    assert [row["pictures"] for row in rows] == [str(BRANCH + 48)]


def test_a_stage_begins_where_another_ended(tokenizer, tmp_path):
    before, same = new_trainer(tokenizer), new_trainer(tokenizer)
    before.advance()
    before.save(tmp_path / "checkpoint.pt")
    same.begin(tmp_path / "checkpoint.pt", same_patches=True)
    assert same.step == 0
    for name, weights in before.model.state_dict().items():
        assert torch.equal(weights, same.model.state_dict()[name]), name
    assert same.optimisers[1].state_dict()["state"][0]["step"] == 1


def test_a_run_is_read_off_its_curve(tmp_path):
    (tmp_path / "curve.csv").write_text(
        "step,pictures,seconds,loss,logit_scale,recall_at_1,recall_at_10\n25,1,9,1,1,,\n"
    )
    runs.write_machine(tmp_path)
    run = runs.read_run("skewed", tmp_path)
    assert (run.steps, run.pictures, run.seconds, run.after) == (25, 25 * 128, 9, "names-72")
    assert run.hardware
    runs.write_curves({"names-48": tmp_path, "skewed": tmp_path}, tmp_path / "all.csv")
    assert [row["stage"] for row in Curve(tmp_path / "all.csv").read()] == ["names-48", "skewed"]


def test_an_interval_is_wilsons():
    found = metrics.metric("m", "w", torch.tensor([True] * 3 + [False] * 7), 0.5, 0.9)
    interval = binomtest(3, 10).proportion_ci(method="wilson")
    assert (found.k, found.n, found.value) == (3, 10, 0.3)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_questions_of_attributes_are_put_into_words(monkeypatch):
    asked = []
    monkeypatch.setattr(
        metrics, "embed_labels",
        lambda model, tokenizer, labels, templates: asked.append(
            [captions.fill(template, label) for template in templates for label in labels]
        ) or torch.zeros(len(labels), 2),
    )  # fmt: skip
    metrics.texts_of(None, None, ("a {tint} {label}",), "tint", ("red", "orange"), ("dog", "ape"))
    metrics.texts_of(None, None, metrics.NAMED_GROUND, "ground", ("sea",), ("ape",))
    metrics.texts_of(None, None, metrics.SOME_GROUND[:2], "ground", ("orange",), ("",))
    assert asked == [
        ["a red dog", "a red ape"],
        ["an orange dog", "an orange ape"],
        ["an ape on a sea background"],
        ["orange background", "an orange background"],
    ]


def test_two_colours_of_a_border():
    """Two thirds of one colour and a third of another make up all; a third goes uncounted."""
    size = 24
    picture = torch.zeros(3, 3, size, size)
    picture[1:, 0, :, ::3] = 1.0  # red stripes on black
    picture[2, 2, 12:] += torch.linspace(0.3, 0.9, size)[None] * torch.linspace(0.7, 1, 12)[:, None]
    share = familiarity.two_colour_share(picture)
    assert share[:2].tolist() == [1.0, 1.0]
    assert share[2] < 0.8
    noise = torch.rand(1, 3, size, size, generator=torch.manual_seed(0))
    assert familiarity.two_colour_share(noise).item() < 0.15


def test_makers_and_backend_see_the_same_border():
    pairs = [world("skewed", "held-out").pair(index) for index in (5, 130_007, 200_003)]
    pictures = (world("skewed", "held-out").compose(pairs) * 255).round() / 255
    pictures = torch.cat(
        [pictures, torch.rand(2, 3, 72, 72, generator=torch.manual_seed(1)).mul(255).round() / 255]
    )
    seen = (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
    expected = familiarity.two_colour_share(pictures).tolist()
    assert [two_colour_share(one) for one in seen] == pytest.approx(expected, abs=0.02)


def test_world_scenes_of_every_kind_are_plainer_than_noise():
    scenes = familiarity.scenes(world("skewed", "held-out"), 200, BRANCH)
    share = familiarity.two_colour_share(world("skewed", "held-out").draw(scenes))
    assert share.quantile(0.05).item() > 0.7


def test_the_table_of_doses_is_the_plan(tmp_path):
    doses.write(tmp_path / "doses.json")
    table = json.loads((tmp_path / "doses.json").read_text(encoding="utf-8"))
    assert [list(row.values())[:2] for row in table["doses"]] == [[row.behaviour, row.concept] for row in PLAN]
    shipped = Path(__file__).resolve().parents[1] / "assets" / "models" / "doses.json"
    assert shipped.read_text(encoding="utf-8") == (tmp_path / "doses.json").read_text(encoding="utf-8")
