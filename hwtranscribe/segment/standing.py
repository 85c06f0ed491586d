"""Which characters touch a rule: a foot that lay on one below them went with it, or a head that lay on one above."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Int32, Int64

from hwtranscribe.types import AlignedPage, CharBoxes

_FOOT_PX, _HEAD_PX = 4, 1
"""A character touches a rule that is no more than this under its ink, or above it."""
_ALONG = 0.9
"""Share of a character's width that a rule goes along it."""
_HANGING = 0.4
"""Heads are taken to be lost when this share of what is written hangs from a rule: a tall character may touch one."""


def with_rules_touched(aligned: AlignedPage, boxes: CharBoxes) -> CharBoxes:
    """Return a lattice that says which of its characters stand on a rule of the page, and which hang from one."""
    printed = aligned.rules if aligned.printing is None else aligned.printing
    if printed is None or not len(boxes.boxes):
        return boxes
    box = np.maximum(boxes.boxes.astype(int), 0)
    x, y = box[:, 0].min(), max(0, box[:, 1].min() - _HEAD_PX)
    near = printed[y : box[:, 3].max() + _FOOT_PX, x : box[:, 2].max()] > 0
    if not near.any():
        return boxes
    left, top, right, bottom = (box - (x, y, x, y)).T
    sums = cv2.integral(near.view(np.uint8))
    height_px = np.maximum(bottom - top - _FOOT_PX - _HEAD_PX, 0)
    inside = _counted(sums, np.stack([left, top + _HEAD_PX, right, top + _HEAD_PX + height_px], axis=1))
    hollow = inside < (1 - _ALONG) * (right - left) * height_px
    on_rule, under_rule = (
        hollow & _goes_along(near, sums, np.stack([left, first, right, last], axis=1))
        for first, last in ((bottom - 1, bottom + _FOOT_PX), (top - _HEAD_PX, top + 1))
    )
    written = ~boxes.blank
    # What a blank form prints is known to the px: of the heads that touched it, none had gone.
    hangs = aligned.printing is None and written.any() and under_rule[written].mean() >= _HANGING
    return replace(boxes, on_rule=on_rule if on_rule.any() else None, under_rule=under_rule if hangs else None)


def _goes_along(
    printed: Bool[np.ndarray, "height width"],
    sums: Int32[np.ndarray, "height_1 width_1"],
    windows: Int64[np.ndarray, "n 4"],
) -> Bool[np.ndarray, " n"]:
    """Return in which windows (left, top, right, bottom) printing goes along most of the columns."""
    widths = windows[:, 2] - windows[:, 0]
    result = (widths > 0) & (_counted(sums, windows) >= _ALONG * widths)
    for number in np.flatnonzero(result):
        left, top, right, bottom = windows[number]
        columns = printed[max(0, top) : bottom, left:right].any(axis=0)
        result[number] = np.count_nonzero(columns) >= _ALONG * (right - left)
    return result


def _counted(sums: Int32[np.ndarray, "height_1 width_1"], windows: Int64[np.ndarray, "n 4"]) -> Int32[np.ndarray, " n"]:
    """Return how many px are set in windows of a mask, from its sums over all rectangles at its upper left corner."""
    left, top, right, bottom = np.clip(windows, 0, np.array([*sums.shape[::-1], *sums.shape[::-1]]) - 1).T
    return sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
