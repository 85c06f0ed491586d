"""Squared paper: its lines keep a pitch, so they are known where writing hides them."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from hwtranscribe.imaging.masks import Binary, bar
from hwtranscribe.imaging.rules.bars import bars_of
from hwtranscribe.imaging.rules.erase import PIECE_PX, follow_rules
from hwtranscribe.imaging.rules.find import Rules

LEAST_LINES = 9
"""Squared paper has at least so many lines either way; tables that have fewer rows or columns are none."""

SPAN = 0.6
"""Share of the height and of the width of a page that its lines take up: a table of square cells takes up less."""

LINES_SEEN = 0.875
"""Share of its lines that are seen, however much is written on them: those that keep no pitch with the others are
missing in a table with wide columns."""

FOUND = 0.6
"""Share of the lines of squared paper that are found, at least in part."""

OFF = 0.15
"""Lines may lie so far from where they belong, as a share of their pitch."""

FITTING = 0.85
"""Share of the length of all rules that lies where lines belong."""

ASPECT = 1.5
"""Width to height, or height to width, up to which there are squares."""

NO_CELL = 0.012
"""Lines closer than this, as a share of the long side, leave no room for writing: 3.6 mm of an A4 page. With them,
paper may be ruled otherwise than in squares, as that of French schools is."""

LEAST_PITCH = 0.005
"""Closest lines of squared paper, as a share of the long side: 1.5 mm of an A4 page."""

MOST_PITCH = 0.05
"""Farthest, in the same measure: 15 mm of an A4 page. Larger squares are cells of a table."""

REACH = 0.0015
"""How far from where it belongs a line is looked for, as a share of the long side: 0.4 mm."""

SEEN = 0.5
"""Share of a line's usual darkness that it has where it is seen, and of the px of a piece of it that must have that."""

SEEN_PIECES = 3
"""A line is seen in at least so many pieces on end: one or two may be a 1 or an I."""

