"""What the boxes of a line's pieces alone say: how like a character, how like a dot, how like a space between words.

All weights are log-linear and were fitted on the development sets.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from hwtranscribe.types import Box

GAP, JOINED, CUT, TOO_WIDE, TOO_LOW = -6.0, -0.1, -0.9, -5.0, -8.0
BESIDE = -5.0
"""What it costs an edge that two loops stand beside one another in it."""
NEVER_SKIPPED = -8.0
"""For pieces that can be nothing but characters or parts of them."""
SEVERAL_MARKS = -3.0
"""What it costs an edge that it is dashes and dots and nothing else: `=` and `.-` are no characters."""
EQUALS_SKIPPED = -0.5
"""Of an equals sign that stands as one piece."""
FLOATING, FLOATING_SKIPPED, FLOATING_ASPECT, TALL = -1.5, -1.0, 1.2, 0.7
"""What it costs an edge without loops that it floats, as `=` and `-` behind an amount do; what it costs to leave such a
component out; its least width to height; and least height, in line heights, of the pieces that say where the line's
middle is."""
DASH_HEIGHT, DASH_ASPECT, DASH_INK = 0.4, 1.2, 1.4
"""Largest height of a dash in line heights, least width to height, most ink by length and stroke width."""
DOT_SIZE = 0.3
"""Largest size of a dot, in line heights."""
COMMA_WIDTH, COMMA_HEIGHT = 0.35, 0.5
"""Largest width and height of a comma or point, in line heights."""
TOUCHING = 0.08
"""Pieces with less paper between them, in line heights, touch or nearly so."""
PART, PART_GAP, WIDE_SET = -1.0, 0.15, 0.25
"""What it costs a character to begin closer to the one before than a share of the usual gap, where that is at least a
share of the line's height."""

NARROW, USUAL_ASPECT, MAX_STRETCH = 0.55, 0.65, 1.4
"""A hand narrower than the first (width to height) is stretched towards the second, at most so far."""


def edge_log_prob(
    width_px: int, height_px: int, inner_gap_px: float, joined: int, cut_cost: float, line_height_px: float
) -> float:
    """How like one character an edge looks by its box alone.

    Args:
        width_px: Of the edge.
        height_px: Of the edge.
        inner_gap_px: Widest paper between its pieces.
        joined: Separate components joined in it, less one.
        cut_cost: Ink crossed by the cuts at its ends, in stroke widths.
        line_height_px: Height of the line's characters.
    """
    width, height = width_px / line_height_px, height_px / line_height_px
    gap = max(0.0, inner_gap_px / line_height_px)
    too_wide = max(0.0, width - 1.0)
    too_low = max(0.0, 0.55 - height)
    return GAP * gap + JOINED * joined + CUT * cut_cost + TOO_WIDE * too_wide + TOO_LOW * too_low


def skip_log_prob(
    width_px: int, height_px: int, area_px: int, looped: bool, dots: bool, line_height_px: float, stroke_px: float
) -> float:
    """How well a piece may be left out: dots, commas, dashes and specks may, tall pieces and small zeros may not.

    Args:
        width_px: Of the piece.
        height_px: Of the piece.
        area_px: Of its ink.
        looped: Whether it holds a loop.
        dots: Whether all its components are dots: a colon is left out, a stem with its dot is an i.
        line_height_px: Height of the line's characters.
        stroke_px: Width of its strokes.
    """
    if looped:
        return NEVER_SKIPPED
    height = height_px / line_height_px
    size = max(width_px, height_px) / line_height_px
    sparse = area_px < 0.45 * min(line_height_px * stroke_px, width_px * height_px / 0.75)
    colon = dots and sparse and width_px < 0.3 * line_height_px
    if size < DOT_SIZE or colon:
        return -1.0
    if height < 0.32:
        return -1.5
    if height < 0.45:
        return -1.5 - 4.0 * (height - 0.32)
    return -3.0 if height < 0.6 else NEVER_SKIPPED


