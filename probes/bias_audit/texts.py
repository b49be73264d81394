"""The texts of an audit and their embeddings, from the model or from a file whose rows are the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from probes.bias_audit.audited import Grouping, Scores
from probes.bias_audit.lines import split
from probes.bias_audit.parameters import BiasAuditParams
from probes.bias_audit.words import group_text
from probes.core.errors import FieldError
from probes.core.model import Backend, Float32
from probes.core.prompts import SLOT, encode_prompts

VOWELS = "aeiou"


@dataclass(frozen=True, eq=False)
class Texts:
    """Embeds texts in every template.

    Attributes:
        backend: the model that embeds them.
        templates: (t,).
        given: unit embeddings of the only texts there are, where they come from a file; None where a model
        embeds.
    """

    backend: Backend
    templates: tuple[str, ...]
    given: Mapping[str, Float32] | None = field(default=None)

    @classmethod
    def of(cls, params: BiasAuditParams, backend: Backend) -> Texts:
        """The texts as the parameters give them: a file's rows stand for the words, without templates."""
        if not len(params.text_embeddings):
            return cls(backend, params.templates)
        rows = params.text_embeddings.rows
        return cls(backend, (SLOT,), dict(zip(params.words, rows, strict=True)))

    def has(self, texts: Sequence[str]) -> bool:
        """Whether all of some texts, or lines of paraphrases, can be embedded."""
        return self.given is None or all(text in self.given for text in wordings(texts))

    def embed(self, texts: Sequence[str]) -> Float32:
        """Unit embeddings in every template, (t, texts, d)."""
        if self.given is None:
            return encode_prompts(self.backend, texts, self.templates)
        return np.stack([self.given[text] for text in texts])[None]

    def score(self, images: Float32, lines: Sequence[str]) -> Scores:
        """Cosines of pictures (n, d) to the words that lines name, each the mean over its paraphrases.

        A paraphrase alone is the mean over templates of that wording; see `Scores.paraphrased`.
        """
        words, paraphrases = zip(*(split(line) for line in lines), strict=True)
        spelled = [wording for several in paraphrases for wording in several]
        every = Scores.of(images, self.embed(spelled), spelled, self.templates)
        counts = np.array([len(several) for several in paraphrases])
        if counts.max() == 1:
            return replace(every, words=words)
        starts = np.cumsum(counts) - counts
        mean = (np.add.reduceat(every.cosines, starts, axis=2) / counts).astype(np.float32)
        places = starts + np.arange(counts.max())[:, None] % counts
        alone = every.mean[:, places]
        return Scores(words, self.templates, mean, alone)


def wordings(lines: Sequence[str]) -> tuple[str, ...]:
    """All that lines name, every paraphrase for itself."""
    return tuple(dict.fromkeys(wording for line in lines for wording in split(line)[1]))


def called(params: BiasAuditParams, grouping: Grouping) -> tuple[tuple[str, ...], ...]:
    """What each group is called in texts, one or several for each: as the parameters say, else by its value.

    Raises:
        FieldError: a line names no group.
    """
    said: dict[str, tuple[str, ...]] = {}
    for line in params.group_texts:
        name, several = split(line)
        known = {group.casefold(): group for group in grouping.groups}
        if "=" not in line or not several:
            raise FieldError("group_texts", f"“{line}” is not of the form: group = a text | another text")
        if name.casefold() in known:  # others may be of another attribute than the one that is set now
            said[known[name.casefold()]] = several
    return tuple(said.get(group) or (named(grouping.attribute, group),) for group in grouping.groups)


def named(attribute: str, value: str) -> str:
    """The text of a group or class that nobody named, with its article: `a male person`."""
    text = group_text(attribute, value) or value
    if text.split(" ")[0].casefold() in ("a", "an", "the"):
        return text
    return f"{'an' if text[:1].casefold() in VOWELS else 'a'} {text}"
