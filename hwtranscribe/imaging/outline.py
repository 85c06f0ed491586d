"""The outline of a sheet that was photographed on something darker, and the sheet laid flat."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from hwtranscribe.imaging.geometry import project, scaling
from hwtranscribe.imaging.paper import in_shadow, shrunk

SEARCH_SIZE_PX = 600
"""Sheets are looked for in pictures with about this long side."""

DARKER = 0.85
"""What is around a sheet is darker than this share of its brightness."""

ALL_AROUND = 0.97
"""Share of the rim that is so."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8)
"""Sheets are tried to be told from what is around them at these shares of their brightness: some lie in a shadow."""

LEAST_AREA = 0.2
"""Least share of the picture that a sheet takes."""

AS_STRAIGHT = 0.006
"""How far the sides of a sheet stray from straight lines, as a share of the long side: paper curls."""

FILLED = 0.96
"""Least share that the sheet and its outline have in common."""

EDGE_PX = 8
"""Breadth of the edge of a sheet, where what is around it looks dark beside it, px of the reduced picture."""

ASKEW_DEG = 1.0
"""Opposite sides that differ by less are parallel; such a sheet is laid level later on."""

RIM = 0.006
"""Share of a sheet at its rim, from the middle to the corners, that is left out."""

MOSTLY = 0.85
"""A sheet that takes this share of the picture needs not be cut out."""


def paper_outline(pixels: UInt8[np.ndarray, "height width"]) -> Float64[np.ndarray, "4 2"] | None:
    """Return the corners of a sheet that was photographed whole and aslant, clockwise from the top left, px.

    None where no sheet stands out on all sides, or where it is as flat as if it had been scanned.

    Args:
        pixels: Grey picture, 255 paper.
    """
    factor = max(1, max(pixels.shape) // SEARCH_SIZE_PX)
    if min(pixels.shape) < 32 * factor:
        return None
    bright = float(np.percentile(pixels[:: 4 * factor, :: 4 * factor], 80))
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if (rim < DARKER * bright).mean() < ALL_AROUND:
        return None
    small = shrunk(pixels, factor)
    # The grain of a table is no part of the sheet.
    smooth = cv2.medianBlur(small, 5)
    for share in THRESHOLDS:
        corners = _corners((smooth > share * bright).astype(np.uint8))
        if corners is not None:
            break
    if corners is None or not (_is_askew(corners) or _area(corners) < MOSTLY * small.size):
        return None
    # A shadow may end as straight as a sheet does; but then there is print in it.
    sheet = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(sheet, np.round(corners).astype(np.int32), 1)
    around = 1 - cv2.dilate(sheet, np.ones((2 * EDGE_PX + 1, 2 * EDGE_PX + 1), np.uint8))
    if in_shadow(small, around.astype(np.int32), 2)[1]:
        return None
    return project(np.linalg.inv(scaling(1 / factor)), corners)


def flattened(
    pixels: UInt8[np.ndarray, "height width"], outline: Float64[np.ndarray, "4 2"] | None
) -> tuple[UInt8[np.ndarray, "flat_height flat_width"], Float64[np.ndarray, "3 3"]]:
    """Return a sheet seen from above, and the homography from it to the picture.

    Args:
        pixels: Grey picture.
        outline: Corners of the sheet in it; None where it is seen so already.
    """
    if outline is None:
        return pixels, np.eye(3)
    # A little less than the sheet, or a sliver of what is around it looks like a stroke.
    outline = outline + RIM * (outline.mean(axis=0) - outline)
    sides = np.linalg.norm(outline - np.roll(outline, -1, axis=0), axis=1)
    # The longer of two opposite sides is the nearer one: nothing of it is lost.
    width, height = round(max(sides[0], sides[2])), round(max(sides[1], sides[3]))
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    page_from_flat = cv2.getPerspectiveTransform(flat.astype(np.float32), outline.astype(np.float32))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result = cv2.warpPerspective(pixels, page_from_flat, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return result, page_from_flat


def _corners(bright: UInt8[np.ndarray, "height width"]) -> Float64[np.ndarray, "4 2"] | None:
    """Return the corners of the largest bright piece, None where it is not bounded by four straight sides."""
    # A frame of dark, so that the piece ends even where it touches the rim.
    padded = cv2.copyMakeBorder(bright, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    area = cv2.contourArea(contour)
    if area < LEAST_AREA * bright.size:
        return None
    hull = cv2.convexHull(contour)
    rough = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True).reshape(-1, 2).astype(np.float64)
    if len(rough) != 4 or area < FILLED * cv2.contourArea(hull):
        return None
    points = contour.reshape(-1, 2).astype(np.float64)
    long_px = max(bright.shape)
    lines = []
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        mine = _beside(points, start, end, 0.02 * long_px)
        if mine.sum() < 20:
            return None
        vx, vy, x, y = cv2.fitLine(points[mine].astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        strays = np.abs((points[mine] - (x, y)) @ (-vy, vx))
        if np.percentile(strays, 90) > max(1.5, AS_STRAIGHT * long_px):
            return None
        lines.append((np.array([x, y]), np.array([vx, vy])))
    crossings = [_crossing(*lines[index - 1], *lines[index]) for index in range(4)]
    if any(crossing is None for crossing in crossings):
        return None
    corners = np.array(crossings) - 1
    height, width = bright.shape
    inside = (corners > -2).all() and (corners[:, 0] < width + 1).all() and (corners[:, 1] < height + 1).all()
    if not inside or abs(_area(corners) - area) > (1 - FILLED) * area:
        return None
    return _from_top_left(corners)


def _beside(
    points: Float64[np.ndarray, "n 2"],
    start: Float64[np.ndarray, " 2"],
    end: Float64[np.ndarray, " 2"],
    reach_px: float,
) -> Bool[np.ndarray, " n"]:
    """Return which points lie along a side, its ends aside: corners are round or folded."""
    along = (end - start) / np.linalg.norm(end - start)
    share = (points - start) @ along / np.linalg.norm(end - start)
    across = np.abs((points - start) @ np.array([-along[1], along[0]]))
    return (share > 0.08) & (share < 0.92) & (across <= reach_px)


def _crossing(
    one: Float64[np.ndarray, " 2"],
    one_way: Float64[np.ndarray, " 2"],
    other: Float64[np.ndarray, " 2"],
    other_way: Float64[np.ndarray, " 2"],
) -> Float64[np.ndarray, " 2"] | None:
    """Return where two lines, each a point and a direction, cross; None where they are parallel."""
    ways = np.column_stack([one_way, -other_way])
    if abs(np.linalg.det(ways)) < 0.1:
        return None
    return one + np.linalg.solve(ways, other - one)[0] * one_way


def _from_top_left(corners: Float64[np.ndarray, "4 2"]) -> Float64[np.ndarray, "4 2"]:
    """Return corners clockwise, the one nearest to the top left first."""
    middle = corners.mean(axis=0)
    clockwise = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    return np.roll(clockwise, -int(clockwise.sum(axis=1).argmin()), axis=0)


def _area(corners: Float64[np.ndarray, "4 2"]) -> float:
    return float(cv2.contourArea(corners.astype(np.float32)))


def _is_askew(corners: Float64[np.ndarray, "4 2"]) -> bool:
    """Return whether opposite sides are not parallel, as in a photograph from the side."""
    sides = np.roll(corners, -1, axis=0) - corners
    angles = np.rad2deg(np.arctan2(sides[:, 1], sides[:, 0]))
    between = [(angles[index + 2] - angles[index] + 360) % 360 - 180 for index in (0, 1)]
    return bool(max(abs(angle) for angle in between) > ASKEW_DEG)
