"""Files that nobody should send, made here: broken, lying about their size, or meant to do harm."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image

RGB = np.arange(20 * 16 * 3, dtype=np.uint8).reshape(16, 20, 3)
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1")


def picture(kind: str, **told: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(RGB).convert(str(told.pop("mode", "RGB"))).save(stream, format=kind, **told)
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG that declares a size, whatever is in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def valid_pictures() -> dict[str, bytes]:
    frames = [Image.fromarray(np.roll(RGB, shift, 0)) for shift in range(3)]
    animated = io.BytesIO()
    frames[0].save(animated, format="GIF", save_all=True, append_images=frames[1:])
    deep = io.BytesIO()
    Image.fromarray(RGB[..., 0].astype(np.uint16) * 257).save(deep, format="PNG")
    floats = io.BytesIO()
    Image.fromarray(RGB[..., 0].astype(np.float32) / 255).save(floats, format="TIFF")
    return {
        "png": picture("PNG"),
        "jpeg": picture("JPEG"),
        "gif": picture("GIF"),
        "webp": picture("WEBP"),
        "tiff": picture("TIFF"),
        "bmp": picture("BMP"),
        "cmyk": picture("JPEG", mode="CMYK"),
        "palette": picture("PNG", mode="P"),
        "alpha": picture("PNG", mode="RGBA"),
        "animated": animated.getvalue(),
        "deep": deep.getvalue(),
        "floats": floats.getvalue(),
        "tiff-lzw": picture("TIFF", compression="tiff_lzw"),
    }


def broken_pictures() -> dict[str, bytes]:
    good = valid_pictures()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    exif = Image.Exif()
    exif[0x0112] = 99
    exif[0x010E] = "A" * 60_000
    nan = io.BytesIO()
    Image.fromarray(np.full((4, 4), np.nan, dtype=np.float32)).save(nan, format="TIFF")
    return {
        "nothing": b"",
        "one-byte": b"\x00",
        "garbage": bytes(range(256)) * 20,
        "svg": svg,
        "html": b"<html>" * 99,
        **{f"half-{kind}": content[: len(content) // 2] for kind, content in good.items()},
        **{f"head-{kind}": content[:12] for kind, content in good.items()},
        "declares-a-lot": png_of(60_000, 60_000),
        "declares-more": png_of(2**31 - 1, 2**31 - 1),
        "declares-nothing": png_of(0, 0),
        "too-little-in-it": png_of(100, 100, b"\0" * 10),
        "icc-garbage": picture("JPEG", mode="CMYK", icc_profile=b"\xff" * 300),
        "icc-empty": picture("JPEG", mode="CMYK", icc_profile=b"x"),
        "exif-large": picture("JPEG", exif=exif),
        "exif-garbage": picture("JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"),
        "no-numbers": nan.getvalue(),
        "text-bomb": good["png"][:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 80_000_000)),
        "a-zip": zipped({"a.png": good["png"]}),
    }


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def hostile_zips() -> dict[str, bytes]:
    good = picture("PNG")
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    links = io.BytesIO()
    with zipfile.ZipFile(links, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a.png", good)
        archive.writestr("a.jpg", good)
    same = twice.getvalue().replace(b"a.jpg", b"a.png")
    plain = bytearray(zipped({"a.png": good}))
    locked = bytearray(plain)
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    lying = bytearray(plain)
    lying[lying.rindex(b"PK\x01\x02") + 24 : lying.rindex(b"PK\x01\x02") + 28] = struct.pack("<I", 2**32 - 2)
    odd = bytearray(plain)
    odd[odd.rindex(b"PK\x01\x02") + 10] = 99
    shifted = bytearray(plain)
    shifted[-6:-2] = struct.pack("<I", 2**31)
    bomb = zipped({f"{i}.png": b"\0" * 30_000_000 for i in range(3)})
    return {
        "up": zipped({"../../up.png": good, "..\\..\\up.png": good}),
        "absolute": zipped({"/absolute.png": good}),
        "link": links.getvalue(),
        "twice": same,
        "locked": bytes(locked),
        "lying": bytes(lying),
        "odd": bytes(odd),
        "shifted": bytes(shifted),
        "bomb": bomb,
        "nested": zipped({"in.zip": zipped({"a.png": good})}),
        "nul": zipped({"a\0b.png": good}),
        "long": zipped({"a" * 3000 + ".png": good}),
        "none": zipped({}),
        "text": zipped({"readme.txt": b"x"}),
        "folder.png": zipped({"folder.png/": b""}),
        "half": bytes(plain[: len(plain) // 2]),
        "end-alone": bytes(plain[-22:]),
        "many": zipped({f"{i:06}.png": b"" for i in range(100_000)}, zipfile.ZIP_STORED),
        "surrogate": zipped({"\udcff.png".encode("utf-8", "surrogatepass").decode("latin-1"): good}),
    }


def hostile_tables() -> dict[str, bytes]:
    formulas = "\n".join(f'"{text}","{text}"' for text in FORMULAS)
    return {
        "formulas": f"file,group\n{formulas}\n".encode(),
        "utf-16": "file,group\na,b\n".encode("utf-16"),
        "latin-1": "file,größe\na,b\n".encode("latin-1"),
        "nul": b"file,group\na\0,b\n",
        "nothing": b"",
        "one-line": b"a," * 200_000,
        "giant-cell": b"file,group\n" + b"x" * 300_000 + b",b\n",
        "quotes": b'a,"b\nc,d\n',
        "bom": b"\xef\xbb\xbffile,group\na,b\n",
        "mixed": b"file,group\ra,b\r\nc,d\ne,f\n\n\n",
        "heads": b"a,a\n1,2\n",
        "blank": b" \n\t\n\n",
        "no-rows": b"file,group\n",
        "ragged": b"a,b\n1\n1,2,3\n1,2\n",
        "binary": bytes(range(256)),
        "many": b"a,b\n" + b"1,2\n" * 100_001,
        "tabs": b"a\tb\n1\t2\n",
        "separators": "a,b\u20281,2\x85\n3,4".encode(),
    }


def array_file(array: np.ndarray, **told: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **told)
    return stream.getvalue()


def npy(head: str, body: bytes = b"\0" * 64) -> bytes:
    """An .npy with a header of one's own."""
    text = head.encode("latin-1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def rows(n: int = 6, d: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, d))


def hostile_arrays() -> dict[str, bytes]:
    good, shape = array_file(rows()), "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}".format
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embeddings.npy", npy(shape("<f4", False, (200_000, 50)), b"\0" * 40_000_000))
    lying = io.BytesIO()
    with zipfile.ZipFile(lying, "w") as archive:
        archive.writestr("embeddings.npy", npy(shape("<f8", False, (2**40, 2**20))))
    return {
        "nothing": b"",
        "magic": b"\x93NUMPY",
        "half": good[: len(good) // 2],
        "pickle": array_file(np.array([{}])),
        "objects": npy(shape("|O", False, (3, 2))),
        "huge": npy(shape("<f8", False, (2**40, 2**20))),
        "negative": npy(shape("<f8", False, (-4, 2))),
        "words": npy(shape("<f8", False, "'a'")),
        "fortran": array_file(np.asfortranarray(rows())),
        "big-endian": array_file(rows().astype(">f8")),
        "code": npy("__import__('os').system('true')"),
        "deep": npy("(" * 100),
        "bool": array_file(rows() > 0),
        "complex": array_file(rows().astype(complex)),
        "text": array_file(np.array([["a", "b"]])),
        "times": array_file(np.array([["2020-01-01"]], dtype="M8[D]")),
        "none": array_file(np.zeros((0, 4))),
        "scalar": array_file(np.float64(1)),
        "cube": array_file(np.zeros((2, 2, 2))),
        "nan": array_file(rows() * np.nan),
        "inf": array_file(rows() + np.inf),
        "zeros": array_file(np.zeros((3, 4))),
        "bytes": array_file(rows().astype("S8")),
        "largest": array_file(np.full((3, 4), 1e308)),
        "least": array_file(np.full((3, 4), 5e-324)),
        "bomb": bomb.getvalue(),
        "wide": array_file(np.ones((2, 1))),
        "lying-npz": lying.getvalue(),
        "structured": array_file(np.zeros(3, "i4,f4")),
        "ids": npz(embeddings=rows(), ids=np.arange(3)),
        "provenance": npz(embeddings=rows(), provenance="[[[[{"),
        "scale": npz(images=rows(), texts=rows() + 1, logit_scale=np.array([1, 2])),
        "no-arrays": zipped({}),
        "unequal": npz(images=rows(), texts=rows(5)),
        "not-rows": npz(images=np.zeros(3), texts=rows()),
        "deep-json": npz(embeddings=rows(), provenance="[" * 100_000),
        "inf-scale": npz(embeddings=rows(), provenance='{"logit_scale": 1e999, "model": [[1]]}'),
        "pickled-npz": npz(embeddings=np.array([{}], dtype=object)),
        "bad-entry": zipped({"embeddings.npy": b"x"}),
        "numbers": npz(embeddings=rows(), provenance=json.dumps({"logit_scale": "x", "model": None})),
    }


def coco(**changes: object) -> bytes:
    whole = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 2, "name": "cat"}],
        "annotations": [{"image_id": 1, "bbox": [1, 2, 30, 40], "category_id": 2}],
        **changes,
    }
    return json.dumps(whole).encode()


