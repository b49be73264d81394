"""How a text is cut into tokens, for each kind of tokenizer open_clip uses.

Tokens that carry no text (start, end, class, padding) are left out of `pieces`; `dropped` counts those that did
not fit into the context and were cut off at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

from probes.core.model import Tokens


def describe(tokenizer: Any, texts: Sequence[str]) -> tuple[Tokens, ...]:
    """Cut every text, without encoding any."""
    if isinstance(tokenizer, SimpleTokenizer):
        return tuple(_simple(tokenizer, text) for text in texts)
    return tuple(_hugging_face(tokenizer, text) for text in texts)


def make_repeatable(tokenizer: Any) -> str | None:
    """Make a tokenizer that cuts long texts at random cut their end instead; says so in a sentence."""
    if getattr(tokenizer, "reduction_fn", None) is None:
        return None
    tokenizer.reduction_fn = None
    return "this tokenizer shortens long texts at random in training; here their end is cut off"


def digest(tokenizer: Any) -> str:
    """Names a tokenizer in cache keys: equal digests cut every text alike."""
    parts = [type(tokenizer).__name__, str(tokenizer.context_length)]
    for attribute in ("clean_fn", "strip_sep_token", "tokenizer_mode"):
        value = getattr(tokenizer, attribute, "")
        parts.append(getattr(value, "__name__", str(value)))
    inner = getattr(tokenizer, "tokenizer", None)
    if inner is None:
        parts.append(str(tokenizer.vocab_size))
    elif hasattr(inner, "backend_tokenizer"):
        parts.append(inner.backend_tokenizer.to_str())
    else:
        parts.append(repr(sorted(inner.get_vocab().items())))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _simple(tokenizer: SimpleTokenizer, text: str) -> Tokens:
    """OpenAI's byte pairs: start and end take two places of the context."""
    ids = tokenizer.encode(text)
    kept = ids[: tokenizer.context_length - 2]
    return Tokens(text, tuple(_piece(tokenizer, token) for token in kept), len(ids) - len(kept))


def _piece(tokenizer: SimpleTokenizer, token: int) -> str:
    symbols = tokenizer.decoder[token].replace("</w>", "")
    if token in tokenizer.all_special_ids:
        return str(symbols)
    return bytearray(tokenizer.byte_decoder[symbol] for symbol in symbols).decode("utf-8", errors="replace")


def _hugging_face(tokenizer: Any, text: str) -> Tokens:
    """Tokenizers of the transformers library, SigLIP's included."""
    inner = tokenizer.tokenizer
    ids = tokenizer([text])[0].tolist()
    special = set(inner.all_special_ids) | {inner.pad_token_id}
    unknown = inner.unk_token_id
    kept = [token for token in ids if token not in special or token == unknown]
    cleaned = tokenizer.clean_fn(text) if isinstance(tokenizer, HFTokenizer) else _canonical(text)
    whole = inner(cleaned, add_special_tokens=False, truncation=False).input_ids
    pieces = tuple(_readable(piece) for piece in inner.convert_ids_to_tokens(kept))
    marked = bool(ids) and ids[0] in special and ids[0] != unknown
    return Tokens(text, pieces, max(0, len(whole) - len(kept)), start=int(marked))


def _canonical(text: str) -> str:
    from open_clip.tokenizer import basic_clean, canonicalize_text

    return str(canonicalize_text(basic_clean(text)))


def _readable(piece: str) -> str:
    """A token without the marks that say where a word begins."""
    return piece.replace("▁", "").replace("Ġ", "").removeprefix("##").replace("</w>", "")
