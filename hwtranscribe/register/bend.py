"""Bent warps: a homography and before it a smooth field of shifts on a coarse grid."""

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from hwtranscribe.imaging.geometry import project

_SQUARE_PX, _BAND_SQUARES = 8, 16
"""Side of the squares that a map is computed for, and squares of a band of it in height."""


def warp_maps(
    page_from_frame: Float64[np.ndarray, "3 3"], bend: Float32[np.ndarray, "rows columns 2"], size: tuple[int, int]
) -> Iterator[tuple[slice, Float32[np.ndarray, "band_height width 2"]]]:
    """Yield for every px of a frame where it lies on the page, x and y, band by band: as a whole it takes much memory.

    Args:
        page_from_frame: Homography.
        bend: Shift in px of the frame before the homography, on a grid spanning the frame.
        size: Width and height of the frame, px.
    """
    width, height = size
    # The maps are smooth: computed at the middle of every square of px, also beyond the rim, and interpolated.
    columns, rows = -(-width // _SQUARE_PX) + 2, -(-height // _SQUARE_PX) + 2
    middles = [(np.arange(count, dtype=np.float32) - 0.5) * _SQUARE_PX - 0.5 for count in (columns, rows)]
    x, y = np.meshgrid(*middles)
    grid_x = x / max(width - 1, 1) * (bend.shape[1] - 1)
    grid_y = y / max(height - 1, 1) * (bend.shape[0] - 1)
    shift = cv2.remap(bend, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shift = cv2.GaussianBlur(shift, (0, 0), 2.0)
    points = np.column_stack([(x + shift[..., 0]).ravel(), (y + shift[..., 1]).ravel()])
    moved = project(page_from_frame, points).astype(np.float32).reshape(rows, columns, 2)
    for top in range(0, height, _BAND_SQUARES * _SQUARE_PX):
        band = slice(top, min(top + _BAND_SQUARES * _SQUARE_PX, height))
        squares = moved[top // _SQUARE_PX : -(-band.stop // _SQUARE_PX) + 2]
        places = cv2.resize(squares, (columns * _SQUARE_PX, len(squares) * _SQUARE_PX), interpolation=cv2.INTER_LINEAR)
        yield band, places[_SQUARE_PX : _SQUARE_PX + band.stop - top, _SQUARE_PX : _SQUARE_PX + width]


def nearest_homography(
    page_from_frame: Float64[np.ndarray, "3 3"], bend: Float32[np.ndarray, "rows columns 2"], size: tuple[int, int]
) -> Float64[np.ndarray, "3 3"]:
    """Return the homography that comes nearest to a bent warp: least squares over the nodes of the bend.

    Args:
        page_from_frame: Homography that the bend is applied before.
        bend: Shift in px of the frame.
        size: Width and height of the frame, px.
    """
    rows, columns = bend.shape[:2]
    x, y = np.meshgrid(np.linspace(0, size[0] - 1, columns), np.linspace(0, size[1] - 1, rows))
    nodes = np.stack([x, y], axis=-1).reshape(-1, 2)
    moved = project(page_from_frame, nodes + bend.reshape(-1, 2))
    transform, _ = cv2.findHomography(nodes, moved, 0)
    return page_from_frame if transform is None else transform


def warp_picture(
    pixels: UInt8[np.ndarray, "height width"],
    page_from_frame: Float64[np.ndarray, "3 3"],
    bend: Float32[np.ndarray, "rows columns 2"],
    size: tuple[int, int],
    fill: int = 0,
) -> UInt8[np.ndarray, "frame_height frame_width"]:
    """Return a page resampled into a frame; what lies off the page gets `fill`."""
    if not bend.any():
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpPerspective(pixels, page_from_frame, size, flags=flags, borderValue=fill)
    warped = np.empty(size[::-1], np.uint8)
    for band, places in warp_maps(page_from_frame, bend, size):
        cv2.remap(
            pixels, places, None, cv2.INTER_LINEAR, dst=warped[band], borderMode=cv2.BORDER_CONSTANT, borderValue=fill
        )
    return warped


def fit_bend(
    points: Float32[np.ndarray, "n 2"],
    shift: Float32[np.ndarray, "n 2"],
    size: tuple[int, int],
    grid: tuple[int, int],
    stiffness: float = 2.0,
) -> Float32[np.ndarray, "rows columns 2"]:
    """Return the smooth field on a grid that fits shifts at points: least squares with a penalty on second differences.

    Args:
        points: px of the picture.
        shift: px.
        size: Width and height of the picture.
        grid: Rows and columns of the field.
        stiffness: Weight of the penalty against one point's misfit.
    """
    rows, columns = grid
    x = np.clip(points[:, 0] / (size[0] - 1) * (columns - 1), 0, columns - 1.001)
    y = np.clip(points[:, 1] / (size[1] - 1) * (rows - 1), 0, rows - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    corners = ((0, 0, (1 - fx) * (1 - fy)), (1, 0, fx * (1 - fy)), (0, 1, (1 - fx) * fy), (1, 1, fx * fy))
    nodes = [((top + dy) * columns + left + dx, weight) for dx, dy, weight in corners]
    count = rows * columns
    # The normal equations are added up point by point: a matrix product would wake up every core for so little.
    normal = np.zeros(count * count)
    right = np.zeros((count, 2))
    for one, weight in nodes:
        for axis in (0, 1):
            right[:, axis] += np.bincount(one, weights=weight * shift[:, axis], minlength=count)
        for other, other_weight in nodes:
            normal += np.bincount(one * count + other, weights=weight * other_weight, minlength=count * count)
    normal = normal.reshape(count, count) + stiffness * curvature(rows, columns) + 1e-6 * np.eye(count)
    _, solution = cv2.solve(normal, right, flags=cv2.DECOMP_CHOLESKY)
    return solution.reshape(rows, columns, 2).astype(np.float32)


@lru_cache(maxsize=8)
def curvature(rows: int, columns: int) -> Float64[np.ndarray, "nodes nodes"]:
    """Return the quadratic form of the squared second differences of a field on a grid."""
    identity_rows, identity_columns = np.eye(rows), np.eye(columns)
    second_rows, second_columns = np.diff(identity_rows, 2, axis=0), np.diff(identity_columns, 2, axis=0)
    first_rows, first_columns = np.diff(identity_rows, axis=0), np.diff(identity_columns, axis=0)
    along = np.kron(identity_rows, second_columns.T @ second_columns)
    down = np.kron(second_rows.T @ second_rows, identity_columns)
    twist = np.kron(first_rows.T @ first_rows, first_columns.T @ first_columns)
    return along + down + 2 * twist
