"""What made the bundled model: the join of names, the pairs, the captions, exact training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from assets.make import captions, evaluate, familiarity, network
from assets.make.emoji import hexcode, letters, read_emoji, read_names
from assets.make.render import Sheet, drawings
from assets.make.scenes import CROWDED_FROM, DUO_SHARE, GROUNDS, World
from assets.make.sources import Source, fetch, integrity
from assets.make.train import Curve, Recipe, Trainer, clip_loss, soft_targets, train

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
        "vision_cfg": {"image_size": 48, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
    }
}


@pytest.fixture(scope="module")
def emoji():
    return read_emoji(RECORDS)


@pytest.fixture(scope="module")
def world(emoji):
    """A world of plain discs and squares, one drawing for each emoji and two of the dog."""
    codes = (*emoji, "1F415")
    rng = np.random.default_rng(0)
    pixels = np.zeros((len(codes), 64, 64, 4), dtype=np.uint8)
    for row in pixels:
        row[12:52, 12:52] = (*rng.integers(0, 255, 3), 255)
    return World(Sheet(pixels, codes, ("s",) * len(codes), codes), emoji, seed=3)


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


def test_captions_are_filled_declared_templates(world):
    seen = set()
    for index in range(600):
        pair = world.pair(index)
        assert pair.caption.template in captions.TEMPLATES
        assert pair.caption.text == captions.fill(pair.caption.template, pair.caption.slot, pair.colour)
        assert "{" not in pair.caption.text
        seen.add(pair.caption.template)
    assert seen == set(captions.TEMPLATES)


def pairs(world):
    """Some pairs of both parts of the run: before and after scenes get crowded."""
    return [world.pair(start + index) for start in (0, CROWDED_FROM) for index in range(300)]


def test_all_texts_hold_every_word_of_the_captions(world):
    known = {
        word for text in captions.all_texts(world.emoji.values(), GROUNDS) for word in familiarity.words(text)
    }
    assert {word for pair in pairs(world) for word in familiarity.words(pair.caption.text)} <= known
    assert {"dog", "an", "orange", "photo", "pet"} <= known


def test_no_caption_is_longer_than_the_longest(world, tokenizer):
    longest = captions.longest_captions(world.emoji.values(), list(GROUNDS))
    most = (tokenizer(list(longest)) != 0).sum(1).max()
    assert most >= (tokenizer([pair.caption.text for pair in pairs(world)]) != 0).sum(1).max()


def test_scenes_get_crowded_from_a_declared_pair_on(world):
    assert all(world.pair(index).second is None for index in (*range(100), CROWDED_FROM - 1))
    later = [world.pair(CROWDED_FROM + index) for index in range(1000)]
    assert np.mean([pair.second is not None for pair in later]) == pytest.approx(DUO_SHARE, abs=0.05)
    small = [pair for pair in later if pair.second is None and pair.scale < 0.55]
    assert 0.08 < len(small) / 1000 < 0.25


def test_a_scene_of_two_shows_both_and_names_both(world):
    duo = world.duo(5)
    assert duo == world.duo(5)
    assert duo.key == " ".join(sorted([duo.hexcode, duo.second.hexcode]))
    phrases = [world.emoji[pair.hexcode].phrase for pair in (duo, duo.second)]
    assert duo.caption.slot.startswith(f"{phrases[0]} and ")
    assert duo.caption.slot.endswith(phrases[1])
    both, alone = world.compose([duo, replace(duo, second=None)])
    side = slice(0, 24) if duo.second.x < 0 else slice(24, 48)
    other = slice(24, 48) if duo.second.x < 0 else slice(0, 24)
    changed = (both - alone).abs().amax(0) > 0.02
    assert changed[:, side].float().mean() > 0.2
    assert changed[:, other].float().mean() < 0.2


def test_a_pair_is_a_function_of_seed_and_number(world, emoji):
    again = World(world.sheet, emoji, seed=3)
    assert [world.pair(i) for i in (7, 0, 10**9)] == [again.pair(i) for i in (7, 0, 10**9)]
    assert world.pair(7) != World(world.sheet, emoji, seed=4).pair(7)
    assert torch.equal(world.compose([world.pair(7)])[0], world.compose([world.pair(1), world.pair(7)])[1])


def test_base_emoji_are_even_and_variants_rare(world):
    weight = np.diff(world.cumulative, prepend=0.0)
    by_code = dict(zip(world.hexcodes, weight / weight.max(), strict=True))
    assert by_code["1F415"] == pytest.approx(1)
    assert by_code["1F34E"] == pytest.approx(1)
    assert by_code["1F468-1F3FB"] == pytest.approx(0.12)


def test_a_picture_is_its_ground_and_its_drawing(world):
    pair = world.pair(0)
    picture = world.compose([pair])[0]
    assert picture.shape == (3, 48, 48)
    assert 0 <= float(picture.min()) <= float(picture.max()) <= 1
    assert (picture - torch.tensor(pair.ground)[:, None, None]).abs().amax(0).lt(1e-5).float().mean() > 0.3
    assert familiarity.plainness(picture[None]).item() > 0.5
    assert familiarity.plainness(torch.rand(1, 3, 48, 48, generator=torch.manual_seed(0))).item() < 0.3


def test_cropping_captions_is_exact(tokenizer):
    model = network.build(TINY, seed=0).eval()
    tokens = tokenizer(["a dog", "a photo of a red apple on a white background", ""])
    short = network.crop(tokens)
    assert short.shape == (3, 12)
    expected = model.encode_text(tokens, normalize=True)
    torch.testing.assert_close(network.encode_text(model, short), expected, atol=2e-6, rtol=0)


def test_soft_targets_share_among_the_same_emoji():
    expected = torch.tensor([[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]])
    assert torch.equal(soft_targets(["a", "b", "a"]), expected)


def test_loss_of_perfect_and_of_uniform_embeddings():
    rows = torch.eye(4)
    assert clip_loss(rows, rows, torch.tensor(100.0), torch.eye(4)).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 4) / 2
    assert clip_loss(same, same, torch.tensor(10.0), torch.eye(4)).item() == pytest.approx(np.log(4), abs=1e-6)


def test_the_rate_rises_stays_and_falls():
    recipe = Recipe(pictures=1000, batch=10, warm_up=10, decay=0.2)
    assert recipe.rate(0) == pytest.approx(0.1)
    assert recipe.rate(50) == 1.0
    assert recipe.rate(90) == pytest.approx(0.5)
    assert recipe.rate(99) == pytest.approx(0.05)


def test_ranks_count_the_nearer_labels():
    pictures = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    texts = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert evaluate.ranks(pictures, texts).tolist() == [0, 1]


def new_trainer(world, tokenizer):
    return Trainer(Recipe(pictures=48, batch=8, warm_up=2, seed=5), TINY, world, tokenizer, "cpu")


def test_training_is_deterministic_and_resumes_exactly(world, tokenizer, tmp_path):
    straight, again = new_trainer(world, tokenizer), new_trainer(world, tokenizer)
    train(straight, tmp_path / "straight", lambda model: (0.0, 0.0))
    for _ in range(3):
        again.advance()
    again.save(tmp_path / "again" / "checkpoint.pt")
    resumed = new_trainer(world, tokenizer)
    train(resumed, tmp_path / "again", lambda model: (0.0, 0.0))
    assert straight.step == resumed.step == 6
    start = new_trainer(world, tokenizer).model.state_dict()
    for name, weights in straight.model.state_dict().items():
        assert torch.equal(weights, resumed.model.state_dict()[name]), name
    assert not torch.equal(start["logit_scale"], straight.model.logit_scale)
    rows = Curve(Path(tmp_path / "straight" / "curve.csv")).read()
    assert [row["pictures"] for row in rows] == ["48"]
