"""What can be asked besides where an answer comes from: each step adds its part to the result, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from probes.attention_heads import text_heads
from probes.attention_heads.ablating import ablate, evaluated, layer_by_layer
from probes.attention_heads.asked import Asked
from probes.attention_heads.carrying import Carried, carried_along_texts, carried_between_pictures
from probes.attention_heads.describing import describe
from probes.attention_heads.dropping import drop
from probes.attention_heads.finding import best, rows
from probes.attention_heads.gathering import some
from probes.attention_heads.labelled_sets import animals, from_table
from probes.attention_heads.nearest import nearest
from probes.attention_heads.parameters import MY_TABLE, MY_WORDS, NOTHING
from probes.attention_heads.phrases import phrases
from probes.attention_heads.properties import shipped
from probes.attention_heads.result import AttentionHeadsResult
from probes.attention_heads.segmented import lit, segment
from probes.attention_heads.tabled import coded
from probes.attention_heads.words import misfits
from probes.core.errors import FieldError
from probes.core.model import Capability, Progress
from probes.core.prompts import encode_prompts, ensemble
from probes.core.switches import Switches
from probes.core.watching import part

Step = Callable[[Asked, AttentionHeadsResult, Progress], AttentionHeadsResult]

NEAR = 6
"""Pictures nearest by one head."""


def described(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """Phrases that span what each head writes, and the pictures nearest by each head alone."""
    params, over = asked.params, asked.others
    if not params.phrases_a_head:
        return result
    listed = params.phrases or phrases()
    texts = asked.backend.encode_texts(listed, part(progress, 0.0, 0.3))
    found = describe(
        over.taken, listed, texts, params.phrases_a_head, params.resamples, params.seed, part(progress, 0.3, 1.0)
    )
    itself = next((at for at, digest in enumerate(over.digests) if digest == asked.picture.digest), None)
    near = nearest(over.taken, asked.own, NEAR, itself).astype(np.float32)
    return replace(result, description=found, nearest=near, places=over.places)


def texted(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """The heads of the text tower; a caution where they cannot be told apart."""
    refused = text_heads.why_not(asked.backend)
    if refused:
        return replace(result, cautions=(*result.cautions, refused))
    texts = asked.params.texts
    against = texts[1] if len(texts) == 2 else None
    found = text_heads.text_heads(asked.backend, asked.picture, texts[0], against, progress=progress)
    return replace(result, text_heads=found)


def found(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """Heads by how much they carry of a property."""
    params = asked.params
    if params.carries == NOTHING:
        return result
    carried, told = _carried(asked, progress)
    chosen = best(carried, params.best_off) if params.best_off else Switches()
    return replace(result, found=rows(carried), carries=told, best_off=str(chosen))


def _carried(asked: Asked, progress: Progress) -> tuple[Carried, str]:
    """What each part carries, and of what over which pictures in words."""
    params, rounds = asked.params, None
    if params.carries == MY_WORDS:
        sets = params.sets_of_words
        every = [text for one in sets for text in one]
        texts = ensemble(encode_prompts(asked.backend, every, params.templates))
        codes = np.repeat(np.arange(len(sets)), [len(one) for one in sets]).astype(np.intp)
        names = " / ".join(one[0] for one in sets)
        return carried_along_texts(asked.others.taken, texts, codes, params.seed), f"{names}, {asked.others.name}"
    if params.carries == MY_TABLE:
        taken, codes, values = coded(asked.others, params.pictures, params.table, params.column)
        told = f"{params.column} ({' / '.join(values)}), {len(codes):,} pictures of your own"
    else:
        shown = shipped(params.carries, params.seed)
        taken, codes = asked.backend.decompose(shown.pictures, progress=progress), shown.codes
        rounds = shown.rounds
        told = f"{params.carries} ({' / '.join(shown.values)}), {len(codes)} drawn pictures"
    if np.bincount(codes).min() < 2:
        raise FieldError("column", "every value needs two pictures or more")
    return carried_between_pictures(taken, codes, params.seed, rounds), told


def ablated(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """Zero-shot accuracy with parts off, by hand and by rank, and as more and more layers go."""
    params, by_hand, by_rank = asked.params, asked.params.switches, Switches.parse(result.best_off)
    off = Switches(by_hand.heads | by_rank.heads, by_hand.layers, by_hand.mlps)
    if not off and not params.layer_by_layer:
        return result
    pictures = evaluated(asked.backend, asked.others.taken, progress)
    return replace(
        result,
        ablated=ablate(pictures, off, params.seed) if off else (),
        layers=layer_by_layer(pictures) if params.layer_by_layer else (),
    )


def dropped(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """Accuracy of the worst group before and after heads are dropped."""
    params = asked.params
    if params.spurious == NOTHING:
        return result
    if params.spurious == MY_TABLE:
        labelled = from_table(params.pictures, params.table, params.label_column, params.column, params.seed)
    else:
        labelled = animals(params.seed)
    return replace(result, dropped=drop(asked.backend, labelled, (params.drop,), params.seed, progress))


def worded(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """Words of a caption, where they meet the picture, and which do not fit it."""
    params, card = asked.params, asked.backend.card
    if not params.caption:
        return result
    if not card.can(Capability.ATTRIBUTE):
        return replace(result, cautions=(*result.cautions, f"{card.refusal(Capability.ATTRIBUTE)}."))
    others = some(params.pictures, params.other_pictures, params.seed)
    words = misfits(asked.backend, asked.picture, params.caption, others, params.seed, progress)
    return replace(result, words=words)


def segmented(asked: Asked, result: AttentionHeadsResult, progress: Progress) -> AttentionHeadsResult:
    """The picture under its mask, and how well such masks fit on the shipped scenes."""
    if not asked.params.segment:
        return result
    effects = result.effects
    mask = lit(result.view.decode(), (effects.maps[0] - effects.maps[1]).sum(axis=(0, 1)))
    return replace(result, segmented=segment(asked.backend, asked.params.seed, progress), mask=mask)
