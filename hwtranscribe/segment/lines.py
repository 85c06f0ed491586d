"""Lines of writing on a page without a template: which components make a line, and which are no writing at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.layout import GUTTER, Blocks, reading_order
from hwtranscribe.segment.printing import without_printing
from hwtranscribe.types import Box

MAX_GAP = 4.0
"""Widest paper within one line, in character heights."""
MIN_OVERLAP = 0.45
"""Least share of the lower of two neighbours that must stand beside the other for them to be on one line."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of writing.

    Attributes:
        box: On the page, px.
        ink: Of this line alone, in its box.
    """

    box: Box
    ink: UInt8[np.ndarray, "h w"]


@dataclass(frozen=True, slots=True)
class _Link:
    """Two components that may follow one another on a line, and the paper between them."""

    left: int
    right: int
    gap_px: int


def find_lines(ink: UInt8[np.ndarray, "h w"]) -> list[Line]:
    """Lines of hand-writing in reading order: printed labels, cut-off lines and remnants are left out.

    Args:
        ink: Ink of the upright page; 0 paper, 255 full ink.
    """
    components = find_components(ink)
    if not len(components):
        return []
    height_px = character_height_px(components)
    tall = _is_tall(components, height_px)
    links = _links(components, tall, height_px)
    part = _parts(components, tall, links, height_px)
    lines = _chained(tall, [link for link in links if part[link.left] == part[link.right]])
    lines = without_printing(components, lines)
    lines = _without_cut_off(components, lines, ink.shape)
    _attach_small(components, lines, tall, height_px)
    ordered = [line for part in _by_part(lines, part) for line in _by_row(components, part)]
    return [_line(ink, components, np.array(line)) for line in ordered]


def character_height_px(components: Components) -> float:
    """Usual height of characters: the height that half of the ink is lower than, rules and specks set aside."""
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
    return (height >= 0.45 * height_px) & (height <= 6 * height_px) & ~bar


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


def _parts(
    components: Components, tall: Bool[np.ndarray, " n"], links: Sequence[_Link], height_px: float
) -> Int64[np.ndarray, " n"]:
    """Number of the part of the page, in reading order, that each tall component stands in; 0 for others."""
    pieces = _chained(tall, [link for link in links if link.gap_px < GUTTER * height_px])
    boxes = np.array([_extent(components, piece) for piece in pieces], float).reshape(-1, 4)
    order = reading_order(Blocks(boxes, np.ones(len(pieces), np.int64), height_px))
    part = np.zeros(len(components), np.int64)
    for number, blocks in enumerate(order):
        for block in blocks:
            part[pieces[block]] = number
    return part


def _by_part(lines: list[list[int]], part: Int64[np.ndarray, " n"]) -> list[list[list[int]]]:
    """Lines of each part of the page."""
    groups: list[list[list[int]]] = [[] for _ in range(int(part.max()) + 1)]
    for line in lines:
        groups[part[line[0]]].append(line)
    return groups


def _without_cut_off(components: Components, lines: list[list[int]], shape: tuple[int, ...]) -> list[list[int]]:
    """Leave out lines that an edge of the picture cuts through and bits on its edges, when there are whole lines."""
    if len(lines) < 2:
        return lines
    ink = np.array([float(components.area[line].sum()) for line in lines])
    height, width = shape

    def at_edge(line: list[int]) -> bool:
        index = np.array(line)
        touching = (components.top[index] <= 1) | (components.bottom[index] >= height - 1)
        return float(np.average(touching, weights=components.area[index])) > 0.4

    def bit_on_edge(line: list[int]) -> bool:
        left, top, right, bottom = _extent(components, line)
        near_px = 0.03 * max(height, width)
        near = left <= near_px or right >= width - near_px or top <= 2 or bottom >= height - 2
        short = right - left < 0.06 * width
        return near and (short or float(components.area[line].sum()) < 0.2 * ink.max())

    whole = [line for line in lines if not at_edge(line) and not bit_on_edge(line)]
    whole_ink = sum(float(components.area[line].sum()) for line in whole)
    return whole if whole_ink >= 0.25 * ink.sum() else lines


def _attach_small(
    components: Components, lines: list[list[int]], tall: Bool[np.ndarray, " n"], height_px: float
) -> None:
    """Give dots, accents, dashes and broken strokes to the line they stand in or just above."""
    if not lines:
        return
    boxes = np.array([_extent(components, line) for line in lines], float)
    for i in np.flatnonzero(~tall):
        if components.height[i] > 1.5 * height_px or components.width[i] > 3.0 * height_px:
            continue
        x = (components.left[i] + components.right[i]) / 2
        y = (components.top[i] + components.bottom[i]) / 2
        beyond_x = np.maximum(0, np.maximum(boxes[:, 0] - x, x - boxes[:, 2]))
        beyond_y = np.maximum(0, np.maximum(boxes[:, 1] - y, 2 * (y - boxes[:, 3])))
        height = boxes[:, 3] - boxes[:, 1]
        near = (beyond_x <= 1.2 * height) & (beyond_y <= 0.45 * height)
        if near.any():
            candidates = np.flatnonzero(near)
            lines[int(candidates[np.argmin((beyond_x + beyond_y)[near])])].append(int(i))


def _by_row(components: Components, lines: list[list[int]]) -> list[list[int]]:
    """Lines of a part top to bottom; what stands side by side, left to right."""
    extents = {id(line): _extent(components, line) for line in lines}
    by_top = sorted(lines, key=lambda line: (extents[id(line)][1], extents[id(line)][0]))
    rows: list[list[list[int]]] = []
    for line in by_top:
        _, top, _, bottom = extents[id(line)]
        if rows:
            _, row_top, _, row_bottom = extents[id(rows[-1][0])]
            overlap = min(bottom, row_bottom) - max(top, row_top)
            if overlap > 0.5 * min(bottom - top, row_bottom - row_top):
                rows[-1].append(line)
                continue
        rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: extents[id(line)][0])]


def _extent(components: Components, line: list[int]) -> Box:
    index = np.array(line)
    return (
        int(components.left[index].min()),
        int(components.top[index].min()),
        int(components.right[index].max()),
        int(components.bottom[index].max()),
    )


def _line(ink: UInt8[np.ndarray, "h w"], components: Components, line: np.ndarray) -> Line:
    """The ink of a line's components with their soft edges, one px around them."""
    left, top, right, bottom = _extent(components, line.tolist())
    left, top = max(0, left - 1), max(0, top - 1)
    right, bottom = min(ink.shape[1], right + 1), min(ink.shape[0], bottom + 1)
    window = (slice(top, bottom), slice(left, right))
    return Line((left, top, right, bottom), components.soft_ink(ink, line, window))
