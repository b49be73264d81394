"""Predict first: a page's answers stay covered until the visitor has said what they expect.

The switch and the question are drawn by `predict.js`; here is what it is sent. Whether it is on stands in the link
(`predict=on`), so that a teacher can hand out a page that asks first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import gradio as gr

from app.engine import Answer
from app.explorers import stamp
from probes.core.probe import AnyProbe

_LOG = logging.getLogger("clipspect.app")

PARAMETER = "predict"
"""The name under which a link says whether it is on."""


def lay_out(probe: AnyProbe) -> gr.HTML | None:
    """Room for the switch and the question; None where a probe asks for no guess."""
    if probe.guess is None:
        return None
    return gr.HTML(
        "", html_template='<div class="guess"></div>',
        js_on_load="window.clipspect.predict(element, props, watch, trigger)", elem_classes="guess-box",
    )  # fmt: skip


def ask(probe: AnyProbe, answers: Mapping[int, Answer], over: bool = True) -> str:
    """What the script is sent: a question for each whole answer; none while a model still works.

    Once nobody is asked any more (`over`) and there is no question, what there is to see is uncovered.
    """
    sides: list[dict[str, Any]] = []
    if probe.guess is not None and all(answer.whole for answer in answers.values()):
        for answer in answers.values():
            try:
                sides.append({"name": answer.model.name, **asdict(probe.guess(answer.report.result))})
            except Exception:  # an answer without a question is better than none
                _LOG.exception("no guess could be made of an answer")
    told = {"stamp": " ".join(map(stamp, answers.values())), "sides": sides, "over": over}
    return json.dumps(told, ensure_ascii=False)
