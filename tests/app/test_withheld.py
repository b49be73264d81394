"""What a link may not bring unasked, found in its lines."""

from __future__ import annotations

import pytest

from app import withheld
from probes.bias_audit.parameters import BiasAuditParams
from probes.core.word_lists import lists


@pytest.mark.parametrize(
    ("line", "preset"),
    [
        ("a thief", "accusing"),  # both lists have it: the first
        ("A Thief", "accusing"),
        ("x = a thief | a robber", "crime"),  # a robber is in this one alone
        ("a thief = somebody", "accusing"),
    ],
)
def test_a_noted_word_is_found_however_the_line_says_it(line, preset):
    kept = withheld.found(BiasAuditParams(), {"words": ("a cook", line), "k": 9})
    assert set(kept) == {"words"}
    assert (kept["words"].lines, kept["words"].preset) == (("a cook", line), preset)
    assert "accuse" in withheld.told(kept, {"words": "Words"})


def test_the_note_is_that_of_the_list_that_most_words_are_from():
    crime = lists()["crime"]
    kept = withheld.found(BiasAuditParams(), {"words": crime.words})
    assert (kept["words"].preset, kept["words"].note) == ("crime", crime.note)


def test_other_words_come_with_a_link():
    assert withheld.found(BiasAuditParams(), {"words": ("a cook", "a judge"), "group": "gender"}) == {}
    assert withheld.told({}, {}) == ""
