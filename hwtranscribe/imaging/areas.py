"""Printed areas, such as the dark bars behind headings: they are no strokes, and far more px than these."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.imaging.masks import Binary, above
from hwtranscribe.imaging.paper import noise_and_stroke, shrunk

SEARCH_SIZE_PX = 450
"""Areas are looked for in pictures with about this long side; smaller ones are cut-outs without any."""

LENGTH, BREADTH = 0.15, 0.01
"""An area is somewhere dark over a rectangle of these shares of the page's long side: 45 by 3 mm of an A4 page."""

EVEN = 0.12
"""Half of its px there differ by no more than this share of its tone; those of what a pen has blackened do."""

DENSE = 0.65
"""Share of squares as wide as the thinnest area that is dark on one; rules that run into it are thinner."""

FULL = 0.8
"""Share of its rectangle that an area fills."""


def without_areas(dark: UInt8[np.ndarray, "height width"], long_px: int) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without rectangles that are printed dark, with what is printed light on them.

    Args:
        dark: From `imaging.paper.darkness`; a page or a part of one.
        long_px: Long side of the page.
    """
    factor = long_px // SEARCH_SIZE_PX
    if factor == 0:
        return dark
    small = shrunk(dark, factor)
    threshold = 0.5 * noise_and_stroke(dark)[1]
    solid = above(small, threshold)
    long_side, short_side = (max(2, round(share * long_px / factor)) for share in (LENGTH, BREADTH))
    seeds = np.zeros_like(solid)
    for size in ((short_side, long_side), (long_side, short_side)):
        seeds |= cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones(size, np.uint8))
    if not seeds.any():
        return dark
    dense = above(cv2.blur(255 * solid, (short_side, short_side)), 255 * DENSE)
    _, labels = cv2.connectedComponents(dense, connectivity=8)
    areas = np.zeros_like(solid)
    for label in np.unique(labels[seeds > 0]).tolist():
        mine = labels == label
        low, tone, high = np.percentile(small[mine & (seeds > 0)], (25, 50, 75))
        rectangle = cv2.minAreaRect(np.argwhere(mine)[:, ::-1].astype(np.int32))
        if label and mine.sum() >= FULL * np.prod(rectangle[1]) and high - low <= EVEN * tone:
            cv2.fillPoly(areas, [_with_text(cv2.boxPoints(rectangle), solid)], 1)
    if not areas.any():
        return dark
    # Near the rim only what is as thick as an area goes: writing may stand there.
    core, rim = cv2.erode(areas, np.ones((3, 3), np.uint8)), cv2.dilate(areas, np.ones((5, 5), np.uint8))
    core, rim = (_enlarged(one, factor, dark.shape) for one in (core, rim))
    thick_px = round(0.4 * BREADTH * long_px)
    thick = cv2.morphologyEx(above(dark, threshold), cv2.MORPH_OPEN, np.ones((thick_px, thick_px), np.uint8))
    gone = core | (rim & cv2.dilate(thick, np.ones((5, 5), np.uint8)))
    return cv2.bitwise_and(dark, dark, mask=1 - gone)


def _enlarged(mask: Binary, factor: int, shape: tuple[int, ...]) -> Binary:
    """Return a mask of a picture that was shrunk by whole squares for the picture as it was."""
    large = cv2.resize(mask, (mask.shape[1] * factor, mask.shape[0] * factor), interpolation=cv2.INTER_NEAREST)
    height, width = shape
    return cv2.copyMakeBorder(large, 0, height - large.shape[0], 0, width - large.shape[1], cv2.BORDER_REPLICATE)


def _with_text(corners: Float32[np.ndarray, "4 2"], solid: Binary) -> np.ndarray:
    """Return a rectangle made longer by the part of an area that bears light text, as px.

    Above and below the text the area goes on; what lies in line with it and hangs together with it is the area's.
    """
    sides = np.roll(corners, -1, axis=0) - corners
    long_side = int(np.argmax(np.linalg.norm(sides, axis=1)))
    along = sides[long_side] / max(1.0, float(np.linalg.norm(sides[long_side])))
    middle = corners.mean(axis=0)
    far = sum(solid.shape) * along
    across = sides[(long_side + 1) % 4] / 2
    band = np.zeros_like(solid)
    ends = np.array([middle - far - across, middle + far - across, middle + far + across, middle - far + across])
    cv2.fillPoly(band, [np.round(ends).astype(np.int32)], 1)
    _, labels = cv2.connectedComponents(band & solid, connectivity=8)
    inside = np.zeros_like(solid)
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], 1)
    mine = np.isin(labels, np.setdiff1d(labels[inside > 0], [0])) | (inside > 0)
    place = (np.argwhere(mine)[:, ::-1] - middle) @ along
    first, last = middle + along * place.min(), middle + along * place.max()
    return np.round([first - across, last - across, last + across, first + across]).astype(np.int32)
