"""What is done to every page first, whether its form is known or not."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.imaging.outline import paper_outline
from hwtranscribe.imaging.paper import softened, without_surroundings
from hwtranscribe.imaging.polarity import NEGATIVE, is_negative
from hwtranscribe.imaging.streaks import STREAKS, without_streaks


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A page that is fit to be laid.

    Attributes:
        pixels: Grey, dark ink; without streaks and without what is dark around the paper.
        outline: Corners of the paper, where it was photographed whole and aslant.
        warnings: Of what was done.
    """

    pixels: UInt8[np.ndarray, "height width"]
    outline: Float64[np.ndarray, "4 2"] | None
    warnings: tuple[str, ...]


def prepared(pixels: UInt8[np.ndarray, "height width"], cut_out: bool = False) -> Prepared:
    """Return a page with dark ink, without streaks and what is around the paper.

    Args:
        pixels: Grey, as rendered.
        cut_out: Whether it is a line or two of a page: nothing is around the paper, and strokes may end at the rim.
    """
    warnings: tuple[str, ...] = ()
    if is_negative(pixels, cut_out):
        pixels, warnings = np.bitwise_not(pixels), (NEGATIVE,)
    if cut_out:
        return Prepared(pixels, None, warnings)
    outline = paper_outline(pixels)
    mended, dirty = without_streaks(pixels)
    return Prepared(softened(without_surroundings(mended)), outline, (*warnings, STREAKS) if dirty else warnings)
