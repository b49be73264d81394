"""Lines that name something and say what stands for it: `dark = medium-dark | dark`, or `man` for itself.

So groups of values are written, what groups are called, and the paraphrases of a word.
"""

from __future__ import annotations

ONE_OF = "|"


def split(line: str) -> tuple[str, tuple[str, ...]]:
    """The name and what stands for it, at least itself; nothing () where a name is followed by nothing."""
    name, equals, several = line.partition("=")
    if not equals:
        return line.strip(), (line.strip(),)
    return name.strip(), tuple(one.strip() for one in several.split(ONE_OF) if one.strip())
