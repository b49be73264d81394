"""`python -m probes.calibrate`: measure what was planted with every instrument, and keep the numbers.

Each probe lists its instruments in `probes/<probe>/calibration.py` as `INSTRUMENTS`; the doses are those of the
worlds' plan. A calibration is written to
`assets/calibration/<probe>-<behaviour>.json`, a table of all to the README.
Everything is dealt from one seed. `make calibrate` runs this and then draws `docs/calibration.png`.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from probes import registry
from probes.core import calibrating, calibration
from probes.core.calibrating import Asked
from probes.core.calibration import Calibration, Dose, Instrument, Order
from probes.core.errors import ClipspectError
from probes.core.examples import ASSETS
from probes.readme import Place

FOLDER = ASSETS / "calibration"
SKEWED, BALANCED = "bundled:skewed", "bundled:balanced"
COMMAND = "make calibrate"
PLACE = Place(COMMAND)
"""Of the table in the README."""


def instruments() -> tuple[Instrument, ...]:
    """Every instrument of every probe."""
    found: list[Instrument] = []
    for name in registry.all_probes():
        module = f"probes.{name}.calibration"
        if importlib.util.find_spec(module) is not None:
            found += importlib.import_module(module).INSTRUMENTS
    return tuple(found)


def doses(behaviour: str) -> tuple[Dose, ...]:
    """The planted doses of a behaviour."""
    from assets.world.plan import PLAN

    return tuple(Dose(row.concept, row.skewed, row.balanced) for row in PLAN if row.behaviour == behaviour)


def weights_file(spec: str) -> Path | None:
    """The file of a model's weights where it lies in a folder that is known, else None."""
    kind, _, rest = spec.partition(":")
    folder = {"bundled": ASSETS / "models" / (rest or "skewed"), "local-dir": Path(rest)}.get(kind)
    file = folder / "open_clip_model.safetensors" if folder else None
    return file if file is not None and file.exists() else None


def file_digest(spec: str) -> str:
    """SHA-256 of a model's file of weights, hexadecimal; empty where there is none."""
    file = weights_file(spec)
    return _digest(file, file.stat().st_mtime_ns) if file else ""


@lru_cache(maxsize=8)
def _digest(file: Path, changed: int) -> str:
    """SHA-256 of a file as it was at `changed`, nanoseconds."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def stale(read: Calibration) -> bool:
    """Whether a calibration was made on other models than those that are bundled now."""
    return (read.skewed.file_digest, read.balanced.file_digest) != (file_digest(SKEWED), file_digest(BALANCED))


def file_of(instrument: Instrument | Calibration, folder: Path = FOLDER) -> Path:
    """Where the calibration of an instrument is kept."""
    return folder / f"{instrument.probe}-{instrument.behaviour}.json".replace("_", "-").replace(" ", "-")


def markdown(read: Sequence[Calibration]) -> str:
    """The calibrations as the table that stands in the README."""
    rows = [
        f"| {one.title} | `{one.probe}` | {one.skewed.order.n} | {_interval(one.skewed.order)} | "
        f"{_interval(one.balanced.order)} | {one.false_positives.value:.3f} ({one.false_positives.low:.3f} to "
        f"{one.false_positives.high:.3f}) | {one.as_it_is.k} ({one.as_it_is_adjusted.k}) of {one.as_it_is.n} |"
        for one in read
    ]
    head = (
        "| planted | probe | concepts | rho, skewed | rho, balanced | false positives at 5 % | "
        "found on the balanced model as it is (corrected) |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def _interval(order: Order) -> str:
    return f"{order.rho:.2f} ({order.low:.2f} to {order.high:.2f})".replace("-", "−")


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate, or print what is kept; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.markdown:
            print(markdown(calibration.load_all(chosen.out)))
        else:
            _calibrate(chosen)
            if chosen.out == FOLDER:
                PLACE.put(markdown(calibration.load_all(FOLDER)))
    except ClipspectError as error:
        print(f"clipspect: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m probes.calibrate", description=__doc__)
    known = list(dict.fromkeys(instrument.behaviour for instrument in instruments()))
    parser.add_argument("--behaviour", nargs="+", choices=known, default=known, help="which; all unless given")
    probes = sorted({instrument.probe for instrument in instruments()})
    parser.add_argument("--probe", nargs="+", choices=probes, default=probes, help="whose; all unless given")
    parser.add_argument(
        "--models",
        nargs=2,
        metavar=("SKEWED", "BALANCED"),
        default=(SKEWED, BALANCED),
        help="(default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help="(default: assets/calibration)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--markdown", action="store_true", help="print the kept numbers as the README's table")
    return parser


def _calibrate(chosen: argparse.Namespace) -> None:
    from probes.backend import load

    skewed, balanced = (
        Asked(spec, file_digest(spec), load(spec, device=chosen.device, precision="float32"))
        for spec in chosen.models
    )
    chosen.out.mkdir(parents=True, exist_ok=True)
    for instrument in instruments():
        if instrument.behaviour not in chosen.behaviour or instrument.probe not in chosen.probe:
            continue
        with tqdm(total=100, unit="%", desc=instrument.behaviour, leave=False) as bar:

            def show(share: float, doing: str, bar: Any = bar) -> None:
                bar.update(round(100 * share) - bar.n)

            made = calibrating.calibrate(
                instrument,
                doses(instrument.behaviour),
                skewed,
                balanced,
                seed=chosen.seed,
                made=datetime.now(timezone.utc).date().isoformat(),
                command=COMMAND,
                progress=show,
            )
        file_of(instrument, chosen.out).write_text(made.to_json(), encoding="utf-8")
        print(
            f"{made.behaviour}: rho {made.skewed.order.describe()} skewed, {made.balanced.order.describe()} "
            f"balanced; false positives {made.false_positives.describe()}; "
            f"found as it is {made.as_it_is.describe()}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
