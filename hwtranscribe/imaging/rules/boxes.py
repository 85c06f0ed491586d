"""Sides of boxes that writing stands upon: little of them is thin, but the other sides tell where they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product

import numpy as np
from jaxtyping import Float64, Int64

from hwtranscribe.imaging.masks import Binary
from hwtranscribe.imaging.rules.candidates import Candidates, joined_with

DARK = 0.95
"""Share of a side that is dark where a box is closed."""

BARE = 0.15
"""Share of it that is hardly thicker than the side over against it: it is no dark area, and no stroke of a pen."""

REACH = 0.08
"""How far from one another two sides may end that belong to one box, and how far from where others say a side is looked
for; as a share of the shortest free rule."""

CORNER = 0.05
"""Sides whose ends are so near make a corner, and one that ends so near where a side is wanted is that side."""

LEAN = 0.01
"""By how much of its length a side may end beside where the other three say."""

MOST_CLOSED = 2000
"""Boxes that are looked at on a page; one with more open boxes is a pattern."""

MOST_BETWEEN = 400
"""Other pieces of their direction, all over the page, that may lie between two that face each other."""

_LOOKED_AT = 64
"""Places along a side by which it is found."""


def corner_reach_px(length_px: int) -> int:
    """How far apart the ends of sides may be that make a corner, px, for a shortest free rule."""
    return max(2, round(CORNER * length_px))


def with_closing_sides(
    pieces: tuple[Candidates, Candidates], binary: Binary, side_px: float, length_px: int
) -> tuple[Candidates, Candidates]:
    """Return level and upright pieces, and the sides that close boxes of which two sides are among them.

    Args:
        pieces: Level and upright ones.
        binary: 1 where dark.
        side_px: Shortest side of a box.
        length_px: Shortest rule that stands alone.
    """
    reach_px, corner_px = max(3, round(REACH * length_px)), corner_reach_px(length_px)
    known = [_Known(own) for own in pieces]
    found: tuple[list[Int64[np.ndarray, "_px 2"]], list[Int64[np.ndarray, "_px 2"]]] = ([], [])
    looked_at = 0
    for wanted in chain(_from_corners(pieces, side_px, reach_px), _from_facing(pieces, side_px, reach_px)):
        there = [known[side.upright].holds(side, corner_px) for side in wanted]
        if all(there):
            continue
        looked_at += 1
        if looked_at > MOST_CLOSED:
            break
        sides = [_px_of(side, binary, reach_px) for side in wanted]
        if all(known_before or len(px) for known_before, px in zip(there, sides, strict=True)):
            # Of a side that is known, too: pieces of it may end elsewhere.
            for side, px in zip(wanted, sides, strict=True):
                if len(px):
                    found[side.upright].append(px)
                    known[side.upright].add(px)
    return joined_with(pieces[0], found[0]), joined_with(pieces[1], found[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Where a side of a box must be.

    Attributes:
        upright: Whether it is vertical.
        start: x and y of one end.
        end: Of the other.
        thickness_px: Of the other sides.
    """

    upright: bool
    start: Float64[np.ndarray, " 2"]
    end: Float64[np.ndarray, " 2"]
    thickness_px: int


def _from_corners(pieces: tuple[Candidates, Candidates], side_px: float, reach_px: int) -> Iterator[list[_Side]]:
    """Yield the two sides over against a level and an upright one that meet in a corner."""
    level, upright = (own.ends.reshape(-1, 2, 2).astype(float) for own in pieces)
    level_numbers, upright_numbers = (np.flatnonzero(own.length >= side_px) for own in pieces)
    for upright_end in (0, 1):
        across = upright[upright_numbers, upright_end]
        order = np.argsort(across[:, 0], kind="stable")
        across, numbers = across[order], upright_numbers[order]
        for level_end, i in product((0, 1), level_numbers.tolist()):
            here, there = level[i, level_end], level[i, 1 - level_end]
            first, last = np.searchsorted(across[:, 0], [here[0] - reach_px, here[0] + reach_px + 0.5])
            for k in range(first, last):
                if abs(across[k, 1] - here[1]) <= reach_px:
                    # As long as those over against them, from where those across end.
                    j = int(numbers[k])
                    down = upright[j, 1 - upright_end]
                    yield [
                        _Side(False, down, down + there - here, _thickness_px(pieces[0], i)),
                        _Side(True, there, there + down - across[k], _thickness_px(pieces[1], j)),
                    ]


