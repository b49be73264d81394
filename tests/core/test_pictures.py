"""Every kind of file a visitor may bring: the right picture, or a sentence."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from probes.core.errors import PictureError
from probes.core.pictures import Picture, Raster
from tests.fakes import noise


def saved(image: Image.Image, form: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


GRADIENT = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (16, 1))


def test_png_comes_back_pixel_by_pixel():
    rgb = noise(0).rgb
    picture = Picture.read(saved(Image.fromarray(rgb)), "a.png")
    assert (picture.rgb == rgb).all()
    assert picture.notes == ()
    assert (picture.name, picture.width, picture.height) == ("a.png", 96, 96)


def test_exif_rotation_is_applied():
    wide = Image.fromarray(np.stack([GRADIENT] * 3, axis=-1))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn a quarter clockwise
    picture = Picture.read(saved(wide, "JPEG", exif=exif, quality=95))
    assert (picture.height, picture.width) == (32, 16)
    assert picture.rgb[0].mean() < 20 < 235 < picture.rgb[-1].mean()
    assert "upright" in picture.notes[0]


def test_transparency_is_laid_on_white():
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:, :4] = (255, 0, 0, 255)
    rgba[:, 4:] = (0, 0, 0, 127)
    picture = Picture.read(saved(Image.fromarray(rgba)))
    assert tuple(picture.rgb[0, 0]) == (255, 0, 0)
    assert tuple(picture.rgb[0, 7]) == (128, 128, 128)
    assert picture.notes == ("transparent: laid on white",)


def test_palette_with_transparency_is_laid_on_white():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 0, 255, 0])
    image.putpixel((1, 1), 1)
    picture = Picture.read(saved(image, transparency=0))
    assert tuple(picture.rgb[0, 0]) == (255, 255, 255)
    assert tuple(picture.rgb[1, 1]) == (0, 255, 0)


def test_an_opaque_alpha_channel_is_not_worth_a_word():
    assert Picture.read(saved(Image.new("RGBA", (4, 4), (1, 2, 3, 255)))).notes == ()


def test_the_first_frame_of_an_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    picture = Picture.read(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert tuple(picture.rgb[0, 0]) == (255, 0, 0)
    assert "first of 3 frames" in picture.notes[0]


def test_sixteen_bits_keep_their_greys():
    deep = Image.fromarray(GRADIENT.astype(np.uint16) * 257)
    picture = Picture.read(saved(deep))
    assert np.abs(picture.rgb[..., 0].astype(int) - GRADIENT).max() <= 1
    assert "8 bits" in picture.notes[0]


def test_floating_point_tiff_keeps_its_greys():
    image = Image.fromarray((GRADIENT / 255).astype(np.float32))
    picture = Picture.read(saved(image, "TIFF"))
    assert np.abs(picture.rgb[..., 1].astype(int) - GRADIENT).max() <= 1


def test_cmyk_becomes_the_same_colours():
    picture = Picture.read(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    red, green, blue = (int(v) for v in picture.rgb[4, 4])
    assert red > 200
    assert max(green, blue) < 60
    assert "CMYK" in picture.notes[0]


def test_one_bit_and_grey_become_rgb():
    assert Picture.read(saved(Image.new("1", (3, 3), 1))).rgb.min() == 255
    assert tuple(Picture.read(saved(Image.new("L", (3, 3), 77))).rgb[0, 0]) == (77, 77, 77)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (png_header(10_000, 5_001), "10000 x 5001 is 50 megapixels; the limit is 50"),
        (png_header(2**31 - 1, 2**31 - 1), "megapixels"),
        (saved(Image.fromarray(noise(1).rgb))[:3000], "broken or incomplete"),
        (saved(Image.fromarray(noise(1).rgb), "JPEG")[:800], "broken or incomplete"),
        (b"", "not a picture"),
        (b"just text", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (saved(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), "not numbers"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(content, part):
    with pytest.raises(PictureError, match=r"^bad\.png: ") as caught:
        Picture.read(content, "bad.png")
    assert part in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(PictureError, match=r"none\.png: there is no such file"):
        Picture.read(tmp_path / "none.png")
    with pytest.raises(PictureError, match="broken"):
        Picture.read(tmp_path)


def test_damaged_files_of_every_format_end_in_a_sentence():
    rng = np.random.default_rng(0)
    image = Image.fromarray(noise(2).rgb)
    read = 0
    for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO"):
        whole = bytearray(saved(image, form))
        for _ in range(25):
            damaged = whole.copy()
            for place in rng.integers(0, len(whole), 12):
                damaged[place] = rng.integers(256)
            with contextlib.suppress(PictureError):
                assert Picture.read(bytes(damaged), "damaged").rgb.ndim == 3
                read += 1
    assert 0 < read < 200


def test_digest_is_of_the_content_alone():
    one = noise(0)
    same, other = Picture("renamed", one.rgb), noise(1)
    assert one.digest == same.digest != other.digest
    assert one != same
    tall = Picture("tall", np.zeros((4, 2, 3), np.uint8))
    wide = Picture("wide", np.zeros((2, 4, 3), np.uint8))
    assert tall.digest != wide.digest


def test_pixels_cannot_be_changed_from_outside():
    rgb = np.zeros((4, 4, 3), np.uint8)
    picture = Picture("p", rgb)
    rgb[:] = 9
    assert picture.rgb.max() == 0
    with pytest.raises(ValueError, match="read-only"):
        picture.rgb[0, 0, 0] = 1


def test_raster_keeps_pixels_and_thumbnail_its_proportions():
    rgb = noise(5, 40, 80).rgb
    assert (Raster.encode(rgb).decode() == rgb).all()
    assert Picture("p", rgb).thumbnail(20).decode().shape == (10, 20, 3)
    assert Raster.encode(rgb).uri.startswith("data:image/png;base64,")


def test_reading_leaves_no_file_open(tmp_path):
    path = tmp_path / "p.png"
    path.write_bytes(saved(Image.fromarray(noise(0).rgb)))
    Picture.read(path)
    assert path.as_posix() not in [os.readlink(f"/proc/self/fd/{n}") for n in _descriptors()]


def _descriptors() -> list[str]:
    return [n for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")]
