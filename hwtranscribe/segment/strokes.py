"""Long strokes drawn across a page without a template: beside or around lines, from one to another, through them.

One that touches characters makes a single component with all of them, far too high for a line: it is taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hwtranscribe.imaging.masks import widened, without
from hwtranscribe.segment.components import Components, stroke_width_px

HIGH, WIDEST = 2.5, 6.0
"""What is higher than so many characters may be some that a stroke joins; what is wider than the second is not one."""

RUN, LONG = 1.5, 2.5
"""A long stroke runs straight over the first, anywhere along it, and is as long as the second; in character heights.
Strokes of characters do not."""
THICKEST = 0.4
"""Greatest width of a long stroke, in character heights; what is thicker is a filled area."""
TURNS = 48
"""Directions in which it is looked for, over half a turn."""
SEEN_PX = 20
"""Height of characters at which it is looked for: strokes are a few px wide then, and the tremor of a hand is less."""
SEEN_SHARE = 0.25
"""Px of that size are ink from this share on."""

CROSSED = 3.0
"""Characters that a stroke crosses are joined again over so many of its widths, since they cross it aslant."""
PIECE = 0.25
"""What is left and smaller than this in both directions, in character heights, is the fringe of the stroke."""
BODY = 0.45
"""Least height of what tells where writing is, in character heights."""
NEAR = 1.0
"""What stands no further from other writing, in character heights, is writing, else an end or a turn of the stroke."""
WORD = 3
"""So many pieces as high as characters are writing wherever they stand; the head of an arrow has two."""

TOUCHED = "a long stroke or a drawing runs into it"
"""Why such a line is for review."""


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Writing without the long strokes that joined it.

    Attributes:
        ink: Of the page; 0 paper, 255 full ink.
        touched: 1 on these strokes and what they touched, and on drawings that may hold characters.
    """

    ink: UInt8[np.ndarray, "h w"]
    touched: UInt8[np.ndarray, "h w"]


def part_from_strokes(
    ink: UInt8[np.ndarray, "h w"], components: Components, tall: Bool[np.ndarray, " n"], height_px: float
) -> Parted | None:
    """Take long strokes that touch characters off the ink of a page; None where nothing is so high.

    Args:
        ink: Of the page.
        components: Of it.
        tall: Which of them may be characters as they stand.
        height_px: Of its characters.
    """
    high = components.height > HIGH * height_px
    for i in np.flatnonzero(high & tall).tolist():
        # Among characters of a large hand it is one of them.
        high[i] = not components.as_high_beside(i).any()
    if not high.any():
        return None
    boxes = np.stack([components.left, components.top, components.right, components.bottom], axis=1).astype(np.int64)
    writing = boxes[~high & (components.height >= BODY * height_px)]
    parted, touched = ink.copy(), np.zeros_like(ink)
    for i in np.flatnonzero(high).tolist():
        left, top, right, bottom = boxes[i].tolist()
        x, y = max(0, left - 1), max(0, top - 1)
        window = slice(y, bottom + 1), slice(x, right + 1)
        mine = (components.labels[window] == i + 1).view(np.uint8)
        written = _without_strokes(mine, long_strokes(mine, height_px), height_px)
        pieces = _boxes(written) + (x, y, x, y)
        may_be_one = tall[i] and right - left <= WIDEST * height_px
        if (_join_lines if may_be_one else _are_writing)(pieces, writing, height_px):
            touched[window] |= mine
            gone = (mine & (1 - written)) | (widened(mine, 1) & (1 - widened(written, 1)))
            gone[(components.labels[window] > 0) & (mine == 0)] = 0
            parted[window] = without(parted[window], gone)
    return Parted(parted, touched)


