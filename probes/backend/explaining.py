"""What open_clip, transformers and torch raise while a model is built, in one sentence each."""

from __future__ import annotations

import pickle
import zipfile

import torch
from safetensors import SafetensorError

from probes.backend.specs import Spec
from probes.core.errors import ModelError


class translated:
    """Turns what open_clip and its libraries raise while building into one sentence."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ModelError) or not isinstance(error, Exception):
            return
        sentence = explain(error)
        if sentence:
            raise ModelError(f"{self._spec}: {sentence}") from error


def explain(error: Exception) -> str:
    """What an error of open_clip, transformers or torch means; empty if that is not known."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and len(chain) < 8:
        chain.append(cause)
    text = " ".join(str(part) for part in chain)
    missing = isinstance(error, ImportError) or "pip install" in text
    if missing and "transformers" in text:
        return "its text tower needs another package; run `pip install transformers`"
    if missing:
        return f"a package is missing: {error}"
    if any(isinstance(part, pickle.UnpicklingError) for part in chain) or "weights_only" in text.lower():
        return "its weights file holds code or is broken, and was not run; use a safetensors file"
    if isinstance(error, (SafetensorError, EOFError, zipfile.BadZipFile)) or "PytorchStreamReader" in text:
        return "its weights file is broken or incomplete; download it again"
    if "state_dict" in text:
        return "its weights do not fit the architecture: " + _gist(error)
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return "it does not fit into memory"
    if any(word in text for word in ("couldn't connect", "offline mode", "Cannot send a request", "Connection")):
        return "its text tower or tokenizer comes from the Hugging Face hub, which cannot be reached"
    if isinstance(error, (OSError, ValueError, TypeError, KeyError, RuntimeError, AssertionError, AttributeError)):
        return "open_clip cannot build it: " + _gist(error)
    return ""


def _gist(error: Exception) -> str:
    """The first lines of an error, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (" ".join(lines[:2]) or type(error).__name__)[:300]
