"""Lines of writing on a page without a template: which components make a line, and which are no writing at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, count, pairwise

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.layout import GUTTER, Blocks, reading_order, row_order
from hwtranscribe.segment.parts_of_lines import (
    OUTSIDE,
    attach_small,
    extent,
    part_cut_off,
    with_strays,
    without_accents,
)
from hwtranscribe.segment.printing import without_printing
from hwtranscribe.segment.strokes import TOUCHED, part_from_strokes
from hwtranscribe.types import Box, Cell, DrawnTable

MAX_GAP = 4.0
"""Widest paper within one line, in character heights."""
MIN_OVERLAP = 0.45
"""Least share of the lower of two neighbours that must stand beside the other for them to be on one line."""
BESIDE_STROKE = 0.5
"""A stroke that joined characters may have joined some of a line no further than this from it, in character heights."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of writing, or an empty cell of a table.

    Attributes:
        box: On the page, px.
        ink: Of this line alone, in its box; None for an empty cell.
        cell: The cell of a drawn table that it stands in, or None.
        doubt: Why characters of it may be missing or spoilt; empty otherwise.
    """

    box: Box
    ink: UInt8[np.ndarray, "h w"] | None
    cell: Cell | None = None
    doubt: str = ""


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
    parted = part_from_strokes(ink, components, tall, height_px)
    if parted is not None:
        ink = parted.ink
        components = find_components(ink)
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
    lines = with_strays(components, lines, place)
    lines = without_accents(components, lines)
    whole, cut = part_cut_off(components, lines, cells, ink.shape)
    lines = cut if cut_off else whole
    attach_small(components, lines, cells, tall, height_px)
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
    if parted is not None:
        reach_px = round(BESIDE_STROKE * height_px)
        ordered = [_doubted(line, parted.touched, reach_px) for line in ordered]
    return ordered


def _doubted(line: Line, touched: UInt8[np.ndarray, "h w"], reach_px: int) -> Line:
    """The line, in doubt where strokes that touched characters, or drawings that may hold some, run into it.

    Args:
        line: Any.
        touched: 1 on strokes and what they touched, of the page.
        reach_px: How far beside the line they may run.
    """
    left, top, right, bottom = line.box
    hit = line.ink is not None and touched[top:bottom, max(0, left - reach_px) : right + reach_px].any()
    return replace(line, doubt=TOUCHED) if hit else line


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
    boxes = [*(extent(components, piece) for piece in pieces), *(table.box for table in tables)]
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
    for i in np.flatnonzero(bar & tall).tolist():
        tall[i] = (components.as_high_beside(i) & tall & ~bar).any()
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


def _line(ink: UInt8[np.ndarray, "h w"], components: Components, line: list[int], cell: Cell | None) -> Line:
    """The ink of a line's components with their soft edges, one px around them."""
    left, top, right, bottom = extent(components, line)
    left, top = max(0, left - 1), max(0, top - 1)
    right, bottom = min(ink.shape[1], right + 1), min(ink.shape[0], bottom + 1)
    window = (slice(top, bottom), slice(left, right))
    return Line((left, top, right, bottom), components.soft_ink(ink, np.array(line), window), cell)
