"""From pictures to what the image tower sees, with open_clip's own transform.

open_clip's transform is a list of steps: some on a Pillow picture (resize, crop, colour mode), then to a tensor
in 0..1, then normalisation. The first part is run as it is, in threads (Pillow lets others run while it resizes),
and ends in 8-bit pixels; the second is arithmetic on a whole batch, `(x / 255 - mean) / std`, done on the device.
The operations and their order are the same, so the values are too.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from open_clip.transform import Normalize, PreprocessCfg, image_transform_v2
from torch import Tensor

from probes.backend.device import cores
from probes.core.pictures import RGB, Picture


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(2, cores()), thread_name_prefix="clipspect-preprocess")


class Preprocessing:
    """The preprocessing of one model.

    Attributes:
        config: open_clip's description of it.
        size: (height, width) of what the tower sees, in pixels.
        digest: names the preprocessing in cache keys.
    """

    def __init__(self, config: PreprocessCfg, device: torch.device) -> None:
        self.config = config
        steps: list[Any] = list(image_transform_v2(config, is_train=False).transforms)
        normalise = steps.pop()
        if not isinstance(normalise, Normalize):
            raise TypeError(f"open_clip's transform ends in {type(normalise).__name__}, not in a normalisation")
        steps.pop()  # to tensor: done by the batch in `normalise`
        self._steps = steps
        self._mean = torch.tensor(normalise.mean, dtype=torch.float32, device=device).reshape(1, 3, 1, 1)
        self._std = torch.tensor(normalise.std, dtype=torch.float32, device=device).reshape(1, 3, 1, 1)
        height, width = (config.size, config.size) if isinstance(config.size, int) else config.size[-2:]
        self.size = (int(height), int(width))
        described = json.dumps(asdict(config), sort_keys=True, default=list)
        self.digest = hashlib.sha256(described.encode()).hexdigest()

    def pixels(self, picture: Picture) -> RGB:
        """What the tower sees of a picture, (height, width, 3) uint8."""
        image: Any = picture.image()
        for step in self._steps:
            image = step(image)
        return np.asarray(image)

    def submit(self, picture: Picture) -> Future[RGB]:
        """`pixels`, in another thread."""
        return _workers().submit(self.pixels, picture)

    def unit(self, pixels: list[RGB]) -> Tensor:
        """Pixels as a batch in 0..1 on the device, (n, 3, height, width) float32."""
        batch = torch.from_numpy(np.stack(pixels)).to(self._mean.device, non_blocking=True)
        return batch.permute(0, 3, 1, 2).to(torch.float32).div(255)

    def normalise(self, unit: Tensor) -> Tensor:
        """Values in 0..1 to what the tower takes in. Differentiable."""
        return (unit - self._mean) / self._std
