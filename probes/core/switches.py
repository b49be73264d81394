"""Which heads and MLPs of an image tower are switched off, as it is written: `L4H2,L5,M5`.

| written  | means                                       |
|----------|---------------------------------------------|
| `L4H2`   | head 2 of layer 4, both counted from 0      |
| `L4`     | all heads of layer 4                        |
| `M4`     | the MLP of layer 4                          |

Behind a model's name, after `~`, it makes a model of its own, such as `bundled:skewed~L4H2,M5`: that model can be
asked anything, on any page. Layers and heads are counted from 0, as the literature does; a plus does for a comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from probes.core.errors import ModelError

_PART = re.compile(r"L(\d{1,3})(?:H(\d{1,3}))?|M(\d{1,3})", re.IGNORECASE)
MARK = "~"
"""What parts a model's name from what is switched off."""


@dataclass(frozen=True)
class Switches:
    """What is off.

    Attributes:
        heads: (layer, head) pairs.
        layers: layers all of whose heads are off.
        mlps: layers whose MLP is off.
    """

    heads: frozenset[tuple[int, int]] = frozenset()
    layers: frozenset[int] = frozenset()
    mlps: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Switches:
        """Read what is written.

        Raises:
            ModelError: a part is none of a head, a layer or an MLP.
        """
        heads, layers, mlps = set(), set(), set()
        for part in filter(None, (part.strip() for part in text.replace("+", ",").split(","))):
            found = _PART.fullmatch(part)
            if found is None:
                raise ModelError(
                    f"“{part[:20]}” is no part of a tower; write L4H2 for a head, L4 for all heads of a layer, "
                    "M4 for an MLP"
                )
            layer, head, mlp = found.groups()
            if mlp is not None:
                mlps.add(int(mlp))
            elif head is None:
                layers.add(int(layer))
            else:
                heads.add((int(layer), int(head)))
        return cls(frozenset(h for h in heads if h[0] not in layers), frozenset(layers), frozenset(mlps))

    @classmethod
    def of_heads(cls, heads: Iterable[tuple[int, int]]) -> Switches:
        """Some heads and nothing else."""
        return cls(heads=frozenset(heads))

    def __str__(self) -> str:
        """The canonical spelling, which parses to the same."""
        rows = sorted((layer, -1) for layer in self.layers) + sorted(self.heads)
        heads = [f"L{layer}" if head < 0 else f"L{layer}H{head}" for layer, head in sorted(rows)]
        return ",".join(heads + [f"M{layer}" for layer in sorted(self.mlps)])

    def __bool__(self) -> bool:
        """Whether anything is off."""
        return bool(self.heads or self.layers or self.mlps)

    def check(self, layers: int, heads: int, mlps: int) -> None:
        """Hold them against a tower of L layers of H heads and M MLPs.

        Raises:
            ModelError: the tower has no such part.
        """
        for layer, head in sorted(self.heads | {(layer, 0) for layer in self.layers}):
            if layer >= layers or head >= heads:
                raise ModelError(
                    f"there is no {Switches.of_heads([(layer, head)])}: the image tower has "
                    f"{_counted(layers, 'layer')} of {_counted(heads, 'head')}, counted from 0"
                )
        for layer in sorted(self.mlps):
            if layer >= mlps:
                count = _counted(mlps, "MLP")
                raise ModelError(f"there is no M{layer}: the image tower has {count}, counted from 0")

    def off(self, heads: int) -> tuple[tuple[int, int], ...]:
        """All heads that are off, in order, of layers of H heads."""
        whole = {(layer, head) for layer in self.layers for head in range(heads)}
        return tuple(sorted(whole | self.heads))

    def named(self, name: str) -> str:
        """What to call a model of that name once these parts of it are off."""
        return f"{name} without {str(self).replace(',', ', ')}" if self else name


EVERYTHING_ON = Switches()
"""Nothing is off."""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def split(spec: str) -> tuple[str, Switches]:
    """A model's name and what is switched off of it.

    Raises:
        ModelError: what stands after the last `~` is empty, or cannot be read though it looks like parts of a
            tower.
    """
    name, mark, parts = spec.rpartition(MARK)
    if not mark:
        return spec, EVERYTHING_ON
    try:
        switches = Switches.parse(parts)
    except ModelError:
        if any(separator in spec for separator in ("/", "\\")):  # a path may hold the mark
            return spec, EVERYTHING_ON
        raise
    if not switches:
        raise ModelError(f"after {MARK} come parts of the tower, such as {name}{MARK}L4H2")
    return name, switches
