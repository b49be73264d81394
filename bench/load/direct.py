"""The same questions asked of the model without the app, to hold its answers against."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.load import pictures
from probes import backend, pairs, registry
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.pictures import Picture
from probes.core.probe import AnyProbe, run

MODEL = "bundled:skewed"
ASKED_AGAIN = ("/zero-shot", "/red-circle", "/modality-gap")
"""Pages whose answers are quick enough to be asked again, one by one."""
CLOSE = 0.011
"""Numbers of a headline may differ by so much, and by one in the last place: batches round otherwise."""
WAITING = 120
"""Seconds to wait for the examples of all pages."""

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def words(count: int) -> tuple[str, ...]:
    """As many words that captions say, each different."""
    index = pairs.indices()[pairs.WORLDS[0]]
    known = sorted(word for word in index.texts.words if word.isascii() and word.isalpha() and len(word) > 3)
    return tuple(known[:: max(1, len(known) // count)][:count])


def differing(answers: Mapping[tuple[str, int, int], str], most: int) -> list[str]:
    """Sentences on answers that are not those of the visitor's own file; at most so many of a page are asked."""
    probes = {probe.card.address: probe for probe in registry.all_probes().values()}
    wrong = []
    for page in ASKED_AGAIN:
        own = [(key, headline) for key, headline in sorted(answers.items()) if key[0] == page][:most]
        for (_, visitor, place), headline in own:
            wanted = _asked(probes[page], visitor, place)
            if not alike(_plain(headline), wanted):
                wrong.append(f"{page}: visitor {visitor} was told “{_plain(headline)}”, not “{wanted}”")
    return wrong


def _asked(probe: AnyProbe, visitor: int, place: int) -> str:
    example: Any = probe.example()
    if probe.card.address == "/modality-gap":
        name = pictures.name(visitor, place, "npz")
        params = replace(type(example)(), embeddings=EmbeddingPairs.read([pictures.pairs(visitor, place)], [name]))
    else:
        own = Picture.read(pictures.picture(visitor, place), pictures.name(visitor, place, "png"))
        params = replace(example, images=(own,))
    return str(run(probe, params, backend.load(MODEL)).headline)


def _plain(headline: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", headline)).strip()


def alike(one: str, other: str) -> bool:
    """Whether two headlines say the same but for how numbers were rounded."""
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    numbers = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= max(CLOSE * abs(float(b)), _last(a)) for a, b in numbers)


def _last(number: str) -> float:
    """One in the last place of a number as it is written."""
    return 10.0 ** -len(number.partition(".")[2])