def long_strokes(mine: UInt8[np.ndarray, "h w"], height_px: float) -> UInt8[np.ndarray, "h w"]:
    """Return 1 on the long strokes of a component: where it runs straight over more than a character, all along.

    Args:
        mine: 1 on the component.
        height_px: Of characters.
    """
    scale = min(1.0, SEEN_PX / height_px)
    small = cv2.resize(255 * mine, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = (small >= 255 * SEEN_SHARE).view(np.uint8)
    straight = np.zeros_like(small)
    for run in _runs(round(RUN * scale * height_px)):
        straight |= cv2.morphologyEx(small, cv2.MORPH_OPEN, run, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    long = _of_extent(straight, LONG * scale * height_px)
    found = cv2.resize(long, mine.shape[::-1], interpolation=cv2.INTER_NEAREST)
    if stroke_width_px(found) > THICKEST * height_px:
        return np.zeros_like(mine)
    # The fringe that the smaller size does not show goes with it.
    return widened(found, round(0.5 / scale)) & mine


def _runs(length_px: int) -> Iterator[UInt8[np.ndarray, "size size"]]:
    """Kernels one px wide in all directions."""
    middle = length_px // 2
    for angle in np.arange(TURNS) * np.pi / TURNS:
        across, down = round(middle * np.cos(angle)), round(middle * np.sin(angle))
        run = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
        cv2.line(run, (middle - across, middle - down), (middle + across, middle + down), 1)
        yield run


def _without_strokes(
    mine: UInt8[np.ndarray, "h w"], stroke: UInt8[np.ndarray, "h w"], height_px: float
) -> UInt8[np.ndarray, "h w"]:
    """Return 1 on what strokes leave of a component, joined again where they crossed it.

    Args:
        mine: 1 on the component.
        stroke: 1 on its strokes.
        height_px: Of characters.
    """
    left = mine & (1 - stroke)
    over_px = 2 * round(CROSSED / 2 * stroke_width_px(stroke)) + 3
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (over_px, over_px))
    closed = cv2.morphologyEx(left, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return _of_extent(left | (closed & stroke), PIECE * height_px)


def _of_extent(mask: UInt8[np.ndarray, "h w"], least_px: float) -> UInt8[np.ndarray, "h w"]:
    """A mask without its pieces that are less high and less wide than that."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1) >= least_px
    kept[0] = False
    return kept[labels].view(np.uint8)


def _boxes(mask: UInt8[np.ndarray, "h w"]) -> Int64[np.ndarray, "n 4"]:
    """Left, top, right and bottom of the pieces of a mask."""
    left, top, width, tall, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:].T.astype(np.int64)
    return np.stack([left, top, left + width, top + tall], axis=1)


def _are_writing(pieces: Int64[np.ndarray, "n 4"], writing: Int64[np.ndarray, "m 4"], height_px: float) -> bool:
    """Whether some of what strokes leave stands beside writing, or is a word.

    Args:
        pieces: Boxes of what they leave, px.
        writing: Boxes of what stands by itself.
        height_px: Of characters.
    """
    bodies = pieces[:, 3] - pieces[:, 1] >= BODY * height_px
    return bool(bodies.sum() >= WORD or _beside(pieces, writing, NEAR * height_px).any())


def _join_lines(pieces: Int64[np.ndarray, "n 4"], writing: Int64[np.ndarray, "m 4"], height_px: float) -> bool:
    """Whether what strokes leave stands beside writing on more than one line, as parts of a large 2 or 6 do not.

    Args:
        pieces: Boxes of what they leave, px.
        writing: Boxes of what stands by itself.
        height_px: Of characters.
    """
    bodies = pieces[pieces[:, 3] - pieces[:, 1] >= BODY * height_px]
    bodies = bodies[_beside(bodies, writing, NEAR * height_px)]
    return bool(len(bodies)) and bool(bodies[:, 1].max() > bodies[:, 3].min())


def _beside(
    boxes: Int64[np.ndarray, "n 4"], others: Int64[np.ndarray, "m 4"], reach_px: float
) -> Bool[np.ndarray, " n"]:
    """Which boxes share rows with one of others that is no further than a reach to the left or right."""
    left, top, right, bottom = (side[:, None] for side in boxes.T)
    gap_px = np.maximum(left - others[:, 2], others[:, 0] - right)
    share_rows = np.minimum(bottom, others[:, 3]) > np.maximum(top, others[:, 1])
    return (share_rows & (gap_px <= reach_px)).any(axis=1)
