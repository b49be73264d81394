"""Every family of towers open_clip lists: built small with random weights, and asked everything."""

import json
from types import SimpleNamespace

import numpy as np
import open_clip
import pytest
import torch

from probes.backend import loading, specs, tokens
from probes.backend.cache import MemoryStore
from probes.backend.clip import Clip
from probes.backend.device import Placement
from probes.core.errors import CapabilityError, ModelError
from probes.core.model import Capability, Tokens
from tests.backend import small

TIMM = {"timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": "linear"}


def timm(name, size, text=None, **vision):
    """A configuration with an image tower of timm."""
    described = {**TIMM, "timm_model_name": name, "image_size": size, **vision}
    towers = {"vision_cfg": described, "text_cfg": {**small.TEXT, **(text or {})}}
    return {"embed_dim": 24, **towers}


SIGLIP_TEXT = {"no_causal_mask": True, "proj_bias": True, "pool_type": "last"}
MULTIMODAL = {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}

FAMILIES = {
    "ViT": small.config(),
    "CLIPA": small.config({"no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True}),
    "ModifiedResNet": small.config({"layers": [1, 1, 1, 1], "width": 16, "head_width": 16}),
    "CoCa": small.config(
        {"attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        {"embed_cls": True, "output_tokens": True, "context_length": 15},
        custom_text=True,
        multimodal_cfg=MULTIMODAL,
    ),
    "ConvNeXt": timm("convnext_atto", 64),
    "EVA": timm("eva02_tiny_patch14_224", 224, timm_pool="token", timm_proj=None),
    "PE": timm("vit_pe_core_tiny_patch16_384", 384, timm_pool="map", timm_proj=None),
    "MobileCLIP": timm("fastvit_mci0", 256),
    "ViTamin": timm("vitamin_small_224", 224, timm_pool="", timm_proj="linear"),
    "SigLIP": {
        **timm("vit_base_patch16_siglip_224", 224, SIGLIP_TEXT, timm_pool="map", timm_proj="none"),
        "embed_dim": 768,
        "init_logit_bias": -10,
        "custom_text": True,
    },
}
TAKEN_APART = {
    "ViT": "layer 2",
    "CLIPA": "layer 2",
    "ModifiedResNet": "pooling",
    "CoCa": "pooling",
    "PE": "pooling",
    "SigLIP": "pooling",
}
HEAVY = {"SigLIP", "ViTamin", "PE", "EVA", "MobileCLIP"}


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in FAMILIES]
)
def test_each_family_encodes_and_says_what_it_cannot(family, monkeypatch):
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "family", FAMILIES[family])
    loaded = loading.load(specs.parse("random:family"), small.CPU)
    backend = Clip(loaded, Placement(small.CPU, "float32"), MemoryStore())
    width = FAMILIES[family]["embed_dim"]
    shown = small.pictures(2)
    images, texts = backend.encode_images(shown), backend.encode_texts(["a cat", "a dog " * 30])
    assert images.shape == texts.shape == (2, width)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([images, texts]), axis=1), 1, atol=1e-5)
    assert backend.logits(images, texts).shape == (2, 2)
    assert backend.card.sigmoid == (family == "SigLIP")
    assert backend.card.activation != "unknown"
    assert [cut.truncated for cut in backend.tokens(["a cat", "a dog " * 30])] == [False, True]
    assert backend.preprocess(shown)[0].decode().shape == (*backend.card.image_size, 3)
    assert np.abs(backend.gradient(shown[0], "a cat")).max() > 0
    assert backend.decompose_texts(["a cat", "a dog " * 30]).error < 1e-5
    assert backend.card.can(Capability.FOCUS) == (family == "ViT")
    if not backend.card.can(Capability.ATTRIBUTE):
        with pytest.raises(CapabilityError, match="cannot attribute to words and patches: its"):
            backend.contributions(shown, "a cat")
    if family in TAKEN_APART:
        parts = backend.decompose(shown, by_token=True)
        assert parts.error < 1e-5
        assert parts.layers[-1] == TAKEN_APART[family]
        assert parts.by_token.shape[3] == parts.prefix + np.prod(parts.grid)
        size = np.abs(parts.outputs).max()
        np.testing.assert_allclose(parts.by_token.sum(3) / size, parts.outputs / size, atol=1e-5)
        np.testing.assert_allclose(parts.embedding, images, atol=1e-5)
        np.testing.assert_allclose(backend.attention(shown).sum(-1), 1, atol=1e-5)
        return
    assert len(backend.card.lacks[Capability.DECOMPOSE]) > 20
    with pytest.raises(CapabilityError, match=r"cannot decompose: its (image tower|attention)"):
        backend.decompose(shown)


