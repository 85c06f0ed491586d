"""Lines set upright: their slant taken out, by the hand that wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.segment.components import INK_THRESHOLD, Components, find_components, slant_shear
from hwtranscribe.segment.geometry import stretch
from hwtranscribe.strip import normalize_line
from hwtranscribe.types import Box

TELLING = 4
"""Components from which on a line tells by itself how it is written."""
SAME_HEIGHT = 0.6
"""Characters lower than this share of the others' height are written smaller."""


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


def line_strip(ink: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "32 w2"] | None:
    """The strip of one line of free writing, as `line_lattice` gives it; None without ink, or where it is too long.

    Args:
        ink: Ink of this line alone, 0 paper, 255 full ink.
    """
    written = set_upright(ink, None)
    return strip_of(written) if len(written.components) else None


@dataclass(frozen=True, slots=True, eq=False)
class Upright:
    """A line with its slant taken out.

    Attributes:
        ink: Wider than before by the shear, unless there is none.
        shear: That was taken out, px right per px up.
        components: Of the ink.
        height_px: Of its characters.
    """

    ink: UInt8[np.ndarray, "h w"]
    shear: float
    components: Components
    height_px: float


def set_upright(ink: UInt8[np.ndarray, "h w"], hand: Hand | None) -> Upright:
    """Return a line with its slant taken out.

    Args:
        ink: Of this line alone, 0 paper, 255 full ink.
        hand: That wrote it, where that is known from other lines.
    """
    binary = (ink >= INK_THRESHOLD).view(np.uint8)
    if hand is not None and cv2.connectedComponents(binary)[0] - 1 >= TELLING:
        hand = None
    shear = hand.shear if hand else slant_shear(binary)
    upright = _sheared(ink, shear)
    components = find_components(upright)
    height_px = line_height_px(components) if len(components) else 0.0
    if hand and SAME_HEIGHT * hand.height_px <= height_px:
        height_px = max(height_px, hand.height_px)
    return Upright(upright, shear, components, height_px)


def strip_of(written: Upright) -> Float32[np.ndarray, "32 w"] | None:
    """Return the strip of a line that holds ink, as the network for lines sees it; None where it is too long."""
    parts = written.components
    wider = stretch(parts.width, parts.height, np.ones(len(parts), bool))
    boxes = np.stack([parts.left, parts.top, parts.right, parts.bottom], axis=1)
    return normalize_line(written.ink, boxes, written.height_px, wider)


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


def to_page(boxes: Float32[np.ndarray, "n 4"], shear: float, height: int, box: Box) -> Float32[np.ndarray, "n 4"]:
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
