"""Lines of writing, composed of training characters as one hand would set them.

Order, as on paper: the text, the hand (slant, sizes, gaps, what touches), the pen, the form (rules, specks, the line
above), the scanner. `line_strip` comes last, as it does for lines of pages.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.model import COLUMN_PX, LABELS
from hwtranscribe.segment.upright import line_strip
from hwtranscribe.training.augment import Augmenter
from hwtranscribe.training.data import Characters
from hwtranscribe.training.draw import draw_mark, draw_specks
from hwtranscribe.training.flourish import ACCENTS, joined_zeros, with_accent
from hwtranscribe.training.fonts import FONT_SHARE
from hwtranscribe.training.hands import Hand, Writing, draw_hand, draw_text, draw_writing, in_hand, size_of

CANVAS_HEIGHT_PX, BASELINE_PX, CHARACTER_PX = 110, 74, 36
"""Of a composed line: its height, the row that characters stand on, and how high they usually are."""

_MAX_ASPECT = 1.35
"""A character wider than this (width to height) is made lower: the data sets scale a dash-like one up."""
_NEIGHBOUR_COUNT = 8000


_MARKS_OF_AMOUNTS = {".": 0.35, ",": 0.25, "-": 0.28, "=": 0.1, "/": 0.02}
_MARKS_OF_WORDS = {".": 0.25, ",": 0.25, "-": 0.25, ":": 0.25}


@dataclass(frozen=True, slots=True, eq=False)
class ComposedLine:
    """A line as a scan would show it.

    Attributes:
        strip: As `LineNet` sees it.
        text: Its characters, without marks and spaces; case counts.
    """

    strip: Float32[np.ndarray, "32 w"]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """A character or mark to set: its ink, how far it stands above the line, and the paper before it, in heights."""

    ink: Float32[np.ndarray, "h w"]
    lift: float
    gap: float
    is_mark: bool


class LineComposer:
    """Composes lines; a line is a function of the generator it is given."""

    def __init__(self, characters: Characters, seed: int, fonts: Characters | None = None) -> None:
        """Prepare.

        Args:
            characters: To draw from; those whose case is not known are left out.
            seed: Of the choice of neighbours.
            fonts: Characters of fonts, to draw some from.
        """
        known = characters.take(np.flatnonzero(characters.classes == characters.other_case))
        self._written = _by_label(known)
        self._of_fonts = {} if fonts is None else _by_label(fonts)
        picks = np.random.default_rng(seed).permutation(len(known))[:_NEIGHBOUR_COUNT]
        self._augmenter = Augmenter(known.images[picks])

    def compose(self, max_width_px: int, rng: np.random.Generator) -> ComposedLine:
        """Return a line whose strip is at most so wide."""
        while True:
            writing = draw_writing(rng)
            hand = draw_hand(writing, rng)
            text = draw_text(writing, rng)
            if writing is Writing.CAPITALS:
                text = "".join(in_hand(c, hand, rng) for c in text)
            text = "".join(c for c in text if c in self._written)
            ink = self._ink(text, writing, hand, rng) if text else None
            strip = None if ink is None else line_strip(np.round(ink * 255).astype(np.uint8))
            if strip is not None and _needed_px(text) <= strip.shape[1] <= max_width_px:
                return ComposedLine(strip, text)

    def _ink(
        self, text: str, writing: Writing, hand: Hand, rng: np.random.Generator
    ) -> Float32[np.ndarray, "h w"] | None:
        items = self._items(text, writing, hand, rng)
        line = None if items is None else _set_items(items, hand, rng)
        if line is None:
            return None
        if rng.random() < 0.7:
            line = _slanted(line, rng.normal(0, 0.2))
        line = self._augmenter.pen(line, rng)
        self._form(line, rng)
        return self._augmenter.scanner(line, rng)

    def _items(self, text: str, writing: Writing, hand: Hand, rng: np.random.Generator) -> list[_Item] | None:
        marks = _MARKS_OF_AMOUNTS if writing in (Writing.DIGITS, Writing.MIXED) else _MARKS_OF_WORDS

        def mark(gap: float) -> _Item:
            name = list(marks)[int(rng.choice(len(marks), p=list(marks.values())))]
            ink, lift = draw_mark(name, hand.stroke_px, rng)
            return _Item(ink, lift, gap, True)

        items = [mark(0.0)] if rng.random() < 0.12 else []
        small_from, small_size, small_lift = len(text), 1.0, 0.0
        if writing is Writing.DIGITS and len(text) > 2 and rng.random() < 0.2:
            # Cents: the last digits are written smaller, on the line or above it.
            small_from = len(text) - int(rng.integers(1, min(4, len(text))))
            small_size = rng.uniform(0.4, 0.8)
            small_lift = rng.choice([0.0, 1 - small_size, rng.uniform(0, 0.5)])
        joined_to = 0
        for place, character in enumerate(text):
            if place < joined_to:
                continue
            size, drop = size_of(character, writing, rng)
            small = place >= small_from
            size *= small_size if small else 1.0
            zeros = len(text) - place - len(text[place:].lstrip("0"))
            ink: Float32[np.ndarray, "h w"] | None
            if hand.joins_zeros and zeros > 1:
                joined_to = place + zeros
                ink = joined_zeros(zeros, CHARACTER_PX * size * rng.uniform(0.5, 1.0), hand.stroke_px + 1, rng)
            else:
                ink = self._character(character, size, hand, rng)
            if ink is None:
                return None
            if character in ACCENTS and rng.random() < hand.accent_share:
                accents = ACCENTS[character]
                ink, below_px = with_accent(ink, accents[int(rng.integers(len(accents)))], hand.stroke_px, rng)
                drop += below_px / CHARACTER_PX
            lift = small_lift * small - drop + rng.normal(0, hand.lift_spread)
            gap = hand.gap + rng.normal(0, hand.gap_spread)
            if place and writing in (Writing.CAPITALS, Writing.SMALL_LETTERS) and rng.random() < 0.08:
                gap += rng.uniform(0.4, 1.2)
            items.append(_Item(ink, lift, gap, False))
            if place < len(text) - 1 and rng.random() < hand.mark_share:
                items.append(mark(max(0.0, hand.gap) + rng.uniform(0, 0.2)))
        if rng.random() < (0.3 if writing is Writing.DIGITS else 0.1):
            items += [mark(rng.uniform(0.05, 0.4)) for _ in range(int(rng.integers(1, 3)))]
        return items

    def _character(
        self, character: str, size: float, hand: Hand, rng: np.random.Generator
    ) -> Float32[np.ndarray, "h w"] | None:
        """Ink of a character by this hand; None where the image holds none."""
        images = self._written[character]
        if character in self._of_fonts and rng.random() < FONT_SHARE:
            images = self._of_fonts[character]
        image = self._augmenter.variant(images[rng.integers(len(images))], character, rng)
        ink = _tight(self._augmenter.hand(image, rng, strength=0.6))
        if ink is None:
            return None
        aspect = ink.shape[1] / ink.shape[0]
        height = CHARACTER_PX * size * np.exp(rng.normal(0, hand.size_spread)) * min(1.0, _MAX_ASPECT / aspect)
        height = max(6.0, height)
        width = max(3.0, height * aspect * (hand.stretch if aspect > 0.3 else 1.0))
        shrinks = height < ink.shape[0]
        ink = cv2.resize(
            ink, (round(width), round(height)), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        if hand.dotted and character in "IJ":
            dot = np.zeros((12, ink.shape[1]), np.float32)
            cv2.circle(dot, (ink.shape[1] // 2, 4), 2, 1.0, -1, cv2.LINE_AA)
            ink = np.vstack([dot, ink])
        return ink

    def _form(self, line: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> None:
        """Add what is left of rules, specks, and the feet of the line above or the heads of the one below."""
        height, width = line.shape
        if rng.random() < 0.15:
            at, tilt, count = int(rng.integers(66, 88)), rng.normal() * 1.5, int(rng.integers(1, 4))
            for _ in range(count):
                begin, end = np.sort(rng.uniform(0, width, 2))
                if count == 1 and rng.random() < 0.5:
                    begin, end = 0, width
                ends = (int(begin), round(at - tilt)), (int(end), round(at + tilt))
                cv2.line(line, *ends, float(rng.uniform(0.5, 1)), int(rng.integers(1, 3)), cv2.LINE_AA)
        if rng.random() < 0.06:
            x = int(rng.integers(2, 8)) if rng.random() < 0.5 else width - int(rng.integers(3, 9))
            ends = (x, int(rng.integers(10, 40))), (x, int(rng.integers(60, 100)))
            cv2.line(line, *ends, 1.0, int(rng.integers(1, 3)), cv2.LINE_AA)
        if rng.random() < 0.2:
            draw_specks(line[24:90], rng, count=int(rng.integers(1, 6)))
        if rng.random() < 0.06:
            neighbours = self._augmenter.neighbours
            other = _tight(self._augmenter.hand(neighbours[rng.integers(len(neighbours))], rng))
            if other is not None:
                cut = int(rng.integers(6, 16))
                other, top = (other[-cut:], 20) if rng.random() < 0.5 else (other[:cut], 84)
                left = int(rng.integers(0, max(1, width - CHARACTER_PX)))
                place = line[top : top + len(other), left : left + other.shape[1]]
                np.maximum(place, other[: place.shape[0], : place.shape[1]], out=place)


def _needed_px(text: str) -> int:
    """Width of a strip on which a text can be read: a column for each character, and one between two that are alike."""
    return COLUMN_PX * (len(text) + sum(one == other for one, other in pairwise(text)))


def _by_label(characters: Characters) -> dict[str, UInt8[np.ndarray, "n 28 28"]]:
    return {LABELS[c]: characters.images[characters.classes == c] for c in np.unique(characters.classes).tolist()}


def _set_items(items: list[_Item], hand: Hand, rng: np.random.Generator) -> Float32[np.ndarray, "h w"] | None:
    """Set characters and marks on a line; some are joined by a stroke. None where one is too high for the canvas."""
    width = int(sum(item.ink.shape[1] + max(0.0, item.gap) * CHARACTER_PX + 2 for item in items)) + 40
    line = np.zeros((CANVAS_HEIGHT_PX, width), np.float32)
    at, last = 14.0, None
    for number, item in enumerate(items):
        at = max(4.0, at + (item.gap * CHARACTER_PX if number else 0.0))
        height, own_width = item.ink.shape
        top = round(BASELINE_PX - item.lift * CHARACTER_PX + hand.rise * (at - width / 2) - height)
        left, top = round(at), min(max(2, top), CANVAS_HEIGHT_PX - height - 2)
        if top < 0 or left + own_width >= width:
            return None
        place = line[top : top + height, left : left + own_width]
        np.maximum(place, item.ink, out=place)
        rows, columns = np.nonzero(item.ink > 0.5)
        if len(columns):
            first, end = int(np.argmin(columns)), int(np.argmax(columns))
            if not item.is_mark and last is not None and item.gap < 0.25 and rng.random() < 0.08:
                start = left + int(columns[first]), top + int(rows[first])
                cv2.line(line, last, start, 1.0, hand.stroke_px, cv2.LINE_AA)
            last = left + int(columns[end]), top + int(rows[end])
        at = left + own_width
    return line


def _slanted(line: Float32[np.ndarray, "h w"], shear: float) -> Float32[np.ndarray, "h w2"]:
    height, width = line.shape
    pad_px = int(abs(shear) * height / 2) + 2
    matrix = np.array([[1, -shear, pad_px + shear * height / 2], [0, 1, 0]])
    return cv2.warpAffine(line, matrix, (width + 2 * pad_px, height))


def _tight(ink: Float32[np.ndarray, "h w"] | UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "_h _w"] | None:
    """The ink with a px of paper around it; None where there is none."""
    columns, rows = np.flatnonzero(ink.max(axis=0) > 0.3), np.flatnonzero(ink.max(axis=1) > 0.3)
    if not len(columns):
        return None
    return ink[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
