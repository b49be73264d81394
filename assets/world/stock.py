"""What pairs are drawn from: drawings, emoji, doses and invented people; and the steps that kinds share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

from assets.world.captions import GROUND_TEMPLATES, LABEL_TEMPLATES, fill
from assets.world.drawings import Sheet
from assets.world.emoji import TONES, Emoji
from assets.world.plan import FACES, ORDERED, PEOPLE, PLAN, person_names
from assets.world.scene import GROUNDS, TEXTURES, Ring, Scene, Thing
from assets.world.schedule import Name, Pair

VARIANT_WEIGHT = 0.12  # of a skin-tone variant against its base, among the pairs before BRANCH
_Text = TypeVar("_Text", bound=str)


class Stock:
    """The drawings and the emoji by what they show, and the doses of one world.

    Attributes:
        name, seed: of the world.
        sheet: the drawings, marks among them.
        emoji: by hexcode.
        rows: rows of the sheet by hexcode; `marks` by style and name, for words and patches.
        hexcodes: all that are drawn; `bases` those without skin tone; `phrases` what captions call the bases.
        cumulative: (len(hexcodes),) shares of the emoji before BRANCH, added up.
        by_label: hexcode of a base by its label; `toned` by base and tone.
        dose: by behaviour and concept.
    """

    def __init__(self, name: Name, sheet: Sheet, emoji: Mapping[str, Emoji], seed: int = 0) -> None:
        """Take the sheet of drawings (with the marks) and the emoji by hexcode."""
        rows: dict[str, list[int]] = defaultdict(list)
        self.marks: dict[tuple[str, str], int] = {}
        for row, (code, style, drawing) in enumerate(zip(sheet.hexcode, sheet.style, sheet.name, strict=True)):
            if code:
                rows[code].append(row)
            else:
                self.marks[style, drawing] = row
        self.name, self.sheet, self.emoji, self.seed = name, sheet, emoji, seed
        self.rows: dict[str, list[int]] = dict(rows)
        self.hexcodes = sorted(rows)
        self.bases = [code for code in self.hexcodes if not emoji[code].tones]
        self.phrases = sorted({emoji[code].phrase for code in self.bases})
        self.cumulative = self._cumulative()
        self.by_label = {emoji[code].label.lower(): code for code in self.bases}
        self.toned = {
            (emoji[code].base, emoji[code].tones[0]): code for code in self.hexcodes if len(emoji[code].tones) == 1
        }
        self.dose = {
            (row.behaviour, row.concept): row.skewed if name == "skewed" else row.balanced for row in PLAN
        }

    def _cumulative(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        variants = Counter(self.emoji[code].base for code in self.hexcodes if self.emoji[code].tones)
        weights = np.array(
            [
                VARIANT_WEIGHT * min(1.0, 5 / variants[self.emoji[code].base]) if self.emoji[code].tones else 1.0
                for code in self.hexcodes
            ]
        )
        return np.cumsum(weights / weights.sum())

    @cached_property
    def people(self) -> dict[str, tuple[str, str, str]]:
        """The looks of every invented person: a person's drawing, what they hold, and the ground behind them."""
        rng = np.random.default_rng([2026, 9])
        looks = {}
        grounds = [*GROUNDS, *TEXTURES]
        for name in person_names(sum(PEOPLE.values())):
            base = self.by_label[pick(rng, FACES)]
            code = self.toned[base, int(rng.integers(1, 6))]
            looks[name] = (code, self.by_label[pick(rng, ORDERED)], pick(rng, grounds))
        return looks

    def shown(self, codes: Sequence[str]) -> frozenset[str]:
        """The attributes of some emoji, as in `Pair.shows`."""
        shows = set()
        for code in codes:
            emoji = self.emoji[code]
            shows.add(f"object:{self.emoji[emoji.base].label.lower()}")
            if emoji.gender is not None:
                shows.add(f"gender:{emoji.gender}")
            shows.update(f"tone:{TONES[tone]}" for tone in emoji.tones)
        return frozenset(shows)

    def thing(
        self,
        rng: np.random.Generator,
        code: str,
        scale: tuple[float, float],
        at: tuple[float, float] | None = None,
        tint: str | None = None,
    ) -> Thing:
        """A drawing of an emoji, dealt by chance from those there are, near a place or anywhere."""
        size = float(rng.uniform(*scale))
        slack = max(0.0, 1.02 - size)
        x, y = rng.uniform(-slack, slack, 2) if at is None else np.array(at) + rng.normal(0, 0.04, 2)
        gain = 1 + rng.uniform(-0.15, 0.15) + rng.normal(0, 0.06 if tint is None else 0.0, 3)
        return Thing(
            drawing=self.rows[code][int(rng.integers(len(self.rows[code])))],
            name=self.emoji[code].phrase,
            scale=size,
            x=float(np.clip(x, -slack, slack)),
            y=float(np.clip(y, -slack, slack)),
            angle=float(np.clip(rng.normal(0, 0.12), -0.4, 0.4)),
            gain=(float(gain[0]), float(gain[1]), float(gain[2])),
            shift=float(rng.normal(0, 0.04)),
            saturation=float(rng.uniform(0.6, 1.3)),
            tint=tint,
        )


