"""From the components of one line of writing to a lattice of character hypotheses.

Follows the segmentation-based school of hand-print reading: over-segment, join neighbouring pieces, let recogniser and
geometry decide (Casey and Lecolinet 1996; Liu, Sako and Fujisawa 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

from hwtranscribe.segment.components import INK_THRESHOLD, Components, find_components, slant_shear
from hwtranscribe.segment.cuts import cut_component
from hwtranscribe.segment.geometry import (
    BESIDE,
    DOT_SIZE,
    EQUALS_SKIPPED,
    SEVERAL_MARKS,
    edge_log_prob,
    is_dash,
    part_log_prob,
    skip_log_prob,
    space_log_odds,
    stretch,
)
from hwtranscribe.segment.loops import Loop, find_loops
from hwtranscribe.strip import normalize_line
from hwtranscribe.types import Box, CharBoxes

MAX_PIECES_PER_EDGE = 6
MAX_WIDTH = 1.7
"""Widest hypothesis of more than one piece, in line heights."""
FARFETCHED = 4.0
"""A hypothesis is not tried when, by geometry, all cuts of the line with it are worse than the best by so much."""
TELLING = 4
"""Components from which on a line tells by itself how it is written."""
SAME_HEIGHT = 0.6
"""Characters lower than this share of the others' height are written smaller."""


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Pieces of one line in reading order, in upright (unslanted) px.

    Attributes:
        ink: Soft ink of the line, upright.
        index: Per pixel: 0 paper, else 1-based piece, in reading order.
        loops: Round ones.
        left, top, right, bottom: Boxes of the pieces.
        cut_cost: Ink crossed by the cut before each piece, in stroke widths; 0 between components.
        area: Ink of each piece, px.
        dashes: Components of each piece that is nothing but dashes; 0 for others.
        dots: Whether all components of each are dots.
    """

    ink: UInt8[np.ndarray, "h w"]
    index: Int32[np.ndarray, "h w"]
    loops: list[Loop]
    left: Int32[np.ndarray, " n"]
    top: Int32[np.ndarray, " n"]
    right: Int32[np.ndarray, " n"]
    bottom: Int32[np.ndarray, " n"]
    cut_cost: Float32[np.ndarray, " n"]
    area: Int32[np.ndarray, " n"]
    dashes: Int32[np.ndarray, " n"]
    dots: Bool[np.ndarray, " n"]


@dataclass(frozen=True, slots=True)
class Hand:
    """What entries of few characters are measured by: a single one tells neither slant nor height of a hand.

    Attributes:
        shear: px right per px up.
        height_px: Of its characters.
    """

    shear: float
    height_px: float


def hand_of(inks: Sequence[UInt8[np.ndarray, "_h _w"]]) -> Hand:
    """The hand that wrote some entries, measured on all of them as if they stood on one line.

    Args:
        inks: Of the entries; at least one.
    """
    height = max(ink.shape[0] for ink in inks)
    # A px of paper between two keeps them apart.
    line = np.hstack([np.pad(ink, ((height - ink.shape[0], 0), (1, 1))) for ink in inks])
    components = find_components(line)
    shear = slant_shear((line >= INK_THRESHOLD).view(np.uint8))
    return Hand(shear, line_height_px(components) if len(components) else 0.0)


def line_lattice(ink: UInt8[np.ndarray, "h w"], field: str, box: Box, hand: Hand | None = None) -> CharBoxes:
    """The lattice of one line of free writing.

    Args:
        ink: Ink of this line alone, in its box; 0 paper, 255 full ink.
        field: Name of the field or line.
        box: Where `ink` lies on the aligned page, px.
        hand: That wrote it, where that is known from other lines.
    """
    written = _set_upright(ink, hand)
    components, height_px = written.components, written.height_px
    if not len(components):
        return empty_boxes(field, box)
    line = _pieces(written.ink, components, height_px)
    lattice = _lattice(line, field, box, written.shear, height_px, components.stroke_width_px)
    return replace(lattice, strip=_strip(written))


def line_strip(ink: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "32 w2"] | None:
    """The strip of one line of free writing, as `line_lattice` gives it; None without ink, or where it is too long.

    Args:
        ink: Ink of this line alone, 0 paper, 255 full ink.
    """
    written = _set_upright(ink, None)
    return _strip(written) if len(written.components) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Upright:
    """A line with its slant taken out: its ink, the shear that was taken out, its components, and their height."""

    ink: UInt8[np.ndarray, "h w"]
    shear: float
    components: Components
    height_px: float


def _set_upright(ink: UInt8[np.ndarray, "h w"], hand: Hand | None) -> _Upright:
    binary = (ink >= INK_THRESHOLD).view(np.uint8)
    if hand is not None and cv2.connectedComponents(binary)[0] - 1 >= TELLING:
        hand = None
    shear = hand.shear if hand else slant_shear(binary)
    upright = _sheared(ink, shear)
    components = find_components(upright)
    height_px = line_height_px(components) if len(components) else 0.0
    if hand and SAME_HEIGHT * hand.height_px <= height_px:
        height_px = max(height_px, hand.height_px)
    return _Upright(upright, shear, components, height_px)


def _strip(written: _Upright) -> Float32[np.ndarray, "32 w"] | None:
    parts = written.components
    wider = stretch(parts.width, parts.height, np.ones(len(parts), bool))
    boxes = np.stack([parts.left, parts.top, parts.right, parts.bottom], axis=1)
    return normalize_line(written.ink, boxes, written.height_px, wider)


def empty_boxes(field: str, box: Box) -> CharBoxes:
    """The lattice of a field without ink."""
    none = np.zeros(0, np.int32)
    return CharBoxes(
        field=field,
        box=box,
        node_count=1,
        start=none,
        end=none,
        boxes=np.zeros((0, 4), np.float32),
        inks=(),
        geometry_log_prob=np.zeros(0, np.float32),
        blank=np.zeros(0, bool),
        skip_log_prob=np.zeros(0, np.float32),
        space_log_odds=np.zeros(0, np.float32),
        cells=False,
    )


def line_height_px(components: Components) -> float:
    """Height of the line's characters: that of the taller half of what is not a dot or a dash."""
    heights = components.height.astype(np.float64)
    weights = components.area.astype(np.float64)
    tall = heights >= 0.4 * heights.max()
    order = np.argsort(heights[tall])
    cumulative = np.cumsum(weights[tall][order])
    return float(heights[tall][order][np.searchsorted(cumulative, 0.6 * cumulative[-1])])


