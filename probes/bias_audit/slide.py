"""A report as one picture fit for a slide: the forest of words between two groups, those at either end of many."""

from __future__ import annotations

from probes.bias_audit.audited import Measure
from probes.bias_audit.result import BiasAuditResult, verdict
from probes.core import lettering
from probes.core.card import Card
from probes.core.report import Report
from probes.core.slide_rows import Mark, Row, draw_rows, fits
from probes.core.slides import FIRST, QUIET, SECOND, SMALL, Slide

MARKS: dict[str, Mark] = {"clear": "filled", "flips": "diamond", "not clear": "hollow"}
"""Of verdicts; what was not tested is drawn as not clear."""
LEGEND = {"clear": "● clear", "flips": "◇ clear, but a wording turns the sign", "not clear": "○ not clear"}


def slide(card: Card, report: Report[BiasAuditResult]) -> bytes:
    """The picture, PNG."""
    result, page = report.result, Slide(card, report)
    line = lettering.line_height(SMALL)
    area = page.area.below(line + 6)
    ordered = sorted(result.main, key=lambda m: -m.value)
    kept = _ends(ordered, fits(area))
    drawn = dict.fromkeys(_kind(m) for m in kept)
    told = [text for kind, text in LEGEND.items() if kind in drawn]
    if len(kept) < len(ordered):
        told.append(f"the {len(kept)} words at either end of {len(ordered)}")
    legend = f"{'   '.join(told)}   whiskers: 95 % interval, n = {kept[0].n:,}"
    page.text(page.area.left, page.area.top, lettering.fitted(legend, page.area.width, SMALL), colour=QUIET)
    unit = "paired logit" if result.differences else "mean cosine"
    title = f"← toward {_named(result.other)} · difference in {unit} · toward {_named(result.foremost)} →"
    draw_rows(page, area, [_row(m) for m in kept], title)
    return page.png()


def _ends(ordered: list[Measure], most: int) -> list[Measure]:
    """As many as fit, from both ends."""
    if len(ordered) <= most:
        return ordered
    upper = (most + 1) // 2
    return [*ordered[:upper], *ordered[len(ordered) - (most - upper) :]]


def _named(group: str) -> str:
    return lettering.fitted(lettering.plain(group), 420, SMALL)


def _kind(m: Measure) -> str:
    found = verdict(m)
    return found if found in MARKS else "not clear"


def _row(m: Measure) -> Row:
    p = m.p if m.p_adjusted is None else m.p_adjusted
    told = f"{m.value:+#.2g}" if p is None else f"{m.value:+#.2g}, p = {p:.2g}"
    return Row(m.word, m.value, m.low, m.high, told, MARKS[_kind(m)], FIRST if m.value > 0 else SECOND)
