"""A person's crop of one character to ink: what shading, shadows and remnants of a box's border are is left out."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

_PAPER_GRID = 16
_PAPER_ROUNDS = 5
_INK_WEIGHT = 0.03
_MIN_CONTRAST = 14.0
"""Grey levels between paper and ink under which a crop counts as blank: below it is what JPEG and paper grain make."""

_NOISE_SHARE = 0.4
"""Of the threshold between paper and ink: up to there, darkness is grain of the paper."""

_SHADOW_SHARE = 0.3
"""A dark square of this share of the crop's longer side is no stroke: a shadow with a hard edge lies on the paper."""
_SHADOW_LEVEL = 0.75
"""Of the darkness of ink: what is broad and darker than this is a broad stroke."""
_MOST = 0.9
"""Of the black of strokes: what takes more off has eaten strokes."""
_RIM_SHARE = 0.1
"""Of a side: how far in from the rim of the crop a remnant of the border of a box may reach."""
_RIM_LENGTH = 0.6
"""Of a side: how long such a remnant is at least."""


def ink_from_crop(crop: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Turn dark writing on light, possibly shaded paper into an ink map.

    The paper is taken to be a plane, or, where a shadow with a hard edge falls on it, the upper envelope of the crop.
    A line along the rim, clear of the writing, is a remnant of a box and left out.

    Args:
        crop: one character with some paper around it, any size.

    Returns:
        Ink, 0 to 1; all zero where the crop holds no contrast.
    """
    if min(crop.shape) == 0:
        return np.zeros(crop.shape, np.float32)
    darkness = _below(_paper_plane(crop), crop)
    if darkness.max() < _MIN_CONTRAST:
        return np.zeros(crop.shape, np.float32)
    ink, mask = _ink(darkness)
    level = _envelope(crop)
    even = _below(level, crop) * (level.max() / np.maximum(level, 1))
    even_ink, even_mask = _ink(even)
    if _has_shadow(darkness, ink) or _is_cleaner(even_ink, ink):
        ink, mask = even_ink, even_mask
    ink[_rim_lines(mask)] = 0
    return ink


def _ink(darkness: Float32[np.ndarray, "h w"]) -> tuple[Float32[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Return ink, and 1 where it is dark."""
    threshold, mask = cv2.threshold(
        np.minimum(darkness, 255).astype(np.uint8), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    ink_level = float(cv2.mean(darkness, mask)[0])
    if ink_level < _MIN_CONTRAST:
        return np.zeros(darkness.shape, np.float32), np.zeros(darkness.shape, np.uint8)
    noise_level = _NOISE_SHARE * threshold
    ink = np.clip((darkness - noise_level) / max(ink_level - noise_level, 1.0), 0, 1, dtype=np.float32)
    return ink, np.asarray(mask, np.uint8)


def _is_cleaner(ink: Float32[np.ndarray, "h w"], other: Float32[np.ndarray, "h w"]) -> bool:
    """Whether an ink map holds as much black as another, and much less grey: what a soft shadow leaves."""
    black, other_black = np.count_nonzero(ink >= 0.5), np.count_nonzero(other >= 0.5)
    grey, other_grey = (np.count_nonzero((x > 0.05) & (x < 0.5)) for x in (ink, other))
    return bool(black >= _MOST * other_black and grey < 0.5 * other_grey)


def _below(level: Float32[np.ndarray, "h w"], crop: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    return np.maximum(level - crop.astype(np.float32), 0)


def _has_shadow(darkness: Float32[np.ndarray, "h w"], ink: Float32[np.ndarray, "h w"]) -> bool:
    """Whether something is broader than strokes are, and lighter than ink."""
    side_px = max(3, round(_SHADOW_SHARE * max(ink.shape)))
    if min(ink.shape) < side_px:
        return False
    mask = (ink > 0).astype(np.uint8)
    square = np.ones((side_px, side_px), np.uint8)
    broad = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    return bool(broad.any()) and float(np.median(darkness[broad])) < _SHADOW_LEVEL * float(np.percentile(darkness, 98))


def _envelope(crop: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """How bright the paper is by the brightest around (grey closing), which keeps the edge of a shadow where it is."""
    side_px = round(_SHADOW_SHARE * max(crop.shape)) | 1
    smooth = cv2.GaussianBlur(crop, (3, 3), 0)
    closed = cv2.morphologyEx(
        smooth, cv2.MORPH_CLOSE, np.ones((side_px, side_px), np.uint8), borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(closed, np.float32)


def _rim_lines(mask: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return where lines along the rim are: long, apart from the writing and clear of it."""
    height, width = mask.shape
    rim_x, rim_y = max(2, round(_RIM_SHARE * width)), max(2, round(_RIM_SHARE * height))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    inner = np.bincount(labels[rim_y : height - rim_y, rim_x : width - rim_x].ravel(), minlength=count) > 0
    inner[0] = False
    if not inner.any():
        return np.zeros(mask.shape, bool)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    across, down = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    right, bottom = left + across, top + down
    written = left[inner].min(), top[inner].min(), right[inner].max(), bottom[inner].max()
    long = (across >= _RIM_LENGTH * width) | (down >= _RIM_LENGTH * height)
    # The top bar of a T that its stem does not touch lies on the stem; the border of a box lies beside it, or around.
    beside = (right + rim_x // 2 < written[0]) | (left > written[2] + rim_x // 2)
    beside |= (bottom + rim_y // 2 < written[1]) | (top > written[3] + rim_y // 2)
    around = (across > written[2] - written[0]) & (down > written[3] - written[1])
    lines = ~inner & long & (beside | around)
    lines[0] = False
    return np.asarray(lines[labels], bool)


def _paper_plane(crop: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Fit a plane to the bright side of the crop by asymmetric least squares (expectile regression).

    A plane, since a freer surface would follow a thick stroke along the border of a tight crop.
    """
    height, width = crop.shape
    grid = (min(width, _PAPER_GRID), min(height, _PAPER_GRID))
    levels = cv2.resize(crop, grid, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
    down, across = np.mgrid[-1 : 1 : grid[1] * 1j, -1 : 1 : grid[0] * 1j]
    basis = np.stack([np.ones(levels.size), across.ravel(), down.ravel()], axis=1)
    plane = np.array([np.percentile(levels, 90), 0.0, 0.0])
    for _ in range(_PAPER_ROUNDS):
        weighted = basis * np.where(levels >= basis @ plane, 1.0, _INK_WEIGHT)[:, None]
        # The small ridge keeps a crop of one row or column solvable.
        plane = np.linalg.solve(weighted.T @ basis + 1e-6 * np.eye(3), weighted.T @ levels)
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    return (plane[0] + plane[1] * x[None, :] + plane[2] * y[:, None]).astype(np.float32)