def hostile_regions() -> dict[str, bytes]:
    def noted(**one: object) -> bytes:
        return coco(annotations=[{"image_id": 1, "bbox": [1, 2, 3, 4], **one}])

    return {
        "deep": b"[" * 200_000,
        "deep-objects": b'{"a":' * 100_000,
        "list": b"[]",
        "number": b"{}",
        "half": coco()[:60],
        "images-of-text": coco(images="abc"),
        "images-none": coco(images=None),
        "image-ids": coco(images=[{"id": []}]),
        "unhashable": coco(images=[{"id": [1], "file_name": "a"}]),
        "image-list": noted(image_id=[1]),
        "nan": coco().replace(b"30", b"NaN"),
        "inf": coco().replace(b"30", b"1e999"),
        "box-text": noted(bbox="abcd"),
        "box-nested": noted(bbox=[[1], [2], [3], [4]]),
        "box-number": noted(bbox=7),
        "box-none": noted(bbox=[None] * 4),
        "category-list": noted(category_id=[2]),
        "category-object": noted(category_id={}),
        "name-object": noted(name={"a": 1}),
        "large": coco().replace(b"30", b"9" * 400),
        "long": coco().replace(b"30", b"9" * 5000),
        "digits": b"{" + b"9" * 5000,
        "annotations-number": coco(annotations=3),
        "annotations-object": coco(annotations={"a": 1}),
        "utf-16": coco().decode().encode("utf-16"),
        "bad-bytes": b'{"\xff\xfe": 1}',
        "categories-number": coco(categories=5),
        **{f"table-{name}": content for name, content in hostile_tables().items()},
        "csv-words": b"x,y,width,height,name\na,b,c,d,e\n1,2,inf,4,x\n1,2,nan,4,x\n1,2,1e999,4,x\n1,2,3,4,ok\n",
        "csv-large": b"x,y,width,height\n1e308,1e308,1e308,1e308\n",
    }


def mutated(content: bytes, dice: random.Random) -> bytes:
    """The same with some bytes flipped, inserted, taken out or repeated."""
    changed = bytearray(content[:200_000])
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at, kind = dice.randrange(len(changed) + 1), dice.randrange(5)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            changed[at:at] = dice.randbytes(dice.choice((1, 2, 8)))
        elif kind == 2:
            del changed[at : at + dice.choice((1, 2, 8, 64))]
        elif kind == 3 and at < len(changed):
            changed[at] = dice.choice((0, 0xFF, 0x7F, 0x80))
        else:
            changed[at:at] = changed[max(0, at - 16) : at]
    return bytes(changed)
