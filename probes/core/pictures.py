"""Pictures as they enter the program, and small rasters as they leave it.

A `Picture` is 8-bit sRGB on an opaque ground, upright, immutable and named by the digest of its content, so
that equal pictures are computed once. `Picture.read` is the only door: it says in `notes` whatever it had to do
to a file to get there, and refuses with a sentence what it cannot read. A `Raster` is a small PNG kept inside
a result, so that a saved report can show what the model saw without the file.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from probes.core.damaged import DAMAGED, reason
from probes.core.errors import PictureError

MAX_PIXELS = 50_000_000
"""Pictures of more pixels than this are refused before they are decoded."""

FORMATS = ("PNG", "JPEG", "MPO", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "ICO")
"""What is read; Pillow would also hand files to other programs, as PostScript is."""

_BROKEN: tuple[type[Exception], ...] = (*DAMAGED, ImageCms.PyCMSError)

RGB = NDArray[np.uint8]
"""Colour values 0 to 255, (height, width, 3)."""

# The size is checked against MAX_PIXELS from the header, before decoding; Pillow's own limit would only
# turn that sentence into a warning.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, eq=False)
class Picture:
    """An 8-bit RGB picture with a name.

    Attributes:
        name: what to call it in tables and figures, usually the file's name.
        rgb: (height, width, 3) uint8, read-only.
        notes: what had to be done to the file to get there, as short phrases.
    """

    name: str
    rgb: RGB
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3:
            raise ValueError(f"a picture is uint8 (h, w, 3), not {self.rgb.dtype} {self.rgb.shape}")
        if 0 in self.rgb.shape:
            raise PictureError(f"{self.name}: the picture has no pixels")
        rgb = np.ascontiguousarray(self.rgb)
        if rgb.flags.writeable:
            rgb = rgb.copy()
            rgb.flags.writeable = False
        object.__setattr__(self, "rgb", rgb)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.rgb.shape[0])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of size and pixels, hexadecimal. The name does not enter."""
        size = f"{self.height}x{self.width}:".encode()
        return hashlib.sha256(size + self.rgb.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def image(self) -> Image.Image:
        """The picture as a Pillow image."""
        return Image.fromarray(self.rgb)

    def thumbnail(self, longest: int = 256) -> Raster:
        """A copy of at most `longest` pixels on the long side, as a raster."""
        image = self.image()
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return Raster.encode(np.asarray(image))

    @classmethod
    def read(cls, source: Path | str | bytes, name: str | None = None) -> Picture:
        """Read a picture from a file or from the bytes of one.

        Animated files give their first frame, transparent ones are laid on white, deep and CMYK ones are
        brought to 8-bit RGB, and EXIF rotation is applied; each is said in `notes`.

        Raises:
            PictureError: the file is missing, broken, not a picture, or larger than MAX_PIXELS.
        """
        label = name or (Path(source).name if not isinstance(source, bytes) else "picture")
        try:
            opened = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(opened, formats=_formats()) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise PictureError(
                        f"{width} x {height} is {width * height / 1e6:.0f} megapixels; "
                        f"the limit is {MAX_PIXELS // 1_000_000}"
                    )
                rgb, notes = _to_rgb(image)
        except PictureError as error:
            raise PictureError(f"{label}: {error}") from None
        except FileNotFoundError:
            raise PictureError(f"{label}: there is no such file") from None
        except UnidentifiedImageError:
            raise PictureError(f"{label}: this is not a picture in a format that can be read") from None
        except _BROKEN as error:
            raise PictureError(f"{label}: the picture is broken or incomplete ({reason(error)})") from None
        return cls(label, rgb, notes)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON a picture is its name, size and digest: pixels never leave in a report or a link."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(_describe)
        )


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow knows."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _describe(picture: Picture) -> dict[str, str | int]:
    return {
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "sha256": picture.digest,
    }


def _to_rgb(image: Image.Image) -> tuple[RGB, tuple[str, ...]]:
    """Bring an opened image to upright 8-bit RGB on white, saying what was done."""
    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        image.seek(0)
        notes.append(f"animated: the first of {frames} frames")
    turned = image.getexif().get(0x0112, 1) not in (0, 1)
    image = ImageOps.exif_transpose(image)
    if turned:
        notes.append("turned upright as its EXIF data say")
    for applies, convert, note in _CONVERSIONS:
        if applies(image):
            image = convert(image)
            notes.append(note)
    return np.array(image.convert("RGB")), tuple(notes)


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _from_deep(image: Image.Image) -> Image.Image:
    """Scale grey values of 16 or 32 bits to 8: by the full 16-bit range, or the picture's own if wider."""
    grey = np.asarray(image).astype(np.float64)
    if not np.isfinite(grey).all():
        raise PictureError("the picture holds values that are not numbers")
    low, high = (0.0, 65535.0) if image.mode != "F" else (0.0, 1.0)
    if grey.min() < low or grey.max() > high:
        low, high = float(grey.min()), float(grey.max())
    scaled = (grey - low) / (high - low or 1.0) * 255.0
    return Image.fromarray(np.round(scaled).astype(np.uint8))


def _is_transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    return image.convert("RGBA").getchannel("A").getextrema() != (255, 255)


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Convert by the file's own colour profile where it has a usable one."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except ImageCms.PyCMSError:
        return image.convert("RGB")
    return converted or image.convert("RGB")


_CONVERSIONS: tuple[tuple[Callable[[Image.Image], bool], Callable[[Image.Image], Image.Image], str], ...] = (
    (_is_deep, _from_deep, "more than 8 bits a channel: scaled to 8"),
    (lambda image: image.mode == "CMYK", _from_cmyk, "CMYK: converted to RGB"),
    (_is_transparent, _on_white, "transparent: laid on white"),
)


@dataclass(frozen=True)
class Raster:
    """A small picture inside a result, as PNG in base64.

    Attributes:
        png: base64 of a PNG file, ASCII.
    """

    png: str

    @classmethod
    def encode(cls, rgb: RGB) -> Raster:
        """Encode (height, width, 3) uint8 as PNG."""
        stream = io.BytesIO()
        Image.fromarray(rgb).save(stream, format="PNG")
        return cls(base64.b64encode(stream.getvalue()).decode("ascii"))

    def decode(self) -> RGB:
        """The pixels, (height, width, 3) uint8."""
        with Image.open(io.BytesIO(base64.b64decode(self.png))) as image:
            return np.array(image.convert("RGB"))

    @property
    def uri(self) -> str:
        """A `data:` address that a browser shows without a network."""
        return f"data:image/png;base64,{self.png}"
