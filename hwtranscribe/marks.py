"""Checkboxes: how probable it is that one is ticked, or was and has been crossed out again.

A mark is measured by what can be told of it in any box: how long its strokes are in sides of the box, how much of the
box they fill, whether they come from beyond its rim. A logistic regression weighs that.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from hwtranscribe.types import AlignedPage, Box

INK = 96
"""Ink from which on a px belongs to a stroke."""

AROUND = 0.6
"""How far around a box its marks are followed, in sides of the box."""

SHORTEST = 0.1
"""Length of a stroke, in sides of the box, that counts as hardly any."""

FEATURES = ("length", "middle", "fill", "width", "height", "dark", "spill", "sides", "through", "blackened")
"""What is measured of a mark, see `mark_features`."""

WEIGHTS: Float64[np.ndarray, "2 _weights"] = np.array(
    [
        [-5.10, -0.08, -0.56, 19.28, 6.53, 3.86, -1.93, -3.53, 2.24, -5.50, -12.44],
        [-20.42, -1.31, 16.17, 21.21, 6.16, 5.14, -4.08, 2.20, 8.51, -9.73, -11.97],
    ]
)
"""Log-odds of a ticked and of a crossed-out box against an empty one: offset, then one weight for each of FEATURES.

From `scripts/bench marks --sheets 64`: 6,912 drawn boxes, 47 % of them not ticked and 7 % crossed out. On 2,304 boxes
of other sheets the expected calibration error of the probability of a tick is 0.007.
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a checkbox may hold; what is missing to 1 is the probability that it is empty.

    Attributes:
        ticked: Probability that it is ticked.
        crossed_out: Probability that it was ticked and then crossed out.
    """

    ticked: float
    crossed_out: float


def read_mark(aligned: AlignedPage, box: Box) -> Mark:
    """Return how probable it is that a checkbox is ticked, by a tick, a cross, a stroke or by filling it.

    Args:
        aligned: The page.
        box: Of the checkbox, aligned px.
    """
    odds = np.concatenate([[0.0], WEIGHTS @ np.concatenate([[1.0], mark_features(aligned, box)])])
    shares = np.exp(odds - odds.max())
    _, ticked, crossed_out = shares / shares.sum()
    return Mark(float(ticked), float(crossed_out))


def mark_features(aligned: AlignedPage, box: Box) -> Float64[np.ndarray, " features"]:
    """Return what there is to tell of the mark in a checkbox, in the order of FEATURES; zeros where there is none.

    `length` is the logarithm of the length of its strokes in sides of the box; `middle` and `fill` are the shares of
    the box's middle and of all of it that are ink; `width` and `height` are its extent in the box; `dark` is its ink
    from 0 to 1; `spill` is its ink beyond the rim as a share of that in the box, `sides` the share of the four
    sides that it leaves, and `through` is 1 when it goes far beyond opposite ones. `blackened` is `fill` times `sides`.

    Args:
        aligned: The page.
        box: Of the checkbox, aligned px.
    """
    left, top, right, bottom = box
    side_px = min(right - left, bottom - top)
    height, width = aligned.ink.shape
    margin_px = max(2, round(AROUND * side_px))
    x0, y0 = max(0, left - margin_px), max(0, top - margin_px)
    x1, y1 = min(width, right + margin_px), min(height, bottom + margin_px)
    none = np.zeros(len(FEATURES))
    if min(x1, right) - max(x0, left) < 4 or min(y1, bottom) - max(y0, top) < 4:
        return none
    ink = np.ascontiguousarray(aligned.ink[y0:y1, x0:x1])
    inner = (slice(max(0, top - y0), bottom - y0), slice(max(0, left - x0), right - x0))
    if aligned.printing is None:
        ink = without_frame(ink, inner, side_px)
    binary = written(ink, inner, side_px)
    inside = binary[inner]
    area = int(inside.sum())
    if area == 0:
        return none
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    quarter_y, quarter_x = inside.shape[0] // 4, inside.shape[1] // 4
    middle = inside[quarter_y : inside.shape[0] - quarter_y, quarter_x : inside.shape[1] - quarter_x]
    up, down, before, after = beyond(binary, inner)
    sides = sum(px > 0.08 * side_px for px in (up, down, before, after)) / 4
    return np.array(
        [
            np.log(area / stroke_width_px(binary) / side_px / SHORTEST + 1),
            middle.mean(),
            inside.mean(),
            (columns[-1] - columns[0] + 1) / inside.shape[1],
            (rows[-1] - rows[0] + 1) / inside.shape[0],
            float(ink[inner][inside > 0].mean()) / 255,
            min(1.0, (int(binary.sum()) - area) / area),
            sides,
            float(max(min(up, down), min(before, after)) > 0.4 * side_px),
            sides * inside.mean(),
        ]
    )


def beyond(binary: UInt8[np.ndarray, "height width"], inner: tuple[slice, slice]) -> tuple[int, int, int, int]:
    """Return how far ink goes beyond the upper, the lower, the left and the right side of a box, px.

    Args:
        binary: 1 on the ink of the box and its surroundings.
        inner: Rows and columns of the box.
    """
    rows, columns = np.flatnonzero(binary.any(axis=1)), np.flatnonzero(binary.any(axis=0))
    return (
        inner[0].start - int(rows[0]),
        int(rows[-1]) + 1 - inner[0].stop,
        inner[1].start - int(columns[0]),
        int(columns[-1]) + 1 - inner[1].stop,
    )


def without_frame(
    ink: UInt8[np.ndarray, "height width"], inner: tuple[slice, slice], side_px: int
) -> UInt8[np.ndarray, "height width"]:
    """Return ink without the printed frame of the box, where no blank form has taken it away; what crosses it stays.

    Args:
        ink: The box and its surroundings.
        inner: Rows and columns of the box.
        side_px: Shorter side of the box.
    """
    binary = (ink > INK).astype(np.uint8)
    frame = np.zeros_like(binary)
    near_px, thickest_px = round(0.25 * side_px), max(3, round(0.18 * side_px))
    for upright in (False, True):
        picture, bars = (binary.T, frame.T) if upright else (binary, frame)
        across, along = inner[::-1] if upright else inner
        # A line that climbs a px or two over the box still fills the rows around it.
        drawn = cv2.dilate(np.ascontiguousarray(picture), np.ones((3, 1), np.uint8))[:, along].mean(axis=1) > 0.75
        reach = slice(max(0, along.start - near_px), along.stop + near_px)
        for edge, inwards in ((across.start, 1), (across.stop - 1, -1)):
            rows = edge + inwards * np.arange(-near_px, near_px + 1)
            found = [row for row in rows.tolist() if 0 <= row < len(drawn) and drawn[row]]
            if found:
                last = found[0] + inwards * thickest_px
                while not drawn[found[0] : last : inwards].all():
                    last -= inwards
                bars[min(found[0], last) : max(found[0], last) + 1, reach] = 1
    left = cv2.subtract(binary, frame)
    crossing = cv2.morphologyEx(left, cv2.MORPH_CLOSE, np.ones((thickest_px + 3, thickest_px + 3), np.uint8))
    return np.where((frame > 0) & (crossing == 0), 0, ink).astype(np.uint8)


def written(
    ink: UInt8[np.ndarray, "height width"], inner: tuple[slice, slice], side_px: int
) -> UInt8[np.ndarray, "height width"]:
    """Return 1 on the components that have ink well inside the box; what only touches its rim is none of its mark.

    Args:
        ink: The box and its surroundings.
        inner: Rows and columns of the box.
        side_px: Shorter side of the box.
    """
    binary = (ink > INK).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    rim_px = max(1, round(0.12 * side_px))
    core = labels[
        inner[0].start + rim_px : max(inner[0].start + rim_px + 1, inner[0].stop - rim_px),
        inner[1].start + rim_px : max(inner[1].start + rim_px + 1, inner[1].stop - rim_px),
    ]
    in_core = np.bincount(core.ravel(), minlength=count)
    in_box = np.bincount(labels[inner].ravel(), minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    mine = (in_core > 0.3 * in_box) & (in_box > 0.2 * area)
    mine[0] = False
    return mine[labels].astype(np.uint8)


def stroke_width_px(binary: UInt8[np.ndarray, "height width"]) -> float:
    """Return the usual width of the strokes: twice the mean distance to paper along their middle."""
    distance = cv2.distanceTransform(cv2.copyMakeBorder(binary, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
    ridge = (distance > 0) & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 1e-6)
    return max(1.0, 2.0 * float(distance[ridge].mean()) - 0.5) if ridge.any() else 1.0
