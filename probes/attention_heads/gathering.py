"""The pictures that a head is understood over: made-up scenes, or a visitor's own, taken apart once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import islice

import numpy as np
from cachetools import LRUCache

from probes.attention_heads.parameters import AttentionHeadsParams
from probes.core.decomposition import Decomposition, joined
from probes.core.errors import FieldError
from probes.core.model import Backend, Progress
from probes.core.picture_sets import PictureFiles, Unreadable
from probes.core.pictures import Picture
from probes.usual_pictures import usual_pictures

FEWEST = 20
"""Fewer pictures of one's own say nothing of what a head does to others."""
AT_ONCE = 64
KEPT = 512_000_000
"""Bytes of decompositions that are kept."""


@dataclass(frozen=True, eq=False)
class Others:
    """A set of pictures, taken apart.

    Attributes:
        name: what to call the set in a sentence.
        taken: n pictures.
        places: theirs among the names of the set; see `named`.
        digests: theirs.
        left_out: what could not be read, and why.
    """

    name: str
    taken: Decomposition
    places: tuple[int, ...]
    digests: tuple[str, ...]
    left_out: tuple[Unreadable, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        values = (getattr(self.taken, f.name) for f in fields(self.taken))
        return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


_kept: LRUCache[tuple[str, str], Others] = LRUCache(maxsize=KEPT, getsizeof=lambda others: others.nbytes)
_lock = threading.Lock()


def others(params: AttentionHeadsParams, backend: Backend, progress: Progress) -> Others:
    """The set that a visitor chose, taken apart by a model; kept for the next question about it.

    Raises:
        FieldError: too few of one's own pictures can be read.
    """
    own = params.pictures
    key = (backend.card.weights_digest + backend.card.spec, own.digest if len(own) else "")
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = _of_files(own, backend, progress) if len(own) else _usual(backend, progress)
        if found.nbytes <= KEPT:
            with _lock:
                _kept[key] = found
    return found


def _usual(backend: Backend, progress: Progress) -> Others:
    pictures = usual_pictures()
    taken = backend.decompose(pictures, progress=progress)
    digests = tuple(picture.digest for picture in pictures)
    return Others(f"{len(pictures)} made-up scenes", taken, tuple(range(len(pictures))), digests)


def _of_files(files: PictureFiles, backend: Backend, progress: Progress) -> Others:
    read = take_apart(files.read(files.names), len(files), backend, progress)
    if len(read.places) < FEWEST:
        raise FieldError("pictures", f"{len(read.places)} pictures can be read; at least {FEWEST} are needed")
    name = f"{len(read.places):,} pictures of your own"
    return Others(name, joined(read.parts), read.places, read.digests, read.left_out)


@dataclass(frozen=True, eq=False)
class Taken:
    """Files of pictures, taken apart a few at a time.

    Attributes:
        parts: of those that can be read, in order.
        places: which of the files they are.
        digests: theirs.
        left_out: the others, and why.
    """

    parts: tuple[Decomposition, ...]
    places: tuple[int, ...]
    digests: tuple[str, ...]
    left_out: tuple[Unreadable, ...]


def take_apart(
    files: Iterable[Picture | Unreadable],
    count: int,
    backend: Backend,
    progress: Progress,
    check: Callable[[Decomposition], None] | None = None,
) -> Taken:
    """Take files of pictures apart, never holding many of them.

    Args:
        files: read one after the other.
        count: how many they are.
        backend: whose heads.
        progress: told the share that is done.
        check: shown the first of them, to refuse before all others are taken apart.
    """
    parts: list[Decomposition] = []
    read: list[tuple[int, str]] = []
    left_out: list[Unreadable] = []
    numbered = enumerate(files)
    while some := list(islice(numbered, AT_ONCE)):
        progress(min(1.0, some[0][0] / max(1, count)), "taking pictures apart")
        left_out += [one for _, one in some if isinstance(one, Unreadable)]
        readable = [(place, one) for place, one in some if isinstance(one, Picture)]
        if readable:
            parts.append(backend.decompose([one for _, one in readable]))
            if check is not None and len(parts) == 1:
                check(parts[0])
            read += [(place, one.digest) for place, one in readable]
    places, digests = zip(*read, strict=True) if read else ((), ())
    return Taken(tuple(parts), places, digests, tuple(left_out))


def names_of(files: PictureFiles) -> tuple[str, ...]:
    """The names of a set, of the made-up scenes where it is empty."""
    return files.names if len(files) else tuple(picture.name for picture in usual_pictures())


def named(files: PictureFiles, names: Sequence[str]) -> tuple[Picture, ...]:
    """Pictures of a set by name, of the made-up scenes where it is empty, as far as they can be read."""
    if not len(files):
        by_name = {picture.name: picture for picture in usual_pictures()}
        return tuple(by_name[name] for name in names if name in by_name)
    return tuple(one for one in files.read(names) if isinstance(one, Picture))


def some(files: PictureFiles, count: int, seed: int) -> tuple[Picture, ...]:
    """A few pictures of a set by chance, as far as they can be read; of the made-up scenes where it is empty."""
    names = names_of(files)
    dealt = np.random.default_rng([seed, 51]).permutation(len(names))[:count]
    return named(files, [names[place] for place in np.sort(dealt)])