def test_a_text_tower_of_transformers_without_transformers(monkeypatch, tmp_path):
    model_cfg = small.config(text={"hf_model_name": str(tmp_path), "hf_tokenizer_name": str(tmp_path)})
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "family", model_cfg)
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ModelError, match="pip install transformers"):
        loading.load(specs.parse("random:family"), small.CPU)


HUGGING_FACE = {
    "xlm-roberta": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32},
    "roberta": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32},
    "mt5": {"d_model": 32, "d_ff": 32, "d_kv": 16, "num_layers": 1, "num_heads": 2},
    "m2m_100": {
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
    },
}  # the last is NLLB's


def write_text_tower(folder, kind):
    """A configuration and a word tokenizer of transformers, as a hub repository would hold them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["<s>", "<pad>", "</s>", "<unk>", "a", "cat", "dog"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    described = {"model_type": kind, "vocab_size": 7, "pad_token_id": 1, **HUGGING_FACE[kind]}
    (folder / "config.json").write_text(json.dumps(described))


class OnlyAnEnd:
    """Stands in for a tokenizer of transformers that marks no start, as SigLIP's."""

    all_special_ids, pad_token_id, unk_token_id = (1,), 1, 2

    def __init__(self):
        self.tokenizer, self.words = self, {"a": 3, "cat": 4}

    def __call__(self, text, **named):
        words = text[0].split() if isinstance(text, list) else text.split()
        ids = [self.words.get(word, 2) for word in words]
        return torch.tensor([(ids + [1] * 6)[:6]]) if isinstance(text, list) else SimpleNamespace(input_ids=ids)

    def convert_ids_to_tokens(self, ids):
        return [{2: "?", 3: "▁a", 4: "▁cat"}[one] for one in ids]


def test_where_the_pieces_start():
    assert tokens.describe(OnlyAnEnd(), ["a cat", "yonder cat"])[0] == Tokens("a cat", ("a", "cat"), 0, start=0)
    assert tokens.describe(OnlyAnEnd(), ["yonder cat"])[0].start == 0, "an unknown word marks no start"
    assert tokens.describe(open_clip.get_tokenizer("ViT-B-32"), ["a cat"])[0].start == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", HUGGING_FACE)
def test_text_towers_of_transformers(kind, monkeypatch, tmp_path):
    pytest.importorskip("transformers")
    write_text_tower(tmp_path, kind)
    text = {
        "hf_model_name": str(tmp_path),
        "hf_tokenizer_name": str(tmp_path),
        "hf_proj_type": "mlp",
        "hf_pooler_type": "mean_pooler",
        "context_length": 8,
    }
    model_cfg = {**small.config(), "text_cfg": text}
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "family", model_cfg)
    loaded = loading.load(specs.parse("random:family"), small.CPU)
    backend = Clip(loaded, Placement(small.CPU, "float32"), MemoryStore())
    rows = backend.encode_texts(["a cat", "a dog", "a cat"])
    assert rows.shape == (3, 24)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-4
    short, long, strange = backend.tokens(["a cat", "a dog " * 5, "a zebra"])
    assert (short.pieces, short.dropped) == (("a", "cat"), 0)
    assert (len(long.pieces), long.dropped) == (6, 4)
    assert len(strange.pieces) == 2
    assert short.start == strange.start == 1
    assert backend.decompose(small.pictures(1)).error < 1e-5
    with pytest.raises(CapabilityError, match="transformers library"):
        backend.decompose_texts(["a cat"])
