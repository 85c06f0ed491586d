"""Fields that are written on a rule: a box that was drawn by eye may lie below it, on the next line of print."""

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.segment.cells.lines import merged
from hwtranscribe.types import AlignedPage, Box

ALONG = 0.7
"""A rule runs along this share of a field."""

OWN_RULE = 0.35
"""A rule so far below a box, or less far above its lower side, is the one that the field is written on."""

NEXT_RULE = 0.4
"""Without one, a rule so far above or below the upper side of the box may be."""

LOOKED_AT = 0.4
"""So far above and below that rule it is seen where there is room to write. All in heights of the box."""

PRINTED, FREE = 0.5, 0.25
"""Share of the columns with print on the side where nobody writes, and on the other."""


def above_its_rule(blank: AlignedPage, box: Box) -> Box:
    """Return the box of a field; moved up where it lies on print below the rule that the field is written on.

    Args:
        blank: The blank form.
        box: Of the field, aligned px.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    first = max(0, top - height_px)
    if blank.printing is None or blank.rules is None or height_px < 8 or right - left < 8:
        return box
    window = slice(first, bottom + height_px), slice(left, right)
    # A rule that climbs a px or two over the field fills the rows around it as well.
    along = cv2.dilate(np.ascontiguousarray(blank.rules[window]), np.ones((3, 1), np.uint8)).mean(axis=1)
    rows = np.round(merged(np.flatnonzero(along >= ALONG).astype(np.float32), 1)).astype(int) + first
    if (np.abs(rows - bottom) <= OWN_RULE * height_px).any():
        return box
    near = rows[np.abs(rows - top) <= NEXT_RULE * height_px]
    if not len(near):
        return box
    rule = int(near[-1])
    dark, at = blank.printing[window].astype(np.uint8), rule - first
    reach_px, clear_px = round(LOOKED_AT * height_px), max(2, round(0.1 * height_px))
    room = _printed(dark[max(0, at - reach_px) : at - clear_px])
    if room > FREE or _printed(dark[at + clear_px : at + reach_px]) < PRINTED:
        return box
    foot = rule + round(0.1 * height_px)
    return left, foot - height_px, right, foot


def _printed(dark: UInt8[np.ndarray, "height width"]) -> float:
    """Share of the columns that have print, small gaps between letters included."""
    if not dark.size:
        return 0.0
    columns = dark.max(axis=0, keepdims=True)
    return float(cv2.morphologyEx(columns, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8)).mean())
