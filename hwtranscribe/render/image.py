"""Pages out of image files, with Pillow."""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from hwtranscribe.errors import DocumentError
from hwtranscribe.render.grey import grey_from_image
from hwtranscribe.render.limits import check_page_count, check_size, widened
from hwtranscribe.types import Page, ReadOptions

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")  # never EPS and the like: they run programs
_PLAUSIBLE_DPI = (20, 4800)
_MAX_ASPECT = 4.0  # of the pixels; fax has 2
_ORIENTATION_TAG = 274
_pillow_settings = threading.Lock()


class ImageSource:
    """An open image file; a TIFF may have several pages, of an animation the first picture counts."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._options = options
        with ExitStack() as on_failure, _decoding():
            # Opened by us: given a name, Pillow maps raw pixels into memory and gets turned TIFFs wrong (seen in 13.0).
            self._file = on_failure.enter_context(path.open("rb"))
            self._image = on_failure.enter_context(Image.open(self._file, formats=_FORMATS))
            self._count = getattr(self._image, "n_frames", 1) if self._image.format == "TIFF" else 1
            check_page_count(self._count, options)
            on_failure.pop_all()

    def __enter__(self) -> "ImageSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._image.close()
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def render(self, number: int, document: str) -> Page:
        """Decode page `number` (1-based).

        Raises:
            DocumentError: `too_large`, `truncated` or `corrupt`.
        """
        with _decoding():
            if self._image.tell() != number - 1:
                self._image.seek(number - 1)
            width_px, height_px = self._image.size
            check_size(width_px, height_px, self._options)
            orientation = _orientation(self._image)
            dpi_x, dpi_y = _resolution(self._image)
            pixels = grey_from_image(self._image)
        if self._image.format != "TIFF":  # which Pillow turns while it loads
            pixels = _upright(pixels, orientation)
        if orientation >= 5:
            dpi_x, dpi_y = dpi_y, dpi_x
        pixels, dpi = _square_pixels(pixels, dpi_x, dpi_y)
        check_size(pixels.shape[1], pixels.shape[0], self._options)
        return Page(document, number, dpi, widened(pixels))


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn whatever Pillow runs into into a `DocumentError`; sizes are checked by us, not by Pillow."""
    with _pillow_settings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        except DocumentError:
            raise
        except MemoryError:
            raise DocumentError("too_large", "decoding it takes more memory than there is") from None
        except FileNotFoundError:
            raise DocumentError("not_found", "the file does not exist (any more)") from None
        except Exception as error:  # a damaged file can raise anything out of Pillow's parsers
            if isinstance(error, EOFError) or "truncated" in str(error).lower():
                raise DocumentError("truncated", f"the image ends too early: {error}") from None
            raise DocumentError("corrupt", f"the image can't be decoded: {error or type(error).__name__}") from None
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1-8; 1 where there is none or it makes no sense."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF must not cost the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: UInt8[np.ndarray, "_h _w"], orientation: int) -> UInt8[np.ndarray, "_height _width"]:
    """Undo an EXIF orientation."""
    if orientation in (2, 4, 5, 7):
        pixels = pixels[:, ::-1]
    turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.rot90(pixels, turns)


def _resolution(image: Image.Image) -> tuple[float | None, float | None]:
    """Horizontal and vertical dpi that the file states, None where it does not or where they make no sense."""
    try:
        dpi_x, dpi_y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None, None
    low, high = _PLAUSIBLE_DPI
    if not all(math.isfinite(value) and low <= value <= high for value in (dpi_x, dpi_y)):
        return None, None
    return dpi_x, dpi_y


def _square_pixels(
    pixels: UInt8[np.ndarray, "_h _w"], dpi_x: float | None, dpi_y: float | None
) -> tuple[UInt8[np.ndarray, "_height _width"], float | None]:
    """Stretch the coarser direction: faxes have twice as many pixels across as down."""
    if dpi_x is None or dpi_y is None:
        return pixels, None
    aspect = dpi_x / dpi_y
    if max(aspect, 1 / aspect) < 1.05:
        return pixels, round((dpi_x + dpi_y) / 2, 2)
    if max(aspect, 1 / aspect) > _MAX_ASPECT:
        return pixels, None
    height_px, width_px = pixels.shape
    size = (width_px, round(height_px * aspect)) if aspect > 1 else (round(width_px / aspect), height_px)
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_LINEAR), max(dpi_x, dpi_y)
