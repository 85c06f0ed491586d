"""Points and minus signs: they are no characters and are left out of numbers, whose value then is another."""

from itertools import pairwise

from hwtranscribe.constraint import Product, Range
from hwtranscribe.decode.search import Text
from hwtranscribe.types import CharBoxes

LEAST_POINT = 0.06
"""What is less wide and high than this, in heights of the digits beside it, is a speck."""
POINT_PLACE = 0.6
"""Where the middle of a point or comma is at least, from the top of these digits to their foot."""
MINUS_LENGTH, MINUS_ASPECT = 0.25, 1.5
"""Least length of a minus, in heights of the digit beside it, and least length to height."""
MINUS_PLACE = 0.2, 0.8
"""Where its middle is, from the top of that digit to its foot."""


def left_out(boxes: CharBoxes, best: Text, constraint: Product | None) -> str:
    """Return why the value of a number that has limits is not what its digits say; empty otherwise.

    A point before three digits, or six, parts thousands, and dashes on both sides of a number only fill the line.

    Args:
        boxes: The lattice.
        best: Its reading.
        constraint: Of the field.
    """
    if not boxes.marks.any() or constraint is None or not any(isinstance(part, Range) for part in constraint.parts):
        return ""
    count = len(best.edges)
    beside = enumerate(pairwise(best.edges), start=1)
    if any((count - at) % 3 and _has_point(boxes, before, after) for at, (before, after) in beside):
        return "a point or comma in the number is not read"
    if _has_dash(boxes, best.edges[0], before=True) and not _has_dash(boxes, best.edges[-1], before=False):
        return "a minus before the number is not read"
    return ""


def _has_point(boxes: CharBoxes, before: int, after: int) -> bool:
    """Whether a point or comma stands between two digits; the search may have taken it for a part of either."""
    left, top, right, bottom = boxes.boxes.T
    head, foot = boxes.boxes[[before, after]][:, [1, 3]].mean(axis=0)
    centre, centres = (left + right) / 2, boxes.boxes[[before, after]][:, [0, 2]].mean(axis=1)
    between = (boxes.start >= boxes.start[before]) & (boxes.end <= boxes.end[after])
    between &= (centre > centres[0]) & (centre < centres[1])
    no_speck = (right - left >= LEAST_POINT * (foot - head)) | (bottom - top >= LEAST_POINT * (foot - head))
    low = (top + bottom) / 2 >= head + POINT_PLACE * (foot - head)
    return bool((boxes.marks & between & no_speck & low).any())


def _has_dash(boxes: CharBoxes, digit: int, *, before: bool) -> bool:
    """Whether there is a dash somewhere before or behind a digit, halfway up."""
    there = boxes.end <= boxes.start[digit] if before else boxes.start >= boxes.end[digit]
    left, top, right, bottom = boxes.boxes[boxes.marks & there].T
    head, tall = boxes.boxes[digit, 1], boxes.boxes[digit, 3] - boxes.boxes[digit, 1]
    long = (right - left >= MINUS_LENGTH * tall) & (right - left >= MINUS_ASPECT * (bottom - top))
    middle = ((top + bottom) / 2 - head) / tall
    return bool((long & (middle >= MINUS_PLACE[0]) & (middle <= MINUS_PLACE[1])).any())
