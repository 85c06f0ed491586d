"""The order in which the parts of a page are read: columns, what stands over and under them, and rows.

A page is parted where a strip of paper, the gutter, runs down between writing on both sides (recursive cuts as in Nagy
and Seth 1984, but only as far down as the gutter goes). What stands over the gutter is read first, then the left side,
the right side, and what stands under it; each of these may be parted again.

Rows of a list, and questions with their answers, also have paper between them. They are told from columns by two
things: they are short, and they stand beside one another.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

GUTTER = 2.0
"""Narrowest gutter, in character heights; words of one line stand closer."""

LEAST_LINES = 3
"""A gutter runs along at least so many lines on either side."""

BESIDE = 0.4
"""Lines whose middles differ by less than this, in character heights, stand beside one another."""

ROWS = 0.6
"""When this share of the shorter side stands beside lines of the other, both sides may be the rows of a list."""

COLUMN_WIDTH, ROW_WIDTH = 4.0, 6.0
"""Lines of columns are wider than this, in character heights; the second where they might be rows."""

WIDE_LINES = 0.7
"""Share of the lines of a column that are so wide; the last lines of its paragraphs may be short."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """What is put in order: pieces of lines without wide paper in them, and tables.

    Attributes:
        boxes: On the page, px.
        lines: Lines in each; more than one for a table.
        height_px: Usual height of characters.
    """

    boxes: Float64[np.ndarray, "n 4"]
    lines: Int64[np.ndarray, " n"]
    height_px: float


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A gutter: the blocks over it, left, right and under it, and the lines that it surely parts."""

    parts: tuple[Int64[np.ndarray, " _n"], ...]
    lines: int


def reading_order(blocks: Blocks) -> list[Int64[np.ndarray, " _n"]]:
    """Return the parts of a page in the order they are read, each as the numbers of its blocks.

    Within a part, what stands side by side belongs together: see `row_order`.

    Args:
        blocks: All that is on the page.
    """
    return _parted(blocks, np.arange(len(blocks.boxes)))


def row_order(blocks: Blocks) -> list[int]:
    """Return the blocks of one part top to bottom; what stands side by side, left to right.

    A table of many rows stands beside no line: it comes where it begins.

    Args:
        blocks: Lines and tables of a part.
    """
    rows: list[list[int]] = []
    for i in np.lexsort((blocks.boxes[:, 0], blocks.boxes[:, 1])).tolist():
        _, top, _, bottom = blocks.boxes[i]
        if rows and blocks.lines[i] == blocks.lines[rows[-1][0]] == 1:
            _, row_top, _, row_bottom = blocks.boxes[rows[-1][0]]
            if min(bottom, row_bottom) - max(top, row_top) > 0.5 * min(bottom - top, row_bottom - row_top):
                rows[-1].append(i)
                continue
        rows.append([i])
    return [i for row in rows for i in sorted(row, key=lambda i: float(blocks.boxes[i, 0]))]


def _parted(blocks: Blocks, chosen: Int64[np.ndarray, " _n"]) -> list[Int64[np.ndarray, " _n"]]:
    if not len(chosen):
        return []
    cuts = [cut for x in np.unique(blocks.boxes[chosen, 2]) for cut in _cuts_at(blocks, chosen, float(x))]
    if not cuts:
        return [chosen]
    best = max(cuts, key=lambda cut: cut.lines)
    return [part for piece in best.parts for part in _parted(blocks, piece)]


def _cuts_at(blocks: Blocks, chosen: Int64[np.ndarray, " _n"], x: float) -> list[_Cut]:
    """Return the gutters whose left edge is at x."""
    left, top, right, bottom = blocks.boxes[chosen].T
    end = x + GUTTER * blocks.height_px
    middle = (top + bottom) / 2
    # A single narrow thing in the gutter, such as a stroke that went astray, does not close it.
    closes = (left < end) & (right > x) & (right - left > blocks.height_px)
    is_left = ~closes & (left + right < x + end)
    is_right = ~closes & ~is_left
    cuts = []
    for start, stop in _open_spans(top[closes], bottom[closes]):
        within = ~closes & (middle > start) & (middle < stop)
        if not (within & is_left).any() or not (within & is_right).any():
            continue
        # What stands at the right before the left side begins, such as a date, stands over both.
        within &= is_left | (middle > top[within & is_left].min())
        sides = chosen[within & is_left], chosen[within & is_right]
        lines = [_lines(blocks, side) for side in sides]
        if _are_columns(lines[0], lines[1], blocks.height_px):
            over, under = ~within & (middle < stop), ~within & (middle >= stop)
            least = min(int(line[:, 2].sum()) for line in lines)
            cuts.append(_Cut((chosen[over], *sides, chosen[under]), least))
    return cuts


def _open_spans(top: Float64[np.ndarray, " _n"], bottom: Float64[np.ndarray, " _n"]) -> list[tuple[float, float]]:
    """Return the spans of y between blocks that stand in the way."""
    order = np.argsort(top)
    starts = np.concatenate([[-np.inf], np.maximum.accumulate(bottom[order])])
    stops = np.concatenate([top[order], [np.inf]])
    return [(float(start), float(stop)) for start, stop in zip(starts, stops, strict=True) if stop > start]


def _lines(blocks: Blocks, side: Int64[np.ndarray, " _n"]) -> Float64[np.ndarray, "m 3"]:
    """Return y of the middle, width of the widest piece, and number of lines, for each line of a side.

    A table is no line that others could stand beside: it has no middle.
    """
    lines: list[list[float]] = []
    row_bottom = -np.inf
    for i in side[np.argsort(blocks.boxes[side, 1], kind="stable")]:
        left, top, right, bottom = blocks.boxes[i]
        if blocks.lines[i] > 1:
            lines.append([np.nan, right - left, float(blocks.lines[i])])
        elif lines and (top + bottom) / 2 < row_bottom:
            lines[-1][1] = max(lines[-1][1], right - left)
        else:
            lines.append([(top + bottom) / 2, right - left, 1.0])
            row_bottom = bottom
    return np.array(lines, float).reshape(-1, 3)


def _are_columns(left: Float64[np.ndarray, "n 3"], right: Float64[np.ndarray, "m 3"], height_px: float) -> bool:
    """Return whether lines on both sides of a gutter are columns, not the rows of a list."""
    if min(left[:, 2].sum(), right[:, 2].sum()) < LEAST_LINES:
        return False
    apart = np.abs(left[:, None, 0] - right[None, :, 0]) / height_px
    beside: Bool[np.ndarray, "n m"] = apart < BESIDE
    shorter, other = (left, 1) if len(left) <= len(right) else (right, 0)
    rows = float(np.average(beside.any(axis=other), weights=shorter[:, 2])) >= ROWS
    least_px = (ROW_WIDTH if rows else COLUMN_WIDTH) * height_px
    return all(np.average(side[:, 1] >= least_px, weights=side[:, 2]) >= WIDE_LINES for side in (left, right))
