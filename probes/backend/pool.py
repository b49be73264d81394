"""The models in memory: a budget, the least recently used leaves, and one being loaded is loaded once."""

from __future__ import annotations

import gc
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import torch

from probes.backend import specs
from probes.backend.clip import Clip, open_model
from probes.backend.device import choose_device
from probes.backend.shared import Shared
from probes.backend.specs import Spec
from probes.backend.switched import Switched
from probes.core.errors import ModelError
from probes.core.model import Progress, no_progress
from probes.core.pictures import Picture
from probes.usual_pictures import usual_pictures

Key = tuple[Spec, str, str]
Opener = Callable[[Spec, torch.device, str, Progress], Clip]


class Pool:
    """Loaded models by specification, device and precision. Safe to use from several threads.

    Args:
        budget: most bytes of weights together. The model asked for last always stays, even alone above it.
        opener: what loads a model.
        usual: the pictures over which a part that is switched off keeps its mean.
    """

    def __init__(
        self, budget: int, opener: Opener = open_model, usual: Callable[[], Sequence[Picture]] = usual_pictures
    ) -> None:
        self._budget, self._opener, self._usual = budget, opener, usual
        self._models: OrderedDict[Key, Shared[Clip]] = OrderedDict()
        self._lock = threading.Lock()

    def load(
        self, text: str, *, device: str = "auto", precision: str = "auto", progress: Progress = no_progress
    ) -> Clip | Switched:
        """The model, loading it if nobody has. Whoever asks while it is being loaded waits for it and is told too.

        Raises:
            ModelError: see `probes.backend.load`.
            Cancelled: `progress` raised it. The loading goes on for others who wait, and ends if there are none.
        """
        spec = specs.parse(text)
        whole = self._load(spec.whole, choose_device(device), precision, progress)
        return whole.without(spec.off, self._usual()) if spec.off else whole

    def _load(self, spec: Spec, where: torch.device, precision: str, progress: Progress) -> Clip:
        key = (spec, str(where), precision)
        with self._lock:
            loading = self._models.get(key)
            place = None if loading is None else loading.join()
            if loading is None or place is None:  # nobody has, or it failed, or is about to end as nobody waited
                work = partial(self._opener, spec, where, precision)
                loading = self._models[key] = Shared(work, "clipspect-loading")
                place = loading.join()
            self._models.move_to_end(key)
        assert place is not None  # what has just begun has not ended
        try:
            model = loading.result(place, progress)
        except BaseException:
            with self._lock:
                if loading.failed and self._models.get(key) is loading:
                    del self._models[key]
            raise
        self._shrink(key)
        return model

    def loaded(self) -> tuple[str, ...]:
        """Specifications of the models in memory, least recently used first."""
        with self._lock:
            return tuple(str(key[0]) for key, one in self._models.items() if one.value is not None)

    @property
    def nbytes(self) -> int:
        """Bytes of weights in memory."""
        with self._lock:
            return sum(model.nbytes for one in self._models.values() if (model := one.value) is not None)

    def clear(self) -> None:
        """Let go of every model."""
        with self._lock:
            self._models.clear()
        gc.collect()

    def _shrink(self, newest: Key) -> None:
        """Let go of the least recently used models until the rest fit the budget."""
        with self._lock:
            found = {key: one.value for key, one in self._models.items()}
            sizes = {key: model.nbytes for key, model in found.items() if model is not None}
            del found  # holds the models
            total, leaving = sum(sizes.values()), []
            for key, size in sizes.items():
                if total > self._budget and key != newest:
                    leaving.append(self._models.pop(key))
                    total -= size
        if leaving:
            leaving.clear()
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def model_budget() -> int:
    """Bytes of weights to keep loaded: `CLIPSPECT_MODEL_BYTES`, or a third of the machine's memory.

    Raises:
        ModelError: the variable is not a number.
    """
    import psutil

    asked = os.environ.get("CLIPSPECT_MODEL_BYTES")
    if asked is None:
        return int(psutil.virtual_memory().total) // 3
    if not asked.isdigit():
        raise ModelError(f"CLIPSPECT_MODEL_BYTES has to be a number of bytes, not {asked!r}")
    return int(asked)


@lru_cache(maxsize=1)
def models() -> Pool:
    """The pool of this process."""
    return Pool(model_budget())
