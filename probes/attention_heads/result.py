"""What was found about the heads: the answer in a sentence, what to know first, and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.ablating import Ablated, LayerStep
from probes.attention_heads.describing import Description
from probes.attention_heads.effects import Effects, HeadEffect
from probes.core.arrays import Packed
from probes.core.pictures import Raster


def _none_near() -> NDArray[np.float32]:
    return np.zeros((0, 0, 0), np.float32)


@dataclass(frozen=True, kw_only=True)
class AttentionHeadsResult:
    """What the heads do to one picture and a text, and what was asked besides.

    Attributes:
        model: how it was asked for.
        picture: its name.
        texts: the first is asked about, the others are what it is held against.
        view: what the tower sees of the picture; maps lie over it.
        effects: of every part on the similarity.
        over: the other pictures, in words.
        description, nearest, names: what heads are about; (L, H, k), the pictures nearest by each head alone, -1
            for none; and the names of the pictures. Nothing where they were not asked for.
        ablated, layers: nothing where they were not asked for.
        cautions: what was done to read pictures, what was left out, and what is unlike the model's training.
    """

    model: str
    picture: str
    texts: tuple[str, ...]
    view: Raster
    effects: Effects
    over: str
    description: Description | None = None
    nearest: Packed = field(default_factory=_none_near)
    names: tuple[str, ...] = ()
    ablated: tuple[Ablated, ...] = ()
    layers: tuple[LayerStep, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """The text, and how many others it is held against."""
        others = len(self.texts) - 1
        if not others:
            return f"“{self.texts[0]}”"
        against = f"“{self.texts[1]}”" if others == 1 else f"{others} other texts"
        return f"“{self.texts[0]}” rather than {against}"

    @property
    def leading(self) -> HeadEffect:
        """The head that strays farthest from what it adds to other pictures on average."""
        return max(self.effects.rows, key=lambda row: abs(row.beyond))

    def headline(self) -> str:
        """Where the similarity comes from, and which head stands out."""
        check, rows = self.effects.check, self.effects.rows
        heads = sum(row.effect for row in rows)
        mlps = sum(row.effect for row in self.effects.mlp_rows)
        said = (
            f"{self.asked}: of {check.similarity:+.3f} in cosine, heads write {heads:+.3f}, MLPs {mlps:+.3f}, the "
            f"rest {check.similarity - heads - mlps:+.3f} (the parts sum to the whole within "
            f"{max(check.reconstruction_error, abs(check.similarity - check.sum_of_terms)):.0e})."
        )
        lead = self.leading
        return (
            f"{said} {lead.name} strays farthest from what it adds to other pictures: {lead.effect:+.3f} here, "
            f"{lead.usual:+.3f} on average over {self.over} (p = {lead.p_adjusted:.2g}, corrected for {len(rows)} "
            "heads)."
        )

    def warnings(self) -> tuple[str, ...]:
        """What bears on the headline."""
        return tuple(dict.fromkeys(self.cautions))

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`heads`, `mlps`, `rest`, `check`, and those of what was asked besides."""
        return {
            "heads": self.effects.rows,
            "mlps": self.effects.mlp_rows,
            "rest": self.effects.rest,
            "check": (self.effects.check,),
            "directions": () if self.description is None else self.description.directions,
            "variances": () if self.description is None else self.description.variances,
            "ablated": self.ablated,
            "layers": self.layers,
        }
