"""Make a data-set character look like the crop of a scan.

Order, as on paper: the hand (slant, size, wobble), the pen (width, grain, gaps), the form (rules, neighbours, specks),
the scanner (blur, resolution, 1-bit, JPEG, noise). `normalize_inks` comes last, as it does for page crops.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.training.digit_shapes import DIGIT_SHAPES
from hwtranscribe.training.draw import draw_bar, draw_flag, draw_rule_beside, draw_rule_under, draw_specks
from hwtranscribe.training.letter_shapes import LETTER_SHAPES
from hwtranscribe.training.strokes import draw_shape

CANVAS_PX = 56
LETTER_PX = 36
"""Usual longer side of a character on the canvas; 24 px in the glyph, so one glyph pixel is 1.5 here."""

_VARIANT_SHARE = {"1": 0.3, "7": 0.15}
SHAPES = {**DIGIT_SHAPES, **LETTER_SHAPES}
_DRAWN_DIGITS, _DRAWN_LETTERS = 0.15, 0.12
_DRAWN_M = 0.3
"""In block letters of the French it is nearly an H."""
_ON_A_RULE, _RULE_SHARE = "0468", 0.06
"""Digits that stay what they are with a rule under their feet: a piece of it under a 0 must not make a 2."""
_CLEAN_SHARE = 0.3
"""Characters that only a hand has varied: the data sets themselves, and good scans, look like that."""
_FIELD_COUNT = 256
_FIELD_KNOTS = 5


class Augmenter:
    """Draws variations; every method takes the generator to draw from, so a batch can be made again.

    Attributes:
        neighbours: Images whose fragments intrude from the side.
    """

    def __init__(self, neighbours: UInt8[np.ndarray, "n 28 28"]) -> None:
        self.neighbours = neighbours
        rng = np.random.default_rng(0)
        self._fields = [_wobble_field(rng) for _ in range(_FIELD_COUNT)]
        rows, columns = np.mgrid[0:CANVAS_PX, 0:CANVAS_PX].astype(np.float32) - (CANVAS_PX - 1) / 2
        self._rows, self._columns = rows, columns

    def character(self, image: UInt8[np.ndarray, "28 28"], rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
        """Return an ink map of one character as a scan would show it."""
        if rng.random() < _CLEAN_SHARE:
            return self.hand(image, rng, strength=0.5)
        ink = self.pen(self.hand(image, rng), rng)
        return self.scanner(self.form(ink, rng), rng)

    def variant(
        self, image: UInt8[np.ndarray, "28 28"], label: str, rng: np.random.Generator
    ) -> UInt8[np.ndarray, "28 28"]:
        """Bring in what other school hands write and the American data sets hardly hold.

        Some characters give way to drawn ones of other shapes; a 1 may get a flag, a 7 a bar, and
        some digits a piece of the rule they stand on.
        """
        share = _DRAWN_DIGITS if label.isdigit() else _DRAWN_M if label == "M" else _DRAWN_LETTERS
        if label in SHAPES and rng.random() < share:
            return draw_shape(SHAPES[label], rng)
        if label in _ON_A_RULE and rng.random() < _RULE_SHARE:
            return draw_rule_under(image, rng)
        if label not in ("1", "7") or rng.random() > _VARIANT_SHARE[label]:
            return image
        image = image.copy()
        rows = np.flatnonzero(image.max(axis=1) > 90)
        if label == "1":
            draw_flag(image, (rows[0], rows[-1]), rng)
        else:
            draw_bar(image, (rows[0], rows[-1]), rng)
        return image

    def hand(
        self, image: UInt8[np.ndarray, "28 28"], rng: np.random.Generator, strength: float = 1.0
    ) -> Float32[np.ndarray, "56 56"]:
        """Rotate, slant, stretch and wobble a character onto the canvas."""
        angle, slant, stretch, size, wobble = rng.normal(size=5) * np.array([0.1, 0.16, 0.13, 0.08, 1.1]) * strength
        if strength == 1.0 and rng.random() < 0.2:
            stretch = rng.uniform(-0.5, 0.5)
        columns, rows = np.flatnonzero(image.max(axis=0) > 90), np.flatnonzero(image.max(axis=1) > 90)
        if len(rows) == 0:
            return np.zeros((CANVAS_PX, CANVAS_PX), np.float32)
        longer = max(columns[-1] - columns[0], rows[-1] - rows[0]) + 1
        scale = longer / (LETTER_PX * np.exp(size))
        cos, sin = np.cos(angle), np.sin(angle)
        across, down = scale * np.exp(stretch / 2), scale * np.exp(-stretch / 2)
        x = across * (cos * self._columns + (sin + slant) * self._rows) + (columns[0] + columns[-1]) / 2
        y = down * (-sin * self._columns + cos * self._rows) + (rows[0] + rows[-1]) / 2
        field_x, field_y = self._fields[rng.integers(_FIELD_COUNT)]
        wobbled_x = (x + scale * wobble * field_x).astype(np.float32)
        wobbled_y = (y + scale * wobble * field_y).astype(np.float32)
        return cv2.remap(image, wobbled_x, wobbled_y, cv2.INTER_CUBIC).astype(np.float32) / 255

    def pen(self, ink: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
        """Change the stroke's width, from a thin pen to a felt tip, its edge and its evenness."""
        choice = rng.random()
        if choice < 0.3:
            # Steep, since EMNIST is blurred and MNIST is not: softness must not tell an O from a 0.
            ink = np.clip((ink - rng.uniform(0.3, 0.6)) * rng.uniform(2, 5) + 0.5, 0, 1)
        else:
            mask = (ink > 0.45).astype(np.uint8)
            ink = _thinner(mask, rng.uniform(0, 0.8)) if choice < 0.75 else _thicker(mask, rng.triangular(0, 0.8, 3.6))
        if rng.random() < 0.12:
            height, width = ink.shape
            coarse = rng.random((height // 4, width // 4), dtype=np.float32)
            grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
            ink = ink * np.clip(1 - rng.uniform(0.3, 1.0) * (grain > rng.uniform(0.55, 0.8)) * grain, 0, 1)
        if rng.random() < 0.1:
            # What taking out a printed rule leaves of the strokes that it crossed.
            ink = ink.copy()
            at, thickness = rng.integers(10, min(ink.shape) - 10), rng.integers(1, 4)
            gap = ink[at : at + thickness] if rng.random() < 0.6 else ink[:, at : at + thickness]
            gap *= rng.uniform(0, 0.5)
        return ink.astype(np.float32)

    def form(self, ink: Float32[np.ndarray, "56 56"], rng: np.random.Generator) -> Float32[np.ndarray, "56 56"]:
        """Add what a form or the next character leaves in a crop."""
        line, neighbour, specks = rng.random(3)
        if line < 0.1:
            draw_rule_beside(ink, rng)
        if neighbour < 0.06:
            other = self.hand(self.neighbours[rng.integers(len(self.neighbours))], rng)
            # A sliver of it only: with more, the crop is two characters, which is for the last class to say.
            shift = int(rng.integers(36, 43))
            if rng.random() < 0.5:
                ink[:, shift:] = np.maximum(ink[:, shift:], other[:, : CANVAS_PX - shift])
            else:
                ink[:, : CANVAS_PX - shift] = np.maximum(ink[:, : CANVAS_PX - shift], other[:, shift:])
        if rng.random() < 0.06:
            _cut_border(ink, rng)
        if specks < 0.08:
            draw_specks(ink, rng, count=int(rng.integers(1, 4)))
        return ink

    def scanner(self, ink: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> Float32[np.ndarray, "_h _w"]:
        """Blur, shrink, threshold, compress: all that lies between paper and pixels."""
        blur, low, bilevel, noise, jpeg = rng.random(5)
        if blur < 0.35:
            ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.8))
        if low < 0.4:
            # A quarter is as coarse as strips of forms are: capitals of 8 to 14 px.
            factor = rng.uniform(0.2, 0.4) if rng.random() < 0.25 else rng.uniform(0.4, 0.9)
            size = (max(8, int(ink.shape[1] * factor)), max(8, int(ink.shape[0] * factor)))
            ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
        if noise < 0.1:
            ink = ink + rng.normal(size=ink.shape).astype(np.float32) * rng.uniform(0.02, 0.12)
        if bilevel < 0.2:
            ink = (ink > rng.uniform(0.3, 0.6) * ink.max()).astype(np.float32)
        elif jpeg < 0.08:
            grey = np.clip(ink * 200, 0, 255).astype(np.uint8)
            quality = int(rng.integers(15, 70))
            coded = cv2.imencode(".jpg", 255 - grey, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
            ink = (255 - np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))).astype(np.float32) / 200
        # The separation of ink from paper takes most noise of the paper away.
        return np.clip(ink * 1.15 - 0.15, 0, 1, dtype=np.float32)


