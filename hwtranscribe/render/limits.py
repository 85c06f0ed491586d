"""Limits on what is decoded, checked before it is."""

from hwtranscribe.errors import DocumentError
from hwtranscribe.types import ReadOptions

MAX_SIDE_PX = 32_000
"""Longest side of a page, px: OpenCV's warps count in 16 bits."""


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