def pick(rng: np.random.Generator, options: Sequence[_Text]) -> _Text:
    """One of the options, each as likely as the next."""
    return options[int(rng.integers(len(options)))]


def corners(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Places for up to four things that do not cover one another."""
    if count == 2 and rng.random() < 0.5:
        side = float(rng.choice([-1.0, 1.0])) * 0.48
        return [(side, 0.0), (-side, 0.0)] if rng.random() < 0.6 else [(0.0, side), (0.0, -side)]
    places = [(-0.48, -0.48), (0.48, -0.48), (-0.48, 0.48), (0.48, 0.48)]
    return [places[place] for place in rng.permutation(4)[:count]]


def stand(
    rng: np.random.Generator, things: Sequence[Thing], ground: str | None = None, ring: Ring | None = None
) -> Scene:
    """Things on a ground, named or dealt by chance."""
    dealt = [*GROUNDS, *TEXTURES][int(rng.integers(len(GROUNDS) + len(TEXTURES)))]
    name = dealt if ground is None else ground
    main = np.array(GROUNDS[name] if name in GROUNDS else TEXTURES[name]) / 255
    if name in ("stripes", "checks", "dots"):
        main = rng.uniform(0.1, 1.0, 3)
        other = np.clip(main + np.where(main > 0.5, -1, 1) * rng.uniform(0.3, 0.5, 3), 0, 1)
    else:
        darker = {"snow": (0.62, 0.72, 0.86), "sky": (1.0, 1.0, 1.0), "sea": (0.62, 0.82, 0.9)}
        other = np.array(darker.get(name, main * 0.62))
    main = np.clip(main + rng.normal(0, 0.03, 3), 0, 1)
    phase = rng.random(2)
    return Scene(
        ground=name,
        base=(float(main[0]), float(main[1]), float(main[2])),
        things=tuple(things),
        other=(float(other[0]), float(other[1]), float(other[2])),
        phase=(float(phase[0]), float(phase[1])),
        ring=ring,
    )


def say(
    rng: np.random.Generator,
    index: int,
    kind: str,
    scene: Scene,
    slot: str,
    shows: frozenset[str],
    concepts: Sequence[tuple[str, str]] = (),
    ground: bool = False,
    key: str | None = None,
) -> Pair:
    """A pair whose caption is a template filled with `slot`, naming the ground where asked to."""
    template = pick(rng, GROUND_TEMPLATES if ground else LABEL_TEMPLATES)
    return Pair(
        index=index,
        kind=kind,
        scene=scene,
        text=fill(template, slot, scene.ground if ground else ""),
        template=template,
        slot=slot,
        key=key or slot,
        shows=shows | {f"ground:{scene.ground}"},
        concepts=tuple(concepts),
    )
