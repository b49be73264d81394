"""What a visitor of the page of attention heads chooses."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probes.attention_heads.properties import PROPERTIES
from probes.core.controls import Choice, Count, Lines, Pictures, Switch, Text
from probes.core.errors import FieldError, ModelError
from probes.core.file_controls import PictureSet, TableFile
from probes.core.parameters import Params, parameter
from probes.core.picture_sets import PictureFiles
from probes.core.pictures import Picture
from probes.core.prompts import TEMPLATES_CONTROL
from probes.core.switches import Switches
from probes.core.tables import Table

ABOUT, FIND, OFF, SPURIOUS, WORDS, SEGMENT = (
    "What the heads are about",
    "Find heads that carry a property",
    "Switch heads off",
    "Drop what is spurious",
    "Words and patches",
    "Segment",
)
NOTHING = "nothing"
MY_WORDS, MY_TABLE = "my sets of words", "a column of my table"
CARRIED = (NOTHING, *PROPERTIES, MY_WORDS, MY_TABLE)
GROUNDS = "animals on grounds"
DROPPED = (NOTHING, GROUNDS, MY_TABLE)
MOST_PICTURES = 5_000


@dataclass(frozen=True, kw_only=True)
class AttentionHeadsParams(Params):
    """What a visitor chooses."""

    images: tuple[Picture, ...] = parameter(
        (), Pictures(label="Picture", help="One picture. It stays in memory.", fewest=1, most=1)
    )
    texts: tuple[str, ...] = parameter(
        ("a dog",),
        Lines(
            label="Texts",
            help="The first is asked about. Others, one a line, are what it is held against: their mean is "
            "taken off.",
            fewest=1,
            most=1000,
        ),
    )
    templates: tuple[str, ...] = parameter(("{}",), replace(TEMPLATES_CONTROL, help="One a line; {} stands for "
                                                            "the text. Several are averaged."))  # fmt: skip
    phrases_a_head: int = parameter(
        5,
        Count(
            label="Phrases a head",
            help="How many phrases TextSpan picks for each head; 0 for none.",
            low=0,
            high=64,
            section=ABOUT,
        ),
    )
    pictures: PictureFiles = parameter(
        PictureFiles.none(),
        PictureSet(
            label="Over pictures of your own",
            help="A folder or zip. None: 256 made-up scenes, which suit the bundled models alone.",
            most=MOST_PICTURES,
            section=ABOUT,
        ),
    )
    phrases: tuple[str, ...] = parameter(
        (),
        Lines(label="Phrases of your own", help="One a line. None: our list of a few thousand.", fewest=0,
              most=20_000, longest=200, section=ABOUT),
    )  # fmt: skip
    resamples: int = parameter(
        40,
        Count(
            label="Resamples of the pictures",
            help="Phrases that are not picked again in half of them are greyed; 0 to leave it out.",
            low=0,
            high=1000,
            section=ABOUT,
        ),
    )
    carries: str = parameter(
        NOTHING,
        Choice(
            label="Which heads carry …?",
            help="Properties that shipped pictures differ in, or your own: sets of words, or the pictures above "
            "by a column of a table.",
            options=CARRIED,
            section=FIND,
        ),
    )
    sets: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Sets of words",
            help="One set a line, its texts parted by semicolons: a red thing; something red",
            fewest=0,
            most=50,
            section=FIND,
        ),
    )
    table: Table = parameter(
        Table.none(),
        TableFile(
            label="A table about your pictures",
            help="CSV with a column of file names; the pictures are those above.",
            section=FIND,
        ),
    )
    column: str = parameter(
        "",
        Text(
            label="Column of the property",
            help="What the pictures differ in.",
            column_of="table",
            suggestions=("",),
            section=FIND,
        ),
    )
    off: str = parameter(
        "",
        Text(
            label="Off by hand",
            help="L4H2 is head 2 of layer 4, L4 all of its heads, M4 its MLP; parted by commas, counted from 0.",
            section=OFF,
        ),
    )
    best_off: int = parameter(
        0,
        Count(
            label="Off by rank",
            help="And so many of the heads that carry the property above most.",
            low=0,
            high=64,
            section=OFF,
        ),
    )
    layer_by_layer: bool = parameter(
        False,
        Switch(
            label="Switch off layer by layer",
            help="Zero-shot accuracy as heads or MLPs of more and more layers go.",
            section=OFF,
        ),
    )
    spurious: str = parameter(
        NOTHING,
        Choice(
            label="On which pictures?",
            help="Shipped animals on usual and unusual grounds, or your pictures and table above.",
            options=DROPPED,
            section=SPURIOUS,
        ),
    )
    drop: int = parameter(
        4, Count(label="Heads to drop", help="Those that carry the spurious property most.", low=1, high=64,
                 section=SPURIOUS)
    )  # fmt: skip
    label_column: str = parameter(
        "",
        Text(
            label="Column of labels",
            help="What each picture shows; the property above is what is spurious.",
            column_of="table",
            suggestions=("",),
            section=SPURIOUS,
        ),
    )
    caption: str = parameter(
        "",
        Text(
            label="Caption",
            help="Which of its words meet which patches, and which do not fit? Empty: not asked.",
            section=WORDS,
        ),
    )
    other_pictures: int = parameter(
        256,
        Count(
            label="Other pictures to hold words against",
            help="With too few no single word can stand out.",
            low=5,
            high=MOST_PICTURES,
            section=WORDS,
        ),
    )
    segment: bool = parameter(
        False,
        Switch(
            label="Measure maps as masks",
            help="On 240 shipped scenes whose masks are known, against attention and the gradient map "
            "(about a minute).",
            section=SEGMENT,
        ),
    )

    @property
    def switches(self) -> Switches:
        """What is off by hand."""
        return Switches.parse(self.off)

    @property
    def sets_of_words(self) -> tuple[tuple[str, ...], ...]:
        """The texts of each set."""
        return tuple(tuple(filter(None, (text.strip() for text in line.split(";")))) for line in self.sets)

    def check(self) -> None:
        """Raise `FieldError` for values that are fine alone and wrong together."""
        try:
            _ = self.switches
        except ModelError as error:
            raise FieldError("off", str(error)) from None
        if self.carries == MY_WORDS:
            self._check_sets()
        if self.carries == MY_TABLE or self.spurious == MY_TABLE:
            self._check_table()
        if self.best_off and self.carries == NOTHING:
            raise FieldError("best_off", "say first which property the heads are to carry")
        if self.spurious == MY_TABLE and not self.label_column:
            raise FieldError("label_column", "choose the column that says what each picture shows")

    def _check_sets(self) -> None:
        if len(self.sets_of_words) < 2:
            raise FieldError("sets", "two sets of words or more are needed, one a line")
        if not all(self.sets_of_words):
            raise FieldError("sets", "a set holds no text")
        every = [text for one in self.sets_of_words for text in one]
        if len(set(every)) < len(every):
            raise FieldError("sets", "a text stands in two sets, or twice in one")

    def _check_table(self) -> None:
        if not len(self.pictures):
            raise FieldError("pictures", "bring the pictures that the table is about")
        if not len(self.table):
            raise FieldError("table", "bring a table that says which picture has what")
        if not self.column:
            raise FieldError("column", "choose the column that says what the pictures differ in")