def _sheared(ink: UInt8[np.ndarray, "h w"], shear: float) -> UInt8[np.ndarray, "h w2"]:
    """The ink with its slant taken out; wider than before by the shear, unless there is none."""
    if shear == 0.0:
        return ink
    height, width = ink.shape
    matrix = _shear_matrix(shear, height)
    return cv2.warpAffine(ink, matrix, (width + 2 * _pad_px(shear, height), height), flags=cv2.INTER_LINEAR)


def _pad_px(shear: float, height: int) -> int:
    return int(np.ceil(abs(shear) * height / 2)) + 1 if shear else 0


def _shear_matrix(shear: float, height: int) -> np.ndarray:
    return np.array([[1.0, shear, _pad_px(shear, height) - shear * (height - 1) / 2], [0.0, 1.0, 0.0]])


def _pieces(ink: UInt8[np.ndarray, "h w"], components: Components, height_px: float) -> _Line:
    """Cut the components, join dots and contained parts to what they belong to, put all in reading order."""
    groups = _join_contained(components, height_px)
    index, inside = np.zeros(ink.shape, np.int32), np.zeros(ink.shape, np.int32)
    boxes: list[tuple[int, int, int, int]] = []
    costs: list[float] = []
    areas: list[int] = []
    dashes: list[int] = []
    dots: list[bool] = []
    small = np.maximum(components.width, components.height) < DOT_SIZE * height_px
    dash = is_dash(components.width, components.height, components.area, height_px, components.stroke_width_px)
    for group in groups:
        left, top = components.left[group].min(), components.top[group].min()
        right, bottom = components.right[group].max(), components.bottom[group].max()
        window = (slice(top, bottom), slice(left, right))
        mask = np.isin(components.labels[window], group + 1).view(np.uint8)
        pieces = cut_component(mask, ink[window], height_px, components.stroke_width_px)
        first = len(boxes)
        for line, own in ((index, pieces.index), (inside, pieces.inside)):
            line[window] = np.where(own > 0, own + first, line[window])
        for number, cost in enumerate(pieces.cost, start=1):
            ys, xs = np.nonzero(pieces.index == number)
            boxes.append((left + xs.min(), top + ys.min(), left + xs.max() + 1, top + ys.max() + 1))
            costs.append(float(cost))
            areas.append(len(xs))
            dashes.append(len(group) if dash[group].all() else 0)
            dots.append(bool(small[group].all()))
    box = np.array(boxes, np.int32)
    centre = (box[:, 0] + box[:, 2]) / 2
    order = np.argsort(centre, kind="stable")
    renumber = np.zeros(len(order) + 1, np.int32)
    renumber[order + 1] = np.arange(1, len(order) + 1)
    cost = np.array(costs, np.float32)[order]
    # A cut is only between pieces of one component that still are neighbours after sorting.
    follows = np.concatenate([[False], order[1:] == order[:-1] + 1])
    cost[~follows] = 0.0
    box = box[order]
    index = _spread(renumber[index], ink)
    return _Line(
        ink=ink,
        index=index,
        loops=find_loops(index, renumber[inside], len(order), height_px, components.stroke_width_px),
        left=box[:, 0],
        top=box[:, 1],
        right=box[:, 2],
        bottom=box[:, 3],
        cut_cost=cost,
        area=np.array(areas, np.int32)[order],
        dashes=np.array(dashes, np.int32)[order],
        dots=np.array(dots)[order],
    )


