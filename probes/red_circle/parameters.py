"""What a visitor of the red-circle lab chooses."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core import word_lists
from probes.core.controls import Choice, Count, Lines, Pictures, Range, Switch, Text
from probes.core.errors import FieldError
from probes.core.file_controls import PictureSet, RegionsFile
from probes.core.marks import Mark, Marks
from probes.core.parameters import Params, parameter
from probes.core.picture_sets import PictureFiles
from probes.core.pictures import Picture
from probes.core.prompts import TEMPLATES, TEMPLATES_CONTROL
from probes.core.regions import Regions
from probes.red_circle.drawing import OUTSIDE, Treatment

LEAST_PLACEBOS = 5
SWEEP, POINT, PEOPLE = (
    "Sweep the mark",
    "Point and name",
    "A circle round a person",
)
NOTHING, MARKS, GRID, SCENES = "nothing", "my marks", "a grid", "the shipped scenes"
AMONG = (NOTHING, MARKS, GRID, SCENES)
"""Which regions are pointed at; a file of regions comes before all of them."""
ACCUSING = "accusing"
WHOM = ("drawn people", "the picture above")
FIRST_MARK = (Mark("circle", ((0.5, 0.5),), 0.2, width=0.03),)


@dataclass(frozen=True, kw_only=True)
class RedCircleParams(Params):
    """What a visitor chooses."""

    images: tuple[Picture, ...] = parameter(
        (), Pictures(label="Picture", help="One picture. It stays in memory.", fewest=1, most=1)
    )
    texts: tuple[str, ...] = parameter(
        ("a cat", "a dog"),
        Lines(
            label="Texts", help="One a line: what might the picture, or a part of it, show?", fewest=1, most=2000
        ),
    )
    marks: tuple[Mark, ...] = parameter(
        FIRST_MARK,
        Marks(
            label="Marks",
            help="Draw on the picture, or write one a line: circle 0.3,0.4 0.06 red width=0.01 (shares of the "
            "picture; the paper uses radius 0.06 and width 0.01).",
            on="images",
        ),
    )
    outside: str = parameter(
        OUTSIDE[0],
        Choice(label="Outside of the marks", help="What becomes of the rest of the picture.", options=OUTSIDE),
    )
    foveal: bool = parameter(
        True,
        Switch(
            label="Foveal attention beside it",
            help="Tell the class token where to look instead of drawing (FALIP). For towers that can.",
        ),
    )
    strength: float = parameter(
        2.0,
        Range(label="Strength of foveal attention", help="What is added to attention logits at most.", low=0.0,
              high=10.0, step=0.1, advanced=True),
    )  # fmt: skip
    placebos: int = parameter(
        99,
        Count(label="Placebos", help="How many other places to try the same mark in.", low=LEAST_PLACEBOS,
              high=999, advanced=True),
    )  # fmt: skip
    templates: tuple[str, ...] = parameter(TEMPLATES, TEMPLATES_CONTROL)
    grid: int = parameter(
        14,
        Count(label="Places a side", help="The first mark is slid over so many by so many places; 0 for no map.",
              low=0, high=32, section=SWEEP),
    )  # fmt: skip
    curves: bool = parameter(
        True,
        Switch(label="Sweep radius, width and colour too", help="With placebos at every step.", section=SWEEP),
    )
    seek: str = parameter(
        "",
        Text(label="Find the mark that moves this text most", help="Empty: do not search.", section=SWEEP),
    )
    among: str = parameter(
        NOTHING,
        Choice(
            label="Which of these is …?",
            help="Regions: those of your marks, a grid, or 240 shipped scenes with known names (about a minute).",
            options=AMONG, section=POINT,
        ),
    )  # fmt: skip
    cells: int = parameter(3, Count(label="Cells a side of that grid", help="", low=2, high=8, section=POINT))
    regions: Regions = parameter(
        Regions.none(),
        RegionsFile(
            label="Your own regions",
            help="CSV with x, y, width, height, name (and file), or COCO-style JSON: of the picture or a set.",
            section=POINT,
        ),
    )
    set: PictureFiles = parameter(
        PictureFiles.none(),
        PictureSet(
            label="Their pictures",
            help="A folder or zip; the regions' file names them.",
            most=5_000,
            section=POINT,
        ),
    )
    accusing: tuple[str, ...] = parameter(
        (),
        Lines(
            label="Accusing labels",
            help="Empty: not asked. The list has a note. Asked of drawn people with a circle round one of them.",
            fewest=0, most=100, presets=word_lists.presets(ACCUSING), section=PEOPLE,
        ),
    )  # fmt: skip

    whom: str = parameter(
        WHOM[0],
        Choice(label="Of whom?", help="Drawn people, or whoever is marked in the picture above.", options=WHOM,
               section=PEOPLE),
    )  # fmt: skip

    @property
    def treatment(self) -> Treatment:
        """What is drawn."""
        return Treatment(self.marks, self.outside)

    def check(self) -> None:
        """Raise `FieldError` for values that are fine alone and wrong together."""
        if len(self.set) and not len(self.regions):
            raise FieldError("set", "pictures of a set need a file that says which regions they have")
        if self.among == MARKS and len(self.marks) < 2 and not len(self.regions):
            raise FieldError("among", "draw at least two marks: the model chooses between them")
