"""Characters drawn from fonts that imitate handwriting: hands of many countries that the data sets do not hold."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Int32, UInt8
from PIL import Image, ImageDraw, ImageFont

from hwtranscribe.errors import UsageError
from hwtranscribe.model import DIGITS, LABELS, LOWER, UPPER
from hwtranscribe.training.data import SOURCE_SIZE_PX, Characters

FONT_SUFFIXES = (".otf", ".ttf", ".woff", ".woff2")

FONT_SHARE = 0.18
"""Of the characters that a network is shown, those drawn from fonts where these are given."""

_FONT_SIZE_PX = 160
_INK_PX = 20
"""The longer side of the ink, as in MNIST."""
_SCALE = 4
_PEN_WIDTHS_PX = (6.0, 9.0, 13.0)
"""On the enlarged canvas; a font is drawn with its own pen and with each of these that is thicker."""
_THINNEST_PX = 6.0
_SAME_SHARE = 0.9
_MAX_SIZE_PX = 8 * _FONT_SIZE_PX


def load_fonts(folder: Path) -> Characters:
    """Draw digits, capitals and small letters of all fonts of a folder, with pens of several widths.

    Small letters that look like their capitals, all over a font, are left out: such a font has capitals only.

    Raises:
        UsageError: No such folder, no fonts in it, or one that can't be read.
    """
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in FONT_SUFFIXES)
    if not paths:
        raise UsageError(f"{folder}: no fonts there; expected {', '.join('*' + suffix for suffix in FONT_SUFFIXES)}")
    images: list[UInt8[np.ndarray, "28 28"]] = []
    classes: list[int] = []
    for path in paths:
        for label, ink in _inks_of_font(path).items():
            drawn = list(_with_pens(ink))
            images += drawn
            classes += [LABELS.index(label)] * len(drawn)
    if not images:
        raise UsageError(f"{folder}: its fonts have no Latin characters")
    known: Int32[np.ndarray, " n"] = np.array(classes, np.int32)
    return Characters(np.stack(images), known, known)


def _inks_of_font(path: Path) -> dict[str, Bool[np.ndarray, "h w"]]:
    try:
        font = ImageFont.truetype(str(path), _FONT_SIZE_PX)
    except OSError as error:
        raise UsageError(f"{path}: not a readable font: {error}") from error
    missing = _ink(font, "\ufffe")
    inks = {}
    for label in DIGITS + UPPER + LOWER:
        ink = _ink(font, label)
        if ink is not None and not (missing is not None and np.array_equal(ink, missing)):
            inks[label] = ink
    pairs = [(inks[small], inks[small.upper()]) for small in "abdeghqr" if {small, small.upper()} <= inks.keys()]
    if pairs and np.mean([_overlap(*pair) > _SAME_SHARE for pair in pairs]) > 0.5:
        return {label: ink for label, ink in inks.items() if label not in LOWER}
    return inks


def _ink(font: ImageFont.FreeTypeFont, character: str) -> Bool[np.ndarray, "h w"] | None:
    """The ink of a character, cropped, its longer side `_INK_PX * _SCALE`; None where there is none."""
    left, top, right, bottom = (round(edge) for edge in font.getbbox(character))
    width, height = right - left, bottom - top
    if not (0 < width < _MAX_SIZE_PX and 0 < height < _MAX_SIZE_PX):
        return None
    canvas = Image.new("L", (width + 2, height + 2))
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), character, fill=255, font=font)
    grey = np.asarray(canvas)
    rows, columns = np.flatnonzero(grey.max(axis=1) > 127), np.flatnonzero(grey.max(axis=0) > 127)
    if len(rows) == 0:
        return None
    grey = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = _INK_PX * _SCALE / max(grey.shape)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA)) > 100


def _with_pens(ink: Bool[np.ndarray, "h w"]) -> Iterator[UInt8[np.ndarray, "28 28"]]:
    """Yield the character as its font has it, unless that is too thin to be seen, and with thicker pens."""
    side = SOURCE_SIZE_PX * _SCALE
    canvas = np.zeros((side, side), np.uint8)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    # A stroke's pixels are a quarter of its width away from paper, on average.
    width_px = 4 * float(cv2.distanceTransform(canvas, cv2.DIST_L2, 5)[canvas > 0].mean())
    to_ink = cv2.distanceTransform(1 - canvas, cv2.DIST_L2, 5)
    growths = [(pen - width_px) / 2 for pen in _PEN_WIDTHS_PX if pen > width_px + 1]
    for growth_px in ([0.0] if width_px >= _THINNEST_PX else []) + growths:
        grown = (to_ink <= growth_px).astype(np.uint8) * 255
        yield cv2.resize(grown, (SOURCE_SIZE_PX, SOURCE_SIZE_PX), interpolation=cv2.INTER_AREA)


def _overlap(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h2 w2"]) -> float:
    """Intersection over union, after bringing the other to the size of the one."""
    same_size = cv2.resize(other.astype(np.uint8), one.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return float((one & same_size).sum() / (one | same_size).sum())
