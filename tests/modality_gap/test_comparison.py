"""Two models' gaps: paired over pairs, against plain versions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.model import no_progress
from probes.core.no_model import NoModel
from probes.modality_gap.comparison import UNLIKE, compare
from probes.modality_gap.parameters import ModalityGapParams
from probes.modality_gap.science import measure
from tests.modality_gap.clouds import pairs, plainly

N = 90


@pytest.fixture(scope="module")
def clouds():
    return [pairs(N, 12, gap=1.5), pairs(N, 12, gap=0.4)]


@pytest.fixture(scope="module")
def results(clouds):
    return [
        measure(ModalityGapParams(embeddings=EmbeddingPairs.of("e.npz", *one)), NoModel(100.0), no_progress)
        for one in clouds
    ]


def test_every_difference_is_that_of_plain_measures(clouds, results):
    found = {each.what: each for each in compare(*results)}
    one, other = (plainly(*cloud) for cloud in clouds)
    for what, name in (
        ("gap", "gap"), ("cosine of matched pairs", "cosine_matched"), ("RMG", "rmg"),
        ("cosine among pictures", "cosine_image_image"), ("cosine among captions", "cosine_text_text"),
    ):  # fmt: skip
        assert found[what].difference == pytest.approx(one[name] - other[name], abs=2e-6), what


def test_retrieval_is_paired_over_pairs(clouds, results):
    found = {each.what: each for each in compare(*results)}
    hits = [(images @ texts.T).argmax(axis=1) == np.arange(N) for images, texts in clouds]
    recall = found["R@1 from picture to caption"]
    assert recall.difference == pytest.approx(np.mean(hits[0]) - np.mean(hits[1]))
    assert recall.n == N
    assert recall.p is not None


def test_a_planted_gap_is_clear_and_the_linear_part_is_the_gap(results):
    gap = next(each for each in compare(*results) if each.what == "gap")
    assert gap.low > 0
    assert gap.p < 0.01
    assert results[0].each.gap.mean() == pytest.approx(results[0].measure("gap").value, abs=1e-5)


def test_reports_that_kept_no_pairs_are_compared_from_their_intervals(results):
    older = [replace(result, each=None) for result in results]
    found = {each.what: each for each in compare(*older)}
    newer = {each.what: each for each in compare(*results)}
    assert found.keys() == newer.keys()
    for what in ("gap", "R@1 from caption to picture", "loss, each at its own logit scale"):
        assert found[what].difference == pytest.approx(newer[what].difference, abs=1e-5)
        assert found[what].p is None
        assert "as if" in found[what].note


def test_losses_of_two_kinds_are_not_compared(results):
    sigmoid = replace(results[1], sigmoid=True)
    *found, left_out = compare(results[0], sigmoid)
    assert not [each for each in found if each.unit == "nats"]
    assert left_out == UNLIKE
