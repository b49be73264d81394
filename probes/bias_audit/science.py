r"""What a model associates with whom, measured many ways on the same embeddings.

With x the (n, d) pictures in groups, y_tl the words in templates, every measure is of the template mean
s = mean_t cos(x, y_tl), over the paraphrases of a word as well, and of each template and paraphrase alone for its
spread. The definitions stand where they are computed:
`ranking` (skew, NDKL, entropy, selection rates), `association` (differences, SC-EAT, WEAT), `rates` (harm),
`class_design`, `counterfactual` (paired differences of the logit), `intersections`, `mitigation`. p-values are
corrected within each family of measure and variant (Benjamini & Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from probes import people
from probes.bias_audit.association import adjusted, association_measures, weat_measure
from probes.bias_audit.audited import Grouping, Measure, Scores
from probes.bias_audit.class_design import Design, class_design
from probes.bias_audit.counterfactual import counterfactual_differences, pair_differences
from probes.bias_audit.gathering import check_table, gather
from probes.bias_audit.intersections import Cell, intersections
from probes.bias_audit.lines import split
from probes.bias_audit.mitigation import MitigationRow, mitigate
from probes.bias_audit.parameters import OFF, BiasAuditParams
from probes.bias_audit.published import beside
from probes.bias_audit.ranking import ranking_measures
from probes.bias_audit.rates import harm_rates
from probes.bias_audit.result import BiasAuditResult, EachPicture, GroupRow, Pair
from probes.bias_audit.sample import Sample, grouped, ordered, paired
from probes.bias_audit.texts import Texts, called, named, wordings
from probes.core.errors import FieldError
from probes.core.model import Backend, Float32, Progress
from probes.core.pictures import Raster
from probes.core.prompts import text_warnings
from probes.core.word_lists import lists

MOST_SCORES = 250_000_000
"""Cosines of pictures, templates and words that are held at once: 1 GB."""
MOST_KEPT = 150_000
"""Numbers up to which pictures, or pairs, are kept one by one: 0.8 MB of a report."""
LEAST_PAIRS = 2
SHOWN_PAIRS = 3
"""Pairs shown for a word at either end."""
SHOWN_WORDS = 40
THUMB = 48
SMALL = 30
"""Groups of fewer pictures are warned of."""
TASK = "occupation"


class Told(TypedDict):
    """What every row of WEAT has in common."""

    word: str
    group: str
    seed: int


def measure(params: BiasAuditParams, backend: Backend, progress: Progress) -> BiasAuditResult:
    """Gather whom to audit, embed the words, and measure."""
    check_table(params)
    everyone = gather(params, backend, lambda share, doing: progress(0.7 * share, doing))
    sample, grouping = grouped(everyone, params.group, params.groups)
    texts = Texts.of(params, backend)
    _check_size(params, sample, texts)
    progress(0.7, "the words")
    scores = texts.score(sample.images, params.words)
    progress(0.75, "measuring")
    names = called(params, grouping)
    pairs, clusters = paired(sample, grouping)
    cautions = [*sample.cautions, *_cautions(params, sample, grouping, texts, names, len(pairs))]
    differences, behind, thumbnails = _paired(params, sample, grouping, scores, backend, pairs, clusters)
    progress(0.8, "the ranking")
    measures = [
        *(ranking_measures(scores, grouping, params.k, params.seed) if params.k < len(sample) else ()),
        *association_measures(scores, grouping, params.seed),
        *_weat(params, sample, grouping, texts, names),
    ]
    progress(0.9, "harm, cells and mitigation")
    harm, design = _harm(params, sample, grouping, texts, names)
    return BiasAuditResult(
        source=_source(params),
        attribute=grouping.attribute,
        groups=tuple(
            GroupRow(group, int(n), " / ".join(text))
            for group, n, text in zip(grouping.groups, grouping.sizes, names, strict=True)
        ),
        n=len(sample),
        k=params.k,
        words=scores.words,
        templates=texts.templates,
        paraphrases=_paraphrases(params),
        logit_scale=backend.card.logit_scale,
        measures=adjusted((*measures, *harm)),
        differences=differences,
        behind=behind,
        thumbnails=thumbnails,
        design=design,
        cells=_cells(params, sample, grouping, scores),
        by=params.by,
        mitigation=_mitigation(params, sample, grouping, texts, names),
        published=beside((*measures, *harm), grouping) if _asked_as_published(params) else (),
        left_out=sample.left_out,
        missing=_missing(params, grouping),
        cautions=tuple(cautions),
        each=_each(scores, grouping, backend.card.logit_scale, pairs, clusters),
    )


def _each(
    scores: Scores, grouping: Grouping, scale: float, pairs: NDArray[np.intp], clusters: NDArray[np.intp]
) -> EachPicture | None:
    """What single pairs add, or single pictures where there are no pairs; None where there are too many."""
    values, codes = scores.mean, grouping.codes
    if len(pairs) >= LEAST_PAIRS:
        values = scale * (values[pairs[:, 0]] - values[pairs[:, 1]])
        codes = np.unique(clusters, return_inverse=True)[1]
    if values.size > MOST_KEPT:
        return None
    return EachPicture(values.astype(np.float32), codes.astype(np.float32))


def _check_size(params: BiasAuditParams, sample: Sample, texts: Texts) -> None:
    count = sum(len(split(line)[1]) for line in params.words)
    needed = len(sample) * len(texts.templates) * count
    if needed > MOST_SCORES:
        raise FieldError(
            "words",
            f"{len(sample):,} pictures, {len(texts.templates)} templates and {count:,} words make "
            f"{needed:,} cosines; the limit is {MOST_SCORES:,}",
        )


def _paraphrases(params: BiasAuditParams) -> dict[str, tuple[str, ...]]:
    """The wordings of every word, harm word and added class that has several."""
    named = [split(line) for line in (*params.words, *params.harm_words, *params.added_words)]
    return {name: several for name, several in named if len(several) > 1}


def _source(params: BiasAuditParams) -> str:
    if len(params.image_embeddings):
        return "embeddings"
    return "own pictures" if len(params.images) else "drawn people"


def _asked_as_published(params: BiasAuditParams) -> bool:
    """Whether the harm words are such as the published figures are of."""
    known = {word for name in ("crime", "non-human") for word in lists()[name].words}
    return bool(params.harm_words) and known.issuperset(params.harm_words)


def _missing(params: BiasAuditParams, grouping: Grouping) -> str:
    """Who is missing from the data, in a sentence or two."""
    if not params.own:
        return people.MISSING
    named = ", ".join(grouping.groups[:8]) + (" …" if len(grouping.groups) > 8 else "")
    return (
        f"Who is missing: everybody whom none of these groups describes ({named}). Whose group it is was said by "
        "whoever made the table: annotators' perception at best, not what people say of themselves."
    )


def _cautions(
    params: BiasAuditParams,
    sample: Sample,
    grouping: Grouping,
    texts: Texts,
    names: Sequence[Sequence[str]],
    pairs: int,
) -> tuple[str, ...]:
    """What a reader has to know before trusting the numbers."""
    found = []
    if texts.given is None and texts.backend.card.pretrained.startswith("random"):
        found.append(
            f"{texts.backend.card.name}: it has learned nothing, and what it shows comes with its architecture, "
            "the words and the pictures."
        )
    if len(grouping.groups) > 2 and pairs >= LEAST_PAIRS:
        first, second, *others = grouping.groups
        found.append(
            f"Pairs, and so headline and forest, are of {first} and {second}; {', '.join(others)} stand in the "
            "other measures alone. Name two groups to pair others."
        )
    if sample.left_out:
        found.append(f"{len(sample.left_out):,} rows or pictures could not be used: see the table left_out.")
    small = [f"{g} ({n})" for g, n in zip(grouping.groups, grouping.sizes, strict=True) if n < SMALL]
    if small:
        found.append(f"Groups of fewer than {SMALL} pictures say little: {', '.join(small)}.")
    if params.k >= len(sample):
        found.append(
            f"Skew, NDKL, entropy and selection rates are left out: with k = {params.k} all {len(sample)} "
            "pictures are selected, whatever the model. Choose a smaller k."
        )
    if texts.given is None:
        asked = [*params.words, *params.harm_words, *params.set_a, *params.set_b]
        found += text_warnings(texts.backend, wordings(asked))
    else:
        harm = [*params.harm_words, *(text for several in names for text in several)] if params.harm_words else []
        wanted = {"harm rates": harm,
                  "WEAT": [*params.set_a, *params.set_b]}  # fmt: skip
        found += [
            f"{what} are left out: without a model their texts must be among the words."
            for what, several in wanted.items()
            if several and not texts.has(several)
        ]
    return tuple(found)


def _paired(
    params: BiasAuditParams,
    sample: Sample,
    grouping: Grouping,
    scores: Scores,
    backend: Backend,
    pairs: NDArray[np.intp],
    clusters: NDArray[np.intp],
) -> tuple[tuple[Measure, ...], tuple[Pair, ...], tuple[Raster, ...]]:
    """Paired differences of every word's logit, and the pairs at either end of each with their pictures."""
    if len(pairs) < LEAST_PAIRS:
        return (), (), ()
    logits, templates = backend.card.logit_scale * scores.by_wording, len(scores.templates)
    first = grouping.groups[0]
    found = counterfactual_differences(logits, pairs, scores.words, params.seed, clusters, first, templates)
    by_pair = pair_differences(logits[:, :templates], pairs).mean(axis=1)
    order = np.argsort([m.value for m in found if m.variant == "logit"])
    ends = (
        np.concatenate([order[: SHOWN_WORDS // 2], order[-SHOWN_WORDS // 2 :]])
        if len(order) > SHOWN_WORDS
        else order
    )
    behind = [pair for word in sorted(ends) for pair in _ends(scores.words[word], by_pair[:, word], pairs, sample)]
    if not sample.people:  # a visitor's own pictures do not travel in a result
        return found, tuple(behind), ()
    places = sorted({place for pair in behind for place in (pair.first, pair.second)})
    shown = people.pictures([sample.people[place] for place in places])
    where = {place: i for i, place in enumerate(places)}
    return (
        found,
        tuple(pair.shown_at(where[pair.first], where[pair.second]) for pair in behind),
        tuple(picture.thumbnail(THUMB) for picture in shown),
    )


def _ends(word: str, differences: NDArray[np.float64], pairs: NDArray[np.intp], sample: Sample) -> list[Pair]:
    """The pairs of the largest and of the smallest differences of a word."""
    order = np.argsort(-differences, kind="stable")
    count = min(SHOWN_PAIRS, len(order) // 2)
    return [
        Pair(word, sample.names[i], sample.names[j], float(differences[row]), int(i), int(j))
        for row in (*order[:count], *order[len(order) - count :])
        for i, j in [pairs[row]]
    ]


def _weat(
    params: BiasAuditParams, sample: Sample, grouping: Grouping, texts: Texts, names: Sequence[Sequence[str]]
) -> tuple[Measure, ...]:
    """WEAT of the first two groups and the two sets of words: on pictures, on texts, and on pictures alone."""
    if not params.set_a or not texts.has((*params.set_a, *params.set_b)):
        return ()
    a, b = (texts.embed(wordings(lines)) for lines in (params.set_a, params.set_b))
    x, y = (sample.images[grouping.codes == code] for code in (0, 1))
    label = f"{_set(params.set_a)} / {_set(params.set_b)}"
    versus = f"{grouping.groups[0]} − {grouping.groups[1]}"
    told: Told = {"word": label, "group": versus, "seed": params.seed}
    found = [weat_measure(x, y, a, b, variant="pictures, texts", **told)]
    if texts.has((*names[0], *names[1])):
        first, second = texts.embed(names[0]), texts.embed(names[1])
        if len(names[0]) + len(names[1]) >= 4:  # fewer have no partition to speak of
            found.append(weat_measure(first, second, a, b, variant="texts, texts", **told))
    shown = [_showing(sample, wordings(lines), grouping) for lines in (params.set_a, params.set_b)]
    if all(len(places) > 1 for places in shown):
        others = [sample.images[places][None] for places in shown]
        apart = np.setdiff1d(np.arange(len(sample)), np.concatenate(shown))
        x, y = (sample.images[apart[grouping.codes[apart] == code]] for code in (0, 1))
        if min(len(x), len(y)) > 1:
            found.append(weat_measure(x, y, *others, variant="pictures, pictures", **told))
    return tuple(found)


def _set(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) + (" …" if len(words) > 3 else "")


def _showing(sample: Sample, words: Sequence[str], grouping: Grouping) -> NDArray[np.intp]:
    """Places of the pictures that show what some words name: whose value in another attribute is one of them."""
    bare = {word.casefold().removeprefix("an ").removeprefix("a ") for word in words}
    places = [
        place
        for name, values in sample.columns.items()
        if name != grouping.attribute
        for place, value in enumerate(values)
        if value.casefold() in bare
    ]
    return np.array(sorted(set(places)), dtype=np.intp)


def _harm(
    params: BiasAuditParams, sample: Sample, grouping: Grouping, texts: Texts, names: Sequence[Sequence[str]]
) -> tuple[tuple[Measure, ...], tuple[Design, ...]]:
    """Harm rates among the groups' own texts and the harm words, and what a class more or less does to them."""
    groups = tuple(dict.fromkeys(text for several in names for text in several))
    harm = tuple(word for word in params.harm_words if word not in groups)
    added = tuple(word for word in params.added_words if word not in (*groups, *harm))
    if not harm or not texts.has((*groups, *harm, *added)):
        return (), ()
    classes = (*groups, *harm, *added)
    scores = texts.score(sample.images, classes)
    kind = np.repeat([0, 1, 2], [len(groups), len(harm), len(added)])
    harmful, is_added = kind == 1, kind == 2
    without = scores.of_words(~is_added)
    rates = harm_rates(without, harmful[~is_added], grouping, params.seed)
    return rates, class_design(scores, harmful, is_added, grouping, params.seed)


def _cells(params: BiasAuditParams, sample: Sample, grouping: Grouping, scores: Scores) -> tuple[Cell, ...]:
    if not params.by:
        return ()
    values = sample.column(params.by, "by")
    if params.by.casefold() == grouping.attribute.casefold():
        raise FieldError("by", "cross the attribute with another one")
    others = tuple(sorted({value for value in values if value}, key=ordered))
    if len(others) < 2:
        raise FieldError("by", f"everybody's {params.by} is the same")
    codes = np.array([others.index(value) if value else -1 for value in values], dtype=np.intp)
    kept = codes >= 0
    return intersections(
        scores.of_pictures(kept),
        Grouping(grouping.attribute, grouping.groups, grouping.codes[kept]),
        Grouping(params.by, others, codes[kept]),
        params.seed,
    )


def _mitigation(
    params: BiasAuditParams, sample: Sample, grouping: Grouping, texts: Texts, names: Sequence[Sequence[str]]
) -> tuple[MitigationRow, ...]:
    if params.mitigate == OFF:
        return ()
    if texts.given is not None:
        raise FieldError("mitigate", "without a model the groups' texts are not known: leave this off")
    task = params.task or ("" if params.own else TASK)
    classes: Float32 | None = None
    codes: NDArray[np.intp] | None = None
    if task:
        values = sample.column(task, "task")
        known = tuple(sorted({value for value in values if value}))
        if len(known) < 2 or not all(values):
            raise FieldError("task", f"every picture needs a {task}, and there must be two at least")
        classes = texts.embed([named(task, value) for value in known])
        codes = np.array([known.index(value) for value in values], dtype=np.intp)
    groups = np.stack([texts.embed(several).mean(axis=1) for several in names], axis=1)
    groups /= np.linalg.norm(groups, axis=-1, keepdims=True)
    return mitigate(
        images=sample.images,
        words=texts.embed(wordings(params.words)),
        groups=groups,
        task=classes,
        task_codes=codes,
        grouping=grouping,
        seed=params.seed,
        changed=params.mitigate,
    )
