"""The backend against a loop over open_clip's own `preprocess` and `encode_image`, in one run on one machine.

Prints a table and writes `out/bench.json`. Every figure is a ratio of two measurements taken in turns, repeated,
with the smallest and largest ratio beside the median, since absolute times depend on the machine and on what else
it is doing. Pictures are drawn from a seed; weights are random, which does not change the work.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from tqdm import tqdm

from bench.audits import audits
from bench.cases import Case, cases, gpu_share, peak_memory
from bench.gaps import gaps
from bench.heads import heads
from bench.marks import marks, photo
from bench.spans import spans
from probes.backend.device import choose_device, cpu_has_amx


@dataclass(frozen=True)
class Figure:
    """One ratio: the median, the smallest and the largest over the repeats, and the target if there is one."""

    model: str
    what: str
    median: float
    least: float
    most: float
    target: str | None
    met: bool | None


def figure(
    model: str, what: str, values: Sequence[float], target: float | None = None, above: bool = True
) -> Figure:
    """Sum up repeats of one measurement."""
    median = statistics.median(values)
    spread = (model, what, median, min(values), max(values))
    if target is None:
        return Figure(*spread, None, None)
    met = median >= target if above else median <= target
    return Figure(*spread, f"{'>=' if above else '<='} {target:g}", met)


def measure(case: Case, repeats: int) -> list[Figure]:
    """All figures of one model on this machine's device."""
    single, batched, cached, taken_apart, plain = [], [], [], [], []
    case.warm_up()
    for _ in tqdm(range(repeats), desc=case.name, leave=False, file=sys.stderr):
        cold = case.seconds(case.backend_cold)
        loop = case.seconds(case.loop_batched)
        single.append(case.seconds(case.loop_single) / cold)
        batched.append(loop / cold)
        cached.append(loop / case.seconds(case.backend_cached))
        plain.append(case.seconds(case.forward))
        taken_apart.append(case.seconds(case.decompose) / plain[-1])
    amx = case.precision == "bfloat16" or cpu_has_amx()
    return [
        figure(case.name, "cold, against one picture at a time in float32", single),
        figure(case.name, "cold, against batches of 32 in float32", batched, 3.0 if amx else None),
        figure(case.name, "from the cache, against batches of 32", cached, 100.0),
        figure(case.name, "decomposition, against a plain forward pass", taken_apart, 1.3, above=False),
        figure(
            case.name,
            f"least cosine with open_clip's own loop, {case.precision}",
            [case.agreement()],
            0.99999 if case.precision == "float32" else 0.999,
        ),
        figure(case.name, "least cosine with open_clip's own loop, bfloat16", [case.agreement("bfloat16")], 0.999),
        figure(case.name, "pictures a second, cold", [case.count / cold]),
    ]


def audit_figures() -> list[Figure]:
    """Bias audits: seconds and memory, which are this machine's, and the ratio to the plain way."""
    timed = audits()
    large, shipped = timed["large"], timed["shipped"]
    return [
        figure("bias audit", "10,954 x 400 x 11 x 512, seconds", [large.seconds], 60, above=False),
        figure("bias audit", "the same, peak memory, GB", [large.peak / 1e9], 2, above=False),
        figure("bias audit", "differences, against one word and group at a time", [large.ratio or 0.0]),
        figure("bias audit", "the page's shipped audit, seconds", [shipped.seconds], 3, above=False),
    ]


def gap_figures() -> list[Figure]:
    """Modality gaps: seconds, memory and frames, which are this machine's, and the ratio to the plain way."""
    timed, who = gaps(), "modality gap"
    whole, sums, few, every, seen, bare = timed.values()
    return [
        figure(who, "5,000 pairs x 512, everything, seconds", [whole.seconds], 3, above=False),
        figure(who, "a shift, against a product for each step", [whole.ratio or 0.0]),
        figure(who, "50,000 pairs x 512, sums alone, seconds", [sums.seconds], 5, above=False),
        figure(who, "the same and a random 5,000 compared, seconds", [few.seconds]),
        figure(who, "all 50,000 compared, seconds", [every.seconds]),
        figure(who, "the same, peak memory, GB", [every.peak / 1e9], 2, above=False),
        figure(who, "5,000 pairs on the screen, seconds", [seen.seconds], 2, above=False),
        figure(who, "slider, frames a second", [seen.ratio or 0.0], 30),
        figure(who, "a slider on a bare page, frames a second", [bare.ratio or 0.0]),
    ]


