r"""Ways to move two clouds, and what becomes of every similarity without another product of matrices.

A move takes x_i to x'_i = (x_i - t) a_i and y_j to y'_j = (y_j - v) b_j, with a_i and b_j such that both are unit
rows again. Then

    x'_i . y'_j = (x_i . y_j + p_i + q_j + k) a_i b_j,    p_i = -x_i . v,  q_j = -t . y_j,  k = t . v

so the moved similarities are those of before with one addend and one factor a row and a column: one product serves
every move. Taking dimensions D out is x_i -> x_i without D, for which the product of these few columns is taken
off.

    shift (Liang 2022)   t = delta/2 u, v = -delta/2 u, with u the unit gap: delta > 0 brings the clouds together
    one side alone       t = delta u, or v = -delta u
    centring             t = mean of x, v = mean of y
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probes.core.model import Float32
from probes.modality_gap.rows import mean, normalised

Float64 = NDArray[np.float64]


SHIFT = "shift"


@dataclass(frozen=True, eq=False)
class Move:
    """What is done to both clouds.

    Attributes:
        name: a key, such as `texts`.
        image_offset, text_offset: t and v, (d,).
        dropped: dimensions that are set to zero first.
    """

    name: str
    image_offset: Float64
    text_offset: Float64
    dropped: tuple[int, ...] = ()

    def images(self, rows: Float32) -> Float32:
        """Pictures (n, d) where the move takes them, unit rows."""
        return self._moved(rows, self.image_offset)

    def texts(self, rows: Float32) -> Float32:
        """Captions (n, d) where the move takes them, unit rows."""
        return self._moved(rows, self.text_offset)

    def _moved(self, rows: Float32, offset: Float64) -> Float32:
        moved = rows - offset.astype(np.float32)
        moved[:, list(self.dropped)] = 0
        return normalised(moved)


@dataclass(frozen=True, eq=False)
class Affine:
    """The addends and factors of a move for given rows; see the module.

    Attributes:
        p, a: of the rows of similarities, (n,).
        q, b: of the columns, (m,); k is in q.
        images, texts: the columns to take off, (n, r) and (m, r); r is 0 where no dimension is dropped.
    """

    p: Float32
    a: Float32
    q: Float32
    b: Float32
    images: Float32
    texts: Float32

    @classmethod
    def of(cls, moves: Sequence[Move], images: Float32, texts: Float32) -> list[Affine]:
        """Of several moves, for unit rows (n, d) and (m, d); one product takes all rows along all offsets."""
        t, v = (np.stack([getattr(move, side) for move in moves]) for side in ("image_offset", "text_offset"))
        for row, move in enumerate(moves):
            t[row, list(move.dropped)] = v[row, list(move.dropped)] = 0
        both = np.concatenate([t, v]).T.astype(np.float32)
        x, y = (np.asarray(rows @ both, dtype=np.float64) for rows in (images, texts))
        count = len(moves)
        return [
            cls._of(
                move,
                images,
                texts,
                (-x[:, count + k], -y[:, k] + t[k] @ v[k]),
                (t[k] @ t[k] - 2 * x[:, k], v[k] @ v[k] - 2 * y[:, count + k]),
            )
            for k, move in enumerate(moves)
        ]

    @classmethod
    def _of(
        cls,
        move: Move,
        images: Float32,
        texts: Float32,
        addends: tuple[Float64, Float64],
        grown: tuple[Float64, Float64],
    ) -> Affine:
        """From the addends of rows and columns, and by how much the squared lengths of both grew."""
        dropped = list(move.dropped)
        out = images[:, dropped], texts[:, dropped]
        factors = [
            1 / np.sqrt(np.maximum(1 + more - np.square(gone).sum(axis=1), 1e-12))
            for more, gone in zip(grown, out, strict=True)
        ]
        p, q, a, b = (np.asarray(part, dtype=np.float32) for part in (*addends, *factors))
        return cls(p, a, q, b, *out)


def gaps(moves: Sequence[Move], images: Float32, texts: Float32, direction: Float64) -> list[float]:
    """The gap of rows (n, d) after each move: signed along `direction` for a shift, else its length.

    The mean of x'_i = (x_i - t) a_i is (sum a_i x_i - t sum a_i) / n, so that no row is moved.
    """
    parts = Affine.of(moves, images, texts)
    x = np.stack([part.a for part in parts]) @ images
    y = np.stack([part.b for part in parts]) @ texts
    found = []
    for move, part, xs, ys in zip(moves, parts, x.astype(np.float64), y.astype(np.float64), strict=True):
        total = xs - move.image_offset * part.a.sum(dtype=np.float64)
        total -= ys - move.text_offset * part.b.sum(dtype=np.float64)
        total[list(move.dropped)] = 0
        length = total @ direction if move.name == SHIFT else np.linalg.norm(total)
        found.append(float(length) / len(images))
    return found


def shift(direction: Float64, delta: float) -> Move:
    """Both clouds moved along the unit gap, by half of `delta` each."""
    return Move(SHIFT, delta / 2 * direction, -delta / 2 * direction)


def interventions(images: Float32, texts: Float32, direction: Float64, gap: float, most: int) -> Sequence[Move]:
    """What else can be done to two clouds, nothing first.

    Args:
        images, texts: (n, d) unit rows, of which means and gap dimensions are taken.
        direction, gap: the unit gap (d,), and how wide it is.
        most: largest number of dimensions to drop; 1, 4, 16, ... are.
    """
    nothing = np.zeros(len(direction))
    step = gap * direction
    order = np.argsort(-np.abs(direction), kind="stable")
    counts = [4**power for power in range(6) if 4**power <= min(most, len(direction) - 2)]
    return (
        Move("none", nothing, nothing),
        Move("both", step / 2, -step / 2),
        Move("images", step, nothing),
        Move("texts", nothing, -step),
        Move("centred", mean(images), mean(texts)),
        *(Move(f"drop_{count}", nothing, nothing, tuple(int(d) for d in order[:count])) for count in counts),
    )
