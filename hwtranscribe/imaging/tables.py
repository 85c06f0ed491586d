"""Tables drawn on a page: rules that hang together and part a place into rows and columns.

Rules are joined where they cross or meet; rules of a group at one height are one line of its table, however often it is
broken or doubled. Where a line is missing between two cells they are one: merged. Outer borders may be missing: then
the lines of the other direction say how far the table goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from hwtranscribe.imaging.rules import Bars, Rules, bars_of
from hwtranscribe.types import DrawnTable

REACH = 0.008
"""Rules meet when no more than this is missing between them, as a share of the long side: 2.4 mm of an A4 page."""

LEAST_CELL = 0.012
"""Lines closer than this, as a share of the long side, are one line drawn twice: 3.6 mm of an A4 page."""

COVERED = 0.6
"""A line parts two cells when it runs along this share of them."""

CHARACTER_BOX = 0.03
"""Boxes no higher than this, as a share of the long side, may be for single characters: 9 mm of an A4 page."""

BOX_ASPECT = 1.5
"""Width to height up to which a box may be for a single character."""

EVEN = 0.15
"""Cells are even when nearly all differ from the usual by less than this share."""

SQUARED, LARGEST_SQUARE = 8, 0.05
"""Squared paper has at least so many squares either way, and none larger than this, as a share of the long side: 15 mm
of an A4 page."""

MARGIN = 0.25
"""The margin of ruled paper is no wider than this share of the page."""

MOST_RULES = 2000
"""No table has more; such pages are patterned."""


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Lines of a table in one direction, in order.

    Attributes:
        place: Across, where the middle of the table is along.
        slope: px across per px along.
        centre: Along, the middle of the table.
        low: First px along of each line.
        high: Last px.
        reach: How many px of each line are drawn up to each place along.
    """

    place: Float64[np.ndarray, " n"]
    slope: Float64[np.ndarray, " n"]
    centre: float
    low: Float64[np.ndarray, " n"]
    high: Float64[np.ndarray, " n"]
    reach: Int64[np.ndarray, "n size"]

    def drawn(self, line: int, start: float, stop: float) -> float:
        """Share of a stretch along which a line is drawn."""
        last = self.reach.shape[1] - 1
        a, b = (int(np.clip(round(v), 0, last)) for v in (start, stop))
        return float(self.reach[line, b] - self.reach[line, a]) / max(1, b - a)


def find_tables(rules: tuple[Rules, Rules], shape: tuple[int, ...]) -> tuple[DrawnTable, ...]:
    """Return the tables of a level page, top to bottom; rows of boxes for single characters and squared paper are none.

    Args:
        rules: Horizontal and vertical ones, from `find_rules`.
        shape: Height and width of the page.
    """
    if not all(0 < len(own) <= MOST_RULES for own in rules):
        return ()
    rows, columns = (bars_of(own) for own in rules)
    tables = []
    for of_rows, of_columns in _groups(_meet(rows, columns, REACH * max(shape))):
        table = _table(rows.chosen(of_rows), columns.chosen(of_columns), shape)
        if table is not None:
            tables.append(table)
    outermost = [one for one in tables if not any(_lies_in(one, other) for other in tables if other is not one)]
    return tuple(sorted(outermost, key=lambda table: (table.box[1], table.box[0])))


def _meet(rows: Bars, columns: Bars, reach_px: float) -> Bool[np.ndarray, "rows columns"]:
    """Return which horizontal and vertical bars cross or meet."""
    # One step towards the crossing is enough: both are nearly level.
    y = rows.slope[:, None] * (columns.offset + columns.slope * columns.middle) + rows.offset[:, None]
    x = columns.slope * y + columns.offset
    return (
        (x >= rows.low[:, None] - reach_px)
        & (x <= rows.high[:, None] + reach_px)
        & (y >= columns.low - reach_px)
        & (y <= columns.high + reach_px)
    )


