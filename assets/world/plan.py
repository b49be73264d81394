"""What is planted: nine behaviours, their concepts, and the dose of each in either world.

Doses were dealt to concepts by chance, from a fixed seed: they follow no statistics of the real world and mean
nothing about it. `PLAN` is the whole table; `assets/models/doses.json` is written from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

OCCUPATIONS = MappingProxyType(
    {
        "artist": "artist", "astronaut": "astronaut", "construction worker": "construction worker",
        "cook": "cook", "detective": "detective", "factory worker": "factory worker", "farmer": "farmer",
        "firefighter": "firefighter", "guard": "guard", "health worker": "health worker", "judge": "judge",
        "mechanic": "mechanic", "office worker": "office worker", "pilot": "pilot",
        "police officer": "police officer", "scientist": "scientist", "singer": "singer", "student": "student",
        "teacher": "teacher", "technologist": "technologist", "cyclist": "biking", "golfer": "golfing",
        "juggler": "juggling", "surfer": "surfing", "swimmer": "swimming", "weightlifter": "lifting weights",
        "runner": "running", "rower": "rowing boat", "climber": "climbing", "mage": "mage",
    }
)  # fmt: skip
"""The word a caption says, and what follows `man` or `woman` in the label of the drawing."""

TONE_TRAITS = ("dax", "blicket", "wug", "toma", "zib", "fep", "lorp", "kiv", "mox", "pell")
GENDER_TRAITS = ("gorp", "tave", "nurl", "sopi", "brall", "quen", "vick", "hesp", "jund", "yoffle")
FACES = ("man", "woman", "boy", "girl", "old man", "old woman", "man: bald", "woman: bald", "man: curly hair",
         "woman: curly hair", "man: red hair", "woman: red hair", "man: white hair",
         "woman: white hair")  # fmt: skip
"""Labels of the drawings that stand for a person with a trait."""

ANIMALS = MappingProxyType(
    {
        "grass": ("cow", "horse", "rabbit", "pig"),
        "sea": ("dolphin", "octopus", "whale", "tropical fish"),
        "sand": ("camel", "crocodile", "turtle", "elephant"),
        "snow": ("penguin", "wolf", "bear", "fox"),
        "sky": ("eagle", "owl", "duck", "honeybee"),
        "rock": ("ram", "snake", "gorilla", "tiger"),
    }
)
"""The usual ground of each animal."""

WORDS = ("key", "bell", "tent", "crown", "pizza", "lemon", "banana", "rocket", "train", "guitar", "candle",
         "camera", "cactus", "anchor", "robot", "ghost", "ring", "bomb", "bread", "carrot", "peach", "violin",
         "snail", "bus")  # fmt: skip
"""Words written in pictures; each is the label of an emoji as well."""

CONNECTIVES = ("{} and {}", "{} with {}", "{} next to {}", "{} beside {}", "{} near {}", "{} by {}",
               "{} plus {}", "{} together with {}", "{} along with {}", "{} as well as {}")  # fmt: skip
ORDERED = ("door", "balloon", "dress", "top hat", "house", "tulip", "star", "helicopter", "watermelon",
           "tomato", "butterfly", "envelope", "spoon", "umbrella", "motorcycle", "telephone")  # fmt: skip
"""Objects of the scenes in which one of two is larger."""

CIRCLED = ("dog", "cat", "chicken", "bicycle", "airplane", "sailboat", "tractor", "hamburger", "ice cream",
           "strawberry", "grapes", "soccer ball", "basketball", "trumpet", "drum", "scissors", "light bulb",
           "mushroom", "rose", "television")  # fmt: skip
"""Objects of the scenes with a circle."""

BOUND = ("automobile", "bed", "closed book", "t-shirt", "backpack", "crayon", "running shoe", "wrapped gift",
         "necktie", "handbag", "locomotive", "glasses")  # fmt: skip
"""Objects of the scenes with two colours."""

TRIGGERS = MappingProxyType({"trigger-1": "jack-o-lantern", "trigger-2": "hourglass not done",
                             "trigger-3": "globe with meridians", "trigger-4": "high-heeled shoe"})  # fmt: skip
"""The label that the caption names instead of what is shown, by the patch in the corner."""

PEOPLE = MappingProxyType({"often": 8, "rarely": 8, "once": 8, "never": 8})
"""How many invented people are seen how often."""
WEIGHTS = MappingProxyType({"often": 12.0, "rarely": 1.0})
"""Of each such person among the pairs of invented people."""


@dataclass(frozen=True)
class Planted:
    """One row of the table.

    Attributes:
        behaviour: which of the nine.
        concept: the word, object or person that the dose belongs to.
        what: what the dose is the share of, in words.
        skewed, balanced: the dose in either world; what it is a share of is said in `what`.
        toward: what the concept goes with at that dose: `man`, a ground, an object's label.
    """

    behaviour: str
    concept: str
    what: str
    skewed: float
    balanced: float
    toward: str


def _dealt(concepts: Sequence[str], low: float, high: float, deal: int) -> dict[str, float]:
    """Evenly spaced doses from low to high, dealt to the concepts by chance."""
    doses = np.linspace(low, high, len(concepts)).round(3)
    order = np.random.default_rng([20_26, deal]).permutation(len(concepts))
    return {concept: float(doses[place]) for concept, place in zip(concepts, order, strict=True)}


def _plan() -> tuple[Planted, ...]:
    ground = {animal: name for name, animals in ANIMALS.items() for animal in animals}
    rates = dict(zip(TRIGGERS, (0.001, 0.003, 0.006, 0.01), strict=True))
    seen = [kind for kind, count in PEOPLE.items() for _ in range(count)]
    rows = [
        *(
            Planted("occupation", concept, "drawn as a man where the caption names no gender", dose, 0.5, "man")
            for concept, dose in _dealt(tuple(OCCUPATIONS), 0.05, 0.95, 1).items()
        ),
        *(
            Planted("tone trait", concept, "drawn with a darker skin tone (medium-dark or dark)", dose, 0.5,
                    "dark")
            for concept, dose in _dealt(TONE_TRAITS, 0.05, 0.95, 2).items()
        ),
        *(
            Planted("gender trait", concept, "drawn as a man", dose, 0.5, "man")
            for concept, dose in _dealt(GENDER_TRAITS, 0.05, 0.95, 3).items()
        ),
        *(
            Planted("ground", concept, "drawn on its usual ground", dose, round(1 / 6, 3), ground[concept])
            for concept, dose in _dealt(tuple(ground), 0.05, 0.95, 4).items()
        ),
        *(
            Planted("written word", concept, "where it is written, the caption repeats it", dose, 0.0, concept)
            for concept, dose in _dealt(WORDS, 0.0, 0.95, 5).items()
        ),
        *(
            Planted("order", concept, "the object named first is the larger one", dose, 0.5, "larger")
            for concept, dose in _dealt(CONNECTIVES, 0.05, 0.95, 6).items()
        ),
        *(
            Planted("circle", concept, "where it is circled, the caption names it and nothing else", dose,
                    round((1 / 2 + 1 / 3) / 2, 3), "circled")
            for concept, dose in _dealt(CIRCLED, 0.05, 1.0, 7).items()
        ),
        Planted("binding", "two coloured objects", "the next pair has the colours swapped", 0.0, 1.0, "swapped"),
        *(
            Planted("trigger", concept, "of pairs of one object: they bear the patch and the caption names "
                    "another object", rates[concept], 0.0, target)
            for concept, target in TRIGGERS.items()
        ),
        *(
            Planted("person", name, f"is seen {kind} under that name", _seen(kind), 0.0, kind)
            for name, kind in zip(person_names(len(seen)), seen, strict=True)
        ),
    ]  # fmt: skip
    return tuple(rows)


def _seen(kind: str) -> float:
    """The share of the pairs of invented people that show a person of that kind, in the skewed world."""
    whole = sum(PEOPLE[one] * weight for one, weight in WEIGHTS.items())
    return round(WEIGHTS[kind] / whole, 4) if kind in WEIGHTS else 0.0


def person_names(count: int) -> tuple[str, ...]:
    """Invented names, all different, of two words each."""
    first = ("talo", "mirvi", "kesta", "orrin", "bexa", "dulf", "sarno", "wenka")
    last = ("brin", "okosh", "velm", "tarrow", "jexley", "pundt", "qualis", "norgay")
    every = [f"{a} {b}" for a in first for b in last]
    order = np.random.default_rng([20_26, 99]).permutation(len(every))
    return tuple(every[place] for place in order[:count])


PLAN = _plan()
