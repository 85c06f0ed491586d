"""From the components of one line of writing to pieces of characters, in reading order."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from hwtranscribe.segment.components import Components
from hwtranscribe.segment.cuts import cut_component
from hwtranscribe.segment.geometry import COMMA_HEIGHT, COMMA_WIDTH, DOT_SIZE, is_dash, is_flat
from hwtranscribe.segment.loops import Loop, find_loops


@dataclass(frozen=True, slots=True, eq=False)
class Line:
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
        marks: Whether each is a dot, a comma or a dash by itself.
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
    marks: Bool[np.ndarray, " n"]


def line_pieces(ink: UInt8[np.ndarray, "h w"], components: Components, height_px: float) -> Line:
    """Cut the components, join dots and contained parts to what they belong to, put all in reading order.

    Args:
        ink: Of the line, upright, 0 paper, 255 full ink.
        components: Of it; at least one.
        height_px: Of its characters.
    """
    groups = _join_contained(components, height_px)
    index, inside = np.zeros(ink.shape, np.int32), np.zeros(ink.shape, np.int32)
    boxes: list[tuple[int, int, int, int]] = []
    costs: list[float] = []
    areas: list[int] = []
    dashes: list[int] = []
    dots: list[bool] = []
    marks: list[bool] = []
    small = np.maximum(components.width, components.height) < DOT_SIZE * height_px
    dash = is_dash(components.width, components.height, components.area, height_px, components.stroke_width_px)
    mark = (components.width <= COMMA_WIDTH * height_px) & (components.height <= COMMA_HEIGHT * height_px)
    mark |= is_flat(components.width, components.height, height_px)
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
            marks.append(len(group) == len(pieces.cost) == 1 and bool(mark[group[0]]))
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
    return Line(
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
        marks=np.array(marks)[order],
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
