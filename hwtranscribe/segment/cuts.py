"""Over-segmentation: cuts through components that may hold more than one character.

Cuts are geometric (low ink crossed, narrow necks between the upper and the lower contour) and follow the seam of least
ink. Which of them are real is for the lattice to say; a missed cut can't be made good, so there are more of them than
characters.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from hwtranscribe.segment.loops import LEAST_AREA

MIN_PIECE = 0.13
"""Cuts are at least this far apart and from the ends, in line heights."""
MAX_NECK, MAX_INK = 5.0, 2.6
"""Necks wider than this many stroke widths, and columns that cross more ink than this many, are not cut."""
VALLEY_DEPTH = 0.15
"""Dips of a contour less deep than this share of the component's height are no place to cut."""
LOOP = 0.8
"""What a cut through the paper inside a loop costs, as a share of what it would cost through ink."""
MAX_COST = 1.2
"""A cut along a stroke parts strokes that lie against one another: it costs no more than this many stroke widths."""
MAX_CUTS = 12
"""Cuts of one component."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Parts of a component between neighbouring cuts, left to right.

    Attributes:
        index: Per pixel of the component's box: 0 paper, else 1-based piece.
        inside: The same for the paper that its ink goes all around.
        cost: Ink crossed by the cut before each piece, in stroke widths; 0 before the first.
    """

    index: Int32[np.ndarray, "h w"]
    inside: Int32[np.ndarray, "h w"]
    cost: Float32[np.ndarray, " n"]


def cut_component(
    mask: UInt8[np.ndarray, "h w"], ink: UInt8[np.ndarray, "h w"], line_height_px: float, stroke_width_px: float
) -> Pieces:
    """Cut one component where characters may touch.

    Args:
        mask: 0/1, the component in its bounding box.
        ink: Soft ink of the same box, 0-255.
        line_height_px: Height of the line's characters.
        stroke_width_px: Usual width of its strokes.
    """
    height, width = mask.shape
    loops = _inside_loops(mask)
    whole = Pieces(index=mask.astype(np.int32), inside=loops.astype(np.int32), cost=np.zeros(1, np.float32))
    min_piece_px = max(2.0, MIN_PIECE * line_height_px)
    if width < max(0.42 * line_height_px, 2 * min_piece_px + 1) or height < 0.25 * line_height_px:
        return whole
    columns = _cut_columns(mask, loops, _between(loops, LEAST_AREA * line_height_px**2), min_piece_px, stroke_width_px)
    if not len(columns):
        return whole
    reach_px = max(1, int(round(0.12 * line_height_px)))
    cost_map = np.where(mask > 0, ink, 0).astype(np.float32) / 255.0 + LOOP * loops
    seams, crossed = _seams(cost_map, np.array(columns), reach_px)
    costs = [min(MAX_COST, cost / stroke_width_px) for cost in crossed]
    order = np.argsort([seam.mean() for seam in seams], kind="stable")
    seam_x = np.maximum.accumulate(seams[order], axis=0)  # cuts x rows
    x = np.arange(width)
    raw = (x[None, None, :] > seam_x[:, :, None]).sum(axis=0)
    return _compact(raw, mask, loops, np.array([0.0, *(costs[i] for i in order)], np.float32), stroke_width_px)


def _inside_loops(mask: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """1 where ink goes all around a px of paper."""
    height, width = mask.shape
    paper = np.pad((mask == 0).view(np.uint8), 1, constant_values=1)
    # Connected by sides alone: ink holds together over corners.
    cv2.floodFill(paper, None, (0, 0), 0, flags=4)
    return paper[1 : height + 1, 1 : width + 1]


def _between(loops: UInt8[np.ndarray, "h w"], least_px: float) -> list[int]:
    """Columns between loops that stand beside one another."""
    _, _, stats, centres = cv2.connectedComponentsWithStats(loops, connectivity=4)
    large = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= least_px)
    boxes = stats[large[np.argsort(centres[large, 0], kind="stable")]].tolist()
    return [
        (one[0] + one[2] + other[0]) // 2
        for one, other in pairwise(boxes)
        if min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1]) > 0.5 * min(one[3], other[3])
    ]