def is_dash(
    width_px: Int32[np.ndarray, " n"],
    height_px: Int32[np.ndarray, " n"],
    area_px: Int32[np.ndarray, " n"],
    line_height_px: float,
    stroke_px: float,
) -> Bool[np.ndarray, " n"]:
    """Return which components are short level strokes.

    Args:
        width_px: Of the components of a line.
        height_px: Of the same.
        area_px: Ink of the same.
        line_height_px: Height of the line's characters.
        stroke_px: Width of its strokes.
    """
    straight = area_px < DASH_INK * np.hypot(width_px, height_px) * stroke_px
    return straight & is_flat(width_px, height_px, line_height_px)


def is_flat(
    width_px: Int32[np.ndarray, " n"], height_px: Int32[np.ndarray, " n"], line_height_px: float
) -> Bool[np.ndarray, " n"]:
    """Return which components are as low and wide as a dash, of whatever pen.

    Args:
        width_px: Of the components of a line.
        height_px: Of the same.
        line_height_px: Height of the line's characters.
    """
    return (height_px < DASH_HEIGHT * line_height_px) & (width_px > DASH_ASPECT * height_px)


def floats(box: Box, ending: Sequence[tuple[int, float]], starting: Sequence[tuple[int, float]]) -> bool:
    """Return whether a box is above the middle of the tall pieces on either side of it, and wider than high.

    The raised c of a Mc is higher.

    Args:
        box: px.
        ending: Right ends of the line's tall pieces, sorted, each with its middle row.
        starting: Their left ends, likewise.
    """
    left, top, right, bottom = box
    if right - left <= FLOATING_ASPECT * (bottom - top):
        return False
    before = bisect_right(ending, left, key=itemgetter(0))
    after = bisect_left(starting, right, key=itemgetter(0))
    beside = [middle for _, middle in (*ending[max(0, before - 1) : before], *starting[after : after + 1])]
    return bool(beside) and bottom < min(beside)


def stretch(
    width_px: Int32[np.ndarray, " n"], height_px: Int32[np.ndarray, " n"], whole: Bool[np.ndarray, " n"]
) -> float:
    """By how much to widen the characters of a narrow hand, which the network hardly knows; 1 for others.

    Aspect is a habit of the writer, so it is that of the line's characters together that counts: an I stays narrow.

    Args:
        width_px: Of the pieces of a line.
        height_px: Of the same.
        whole: Pieces that are a component by themselves.
    """
    aspect = width_px / np.maximum(height_px, 1)
    chosen = aspect[whole & (height_px > 0.6 * height_px.max()) & (aspect > 0.3)]
    usual = float(np.median(chosen)) if len(chosen) >= 2 else 1.0
    return min(MAX_STRETCH, USUAL_ASPECT / usual) if usual < NARROW else 1.0


def part_log_prob(
    left: Int32[np.ndarray, " n"], right: Int32[np.ndarray, " n"], line_height_px: float
) -> Float32[np.ndarray, " n"]:
    """How much it tells against a new character that a piece stands close to the one before.

    Where letters are set wide apart, two pieces with hardly any paper between them are strokes of one: the stems of a
    broken N or M.

    Args:
        left: Left ends of the pieces of a line, in reading order.
        right: Their right ends.
        line_height_px: Height of the line's characters.
    """
    gaps = _gaps(left, right)
    usual = _usual_gap(gaps, line_height_px)
    parts = (gaps < PART_GAP * usual) & (usual >= WIDE_SET * line_height_px)
    parts[0] = False
    return np.where(parts, PART, 0.0).astype(np.float32)


def _gaps(left: Int32[np.ndarray, " n"], right: Int32[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Paper before each piece, px; negative where it stands over or under others."""
    reach = np.maximum.accumulate(right)
    return np.concatenate([[0], left[1:] - reach[:-1]]).astype(np.float64)


def _usual_gap(gaps: Float64[np.ndarray, " n"], line_height_px: float) -> float:
    wide = gaps[gaps > TOUCHING * line_height_px]
    return float(np.median(wide)) if len(wide) >= 2 else 0.0
