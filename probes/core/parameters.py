"""Parameters of a probe: frozen dataclasses whose fields carry a control that no user interface owns.

A field is declared once, as `labels: tuple[str, ...] = parameter(("a cat", "a dog"), Lines("Labels"))`. From
that one line come the form in the browser, the flag on the command line, the entry in a link and the check of
what a person typed. Controls parse what they are given (text from a link or a command line, values from a
form) and refuse it with a sentence; `FieldError` carries the field's name to the place where it is shown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from probes.core.controls import Control, Count, Pictures
from probes.core.errors import ClipspectError, FieldError

T = TypeVar("T")


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

    def needs_model(self) -> bool:
        """Whether a model is asked; not where all that is measured comes as embeddings from files."""
        return True

    def scale_of_files(self) -> float:
        """The factor on cosines where no model is asked: that of the files' model, or 1 where nobody knows."""
        return 1.0


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
        """Whether the field holds pictures that a page shows."""
        return isinstance(self.control, Pictures)

    @property
    def travels(self) -> bool:
        """Whether the value may stand in a link."""
        return self.control.travels


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
    """What differs from the defaults, pictures and files left out, as the pairs of a link's query."""
    return tuple(
        (f.name, text)
        for f in fields(params)
        if f.travels and getattr(params, f.name) != f.default
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
