"""Negatives, such as microfilm and fax servers give: white strokes on black."""

import cv2
import numpy as np
from jaxtyping import UInt8

from hwtranscribe.imaging.paper import shrunk

NEGATIVE = "it is a negative and was read as its positive"

DARK = 140
"""Some cut-outs are mostly printed background: darker than between paper and ink, but not as dark as this."""

SPAN = 60
"""Paper and ink differ at least by this."""

NEAR_OF_SIDE = 1 / 60
"""Strokes are not as broad as this share of the long side, and mostly not as far from one another."""

SHARE_OF_STROKES = 0.7
"""Strokes are less than this share of the area that they are written on; paper on a dark table is more of its own."""

SHARE_OF_BROAD = 0.2
"""Less of strokes is broad than this; of paper it is more."""


def is_negative(pixels: UInt8[np.ndarray, "height width"], cut_out: bool = False) -> bool:
    """Return whether a picture shows bright strokes on dark ground.

    Args:
        pixels: Grey.
        cut_out: Whether it is a part of a page, without anything around the paper.
    """
    step = max(1, max(pixels.shape) // 250)
    low, usual, high = np.percentile(pixels[::step, ::step], (2, 50, 98))
    if usual >= (low + high) / 2 or high - low < SPAN:
        return False
    if cut_out:
        return bool(usual < DARK)
    small = shrunk(pixels, max(1, max(pixels.shape) // 900))
    bright = (small > (low + high) / 2).astype(np.uint8)
    square = np.ones((max(5, round(max(small.shape) * NEAR_OF_SIDE)) | 1,) * 2, np.uint8)
    written_on, solid = (cv2.morphologyEx(bright, how, square) for how in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    share, solid_share = cv2.countNonZero(bright) / cv2.countNonZero(written_on), cv2.mean(solid, bright)[0]
    return share < SHARE_OF_STROKES or solid_share < SHARE_OF_BROAD
