"""Tables that commands put into the project's README, between two marks that say which command made them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from probes.core.examples import ASSETS

README = ASSETS.parent / "README.md"


@dataclass(frozen=True)
class Place:
    """Where a command's table stands.

    Attributes:
        command: what makes it.
    """

    command: str

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before and after the table."""
        return f"<!-- made by: {self.command} -->", "<!-- end -->"

    def put(self, table: str, file: Path = README) -> bool:
        """Put a table in its place; nothing happens where there is none. Whether there is."""
        before, after = self.marks
        text = file.read_text(encoding="utf-8")
        pattern = f"{re.escape(before)}\n.*?{re.escape(after)}"
        written, places = re.subn(pattern, lambda _: f"{before}\n{table}\n{after}", text, flags=re.DOTALL)
        if places:
            file.write_text(written, encoding="utf-8")
        return bool(places)
