"""The shipped worlds, loaded once for all tests of a process."""

from __future__ import annotations

from functools import cache

from assets.world import Style, load
from assets.world.pairs import World
from assets.world.schedule import Name


@cache
def world(name: Name, style: Style = "train") -> World:
    return load(name, style=style)
