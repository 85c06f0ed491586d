"""Lines of writing on a page without a template: which components make a line, and which are no writing at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, pairwise

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.layout import GUTTER, Blocks, reading_order, row_order
from hwtranscribe.segment.printing import without_printing
from hwtranscribe.types import Box, Cell, DrawnTable

MAX_GAP = 4.0
"""Widest paper within one line, in character heights."""
MIN_OVERLAP = 0.45
"""Least share of the lower of two neighbours that must stand beside the other for them to be on one line."""
ACCENT_HEIGHT, ACCENT_GAP = 0.55, 0.45
"""Most that accents are high, and that lies between them and their letters, in heights of the letters."""
LEAST_CUT = 0.9
"""Of lines that all run off the picture, those that show at least this share of the highest one's height are kept."""
AS_HIGH = 0.6
"""Least share of the height of a bar that writing beside it has, and the other way round, for both to be characters."""
OUTSIDE = -1
"""In place of the number of a cell where there is no table."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of writing, or an empty cell of a table.

    Attributes:
        box: On the page, px.
        ink: Of this line alone, in its box; None for an empty cell.
        cell: The cell of a drawn table that it stands in, or None.
    """

    box: Box
    ink: UInt8[np.ndarray, "h w"] | None
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    """Two components that may follow one another on a line, and the paper between them."""

    left: int
    right: int
    gap_px: int


def find_lines(
    ink: UInt8[np.ndarray, "h w"], tables: Sequence[DrawnTable] = (), *, cut_off: bool = False
) -> list[Line]:
    """Lines of hand-writing in reading order: printed labels, cut-off lines and remnants are left out.

    Each cell of a table has at least one, so that its place is known when it is empty.

    Args:
        ink: Ink of the upright page; 0 paper, 255 full ink.
        tables: Drawn on it.
        cut_off: Whether to return only the lines that are left out because an edge of the picture cuts through them.
    """
    components = find_components(ink)
    height_px = character_height_px(components)
    tall = _is_tall(components, height_px)
    links = _links(components, tall, height_px)
    cells = _cells(components, tables)
    free = cells == OUTSIDE
    close = [k for k in links if k.gap_px < GUTTER * height_px and free[k.left] and free[k.right]]
    pieces = _chained(tall & free, close)
    parts = reading_order(_blocks(components, pieces, tables, height_px))
    # Parts of the page have numbers from 0, cells below: one number says where a component stands.
    place = OUTSIDE - 1 - cells
    for number, part in enumerate(parts):
        for block in part[part < len(pieces)]:
            place[pieces[block]] = number
    lines = _chained(tall, [link for link in links if place[link.left] == place[link.right]])
    lines = without_printing(components, lines)
    lines = _without_accents(components, lines)
    whole, cut = _part_cut_off(components, lines, cells, ink.shape)
    lines = cut if cut_off else whole
    _attach_small(components, lines, cells, tall, height_px)
    ordered: list[Line] = []
    counter = count(1)
    for number, part in enumerate(parts):
        mine = [line for line in lines if place[line[0]] == number]
        drawn = [int(block) - len(pieces) for block in part if block >= len(pieces)]
        for block in row_order(_blocks(components, mine, [tables[t] for t in drawn], height_px)):
            if block < len(mine):
                ordered.append(_line(ink, components, mine[block], None))
            else:
                table = drawn[block - len(mine)]
                inside = [[line for line in lines if cells[line[0]] == cell] for cell in _numbers(tables)[table]]
                ordered.extend(_in_cells(ink, components, inside, tables[table], next(counter)))
    return ordered


def _numbers(tables: Sequence[DrawnTable]) -> list[range]:
    """Numbers of the cells of each table among those of all."""
    ends = [0, *accumulate(table.cell_count for table in tables)]
    return [range(start, end) for start, end in pairwise(ends)]


def _cells(components: Components, tables: Sequence[DrawnTable]) -> Int64[np.ndarray, " n"]:
    """Number of the cell that the middle of each component is in, or `OUTSIDE`."""
    cells = np.full(len(components), OUTSIDE)
    x, y = (components.left + components.right) / 2, (components.top + components.bottom) / 2
    for table, numbers in zip(tables, _numbers(tables), strict=True):
        inside = table.cells_at(x, y)
        cells = np.where(inside >= 0, inside + numbers.start, cells)
    return cells


