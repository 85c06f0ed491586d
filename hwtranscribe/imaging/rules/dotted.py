"""Dotted and dashed rules: pieces at the same distance from one another along a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from hwtranscribe.imaging.masks import Binary, bar
from hwtranscribe.imaging.rules.find import Rules

LEAST_DOTS = 8
"""Fewer pieces in a row may be anything."""

LONGEST = 3
"""A dash is no longer than this, in the largest thickness of a rule."""

FURTHEST = 4
"""Nor is the paper between two, in the same measure."""

EVEN = 0.2
"""Share of their pitch by which pieces may be off."""

REGULAR = 0.8
"""Share of the pieces of a row that keep to the pitch."""

MOST_MISSED = 1
"""Pieces one after the other that the scan may have lost."""

BAND_PX = 16
"""How far a rule may rise or fall over a page."""

MOST_HIDDEN = 12
"""Places one after the other where writing may hide pieces: the letters of a word stand apart."""

GRID = 0.5
"""Paper is dotted all over where this share of its dots belongs to rows in both directions."""

MOST_ROWS = 400
"""A page with more rows of dots is patterned."""


@dataclass(frozen=True, slots=True, eq=False)
class _Dots:
    """Small pieces of a picture.

    Attributes:
        labels: Number of the piece that each px belongs to, 1-based; of all pieces.
        small: Which of these are small.
        middle: Of each, x and y.
        size: Width and height, px.
    """

    labels: Int32[np.ndarray, "height width"]
    small: Bool[np.ndarray, " n"]
    middle: Float64[np.ndarray, "n 2"]
    size: Int32[np.ndarray, "n 2"]

    def near(self, x: float, y: float, reach_px: tuple[int, int]) -> int:
        """Return the number of a small piece at a place; -1 where there is something else, 0 where there is nothing."""
        height, width = self.labels.shape
        left, top = max(0, round(x) - reach_px[0]), max(0, round(y) - reach_px[1])
        right, bottom = min(width, round(x) + reach_px[0] + 1), min(height, round(y) + reach_px[1] + 1)
        if left >= right or top >= bottom:
            return 0
        there = np.unique(self.labels[top:bottom, left:right])
        dots = there[self.small[there]]
        if len(dots):
            return int(dots[np.abs(self.middle[dots] - (x, y)).max(axis=1).argmin()])
        return -1 if there[-1] else 0


def find_dotted(binary: Binary, thickness_px: int) -> tuple[Rules, Rules]:
    """Return the horizontal and the vertical dotted rules of a picture, drawn through where writing hides dots.

    Paper with dots all over has rows of them instead, and only of those that are seen: they are sparse, and taking them
    off where strokes are would pierce these.

    Args:
        binary: 1 where dark.
        thickness_px: Thickest rule.
    """
    _, labels, stats, middle = cv2.connectedComponentsWithStats(binary, connectivity=8)
    size = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    level = _level(labels, middle, size, thickness_px)
    upright = _level(labels.T, middle[:, ::-1], size[:, ::-1], thickness_px)
    on_level, on_upright = level.mask(binary.shape), upright.mask(binary.T.shape).T
    both = np.count_nonzero(on_level & on_upright)
    if both > GRID * max(np.count_nonzero(on_level), np.count_nonzero(on_upright)):
        level, upright = _level(labels, middle, size, thickness_px, through=False), _no_rules()
    return level, Rules(True, upright.xs, upright.ys, upright.owner, upright.thickness_px)


def _no_rules() -> Rules:
    """No horizontal ones."""
    none = np.zeros(0, np.int32)
    return Rules(False, none, none, none, none)


def _level(
    labels: Int32[np.ndarray, "height width"],
    middle: Float64[np.ndarray, "n 2"],
    size: Int32[np.ndarray, "n 2"],
    thickness_px: int,
    through: bool = True,
) -> Rules:
    """Return the horizontal dotted rules of a picture.

    Args:
        labels: Number of the piece that each px belongs to.
        middle: Of each, x and y.
        size: Width and height of each, px.
        thickness_px: Thickest rule.
        through: Whether to draw them through where dots are hidden; else only as far as seen.
    """
    small = (size[:, 1] <= thickness_px) & (size[:, 0] <= LONGEST * thickness_px)
    small[0] = False
    dots = _Dots(labels, small, middle, size)
    px: list[Int64[np.ndarray, "_px 2"]] = []
    thickness: list[int] = []
    known = np.zeros(len(small), bool)
    for row in islice(_rows(dots, thickness_px), MOST_ROWS):
        if known[row].mean() > 0.5:
            continue
        own, hidden = _followed(dots, row)
        known[own] = True
        size_px = np.median(size[own], axis=0).round().astype(np.int64)
        thickness.append(int(size_px[1]))
        px.append(_px_of(dots, own, hidden if through else [], size_px))
    if not px:
        return _no_rules()
    ys, xs = np.concatenate(px).astype(np.int32).T
    owner = np.repeat(np.arange(len(px), dtype=np.int32), [len(own) for own in px])
    return Rules(False, ys, xs, owner, np.array(thickness, np.int32))


def _rows(dots: _Dots, thickness_px: int) -> Iterator[Int64[np.ndarray, " row"]]:
    """Yield the small pieces that stand in a row and keep a pitch, from left to right; long rows first."""
    numbers = np.flatnonzero(dots.small)
    x, y = dots.middle[numbers].round().astype(np.int64).T
    # A glance at how many there are at one height saves most pages the rest.
    at_height = np.bincount(y // BAND_PX, minlength=1)
    if (at_height + np.append(at_height[1:], 0)).max() < LEAST_DOTS:
        return
    mask = dots.small[dots.labels].astype(np.uint8)
    # Where two dotted rules cross, or a stroke crosses one, a dot is part of something else.
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, bar((2 * FURTHEST + LONGEST) * thickness_px + 1, False))
    _, chains = cv2.connectedComponents(joined, connectivity=8)
    chain = chains[y, x]
    order = np.lexsort((dots.middle[numbers, 0], chain))
    numbers, chain = numbers[order], chain[order]
    rows = np.split(numbers, np.flatnonzero(np.diff(chain)) + 1)
    for row in sorted(rows, key=len, reverse=True):
        if len(row) < LEAST_DOTS:
            return
        gaps = np.diff(dots.middle[row, 0])
        pitch_px = float(np.median(gaps))
        if not 1 < pitch_px <= (FURTHEST + LONGEST) * thickness_px:
            continue
        steps = np.clip(np.round(gaps / pitch_px), 1, 2)
        even = np.abs(gaps - steps * pitch_px) <= EVEN * pitch_px
        straight = np.abs(np.diff(dots.middle[row, 1])) <= np.maximum(1.0, 0.25 * dots.size[row[1:], 1])
        if (even & straight).mean() >= REGULAR:
            yield row


def _followed(dots: _Dots, row: Int64[np.ndarray, " row"]) -> tuple[list[int], list[tuple[float, float]]]:
    """Return all pieces of a rule of which some are known, and the middles of those that writing between them hides.

    Beyond its last piece there may be print at the same height.
    """
    own: list[int] = row.tolist()
    known = set(own)
    hidden: list[tuple[float, float]] = []
    places = dots.middle[row]
    pitch_px = float(np.median(np.diff(places[:, 0])))
    slope = float(np.polyfit(places[:, 0], places[:, 1], 1)[0])
    reach_px = max(1, round(EVEN * pitch_px)), 1
    for way, (x, y) in ((-1, places[0]), (1, places[-1])):
        missed = 0
        hidden_here: list[tuple[float, float]] = []
        while missed <= MOST_MISSED and len(hidden_here) <= MOST_HIDDEN:
            x, y = x + way * pitch_px, y + way * pitch_px * slope
            number = dots.near(x, y, reach_px)
            missed = 0 if number else missed + 1
            # Wide pieces close together may be met twice.
            if number > 0 and number not in known:
                x, y = dots.middle[number]
                own.append(number)
                known.add(number)
                hidden += hidden_here
                hidden_here = []
            elif number:
                hidden_here.append((float(x), float(y)))
    return own, hidden


def _px_of(
    dots: _Dots, own: list[int], hidden: list[tuple[float, float]], size_px: Int64[np.ndarray, " 2"]
) -> Int64[np.ndarray, "px 2"]:
    """Return rows and columns of the px of pieces, and of places that are as large."""
    height, width = dots.labels.shape
    px = []
    half = dots.size[own].max(axis=0) // 2 + 1
    for number in own:
        x, y = dots.middle[number].round().astype(int)
        top, left = max(0, y - half[1]), max(0, x - half[0])
        ys, xs = np.nonzero(dots.labels[top : y + half[1] + 1, left : x + half[0] + 1] == number)
        px.append(np.column_stack([ys + top, xs + left]))
    for x, y in hidden:
        left, top = round(x - size_px[0] / 2), round(y - size_px[1] / 2)
        ys, xs = np.mgrid[max(0, top) : min(height, top + size_px[1]), max(0, left) : min(width, left + size_px[0])]
        px.append(np.column_stack([ys.ravel(), xs.ravel()]))
    return np.concatenate(px)
