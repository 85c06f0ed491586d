"""Checkboxes: how probable it is that one is ticked.

A mark is measured as the length of pen stroke in the box, in sides of the box: a tick is about one and a half, a cross
two and a half, a filled box much more; what printing, rims and dirt leave behind is far below a half.
"""

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.imaging.rules import erase_rules, find_rules
from hwtranscribe.types import AlignedPage, Box

INK = 96
"""Ink from which on a px belongs to a stroke."""

DOUBTFUL_LENGTH = 0.35
"""Stroke length, in sides of the box, at which it may as well be a mark as dirt."""

STEEPNESS = 8.0
"""How fast the log-odds grow with the logarithm of the length."""

SCRIBBLE = 0.55
"""A box blackened to this share and beyond its rim may be a mark or one taken back."""


def read_mark(aligned: AlignedPage, box: Box) -> float:
    """Return the probability that a checkbox is ticked: by a tick, a cross, a stroke or by filling it.

    Args:
        aligned: The page.
        box: Of the checkbox, aligned px.
    """
    left, top, right, bottom = box
    side_px = min(right - left, bottom - top)
    height, width = aligned.ink.shape
    margin_px = max(2, round(0.3 * side_px))
    x0, y0 = max(0, left - margin_px), max(0, top - margin_px)
    x1, y1 = min(width, right + margin_px), min(height, bottom + margin_px)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return 0.0
    ink = np.ascontiguousarray(aligned.ink[y0:y1, x0:x1])
    if aligned.printing is None:
        ink = without_frame(ink, side_px)
    inner = (slice(max(0, top - y0), bottom - y0), slice(max(0, left - x0), right - x0))
    binary = written(ink, inner, side_px)
    inside = binary[inner]
    area = float(inside.sum())
    if area == 0:
        return 0.0
    length = area / stroke_width_px(binary) / side_px
    odds = STEEPNESS * np.log(max(length, 0.01) / DOUBTFUL_LENGTH)
    filled = area / inside.size
    if filled > SCRIBBLE and (binary.sum() - area) > 0.15 * inside.size:
        odds = 0.5
    return float(1 / (1 + np.exp(-np.clip(odds, -8, 8))))


def without_frame(ink: UInt8[np.ndarray, "height width"], side_px: int) -> UInt8[np.ndarray, "height width"]:
    """Return ink without the printed frame of the box, where no blank form has taken it away."""
    binary = (ink > INK).astype(np.uint8)
    rules = find_rules(binary, max(8, round(0.7 * side_px)), max(2, round(0.15 * side_px)))
    return erase_rules(ink, binary, rules)[0]


def written(
    ink: UInt8[np.ndarray, "height width"], inner: tuple[slice, slice], side_px: int
) -> UInt8[np.ndarray, "height width"]:
    """Return 1 on the components that have ink well inside the box; what only touches its rim is none of its mark.

    Args:
        ink: The box and its surroundings.
        inner: Rows and columns of the box.
        side_px: Shorter side of the box.
    """
    binary = (ink > INK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    rim_px = max(1, round(0.12 * side_px))
    core = labels[
        inner[0].start + rim_px : max(inner[0].start + rim_px + 1, inner[0].stop - rim_px),
        inner[1].start + rim_px : max(inner[1].start + rim_px + 1, inner[1].stop - rim_px),
    ]
    in_core = np.bincount(core.ravel(), minlength=count)
    in_box = np.bincount(labels[inner].ravel(), minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    mine = (in_core > 0.5 * in_box) & (in_box > 0.25 * area)
    mine[0] = False
    return mine[labels].astype(np.uint8)


def stroke_width_px(binary: UInt8[np.ndarray, "height width"]) -> float:
    """Return the usual width of the strokes: twice the mean distance to paper along their middle."""
    distance = cv2.distanceTransform(cv2.copyMakeBorder(binary, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    ridge = (distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 1e-6)
    return max(1.0, 2.0 * float(distance[ridge].mean()) - 0.5) if ridge.any() else 1.0
