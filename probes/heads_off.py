"""`python -m probes.heads_off`: planted behaviours, with the heads off that carry their property.

For each behaviour of `SEARCHED`, heads are found that carry its property between pictures of
`probes.attention_heads.properties`, none of which the instrument shows, and once more by what the property does to
the answers in fresh scenes (`probes.heads_by_answers`); the first 1, 2, 4 and 8 of them are switched off in the
skewed model. What is measured, and what it is held against, stands in
`probes.ablated_contrasts`. What switching off costs is the zero-shot accuracy on `probes.evaluation`. P-values are
corrected over behaviours and numbers of heads (Benjamini-Hochberg). The numbers are kept in
`assets/calibration/heads/heads-off.json`, a table of them is put into the README. `make calibrate` runs this and
then draws `docs/heads-off.png`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from probes import calibrate, contrasts
from probes.ablated_contrasts import Off, Slopes, switched_off, written_by_heads
from probes.attention_heads.ablating import Labelled, evaluated
from probes.attention_heads.carrying import Carried, carried_between_pictures
from probes.attention_heads.finding import HeadShare, best, rows
from probes.attention_heads.properties import shipped
from probes.core.decomposition import Decomposition
from probes.core.errors import ClipspectError
from probes.core.model import Backend
from probes.core.statistics import Estimate, wilson
from probes.core.switches import EVERYTHING_ON, Switches
from probes.heads_by_answers import leading, shares
from probes.heads_off_result import PLACE, Behaviour, HeadsOff, corrected, load, markdown
from probes.red_circle import calibration as circles
from probes.usual_pictures import usual_pictures
from probes.zero_shot import calibration as zero_shot

FILE = calibrate.FOLDER / "heads" / "heads-off.json"
COMMAND = "make calibrate"
SEARCHED = MappingProxyType(
    {
        "occupation": "gender as drawn",
        "ground": "ground",
        "written word": "written word",
        "circle": "red circle",
    }
)
"""The property whose heads are switched off, by planted behaviour."""
NUMBERS = (1, 2, 4, 8)
"""How many heads are switched off."""
KEPT = 12
"""Heads that are kept of each search: those that carry most."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all behaviours are measured with.

    Attributes:
        usual: the usual pictures, taken apart by the skewed model.
        labelled: what accuracy is measured on, by the same.
    """

    skewed: Backend
    balanced: Backend
    usual: Decomposition
    labelled: Labelled
    seed: int

    @classmethod
    def of(cls, skewed: Backend, balanced: Backend, seed: int) -> Setting:
        """Take apart what is needed of the skewed model."""
        usual = skewed.decompose(usual_pictures())
        return cls(skewed, balanced, usual, evaluated(skewed, usual), seed)

    def accuracy(self, switches: Switches) -> Estimate:
        """Zero-shot accuracy with heads off, with Wilson's interval over pictures."""
        hits = self.labelled.right(switches)
        return Estimate(float(hits.mean()), len(hits), "pictures", wilson(int(hits.sum()), len(hits)))


def search(backend: Backend, name: str, seed: int) -> Carried:
    """What each part of a model carries of a shipped property."""
    pictures = shipped(name, seed)
    taken = backend.decompose(pictures.pictures)
    return carried_between_pictures(taken, pictures.codes, seed, pictures.rounds)


def measured(setting: Setting, behaviour: str) -> Behaviour:
    """One behaviour; its p-values are not corrected yet."""
    name, seed = SEARCHED[behaviour], setting.seed
    found, other = (search(backend, name, seed) for backend in (setting.skewed, setting.balanced))
    contrast = contrasts.of_behaviour(behaviour, seed)
    planted = {dose.concept: dose.skewed for dose in calibrate.doses(behaviour)}
    doses = np.array([planted[concept] for concept in contrast.concepts])
    taken = setting.skewed.decompose(contrast.pictures)
    balanced = setting.balanced.encode_images(contrast.pictures)
    slopes = Slopes(contrast, doses, contrast.texts(setting.skewed), seed)
    even = Slopes(contrast, doses, contrast.texts(setting.balanced), seed)
    by_answers = _by_answers(setting, behaviour)

    def off(chosen: Iterable[Switches]) -> tuple[Off, ...]:
        priced = [(one, setting.accuracy(one)) for one in dict.fromkeys(chosen) if one]
        return switched_off(slopes, taken, setting.usual, even, balanced, priced)

    return Behaviour(
        behaviour=behaviour,
        title=_title(behaviour),
        searched=name,
        pictures=len(shipped(name, seed).pictures),
        concepts=len(doses),
        skewed=slopes.estimate(taken.embedding),
        balanced=even.estimate(balanced),
        written_by_heads=written_by_heads(slopes, taken),
        found=_heads(found),
        found_balanced=_heads(other),
        off=off(best(found, number) for number in NUMBERS),
        off_by_answers=off(leading(by_answers, number) for number in NUMBERS),
    )


def _by_answers(setting: Setting, behaviour: str) -> NDArray[np.float64]:
    """Each head's share of what the property does to the answers, (L, H), in scenes that are not measured."""
    contrast = contrasts.of_behaviour(behaviour, setting.seed + 1)
    return shares(contrast, setting.skewed.decompose(contrast.pictures), contrast.texts(setting.skewed))


def _title(behaviour: str) -> str:
    instruments = (*zero_shot.INSTRUMENTS, *circles.INSTRUMENTS)
    return next(one.title for one in instruments if one.behaviour == behaviour)


def _heads(carried: Carried) -> tuple[HeadShare, ...]:
    return tuple(row for row in rows(carried) if row.kind == "head")[:KEPT]


def study(skewed: str, balanced: str, seed: int, behaviours: Iterable[str] = tuple(SEARCHED)) -> HeadsOff:
    """Measure every behaviour on two models, given as they are asked for."""
    from probes.backend import load as load_model

    whole, even = (load_model(spec, device="cpu", precision="float32") for spec in (skewed, balanced))
    setting = Setting.of(whole, even, seed)
    return HeadsOff(
        skewed=skewed,
        skewed_digest=calibrate.file_digest(skewed),
        balanced=balanced,
        balanced_digest=calibrate.file_digest(balanced),
        accuracy=setting.accuracy(EVERYTHING_ON),
        behaviours=corrected([measured(setting, one) for one in tqdm(tuple(behaviours), leave=False)]),
        made=datetime.now(timezone.utc).date().isoformat(),
        seed=seed,
        command=COMMAND,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or print what is kept; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m probes.heads_off", description=__doc__)
    parser.add_argument(
        "--models",
        nargs=2,
        metavar=("SKEWED", "BALANCED"),
        default=(calibrate.SKEWED, calibrate.BALANCED),
        help="(default: %(default)s)",
    )
    parser.add_argument("--behaviour", nargs="+", choices=tuple(SEARCHED), default=tuple(SEARCHED))
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", action="store_true", help="print the kept numbers as the README's table")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.markdown:
            print(markdown(load(chosen.out.read_text(encoding="utf-8"))))
            return 0
        made = study(chosen.models[0], chosen.models[1], chosen.seed, chosen.behaviour)
    except ClipspectError as error:
        print(f"clipspect: {error}", file=sys.stderr)
        return 2
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(made.to_json(), encoding="utf-8")
    print(markdown(made))
    if chosen.out == FILE:
        PLACE.put(markdown(made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
