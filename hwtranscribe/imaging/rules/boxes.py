"""Sides of boxes that writing stands upon: little of them is thin, but the other sides tell where they are."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64

from hwtranscribe.imaging.masks import Binary
from hwtranscribe.imaging.rules.candidates import Candidates, joined_with

DARK = 0.95
"""Share of a side that is dark where a box is closed."""

BARE = 0.15
"""Share of it that is hardly thicker than the side over against it: it is no dark area, and no stroke of a pen."""

REACH = 0.08
"""How far from one another two sides may end in a corner, as a share of the shortest free rule."""

LEAN = 0.01
"""By how much of its length a side may end beside where the other three say."""

MOST_CLOSED = 2000
"""Boxes that are looked at on a page; one with more open boxes is a pattern."""

_LOOKED_AT = 64
"""Places along a side by which it is found."""


def with_closing_sides(
    pieces: tuple[Candidates, Candidates], binary: Binary, side_px: float, length_px: int
) -> tuple[Candidates, Candidates]:
    """Return level and upright pieces, and the sides that close boxes of which two sides that meet are among them.

    Args:
        pieces: Level and upright ones.
        binary: 1 where dark.
        side_px: Shortest side of a box.
        length_px: Shortest rule that stands alone.
    """
    reach_px = max(3, round(REACH * length_px))
    known = [_Known(own) for own in pieces]
    found: tuple[list[Int64[np.ndarray, "_px 2"]], list[Int64[np.ndarray, "_px 2"]]] = ([], [])
    looked_at = 0
    for numbers, corner, far in _corners(pieces, side_px, reach_px):
        # As long as the sides over against them, from where those across end.
        spans = [(far[1 - own], far[1 - own] + far[own] - corner[own]) for own in (0, 1)]
        missing = [own for own in (0, 1) if not known[own].holds(*spans[own], reach_px)]
        if not missing:
            continue
        looked_at += 1
        if looked_at > MOST_CLOSED:
            break
        sides = [_side(binary, *spans[own], pieces[own], numbers[own], reach_px) for own in (0, 1)]
        if all(len(sides[own]) for own in missing):
            for own, px in enumerate(sides):
                if len(px):
                    found[own].append(px)
                    known[own].add(px)
    return joined_with(pieces[0], found[0]), joined_with(pieces[1], found[1])


def _corners(
    pieces: tuple[Candidates, Candidates], side_px: float, reach_px: int
) -> Iterator[tuple[tuple[int, int], list[Float64[np.ndarray, " 2"]], list[Float64[np.ndarray, " 2"]]]]:
    """Yield the numbers of a level and an upright piece that meet, and the ends of both: here, and far ones."""
    level, upright = (own.ends.reshape(-1, 2, 2).astype(float) for own in pieces)
    level_numbers, upright_numbers = (np.flatnonzero(own.length >= side_px) for own in pieces)
    for upright_end in (0, 1):
        across = upright[upright_numbers, upright_end]
        order = np.argsort(across[:, 0], kind="stable")
        across, numbers = across[order], upright_numbers[order]
        for level_end in (0, 1):
            for i in level_numbers.tolist():
                here = level[i, level_end]
                first, last = np.searchsorted(across[:, 0], [here[0] - reach_px, here[0] + reach_px + 0.5])
                for k in range(first, last):
                    if abs(across[k, 1] - here[1]) <= reach_px:
                        j = int(numbers[k])
                        yield (i, j), [here, across[k]], [level[i, 1 - level_end], upright[j, 1 - upright_end]]


class _Known:
    """Where pieces of one direction begin and end; in order, for there may be thousands."""

    def __init__(self, pieces: Candidates) -> None:
        order = np.argsort(pieces.ends[:, 0], kind="stable")
        self._ends, self._length = pieces.ends[order], pieces.length[order]
        self._more: list[list[int]] = []

    def holds(self, start: Float64[np.ndarray, " 2"], end: Float64[np.ndarray, " 2"], reach_px: int) -> bool:
        """Whether a piece runs from about one point to about another, and is not shorter."""
        wanted = np.sort(np.stack([start, end]), axis=0).ravel()
        least_px = np.abs(end - start).max() - reach_px
        first, last = np.searchsorted(self._ends[:, 0], [wanted[0] - 2 * reach_px, wanted[0] + 2 * reach_px + 0.5])
        near = np.abs(self._ends[first:last] - wanted).max(axis=1, initial=0) <= 2 * reach_px
        if (near & (self._length[first:last] >= least_px)).any():
            return True
        return bool(self._more) and bool((np.abs(np.array(self._more) - wanted).max(axis=1) <= 2 * reach_px).any())

    def add(self, px: Int64[np.ndarray, "px 2"]) -> None:
        """Take in another piece, by the rows and columns of its px."""
        (top, left), (bottom, right) = px.min(axis=0).tolist(), px.max(axis=0).tolist()
        self._more.append([left, top, right, bottom])


def _side(
    binary: Binary,
    start: Float64[np.ndarray, " 2"],
    end: Float64[np.ndarray, " 2"],
    like: Candidates,
    number: int,
    reach_px: int,
) -> Int64[np.ndarray, "px 2"]:
    """Return rows and columns of the px of a side from about one point to about another; none where there is no side.

    Args:
        binary: 1 where dark.
        start: x and y.
        end: x and y.
        like: Pieces of its direction.
        number: Of the one over against it, as thick as it is.
        reach_px: How far beyond those points it may go on.
    """
    # Rows of the picture run along the side, columns across.
    picture = binary if like.upright else binary.T
    points = (start[::-1], end[::-1]) if like.upright else (start, end)
    first, last = sorted(points, key=lambda point: float(point[0]))
    low, high = max(0, round(first[0])), min(len(picture) - 1, round(last[0]))
    thickness_px = max(1, round(float((like.owner == number).sum()) / int(like.length[number])))
    across = np.arange(thickness_px) - thickness_px // 2
    # From the first of the rows to the last, 0 to 1; a few of them tell where it lies.
    rows = np.arange(max(0, low - reach_px), min(len(picture), high + reach_px + 1))
    along = (rows - low) / max(1, high - low)
    some = np.linspace(low, high, min(high - low + 1, _LOOKED_AT)).astype(np.int64) - rows[0]
    lean_px = max(2, round(LEAN * (high - low)))
    shifts, leans = (sorted(range(-most, most + 1), key=abs) for most in (reach_px, lean_px))
    begin = first[1] + np.repeat(shifts, len(leans))
    lean = last[1] - first[1] + np.tile(leans, len(shifts))
    columns = np.round(begin[:, None] + lean[:, None] * along).astype(np.int64)
    fits = (columns.min(axis=1) + across[0] >= 2) & (columns.max(axis=1) + across[-1] + 2 < picture.shape[1])
    none = np.zeros((0, 2), np.int64)
    if not fits.any():
        return none
    columns = columns[fits]
    dark = picture[rows[some, None], columns[:, some, None] + across].mean(axis=(1, 2))
    columns = columns[dark.argmax()]
    inner = (rows >= low) & (rows <= high)
    middle = picture[rows, columns] > 0
    beside = picture[rows, columns + across[0] - 2] | picture[rows, columns + across[-1] + 2]
    if middle[inner].mean() < DARK or (middle & (beside == 0))[inner].mean() < BARE:
        return none
    # Up to the corners, as far as it goes on.
    before, after = (np.flatnonzero(~middle & beyond) for beyond in (rows < low, rows > high))
    whole = slice(before.max(initial=-1) + 1, after.min(initial=len(rows)))
    ys, xs = np.repeat(rows[whole], thickness_px), (columns[whole, None] + across).ravel()
    own = picture[ys, xs] > 0
    return np.column_stack([ys, xs] if like.upright else [xs, ys])[own]
