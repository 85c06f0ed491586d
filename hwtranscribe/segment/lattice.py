"""From the components of one line of writing to a lattice of character hypotheses.

Follows the segmentation-based school of hand-print reading: over-segment, join neighbouring pieces, let recogniser and
geometry decide (Casey and Lecolinet 1996; Liu, Sako and Fujisawa 2004).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
from jaxtyping import Float64, Int64, UInt8

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.geometry import (
    BESIDE,
    EQUALS_SKIPPED,
    FLOATING,
    FLOATING_SKIPPED,
    SEVERAL_MARKS,
    TALL,
    edge_log_prob,
    floats,
    part_log_prob,
    skip_log_prob,
    stretch,
)
from hwtranscribe.segment.loops import Loop
from hwtranscribe.segment.pieces import Line, line_pieces
from hwtranscribe.segment.slashes import slash_skips
from hwtranscribe.segment.upright import Hand, set_upright, strip_of, to_page
from hwtranscribe.types import Box, CharBoxes

MAX_PIECES_PER_EDGE = 6
MAX_WIDTH = 1.7
"""Widest hypothesis of more than one piece, in line heights."""
FARFETCHED = 3.5
"""A hypothesis is not tried when, by geometry, all cuts of the line with it are worse than the best by so much."""


def line_lattice(ink: UInt8[np.ndarray, "h w"], field: str, box: Box, hand: Hand | None = None) -> CharBoxes:
    """The lattice of one line of free writing.

    Args:
        ink: Ink of this line alone, in its box; 0 paper, 255 full ink.
        field: Name of the field or line.
        box: Where `ink` lies on the aligned page, px.
        hand: That wrote it, where that is known from other lines.
    """
    written = set_upright(ink, hand)
    components, height_px = written.components, written.height_px
    if not len(components):
        return empty_boxes(field, box)
    line = line_pieces(written.ink, components, height_px)
    lattice = _lattice(line, field, box, written.shear, height_px, components.stroke_width_px)
    lattice = replace(lattice, strip=strip_of(written))
    standing = find_components(ink) if written.shear else components
    slashes = slash_skips(standing)
    return _with_slashes(lattice, standing, slashes, box) if slashes else lattice


def _with_slashes(lattice: CharBoxes, components: Components, slashes: dict[int, float], box: Box) -> CharBoxes:
    """A lattice in which what may be a slash may be left out."""
    skips = lattice.skip_log_prob.copy()
    left, top, right, bottom = (lattice.boxes - np.array(box, np.float32)[[0, 1, 0, 1]]).T
    for k, skip in slashes.items():
        # Set upright and slanted back, a box is a little wider than what was written.
        near_px, wider_px = 0.12 * float(components.height[k]), 0.5 * float(components.height[k])
        off_px = np.abs((left + right) / 2 - (components.left[k] + components.right[k]) / 2)
        mine = (off_px <= near_px) & (np.abs(top - components.top[k]) <= near_px)
        mine &= (np.abs(bottom - components.bottom[k]) <= near_px) & (right - left <= components.width[k] + wider_px)
        skips[mine] = np.maximum(skips[mine], skip)
    return replace(lattice, skip_log_prob=skips, slashes=True)


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
        extent=np.zeros((0, 2), np.float32),
        cells=False,
        uncut=np.zeros(0, bool),
        marks=np.zeros(0, bool),
    )


def _lattice(line: Line, field: str, box: Box, shear: float, height_px: float, stroke_px: float) -> CharBoxes:
    """Hypotheses over runs of neighbouring pieces."""
    count = len(line.left)
    cut_after = np.append(line.cut_cost[1:] > 0, False)
    whole = (line.cut_cost == 0) & ~cut_after
    wider = stretch(line.right - line.left, line.bottom - line.top, whole)
    edges: list[tuple[int, int]] = []
    boxes, geometry, skips, uncut = [], [], [], []
    # Python walks lists several times faster than arrays.
    lefts, tops, rights, bottoms = (side.tolist() for side in (line.left, line.top, line.right, line.bottom))
    costs, areas = line.cut_cost.tolist(), line.area.tolist()
    parts = part_log_prob(line.left, line.right, height_px).tolist()
    dashes, dots = line.dashes.tolist(), line.dots.tolist()
    tall = [k for k in range(count) if bottoms[k] - tops[k] >= TALL * height_px]
    ending, starting = (sorted((ends[k], (tops[k] + bottoms[k]) / 2) for k in tall) for ends in (rights, lefts))
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
            alone = costs[i] == 0 and not joined and (j == count or costs[j] == 0)
            uncut.append(alone and j > i + 1)
            boxes.append(_around((left, top, right, bottom), loops))
            beside = any(one.beside(other) for one, other in combinations(loops, 2))
            log_prob = edge_log_prob(right - left, bottom - top, inner_gap, joined, cut, height_px)
            floating = not loops and floats((left, top, right, bottom), ending, starting)
            log_prob += BESIDE * beside + SEVERAL_MARKS * several + FLOATING * floating
            geometry.append(log_prob + parts[i] * (costs[i] == 0))
            skip = -np.inf
            if j == i + 1:
                skip = skip_log_prob(right - left, bottom - top, areas[i], bool(loops), dots[i], height_px, stroke_px)
                if several:
                    skip = max(skip, EQUALS_SKIPPED)
            if floating and alone:
                skip = max(skip, FLOATING_SKIPPED)
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
        boxes=to_page(upright_boxes, shear, line.ink.shape[0], box),
        inks=tuple(inks),
        geometry_log_prob=np.array(geometry, np.float32)[kept],
        blank=np.zeros(len(kept), bool),
        skip_log_prob=np.array(skips, np.float32)[kept],
        extent=upright_boxes[:, [0, 2]] / np.float32(height_px),
        cells=False,
        uncut=np.array(uncut)[kept],
        marks=line.marks[start] & (end == start + 1),
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
