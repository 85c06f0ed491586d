"""A writer whose characters are copied from images of people's writing, brought to one size, slant and pen."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

Box = tuple[float, float, float, float]

_SUPERSAMPLING = 3
_WIDEST = 1.3
"""Width to height of a character; one that is wider is made lower, for the data sets scale a dash-like one up."""
_LOW_LETTERS = dict.fromkeys("acemnorsuvwxz", 0.66)


class CopiedHand:
    """One writer, the same for the same seed; lengths are in heights of what is written into.

    Args:
        images: Of each character, white ink on black.
        seed: Of the writer and of all that is written.
        upon_sides: How often free writing stands on or over the upper or lower side of its box.
    """

    def __init__(self, images: Mapping[str, Sequence[np.ndarray]], seed: int, upon_sides: float = 0.0) -> None:
        self.images = images
        self.upon_sides = upon_sides
        self.rng = rng = np.random.default_rng(seed)
        self.capital = rng.uniform(0.45, 0.82)
        self.slant = rng.normal(0, 0.13)
        self.pen = rng.uniform(0.055, 0.1)
        self.gap = rng.uniform(0.0, 0.3) * self.capital
        self.drop = rng.normal(0, 0.05)
        self.fills_cells = rng.random() < 0.3
        self.darkness = rng.uniform(0.6, 0.95)

    def character(self, symbol: str, height_px: float) -> np.ndarray:
        """Ink of a character in something `height_px` high (uint8, 255 full ink), cut out tightly."""
        rng = self.rng
        source = self.images[symbol][rng.integers(len(self.images[symbol]))]
        source = _tight(source, 76)
        capital_px = height_px * self.capital * _LOW_LETTERS.get(symbol, 1.0) * np.exp(rng.normal(0, 0.06))
        aspect = source.shape[1] / source.shape[0]
        capital_px *= min(1.0, _WIDEST / aspect)
        size = max(3, round(capital_px * aspect * _SUPERSAMPLING)), max(6, round(capital_px * _SUPERSAMPLING))
        ink = cv2.resize(source, size, interpolation=cv2.INTER_CUBIC)
        aside, above = round(0.5 * size[1]), 12
        ink = cv2.copyMakeBorder(ink, above, above, aside, aside, cv2.BORDER_CONSTANT)
        shear = np.array([[1, -self.slant, self.slant * len(ink) / 2], [0, 1, 0]])
        ink = cv2.warpAffine(ink, shear, ink.shape[::-1])
        strokes = _with_pen((ink > 115).astype(np.uint8), self.pen * height_px * _SUPERSAMPLING)
        small = cv2.resize(
            strokes * 255, None, fx=1 / _SUPERSAMPLING, fy=1 / _SUPERSAMPLING, interpolation=cv2.INTER_AREA
        )
        return _tight(small, 50)

    def write_in_cells(
        self, ink: np.ndarray, text: str, edges: Sequence[float], top: float, bottom: float
    ) -> list[np.ndarray]:
        """Write a character into each cell, in place on an ink map, and return the characters.

        Args:
            ink: 255 full ink.
            text: At most as many characters as there are cells.
            edges: Of the cells, px from the left.
            top: Of the cells.
            bottom: Of the cells.
        """
        height_px = bottom - top
        written = []
        for symbol, left, right in zip(text, edges, edges[1:], strict=False):
            if symbol == " ":
                continue
            character = self.character(symbol, height_px * (1.15 if self.fills_cells else 1))
            room_px = (right - left) * (1.2 if self.fills_cells else 0.96)
            if character.shape[1] > room_px:
                size = max(2, int(room_px)), len(character)
                character = cv2.resize(character, size, interpolation=cv2.INTER_AREA)
            x = (left + right) / 2 + self.rng.normal(0, 0.07) * (right - left)
            y = (top + bottom) / 2 + (self.drop + self.rng.normal(0, 0.05)) * height_px
            _put(ink, character, x - character.shape[1] / 2, y - len(character) / 2)
            written.append(character)
        return written

    def write_line(self, ink: np.ndarray, text: str, box: Box, on_rule: bool = False) -> list[np.ndarray]:
        """Write freely into a box, smaller where it would not fit, and return the characters.

        Args:
            ink: 255 full ink.
            text: With single spaces.
            box: px.
            on_rule: Whether its lower side is a rule to write on.
        """
        left, top, right, bottom = box
        rng, height_px = self.rng, bottom - top
        written = {at: self.character(symbol, height_px) for at, symbol in enumerate(text) if symbol != " "}
        gaps_px = [height_px * (self.gap + rng.normal(0, 0.04)) for _ in text]
        spaces_px = [
            0 if at in written else height_px * self.capital * rng.uniform(0.4, 0.7) for at in range(len(text))
        ]
        needed_px = sum(gaps_px[1:]) + sum(spaces_px) + sum(one.shape[1] for one in written.values())
        room_px = right - left - 0.15 * height_px
        fit = min(1.0, room_px / needed_px)
        if fit < 1:
            written = {
                at: cv2.resize(one, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA) for at, one in written.items()
            }
        foot = self._foot(max(map(len, written.values())), top, bottom, on_rule)
        x = left + 0.08 * height_px + (room_px - needed_px * fit) * rng.uniform(0, 1) * rng.choice([0.2, 1])
        rise = rng.normal(0, 0.015)
        for at in range(len(text)):
            x += spaces_px[at] * fit + (gaps_px[at] * fit if at else 0)
            if at in written:
                lift_px = rise * (x - (left + right) / 2) + rng.normal(0, 0.02) * height_px
                _put(ink, written[at], x, foot - len(written[at]) - lift_px)
                x += written[at].shape[1]
        return list(written.values())

    def _foot(self, tallest_px: int, top: float, bottom: float, on_rule: bool) -> float:
        """Row of the line that characters stand on."""
        rng, height_px = self.rng, bottom - top
        if on_rule:
            return bottom - rng.uniform(-0.06, 0.2) * height_px
        free_px = max(0.0, height_px - tallest_px)
        if rng.random() < self.upon_sides:
            off_px = (free_px / 2 + rng.uniform(-0.02, 0.15) * height_px) * (1 if rng.random() < 0.6 else -1)
        else:
            off_px = rng.uniform(-0.4, 0.4) * max(0.0, free_px - 0.2 * height_px)
        return (top + bottom + tallest_px) / 2 + off_px


def _with_pen(strokes: np.ndarray, pen_px: float) -> np.ndarray:
    """Make strokes (0 and 1) about as broad as a pen."""
    reach = cv2.distanceTransform(strokes, cv2.DIST_L2, 5)
    broad_px = 2 * float(np.percentile(reach[strokes > 0], 90))
    grow_px = round((pen_px - broad_px) / 2)
    if grow_px > 0:
        return cv2.dilate(strokes, _disc(grow_px))
    thinner = cv2.erode(strokes, _disc(min(-grow_px, max(0, int(broad_px / 2) - 2))))
    return thinner if thinner.sum() > 20 else strokes


def _disc(reach_px: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach_px + 1, 2 * reach_px + 1))


def _tight(ink: np.ndarray, level: int) -> np.ndarray:
    rows, columns = np.nonzero(ink > level)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _put(ink: np.ndarray, character: np.ndarray, x: float, y: float) -> None:
    """Add a character to an ink map in place; nothing where it would leave the map."""
    left, top = round(x), round(y)
    place = ink[max(0, top) : top + len(character), max(0, left) : left + character.shape[1]]
    if place.shape == character.shape:
        np.maximum(place, character, out=place)
