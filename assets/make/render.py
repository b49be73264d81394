"""Drawings from SVG to pixels: every drawing that shows an emoji of the world, as premultiplied RGBA."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from assets.make.emoji import Names, read_emoji, read_json, read_names
from assets.make.sources import Source, fetch, read_sources
from assets.world.drawings import SIZE, Sheet
from assets.world.emoji import Emoji


@dataclass(frozen=True)
class Drawing:
    """One drawing of one emoji: the style it is in, its name there, and its SVG."""

    hexcode: str
    style: str
    name: str
    svg: str


def read_world(folder: Path, sources: tuple[Source, ...]) -> tuple[dict[str, Emoji], Names]:
    """The emoji of the world and the join of names to them, from the fetched packages in `folder`."""
    labels = next(fetch(source, folder) for source in sources if source.role == "labels")
    world = read_emoji(read_json(labels / "en" / "data.json"))
    charts = [read_json(fetch(source, folder) / "chars.json") for source in sources if source.role != "labels"]
    return world, read_names(world, charts, read_json(labels / "meta" / "unicode-names.json"))


def drawings(package: Path, style: str, names: Names) -> Iterator[Drawing]:
    """Every drawing of one fetched icon package that shows an emoji of the world, once per emoji and name."""
    icons: Mapping[str, Any] = read_json(package / "icons.json")
    codepoint = {name: code for code, name in read_json(package / "chars.json").items()}
    aliases: dict[str, list[str]] = defaultdict(list)
    for alias, entry in icons.get("aliases", {}).items():
        if set(entry) == {"parent"}:
            aliases[entry["parent"]].append(alias)
    for name, icon in icons["icons"].items():
        code = names.find(name, codepoint.get(name), aliases[name])
        if code is not None:
            width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
            left, top = icon.get("left", 0), icon.get("top", 0)
            svg = (
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
                f'viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
            )
            yield Drawing(code, style, name, svg)


def rasterise(svg: str, size: int) -> npt.NDArray[np.uint8]:
    """Draw one SVG as `(size, size, 4)` premultiplied RGBA, centred, its proportions kept."""
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, skip_system_fonts=True)
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    frame = Image.new("RGBA", (size, size))
    frame.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
    rgba = np.array(frame, dtype=np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255.0
    return np.round(rgba).astype(np.uint8)


def render(folder: Path, role: str, size: int = SIZE) -> Sheet:
    """Draw every drawing of the packages with that role; `folder` holds the fetched packages."""
    sources = read_sources()
    _, names = read_world(folder, sources)
    found = [
        d
        for source in sources
        if source.role == role
        for d in drawings(fetch(source, folder), source.style, names)
    ]
    pixels = np.stack([rasterise(drawing.svg, size) for drawing in found])
    return Sheet(
        pixels,
        tuple(d.hexcode for d in found),
        tuple(d.style for d in found),
        tuple(d.name for d in found),
    )
