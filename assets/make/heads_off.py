"""The picture for the README of what switching heads off does to planted behaviours.

`python -m assets.make.heads_off` draws `docs/heads-off.png` from `assets/calibration/heads/heads-off.json`;
`make calibrate` calls it. A panel a behaviour: the slope of measured on planted dose, by how many heads are off.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from probes.ablated_contrasts import Off
from probes.core.plotting import BLUE, GREY, TEXT, VERMILION
from probes.heads_off_result import Behaviour, HeadsOff, load


def draw(kept: HeadsOff, file: Path) -> None:
    """A column a behaviour: heads found by pictures above, by answers below."""
    figure, axes = plt.subplots(
        2, len(kept.behaviours), figsize=(3.2 * len(kept.behaviours), 6.4), squeeze=False, layout="constrained"
    )
    for column, one in enumerate(kept.behaviours):
        _panel(axes[0, column], one, one.off, f"heads off that carry “{one.searched}”")
        _panel(axes[1, column], one, one.off_by_answers, "heads off that carry it to the answers")
        axes[0, column].set_title(one.title, fontsize=10, weight="bold", color=TEXT)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False)
    figure.supylabel("slope: log-odds from dose 0 to 1", fontsize=9, color=TEXT)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, facecolor="white", metadata={"Software": None})
    plt.close(figure)


def _panel(axes: Axes, one: Behaviour, rows: Sequence[Off], title: str) -> None:
    counts = [off.heads for off in rows]
    places = list(range(1, len(counts) + 1))
    low, high = one.balanced.ends
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axhspan(low, high, color=BLUE, alpha=0.18, linewidth=0)
    axes.axhline(one.balanced.value, color=BLUE, linewidth=1.2, label="balanced model, whole")
    for shift, place in ((0.14, 0), (0.28, 1)):
        dealt = [off.by_chance[place] for off in rows]
        axes.errorbar(
            [at + shift for at in places],
            [chance.mean for chance in dealt],
            yerr=([c.mean - c.low for c in dealt], [c.high - c.mean for c in dealt]),
            fmt=("s", "D")[place], markersize=3.5, color=GREY, elinewidth=0.9,
            label=f"as many heads of {('the same layers', 'all layers')[place]} by chance",
        )  # fmt: skip
    slopes = [one.skewed, *(off.slope for off in rows)]
    ends = [slope.ends for slope in slopes]
    axes.errorbar(
        [0, *places],
        [slope.value for slope in slopes],
        yerr=([s.value - e[0] for s, e in zip(slopes, ends, strict=True)],
              [e[1] - s.value for s, e in zip(slopes, ends, strict=True)]),
        fmt="o-", markersize=4.5, color=VERMILION, elinewidth=0.9, linewidth=1, label="skewed model, heads off",
    )  # fmt: skip
    axes.set_xticks([0, *places], ["none", *map(str, counts)])
    axes.set_xlabel(title, fontsize=9, color=TEXT)
    axes.tick_params(labelsize=8, colors=TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(prog="python -m assets.make.heads_off", description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("assets/calibration/heads/heads-off.json"))
    parser.add_argument("--out", type=Path, default=Path("docs/heads-off.png"))
    chosen = parser.parse_args()
    draw(load(chosen.file.read_text(encoding="utf-8")), chosen.out)


if __name__ == "__main__":
    main()
