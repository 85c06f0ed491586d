"""What is near a line of writing: parts of it, accents, and bits that an edge of the picture left of other lines."""

import numpy as np
from jaxtyping import Bool, Int64

from hwtranscribe.segment.components import Components
from hwtranscribe.types import Box

OUTSIDE = -1
"""In place of the number of a cell where there is no table."""
ACCENT_HEIGHT, ACCENT_GAP = 0.55, 0.45
"""Most that accents are high, and that lies between them and their letters, in heights of the letters."""
STRAY_INSIDE, STRAY_BESIDE = 0.5, 3
"""Least share of its height that a lone stroke stands in a line to be a part of it, and the least pieces of a line."""
LONG_LINE = 5.0
"""Length of a line, in what its characters differ in height, from which on it tells its slope."""
SMALL_LETTER = 0.35
"""What is as high as this share of its line is a letter, and no dot or dash."""
LEAST_CUT = 0.9
"""Of lines that all run off the picture, those that show at least this share of the highest one's height are kept."""


def without_accents(components: Components, lines: list[list[int]]) -> list[list[int]]:
    """Leave out what stands on some letters of another line and is low beside them: accents, and no line."""
    left, top, right, bottom = _extents(components, lines).T
    count = np.array([len(line) for line in lines])
    highest_px = np.array([components.height[line].max() for line in lines])
    # Of the taller pieces, since faint writing is broken.
    heights_px = np.array([np.percentile(components.height[line], 75) for line in lines])
    kept = []
    for at, line in enumerate(lines):
        on = (top[at] < top) & (top <= bottom[at] + ACCENT_GAP * heights_px) & (left <= left[at]) & (right[at] <= right)
        if not (on & (highest_px[at] < ACCENT_HEIGHT * heights_px) & (2 * len(line) <= count)).any():
            kept.append(line)
    return kept


def with_strays(components: Components, lines: list[list[int]], place: Int64[np.ndarray, " n"]) -> list[list[int]]:
    """Give what is too short for a line to the line that it stands in: strokes of broken characters, or commas.

    Args:
        components: Of the page.
        lines: Components of each line.
        place: Number of the part of the page, or of the cell of a table, that each component stands in.
    """
    hosts = [line for line in lines if len(line) >= STRAY_BESIDE]
    if not hosts:
        return lines
    around = _extents(components, hosts)
    place_of_host = place[[host[0] for host in hosts]]
    found: list[list[int]] = [list(host) for host in hosts]
    apart = []
    for line in lines:
        if len(line) >= STRAY_BESIDE:
            continue
        left, top, right, bottom = extent(components, line)
        overlaps = (left <= around[:, 2]) & (around[:, 0] <= right) & (top < around[:, 3]) & (around[:, 1] < bottom)
        for at in np.flatnonzero(overlaps & (place_of_host == place[line[0]])).tolist():
            upper, lower = _reach_at(components, hosts[at], (left + right) / 2)
            if bottom - top <= lower - upper and min(bottom, lower) - max(top, upper) >= STRAY_INSIDE * (bottom - top):
                found[at].extend(line)
                break
        else:
            apart.append(line)
    return found + apart


def _reach_at(components: Components, line: list[int], x: float) -> tuple[float, float]:
    """How far up and down a line reaches at one place, px; it may rise or fall."""
    index = np.array(line)
    middle_x = (components.left[index] + components.right[index]) / 2
    middle_y = (components.top[index] + components.bottom[index]) / 2
    # Characters of different heights make a short line look tilted.
    far = np.ptp(middle_x) > LONG_LINE * np.ptp(middle_y)
    slope = float(np.polyfit(middle_x, middle_y, 1)[0]) if far else 0.0
    level = slope * (middle_x - x)
    return float((components.top[index] - level).min()), float((components.bottom[index] - level).max())


def part_cut_off(
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
        left, top, right, bottom = extent(components, line)
        near_px = 0.03 * max(height, width)
        near = left <= near_px or right >= width - near_px or top <= 2 or bottom >= height - 2
        short = right - left < 0.06 * width
        return cells[line[0]] == OUTSIDE and near and (short or float(components.area[line].sum()) < 0.2 * ink.max())

    parts = [line for line in lines if not bit_on_edge(line)]
    whole = [line for line in parts if not at_edge(line)]
    if not whole:
        # Edges cut through all of them: what there is more of was meant.
        parts = parts or lines
        tops_px, bottoms_px = np.array([extent(components, line) for line in parts])[:, [1, 3]].T
        heights_px = bottoms_px - tops_px
        whole = [line for line, tall in zip(parts, heights_px >= LEAST_CUT * heights_px.max(), strict=True) if tall]
    elif sum(float(components.area[line].sum()) for line in whole) < 0.25 * ink.sum():
        return lines, []
    return whole, [line for line in parts if line not in whole]


def attach_small(
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
    boxes = np.array([extent(components, line) for line in lines], float)
    cell_of_line = np.array([cells[line[0]] for line in lines])
    height = boxes[:, 3] - boxes[:, 1]
    cut_off = components.cut_off
    small = ~tall & (components.height <= 1.5 * height_px) & (components.width <= 3.0 * height_px)
    left = np.flatnonzero(small).tolist()
    while left:
        beyond: list[int] = []
        for i in left:
            x = (components.left[i] + components.right[i]) / 2
            y = (components.top[i] + components.bottom[i]) / 2
            beyond_x = np.maximum(0, np.maximum(boxes[:, 0] - x, x - boxes[:, 2]))
            beyond_y = np.maximum(0, np.maximum(boxes[:, 1] - y, 2 * (y - boxes[:, 3])))
            reach = 0.0 if cut_off[i] else ACCENT_GAP
            near = (beyond_x <= 1.2 * height) & (beyond_y <= reach * height) & (cell_of_line == cells[i])
            if not near.any():
                beyond.append(i)
                continue
            candidates = np.flatnonzero(near)
            line = int(candidates[np.argmin((beyond_x + beyond_y)[near])])
            lines[line].append(i)
        if len(beyond) == len(left):
            break
        # What stands behind small letters of a line is of the line, too.
        for line, members in enumerate(lines):
            for i in members:
                if components.height[i] >= SMALL_LETTER * height[line]:
                    boxes[line, 0] = min(boxes[line, 0], components.left[i])
                    boxes[line, 2] = max(boxes[line, 2], components.right[i])
        left = beyond


def _extents(components: Components, lines: list[list[int]]) -> Int64[np.ndarray, "n 4"]:
    return np.array([extent(components, line) for line in lines], np.int64).reshape(-1, 4)


def extent(components: Components, line: list[int]) -> Box:
    """The box around the components of a line, px."""
    index = np.array(line)
    return (
        int(components.left[index].min()),
        int(components.top[index].min()),
        int(components.right[index].max()),
        int(components.bottom[index].max()),
    )