def mark_figures(on_gpu: bool) -> list[Figure]:
    """Red circle: milliseconds and seconds, which are this machine's, and the ratio to one picture at a time."""
    example, large, who = marks("bundled"), marks("bundled", photo()), "red circle"
    made = [
        Figure(who, "one move to new bars, milliseconds", *example.move, "<= 150", example.move[0] <= 150),
        Figure(who, "the same on 12 megapixels, milliseconds", *large.move, "<= 150", large.move[0] <= 150),
        figure(who, "14 x 14 places, 20 texts, seconds", [example.sweep]),
        figure(who, "196 pictures one by one, against it", [example.one_by_one / example.sweep]),
    ]
    if on_gpu:
        known = marks("random:ViT-L-14")
        made.append(Figure("ViT-L-14", "one move to new bars, ms", *known.move, "<= 60", known.move[0] <= 60))
        made.append(figure("ViT-L-14", "14 x 14 places, 20 texts, seconds", [known.sweep], 2, above=False))
    return made


def head_figures() -> list[Figure]:
    """Attention heads: ratios to encoding, and seconds and memory of TextSpan, which are this machine's."""
    taken, few, many = heads().values()
    picked, steadied = spans().values()
    who, growth = "attention heads", many.peak / few.peak
    return [
        figure(who, "1,000 pictures taken apart, against encoding them", [taken.ratio or 0.0], 1.3, above=False),
        figure(who, "peak memory of 5,000 pictures, against 1,000", [growth], 1.1, above=False),
        figure(who, "TextSpan, 144 heads x 1,000 x 4,000, seconds", [picked.seconds], 60, above=False),
        figure(who, "the same, peak memory, GB", [picked.peak / 1e9], 3, above=False),
        figure(who, "its phrases in 40 resamples, seconds", [steadied.seconds]),
    ]


PARTS = ("backend", "heads", "audits", "marks", "gaps")


def main() -> int:
    """Run the bench; 0 whatever the figures are: a target that is not met is reported, not an error."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--pictures", type=int, default=64, help="pictures per measurement")
    parser.add_argument("--repeats", type=int, default=3, help="how often each measurement is taken")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure; all by default")
    asked = parser.parse_args()
    device = choose_device("auto")
    made_of: dict[str, Callable[[], list[Figure]]] = {
        "backend": lambda: [
            made for case in cases(asked.pictures, device) for made in measure(case, asked.repeats)
        ],
        "heads": head_figures,
        "audits": audit_figures,
        "marks": lambda: mark_figures(device.type == "cuda"),
        "gaps": gap_figures,
    }
    figures = [made for part in PARTS if part in asked.only for made in made_of[part]()]
    if device.type == "cuda":
        shares = gpu_share(device, asked.repeats)
        figures.append(figure("ViT-L-14", "share of the bare forward pass, bfloat16", shares, 0.8))
    machine = {
        "device": str(device),
        "cpu": platform.machine(),
        "threads": torch.get_num_threads(),
        "amx": cpu_has_amx(),
        "torch": torch.__version__,
        "open_clip": open_clip.__version__,
        "numpy": np.__version__,
        "peak_memory_bytes": peak_memory(),
    }
    for made in figures:
        spread = f"{made.least:.5g} to {made.most:.5g}"
        mark = "" if made.target is None else f"target {made.target}: {'met' if made.met else 'NOT MET'}"
        print(f"{made.model:18} {made.what:52} {made.median:8.5g}  {f'({spread})':22} {mark}".rstrip())
    print(f"peak memory {machine['peak_memory_bytes'] / 1e9:.2f} GB; {json.dumps(machine)}")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    written = {"machine": machine, "pictures": asked.pictures, "figures": [asdict(made) for made in figures]}
    asked.out.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
