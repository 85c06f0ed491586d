"""Registration without a blank form: the boxes of the template's fields are matched with the frames ruled on the page.

Fields are mostly boxes with a printed frame. Where the frames on a page lie as the template's boxes do, but shifted, a
little larger or turned by half, they say where the template lies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from hwtranscribe.imaging.masks import Binary
from hwtranscribe.imaging.rules import Rules
from hwtranscribe.types import Box

SEARCH_SIZE_PX = 800
"""Frames are looked for in pictures with this long side."""

REACH = 0.08
"""How far the template may lie off, as a share of the long side."""

STRETCHES = (1.0, 0.97, 1.03, 0.94, 1.06, 0.91, 1.09, 0.88, 0.85)
"""Sizes of the template on the page that are tried; between them, the fit of the sides finds the right one."""

LEAST_COVERED = 0.55
"""Share of the boxes' outlines that must lie on rules."""

LEAST_SIDES, NEAR = 0.3, 0.002
"""Share of the level sides, and of the upright ones, that must have a rule at most so far off, in long sides: level
ones alone also fit where a part of the page is cut off at the left or right."""

ALL_FRAMED, FEW_SIDES = 0.8, 1
"""Where so many of all sides have a rule, a box of which no more than so many have one is covered or cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Where the frames of a template's boxes are on a page.

    Attributes:
        transform: From the template, scaled to about the page's size, to the page; None where there are no such frames.
        residual_px: Median distance between sides and rules after it.
        covered: Share of the outlines, or of the sides where fewer of these have one, that lies on rules.
        lost: Numbers of the boxes that are covered or cut off.
    """

    transform: Float64[np.ndarray, "3 3"] | None
    residual_px: float
    covered: float
    lost: tuple[int, ...] = ()


def frame_of_boxes(rules: tuple[Rules, Rules], shape: tuple[int, ...], boxes: Sequence[Box]) -> Frames:
    """Return where the frames of a template's boxes are on a page of about its size.

    Args:
        rules: Horizontal and vertical ones of the page.
        shape: Height and width of the page, px.
        boxes: Of the fields, px of the template scaled to that size.
    """
    scale = min(1.0, SEARCH_SIZE_PX / max(shape))
    small = tuple(max(1, round(side * scale)) for side in shape)
    masks = [_shrunk(own, small, scale) for own in rules]
    best = (0.0, 1.0, (0.0, 0.0))
    for stretch in STRETCHES:
        covered, shift = _best_shift(masks, [_stretched(box, stretch * scale, scale, small) for box in boxes])
        if covered > best[0] + 0.02:
            best = covered, stretch, shift
        if best[0] > 0.85:
            break
    for stretch in (best[1] - 0.015, best[1] + 0.015):
        covered, shift = _best_shift(masks, [_stretched(box, stretch * scale, scale, small) for box in boxes])
        if covered > best[0]:
            best = covered, stretch, shift
    covered, stretch, (dx, dy) = best
    if covered < LEAST_COVERED:
        return Frames(None, 0.0, covered)
    height, width = shape
    coarse = np.array(
        [
            [stretch, 0, dx / scale + (1 - stretch) * width / 2],
            [0, stretch, dy / scale + (1 - stretch) * height / 2],
            [0, 0, 1],
        ]
    )
    full = [own.mask(shape) for own in rules]
    transform, residual_px = _refined(full, boxes, coarse)
    reach = max(3, round(NEAR * max(shape)))
    # Upper and lower, left and right side of every box.
    found = np.array([offset is not None for *_, offset in _offsets(full, boxes, transform, reach)]).reshape(-1, 2, 2)
    level, upright = found.mean(axis=(0, 2))
    if min(level, upright) < LEAST_SIDES:
        return Frames(None, 0.0, min(covered, float(level), float(upright)))
    few = found.sum(axis=(1, 2)) <= FEW_SIDES
    return Frames(transform, residual_px, covered, tuple(np.flatnonzero(few & (found.mean() >= ALL_FRAMED)).tolist()))


def _shrunk(rules: Rules, shape: tuple[int, ...], scale: float) -> Binary:
    """Return rules at reduced scale, a px wider on both sides."""
    mask = np.zeros(shape, np.uint8)
    ys = np.minimum((rules.ys * scale).astype(np.int32), shape[0] - 1)
    xs = np.minimum((rules.xs * scale).astype(np.int32), shape[1] - 1)
    mask[ys, xs] = 1
    return cv2.dilate(mask, np.ones((3, 3), np.uint8))


