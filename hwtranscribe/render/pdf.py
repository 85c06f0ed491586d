"""Pages out of PDF files.

pypdfium2 opens the file and knows pages and sizes. A page that is nothing but a scan is taken as it is (see `scan`).
Other pages are drawn by Poppler through pdf2image where it is installed
and by pypdfium2 where it is not, and where the file needs a password: Poppler would take it on its command line, which
every user of the machine can read.
"""

import ctypes
import mmap
import os
import shutil
from pathlib import Path

import numpy as np
import pypdfium2
from jaxtyping import UInt8

from hwtranscribe.errors import DocumentError, UsageError
from hwtranscribe.render.grey import grey_from_image, grey_from_rgb
from hwtranscribe.render.limits import MAX_SIDE_PX, check_page_count, check_size, widened
from hwtranscribe.render.scan import scan_of
from hwtranscribe.types import Page, ReadOptions

RENDERER_VARIABLE = "HWTRANSCRIBE_PDF"
"""Environment variable that says which draws: `poppler` or `pdfium`."""

_POINTS_PER_INCH = 72
_LARGE_PAGE_PIXELS = 40_000_000  # A2 at 300 dpi has 35 million
_LOWEST_DPI = 72  # below it writing can't be read
_POPPLER_TIMEOUT_S = 300
_TAIL_BYTES = 4096


class PdfSource:
    """An open PDF."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        self._pdf, needs_password = _open(path, options.password)
        self._poppler = not needs_password and pdf_renderer() == "poppler"
        try:
            check_page_count(len(self._pdf), options)
            self._pdf.init_forms()
        except BaseException:
            self._pdf.close()
            raise

    def __enter__(self) -> "PdfSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._pdf.close()

    def __len__(self) -> int:
        return len(self._pdf)

    def render(self, number: int, document: str) -> Page:
        """Draw page `number` (1-based).

        Raises:
            DocumentError: `too_large`, `corrupt` or `timeout`.
        """
        try:
            page = self._pdf[number - 1]
        except pypdfium2.PdfiumError as error:
            raise DocumentError("corrupt", f"the page can't be opened: {error}") from None
        try:
            scan = scan_of(page, self._options)
            if scan is not None:
                return Page(document, number, scan[1], widened(scan[0]))
            dpi = _fitting_dpi(page.get_width(), page.get_height(), self._options)
            if self._poppler:
                pixels = _draw_with_poppler(self._path, number, dpi)
                if pixels is not None:
                    return Page(document, number, dpi, widened(pixels))
            return Page(document, number, dpi, widened(_draw_with_pdfium(page, dpi)))
        finally:
            page.close()


def pdf_renderer() -> str:
    """What draws pages here: `poppler` or `pdfium`. Their pictures differ a little, and with them what is read.

    Raises:
        UsageError: The environment variable has a value that is not known.
    """
    choice = os.environ.get(RENDERER_VARIABLE, "")
    if choice not in ("", "poppler", "pdfium"):
        raise UsageError(f"{RENDERER_VARIABLE}={choice!r}: allowed are 'poppler' and 'pdfium'")
    installed = shutil.which("pdftoppm") is not None and shutil.which("pdfinfo") is not None
    return "poppler" if choice != "pdfium" and installed else "pdfium"


def _open(path: Path, password: str | None) -> tuple[pypdfium2.PdfDocument, bool]:
    """The document and whether it took the password; without one first, since most locked files open with none."""
    for attempt in (None, password):
        try:
            file = path.open("rb")  # a stream, since PDFium takes only names that are UTF-8
        except OSError as error:
            raise DocumentError("unreadable", f"can't be opened: {error.strerror}") from None
        try:
            return pypdfium2.PdfDocument(file, password=attempt, autoclose=True), attempt is not None
        except pypdfium2.PdfiumError as error:
            file.close()
            if _opens(path, attempt):  # then the error may be that of the file before
                raise _without_pages(path) from None
            if error.err_code != pypdfium2.raw.FPDF_ERR_PASSWORD:
                raise _damaged(path, error) from None
            if password is None:
                break
    hint = "give its password with --password" if password is None else "the password given with --password is wrong"
    raise DocumentError("encrypted", f"the PDF is encrypted; {hint}")


def _damaged(path: Path, error: pypdfium2.PdfiumError) -> DocumentError:
    if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
        return DocumentError("encrypted", "the PDF is encrypted in a way that can't be opened")
    if _is_complete(path):
        return DocumentError("corrupt", f"the PDF is damaged: {error}")
    return _truncated()


def _without_pages(path: Path) -> DocumentError:
    return DocumentError("no_pages", "the PDF has no pages") if _is_complete(path) else _truncated()


def _truncated() -> DocumentError:
    return DocumentError("truncated", "the PDF ends too early (no %%EOF); copy or scan it again")


def _is_complete(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        return b"%%EOF" in file.read()


def _opens(path: Path, password: str | None) -> bool:
    """Whether PDFium opens a file, which pypdfium2 does not tell from one that has no pages."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as content:
        size = len(content)
        buffer = (ctypes.c_char * size).from_buffer(content)
        document = pypdfium2.raw.FPDF_LoadMemDocument64(buffer, size, None if password is None else password.encode())
        opened = bool(document)
        if opened:
            pypdfium2.raw.FPDF_CloseDocument(document)
        del document, buffer  # they hold the content
    return opened