def _groups(meet: Bool[np.ndarray, "rows columns"]) -> Iterator[tuple[Bool[np.ndarray, " r"], Bool[np.ndarray, " c"]]]:
    """Yield rules that hang together: which horizontal and which vertical ones."""
    left = meet.any(axis=1)
    while left.any():
        rows = np.zeros_like(left)
        rows[np.argmax(left)] = True
        while True:
            columns = np.logical_or.reduce(meet[rows])
            grown = np.logical_or.reduce(meet[:, columns], axis=1)
            if (grown == rows).all():
                break
            rows = grown
        left &= ~rows
        yield rows, columns


def _table(rows: Bars, columns: Bars, shape: tuple[int, ...]) -> DrawnTable | None:
    """Return the table that rules draw, or None where they draw none."""
    least_px = LEAST_CELL * max(shape)
    x_range, y_range = (rows.low.min(), rows.high.max()), (columns.low.min(), columns.high.max())
    across = _lines(rows, x_range, least_px, shape[1])
    down = _lines(columns, y_range, least_px, shape[0])
    if (len(down.place) < 2 or not len(across.place)) and len(across.place) < 3:
        return None
    if _is_ruled_paper(across, down, shape):
        return None
    ys, row_ends = _with_open_ends(across, down, least_px)
    xs, column_ends = _with_open_ends(down, across, least_px)
    if len(ys) < 2 or len(xs) < 3:
        return None
    cells = _cells(across, down, ys, xs, row_ends, column_ends)
    kept_rows = [0, *(k for k in range(1, len(cells)) if (cells[k] != cells[k - 1]).any())]
    kept_columns = [0, *(k for k in range(1, cells.shape[1]) if (cells[:, k] != cells[:, k - 1]).any())]
    ys, xs = ys[[*kept_rows, -1]], xs[[*kept_columns, -1]]
    cells = cells[np.ix_(kept_rows, kept_columns)]
    if cells.shape[1] < 2 or _is_no_table(cells, ys, xs, shape):
        return None
    _, first, number = np.unique(cells, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return DrawnTable(
        row_lines=_as_lines(ys, across),
        column_lines=_as_lines(xs, down),
        cells=rank[number.reshape(cells.shape)].astype(np.int64),
    )


def _lines(bars: Bars, span: tuple[float, float], least_px: float, size_px: int) -> _Lines:
    """Return the lines that bars make up, all at one height as one."""
    centre = sum(span) / 2
    usual = float(np.average(bars.slope, weights=bars.length))
    place = bars.place_at(centre, usual)
    order = np.argsort(place, kind="stable")
    number = np.concatenate([[0], np.cumsum(np.diff(place[order]) > least_px)])
    places, slopes, lows, highs, reaches = [], [], [], [], []
    for line in range(number[-1] + 1):
        mine = order[number == line]
        length = bars.length[mine]
        own = length.sum() >= 0.5 * (span[1] - span[0])
        slope = float(np.average(bars.slope[mine], weights=length)) if own else usual
        places.append(float(np.average(bars.place_at(centre, slope)[mine], weights=length)))
        slopes.append(slope)
        lows.append(bars.low[mine].min())
        highs.append(bars.high[mine].max())
        drawn = np.zeros(size_px, bool)
        for bar in mine:
            drawn[int(bars.low[bar]) : int(bars.high[bar]) + 1] = True
        reaches.append(np.concatenate([[0], np.cumsum(drawn)]))
    return _Lines(np.array(places), np.array(slopes), centre, np.array(lows), np.array(highs), np.array(reaches))


def _is_ruled_paper(across: _Lines, down: _Lines, shape: tuple[int, ...]) -> bool:
    """Return whether the lines are those of ruled paper with a margin: one or two upright rules near its sides."""
    width = shape[1]
    at_side = np.minimum(down.place, width - down.place) <= MARGIN * width
    wide = float(np.median(across.high - across.low)) >= 0.8 * width
    inside = (down.place > across.low.min() + 0.02 * width) & (down.place < across.high.max() - 0.02 * width)
    even = len(across.place) >= 4 and _even(np.diff(across.place))
    return bool(len(down.place) <= 4 and at_side.all() and inside.any() and wide and even and inside.sum() <= 2)


def _with_open_ends(
    lines: _Lines, others: _Lines, least_px: float
) -> tuple[Float64[np.ndarray, " n"], tuple[bool, bool]]:
    """Return where lines are, with the ends of the other direction's where these go on beyond the outermost line.

    Returns:
        Places, and whether the first and the last of them are such ends.
    """
    before = others.low[others.low < lines.place[0] - least_px]
    behind = others.high[others.high > lines.place[-1] + least_px]
    open_ends = len(before) >= 0.5 * len(others.low), len(behind) >= 0.5 * len(others.low)
    first = [float(np.median(before))] if open_ends[0] else []
    last = [float(np.median(behind))] if open_ends[1] else []
    return np.array([*first, *lines.place, *last]), open_ends


def _cells(
    across: _Lines,
    down: _Lines,
    ys: Float64[np.ndarray, " n_rows"],
    xs: Float64[np.ndarray, " n_columns"],
    row_ends: tuple[bool, bool],
    column_ends: tuple[bool, bool],
) -> Int64[np.ndarray, "rows columns"]:
    """Return the number of the cell at each row and column; where no line is between two, they have the same."""
    cells = np.arange((len(ys) - 1) * (len(xs) - 1)).reshape(len(ys) - 1, len(xs) - 1)
    for row in range(cells.shape[0]):
        for column in range(cells.shape[1]):
            # The line above and the line to the left; open ends have none inside the table.
            if row and across.drawn(row - row_ends[0], xs[column], xs[column + 1]) < COVERED:
                cells[cells == cells[row, column]] = cells[row - 1, column]
            if column and down.drawn(column - column_ends[0], ys[row], ys[row + 1]) < COVERED:
                cells[cells == cells[row, column]] = cells[row, column - 1]
    return cells


def _is_no_table(
    cells: Int64[np.ndarray, "rows columns"],
    ys: Float64[np.ndarray, " n_rows"],
    xs: Float64[np.ndarray, " n_columns"],
    shape: tuple[int, ...],
) -> bool:
    """Return whether cells are boxes for single characters, the squares of paper, or a frame around writing."""
    widths, heights = np.diff(xs), np.diff(ys)
    width, height = float(np.median(widths)), float(np.median(heights))
    if len(heights) == 1:
        # Separators of a comb may be missing here and there; two boxes for a character are enough to know it by.
        return bool(np.sort(widths)[1] <= BOX_ASPECT * height)
    even = _even(widths)
    if even and width <= BOX_ASPECT * height and height <= CHARACTER_BOX * max(shape):
        return True
    small = max(width, height) <= LARGEST_SQUARE * max(shape)
    squares = small and even and _even(heights) and 1 / BOX_ASPECT <= width / height <= BOX_ASPECT
    if squares and min(len(widths), len(heights)) >= SQUARED:
        return True
    areas = np.bincount(cells.ravel(), weights=np.outer(heights, widths).ravel())
    return bool(areas.max() > 0.6 * areas.sum() and areas.sum() > 0.3 * shape[0] * shape[1])


def _even(sizes: Float64[np.ndarray, " n"]) -> bool:
    """Return whether sizes are alike but for one in eight, such as those at the edge of the page."""
    usual = float(np.median(sizes))
    return float((np.abs(sizes - usual) <= EVEN * usual).mean()) >= 0.875


def _as_lines(places: Float64[np.ndarray, " n"], lines: _Lines) -> Float64[np.ndarray, "n 2"]:
    """Return slope and place at 0 along of lines; open ends lean like the line next to them."""
    slopes = lines.slope[np.abs(places[:, None] - lines.place).argmin(axis=1)]
    return np.column_stack([slopes, places - slopes * lines.centre])


def _lies_in(one: DrawnTable, other: DrawnTable) -> bool:
    """Return whether the middle of a table is inside a larger one."""
    left, top, right, bottom = one.box
    x0, y0, x1, y1 = other.box
    inside = x0 <= (left + right) / 2 < x1 and y0 <= (top + bottom) / 2 < y1
    return inside and (right - left) * (bottom - top) < (x1 - x0) * (y1 - y0)
