"""Points and minus signs: they are no characters and are left out of numbers, whose value then is another."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int64

from hwtranscribe.constraint import Product, Range
from hwtranscribe.decode.search import Text
from hwtranscribe.types import CharBoxes

POINT_WIDTH, POINT_HEIGHT, LEAST_POINT = 0.35, 0.5, 0.06
"""Largest width and height of a point or comma, in heights of the digits beside it; what is smaller both ways than the
third is a speck."""
POINT_PLACE = 0.6
"""Where the middle of a point is at least, from the top of these digits to their foot."""
APART = 0.015
"""Least paper between it and its neighbours, in their heights: what is cut off touches."""
MINUS_LENGTH, MINUS_ASPECT = 0.25, 1.5
"""Least length of a minus, in heights of the digit behind it, and least length to height."""
MINUS_PLACE = 0.2, 0.8
"""Where its middle is, from the top of that digit to its foot."""


def left_out(boxes: CharBoxes, best: Text, constraint: Product | None) -> str:
    """Return what a number between two limits was read without and means less or more for it; empty otherwise.

    A point before three digits, or six, parts thousands, and dashes on both sides of a number only fill the line.

    Args:
        boxes: The lattice.
        best: Its reading.
        constraint: Of the field.
    """
    if boxes.cells or constraint is None or not any(isinstance(part, Range) for part in constraint.parts):
        return ""
    count = len(best.edges)
    beside = enumerate(pairwise(best.edges), start=1)
    if any((count - at) % 3 and _has_point(boxes, before, after) for at, (before, after) in beside):
        return "a point or comma in the number is not read"
    first, last = best.edges[0], best.edges[-1]
    before, behind = boxes.end <= boxes.start[first], boxes.start >= boxes.end[last]
    minus = _dashes(boxes, before, first).any() and not _dashes(boxes, behind, last).any()
    return "a minus before the number is not read" if minus else ""


def _has_point(boxes: CharBoxes, before: int, after: int) -> bool:
    """Whether a point or comma stands between two digits; the search may have taken it for a part of either."""
    pieces = np.flatnonzero(boxes.end - boxes.start == 1)
    mine = pieces[(boxes.start[pieces] >= boxes.start[before]) & (boxes.end[pieces] <= boxes.end[after])]
    alone = mine[_stand_apart(boxes, mine, pieces)]
    left, top, right, bottom = boxes.boxes[alone].T
    head, foot = boxes.boxes[[before, after]][:, [1, 3]].mean(axis=0)
    width, height = (right - left) / (foot - head), (bottom - top) / (foot - head)
    small = (width <= POINT_WIDTH) & (height <= POINT_HEIGHT) & (np.maximum(width, height) >= LEAST_POINT)
    low = (top + bottom) / 2 >= head + POINT_PLACE * (foot - head)
    centre, centres = (left + right) / 2, boxes.boxes[[before, after]][:, [0, 2]].mean(axis=1)
    return bool((small & low & (centre > centres[0]) & (centre < centres[1])).any())


def _stand_apart(
    boxes: CharBoxes, mine: Int64[np.ndarray, " m"], pieces: Int64[np.ndarray, " n"]
) -> Bool[np.ndarray, " m"]:
    """Which of some pieces have paper between them and all others, unlike those that were cut off.

    Args:
        boxes: The lattice.
        mine: Edges of single pieces.
        pieces: Edges of all single pieces.
    """
    left, right = boxes.extent[pieces].T
    own_left, own_right = boxes.extent[mine].T[:, :, None]
    apart = np.maximum(left - own_right, own_left - right) >= APART
    # A digit that leans may hang over a point.
    top, bottom = boxes.boxes[pieces][:, [1, 3]].T
    apart |= boxes.boxes[mine, 1][:, None] - bottom >= APART * (bottom - top)
    return (apart | (mine[:, None] == pieces)).all(axis=1)


def _dashes(boxes: CharBoxes, there: Bool[np.ndarray, " edges"], digit: int) -> Bool[np.ndarray, " edges"]:
    """Which of some edges are short level strokes beside a digit."""
    left, top, right, bottom = boxes.boxes.T
    head, tall = top[digit], bottom[digit] - top[digit]
    long = (right - left >= MINUS_LENGTH * tall) & (right - left >= MINUS_ASPECT * (bottom - top))
    middle = ((top + bottom) / 2 - head) / tall
    return there & long & (middle >= MINUS_PLACE[0]) & (middle <= MINUS_PLACE[1])
