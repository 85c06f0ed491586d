"""Writing beside a field that belongs to no field: what ran over its end, or was corrected next to it."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from hwtranscribe.imaging.masks import above
from hwtranscribe.segment.place import INK
from hwtranscribe.types import AlignedPage, Box

REACH = 0.8
"""How far from an end of a field writing may begin that ran over it, in field heights."""
TALL, ROOM = 0.3, 0.25
"""Least height of a character, and how far above and below a field it is followed, in field heights."""
MARK, MARK_REACH = 0.5, 1.0
"""Least length of a mark beside a check box, and how far off its middle may be, in sides of the box."""
BESIDE = "there is writing beside it that belongs to no field"
"""Why such a field is for review."""


def has_writing_beside(aligned: AlignedPage, box: Box, others: Sequence[Box], blank: bool) -> bool:
    """Return whether characters stand wholly or for the most part beyond an end of a field, and in no other field.

    Of a field that seems to be blank, also whether they stand above or below it.

    Only where a blank form is known: what is printed beside a field looks like writing otherwise.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
        others: Boxes of all fields of the page; its own does not count.
        blank: Whether nothing was found in it.
    """
    if aligned.printing is None:
        return False
    left, top, right, bottom = box
    height_px = bottom - top
    reach_px = REACH * height_px
    # Mostly there is none, and that is soon seen.
    x, rows = max(0, left - round(2 * reach_px)), slice(max(0, top), bottom)
    beyond = aligned.ink[rows, x : max(0, left)], aligned.ink[rows, right : right + round(2 * reach_px)]
    if not blank and max(int(side.max(initial=0)) for side in beyond) <= INK:
        return False
    for one in _nobodys(aligned, box, (2 * reach_px, (2 * REACH if blank else ROOM) * height_px), others):
        middle_x, middle_y = (one[0] + one[2]) / 2, (one[1] + one[3]) / 2
        if one[3] - one[1] < TALL * height_px:
            continue
        across, down = max(left - middle_x, middle_x - right), max(top - middle_y, middle_y - bottom)
        if down < 0 <= across and max(left - one[2], one[0] - right) <= reach_px:
            return True
        if blank and across < 0 <= down <= reach_px:
            return True
    return False


def has_mark_beside(aligned: AlignedPage, box: Box, others: Sequence[Box]) -> bool:
    """Return whether a mark stands around a check box or right beside it, and in no other field.

    Only where a blank form is known, as above.

    Args:
        aligned: The page.
        box: Of the check box, aligned px.
        others: Boxes of all fields of the page; its own does not count.
    """
    if aligned.printing is None:
        return False
    left, top, right, bottom = box
    side_px = min(right - left, bottom - top)
    for one in _nobodys(aligned, box, (2 * side_px, 2 * side_px), [other for other in others if other != box]):
        around = one[0] < left and one[1] < top and one[2] > right and one[3] > bottom
        middle_x, middle_y = (one[0] + one[2]) / 2, (one[1] + one[3]) / 2
        off_px = max(left - middle_x, middle_x - right, top - middle_y, middle_y - bottom)
        large = max(one[2] - one[0], one[3] - one[1]) >= MARK * side_px
        if around or (large and 0 < off_px <= MARK_REACH * side_px):
            return True
    return False


def _nobodys(
    aligned: AlignedPage, box: Box, reach_px: tuple[float, float], others: Sequence[Box]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the boxes of the pieces of ink in and around a box whose middle is in none of some others.

    Args:
        aligned: The page.
        box: Aligned px.
        reach_px: How far around it, across and down.
        others: Boxes of fields.
    """
    left, top, right, bottom = box
    across, down = (round(px) for px in reach_px)
    x, y = max(0, left - across), max(0, top - down)
    ink = above(np.ascontiguousarray(aligned.ink[y : bottom + down, x : right + across]), INK)
    if not ink.any():
        return
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    for start, upper, width, tall, _ in (stats[1:] + (x, y, 0, 0, 0)).tolist():
        middle_x, middle_y = start + width / 2, upper + tall / 2
        if not any(one[0] <= middle_x < one[2] and one[1] <= middle_y < one[3] for one in others):
            yield start, upper, start + width, upper + tall
