"""Gradients of a similarity in the pixels the image tower sees."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def cosine_gradient(encode: Callable[[Tensor], Tensor], unit: Tensor, text: Tensor) -> Tensor:
    """The slope d cos(encode(x), text) / dx at x = `unit`.

    Args:
        encode: colours in 0..1, (1, 3, height, width), to features (1, d).
        unit: the picture, (1, 3, height, width).
        text: unit embedding of the text, (d,).

    Returns:
        (height, width, 3), cosine per unit of colour.
    """
    with torch.inference_mode(False), torch.enable_grad():
        point = unit.clone().requires_grad_(True)
        cosine = F.normalize(encode(point).float(), dim=-1)[0] @ text.clone()
        (slope,) = torch.autograd.grad(cosine, point)
    return slope[0].permute(1, 2, 0)