def _cut_columns(
    mask: UInt8[np.ndarray, "h w"],
    loops: UInt8[np.ndarray, "h w"],
    between: list[int],
    min_piece_px: float,
    stroke_width_px: float,
) -> list[int]:
    """Columns where a cut is cheap: necks between the upper and the lower contour, and columns that cross little ink.

    Two rounds that touch have a neck between them that crosses more ink than either does through its middle, so both
    kinds of minima are taken, and the dips of the contours, where strokes lie against one another. Of those too near to
    one another, the narrower neck stays.
    """
    height, width = mask.shape
    ink = mask.sum(axis=0).astype(np.float32) + LOOP * loops.sum(axis=0)
    inked = mask > 0
    rows = np.arange(height)[:, None]
    upper = np.where(inked, rows, height).min(axis=0)
    lower = np.where(inked, rows, -1).max(axis=0)
    neck = np.maximum(lower - upper + 1, 0).astype(np.float32)
    sigma = max(0.6, 0.25 * stroke_width_px)
    smooth_ink, smooth_neck = (
        cv2.GaussianBlur(profile[None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0] for profile in (ink, neck)
    )
    edge = int(np.ceil(min_piece_px))
    inside = np.zeros(width, bool)
    inside[edge : width - edge] = True
    at_neck = _minima(smooth_neck) & inside & (neck <= MAX_NECK * stroke_width_px + 1) & (neck < 0.75 * height)
    at_ink = _minima(smooth_ink) & inside & (ink <= MAX_INK * stroke_width_px + 1)
    least = VALLEY_DEPTH * height
    valley = (_deep(upper, least) | _deep(height - 1 - lower, least)) & inside
    cost = smooth_ink - stroke_width_px * np.where(at_neck, 2.0, np.where(valley, 1.5, 0.0))
    candidates = np.flatnonzero(at_neck | at_ink | valley)
    chosen: list[int] = []
    for column in [*between, *candidates[np.argsort(cost[candidates], kind="stable")]]:
        if all(abs(column - other) >= min_piece_px for other in chosen):
            chosen.append(int(column))
        if len(chosen) >= MAX_CUTS:
            break
    return sorted(chosen)


def _deep(contour: Int32[np.ndarray, " w"], least_px: float) -> Bool[np.ndarray, " w"]:
    """Bottoms of the dips of a contour, seen from outside, that are deep enough on both sides."""
    depth = contour.astype(np.float32)
    left = depth - np.minimum.accumulate(depth)
    right = depth - np.minimum.accumulate(depth[::-1])[::-1]
    return _minima(-depth) & (left >= least_px) & (right >= least_px)


def _minima(profile: Float32[np.ndarray, " w"]) -> Bool[np.ndarray, " w"]:
    """Columns not above their neighbours; of a flat stretch its middle."""
    minima = np.zeros(len(profile), bool)
    if len(profile) < 3:
        return minima
    low = np.concatenate([[False], (profile[1:-1] <= profile[:-2]) & (profile[1:-1] <= profile[2:]), [False]])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.view(np.int8), [0]])))
    minima[(edges[::2] + edges[1::2] - 1) // 2] = True
    return minima


def _seams(
    cost_map: Float32[np.ndarray, "h w"], columns: Int64[np.ndarray, " n"], reach_px: int
) -> tuple[Int32[np.ndarray, "n h"], list[float]]:
    """Top-to-bottom seams of least ink, one around each column; their x per row and the ink they cross, px."""
    height, width = cost_map.shape
    big = np.float32(1e9)
    steps = np.arange(-reach_px, reach_px + 1)
    x = columns[:, None] + steps
    # rows x seams x places; what lies off the map is no way to go
    windows = np.where((x >= 0) & (x < width), cost_map[:, np.clip(x, 0, width - 1)], big)
    offset = np.abs(steps).astype(np.float32) * 0.01
    padded = np.full((height, len(columns), len(steps) + 2), big)
    total = padded[:, :, 1:-1]
    total[0] = windows[0] + offset
    for above, here, window in zip(padded, total[1:], windows[1:], strict=False):
        beside = np.minimum(above[:, :-2], above[:, 2:])
        beside += np.float32(0.05)
        np.minimum(above[:, 1:-1], beside, out=beside)
        beside += window
        np.add(beside, offset, out=here)
    aslant = np.minimum(padded[:-1, :, :-2], padded[:-1, :, 2:]) + np.float32(0.05)
    aside = np.where(padded[:-1, :, :-2] <= padded[:-1, :, 2:], np.int8(-1), np.int8(1))
    step = np.zeros(windows.shape, np.int8)
    step[1:] = np.where(total[:-1] <= aslant, np.int8(0), aside)
    places = np.empty((height, len(columns)), np.int32)
    seam, place = np.arange(len(columns)), total[-1].argmin(axis=1)
    for y in range(height - 1, -1, -1):
        places[y] = place
        place = place + step[y, seam, place]
    crossed = np.take_along_axis(windows, places[:, :, None], axis=2)[::-1, :, 0].astype(np.float64)
    # Added up from below, one after the other: the sum does not depend on how many seams there are.
    return (columns[:, None] - reach_px + places.T).astype(np.int32), np.cumsum(crossed, axis=0)[-1].tolist()


def _compact(
    raw: Int32[np.ndarray, "h w"],
    mask: UInt8[np.ndarray, "h w"],
    loops: UInt8[np.ndarray, "h w"],
    cost: Float32[np.ndarray, " n"],
    stroke_width_px: float,
) -> Pieces:
    """Drop pieces that hold next to no ink and number the rest from 1; a dropped piece joins the one before it."""
    inked = mask > 0
    areas = np.bincount(raw[inked], minlength=len(cost))
    keep = areas >= max(3.0, 0.7 * stroke_width_px**2)
    if not keep.any():
        keep[0] = True
    number = np.maximum(np.cumsum(keep), 1)
    index, inside = (np.where(where, number[raw], 0).astype(np.int32) for where in (inked, loops > 0))
    kept_cost = cost[keep].copy()
    kept_cost[0] = 0.0
    return Pieces(index=index, inside=inside, cost=kept_cost)
