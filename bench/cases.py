"""What is measured: one model, the same pictures, the plain way and ours."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from open_clip.transform import image_transform_v2
from torch import Tensor

from probes.backend import decomposition, loading, specs, towers
from probes.backend.cache import MemoryStore
from probes.backend.clip import Clip
from probes.backend.device import Placement, choose_precision
from probes.backend.readers import Reader
from probes.core.model import Float32
from probes.core.pictures import Picture

BATCH = 32


def drawn(count: int, seed: int = 0) -> list[Picture]:
    """Pictures of 640 x 480: smooth colours with noise, as compressible as photographs."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        coarse = rng.integers(0, 255, (12, 16, 3)).astype(np.float32)
        rgb = coarse.repeat(40, axis=0).repeat(40, axis=1) + rng.normal(0, 12, (480, 640, 1))
        made.append(Picture(f"picture {index}", np.clip(rgb, 0, 255).astype(np.uint8)))
    return made


class Case:
    """One model and its pictures.

    Args:
        spec: of the model.
        count: of pictures.
        device: where.
    """

    def __init__(self, spec: str, count: int, device: torch.device) -> None:
        self.name, self.count, self.device = spec, count, device
        self._loaded = loading.load(specs.parse(spec), device)
        parameters = sum(weight.numel() for weight in self._loaded.model.parameters())
        self.precision = choose_precision("auto", device, parameters)
        self._memory = MemoryStore()
        self._backend = self._with(self.precision)
        self._preprocess: Any = image_transform_v2(self._loaded.preprocess, is_train=False)
        self._pictures = drawn(count)
        self._images = [picture.image() for picture in self._pictures]
        height, width = self._backend.card.image_size
        self._random = torch.randn(min(BATCH, count), 3, height, width, device=device)

    def _with(self, precision: str) -> Clip:
        return Clip(self._loaded, Placement(self.device, precision), self._memory)

    def warm_up(self) -> None:
        """Let every library allocate and every thread start; digest the pictures, as reading a file does."""
        self._backend.encode_images(self._pictures[:BATCH])
        self.loop(self._images[:2], 2)
        self.decompose()

    def seconds(self, work: Callable[[], object]) -> float:
        """How long `work` takes."""
        self._wait()
        start = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    @torch.inference_mode()
    def loop(self, images: list[Any], size: int) -> Float32:
        """open_clip's own way: preprocess one after the other, encode `size` at a time, in float32."""
        rows = []
        for start in range(0, len(images), size):
            batch = torch.stack([self._preprocess(image) for image in images[start : start + size]])
            rows.append(self._loaded.model.encode_image(batch.to(self.device), normalize=True).cpu())
        return np.asarray(torch.cat(rows).numpy())

    def loop_single(self) -> Float32:
        """The loop, one picture at a time."""
        return self.loop(self._images, 1)

    def loop_batched(self) -> Float32:
        """The loop, in batches."""
        return self.loop(self._images, BATCH)

    def backend_cold(self) -> Float32:
        """Ours, with nothing in the cache."""
        self._memory.clear()
        return self._backend.encode_images(self._pictures)

    def backend_cached(self) -> Float32:
        """Ours, with everything in the cache."""
        return self._backend.encode_images(self._pictures)

    @torch.inference_mode()
    def forward(self) -> Tensor:
        """A plain forward pass over one batch of random pixels, in float32."""
        features: Tensor = self._loaded.model.encode_image(self._random)
        return features

    def decompose(self) -> object:
        """The decomposition of the same batch."""
        return decomposition.decompose(self._reader, lambda: self._loaded.model.visual(self._random))

    @cached_property
    def _reader(self) -> Reader:
        """How the image tower is read: once for a model, as the backend does."""
        found = towers.image_reader(self._loaded.model.visual)
        assert not isinstance(found, str)  # both cases are plain ViTs
        return found

    def agreement(self, precision: str | None = None) -> float:
        """Least cosine of our rows with those of the loop."""
        few = self._pictures[:BATCH]
        expected = self.loop(self._images[:BATCH], BATCH)
        self._memory.clear()
        backend = self._backend if precision is None else self._with(precision)
        return float((backend.encode_images(few) * expected).sum(1).min())


def cases(count: int, device: torch.device) -> Iterator[Case]:
    """ViT-B-32 with random weights, and the bundled model where there is one."""
    yield Case("random:ViT-B-32", count, device)
    if specs.bundled_names():
        yield Case("bundled", count, device)


def gpu_share(device: torch.device, repeats: int) -> list[float]:
    """Our throughput on a GPU as a share of the bare forward pass on random tensors, ViT-L-14 in bfloat16."""
    case = Case("random:ViT-L-14", 1024, device)
    height, width = 224, 224
    batch = torch.randn(128, 3, height, width, device=device)

    @torch.inference_mode()
    def bare() -> None:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            for _ in range(1024 // 128):
                case._loaded.model.encode_image(batch)

    case.warm_up()
    bare()
    return [case.seconds(bare) / case.seconds(case.backend_cold) for _ in range(repeats)]


def peak_memory() -> int:
    """Most memory this process has held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)
