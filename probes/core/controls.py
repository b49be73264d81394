"""Controls: how a field is shown and what it accepts, owned by no user interface.

Controls parse what they are given (text from a link or a command line, values from a form) and refuse it with a
sentence.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from typing_extensions import override

from probes.core.errors import PictureError
from probes.core.examples import path_of
from probes.core.pictures import Picture

T = TypeVar("T")

PRESET = "@"
"""What the name of a list begins with where it stands for its lines."""


@dataclass(frozen=True, kw_only=True)
class Control(Generic[T]):
    """How a field is shown and what it accepts.

    Attributes:
        label: the field's name for people.
        help: one sentence under it.
        advanced: whether a form may fold it away.
        section: title of the fold in which a form puts it together with others; empty for none.
    """

    label: str
    help: str = ""
    advanced: bool = False
    section: str = ""

    @property
    def travels(self) -> bool:
        """Whether the value may stand in a link; what a visitor brings from their machine may not."""
        return True

    def stimuli(self, value: T) -> Mapping[str, str]:
        """SHA-256 of what went in with the value, by name; nothing for plain values."""
        return {}

    @abstractmethod
    def parse(self, given: object) -> T:
        """Turn what was given into a value, or raise `ValueError` or `ClipspectError` with a sentence."""

    def format(self, value: T) -> tuple[str, ...]:
        """The value as it stands in a link or after a flag; `parse` reads it back."""
        return (str(value),)


@dataclass(frozen=True, kw_only=True)
class Choice(Control[str]):
    """One of a few words."""

    options: tuple[str, ...]

    @override
    def parse(self, given: object) -> str:
        text = str(single(given))
        if text not in self.options:
            raise ValueError(f"{_quote(text)} is not one of {', '.join(self.options)}")
        return text


@dataclass(frozen=True, kw_only=True)
class Switch(Control[bool]):
    """On or off."""

    @override
    def parse(self, given: object) -> bool:
        value = single(given)
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text not in ("true", "false", "on", "off", "yes", "no", "1", "0"):
            raise ValueError(f"{_quote(text)} is neither on nor off")
        return text in ("true", "on", "yes", "1")

    @override
    def format(self, value: bool) -> tuple[str, ...]:
        return ("on" if value else "off",)


@dataclass(frozen=True, kw_only=True)
class Range(Control[float]):
    """A number between two ends, both allowed.

    Attributes:
        unit: what the number counts, for people, such as `px` or `share of the height`.
    """

    low: float
    high: float
    step: float
    unit: str = ""

    @override
    def parse(self, given: object) -> float:
        value = single(given)
        try:
            number = float(str(value))
        except ValueError:
            raise ValueError(f"{_quote(str(value))} is not a number") from None
        if not self.low <= number <= self.high:  # also refuses NaN
            raise ValueError(f"{number:g} is not between {self.low:g} and {self.high:g}")
        return number

    @override
    def format(self, value: float) -> tuple[str, ...]:
        return (f"{value:.10g}",)


@dataclass(frozen=True, kw_only=True)
class Count(Control[int]):
    """A whole number between two ends, both allowed."""

    low: int
    high: int

    @override
    def parse(self, given: object) -> int:
        value = single(given)
        try:
            number = float(str(value))
        except ValueError:
            raise ValueError(f"{_quote(str(value))} is not a number") from None
        if not number.is_integer():
            raise ValueError(f"{number:g} is not a whole number")
        if not self.low <= number <= self.high:
            raise ValueError(f"{number:g} is not between {self.low} and {self.high}")
        return int(number)


@dataclass(frozen=True, kw_only=True)
class Text(Control[str]):
    """One line of text, which may be empty.

    Attributes:
        longest: at most so many characters.
        suggestions: what a form offers; anything else is taken as well.
        column_of: name of the field that holds a table, whose columns a form offers besides.
    """

    longest: int = 200
    suggestions: tuple[str, ...] = ()
    column_of: str = ""

    @override
    def parse(self, given: object) -> str:
        text = " ".join(written(single(given)).split())
        if len(text) > self.longest:
            raise ValueError(f"{_quote(text)} has {len(text):,} characters; the limit is {self.longest:,}")
        return text


@dataclass(frozen=True)
class Preset:
    """A list of lines that comes with the program.

    Attributes:
        title: what it holds, in a few words.
        note: what a person is told before it is shown; empty where it holds nothing that can hurt.
        source: where the idea comes from.
    """

    title: str
    lines: tuple[str, ...]
    note: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Lines(Control[tuple[str, ...]]):
    """Lines of text. Blank lines and repeated ones are dropped; order is kept.

    A line `@name` stands for the lines of the preset of that name. What is given may itself hold several lines.

    Attributes:
        fewest: at least so many lines.
        most: at most so many lines.
        longest: at most so many characters a line.
        slot: a piece of text, such as `{}`, that every line must hold exactly once.
        presets: lists to take instead of typing, by name.
    """

    fewest: int = 1
    most: int = 1000
    longest: int = 2000
    slot: str | None = None
    presets: Mapping[str, Preset] = field(default_factory=dict)

    @override
    def parse(self, given: object) -> tuple[str, ...]:
        items = [given] if isinstance(given, str) else sequence(given)
        every = (line for item in items for line in written(item).splitlines())
        stripped = (line for text in every for line in self._expanded(text.strip()))
        lines = tuple(dict.fromkeys(line for line in stripped if line))
        if len(lines) < self.fewest:
            raise ValueError(
                f"give at least {_count(self.fewest, 'line')}"
                + (f", each different; {len(lines)} given" if lines else "; none given")
            )
        if len(lines) > self.most:
            raise ValueError(f"{len(lines):,} lines are too many; the limit is {self.most:,}")
        for line in lines:
            if len(line) > self.longest:
                raise ValueError(
                    f"the line {_quote(line)} has {len(line):,} characters; the limit is {self.longest:,}"
                )
            if self.slot is not None and line.count(self.slot) != 1:
                raise ValueError(f"{_quote(line)} must hold {self.slot} once, where the label goes")
        return lines

    def _expanded(self, line: str) -> tuple[str, ...]:
        if not self.presets or not line.startswith(PRESET):
            return (line,)
        if line[1:] not in self.presets:
            raise ValueError(f"there is no list {_quote(line)}; there are {', '.join(self.presets)}")
        return self.presets[line[1:]].lines

    @override
    def format(self, value: tuple[str, ...]) -> tuple[str, ...]:
        named = next((name for name, preset in self.presets.items() if preset.lines == value), None)
        return tuple(value) if named is None else (PRESET + named,)


@dataclass(frozen=True, kw_only=True)
class Pictures(Control[tuple[Picture, ...]]):
    """Pictures, given as files or as pictures. They never travel in a link.

    Attributes:
        fewest: at least so many.
        most: at most so many.
    """

    fewest: int = 1
    most: int = 64

    @override
    def parse(self, given: object) -> tuple[Picture, ...]:
        items = [given] if isinstance(given, (str, Path, bytes, Picture)) else sequence(given)
        if not self.fewest <= len(items) <= self.most:
            wanted = (
                _count(self.fewest, "picture")
                if self.fewest == self.most
                else f"{self.fewest} to {_count(self.most, 'picture')}"
            )
            raise ValueError(f"give {wanted}; {len(items) or 'none'} given")
        return tuple(self._read(item) for item in items)

    @staticmethod
    def _read(item: object) -> Picture:
        if isinstance(item, Picture):
            return item
        if isinstance(item, (str, Path, bytes)):
            return Picture.read(item)
        raise PictureError(f"a picture is a file or its bytes, not {type(item).__name__}")

    @override
    def format(self, value: tuple[Picture, ...]) -> tuple[str, ...]:
        return tuple(path_of(picture) or picture.name for picture in value)

    @property
    @override
    def travels(self) -> bool:
        return False

    @override
    def stimuli(self, value: tuple[Picture, ...]) -> Mapping[str, str]:
        return {picture.name: picture.digest for picture in value}


def single(given: object) -> object:
    """The one value where a link or a flag may give a list of one.

    Raises:
        ValueError: several or none are given.
    """
    if isinstance(given, (list, tuple)):
        if len(given) != 1:
            raise ValueError(f"give one value; {len(given)} given")
        return given[0]
    return given


def sequence(given: object) -> Sequence[object]:
    """What was given as a list, empty for nothing.

    Raises:
        ValueError: it is no list.
    """
    if given is None:
        return ()
    if isinstance(given, Sequence):
        return given
    raise ValueError(f"give a list, not {type(given).__name__}")


def written(given: object) -> str:
    """What was given as text that can be written anywhere: halves of characters, as JSON may hold, become “?”."""
    return str(given).encode("utf-8", "replace").decode("utf-8")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _quote(text: str, longest: int = 60) -> str:
    return f'"{text if len(text) <= longest else text[: longest - 1] + "…"}"'
