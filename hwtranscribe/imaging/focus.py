"""How far out of focus a scan is, and the same scan in focus again.

Blurred strokes run into one another and into rules, and corners of printing can't be followed; their shapes are still
there, only paler the finer they are.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

OUT_OF_FOCUS = "it looks out of focus and was sharpened: look at the settings of the scanner or camera"

LEGIBLE_BLUR = 0.026
"""Blur that does no harm, in heights of the boxes that are written in."""

USUAL_BLUR_PX = 0.6
"""Blur of good scanners: what is not above it is resolution."""

_SAMPLED_ROWS = 80
_CALM_PX, _MORE_PX = 1.0, 1.5
_STEEP, _LEAST_STEEP, _LEAST_FLANKS = 0.6, 6.0, 30
_GAIN, _BROADER = 6.0, 1.15


def in_focus(pixels: UInt8[np.ndarray, "height width"], height_px: float) -> UInt8[np.ndarray, "height width"]:
    """Return a scan sharpened where it is too blurred for what is written on it; others as they are.

    Unsharp masking, a little broader than the blur that was found. Noise grows too, so what is legible is left
    alone.

    Args:
        pixels: Grey picture, 255 paper.
        height_px: Of the boxes that are written in.
    """
    blur = blur_px(pixels)
    if blur <= max(USUAL_BLUR_PX, LEGIBLE_BLUR * height_px):
        return pixels
    return cv2.addWeighted(pixels, 1 + _GAIN, cv2.GaussianBlur(pixels, (0, 0), _BROADER * blur), -_GAIN, 0)


def blur_px(pixels: UInt8[np.ndarray, "height width"]) -> float:
    """Return the standard deviation of the blur across thin strokes; 0 where there are hardly any.

    A picture that is blurred once more loses the less, the more blurred it was (Zhuo and Sim 2011, for edges): the
    steepest slope of a thin line of blur s falls to s^2 / (s^2 + r^2) of what it was by a blur r more.

    Args:
        pixels: Grey picture, 255 paper.
    """
    rows = np.ascontiguousarray(pixels[:: max(1, len(pixels) // _SAMPLED_ROWS)]).astype(np.float32)
    if rows.shape[1] < 5:
        return 0.0
    # A little blur first, or noise counts as sharp.
    calm = _blurred(rows, _CALM_PX)
    slope, slope_after = _slope(calm), _slope(_blurred(calm, _MORE_PX))
    steepest = (slope[:, 1:-1] >= slope[:, :-2]) & (slope[:, 1:-1] > slope[:, 2:])
    before, after = slope[:, 1:-1][steepest], slope_after[:, 1:-1][steepest]
    if not len(before):
        return 0.0
    strokes = before >= max(_STEEP * float(np.percentile(before, 99)), _LEAST_STEEP)
    if strokes.sum() < _LEAST_FLANKS:
        return 0.0
    # Of the sharper ones: broad strokes lose less.
    fall = float(np.percentile(before[strokes] / np.maximum(after[strokes], 1e-3), 75))
    return float(np.sqrt(max(_MORE_PX**2 / max(fall - 1, 1e-3) - _CALM_PX**2, 0.0)))


def _blurred(rows: Float32[np.ndarray, "n width"], sigma_px: float) -> Float32[np.ndarray, "n width"]:
    return cv2.GaussianBlur(rows, (2 * round(4 * sigma_px) + 1, 1), sigma_px)


def _slope(rows: Float32[np.ndarray, "n width"]) -> Float32[np.ndarray, "n width2"]:
    return np.abs(rows[:, 2:] - rows[:, :-2])
