"""Takes a scan out of a PDF page that is nothing but this scan.

Nearly all PDFs that come from scanners are such pages. Drawing them resamples every pixel, at ten times the cost.
"""

import math

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from jaxtyping import UInt8

from hwtranscribe.render.grey import grey_from_rgb
from hwtranscribe.render.limits import check_size
from hwtranscribe.types import ReadOptions

_POINTS_PER_INCH = 72
_COVERS = 0.02  # of the page's sides may be left free
_SAME_DPI = 0.03  # may differ across and down
_LONGEST_PAGE_INCHES = 24  # beyond it the page's size is made up, such as one point per pixel
_PROOF_WIDTH_PX = 100
_PROOF_DIFFERENCE = 12.0  # mean, of 255
_INVISIBLE_TEXT = 3


def scan_of(
    page: pypdfium2.PdfPage, options: ReadOptions
) -> tuple[UInt8[np.ndarray, "height width"], float | None] | None:
    """The scan that a page is, grey and upright, with its dpi where that is plausible; None for any other page.

    A scan finer than `options.dpi` is brought down to it; a coarser one stays as it is.

    Raises:
        DocumentError: `too_large`.
    """
    try:
        image = _only_image(page)
        if image is None:
            return None
        width_px, height_px = image.get_px_size()
        check_size(width_px, height_px, options)
        a, b, c, d, *_ = image.get_matrix().get()
        dpi_x, dpi_y = width_px * _POINTS_PER_INCH / a, height_px * _POINTS_PER_INCH / d
        if abs(dpi_x / dpi_y - 1) > _SAME_DPI:
            return None
        pixels = _decoded(image)
        pixels = np.ascontiguousarray(np.rot90(pixels, -(page.get_rotation() // 90)))
        if not _looks_like(page, pixels):
            return None
    except pypdfium2.PdfiumError:
        return None
    scale = options.dpi / dpi_x
    if scale < 1:
        size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), float(options.dpi)
    plausible = max(page.get_size()) <= _LONGEST_PAGE_INCHES * _POINTS_PER_INCH
    return pixels, round(dpi_x, 2) if plausible else None


def _only_image(page: pypdfium2.PdfPage) -> pypdfium2.PdfImage | None:
    """The image that covers a page on which there is nothing else to see, the right way up."""
    if pdfium.FPDFPage_GetAnnotCount(page):
        return None
    found = None
    for item in page.get_objects(max_depth=1):
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT and pdfium.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE_TEXT:
            continue  # what a text recogniser has put there
        if item.type != pdfium.FPDF_PAGEOBJ_IMAGE or found is not None:
            return None
        found = item
    if found is None:
        return None
    a, b, c, d, *_ = found.get_matrix().get()
    if not (a > 0 and d > 0 and math.isclose(b, 0, abs_tol=1e-3 * a) and math.isclose(c, 0, abs_tol=1e-3 * d)):
        return None
    left, bottom, right, top = found.get_bounds()
    page_left, page_bottom, page_right, page_top = page.get_bbox()
    free_x, free_y = _COVERS * (page_right - page_left), _COVERS * (page_top - page_bottom)
    covers = (
        abs(left - page_left) <= free_x
        and abs(right - page_right) <= free_x
        and abs(bottom - page_bottom) <= free_y
        and abs(top - page_top) <= free_y
    )
    return found if covers else None


def _decoded(image: pypdfium2.PdfImage) -> UInt8[np.ndarray, "height width"]:
    pixels = image.get_bitmap().to_numpy()  # PDFium's memory, given back with the last view of it
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.array(pixels.reshape(pixels.shape[:2]))
    return grey_from_rgb(np.ascontiguousarray(pixels[..., 2::-1]))


def _looks_like(page: pypdfium2.PdfPage, pixels: UInt8[np.ndarray, "height width"]) -> bool:
    """Whether a small drawing of the page shows the same: masks, odd colours and the like make it look different."""
    bitmap = page.render(scale=_PROOF_WIDTH_PX / page.get_width(), rev_byteorder=True)
    try:
        drawn = grey_from_rgb(np.ascontiguousarray(bitmap.to_numpy()[..., :3]))
    finally:
        bitmap.close()
    small = cv2.resize(pixels, drawn.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(cv2.absdiff(small, drawn).mean()) <= _PROOF_DIFFERENCE
