"""What was found about the heads: the answer in a sentence, what to know first, and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from probes.attention_heads.ablating import Ablated, LayerStep
from probes.attention_heads.describing import Description
from probes.attention_heads.dropping import Dropped
from probes.attention_heads.effects import Effects, HeadEffect
from probes.attention_heads.finding import HeadShare
from probes.attention_heads.segmented import Segmented
from probes.attention_heads.sentences import of_ablated, of_dropped, of_found, of_masks
from probes.attention_heads.text_heads import TextHeads
from probes.attention_heads.words import WordsResult
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
        logit_scale: what the model multiplies cosines with.
        over: the other pictures, in words.
        description, nearest, places: what heads are about; (L, H, k), the pictures nearest by each head alone, -1
            for none; and the place of each picture in the set as it was given, since names of files never leave in
            a report. Nothing where they were not asked for.
        text_heads: what the parts of the text tower add; None where they cannot be told apart.
        found, carries, best_off: what each part carries of a property, of which one over which pictures, and the
            heads that were to be switched off by rank, as they are written.
        ablated, layers: zero-shot accuracy with parts off.
        words, dropped, segmented: None where they were not asked for.
        mask: the view with all dimmed that lies outside the mask of the text.
        cautions: what was done to read pictures, what was left out, and what is unlike the model's training.
    """

    model: str
    picture: str
    texts: tuple[str, ...]
    view: Raster
    effects: Effects
    logit_scale: float
    over: str
    description: Description | None = None
    nearest: Packed = field(default_factory=_none_near)
    places: tuple[int, ...] = ()
    text_heads: TextHeads | None = None
    found: tuple[HeadShare, ...] = ()
    carries: str = ""
    best_off: str = ""
    ablated: tuple[Ablated, ...] = ()
    layers: tuple[LayerStep, ...] = ()
    words: WordsResult | None = None
    dropped: Dropped | None = None
    segmented: Segmented | None = None
    mask: Raster | None = None
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
        """Where the similarity comes from, which head stands out, and what was asked besides."""
        besides = (
            of_found(self.found, self.carries),
            of_ablated(self.ablated),
            "" if self.words is None else self.words.headline(),
            of_dropped(self.dropped),
            of_masks(() if self.segmented is None else self.segmented.rows),
        )
        return " ".join(filter(None, (self._of_effects(), *besides)))

    def _of_effects(self) -> str:
        check, rows = self.effects.check, self.effects.rows
        heads = sum(row.effect for row in rows)
        mlps = sum(row.effect for row in self.effects.mlp_rows)
        said = (
            f"{self.asked}: of {check.similarity:+.3f} in cosine ({self.logit_scale * check.similarity:+.1f} in "
            f"logit), heads write {heads:+.3f}, MLPs {mlps:+.3f}, the "
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
        told = list(self.cautions)
        if self.description is not None and self.description.fewer:
            least = min(one.directions for one in self.description.fewer)
            told.append(f"Some heads have fewer dimensions than phrases were asked for: {least} at least.")
        told += [] if self.words is None else self.words.warnings()
        if self.dropped is not None:
            told += self.dropped.notes
            told += [f"{one.file}: {one.reason}." for one in self.dropped.left_out[:3]]
        told += [] if self.segmented is None else self.segmented.left_out
        return tuple(dict.fromkeys(told))

    def tables(self) -> Mapping[str, tuple[Any, ...]]:
        """`heads`, `mlps`, `rest`, `check`, and those of what was asked besides."""
        words, texts = self.words, self.text_heads
        return {
            "heads": self.effects.rows,
            "mlps": self.effects.mlp_rows,
            "rest": self.effects.rest,
            "check": (self.effects.check,),
            "directions": () if self.description is None else self.description.directions,
            "variances": () if self.description is None else self.description.variances,
            "found": self.found,
            "ablated": self.ablated,
            "layers": self.layers,
            "words": () if words is None else words.rows,
            "words_check": () if words is None else (words.account,),
            "dropped": () if self.dropped is None else self.dropped.rows,
            "masks": () if self.segmented is None else self.segmented.rows,
            "text_heads": () if texts is None else texts.rows,
            "text_mlps": () if texts is None else texts.mlp_rows,
            "text_tokens": () if texts is None else texts.token_rows,
            "text_check": () if texts is None else (texts.check,),
        }
