"""Where the writing of a field is: boxes are drawn by eye, and writing strays.

A box that cuts a line of writing in two is moved over that line; one that holds its writing, or several lines of it,
stays as it is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.types import AlignedPage, Box

REACH = 0.8
"""Writing is looked for this far above and below a field, in field heights."""

INK = 112
"""Ink from which on a px belongs to a stroke."""


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


def written_box(aligned: AlignedPage, box: Box) -> Box:
    """Return the box of a field moved up or down to the line of writing that it was meant for.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    reach_px = round(REACH * height_px)
    page_height, page_width = aligned.ink.shape
    x0, x1 = max(0, left), min(page_width, right)
    y0, y1 = max(0, top - reach_px), min(page_height, bottom + reach_px)
    if x1 <= x0 or y1 <= y0:
        return box
    rows = _rows(np.ascontiguousarray(aligned.ink[y0:y1, x0:x1]), top - y0, bottom - y0)
    if not rows:
        return box
    # What lies wholly inside is this field's, unless it is but a scrap of a neighbour.
    held = [row for row in rows if row.inside >= 0.75 * row.area]
    best = max(rows, key=lambda row: row.inside)
    if best in held or any(row.area >= 0.5 * rows[0].area for row in held):
        return box
    if best.inside < 0.15 * best.area or best.bottom - best.top > 1.2 * height_px:
        return box
    spare_px = max(0, height_px - (best.bottom - best.top)) // 2
    shift_px = (best.top - spare_px + y0 - top) if best.top + y0 < top else (best.bottom + spare_px + y0 - bottom)
    return left, top + shift_px, right, bottom + shift_px


def _rows(ink: UInt8[np.ndarray, "height width"], top: int, bottom: int) -> list[_Row]:
    """Return the rows that the components of ink form, the one with most ink first.

    Args:
        ink: The surroundings of a field.
        top: Upper end of the field in it.
        bottom: Lower end.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((ink > INK).astype(np.uint8), connectivity=8)
    inside = np.bincount(labels[max(0, top) : bottom].ravel(), minlength=count)
    tall = [k for k in range(1, count) if stats[k, cv2.CC_STAT_HEIGHT] >= 0.2 * (bottom - top)]
    # Writing that the neighbourhood cuts off belongs to another line.
    whole = [
        k
        for k in tall
        if stats[k, cv2.CC_STAT_TOP] > 0 and stats[k, cv2.CC_STAT_TOP] + stats[k, cv2.CC_STAT_HEIGHT] < ink.shape[0]
    ]
    rows: list[_Row] = []
    for k in sorted(whole, key=lambda k: -stats[k, cv2.CC_STAT_AREA]):
        first = int(stats[k, cv2.CC_STAT_TOP])
        last = first + int(stats[k, cv2.CC_STAT_HEIGHT])
        for row in rows:
            shared = min(last, row.bottom) - max(first, row.top)
            if shared > 0.5 * min(last - first, row.bottom - row.top):
                row.top, row.bottom = min(row.top, first), max(row.bottom, last)
                row.area += int(stats[k, cv2.CC_STAT_AREA])
                row.inside += int(inside[k])
                break
        else:
            rows.append(_Row(first, last, int(stats[k, cv2.CC_STAT_AREA]), int(inside[k])))
    return sorted(rows, key=lambda row: -row.area)
