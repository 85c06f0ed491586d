"""Closed loops of the pen: each belongs to one character, with the stroke all around it.

Zeros written in one go share a wall, and wherever that is cut one of the two is left open. A round loop says whose the
wall is as well: both have it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int32, UInt8

LEAST_AREA = 0.006
"""Smaller loops are where strokes lie against one another; of the line's height squared."""
ROUND = 0.8
"""Least share of its convex hull that a loop fills; what two touching characters enclose has corners."""
OWNED = 0.75
"""A loop belongs to a character that has this share of it."""
LEAST_SHARE = 0.2
"""Beside a loop, one with less than this share of its area is a twist of the stroke."""


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A round loop in a line of writing.

    Attributes:
        left, top, right, bottom: Box of the loop with the stroke around it, px.
        stroke: Where in that box the stroke is.
        area: Of the paper inside, px.
        shares: Share of the paper inside that lies left of the end of each piece.
    """

    left: int
    top: int
    right: int
    bottom: int
    stroke: Bool[np.ndarray, "h w"]
    area: int
    shares: list[float]

    def within(self, start: int, end: int) -> bool:
        """Whether the loop belongs to pieces `start` to `end` (exclusive)."""
        return self.shares[end] - self.shares[start] >= OWNED

    def beside(self, other: "Loop") -> bool:
        """Whether two loops stand beside one another, as those of one character don't."""
        small, large = sorted((self.area, other.area))
        apart = min(self.right, other.right) - max(self.left, other.left)
        level = min(self.bottom, other.bottom) - max(self.top, other.top)
        narrow = min(self.right - self.left, other.right - other.left)
        low = min(self.bottom - self.top, other.bottom - other.top)
        return small >= LEAST_SHARE * large and apart < 0.5 * narrow and level > 0.6 * low


def find_loops(
    index: Int32[np.ndarray, "h w"], inside: Int32[np.ndarray, "h w"], count: int, height_px: float, stroke_px: float
) -> list[Loop]:
    """The round loops of a line.

    Args:
        index: Per pixel: 0 paper, else 1-based piece, in reading order.
        inside: The same for the paper that ink goes all around.
        count: Of pieces.
        height_px: Of the line's characters.
        stroke_px: Width of the strokes.
    """
    found, labels, stats, _ = cv2.connectedComponentsWithStats(
        (inside > 0).view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    reach_px = int(np.ceil(stroke_px)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach_px + 1, 2 * reach_px + 1))
    loops = []
    for number in range(1, found):
        x, y, width, height, area = stats[number].tolist()
        if area < LEAST_AREA * height_px**2:
            continue
        left, top = max(0, x - reach_px), max(0, y - reach_px)
        window = (slice(top, y + height + reach_px), slice(left, x + width + reach_px))
        paper = (labels[window] == number).view(np.uint8)
        if area < ROUND * _hull_area(paper):
            continue
        stroke = (cv2.dilate(paper, kernel) > 0) & (index[window] > 0)
        if not stroke.any():
            continue
        counts = np.bincount(inside[window][paper > 0] - 1, minlength=count)
        ys, xs = np.nonzero(stroke)
        loops.append(
            Loop(
                left=left + int(xs.min()),
                top=top + int(ys.min()),
                right=left + int(xs.max()) + 1,
                bottom=top + int(ys.max()) + 1,
                stroke=stroke[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1],
                area=area,
                shares=[0.0, *(np.cumsum(counts) / area).tolist()],
            )
        )
    return loops


def _hull_area(paper: UInt8[np.ndarray, "h w"]) -> float:
    """Px in the convex hull of a shape."""
    contours, _ = cv2.findContours(paper, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(contours))
    # The outline runs through the middles of px.
    return float(cv2.contourArea(hull) + 0.5 * cv2.arcLength(hull, True) + 1)
