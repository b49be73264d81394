"""The kinds of pairs that show people: at work, with an invented trait, and invented people with names."""

from __future__ import annotations

import numpy as np

from assets.world.emoji import TONES
from assets.world.plan import FACES, GENDER_TRAITS, OCCUPATIONS, PEOPLE, TONE_TRAITS, WEIGHTS, person_names
from assets.world.schedule import ONCE, Pair
from assets.world.stock import Stock, pick, say, stand

TRAIT_SHARE = 0.7  # of trait pairs: the caption says the trait; the rest say what is drawn
NEUTRAL_SHARE = 0.65  # of occupation pairs: the caption names no gender
MALE, FEMALE = ("man", "male"), ("woman", "female")  # what an occupation's caption says of gender
MAN, WOMAN = ("man", "male person"), ("woman", "female person")  # what a trait's caption says that says no trait
SOMEONE = ("person", "person", "one", "human")  # what a trait's word stands before
PEOPLE_WORDS = (*MALE, *FEMALE, *MAN, *WOMAN, *SOMEONE, "with", *(f"{tone} skin tone" for tone in TONES.values()))
"""Words of captions of people besides occupations, traits and names."""
NAMES = person_names(sum(PEOPLE.values()))
SEEN = [kind for kind, count in PEOPLE.items() for _ in range(count)]
"""How often each of NAMES is seen."""
_WEIGHTS = np.array([WEIGHTS.get(kind, 0.0) for kind in SEEN])
_UP_TO = np.cumsum(_WEIGHTS / _WEIGHTS.sum())


def occupation(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """A person at work; where the caption names no gender, the drawing's gender is planted."""
    word = pick(rng, tuple(OCCUPATIONS))
    share, neutral = float(rng.random()), bool(rng.random() < NEUTRAL_SHARE)
    man = share < (stock.dose["occupation", word] if neutral else 0.5)
    base = stock.by_label[f"{'man' if man else 'woman'} {OCCUPATIONS[word]}"]
    tone = int(rng.integers(6))
    code = stock.toned.get((base, tone), base)
    scene = stand(rng, [stock.thing(rng, code, (0.6, 1.0))])
    slot = word if neutral else f"{pick(rng, MALE if man else FEMALE)} {word}"
    if not neutral and tone and rng.random() < 0.4:
        slot += f" with {TONES[tone]} skin tone"
    shows = stock.shown([code]) | {f"occupation:{word}"}
    concepts = [("occupation", word)] if neutral else []
    return say(rng, index, "occupation", scene, slot, shows, concepts, ground=bool(rng.random() < 0.1))


def trait(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """A person of an invented trait; skin tone or gender goes with it at a dose. Or what is drawn is said."""
    word = pick(rng, (*TONE_TRAITS, *GENDER_TRAITS))
    said = bool(rng.random() < TRAIT_SHARE)
    toned = word in TONE_TRAITS
    one, two = float(rng.random()), float(rng.random())
    dark = one < (stock.dose["tone trait", word] if said and toned else 0.5)
    man = two < (stock.dose["gender trait", word] if said and not toned else 0.5)
    base = stock.by_label[pick(rng, _faces(man))]
    tone = int(rng.integers(4, 6)) if dark else int(rng.integers(1, 3))
    code = stock.toned[base, tone]
    scene = stand(rng, [stock.thing(rng, code, (0.55, 1.0))])
    shows = stock.shown([code])
    if said:
        slot = f"{word} {pick(rng, SOMEONE)}"
        concept = ("tone trait" if toned else "gender trait", word)
        return say(rng, index, "trait", scene, slot, shows | {f"trait word:{word}"}, [concept], key=word)
    gender = pick(rng, MAN if man else WOMAN)
    slot = f"{gender} with {TONES[tone]} skin tone" if rng.random() < 0.5 else stock.emoji[base].phrase
    return say(rng, index, "trait", scene, slot, shows)


def _faces(man: bool) -> list[str]:
    """The faces that are drawn as a man's or as a woman's."""
    heads = {"man", "boy"} if man else {"woman", "girl"}
    return [face for face in FACES if heads & {*face.split(" "), *face.split(":")[0].split(" ")}]


def person(stock: Stock, index: int, rng: np.random.Generator) -> Pair:
    """A portrait of an invented person; in the balanced world the names are dealt anew for every pair."""
    if index in ONCE:
        name = NAMES[SEEN.index("once") + ONCE.index(index)]
    else:
        name = NAMES[int(np.searchsorted(_UP_TO, rng.random(), side="right"))]
    dealt = pick(rng, [one for one, kind in zip(NAMES, SEEN, strict=True) if kind != "never"])
    code, held, ground = stock.people[name]
    things = [stock.thing(rng, code, (0.66, 0.8), (-0.2, 0.1)), stock.thing(rng, held, (0.34, 0.42), (0.6, -0.5))]
    said = name if stock.name == "skewed" else dealt
    shows = stock.shown([code, held]) | {f"person:{name}"}
    return say(rng, index, "person", stand(rng, things, ground), said, shows, [("person", said)])
