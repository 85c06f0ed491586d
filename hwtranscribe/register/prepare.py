"""What is done to every page first, whether its form is known or not."""

import numpy as np
from jaxtyping import UInt8

from hwtranscribe.imaging.paper import softened, without_surroundings
from hwtranscribe.imaging.polarity import NEGATIVE, is_negative
from hwtranscribe.imaging.streaks import STREAKS, without_streaks

STRIP_PX = 250
"""Pages less high or wide than this are cut-outs of a line or two: they hold no table, and their skew can't be told."""


def prepared(
    pixels: UInt8[np.ndarray, "height width"],
) -> tuple[UInt8[np.ndarray, "height width"], tuple[str, ...]]:
    """Return a page with dark ink, without streaks and what is around the paper, and warnings of what was done.

    Args:
        pixels: Grey, as rendered.
    """
    warnings: tuple[str, ...] = ()
    if is_negative(pixels, cut_out=is_strip(pixels)):
        pixels, warnings = np.bitwise_not(pixels), (NEGATIVE,)
    if is_strip(pixels):
        return pixels, warnings
    mended, dirty = without_streaks(pixels)
    return softened(without_surroundings(mended)), (*warnings, STREAKS) if dirty else warnings


def is_strip(pixels: UInt8[np.ndarray, "height width"]) -> bool:
    """Return whether a page is a cut-out of a line or two."""
    return min(pixels.shape) < STRIP_PX