def _from_facing(pieces: tuple[Candidates, Candidates], side_px: float, reach_px: int) -> Iterator[list[_Side]]:
    """Yield the two sides between two that face each other, from end to end."""
    for own in (0, 1):
        numbers = np.flatnonzero(pieces[own].length >= side_px)
        ends = pieces[own].ends[numbers].reshape(-1, 2, 2).astype(float)
        place = ends[:, 0, 1 - own]
        order = np.argsort(place, kind="stable")
        numbers, ends, place = numbers[order], ends[order], place[order]
        for k in range(len(numbers)):
            aside = np.abs(ends[k + 1 : k + 1 + MOST_BETWEEN, :, own] - ends[k, :, own]).max(axis=1)
            facing = np.flatnonzero(aside <= reach_px)
            if len(facing) and place[k + 1 + facing[0]] - place[k] >= side_px:
                other, thickness_px = ends[k + 1 + facing[0]], _thickness_px(pieces[own], int(numbers[k]))
                yield [_Side(not own, ends[k, end], other[end], thickness_px) for end in (0, 1)]


def _thickness_px(pieces: Candidates, number: int) -> int:
    return max(1, round(float((pieces.owner == number).sum()) / int(pieces.length[number])))


class _Known:
    """Where pieces of one direction begin and end; in order, for there may be thousands."""

    def __init__(self, pieces: Candidates) -> None:
        order = np.argsort(pieces.ends[:, 0], kind="stable")
        self._ends, self._length = pieces.ends[order], pieces.length[order]
        self._more: list[list[int]] = []

    def holds(self, side: _Side, corner_px: int) -> bool:
        """Whether a piece runs from corner to corner."""
        wanted = np.sort(np.stack([side.start, side.end]), axis=0).ravel()
        first, last = np.searchsorted(self._ends[:, 0], [wanted[0] - corner_px, wanted[0] + corner_px + 0.5])
        near = np.abs(self._ends[first:last] - wanted).max(axis=1, initial=0) <= corner_px
        if (near & (self._length[first:last] >= np.abs(side.end - side.start).max() - 2 * corner_px)).any():
            return True
        return bool(self._more) and bool((np.abs(np.array(self._more) - wanted).max(axis=1) <= corner_px).any())

    def add(self, px: Int64[np.ndarray, "px 2"]) -> None:
        """Take in another piece, by the rows and columns of its px."""
        (top, left), (bottom, right) = px.min(axis=0).tolist(), px.max(axis=0).tolist()
        self._more.append([left, top, right, bottom])


def _px_of(side: _Side, binary: Binary, reach_px: int) -> Int64[np.ndarray, "px 2"]:
    """Return rows and columns of the px of a side; none where there is no side.

    Args:
        side: From about where to about where it runs.
        binary: 1 where dark.
        reach_px: How far beyond those points it may go on.
    """
    # Rows of the picture run along the side, columns across.
    picture = binary if side.upright else binary.T
    points = (side.start[::-1], side.end[::-1]) if side.upright else (side.start, side.end)
    first, last = sorted(points, key=lambda point: float(point[0]))
    low, high = max(0, round(first[0])), min(len(picture) - 1, round(last[0]))
    across = np.arange(side.thickness_px) - side.thickness_px // 2
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
    ys, xs = np.repeat(rows[whole], side.thickness_px), (columns[whole, None] + across).ravel()
    own = picture[ys, xs] > 0
    return np.column_stack([ys, xs] if side.upright else [xs, ys])[own]
