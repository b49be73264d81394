"""What a link may not bring unasked, found in its lines."""

from __future__ import annotations

import pytest

from app import withheld
from probes.bias_audit.parameters import BiasAuditParams


@pytest.mark.parametrize("line", ["a thief", "A Thief", "x = a thief | a robber", "a thief = somebody"])
def test_a_noted_word_is_found_however_the_line_says_it(line):
    kept = withheld.found(BiasAuditParams(), {"words": ("a cook", line), "k": 9})
    assert set(kept) == {"words"}
    assert (kept["words"].lines, kept["words"].preset) == (("a cook", line), "accusing")
    assert "accuse" in withheld.told(kept, {"words": "Words"})


def test_other_words_come_with_a_link():
    assert withheld.found(BiasAuditParams(), {"words": ("a cook", "a judge"), "group": "gender"}) == {}
    assert withheld.told({}, {}) == ""
