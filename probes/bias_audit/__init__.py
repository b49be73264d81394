"""Bias audits: which words a model ties to which group, with intervals, nulls and the spread over templates."""

from __future__ import annotations

from pathlib import Path

from probes.bias_audit.figures import figures
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.references import REFERENCES
from probes.bias_audit.result import BiasAuditResult
from probes.bias_audit.science import measure
from probes.core.card import Card
from probes.core.probe import Probe

CARD = Card.from_notes(Path(__file__).with_name("notes.md"), name="bias_audit", references=REFERENCES)


def example() -> BiasAuditParams:
    """Drawn men against drawn women, all occupations, with what a mitigation does."""
    return BiasAuditParams(groups=("man", "woman"))


PROBE = Probe(
    card=CARD,
    params=BiasAuditParams,
    result=BiasAuditResult,
    measure=measure,
    figures=figures,
    example=example,
)