def _spread(index: Int32[np.ndarray, "h w"], ink: UInt8[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Give the soft edges of strokes to the piece beside them."""
    near = cv2.dilate(index.astype(np.uint16), np.ones((3, 3), np.uint8))
    return np.where((index == 0) & (ink > 0), near, index).astype(np.int32)


def _join_contained(components: Components, height_px: float) -> list[np.ndarray]:
    """Groups of components that are one character whatever is read: parts that stand over one another.

    The dot of an i, accents, a detached bar of T, E or 5: the smaller part lies mostly within the columns of the
    larger. A dot at the foot of the line is punctuation and stays by itself.
    """
    count = len(components)
    parent = np.arange(count)
    width, height = components.width, components.height
    size = width + height
    baseline = np.median(components.bottom[height >= 0.6 * height_px]) if np.any(height >= 0.6 * height_px) else 0
    order = np.argsort(width, kind="stable")
    for i in order:
        low_dot = (
            height[i] < 0.35 * height_px and (components.top[i] + components.bottom[i]) / 2 > baseline - 0.3 * height_px
        )
        if low_dot:
            continue
        overlap = np.minimum(components.right, components.right[i]) - np.maximum(components.left, components.left[i])
        slack = 0.15 * height_px if height[i] < 0.3 * height_px else 0.0
        holds = (size > size[i]) | ((size == size[i]) & (np.arange(count) > i))
        share = (overlap + slack) / max(width[i], 1)
        share[~holds] = 0
        share[i] = 0
        j = int(np.argmax(share))
        if share[j] >= 0.7:
            parent[i] = j
    groups: dict[int, list[int]] = {}
    for i in range(count):
        root = i
        while parent[root] != root:
            root = int(parent[root])
        groups.setdefault(root, []).append(i)
    return [np.array(group) for group in groups.values()]


def _lattice(line: _Line, field: str, box: Box, shear: float, height_px: float, stroke_px: float) -> CharBoxes:
    """Hypotheses over runs of neighbouring pieces."""
    count = len(line.left)
    cut_after = np.append(line.cut_cost[1:] > 0, False)
    whole = (line.cut_cost == 0) & ~cut_after
    wider = stretch(line.right - line.left, line.bottom - line.top, whole)
    space = space_log_odds(line.left, line.right, height_px)
    edges: list[tuple[int, int]] = []
    boxes, geometry, skips = [], [], []
    # Python walks lists several times faster than arrays.
    lefts, tops, rights, bottoms = (side.tolist() for side in (line.left, line.top, line.right, line.bottom))
    costs, areas = line.cut_cost.tolist(), line.area.tolist()
    parts = part_log_prob(line.left, line.right, height_px).tolist()
    dashes, dots = line.dashes.tolist(), line.dots.tolist()
    for i in range(count):
        left, top, right, bottom = lefts[i], tops[i], rights[i], bottoms[i]
        inner_gap, joined, only_marks = 0.0, 0, True
        for j in range(i + 1, min(count, i + MAX_PIECES_PER_EDGE) + 1):
            k = j - 1
            if k > i:
                joined += int(costs[k] == 0)
                inner_gap = max(inner_gap, float(lefts[k] - right))
                left, top = min(left, lefts[k]), min(top, tops[k])
                right, bottom = max(right, rights[k]), max(bottom, bottoms[k])
                if right - left > MAX_WIDTH * height_px or inner_gap > 0.35 * height_px:
                    break
            only_marks = only_marks and (dashes[k] > 0 or dots[k])
            several = only_marks and any(dashes[i:j]) and max(j - i, dashes[i]) > 1
            cut = costs[i] + (costs[j] if j < count else 0.0)
            loops = [loop for loop in line.loops if loop.within(i, j)]
            edges.append((i, j))
            boxes.append(_around((left, top, right, bottom), loops))
            beside = any(one.beside(other) for one, other in combinations(loops, 2))
            log_prob = edge_log_prob(right - left, bottom - top, inner_gap, joined, cut, height_px)
            geometry.append(log_prob + BESIDE * beside + SEVERAL_MARKS * several + parts[i] * (costs[i] == 0))
            skip = -np.inf
            if j == i + 1:
                skip = skip_log_prob(right - left, bottom - top, areas[i], bool(loops), dots[i], height_px, stroke_px)
                if several:
                    skip = max(skip, EQUALS_SKIPPED)
            skips.append(skip)
    kept = _plausible(edges, np.maximum(geometry, skips), count + 1)
    inks = []
    for (i, j), (left, top, right, bottom) in ((edges[k], boxes[k]) for k in kept):
        window = (slice(top, bottom), slice(left, right))
        mine = (line.index[window] > i) & (line.index[window] <= j)
        for loop in line.loops:
            if loop.within(i, j):
                x, y = loop.left - left, loop.top - top
                mine[y : y + loop.stroke.shape[0], x : x + loop.stroke.shape[1]] |= loop.stroke
        ink = np.where(mine, line.ink[window], 0).astype(np.uint8)
        inks.append(ink if wider == 1.0 else cv2.resize(ink, None, fx=wider, fy=1.0))
    start, end = np.array(edges, np.int32)[kept].T
    upright_boxes = np.array(boxes, np.float32)[kept]
    return CharBoxes(
        field=field,
        box=box,
        node_count=count + 1,
        start=np.ascontiguousarray(start),
        end=np.ascontiguousarray(end),
        boxes=_to_page(upright_boxes, shear, line.ink.shape[0], box),
        inks=tuple(inks),
        geometry_log_prob=np.array(geometry, np.float32)[kept],
        blank=np.zeros(len(kept), bool),
        skip_log_prob=np.array(skips, np.float32)[kept],
        space_log_odds=space[start],
        cells=False,
    )


def _around(box: Box, loops: Sequence[Loop]) -> Box:
    """A box that holds another one and the strokes around some loops."""
    left, top, right, bottom = zip(
        box, *((loop.left, loop.top, loop.right, loop.bottom) for loop in loops), strict=True
    )
    return min(left), min(top), max(right), max(bottom)


def _plausible(
    edges: list[tuple[int, int]], log_prob: Float64[np.ndarray, " n"], node_count: int
) -> Int64[np.ndarray, " m"]:
    """Numbers of the edges on a way from the first node to the last that is not far worse than the best."""
    before, after = np.full(node_count, -np.inf), np.full(node_count, -np.inf)
    before[0] = after[-1] = 0.0
    for (start, end), own in zip(edges, log_prob, strict=True):
        before[end] = max(before[end], before[start] + own)
    for (start, end), own in zip(reversed(edges), reversed(log_prob), strict=True):
        after[start] = max(after[start], own + after[end])
    starts, ends = np.array(edges).T
    return np.flatnonzero(before[starts] + log_prob + after[ends] >= after[0] - FARFETCHED)


def _to_page(boxes: Float32[np.ndarray, "n 4"], shear: float, height: int, box: Box) -> Float32[np.ndarray, "n 4"]:
    """Boxes of upright writing back on the slanted page: the box around the slanted-back corners."""
    page = boxes.copy()
    if shear:
        middle = (height - 1) / 2
        shift_top = shear * (boxes[:, 1] - middle)
        shift_bottom = shear * (boxes[:, 3] - middle)
        pad = _pad_px(shear, height)
        page[:, 0] -= pad + np.maximum(shift_top, shift_bottom)
        page[:, 2] -= pad + np.minimum(shift_top, shift_bottom)
    return page + np.array([box[0], box[1], box[0], box[1]], np.float32)
