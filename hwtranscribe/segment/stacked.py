"""The lines of writing in one free field, such as a box for remarks.

Only what stands clearly over one another is parted: a line that climbs, accents, tails, underlines and characters of
different heights make no second line.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int32

from hwtranscribe.segment.components import Components

BODY = (0.6, 1.75)
"""Least and most height of what tells where lines are, in usual heights of characters: no accents, and nothing that may
reach over two lines."""

APART, CENTRES = 0.45, 0.8
"""Least step in height from the characters of one line to those of the next, and least distance of the middles of the
lines, both in usual heights."""

NEAR, CLEAR = 1.0, -0.1
"""Characters of two lines, no further apart across than the first, have at least the second of paper between them,
both in usual heights; less than nothing is some overlap."""

TORN = 0.12
"""Most paper, in usual heights, between a character and its lower part that a frame or rule tore off."""

NEXT, TELLING, STEEPEST = 2.5, 3.0, 0.3
"""Widest paper between neighbours on a line and least distance of two characters that tell how it climbs, both in usual
heights; and most that it climbs or falls, px per px."""

SHARED = 0.35
"""Least share of the heights of two lines over which something reaches that may be of both."""

JOINED_LINES = "lines of writing in it are joined"
"""Why a field is for review whose lines can't be told apart for certain."""


def stacked_lines(components: Components, mine: Int32[np.ndarray, " n"]) -> tuple[list[Int32[np.ndarray, " _k"]], str]:
    """Return the components of each line of a field, top to bottom, and why they may be parted wrongly, or nothing.

    Every component is in one of the lines.

    Args:
        components: Of the field and its surroundings.
        mine: 0-based components of the field; at least one.
    """
    sides = components.left, components.top, components.right, components.bottom
    boxes = np.stack([side[mine] for side in sides], axis=1).astype(float)
    heights_px = boxes[:, 3] - boxes[:, 1]
    usual_px = _usual_height_px(heights_px, components.area[mine])
    high = heights_px >= BODY[0] * usual_px
    body = high & (heights_px <= BODY[1] * usual_px) & ~_torn_off(boxes, boxes[high], usual_px)
    if np.count_nonzero(body) < 2:
        return [mine], ""
    # Level, lines are told by height alone.
    boxes[:, [1, 3]] -= _slope(boxes[body], usual_px) * boxes[:, [0, 2]].mean(axis=1, keepdims=True)
    lines = _lines(boxes[body], usual_px)
    if len(lines) < 2:
        return [mine], JOINED_LINES if _are_stacked(boxes[body], usual_px) else ""
    upper, lower = lines.T
    top, bottom = boxes[:, 1:2], boxes[:, 3:4]
    # Accents hang higher over their letters than anything hangs under them.
    line = np.argmin(np.maximum(upper - bottom, 2 * (top - lower)), axis=1)
    reaches = np.minimum(bottom, lower) - np.maximum(top, upper) >= SHARED * (lower - upper)
    joined = (np.count_nonzero(reaches, axis=1) > 1).any()
    return [mine[line == k] for k in range(len(lines))], JOINED_LINES if joined else ""


def _usual_height_px(heights_px: Float64[np.ndarray, " n"], area: Int32[np.ndarray, " n"]) -> float:
    """The height that half of the ink is lower than; specks and underlines, however many or long, count for little."""
    order = np.argsort(heights_px)
    sums = np.cumsum(np.minimum(area, heights_px**2)[order])
    return float(heights_px[order][np.searchsorted(sums, 0.5 * sums[-1])])


def _torn_off(
    boxes: Float64[np.ndarray, "n 4"], high: Float64[np.ndarray, "m 4"], usual_px: float
) -> Bool[np.ndarray, " n"]:
    """Which components seem to be the lower part of one of the high ones."""
    beside = (boxes[:, None, 0] < high[:, 2]) & (high[:, 0] < boxes[:, None, 2])
    return (beside & (np.abs(boxes[:, None, 1] - high[:, 3]) <= TORN * usual_px)).any(axis=1)


def _slope(boxes: Float64[np.ndarray, "n 4"], usual_px: float) -> float:
    """How steeply lines fall, px per px: as pairs of characters on a chain of neighbours say, most of all far ones.

    Args:
        boxes: Of characters.
        usual_px: Their usual height.
    """
    left, top, right, bottom = boxes.T
    chain = np.arange(len(boxes))
    for i in np.argsort(left):
        shared = np.minimum(bottom, bottom[i]) - np.maximum(top, top[i])
        gap = left - right[i]
        follows = (shared >= 0.5 * np.minimum(bottom - top, bottom[i] - top[i])) & (gap <= NEXT * usual_px)
        follows &= left > left[i]
        if follows.any():
            nearest = np.flatnonzero(follows)[np.argmin(gap[follows])]
            chain[chain == chain[nearest]] = chain[i]
    x, y = (left + right) / 2, (top + bottom) / 2
    one, two = np.triu_indices(len(boxes), 1)
    told = (chain[one] == chain[two]) & (np.abs(x[two] - x[one]) >= TELLING * usual_px)
    if not told.any():
        return 0.0
    across, down = (x[two] - x[one])[told], (y[two] - y[one])[told]
    order = np.argsort(down / across)
    sums = np.cumsum(np.abs(across)[order])
    return float(np.clip((down / across)[order][np.searchsorted(sums, 0.5 * sums[-1])], -STEEPEST, STEEPEST))


def _lines(boxes: Float64[np.ndarray, "n 4"], usual_px: float) -> Float64[np.ndarray, "lines 2"]:
    """Upper and lower ends of the lines that level characters stand in, top to bottom."""
    middles = boxes[:, [1, 3]].mean(axis=1)
    order = np.argsort(middles)
    steps = np.flatnonzero(np.diff(middles[order]) >= APART * usual_px) + 1
    lines: list[Float64[np.ndarray, "_k 4"]] = []
    for group in np.split(boxes[order], steps):
        if lines and not _is_under(group, lines[-1], usual_px):
            lines[-1] = np.concatenate([lines[-1], group])
        else:
            lines.append(group)
    return np.array([np.median(line[:, [1, 3]], axis=0) for line in lines])


def _is_under(lower: Float64[np.ndarray, "n 4"], upper: Float64[np.ndarray, "m 4"], usual_px: float) -> bool:
    """Whether characters are another line than those above them; a line that bends has its own right above it."""
    if np.median(lower[:, [1, 3]]) - np.median(upper[:, [1, 3]]) < CENTRES * usual_px:
        return False
    # What stands wholly to the left or right is read in the order of one line.
    if lower[:, 0].min() >= upper[:, 2].max() or lower[:, 2].max() <= upper[:, 0].min():
        return False
    gap = np.maximum(lower[:, None, 0] - upper[:, 2], upper[:, 0] - lower[:, None, 2])
    clear_px = lower[:, None, 1] - upper[:, 3]
    near = gap <= NEAR * usual_px
    return not near.any() or bool(np.median(clear_px[near]) >= CLEAR * usual_px)


def _are_stacked(boxes: Float64[np.ndarray, "n 4"], usual_px: float) -> bool:
    """Whether some characters stand wholly under others; a single one may be a tail."""
    left, top, right, bottom = boxes.T
    middles, width = (top + bottom) / 2, right - left
    shared = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    under = (top[:, None] - bottom > TORN * usual_px) & (middles[:, None] - middles >= CENTRES * usual_px)
    under &= shared >= 0.5 * np.minimum(width[:, None], width)
    return bool(np.count_nonzero(under.any(axis=1)) > 1)
