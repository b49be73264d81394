"""The world the bundled models were trained in: every training pair can be shown again, from files here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from assets.world.drawings import Sheet
    from assets.world.pairs import World
    from assets.world.schedule import Name

Style = Literal["train", "held-out"]
FOLDER = Path(__file__).parent
EMOJI = "emoji.json"


def load(name: Name, seed: int = 0, style: Style = "train") -> World:
    """A world, from shipped files alone.

    Args:
        name: `skewed` or `balanced`.
        seed: 0 is that of the bundled models.
        style: `train` for the drawings the models saw, `held-out` for the style they were never shown; scenes of
            the latter are for measuring.
    """
    from assets.world.emoji import read_table
    from assets.world.pairs import World

    return World(name, sheet(style), read_table(FOLDER / EMOJI), seed)


def sheet(style: Style = "train") -> Sheet:
    """The drawings of the training styles or of the held-out one, and the marks."""
    from assets.world.drawings import Sheet

    return Sheet.load(FOLDER / f"{style}.zip")