def _fitting_dpi(width_pt: float, height_pt: float, options: ReadOptions) -> float:
    """The wanted dpi, or less where the page is huge: many scanners write a page of one point per pixel."""
    inches = width_pt / _POINTS_PER_INCH, height_pt / _POINTS_PER_INCH
    if min(inches) <= 0:
        raise DocumentError("corrupt", f"the page is {width_pt} x {height_pt} points")
    limit = min(options.max_pixels, _LARGE_PAGE_PIXELS)
    largest_dpi = min((limit / (inches[0] * inches[1])) ** 0.5, (MAX_SIDE_PX - 1) / max(inches))
    dpi = float(options.dpi)
    if dpi > largest_dpi:
        dpi = float(int(largest_dpi))
        if dpi < _LOWEST_DPI:
            check_size(round(inches[0] * _LOWEST_DPI), round(inches[1] * _LOWEST_DPI), options)
            raise DocumentError("too_large", f"the page is {inches[0]:.0f} x {inches[1]:.0f} inches")
    return dpi


def _draw_with_poppler(path: Path, number: int, dpi: float) -> UInt8[np.ndarray, "height width"] | None:
    """The page, or None where Poppler draws nothing: pypdfium2 may."""
    from pdf2image import convert_from_path
    from pdf2image.exceptions import PDFPageCountError, PDFPopplerTimeoutError

    try:
        # In colour: Poppler's own grey makes red and light blue pens pale. An absolute path, since a name may begin
        # with a dash.
        images = convert_from_path(
            path.absolute(),
            dpi=dpi,
            first_page=number,
            last_page=number,
            use_cropbox=True,
            timeout=_POPPLER_TIMEOUT_S,
        )
    except PDFPopplerTimeoutError:
        raise DocumentError("timeout", f"Poppler took longer than {_POPPLER_TIMEOUT_S} s for one page") from None
    except (PDFPageCountError, OSError, ValueError):
        return None
    return grey_from_image(images[0]) if images else None


def _draw_with_pdfium(page: pypdfium2.PdfPage, dpi: float) -> UInt8[np.ndarray, "height width"]:
    try:
        bitmap = page.render(scale=dpi / _POINTS_PER_INCH, rev_byteorder=True)
    except (pypdfium2.PdfiumError, MemoryError) as error:
        raise DocumentError("corrupt", f"the page can't be drawn: {error}") from None
    try:
        return grey_from_rgb(np.ascontiguousarray(bitmap.to_numpy()[..., :3]))
    finally:
        bitmap.close()
