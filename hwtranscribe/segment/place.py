"""Where the writing of a field is: boxes are drawn by eye, and writing strays.

A box that cuts a line of writing in two is moved over that line, and made wider by characters that stick out at its
ends; one that holds its writing, or several lines of it, stays as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.imaging.masks import above, places
from hwtranscribe.types import AlignedPage, Box

REACH = 0.8
"""Writing is looked for this far above and below a field, in field heights."""

INK = 112
"""Ink from which on a px belongs to a stroke."""


ONE_LINE = 2.4
"""A field is for one line when it is less high than this many heights of its writing."""


@dataclass(slots=True)
class _Row:
    """A row of components.

    Attributes:
        top: Upper end, px.
        bottom: Lower end.
        area: Ink, px.
        inside: Ink inside the field's box.
    """

    top: int
    bottom: int
    area: int
    inside: int


@dataclass(slots=True)
class _Piece:
    """A component of ink near a field.

    Attributes:
        left, top, right, bottom: Its box, px.
        area: Ink, px.
        inside: Ink inside the field's box.
        across: Ink between the field's left and right end.
        row: Of which it is a part.
    """

    left: int
    top: int
    right: int
    bottom: int
    area: int
    inside: int
    across: int
    row: _Row | None = None


def written_box(aligned: AlignedPage, box: Box) -> Box:
    """Return the box of a field moved and widened to the line of writing that it was meant for.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    reach_px = round(REACH * height_px)
    page_height, page_width = aligned.ink.shape
    x0, x1 = max(0, left - reach_px), min(page_width, right + reach_px)
    y0, y1 = max(0, top - reach_px), min(page_height, bottom + reach_px)
    if x1 <= x0 or y1 <= y0:
        return box
    pieces = _pieces(np.ascontiguousarray(aligned.ink[y0:y1, x0:x1]), (left - x0, top - y0, right - x0, bottom - y0))
    rows = _rows(pieces)
    if not rows:
        return box
    row = max(rows, key=lambda row: row.inside)
    tall_px = row.bottom - row.top
    others = max((other.inside for other in rows if other is not row), default=0)
    held = row.inside >= 0.75 * row.area
    if not held and any(o.inside >= 0.75 * o.area and o.area >= 0.5 * row.area for o in rows):
        return box
    if row.inside < 0.15 * row.area or tall_px > 1.2 * height_px:
        return box
    if not held:
        spare_px = max(0, height_px - tall_px) // 2
        shift_px = row.top - spare_px + y0 - top if row.top + y0 < top else row.bottom + spare_px + y0 - bottom
        top, bottom = top + shift_px, bottom + shift_px
    elif others and row.inside >= 2 * others and height_px <= ONE_LINE * tall_px:
        # Room for one line: a scrap of the next line that lies in the box is not this field's.
        top, bottom = row.top + y0 - round(0.2 * tall_px), row.bottom + y0 + round(0.2 * tall_px)
    ends = [p for p in pieces if p.row is row and 0.2 * p.area <= p.across < p.area]
    left = min([left, *(p.left + x0 for p in ends)])
    right = max([right, *(p.right + x0 for p in ends)])
    return left, top, right, bottom


def _pieces(ink: UInt8[np.ndarray, "height width"], box: Box) -> list[_Piece]:
    """Return the components of ink that may be characters of a field, the largest first.

    Args:
        ink: The surroundings of a field.
        box: Of the field in them.
    """
    left, top, right, bottom = box
    binary = above(ink, INK)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    ys, xs = places(binary)
    owner = labels[ys, xs]
    between = (xs >= left) & (xs < right)
    across = np.bincount(owner[between], minlength=count)
    within = np.bincount(owner[between & (ys >= top) & (ys < bottom)], minlength=count)
    result = []
    for k in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[k])
        # Writing that the neighbourhood cuts off belongs to another line.
        if height >= 0.2 * (bottom - top) and y > 0 and y + height < ink.shape[0] and across[k] >= 0.2 * area:
            result.append(_Piece(x, y, x + width, y + height, area, int(within[k]), int(across[k])))
    return sorted(result, key=lambda piece: -piece.area)


def _rows(pieces: list[_Piece]) -> list[_Row]:
    """Return the rows that pieces form, and note in every piece which is its."""
    rows: list[_Row] = []
    for piece in pieces:
        for row in rows:
            shared = min(piece.bottom, row.bottom) - max(piece.top, row.top)
            if shared > 0.5 * min(piece.bottom - piece.top, row.bottom - row.top):
                row.top, row.bottom = min(row.top, piece.top), max(row.bottom, piece.bottom)
                row.area += piece.area
                row.inside += piece.inside
                break
        else:
            row = _Row(piece.top, piece.bottom, piece.area, piece.inside)
            rows.append(row)
        piece.row = row
    return rows
