"""What groups of people are called in a text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CALLED: Mapping[str, str] = MappingProxyType(
    {
        "man": "man",
        "woman": "woman",
        "person": "person",
        "latino_hispanic": "Latino or Hispanic person",
        "none": "person with yellow skin",
    }
)
"""What groups are called whose value does not say it."""
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")


def group_text(attribute: str, group: str) -> str:
    """What a group is called in a text when nobody says: `male person`, `person with dark skin`."""
    value = group.strip()
    if value.casefold() in CALLED:
        return CALLED[value.casefold()]
    if "tone" in attribute.casefold() and value.casefold() in TONES:
        return f"person with {value} skin"
    if attribute.casefold() == "age":
        low, dash, high = value.partition("-")
        if dash and low.isdigit() and high.isdigit():
            return f"person aged {low} to {high}"
        return f"person aged {value}"
    if attribute.casefold() == "occupation":
        return value
    return f"{value.lower() if attribute.casefold() in ('gender', 'sex') else value} person"
