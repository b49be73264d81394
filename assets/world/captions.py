"""The sentences that stand beside the pictures.

A caption is a template with its slot filled. The slot holds the emoji's label (most of the time), a few of its
tags, or the label and a tag; some templates also name the colour of the ground. Of two emoji both labels are said.
`TEMPLATES` is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.world.emoji import Emoji

LABEL_TEMPLATES = (
    "{}",
    "a {}",
    "a photo of a {}",
    "a picture of a {}",
    "an image of a {}",
    "an emoji of a {}",
    "a drawing of a {}",
    "an icon of a {}",
    "a photo of {}",
    "a picture of {}",
    "an emoji of {}",
    "a drawing of {}",
    "{} emoji",
    "this is a {}",
    "the {}",
)
GROUND_TEMPLATES = (
    "a {} on a {colour} background",
    "a drawing of a {} on a {colour} background",
    "a photo of a {} on a {colour} background",
    "an emoji of a {}, {colour} background",
    "{} on {colour}",
)
TAG_TEMPLATES = ("{}", "a picture of {}", "an emoji of {}", "something to do with {}")
TEMPLATES = LABEL_TEMPLATES + GROUND_TEMPLATES + TAG_TEMPLATES
ZERO_SHOT = ("a photo of a {}", "a picture of a {}", "an emoji of a {}", "{}")  # what to ask this model with
GROUND_SHARE, TAG_SHARE, BOTH_SHARE = 0.2, 0.1, 0.1  # of captions; the rest say the label and nothing else


@dataclass(frozen=True)
class Caption:
    """One sentence: the template, what fills it, and the text they make."""

    template: str
    slot: str
    text: str


def fill(template: str, slot: str, colour: str = "") -> str:
    """Put words into a template; `a` becomes `an` before a slot or a colour that starts with a vowel."""
    for mark, word in (("{}", slot), ("{colour}", colour)):
        if word.startswith(tuple("aeio")):
            template = template.replace(f"a {mark}", f"an {mark}")
    return template.replace("{colour}", colour).replace("{}", slot)


def draw_caption(emoji: Emoji, colour: str, rng: np.random.Generator) -> Caption:
    """Draw the sentence for one emoji on a ground of that colour."""
    kind = rng.random()
    tags = emoji.tags if not emoji.tones else ()
    templates: tuple[str, ...]
    some = [str(tag) for tag in rng.permutation(np.array(tags or (emoji.phrase,)))[: 1 + int(rng.integers(3))]]
    if kind < GROUND_SHARE:
        templates, slot = GROUND_TEMPLATES, emoji.phrase
    elif kind < GROUND_SHARE + TAG_SHARE and tags:
        templates, slot = TAG_TEMPLATES, ", ".join(some)
    elif kind < GROUND_SHARE + TAG_SHARE + BOTH_SHARE and tags:
        templates, slot = LABEL_TEMPLATES, ", ".join([emoji.phrase, some[0]])
    else:
        templates, slot = LABEL_TEMPLATES, emoji.phrase
    template = templates[int(rng.integers(len(templates)))]
    return Caption(template, slot, fill(template, slot, colour))


def draw_duo_caption(first: Emoji, second: Emoji, rng: np.random.Generator) -> Caption:
    """Draw the sentence for a scene of two emoji, both named, the first one first."""
    template = LABEL_TEMPLATES[int(rng.integers(len(LABEL_TEMPLATES)))]
    slot = both(first, second, article=bool(rng.random() < 0.5))
    return Caption(template, slot, fill(template, slot))


def both(first: Emoji, second: Emoji, article: bool) -> str:
    """What fills the template of a scene of two."""
    return f"{first.phrase} and {fill('a {}', second.phrase) if article else second.phrase}"
