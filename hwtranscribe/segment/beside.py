"""Writing beside a field that belongs to no field: what ran over its end, or was corrected next to it."""

from collections.abc import Sequence

import cv2
import numpy as np

from hwtranscribe.imaging.masks import above
from hwtranscribe.segment.place import INK
from hwtranscribe.types import AlignedPage, Box

REACH = 0.8
"""How far from an end of a field writing may begin that ran over it, in field heights."""
TALL, ROOM = 0.3, 0.25
"""Least height of a character, and how far above and below a field it is followed, in field heights."""
BESIDE = "there is writing beside it that belongs to no field"
"""Why such a field is for review."""


def has_writing_beside(aligned: AlignedPage, box: Box, others: Sequence[Box]) -> bool:
    """Return whether characters stand wholly or for the most part beyond an end of a field, and in no other field.

    Only where a blank form is known: what is printed beside a field looks like writing otherwise.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
        others: Boxes of all fields of the page; its own does not count.
    """
    if aligned.printing is None:
        return False
    left, top, right, bottom = box
    height_px = bottom - top
    reach_px, room_px = round(2 * REACH * height_px), round(ROOM * height_px)
    x, y = max(0, left - reach_px), max(0, top - room_px)
    ink = above(np.ascontiguousarray(aligned.ink[y : bottom + room_px, x : right + reach_px]), INK)
    if not ink.any():
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    for start, upper, width, tall, _ in (stats[1:] + (x, y, 0, 0, 0)).tolist():
        end, middle_x, middle_y = start + width, start + width / 2, upper + tall / 2
        if tall < TALL * height_px or not top < middle_y < bottom or left <= middle_x < right:
            continue
        if max(left - end, start - right) > REACH * height_px:
            continue
        if not any(one[0] <= middle_x < one[2] and one[1] <= middle_y < one[3] for one in others):
            return True
    return False
