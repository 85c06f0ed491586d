"""Crop to 28 x 28 glyph: the one normalisation shared by training sets and page crops.

MNIST centres by mass, EMNIST by box after a blur; page crops come in any size. All of them pass through
`normalize_inks`, so the network cannot tell a letter from a digit by the habits of a data set. A change that alters
glyphs must raise `GLYPH_VERSION`: a checkpoint trained on other glyphs is refused.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float32

GLYPH_VERSION = 1
GLYPH_SIZE_PX = 28
INK_BOX_PX = 24
"""The longer side of the ink's box in the glyph."""

_EMPTY_PEAK = 0.05
_BOX_LEVEL = 0.35
_FULL_INK_SHARE = 0.85


def normalize_inks(inks: Sequence[Float32[np.ndarray, "h w"]]) -> Float32[np.ndarray, "n 28 28 1"]:
    """Scale each ink map so that its ink fills a 24 px box, centred by box, at full contrast.

    Args:
        inks: one character each, any size, 0 to 1, ink = 1; faint or loosely cropped is fine.

    Returns:
        Glyphs, 0 to 1, ink = 1. A map without ink gives an all-zero glyph.
    """
    glyphs = np.zeros((len(inks), GLYPH_SIZE_PX, GLYPH_SIZE_PX, 1), np.float32)
    for glyph, ink in zip(glyphs, inks, strict=True):
        _normalize_into(glyph[:, :, 0], ink)
    return glyphs


def _normalize_into(glyph: Float32[np.ndarray, "28 28"], ink: Float32[np.ndarray, "h w"]) -> None:
    box = _ink_box(ink)
    if box is None:
        return
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    # The margin is cut from the source, not added afterwards: the soft edge of a stroke lies in it.
    side = max(1, round(max(width, height) * GLYPH_SIZE_PX / INK_BOX_PX))
    x0, y0 = left - (side - width) // 2, top - (side - height) // 2
    square = np.zeros((side, side), np.float32)
    source = ink[max(y0, 0) : y0 + side, max(x0, 0) : x0 + side]
    row, column = max(-y0, 0), max(-x0, 0)
    square[row : row + source.shape[0], column : column + source.shape[1]] = source
    shrinks = side > GLYPH_SIZE_PX
    scaled = cv2.resize(square, glyph.shape, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    # Thin strokes, shrunk, are grey: the contrast of all is brought to the same level.
    peak = _FULL_INK_SHARE * float(scaled.max())
    np.minimum(scaled / max(peak, _EMPTY_PEAK), 1.0, out=glyph)


def _ink_box(ink: Float32[np.ndarray, "h w"]) -> tuple[int, int, int, int] | None:
    if ink.size == 0:
        return None
    columns = cv2.reduce(ink, 0, cv2.REDUCE_MAX).ravel()
    peak = float(columns.max())
    if peak < _EMPTY_PEAK:
        return None
    across = columns > _BOX_LEVEL * peak
    down = cv2.reduce(ink, 1, cv2.REDUCE_MAX).ravel() > _BOX_LEVEL * peak
    left, top = int(across.argmax()), int(down.argmax())
    return left, top, len(across) - int(across[::-1].argmax()), len(down) - int(down[::-1].argmax())


def turned(ink: Float32[np.ndarray, "h w"], angle_deg: float) -> Float32[np.ndarray, "side side"]:
    """Return an ink map turned counter-clockwise about its middle, with room for all of it."""
    height, width = ink.shape
    side = int(np.ceil(np.hypot(height, width))) + 2
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(ink, turn, (side, side))
