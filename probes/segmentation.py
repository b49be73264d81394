"""`python -m probes.segmentation`: how well maps of the bundled models find what a text names, for the README.

What is measured stands in `probes.attention_heads.segmented`. The table is printed, and put into the README
between its marks where these are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tqdm import tqdm

from probes.attention_heads.segmented import MapFit, Segmented, segment
from probes.core.errors import ClipspectError
from probes.readme import Place

MODELS = ("bundled:skewed", "bundled:balanced")
PLACE = Place("python -m probes.segmentation")
"""Of the table in the README."""
HEAD = (
    "| model | map | things | pixel accuracy | mean IoU | average precision | patch terms ahead in mean IoU | "
    "patch terms ahead in average precision |"
)


def markdown(found: Sequence[tuple[str, Segmented]]) -> str:
    """The rows of each model, by its name, as a table; below it what is left out."""
    rows = [
        f"| `{model}` | {row.kind} | {row.things} | {row.accuracy:.3f} | "
        f"{_number(row.miou, row.miou_low, row.miou_high)} | "
        f"{_number(row.precision, row.precision_low, row.precision_high)} | {_ahead(row, 'miou')} | "
        f"{_ahead(row, 'precision')} |"
        for model, one in found
        for row in one.rows
    ]
    left_out = [f"\n`{model}`: {sentence}" for model, one in found for sentence in one.left_out]
    return "\n".join([HEAD, "|" + "---|" * HEAD.count(" | ") + "---|", *rows, *left_out])


def _number(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})".replace("-", "−")


def _ahead(row: MapFit, measure: str) -> str:
    """By how much the patch terms are ahead, with interval and corrected p; nothing for themselves."""
    value, low, high, p = (
        getattr(row, f"{measure}_{name}") for name in ("ahead", "ahead_low", "ahead_high", "p_adjusted")
    )
    if value is None:
        return ""
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}), p = {p:.2g}".replace("-", "−")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        table = markdown([(spec, _measured(spec, chosen)) for spec in chosen.models])
    except ClipspectError as error:
        print(f"clipspect: {error}", file=sys.stderr)
        return 2
    print(table)
    if tuple(chosen.models) == MODELS and chosen.most is None and not chosen.seed:
        PLACE.put(table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m probes.segmentation", description=__doc__)
    parser.add_argument(
        "--models", nargs="+", default=list(MODELS), metavar="MODEL", help="(default: both bundled)"
    )
    parser.add_argument("--most", type=int, metavar="N", help="so many scenes by chance; all unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    return parser


def _measured(spec: str, chosen: argparse.Namespace) -> Segmented:
    from probes.backend import load

    backend = load(spec, device=chosen.device, precision="float32")
    with tqdm(total=100, unit="%", desc=spec, leave=False) as bar:

        def told(share: float, doing: str) -> None:
            bar.update(round(100 * share) - bar.n)

        return segment(backend, chosen.seed, told, chosen.most)


if __name__ == "__main__":
    raise SystemExit(main())
