"""A line of writing to a strip of fixed height: the one normalisation shared by composed lines and lines of pages."""

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

STRIP_VERSION = 1
STRIP_HEIGHT_PX = 32
CHARACTER_HEIGHT_PX = 22
"""Height of the line's characters in the strip."""
MARGIN_PX = 8
"""Paper left and right of the ink."""
WIDEST_GAP_PX = 10
"""Wider paper within a line is cut down to this: how far apart letters stand does not tell what they are."""
LONGEST_PX = 4096
"""Some 200 characters. Rows of specks, enlarged to the height of characters, would keep the network busy for long."""

_MOST_PAPER_PX = 30_000
"""OpenCV warps to no more than 32,767 px."""
_TALL, _LEAST_PAIRS, _MAX_SLOPE = 0.6, 3, 0.2
_MOST_COMPARED = 256
_INK_LEVEL = 0.3
_FULL_INK_SHARE = 0.85
_EMPTY_PEAK = 0.05
_SHRINKS, _SOFTNESS = 0.9, 0.45
_BLANK_SHARE = 0.15


def normalize_line(
    ink: UInt8[np.ndarray, "h w"], boxes: Int32[np.ndarray, "n 4"], height_px: float, wider: float
) -> Float32[np.ndarray, "32 w2"] | None:
    """Scale a line so that its characters are 22 px high, lay it level and centre it.

    Args:
        ink: Upright ink of the line alone, 255 full ink.
        boxes: Of its components, at least one; left, top, right, bottom.
        height_px: Of its characters.
        wider: By how much a narrow hand is stretched.

    Returns:
        The strip, 0 to 1, ink = 1; None where it is longer than any line that a person writes.
    """
    down = CHARACTER_HEIGHT_PX / height_px
    across = down * wider
    slope, centre_y = _middle_line(boxes, height_px)
    columns = np.flatnonzero(ink.max(axis=0) > 255 * _INK_LEVEL)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, ink.shape[1])
    width = max(1, round((right - left) * across)) + 2 * MARGIN_PX
    if width > _MOST_PAPER_PX:
        return None
    source = ink.astype(np.float32) / 255
    if down < _SHRINKS:
        # A warp looks at single pixels: what is to shrink is made soft first.
        source = cv2.GaussianBlur(source, (0, 0), _SOFTNESS / down)
    x_of_0 = left - MARGIN_PX / across
    y_of_0 = centre_y + slope * x_of_0 - (STRIP_HEIGHT_PX - 1) / 2 / down
    inverse = np.array([[1 / across, 0, x_of_0], [slope / across, 1 / down, y_of_0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    strip = _without_wide_gaps(cv2.warpAffine(source, inverse, (width, STRIP_HEIGHT_PX), flags=flags))
    if strip.shape[1] > LONGEST_PX:
        return None
    peak = _FULL_INK_SHARE * float(strip.max())
    return np.minimum(strip / max(peak, _EMPTY_PEAK), 1.0).astype(np.float32)


def _middle_line(boxes: Int32[np.ndarray, "n 4"], height_px: float) -> tuple[float, float]:
    """Return the slope of the line through the middles of tall components, px down per px right, and its start.

    The median of the slopes between pairs of components (Theil 1950, Sen 1968).
    """
    tall = boxes[:, 3] - boxes[:, 1] >= _TALL * height_px
    chosen = (boxes[tall] if tall.any() else boxes).astype(np.float64)
    # All pairs are compared: a row of noise has thousands of components, and a share of them tells as much.
    chosen = chosen[:: -(-len(chosen) // _MOST_COMPARED)]
    x, y = (chosen[:, 0] + chosen[:, 2]) / 2, (chosen[:, 1] + chosen[:, 3]) / 2
    run, rise = x[None, :] - x[:, None], y[None, :] - y[:, None]
    far = run > height_px
    slope = 0.0
    if np.count_nonzero(far) >= _LEAST_PAIRS:
        slope = float(np.clip(np.median(rise[far] / run[far]), -_MAX_SLOPE, _MAX_SLOPE))
    return slope, float(np.median(y - slope * x))


def _without_wide_gaps(strip: Float32[np.ndarray, "32 w"]) -> Float32[np.ndarray, "32 w2"]:
    """The strip with wide paper cut down; a line of a page may be mostly paper."""
    inked = strip.max(axis=0) >= _BLANK_SHARE * strip.max()
    places = np.arange(len(inked))
    last_inked = np.maximum.accumulate(np.where(inked, places, -1))
    return strip[:, places - last_inked <= WIDEST_GAP_PX]
