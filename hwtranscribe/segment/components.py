"""Connected components of ink and the measures of a line of writing."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int32, UInt8

INK_THRESHOLD = 112
"""Ink maps are soft at the edges; above this a pixel belongs to a stroke."""

AS_HIGH = 0.6
"""Components beside one another are about as high when each has more than this share of the other's height."""

MIN_SLANT_GAIN = 1.25
"""Writing counts as upright unless another shear makes its columns this much better."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Connected components of an ink map, without specks.

    Attributes:
        labels: 0 paper, else 1-based index into the rows below.
        left, top, right, bottom: Bounding boxes, px, right and bottom exclusive; row 0 is component 1.
        area: Ink, px.
        stroke_width_px: Usual width of a pen stroke.
    """

    labels: Int32[np.ndarray, "h w"]
    left: Int32[np.ndarray, " n"]
    top: Int32[np.ndarray, " n"]
    right: Int32[np.ndarray, " n"]
    bottom: Int32[np.ndarray, " n"]
    area: Int32[np.ndarray, " n"]
    stroke_width_px: float

    @property
    def height(self) -> Int32[np.ndarray, " n"]:
        """Heights of the bounding boxes, px."""
        return self.bottom - self.top

    @property
    def width(self) -> Int32[np.ndarray, " n"]:
        """Widths of the bounding boxes, px."""
        return self.right - self.left

    @property
    def cut_off(self) -> Bool[np.ndarray, " n"]:
        """Whether each touches the upper or lower edge of the picture, which may go through it."""
        return (self.top <= 1) | (self.bottom >= self.labels.shape[0] - 1)

    def __len__(self) -> int:
        return len(self.area)

    def as_high_beside(self, i: int) -> Bool[np.ndarray, " n"]:
        """Which others stand beside one, no further than its own height, and are about as high.

        Args:
            i: 0-based component.
        """
        height = self.height
        beside = np.minimum(self.bottom, self.bottom[i]) - np.maximum(self.top, self.top[i])
        gap = np.maximum(self.left - self.right[i], self.left[i] - self.right)
        alike = (beside > AS_HIGH * height[i]) & (AS_HIGH * height < height[i]) & (gap < height[i])
        alike[i] = False
        return alike

    def soft_ink(
        self, ink: UInt8[np.ndarray, "h w"], chosen: Int32[np.ndarray, " n"], window: tuple[slice, slice]
    ) -> UInt8[np.ndarray, "h2 w2"]:
        """Ink of some components alone in a window, with the soft edges of their strokes.

        Args:
            ink: The map they were found in.
            chosen: 0-based components.
            window: Rows and columns.
        """
        wanted = np.zeros(len(self) + 1, np.uint8)
        wanted[np.asarray(chosen) + 1] = 1
        mine = wanted[self.labels[window]]
        others = (self.labels[window] > 0) & (mine == 0)
        near = cv2.dilate(mine, np.ones((3, 3), np.uint8))
        return np.where((near > 0) & ~others, ink[window], 0).astype(np.uint8)


def find_components(ink: UInt8[np.ndarray, "h w"]) -> Components:
    """Components of ink with specks left out.

    A speck is smaller than a dot that the pen itself would leave.

    Args:
        ink: 0 paper, 255 full ink.
    """
    binary = (ink >= INK_THRESHOLD).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8, ltype=cv2.CV_32S)
    stroke_px = stroke_width_px(binary)
    speck_area_px = max(2.0, 0.5 * stroke_px**2)
    keep = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= speck_area_px)
    keep = keep[keep != 0]
    if len(keep) < count - 1:
        renumber = np.zeros(count, np.int32)
        renumber[keep] = np.arange(1, len(keep) + 1)
        labels = renumber[labels]
    kept = stats[keep].astype(np.int32)
    left, top = kept[:, cv2.CC_STAT_LEFT], kept[:, cv2.CC_STAT_TOP]
    return Components(
        labels=labels,
        left=left,
        top=top,
        right=left + kept[:, cv2.CC_STAT_WIDTH],
        bottom=top + kept[:, cv2.CC_STAT_HEIGHT],
        area=kept[:, cv2.CC_STAT_AREA],
        stroke_width_px=stroke_px,
    )


def stroke_width_px(binary: UInt8[np.ndarray, "h w"]) -> float:
    """Usual width of the strokes of a 0/1 image, px: twice its area over the length of its outline.

    Long thin shapes have an outline of twice their length, whatever way they bend.
    """
    area = int(np.count_nonzero(binary))
    if not area:
        return 1.0
    inner = cv2.erode(binary, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    outline = area - int(np.count_nonzero(inner))
    return max(1.0, 2.0 * area / max(outline, 1))


def slant_shear(binary: UInt8[np.ndarray, "h w"], limit: float = 0.8) -> float:
    """Shear (px right per px up) of the writing.

    The shear is the one under which most ink stands in columns of one unbroken run, squared heights summed
    (Vinciarelli and Luettin 2001).

    Args:
        binary: 0/1, one line of writing.
        limit: Largest absolute shear tried.
    """
    height, width = binary.shape
    scale = min(1.0, 40.0 / max(height, 1))
    small = binary
    if scale < 1.0:
        small = cv2.resize(binary * np.uint8(255), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = (small > 80).view(np.uint8)
    height, width = small.shape
    pad_px = int(np.ceil(limit * height / 2)) + 1
    shears = np.linspace(-limit, limit, 33)
    scores = np.empty(len(shears))
    down = np.repeat(np.arange(1, height + 1, dtype=np.uint8)[:, None], width + 2 * pad_px, axis=1)
    up = np.ascontiguousarray(down[::-1])
    for i, shear in enumerate(shears):
        matrix = np.array([[1, shear, pad_px - shear * (height - 1) / 2], [0, 1, 0]])
        sheared = cv2.warpAffine(small, matrix, (width + 2 * pad_px, height), flags=cv2.INTER_NEAREST)
        ink = cv2.reduce(sheared, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
        # Of the rows counted from the top and from the bottom, the largest with ink say how far it reaches.
        last, first = (cv2.reduce(cv2.multiply(sheared, rows), 0, cv2.REDUCE_MAX)[0] for rows in (down, up))
        unbroken = (ink > 0) & (ink >= 0.9 * (first.astype(np.int32) + last - height))
        scores[i] = np.sum(ink[unbroken].astype(np.float64) ** 2)
    upright = scores[len(shears) // 2]
    best = int(np.argmax(scores))
    if scores[best] < MIN_SLANT_GAIN * upright:
        return 0.0
    return float(shears[best])
