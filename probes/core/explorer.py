"""Something to explore on a probe's page in the browser, drawn by a script from what a report holds.

A figure is redrawn by the server; an explorer answers a visitor's hand at once. Its script defines one function,
`createExplorer(element)`, which returns `show(payload)` and `later(update)`. It may also return `settings()`, a
short object of what a visitor set that differs from the beginning, and `restore(settings)`, which takes any object
and uses of it what fits: both let a link bring the settings back. The shell (`app.explorers`) sends the payload
with an answer, and what `follow` yields after it: for what takes long and may come when all else is there.
What all explorers share, small helpers and how they look, is in `browser`; many pictures travel as one `sheet`.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from probes.core.model import Backend, Progress
from probes.core.pictures import Picture

SHARED = Path(__file__).with_name("browser")
TILE, COLUMNS = 72, 25

Payload = Mapping[str, Any]
"""JSON-ready values."""


@dataclass(frozen=True, kw_only=True)
class Explorer:
    """What a page needs to let a result be explored.

    Attributes:
        folder: of JavaScript files that with the shared ones define `createExplorer`, in the order of their names,
            and of CSS.
        payload: (parameters, result) -> what is shown, without a model.
        follow: (parameters, result, model, progress) -> what may come later, each sent as soon as it is there.
        replaces: names of figures that the page need not draw beside it.
    """

    folder: Path
    payload: Callable[[Any, Any], Payload]
    follow: tuple[Callable[[Any, Any, Backend, Progress], Payload], ...] = ()
    replaces: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The JavaScript: what all explorers share, then its own, in the order of the files' names."""
        return "\n".join(path.read_text(encoding="utf-8") for path in _files("*.js", SHARED, self.folder))

    @property
    def styles(self) -> tuple[Path, ...]:
        """The files of CSS, those that all explorers share first."""
        return _files("*.css", SHARED, self.folder)


def _files(pattern: str, *folders: Path) -> tuple[Path, ...]:
    return tuple(path for folder in folders for path in sorted(folder.glob(pattern)))


def sheet(pictures: Sequence[Picture], tile: int = TILE, columns: int = COLUMNS) -> Payload:
    """Thumbnails of pictures on one sheet, row by row, each in the middle of a square tile; see `thumb`.

    Args:
        pictures: one or more.
        tile: pixels a side of a tile.
        columns: tiles in a row.
    """
    rows = -(-len(pictures) // columns)
    drawn = Image.new("RGB", (columns * tile, rows * tile), "white")
    for number, picture in enumerate(pictures):
        image = picture.image()
        image.thumbnail((tile, tile))
        x, y = number % columns * tile, number // columns * tile
        drawn.paste(image, (x + (tile - image.width) // 2, y + (tile - image.height) // 2))
    stream = io.BytesIO()
    drawn.save(stream, "WEBP", quality=80)
    uri = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return {"uri": uri, "tile": tile, "columns": columns}