def _stretched(box: Box, factor: float, scale: float, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Return a box at reduced scale, stretched about the middle of the page."""
    middle_x, middle_y = shape[1] / 2, shape[0] / 2
    ratio = factor / scale
    left, top, right, bottom = (v * scale for v in box)
    return (
        middle_x + (left - middle_x) * ratio,
        middle_y + (top - middle_y) * ratio,
        middle_x + (right - middle_x) * ratio,
        middle_y + (bottom - middle_y) * ratio,
    )


def _best_shift(
    masks: list[Binary], boxes: list[tuple[float, float, float, float]]
) -> tuple[float, tuple[float, float]]:
    """Return the share of the boxes' outlines that lies on rules where they fit best, and that shift in px."""
    height, width = masks[0].shape
    reach = round(REACH * max(height, width))
    total, score = 0.0, np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for upright, mask in enumerate(masks):
        outline = np.zeros((height, width), np.uint8)
        for left, top, right, bottom in boxes:
            ends = ((left, top, left, bottom), (right, top, right, bottom))
            if not upright:
                ends = ((left, top, right, top), (left, bottom, right, bottom))
            for x0, y0, x1, y1 in ends:
                cv2.line(outline, (round(x0), round(y0)), (round(x1), round(y1)), 1, 1)
        total += float(outline.sum())
        padded = cv2.copyMakeBorder(mask, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
        score += cv2.matchTemplate(padded.astype(np.float32), outline.astype(np.float32), cv2.TM_CCORR)
    _, best, _, (x, y) = cv2.minMaxLoc(score)
    return best / max(total, 1.0), (float(x - reach), float(y - reach))


def _refined(
    masks: list[Binary], boxes: Sequence[Box], coarse: Float64[np.ndarray, "3 3"]
) -> tuple[Float64[np.ndarray, "3 3"], float]:
    """Return the affine transform that lays the sides of the boxes on the rules next to them, and what is left over.

    Level sides say how far down, upright ones how far across; both are fitted to the place on the page, leaving out
    sides that disagree with most.
    """
    reach = max(4, round(0.006 * max(masks[0].shape)))
    rows: list[list[tuple[float, float, float]]] = [[], []]
    for upright, x, y, offset in _offsets(masks, boxes, coarse, reach):
        if offset is not None:
            rows[upright].append((x, y, offset))
    result, left_over = coarse.copy(), [0.0]
    for upright, found in enumerate(rows):
        if not found:
            continue
        x, y, offset = np.array(found, float).T
        # With few sides only a shift can be told; turning and stretching needs a spread of them.
        design = np.column_stack([x, y, np.ones(len(x))]) if len(x) >= 6 else np.ones((len(x), 1))
        kept = np.abs(offset - np.median(offset)) <= reach
        for _ in range(3):
            solution = np.linalg.lstsq(design[kept], offset[kept], rcond=None)[0]
            error = np.abs(offset - design @ solution)
            kept = error <= max(1.5, 2.5 * float(np.median(error)))
        line = solution if len(solution) == 3 else np.array([0.0, 0.0, solution[0]])
        result[1 - upright] += line
        left_over.append(float(np.median(error)))
    return result, max(left_over)


def _offsets(
    masks: list[Binary], boxes: Sequence[Box], transform: Float64[np.ndarray, "3 3"], reach: int
) -> Iterator[tuple[int, float, float, float | None]]:
    """Yield of every side of the boxes 1 if it is upright, its middle, and how far off the rule beside it is, px."""
    for left, top, right, bottom in boxes:
        for upright, sides in ((0, (top, bottom)), (1, (left, right))):
            for side in sides:
                ends = ((left, side), (right, side)) if not upright else ((side, top), (side, bottom))
                start, end = (transform @ np.array([*point, 1.0]) for point in ends)
                offset = _offset(masks[upright], start[:2], end[:2], bool(upright), reach)
                yield upright, (ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2, offset


def _offset(
    mask: Binary, start: Float64[np.ndarray, " 2"], end: Float64[np.ndarray, " 2"], upright: bool, reach: int
) -> float | None:
    """Return how far across from a side the rule beside it lies, px, or None when there is none."""
    along, across = (1, 0) if upright else (0, 1)
    first, last = int(min(start[along], end[along])), int(max(start[along], end[along]))
    place = round(float(start[across] + end[across]) / 2)
    limit_along, limit_across = (mask.shape[0], mask.shape[1]) if upright else (mask.shape[1], mask.shape[0])
    first, last = max(0, first), min(limit_along, last + 1)
    low, high = max(0, place - reach), min(limit_across, place + reach + 1)
    if last - first < 8 or high <= low:
        return None
    window = mask[first:last, low:high].T if upright else mask[low:high, first:last]
    covered = window.mean(axis=1)
    # A rule is some px thick: its middle is meant.
    if covered.max() < 0.3:
        return None
    strong = covered >= 0.6 * covered.max()
    middle = float((np.flatnonzero(strong) * covered[strong]).sum() / covered[strong].sum()) + low
    return middle - float(start[across] + end[across]) / 2