def _blocks(
    components: Components, pieces: Sequence[list[int]], tables: Sequence[DrawnTable], height_px: float
) -> Blocks:
    """Pieces of lines and tables, to be put in order."""
    boxes = [*(_extent(components, piece) for piece in pieces), *(table.box for table in tables)]
    lines = [1] * len(pieces) + [len(table.cells) for table in tables]
    return Blocks(np.array(boxes, float).reshape(-1, 4), np.array(lines, np.int64), height_px)


def _in_cells(
    ink: UInt8[np.ndarray, "h w"],
    components: Components,
    lines: Sequence[list[list[int]]],
    table: DrawnTable,
    number: int,
) -> Iterator[Line]:
    """Lines of a table, cell by cell; an empty cell has one without ink.

    Args:
        ink: Of the page.
        components: Of it.
        lines: In each cell.
        table: As drawn.
        number: Of the table on its page.
    """
    for at, inside in enumerate(lines):
        row, column = table.place_of(at)
        cell = Cell(number, row + 1, column + 1)
        for line in row_order(_blocks(components, inside, (), 0.0)):
            yield _line(ink, components, inside[line], cell)
        if not inside:
            yield Line(table.box_of(at), None, cell)


def character_height_px(components: Components) -> float:
    """Usual height of characters: the height that half of the ink is lower than, rules and specks set aside."""
    if not len(components):
        return 0.0
    height, width = components.height.astype(float), components.width.astype(float)
    like_character = (height > 2.5 * components.stroke_width_px) & (width < 8 * height) & (height < 12 * width)
    if not like_character.any():
        return float(height.max())
    heights, weights = height[like_character], np.sqrt(components.area[like_character].astype(float))
    order = np.argsort(heights)
    cumulative = np.cumsum(weights[order])
    return float(heights[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def _is_tall(components: Components, height_px: float) -> Bool[np.ndarray, " n"]:
    """Components that carry a line; dots, dashes, accents and specks go to the line beside them."""
    height, width = components.height, components.width
    bar = (width < 0.25 * height) & (height > 3.0 * height_px)
    tall = (height >= 0.45 * height_px) & (height <= 6 * height_px)
    # Beside writing as high as it is, such as a large hand on a page of small print, a bar is a 1 and no rule.
    for i in np.flatnonzero(bar & tall):
        beside = np.minimum(components.bottom, components.bottom[i]) - np.maximum(components.top, components.top[i])
        gap = np.maximum(components.left - components.right[i], components.left[i] - components.right)
        alike = (beside > AS_HIGH * height[i]) & (AS_HIGH * height < height[i]) & (gap < height[i])
        tall[i] = (alike & tall & ~bar).any()
    return tall


def _links(components: Components, tall: Bool[np.ndarray, " n"], height_px: float) -> list[_Link]:
    """Join every tall component with its nearest neighbour on the right that stands beside it."""
    chosen = np.flatnonzero(tall)
    chosen = chosen[np.argsort(components.left[chosen], kind="stable")]
    links = []
    for at, i in enumerate(chosen):
        rest = chosen[at + 1 :]
        if not len(rest):
            continue
        overlap = np.minimum(components.bottom[rest], components.bottom[i]) - np.maximum(
            components.top[rest], components.top[i]
        )
        beside = overlap >= MIN_OVERLAP * np.minimum(components.height[rest], components.height[i])
        gap = components.left[rest] - components.right[i]
        near = beside & (gap < MAX_GAP * max(height_px, float(components.height[i])))
        if near.any():
            nearest = int(np.argmin(gap[near]))
            links.append(_Link(int(i), int(rest[near][nearest]), int(gap[near][nearest])))
    return links


def _chained(tall: Bool[np.ndarray, " n"], links: Sequence[_Link]) -> list[list[int]]:
    """Tall components in chains of links; what has no link is a chain by itself."""
    parent = {int(i): int(i) for i in np.flatnonzero(tall)}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for link in links:
        parent[root(link.right)] = root(link.left)
    chains: dict[int, list[int]] = {}
    for i in parent:
        chains.setdefault(root(i), []).append(i)
    return list(chains.values())


def _without_accents(components: Components, lines: list[list[int]]) -> list[list[int]]:
    """Leave out what stands on some letters of another line and is low beside them: accents, and no line."""
    boxes = [_extent(components, line) for line in lines]
    heights_px = [float(np.median(components.height[line])) for line in lines]

    def accents(at: int) -> bool:
        left, top, right, bottom = boxes[at]
        highest_px = components.height[lines[at]].max()
        return any(
            highest_px < ACCENT_HEIGHT * height_px
            and 2 * len(lines[at]) <= len(line)
            and top < below[1] <= bottom + ACCENT_GAP * height_px
            and below[0] <= left
            and right <= below[2]
            for line, below, height_px in zip(lines, boxes, heights_px, strict=True)
        )

    return [line for at, line in enumerate(lines) if not accents(at)]


def _part_cut_off(
    components: Components, lines: list[list[int]], cells: Int64[np.ndarray, " n"], shape: tuple[int, ...]
) -> tuple[list[list[int]], list[list[int]]]:
    """Part whole lines from those that an edge of the picture cuts through; bits on its edges are neither.

    Where there are no whole ones, the highest ones count as such. What stands in a cell of a table is no bit, however
    near to an edge.
    """
    if len(lines) < 2:
        return lines, []
    ink = np.array([float(components.area[line].sum()) for line in lines])
    height, width = shape

    def at_edge(line: list[int]) -> bool:
        index = np.array(line)
        return float(np.average(components.cut_off[index], weights=components.area[index])) > 0.4

    def bit_on_edge(line: list[int]) -> bool:
        left, top, right, bottom = _extent(components, line)
        near_px = 0.03 * max(height, width)
        near = left <= near_px or right >= width - near_px or top <= 2 or bottom >= height - 2
        short = right - left < 0.06 * width
        return cells[line[0]] == OUTSIDE and near and (short or float(components.area[line].sum()) < 0.2 * ink.max())

    parts = [line for line in lines if not bit_on_edge(line)]
    whole = [line for line in parts if not at_edge(line)]
    if not whole:
        # Edges cut through all of them: what there is more of was meant.
        parts = parts or lines
        tops_px, bottoms_px = np.array([_extent(components, line) for line in parts])[:, [1, 3]].T
        heights_px = bottoms_px - tops_px
        whole = [line for line, tall in zip(parts, heights_px >= LEAST_CUT * heights_px.max(), strict=True) if tall]
    elif sum(float(components.area[line].sum()) for line in whole) < 0.25 * ink.sum():
        return lines, []
    return whole, [line for line in parts if line not in whole]


def _attach_small(
    components: Components,
    lines: list[list[int]],
    cells: Int64[np.ndarray, " n"],
    tall: Bool[np.ndarray, " n"],
    height_px: float,
) -> None:
    """Give dots, accents, dashes and broken strokes to the line they stand in or just above.

    Above and below a line, what the edge of the picture cuts is no accent but the rest of another line.
    """
    if not lines:
        return
    boxes = np.array([_extent(components, line) for line in lines], float)
    cell_of_line = np.array([cells[line[0]] for line in lines])
    cut_off = components.cut_off
    for i in np.flatnonzero(~tall):
        if components.height[i] > 1.5 * height_px or components.width[i] > 3.0 * height_px:
            continue
        x = (components.left[i] + components.right[i]) / 2
        y = (components.top[i] + components.bottom[i]) / 2
        beyond_x = np.maximum(0, np.maximum(boxes[:, 0] - x, x - boxes[:, 2]))
        beyond_y = np.maximum(0, np.maximum(boxes[:, 1] - y, 2 * (y - boxes[:, 3])))
        height = boxes[:, 3] - boxes[:, 1]
        reach = 0.0 if cut_off[i] else ACCENT_GAP
        near = (beyond_x <= 1.2 * height) & (beyond_y <= reach * height) & (cell_of_line == cells[i])
        if near.any():
            candidates = np.flatnonzero(near)
            lines[int(candidates[np.argmin((beyond_x + beyond_y)[near])])].append(int(i))


def _extent(components: Components, line: list[int]) -> Box:
    index = np.array(line)
    return (
        int(components.left[index].min()),
        int(components.top[index].min()),
        int(components.right[index].max()),
        int(components.bottom[index].max()),
    )


def _line(ink: UInt8[np.ndarray, "h w"], components: Components, line: list[int], cell: Cell | None) -> Line:
    """The ink of a line's components with their soft edges, one px around them."""
    left, top, right, bottom = _extent(components, line)
    left, top = max(0, left - 1), max(0, top - 1)
    right, bottom = min(ink.shape[1], right + 1), min(ink.shape[0], bottom + 1)
    window = (slice(top, bottom), slice(left, right))
    return Line((left, top, right, bottom), components.soft_ink(ink, np.array(line), window), cell)
