"""The pixels of scenes: many are drawn at once, on the device that asks.

Apart from `assets.world.scene`, which needs no more than NumPy, since torch takes seconds to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from assets.world.drawings import Pixels
from assets.world.scene import INKS, TEXTURES, TINTS, Ring, Scene, Thing


def compose(
    scenes: Sequence[Scene], drawings: Pixels, size: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """The pictures `(n, 3, size, size)` float32 in 0..1, on the device.

    `drawings`, indexed with a list of k rows, gives `(k, s, s, 4)` uint8 premultiplied RGBA: the sheet that
    `Thing.drawing` counts in.
    """
    device = torch.device(device)
    pictures = _column([scene.base for scene in scenes], device).repeat(1, 1, size, size)
    for name in TEXTURES:
        rows = [row for row, scene in enumerate(scenes) if scene.ground == name]
        if rows:
            pictures[rows] = texture(name, [scenes[row] for row in rows], size, device)
    for layer in range(max((len(scene.things) for scene in scenes), default=0)):
        rows = [row for row, scene in enumerate(scenes) if len(scene.things) > layer]
        things = [scenes[row].things[layer] for row in rows]
        rgba = torch.as_tensor(drawings[[thing.drawing for thing in things]]).to(device)
        pictures[rows] = _place(_coloured(things, rgba), things, pictures[rows], size)
    rows = [row for row, scene in enumerate(scenes) if scene.ring is not None]
    if rows:
        pictures[rows] = _circled([ring for s in scenes if (ring := s.ring) is not None], pictures[rows], size)
    return pictures


def texture(name: str, scenes: Sequence[Scene], size: int, device: torch.device) -> torch.Tensor:
    """The grounds of scenes that share a texture, `(n, 3, size, size)` in 0..1: two colours and a pattern."""
    axis = (torch.arange(size, device=device) + 0.5) / size
    shift = _column([scene.phase for scene in scenes], device)
    x = axis[None, None, None, :] + shift[:, :1]
    y = axis[None, None, :, None] + shift[:, 1:]
    turn = 2 * math.pi
    if name == "grass":
        wave = torch.sin(turn * 13 * x + 2 * torch.sin(turn * 5 * y)) * torch.cos(turn * 4 * y)
        share = (0.5 + wave).clamp(0, 1)
    elif name == "sea":
        share = (3 * torch.sin(turn * (7 * y + 0.35 * torch.sin(turn * 3 * x))) - 1.6).clamp(0, 1)
    elif name == "sand":
        ripple = torch.sin(turn * 12 * x + 5 * torch.sin(turn * 3 * y)) * torch.sin(turn * 12 * y)
        share = (4 * ripple - 2.4).clamp(0, 1)
    elif name == "snow":
        share = (9 * torch.cos(turn * 4 * (x + y)) * torch.cos(turn * 4 * (x - y)) - 7.0).clamp(0, 1)
    elif name == "sky":
        along = torch.sin(turn * (1.5 * x + 0.3 * torch.sin(turn * 2 * y)))
        share = (2 * along * torch.sin(turn * 1.5 * y) - 0.5).clamp(0, 1)
    elif name == "rock":
        crack = torch.sin(turn * (3 * x + 2 * y + 0.4 * torch.sin(turn * 4 * y))) * torch.sin(
            turn * (4 * y - 2 * x)
        )
        share = (1 - 7 * crack.abs()).clamp(0, 1)
    elif name == "stripes":
        share = (6 * torch.sin(turn * 4 * (x + y)) + 0.5).clamp(0, 1)
    elif name == "checks":
        share = (8 * torch.sin(turn * 3 * x) * torch.sin(turn * 3 * y) + 0.5).clamp(0, 1)
    else:
        share = (8 * (torch.cos(turn * 4 * x) + torch.cos(turn * 4 * y) - 1.1) + 0.5).clamp(0, 1)
    base = _column([scene.base for scene in scenes], device)
    other = _column([scene.other for scene in scenes], device)
    return base * (1 - share) + other * share


def _column(values: Sequence[float | tuple[float, ...]], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, device=device, dtype=torch.float32).reshape(len(values), -1, 1, 1)


def _coloured(things: Sequence[Thing], drawn: torch.Tensor) -> torch.Tensor:
    """The drawings `(n, s, s, 4)` uint8 of some things in their colours, premultiplied `(n, 4, s, s)` in 0..1."""
    device = drawn.device
    rgba = drawn.permute(0, 3, 1, 2).float() / 255
    colour, alpha = rgba[:, :3], rgba[:, 3:]
    grey = colour.mean(1, keepdim=True)
    rows = [row for row, thing in enumerate(things) if thing.tint is not None]
    colour = grey + (colour - grey) * _column([thing.saturation for thing in things], device)
    if rows:
        paint = {**TINTS, **INKS}
        ink = _column([paint[tint] for thing in things if (tint := thing.tint) is not None], device) / 255
        colour[rows] = ink * (0.5 * alpha[rows] + 0.6 * grey[rows])
    gain = _column([thing.gain for thing in things], device)
    colour = colour * gain + alpha * _column([thing.shift for thing in things], device)
    return torch.cat([torch.minimum(colour.clamp(min=0), alpha), alpha], 1)


def _place(rgba: torch.Tensor, things: Sequence[Thing], under: torch.Tensor, size: int) -> torch.Tensor:
    """Put premultiplied drawings `(n, 4, s, s)` on pictures `(n, 3, size, size)`: scaled, turned and moved.

    Drawn at twice the size and averaged down, so that edges are smooth.
    """
    matrix = [
        [
            [
                math.cos(t.angle) / t.scale,
                math.sin(t.angle) / t.scale,
                -(math.cos(t.angle) * t.x + math.sin(t.angle) * t.y) / t.scale,
            ],
            [
                -math.sin(t.angle) / t.scale,
                math.cos(t.angle) / t.scale,
                (math.sin(t.angle) * t.x - math.cos(t.angle) * t.y) / t.scale,
            ],
        ]
        for t in things
    ]
    theta = torch.tensor(matrix, device=rgba.device, dtype=torch.float32)
    grid = F.affine_grid(theta, [len(things), 4, 2 * size, 2 * size], align_corners=False)
    drawn = F.avg_pool2d(F.grid_sample(rgba, grid, mode="bilinear", align_corners=False), 2)
    return drawn[:, :3] + (1 - drawn[:, 3:]) * under


def _circled(rings: Sequence[Ring], under: torch.Tensor, size: int) -> torch.Tensor:
    """Draw a ring on each picture; the coverage of a pixel is that of its centre's distance to the line."""
    device = under.device
    axis = torch.arange(size, device=device) + 0.5
    across = axis[None, None, None, :] - _column([(ring.x + 1) / 2 * size for ring in rings], device)
    down = axis[None, None, :, None] - _column([(ring.y + 1) / 2 * size for ring in rings], device)
    line = _column([ring.width * size for ring in rings], device)
    off = (torch.hypot(across, down) - _column([ring.radius * size for ring in rings], device)).abs()
    share = torch.minimum((line / 2 - off + 0.5).clamp(0, 1), line.clamp(max=1))
    return under * (1 - share) + _column([ring.ink for ring in rings], device) * share
