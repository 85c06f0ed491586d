"""Limits on what is decoded, checked before it is."""

import numpy as np
from jaxtyping import UInt8

from hwtranscribe.errors import DocumentError
from hwtranscribe.types import ReadOptions

MAX_SIDE_PX = 32_000
"""Longest side of a page, px: OpenCV's warps count in 16 bits."""


MIN_SIDE_PX = 8
MAX_ASPECT = 400
"""Pages narrower than this get white paper at the right or below.

Stages look at pages at reduced size first; a strip must not vanish there.
"""


def widened(pixels: UInt8[np.ndarray, "_h _w"]) -> UInt8[np.ndarray, "_height _width"]:
    """The page, with paper added where it is narrower than `MIN_SIDE_PX` or its length by `MAX_ASPECT`."""
    least_px = max(MIN_SIDE_PX, -(-max(pixels.shape) // MAX_ASPECT))
    missing = [max(0, least_px - side) for side in pixels.shape]
    if not any(missing):
        return np.ascontiguousarray(pixels)
    return np.pad(pixels, [(0, missing[0]), (0, missing[1])], constant_values=255)


def check_size(width_px: int, height_px: int, options: ReadOptions) -> None:
    """Refuse a page that is too large to decode.

    Raises:
        DocumentError: `too_large`, or `corrupt` for a size of nothing.
    """
    if width_px < 1 or height_px < 1:
        raise DocumentError("corrupt", f"the page is {width_px} x {height_px} px")
    if width_px * height_px > options.max_pixels:
        raise DocumentError(
            "too_large",
            f"{width_px} x {height_px} px is more than --max-pixels {options.max_pixels}",
        )
    if max(width_px, height_px) > MAX_SIDE_PX:
        raise DocumentError("too_large", f"{width_px} x {height_px} px: no side may be longer than {MAX_SIDE_PX} px")


def check_page_count(count: int, options: ReadOptions) -> None:
    """Refuse a document without pages or with too many.

    Raises:
        DocumentError: `no_pages` or `too_many_pages`.
    """
    if count < 1:
        raise DocumentError("no_pages", "the document has no pages")
    if count > options.max_pages:
        raise DocumentError("too_many_pages", f"{count} pages are more than --max-pages {options.max_pages}")
