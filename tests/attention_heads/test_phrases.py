"""The list of phrases: what it was made of, how many, how balanced, and that nothing in it hurts."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.make.phrases import WORDS, Group, Vocabulary, read, with_article
from assets.make.phrases import phrases as made
from probes.attention_heads.phrases import FILE, phrases
from probes.core.word_lists import lists


def test_the_shipped_list_is_what_is_made():
    assert tuple(made(read())) == phrases()
    assert FILE.read_text(encoding="utf-8").endswith("\n")


def test_there_are_three_to_four_thousand_different_phrases_none_of_them_long():
    found = phrases()
    assert 3000 <= len(found) <= 4000
    assert len({phrase.casefold() for phrase in found}) == len(found)
    assert all(phrase == phrase.strip() and 2 < len(phrase) <= 60 for phrase in found)
    assert all("{" not in phrase and "  " not in phrase and len(phrase.split()) <= 10 for phrase in found)


def test_no_category_outweighs_the_others():
    found = made(read())
    counts = Counter(found.values())
    assert len(counts) >= 20
    assert max(counts.values()) <= 0.15 * len(found)
    # two that are about people together
    assert sum(counts[name] for name in ("people", "actions", "occupations")) <= 0.2 * len(found)


def test_every_word_comes_up():
    vocabulary, text = read(), "\n".join(made(read()))
    used = {name for group in vocabulary.groups for name in group.lists}
    assert used == set(vocabulary.lists)
    assert not [word for name in used for word in vocabulary.lists[name] if word not in text]


def test_words_that_can_hurt_are_left_out():
    noted = {word.split()[-1] for one in lists().values() if one.note for word in one.words}
    assert {"thief", "monkey"} <= noted
    noted -= {"animal", "object", "machine", "person"}  # said of what is neither a person nor meant as one
    noted |= {
        "gorilla",
        "ape",
        "chimpanzee",
        "orangutan",
        "fat",
        "ugly",
        "poor",
        "homeless",
        "gun",
        "slave",
        "illegal",
    }
    words = {word.casefold() for phrase in phrases() for word in re.findall(r"\w+", phrase)}
    assert not noted & words
    about_people = [phrase for phrase, category in made(read()).items() if category in ("people", "actions")]
    assert not [
        phrase for phrase in about_people if re.search(r"\b(animal|beast|creature|object|machine)\b", phrase)
    ]


def test_women_and_men_girls_and_boys_come_up_alike():
    words = Counter(word for phrase in phrases() for word in phrase.split())
    for one, other in (("woman", "man"), ("women", "men"), ("girl", "boy"), ("male", "female")):
        assert words[one] == pytest.approx(words[other], rel=0.1), (one, other)


def test_articles_go_with_sounds():
    assert not [
        phrase for phrase in phrases() if re.search(r"\ba (?!eu|one\b)[aeio]|\ban (?!hour|X|O)[^aeiou]", phrase)
    ]
    for said in (
        "a unicorn",
        "a used car",
        "a hat",
        "a euro",
        "a one-way sign",
        "an onion",
        "an umbrella",
        "an orange",
        "a uniform",
        "an underline",
    ):
        assert with_article(re.sub(r"^an ", "a ", said)) == said
    assert with_article("the letter A is a apple") == "the letter A is an apple"


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_a_share_of_combinations_still_holds_every_word(first, second, every):
    lists_ = {"one": tuple(f"x{i}" for i in range(first)), "two": tuple(f"y{i}" for i in range(second))}
    found = made(Vocabulary(lists_, (Group("c", ("one", "two"), ("{} {}",), every),)))
    assert set(found.values()) == {"c"}
    assert abs(len(found) - first * second / every) <= max(first, second)
    if second >= every:
        assert {phrase.split()[0] for phrase in found} == set(lists_["one"])
    if first >= every:
        assert {phrase.split()[1] for phrase in found} == set(lists_["two"])


def test_a_list_that_there_is_not_is_told():
    with pytest.raises(KeyError, match="nothing"):
        made(Vocabulary({}, (Group("c", ("nothing",), ("{}",)),)))
    assert WORDS.is_file()