STRAIGHT, LEAST_STRAIGHT = 0.02, 4.0
"""Dark runs along a line that are longer than the first, and of how much there is at least in both directions, px; in
long sides. The lines of squared paper have twelve times as much and more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ruling:
    """Lines that keep a pitch.

    Attributes:
        pitch_px: Usual.
        place: Of each line across, where the middle of the picture is along.
        slope: px across per px along of each line.
        inner: Whether it lies between lines that were found.
        low: Where the first of them begins along, px.
        high: Where the last of them ends.
    """

    pitch_px: float
    place: Float64[np.ndarray, " n"]
    slope: Float64[np.ndarray, " n"]
    inner: Bool[np.ndarray, " n"]
    low: int
    high: int


def may_be_squared(binary: Binary) -> bool:
    """Return whether there are enough dark runs in both directions, at a glance.

    Args:
        binary: 1 where dark.
    """
    size_px = max(binary.shape)
    runs = (cv2.morphologyEx(binary, cv2.MORPH_OPEN, bar(round(STRAIGHT * size_px), own)) for own in (False, True))
    return all(cv2.countNonZero(one) >= LEAST_STRAIGHT * size_px for one in runs)


def with_squares(rules: tuple[Rules, Rules], dark: UInt8[np.ndarray, "height width"]) -> tuple[Rules, Rules] | None:
    """Return rules of squared paper with what writing hides of its lines; None where paper is not squared.

    Lines that stand apart by a pitch in both directions tell where all of them are. Each is followed along the page
    like a rule of a blank form.

    Args:
        rules: Horizontal and vertical ones that were found.
        dark: Darkness of the page.
    """
    least_px = LEAST_PITCH * max(dark.shape)
    level, upright = (_ruling(own, dark.shape, least_px) for own in rules)
    if level is None or upright is None:
        return None
    least, most = sorted((level.pitch_px, upright.pitch_px))
    if most > MOST_PITCH * max(dark.shape) or (most > ASPECT * least and least > NO_CELL * max(dark.shape)):
        return None
    drawn = [_drawn_through(own, ruling, dark) for own, ruling in zip(rules, (level, upright), strict=True)]
    return None if drawn[0] is None or drawn[1] is None else (drawn[0], drawn[1])


def _ruling(rules: Rules, shape: tuple[int, ...], least_px: float) -> _Ruling | None:
    """Return the lines that most rules of one direction belong to, or None when they keep no pitch."""
    if len(rules) < LEAST_LINES:
        return None
    bars, size = bars_of(rules), shape[::-1] if rules.upright else shape
    usual = float(np.average(bars.slope, weights=bars.length))
    place, weight = bars.place_at(size[1] / 2, usual), bars.length
    order = np.argsort(place, kind="stable")
    line = np.concatenate([[0], np.cumsum(np.diff(place[order]) > least_px)])
    total = np.bincount(line, weights=weight[order])
    lines = np.bincount(line, weights=(weight * place)[order]) / total
    if len(lines) < LEAST_LINES:
        return None
    gaps = np.diff(lines)
    number = np.concatenate([[0], np.cumsum(np.round(gaps / np.median(gaps)))]).astype(np.int64)
    # A photograph draws pitches together towards one side.
    fit = _curve(number, lines, total, 2)
    pitch_px = float(np.median(np.diff(fit(np.arange(number[-1] + 1)))))
    near = np.abs(lines - fit(number)) <= OFF * pitch_px
    seen = len(np.unique(number[near]))
    if seen < max(LEAST_LINES, FOUND * (number[-1] + 1)) or total[near].sum() < FITTING * total.sum():
        return None
    if np.ptp(lines[near]) < SPAN * size[0]:
        return None
    fit = _curve(number[near], lines[near], total[near], 2)
    mine = near[line]
    lean = _curve(number[line][mine], bars.slope[order][mine], weight[order][mine] ** 2, 1)
    # Those beyond the outermost that were found, too.
    every = np.arange(-2, number[-1] + 3)
    places = fit(every)
    inside = (places >= 0) & (places < size[0])
    inner = (every >= number[near][0]) & (every <= number[near][-1])
    low, high = int(bars.low.min()), int(bars.high.max())
    return _Ruling(pitch_px, places[inside], lean(every[inside]), inner[inside], low, high)


def _curve(
    number: Int64[np.ndarray, " n"], value: Float64[np.ndarray, " n"], weight: Float64[np.ndarray, " n"], degree: int
) -> np.polynomial.Polynomial:
    """Return what value the lines have, by their number."""
    return np.polynomial.Polynomial.fit(number, value, degree, w=np.sqrt(weight))


def _drawn_through(rules: Rules, ruling: _Ruling, dark: UInt8[np.ndarray, "height width"]) -> Rules | None:
    """Return rules of one direction, and after them the lines of a ruling wherever they are seen.

    None where lines are missing between the others.
    """
    length, size = dark.shape if rules.upright else dark.shape[::-1]
    along = np.arange(ruling.low, ruling.high + 1, dtype=np.int32)
    across = ruling.place[:, None] + ruling.slope[:, None] * (along - length / 2)
    thickness_px = round(float(np.median(rules.thickness_px)))
    owner = np.repeat(np.arange(len(across), dtype=np.int32), len(along))
    across_px = np.clip(np.round(across), 0, size - 1).astype(np.int32).ravel()
    along_px = np.tile(along, len(ruling.place))
    ys, xs = (along_px, across_px) if rules.upright else (across_px, along_px)
    usual = float(np.median(dark[rules.ys, rules.xs]))
    full = np.full(len(ruling.place), thickness_px, np.int32)
    reach_px = max(2, round(REACH * max(dark.shape)))
    followed = follow_rules(Rules(rules.upright, ys, xs, owner, full), dark, reach_px, usual)
    # What is beyond the paper, or in a part of it without squares, is not there.
    pieces = -(-length // PIECE_PX)
    piece = owner * pieces + along_px // PIECE_PX
    count = len(ruling.place) * pieces
    px = np.bincount(piece, minlength=count)
    here = np.bincount(piece, weights=dark[followed.ys, followed.xs] >= SEEN * usual, minlength=count)
    dark_there = ((px > 0) & (here >= SEEN * px)).reshape(-1, pieces).view(np.uint8)
    run = bar(SEEN_PIECES, False)
    there = cv2.morphologyEx(dark_there, cv2.MORPH_OPEN, run, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    whole = there.sum(axis=1) >= SEEN * (px.reshape(-1, pieces) > 0).sum(axis=1)
    if whole[ruling.inner].mean() < LINES_SEEN:
        return None
    seen = there.ravel()[piece]
    lines, number = np.unique(owner[seen], return_inverse=True)
    hidden = Rules(rules.upright, followed.ys[seen], followed.xs[seen], number.astype(np.int32), full[lines])
    return rules.joined(hidden)
