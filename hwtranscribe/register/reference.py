"""What is computed once of a template page: its printing and its features."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.imaging.paper import darkness, full_contrast, shrunk, without_surroundings
from hwtranscribe.register.features import Features, page_features
from hwtranscribe.types import Box

TRACK_SIZE_PX = 1750
"""Long side of the picture that points are followed in: about 150 dpi for A4."""

TRACK_COUNT = 700

COARSE_FROM_PX = 1400
"""Long side of that picture from which points are first followed at half its scale."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A template page, ready to be found in scans.

    Attributes:
        size: Width and height of the template page, px.
        printing: Darkness of the blank form's printing at that size, or None without a blank form.
        features: For finding the form at any angle and scale, in px of the template; None without a blank form.
        fine_features: More of them.
        track: Blurred printing at reduced scale, in which points are followed.
        track_scale: px of `track` per px of the template.
        coarse: `track` at `coarse_factor` to one.
        coarse_factor: px of `track` per px of `coarse`.
        track_points: Corners of the printing that show a shift in both directions, in px of `track`.
        boxes: Of the fields, px of the template; they help to find a page that has no blank form, and of others they
            tell what part of it has to be cleaned.
        writing_height_px: Usual height of the fields that are written in; infinite where there are none.
    """

    size: tuple[int, int]
    printing: UInt8[np.ndarray, "height width"] | None
    features: Features | None
    fine_features: Features | None
    track: UInt8[np.ndarray, "track_height track_width"] | None
    track_scale: float
    coarse: UInt8[np.ndarray, "coarse_height coarse_width"] | None
    coarse_factor: int
    track_points: Float32[np.ndarray, "n 2"] | None
    boxes: tuple[Box, ...] = ()
    writing_height_px: float = np.inf


def prepare_reference(
    pixels: UInt8[np.ndarray, "height width"] | None,
    size: tuple[int, int],
    boxes: Sequence[Box] = (),
    writing_height_px: float = np.inf,
) -> Reference:
    """Return a template page ready for `align`.

    Args:
        pixels: The blank form, grey, any resolution; None when there is no blank form.
        size: Width and height of the template page, px: the frame of its boxes.
        boxes: Of the fields, px. Without a blank form, pages are laid so that the frames ruled on them fit; with one,
            ink is looked for around them, or on the whole page when there are none.
        writing_height_px: Usual height of those that are written in: it tells how much blur a scan may have.
    """
    if pixels is None:
        return Reference(size, None, None, None, None, 1.0, None, 1, None, tuple(boxes), writing_height_px)
    if (pixels.shape[1], pixels.shape[0]) != size:
        shrinks = pixels.shape[0] > size[1]
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    pixels = without_surroundings(pixels)
    printing = darkness(pixels)
    track_scale = min(1.0, TRACK_SIZE_PX / max(size))
    track = blurred_for_tracking(full_contrast(printing), track_scale)
    coarse_factor = 2 if max(track.shape) >= COARSE_FROM_PX else 1
    coarse = shrunk(track, coarse_factor)
    points = spread_corners(track)
    return Reference(
        size=size,
        printing=printing,
        features=page_features(pixels),
        fine_features=page_features(pixels, fine=True),
        track=track,
        track_scale=track_scale,
        coarse=coarse,
        coarse_factor=coarse_factor,
        track_points=points,
        boxes=tuple(boxes),
        writing_height_px=writing_height_px,
    )


def blurred_for_tracking(
    dark: UInt8[np.ndarray, "height width"], scale: float
) -> UInt8[np.ndarray, "track_height track_width"]:
    """Return darkness at reduced scale, blurred so that thin lines keep a slope to follow."""
    if scale < 1:
        dark = cv2.resize(dark, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(dark, (0, 0), 1.5)


def spread_corners(track: UInt8[np.ndarray, "height width"]) -> Float32[np.ndarray, "n 2"]:
    """Return corners spread over the page: the best of every part, so that no dense paragraph takes them all."""
    height, width = track.shape
    strength = cv2.cornerMinEigenVal(track.astype(np.float32) / 255, 9)
    tile_px = max(12, round(np.sqrt(height * width / TRACK_COUNT)))
    floor = 0.02 * float(np.percentile(strength, 99.5))
    margin = 8
    points = []
    for top in range(margin, height - margin, tile_px):
        for left in range(margin, width - margin, tile_px):
            tile = strength[top : min(top + tile_px, height - margin), left : min(left + tile_px, width - margin)]
            _, best, _, (x, y) = cv2.minMaxLoc(tile)
            if best > floor:
                points.append((left + x, top + y))
    return np.array(points, np.float32).reshape(-1, 2)
