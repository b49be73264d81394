"""Gradio's components where the app needs to see what a browser sent, before Gradio makes something of it.

Uploads reach `Picture.read` as the very bytes that were sent, not as Gradio re-encodes them, so that it can say
what it had to do to them. Pictures go out as `data:` addresses, so that none is written to the disk for that.
Numbers out of range arrive as they are, so that the sentence about them appears beside their field.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData

from probes.core.pictures import Picture

SHOWN = 960
"""Most pixels on the long side of a picture on the page."""


@dataclass(frozen=True)
class Sent:
    """A file as a browser sent it."""

    path: Path
    name: str


def data_uri(picture: Picture, longest: int = SHOWN) -> str:
    """A picture, shrunk if it is large, as an address that holds it."""
    image = picture.image()
    image.thumbnail((longest, longest))
    stream = io.BytesIO()
    image.save(stream, format="WEBP", quality=90, method=1)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _sent(payload: Any) -> Sent | None:
    """The file behind what a component received; None for what this app itself had shown."""
    if payload is None or not payload.path:
        return None
    return Sent(Path(payload.path), Path(payload.orig_name or payload.path).name)


class PictureInput(gr.Image):
    """One picture: `Sent` comes in, a `data:` address goes out."""

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Sent | None:  # type: ignore[override]
        """The file that was sent, untouched."""
        return _sent(payload)

    def postprocess(self, value: str | None) -> ImageData | None:  # type: ignore[override]
        """Show what is behind a `data:` address."""
        return None if value is None else ImageData(path=None, url=value, orig_name="picture.webp")


class PicturesInput(gr.Gallery):
    """Several pictures: what was sent or was there already comes in, `data:` addresses go out."""

    is_template = True

    def preprocess(self, payload: GalleryData | None) -> list[Sent | str]:  # type: ignore[override]
        """For each picture the file that was sent, or the address under which it was shown."""
        found: list[Sent | str] = []
        for element in payload.root if payload else ():
            image = getattr(element, "image", None) or getattr(element, "video", None)
            if image is None:
                continue
            sent = _sent(image)
            if sent is not None:
                found.append(sent)
            elif image.url:
                found.append(image.url)
        return found

    def postprocess(self, value: list[tuple[str, str]] | None) -> GalleryData:  # type: ignore[override]
        """Show what is behind `data:` addresses, each with a caption."""
        return GalleryData(
            root=[
                GalleryImage(image=ImageData(path=None, url=url, orig_name="picture.webp"), caption=caption)
                for url, caption in value or ()
            ]
        )


class NumberInput(gr.Number):
    """A number that is passed on as it was typed."""

    is_template = True

    def preprocess(self, payload: float | None) -> float | None:
        """The number, whether or not it is allowed."""
        return payload


class SliderInput(gr.Slider):
    """A slider whose number is passed on as it was typed."""

    is_template = True

    def preprocess(self, payload: float) -> float:
        """The number, whether or not it is allowed."""
        return payload


class ChoiceInput(gr.Radio):
    """A choice that is passed on as it came."""

    is_template = True

    def preprocess(self, payload: str | int | float | None) -> str | int | float | None:
        """The choice, whether or not it is one."""
        return payload
