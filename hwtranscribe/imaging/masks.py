"""Small helpers for pictures that are mostly empty: OpenCV walks them several times faster than NumPy does."""

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

Binary = UInt8[np.ndarray, "height width"]
"""1 where something is, else 0."""


def above(picture: UInt8[np.ndarray, "height width"], threshold: float) -> Binary:
    """Return 1 where a picture is above a threshold."""
    return cv2.threshold(picture, int(threshold), 1, cv2.THRESH_BINARY)[1]


def places(mask: Binary) -> tuple[Int32[np.ndarray, " n"], Int32[np.ndarray, " n"]]:
    """Return rows and columns of the px that are set."""
    # NumPy skips what is empty only in one dimension.
    found = np.flatnonzero(mask.view(bool)).astype(np.int32)
    ys = found // mask.shape[1]
    return ys, found - ys * mask.shape[1]


def without(picture: UInt8[np.ndarray, "height width"], gone: Binary) -> UInt8[np.ndarray, "height width"]:
    """Return a picture that is 0 where a mask is set."""
    return cv2.bitwise_and(picture, picture, mask=1 - gone)


def widened(mask: Binary, by_px: int) -> Binary:
    """Return a mask grown by some px on all sides."""
    return cv2.dilate(mask, np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8))


def bar(length_px: int, upright: bool) -> UInt8[np.ndarray, "rows columns"]:
    """Return a kernel one px wide along a direction."""
    return np.ones((length_px, 1) if upright else (1, length_px), np.uint8)
