"""The picture of all calibrations for the README: planted dose against measured, skewed above, balanced below.

`python -m assets.make.calibration` draws `docs/calibration.png` from `assets/calibration/*.json`; `make calibrate`
calls it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from probes.core.calibration import Calibration, OnModel, load_all
from probes.core.plotting import BLUE, GREY, TEXT, VERMILION


def draw(read: Sequence[Calibration], file: Path) -> None:
    """Two rows of panels, one column a calibration; the panels of a column share their axes."""
    figure, axes = plt.subplots(
        2,
        len(read),
        figsize=(3.1 * len(read), 5.2),
        sharex=True,
        sharey="col",
        squeeze=False,
        layout="constrained",
    )
    for column, one in enumerate(read):
        doses = [reading.dose for reading in one.skewed.readings]
        for row, (side, name, colour) in enumerate(
            ((one.skewed, "skewed", VERMILION), (one.balanced, "balanced", BLUE))
        ):
            _panel(axes[row, column], side, doses, colour)
            axes[row, column].set_title(
                f"{name}: rho {side.order.rho:.2f}".replace("-", "−"), fontsize=9, color=TEXT
            )
        axes[0, column].annotate(
            one.title, (0.5, 1.18), xycoords="axes fraction", ha="center", fontsize=10, weight="bold", color=TEXT
        )
        axes[1, column].set_xlabel(f"false positives {100 * one.false_positives.value:.1f} % at 5 %", fontsize=9)
    figure.supxlabel("dose planted in the skewed world", fontsize=9, color=TEXT)
    figure.supylabel("measured (change of log-odds)", fontsize=9, color=TEXT)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, facecolor="white", metadata={"Software": None})
    plt.close(figure)


def _panel(axes: Axes, side: OnModel, doses: Sequence[float], colour: str) -> None:
    measured = [reading.measured for reading in side.readings]
    below = [reading.measured - reading.low for reading in side.readings]
    above = [reading.high - reading.measured for reading in side.readings]
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.errorbar(doses, measured, yerr=(below, above), fmt="none", ecolor=GREY, elinewidth=0.7)
    axes.scatter(doses, measured, s=16, color=colour, edgecolor="white", linewidth=0.4, zorder=3)
    axes.set_xlim(-0.04, 1.04)
    axes.tick_params(labelsize=8, colors=TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(prog="python -m assets.make.calibration", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("assets/calibration"))
    parser.add_argument("--out", type=Path, default=Path("docs/calibration.png"))
    chosen = parser.parse_args()
    draw(load_all(chosen.folder), chosen.out)


if __name__ == "__main__":
    main()
