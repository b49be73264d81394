"""Names of files, and names that tell things apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence


def slug(text: str) -> str:
    """A text as part of a file's name or an address."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[-80:] or "unnamed"


def told_apart(names: Sequence[str], mark: str = " ") -> list[str]:
    """The same names, those that would share a file numbered until none does, whatever the case of letters."""
    times = Counter(map(_file, names))
    taken = {file for file, count in times.items() if count == 1}
    found = []
    for name in names:
        if times[_file(name)] > 1:
            number = 1
            while _file(f"{name}{mark}{number}") in taken:
                number += 1
            name = f"{name}{mark}{number}"
            taken.add(_file(name))
        found.append(name)
    return found


def _file(name: str) -> str:
    return slug(name).casefold()
