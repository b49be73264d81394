"""What a visitor chooses."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.controls import Choice, Count, Lines, Range, Switch, Text
from probes.core.embedding_pairs import EmbeddingPairs
from probes.core.errors import FieldError
from probes.core.file_controls import EmbeddingPairsFile, PictureSet, TableFile
from probes.core.parameters import Params, parameter
from probes.core.picture_sets import PictureFiles
from probes.core.tables import Table
from probes.core.word_lists import lists, presets
from probes.modality_gap.pairwise import LARGEST_SCALE

OWN_SCALE = 100.0
"""The logit scale where nobody says one: what CLIP's is clamped to."""
NOBODY = "nobody"
_OWN = "Your own pairs"
_MOVES = "What is moved with the gap"


@dataclass(frozen=True, kw_only=True)
class ModalityGapParams(Params):
    """Pairs of pictures and captions, and what to measure on them."""

    embeddings: EmbeddingPairs = parameter(
        EmbeddingPairs.none(),
        EmbeddingPairsFile(
            label="Embeddings",
            help="One .npz with images (n, d) and texts (n, d), or two .npy files. No model is asked.",
            section=_OWN,
        ),
    )
    images: PictureFiles = parameter(
        PictureFiles.none(),
        PictureSet(
            label="Pictures", help="A folder or zip of pictures, with a table of captions below.", section=_OWN
        ),
    )
    captions: Table = parameter(
        Table.none(),
        TableFile(
            label="Captions", help="A CSV with a column of file names and a column of captions.", section=_OWN
        ),
    )
    caption_column: str = parameter(
        "",
        Text(
            label="Column of captions",
            help="None for the one called caption, text or sentence.",
            column_of="captions",
            section=_OWN,
            suggestions=("",),
        ),
    )
    logit_scale: float = parameter(
        0.0,
        Range(
            label="Logit scale",
            help="The factor on cosines in the loss; 0 for the model's own (100 where no model says).",
            low=0.0,
            high=LARGEST_SCALE,
            step=0.5,
        ),
    )
    people: str = parameter(
        "skin_tone",
        Choice(
            label="Drawn people, told apart by",
            help="Whose association with words is followed while the clouds move.",
            options=("skin_tone", "gender", NOBODY),
            section=_MOVES,
        ),
    )
    words: tuple[str, ...] = parameter(
        lists()["pleasant"].words,
        Lines(
            label="Words",
            help="One a line. The association is with these rather than the other words.",
            most=1000,
            longest=200,
            presets=presets(),
            section=_MOVES,
        ),
    )
    other_words: tuple[str, ...] = parameter(
        lists()["unpleasant"].words,
        Lines(label="Other words", help="One a line.", most=1000, longest=200, presets=presets(), section=_MOVES),
    )
    dropped: int = parameter(
        16,
        Count(
            label="Gap dimensions to drop, at most",
            help="1, 4, 16 … of the dimensions that hold most of the gap are set to zero.",
            low=0,
            high=1024,
            advanced=True,
        ),
    )
    all_pairs: bool = parameter(
        False,
        Switch(
            label="Compare all pairs",
            help="Else what compares every pair with every other takes 5,000 pairs by chance.",
            advanced=True,
        ),
    )
    untrained: bool = parameter(
        True,
        Switch(
            label="Beside random weights",
            help="The same architecture before training is asked about the same pairs.",
            advanced=True,
        ),
    )

    def check(self) -> None:
        """Pictures need captions, embeddings neither."""
        if len(self.embeddings) and (len(self.images) or len(self.captions)):
            raise FieldError("embeddings", "give embeddings, or pictures with captions, not both")
        if len(self.images) and not len(self.captions):
            raise FieldError("captions", "pictures need a table of captions")
        if len(self.captions) and not len(self.images):
            raise FieldError("images", "captions need their pictures")

    def needs_model(self) -> bool:
        """Not where all that is measured comes as embeddings."""
        return not len(self.embeddings)

    def scale_of_files(self) -> float:
        """What the embeddings say of their model's logit scale, or CLIP's largest."""
        given = self.embeddings.logit_scale
        return OWN_SCALE if given is None else given
