"""Parameters of a probe: frozen dataclasses whose fields carry a control that no user interface owns.

A field is declared once, as `labels: tuple[str, ...] = parameter(("a cat", "a dog"), Lines("Labels"))`. From
that one line come the form in the browser, the flag on the command line, the entry in a link and the check of
what a person typed. Controls parse what they are given (text from a link or a command line, values from a
form) and refuse it with a sentence; `FieldError` carries the field's name to the place where it is shown.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from typing_extensions import override

from probes.core.errors import ClipspectError, FieldError, PictureError
from probes.core.pictures import Picture

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Control(Generic[T]):
    """How a field is shown and what it accepts.

    Attributes:
        label: the field's name for people.
        help: one sentence under it.
        advanced: whether a form may fold it away.
    """

    label: str
    help: str = ""
    advanced: bool = False

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
        text = str(_single(given))
        if text not in self.options:
            raise ValueError(f"{_quote(text)} is not one of {', '.join(self.options)}")
        return text


@dataclass(frozen=True, kw_only=True)
class Switch(Control[bool]):
    """On or off."""

    @override
    def parse(self, given: object) -> bool:
        value = _single(given)
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
        value = _single(given)
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
        value = _single(given)
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
class Place(Control[tuple[float, float]]):
    """A point on a picture, as shares of its width and height from the upper left corner.

    Attributes:
        on: name of the field that holds the picture; a click on it sets the place.
    """

    on: str

    @override
    def parse(self, given: object) -> tuple[float, float]:
        items = given.replace(",", " ").split() if isinstance(given, str) else _sequence(given)
        if len(items) != 2:
            raise ValueError(f"give two numbers, across and down; {len(items) or 'none'} given")
        share = Range(label=self.label, low=0.0, high=1.0, step=0.001)
        return share.parse(items[0]), share.parse(items[1])

    @override
    def format(self, value: tuple[float, float]) -> tuple[str, ...]:
        return tuple(f"{share:.4g}" for share in value)


@dataclass(frozen=True, kw_only=True)
class Lines(Control[tuple[str, ...]]):
    """Lines of text. Blank lines and repeated ones are dropped; order is kept.

    Attributes:
        fewest: at least so many lines.
        most: at most so many lines.
        longest: at most so many characters a line.
        slot: a piece of text, such as `{}`, that every line must hold exactly once.
    """

    fewest: int = 1
    most: int = 1000
    longest: int = 2000
    slot: str | None = None

    @override
    def parse(self, given: object) -> tuple[str, ...]:
        items = given.splitlines() if isinstance(given, str) else _sequence(given)
        stripped = (str(item).strip() for item in items)
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

    @override
    def format(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value)


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
        items = [given] if isinstance(given, (str, Path, bytes, Picture)) else _sequence(given)
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
        return tuple(picture.name for picture in value)


def parameter(default: T, control: Control[T]) -> T:
    """Declare a field of a `Params` dataclass with its default and its control."""
    return field(default=default, metadata={"control": control})


@dataclass(frozen=True, kw_only=True)
class Params:
    """Base of every probe's parameters: all randomness follows from `seed`."""

    seed: int = parameter(
        0, Count(label="Seed", help="All randomness follows from it.", low=0, high=2**31 - 1, advanced=True)
    )

    def check(self) -> None:
        """Raise `FieldError` for values that are fine alone and wrong together."""


P = TypeVar("P", bound=Params)


@dataclass(frozen=True)
class Field:
    """One field of a parameters class: its name, its default and its control."""

    name: str
    default: object
    control: Control[Any]

    @property
    def flag(self) -> str:
        """The field as a flag of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def is_pictures(self) -> bool:
        """Whether the field holds pictures, which never travel in a link."""
        return isinstance(self.control, Pictures)


def fields(params: type[Params] | Params) -> tuple[Field, ...]:
    """The fields of a parameters class in the order of declaration, `seed` last."""
    declared = [Field(f.name, f.default, f.metadata["control"]) for f in dataclasses.fields(params)]
    return tuple(sorted(declared, key=lambda f: f.name == "seed"))


def parse(params: type[P], given: Mapping[str, object]) -> P:
    """Make parameters from raw values; a field that is not given keeps its default.

    Raises:
        FieldError: a value cannot be used, or a name is not a field.
    """
    known = {f.name: f for f in fields(params)}
    for name in given:
        if name not in known:
            raise FieldError(name, f"there is no such field; the fields are {', '.join(known)}")
    parsed: dict[str, Any] = {name: _parse_field(known[name], value) for name, value in given.items()}
    result = params(**parsed)
    result.check()
    return result


def verify(params: Params) -> None:
    """Check parameters built directly in Python as strictly as those that were parsed.

    Raises:
        FieldError: a value is not one its control accepts.
    """
    for f in fields(params):
        value = getattr(params, f.name)
        if _parse_field(f, value) != value:
            raise FieldError(f.name, f"{value!r} is not in the form the field keeps")
    params.check()


def _parse_field(f: Field, value: object) -> Any:
    try:
        return f.control.parse(value)
    except FieldError:
        raise
    except (ValueError, ClipspectError) as error:
        raise FieldError(f.name, str(error)) from None


def to_query(params: Params) -> tuple[tuple[str, str], ...]:
    """What differs from the defaults, pictures left out, as the pairs of a link's query."""
    return tuple(
        (f.name, text)
        for f in fields(params)
        if not f.is_pictures and getattr(params, f.name) != f.default
        for text in f.control.format(getattr(params, f.name))
    )


def to_flags(params: Params) -> tuple[str, ...]:
    """What differs from the defaults, as arguments of the command line."""
    arguments: list[str] = []
    for f in fields(params):
        if getattr(params, f.name) != f.default:
            texts = f.control.format(getattr(params, f.name))
            if any(text.startswith("-") for text in texts):  # would be taken for a flag
                arguments += [f"{f.flag}={text}" for text in texts]
            else:
                arguments += [f.flag, *texts]
    return tuple(arguments)


def _single(given: object) -> object:
    """The one value where a link or a flag may give a list of one."""
    if isinstance(given, (list, tuple)):
        if len(given) != 1:
            raise ValueError(f"give one value; {len(given)} given")
        return given[0]
    return given


def _sequence(given: object) -> Sequence[object]:
    if given is None:
        return ()
    if isinstance(given, Sequence):
        return given
    raise ValueError(f"give a list, not {type(given).__name__}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _quote(text: str, longest: int = 60) -> str:
    return f'"{text if len(text) <= longest else text[: longest - 1] + "…"}"'
