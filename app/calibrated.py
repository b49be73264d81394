"""The section “Is this instrument calibrated?” of a probe's page, from numbers kept with the bundled models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gradio as gr
from markupsafe import Markup

from app import glossary, snippets
from app.sessions import ForAll
from probes.calibrate import FOLDER, stale
from probes.core import calibration
from probes.core.calibration import RATES, Calibration
from probes.core.calibration_figures import figure
from probes.core.probe import AnyProbe

HEADS = ("concept", "model", "dose there", "measured", "95 % from", "95 % to", "scenes", "p", "p corrected")


@dataclass(frozen=True)
class Calibrated:
    """The section; its figures and tables are drawn when the page is opened, not when the program starts.

    Attributes:
        kept: what is kept of the probe.
        told: room for what is said first, and for each calibration.
        figures, grids: room for those, one a calibration.
    """

    kept: tuple[Calibration, ...]
    told: tuple[gr.HTML, ...]
    figures: tuple[gr.Plot, ...]
    grids: tuple[gr.Dataframe, ...]

    @property
    def outputs(self) -> list[Any]:
        """Every component that `fill` sets."""
        return [*self.told, *self.figures, *self.grids]

    def fill(self) -> ForAll:
        """Updates that put everything into its room, the same for all visitors."""
        return self._filled

    @cached_property
    def _filled(self) -> ForAll:
        said = (opening(self.kept), *map(sentences, self.kept))
        grids = [gr.Dataframe({"headers": list(HEADS), "data": rows(one)}) for one in self.kept]
        plots = [gr.Plot(figure(one)) for one in self.kept]
        updates: dict[Any, Any] = dict(zip(self.told, map(glossary.explained, said), strict=True))
        updates |= dict(zip(self.figures, plots, strict=True))
        return ForAll(updates | dict(zip(self.grids, grids, strict=True)))


def lay_out(probe: AnyProbe) -> Calibrated | None:
    """Put room for the section on the page; nothing where a probe has no calibration."""
    kept = calibration.load_all(FOLDER, probe.card.name)
    if not kept:
        return None
    told, figures, grids = [], [], []
    with gr.Column(elem_classes="calibrated"):
        gr.HTML(snippets.heading("Is this instrument calibrated?"))
        told.append(gr.HTML())
        for one in kept:
            figures.append(gr.Plot(show_label=False, container=False, elem_classes="figure", buttons=[]))
            told.append(gr.HTML())
            with gr.Accordion(
                f"Table: {one.behaviour} ({len(one.skewed.readings)} concepts)",
                open=False,
                elem_classes="table-fold",
            ):
                grids.append(
                    gr.Dataframe(
                        headers=list(HEADS), datatype="str", interactive=False,
                        show_label=False, max_height=420, buttons=[], elem_classes="table",
                    )
                )  # fmt: skip
    return Calibrated(kept, tuple(told), tuple(figures), tuple(grids))


def opening(kept: tuple[Calibration, ...]) -> Markup:
    """What is done here, when and on which models; a warning if those are no longer the bundled ones."""
    first = kept[0]
    text = Markup(
        "<p>The two bundled models are alike but for what was planted: in the skewed one, associations at known "
        "doses; in the balanced one, none. A good instrument puts the doses of the skewed model in their order "
        "and finds nothing on the balanced one. Calibrated on {} on the bundled pair, weights {}… "
        "(skewed) and {}… (balanced); made by <code>{}</code>. What holds on these two small models need not "
        "hold on another.</p>"
    ).format(first.made, first.skewed.weights_digest[:12], first.balanced.weights_digest[:12], first.command)
    if any(stale(one) for one in kept):
        text += snippets.cautions(
            [
                "These numbers were measured on other weights than those of the bundled models now. "
                f"Run {first.command} to measure again."
            ]
        )
    return text


def sentences(read: Calibration) -> Markup:
    """One calibration in words: order, false positives, what is found as it is, and what it misses."""
    met = (
        "as often as it should be"
        if read.holds_its_level
        else f"which should lie between {RATES[0]} and {RATES[1]}"
    )
    found = Markup(
        "<p><b>{}.</b> Spearman’s rho of planted dose and measured change is {} on the skewed model and {} on "
        "the balanced one. On the balanced model, with names dealt by chance so that there is nothing to find, "
        "the test at 5 % found something in {} of the dealings, {}. With the true names it finds {} of {} "
        "concepts there ({} corrected for their number). Nobody planted those differences, they come with the "
        "drawings: here the size and the order of effects say more than a small p.</p>"
        "<p>Dose: {}. Measured: {}, natural logarithm, mean over scenes. Scenes: {}</p>"
    ).format(
        read.title, read.skewed.order.describe(), read.balanced.order.describe(), read.false_positives.describe(),
        met, read.as_it_is.k, read.as_it_is.n, read.as_it_is_adjusted.k, read.dose, read.measured, read.stimuli,
    )  # fmt: skip
    return found + snippets.cautions(read.shortfalls())


def rows(read: Calibration) -> list[list[str]]:
    """Every reading on either model, as text."""
    return [
        [
            reading.concept, model, f"{reading.dose:.3g}", f"{reading.measured:+.3f}", f"{reading.low:+.3f}",
            f"{reading.high:+.3f}", str(reading.n), f"{reading.p:.2g}", f"{reading.p_adjusted:.2g}",
        ]
        for both in zip(read.skewed.readings, read.balanced.readings, strict=True)
        for reading, model in zip(both, ("skewed", "balanced"), strict=True)
    ]  # fmt: skip
