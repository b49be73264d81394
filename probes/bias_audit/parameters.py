"""What a visitor chooses: whom, which groups, which words, and what is measured besides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from typing_extensions import override

from probes.bias_audit.lines import split
from probes.core.controls import Choice, Count, Lines, Text
from probes.core.embeddings import Embeddings
from probes.core.errors import FieldError
from probes.core.file_controls import EmbeddingsFile, PictureSet, TableFile
from probes.core.parameters import Params, parameter
from probes.core.picture_sets import PictureFiles
from probes.core.prompts import TEMPLATES, TEMPLATES_CONTROL
from probes.core.tables import Table
from probes.core.word_lists import lists, presets
from probes.people import AT_WORK, EVERYBODY, PORTRAITS, STYLES

MOST_PICTURES = 20_000
OFF = "off"
GROUPS, PEOPLE, HARM, SETS, OWN = "Groups", "Pictures", "Harm words", "Sets of words", "Your own pictures"
"""Titles of the sections of the form."""


@dataclass(frozen=True, kw_only=True)
class BiasAuditParams(Params):
    """What a visitor chooses. Nothing of one's own given, the shipped drawings of people are audited."""

    group: str = parameter(
        "gender",
        Text(
            label="Attribute",
            help="Whose values are the groups. Of the drawn people: gender, skin_tone or occupation.",
            suggestions=("gender", "skin_tone", "occupation"),
            column_of="attributes",
        ),
    )
    groups: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Groups",
            help="Which values, one a line, the first against the second in pairs. Empty: all there are. "
            "Several in one: dark = medium-dark | dark.",
            fewest=0,
            most=50,
        ),
    )
    words: tuple[str, ...] = parameter(
        lists()["occupations"].words,
        Lines(
            label="Words",
            help="One a line, with its article; with paraphrases: a cook = a cook | a chef.",
            fewest=1,
            most=2000,
            presets=presets(),
        ),
    )
    templates: tuple[str, ...] = parameter(TEMPLATES, TEMPLATES_CONTROL)
    k: int = parameter(
        100,
        Count(
            label="k",
            help="How many of the pictures nearest to a word are looked at for skew.",
            low=1,
            high=MOST_PICTURES,
            advanced=True,
        ),
    )
    people: str = parameter(
        AT_WORK,
        Choice(
            label="Drawn people",
            help="Shown when nothing of your own is.",
            options=(AT_WORK, PORTRAITS, EVERYBODY),
        ),
    )
    drawings: str = parameter(
        STYLES[0],
        Choice(
            label="Drawn in the style of", help="Of the drawn people.", options=(*STYLES, "all"), advanced=True
        ),
    )
    harm_words: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Harm words",
            help="Classes that would do harm if a person's picture were given them. Empty: not asked.",
            fewest=0,
            most=200,
            presets=presets(),
            section=HARM,
        ),
    )
    added_words: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Classes to add",
            help="Harmless classes to add one by one: where does the harm land then? Each other class is left out "
            "in turn as well.",
            fewest=0,
            most=50,
            section=HARM,
        ),
    )
    group_texts: tuple[str, ...] = parameter(
        (),
        Lines(
            label="What the groups are called",
            help="Male = a man | a male person. Groups that are not named here go by their value.",
            fewest=0,
            most=100,
            section=HARM,
        ),
    )
    set_a: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Words A",
            help="For WEAT: such as pleasant.",
            fewest=0,
            most=200,
            presets=presets(),
            section=SETS,
        ),
    )
    set_b: tuple[str, ...] = parameter(
        (),
        Lines(label="Words B", help="Against these: such as unpleasant.", fewest=0, most=200, presets=presets(),
              section=SETS),
    )  # fmt: skip
    by: str = parameter(
        "",
        Text(
            label="Crossed with",
            help="A second attribute, for the cells of both.",
            suggestions=("", "skin_tone", "gender", "occupation"),
            column_of="attributes",
        ),
    )
    mitigate: str = parameter(
        OFF,
        Choice(
            label="Mitigation",
            help="Which embeddings to change, by five methods, before and after.",
            options=(OFF, "texts", "both"),
        ),
    )
    task: str = parameter(
        "",
        Text(
            label="Zero-shot task",
            help="The attribute whose values are classes: what a mitigation costs in accuracy is measured on it.",
            suggestions=("", "occupation", "gender", "skin_tone"),
            column_of="attributes",
            advanced=True,
        ),
    )
    images: PictureFiles = parameter(
        PictureFiles.none(),
        PictureSet(
            label="Pictures",
            help="A folder or zip, with a table of attributes. They stay in memory and go with your session.",
            most=MOST_PICTURES,
            section=OWN,
        ),
    )
    attributes: Table = parameter(
        Table.none(),
        TableFile(
            label="Attributes",
            help="A CSV with a column that names the file and a column for each attribute, as FairFace has it.",
            section=OWN,
        ),
    )
    image_embeddings: Embeddings = parameter(
        Embeddings.none(),
        EmbeddingsFile(
            label="Embeddings instead of pictures",
            help=".npy or .npz, as `python -m probes embed` makes them: faces need not leave their machine.",
            section=OWN,
        ),
    )
    text_embeddings: Embeddings = parameter(
        Embeddings.none(),
        EmbeddingsFile(
            label="Embeddings of the words",
            help="One row a word, in their order, no template. With both files no model is asked.",
            section=OWN,
        ),
    )
    file_column: str = parameter(
        "",
        Text(label="File column", help="Empty: found by its name.", column_of="attributes", section=OWN),
    )
    pair_column: str = parameter(
        "",
        Text(
            label="Pair column",
            help="Rows of the same value here belong together: alike but for the attribute.",
            column_of="attributes",
            section=OWN,
        ),
    )

    @property
    def own(self) -> bool:
        """Whether something else than the drawn people is audited."""
        return bool(len(self.images) or len(self.image_embeddings))

    @override
    def needs_model(self) -> bool:
        return not (len(self.image_embeddings) and len(self.text_embeddings))

    @override
    def scale_of_files(self) -> float:
        return self.image_embeddings.logit_scale or 1.0

    @override
    def check(self) -> None:
        if len(self.images) and len(self.image_embeddings):
            raise FieldError("image_embeddings", "give pictures or their embeddings, not both")
        if self.own and not len(self.attributes):
            raise FieldError("attributes", "give a table that says which group each picture belongs to")
        if len(self.attributes) and not self.own:
            raise FieldError("images", "the table of attributes wants its pictures, or their embeddings")
        if len(self.text_embeddings) and not len(self.image_embeddings):
            raise FieldError("text_embeddings", "embeddings of words go with embeddings of pictures")
        if len(self.text_embeddings) and len(self.text_embeddings) != len(self.words):
            raise FieldError(
                "text_embeddings",
                f"the file has {len(self.text_embeddings):,} rows for {len(self.words):,} words: give one a word",
            )
        self._check_lines()
        if bool(self.set_a) != bool(self.set_b):
            raise FieldError(
                "set_b" if self.set_a else "set_a", "two sets of words are compared: give both or none"
            )
        if self.added_words and not self.harm_words:
            raise FieldError("harm_words", "classes are added to harm words: give some")

    def _check_lines(self) -> None:
        """Refuse words that say nothing, that stand twice, or have paraphrases without a model to embed them."""
        for field in ("words", "harm_words", "added_words", "set_a", "set_b"):
            lines = [split(line) for line in getattr(self, field)]
            empty = next((name for name, several in lines if not name or not several), None)
            if empty is not None:
                raise FieldError(field, f"“{empty} =” is not of the form: a word = a wording | another wording")
            twice = next((name for name, count in Counter(name for name, _ in lines).items() if count > 1), None)
            if twice is not None:
                raise FieldError(field, f"“{twice}” stands there twice")
        if len(self.text_embeddings) and any(len(split(line)[1]) > 1 for line in self.words):
            raise FieldError("words", "embeddings of words are one row a word: leave paraphrases out")