def _wobble_field(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    knots = rng.normal(size=(2, _FIELD_KNOTS, _FIELD_KNOTS)).astype(np.float32)
    size = (CANVAS_PX, CANVAS_PX)
    return (
        cv2.resize(knots[0], size, interpolation=cv2.INTER_CUBIC),
        cv2.resize(knots[1], size, interpolation=cv2.INTER_CUBIC),
    )


def _cut_border(ink: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> None:
    """Take a strip off one side of the writing, as a crop that is too tight does."""
    axis = int(rng.integers(2))
    inked = np.flatnonzero(ink.max(axis=axis) > 0.3)
    if len(inked) == 0:
        return
    strip = max(1, round(rng.uniform(0.03, 0.12) * len(inked)))
    lines = ink.T if axis == 0 else ink
    if rng.random() < 0.5:
        lines[: inked[0] + strip] = 0
    else:
        lines[inked[-1] + 1 - strip :] = 0


def _thinner(mask: UInt8[np.ndarray, "h w"], share: float) -> Float32[np.ndarray, "h w"]:
    """Take the same share off every stroke's width; its middle line stays, so that strokes do not break."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    half_width = cv2.dilate(depth, np.ones((7, 7), np.uint8))
    return np.clip(depth - share * half_width + 0.5, 0, 1) * mask


def _thicker(mask: UInt8[np.ndarray, "h w"], growth_px: float) -> Float32[np.ndarray, "h w"]:
    return np.clip(growth_px + 1 - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3), 0, 1)
