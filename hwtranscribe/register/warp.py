"""Fine registration: follow printed corners, fit a homography, and bend what the homography can't.

Scanned paper differs from its blank by more than a homography: rollers stretch it, the lid presses it unevenly. What
is left after the homography is a smooth field, fitted on a coarse grid with a penalty on its curvature.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from hwtranscribe.imaging.geometry import scaling
from hwtranscribe.imaging.masks import above, widened
from hwtranscribe.imaging.paper import full_contrast, shrunk
from hwtranscribe.register.bend import fit_bend, warp_picture
from hwtranscribe.register.features import plausible
from hwtranscribe.register.reference import Reference

TILE_ROWS, TILE_COLUMNS = 12, 8
"""Whether the printing was found is noted for so many parts of the page."""

LEAST_PRINTED_PX = 60
"""A tile with less printing may hold no more than the dust on the blank form's scan, px of the track picture."""

PRINTED = 80
"""Darkness from which on the blank form's track picture counts as printed."""

BESIDE_PX = 4
"""How far around it printing is compared, px of the track picture."""

GRID_PX = 125
"""Distance of the nodes of the bending field, px of the track picture."""

LEAST_POINTS = 12
"""Fewer printed corners say nothing about where a form lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """Where the template lies on the scan.

    Attributes:
        page_from_template: Homography, template px to page px.
        bend: Shift in px of the template that is added to a template point before the homography, on a grid that
            spans the page evenly.
        residual_px: Median distance of the printed corners after the warp, px of the template.
        matched: Share of the printed corners that were found.
        missing: Tiles of the template in which hardly any printed corner was found.
    """

    page_from_template: Float64[np.ndarray, "3 3"]
    bend: Float32[np.ndarray, "rows columns 2"]
    residual_px: float
    matched: float
    missing: Bool[np.ndarray, "tile_rows tile_columns"]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A scan beside a blank form, at a scale at which points are followed.

    Attributes:
        reference: Picture of the blank form.
        template_scale: px of it per px of the template.
        points: Printed corners, px of it.
        dark: Darkness of the scan.
        page_scale: px of `dark` per px of the page.
    """

    reference: UInt8[np.ndarray, "height width"]
    template_scale: float
    points: Float32[np.ndarray, "n 2"]
    dark: UInt8[np.ndarray, "dark_height dark_width"]
    page_scale: float

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the blank form's picture, px."""
        height, width = self.reference.shape
        return width, height

    def warped(
        self, page_from_template: Float64[np.ndarray, "3 3"], bend: Float32[np.ndarray, "rows columns 2"]
    ) -> UInt8[np.ndarray, "height width"]:
        """The scan in the frame of the blank form's picture, blurred as that is."""
        dark_from_sight = scaling(self.page_scale) @ page_from_template @ np.linalg.inv(scaling(self.template_scale))
        picture = warp_picture(self.dark, dark_from_sight, bend * self.template_scale, self.size)
        return cv2.GaussianBlur(picture, (0, 0), 1.2)


def sights(
    reference: Reference, dark: UInt8[np.ndarray, "height width"], dark_scale: float, pale: bool = False
) -> tuple[Sight, Sight]:
    """Return a scan beside a blank form, coarse and fine.

    Args:
        reference: With a blank form.
        dark: Darkness of the scan, possibly at reduced scale.
        dark_scale: px of `dark` per px of the page.
        pale: Whether the print on it is far paler than the writing.
    """
    assert reference.track is not None and reference.track_points is not None and reference.coarse is not None
    dark = full_contrast(dark, pale)
    fine = Sight(reference.track, reference.track_scale, reference.track_points, dark, dark_scale)
    factor = reference.coarse_factor
    if factor == 1:
        return fine, fine
    points = (reference.track_points + 0.5) / factor - 0.5
    coarse = Sight(reference.coarse, reference.track_scale / factor, points, shrunk(dark, factor), dark_scale / factor)
    return coarse, fine


def lay(
    sight: Sight, page_from_template: Float64[np.ndarray, "3 3"]
) -> tuple[Float64[np.ndarray, "3 3"] | None, float]:
    """Return the homography that most printed corners agree with, and their share.

    Args:
        sight: Coarse.
        page_from_template: A guess, right to about 2 % of the page.
    """
    warped = sight.warped(page_from_template, np.zeros((2, 2, 2), np.float32))
    found, good = follow(sight.reference, warped, sight.points, wide=True)
    if good.sum() < LEAST_POINTS:
        return None, 0.0
    update, inliers = fit_homography(sight.points[good], found[good])
    if update is None:
        return None, 0.0
    template = scaling(sight.template_scale)
    return page_from_template @ np.linalg.inv(template) @ update @ template, float(good.mean() * inliers.mean())


def refine(coarse: Sight, fine: Sight, page_from_template: Float64[np.ndarray, "3 3"]) -> Warp:
    """Return the warp that brings the printed corners of the blank form onto the scan.

    Args:
        coarse: Where most of the bend is found.
        fine: Where the rest is, and what is left over.
        page_from_template: From `lay`.
    """
    width, height = fine.size
    columns, rows = max(3, round(width / GRID_PX)), max(3, round(height / GRID_PX))
    bend = np.zeros((rows, columns, 2), np.float32)
    residual_px, matched = np.inf, 0.0
    kept = np.zeros(len(fine.points), bool)
    for sight in (coarse, fine):
        warped = sight.warped(page_from_template, bend)
        found, good = follow(sight.reference, warped, sight.points, wide=False)
        shift = found - sight.points
        kept = good & ~outlying(sight.points, shift, good)
        matched = float(kept.mean()) if len(kept) else 0.0
        if kept.sum() < LEAST_POINTS:
            break
        residual_px = float(np.median(np.linalg.norm(shift[kept], axis=1))) / sight.template_scale
        update = fit_bend(sight.points[kept], shift[kept], sight.size, (rows, columns))
        bend += update / np.float32(sight.template_scale)
    missing = missing_tiles(sight.reference, warped, sight.points, kept)
    return Warp(page_from_template, bend, residual_px, matched, missing)


def missing_tiles(
    reference: UInt8[np.ndarray, "height width"],
    warped: UInt8[np.ndarray, "height width"],
    points: Float32[np.ndarray, "n 2"],
    kept: Bool[np.ndarray, " n"],
) -> Bool[np.ndarray, "tile_rows tile_columns"]:
    """Return the tiles of a page where hardly any of several points was found and that don't look alike either.

    Args:
        reference: Track picture of the blank.
        warped: The scan in the same frame.
        points: px.
        kept: Which of them were found.
    """
    height, width = reference.shape
    result = np.zeros((TILE_ROWS, TILE_COLUMNS), bool)
    across, down = points[:, 0] / width * TILE_COLUMNS, points[:, 1] / height * TILE_ROWS
    for row in range(TILE_ROWS):
        for column in range(TILE_COLUMNS):
            near = (np.abs(across - column - 0.5) < 0.6) & (np.abs(down - row - 0.5) < 0.6)
            if near.sum() < 4 or kept[near].mean() >= 0.15:
                continue
            tile = (
                slice(height * row // TILE_ROWS, height * (row + 1) // TILE_ROWS),
                slice(width * column // TILE_COLUMNS, width * (column + 1) // TILE_COLUMNS),
            )
            printed = above(reference[tile], PRINTED)
            if printed.sum() < LEAST_PRINTED_PX:
                continue
            # Printing is looked for where it should be: what is written beside it is no sign that it is not there.
            beside = widened(printed, BESIDE_PX) > 0
            one, other = (picture[tile][beside].astype(np.float32) for picture in (reference, warped))
            one, other = one - one.mean(), other - other.mean()
            likeness = float((one * other).sum()) / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-3)
            result[row, column] = likeness < 0.35
    return result


def follow(
    reference: UInt8[np.ndarray, "height width"],
    warped: UInt8[np.ndarray, "height width"],
    points: Float32[np.ndarray, "n 2"],
    wide: bool,
) -> tuple[Float32[np.ndarray, "n 2"], Bool[np.ndarray, " n"]]:
    """Return where points of the reference are on the warped scan, and which were found there and back again.

    Args:
        reference: Track picture of the blank.
        warped: The scan in the same frame.
        points: px.
        wide: Whether shifts of more than a few px are expected.
    """
    levels = 3 if wide else 1
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.1 if wide else 0.03)

    def track(source: np.ndarray, target: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        end, status, _ = cv2.calcOpticalFlowPyrLK(
            source, target, start, np.empty_like(start), winSize=(21, 21), maxLevel=levels, criteria=until
        )
        return end, status.ravel() == 1

    found, seen = track(reference, warped, points.reshape(-1, 1, 2))
    back, returned = track(warped, reference, found)
    found, back = found.reshape(-1, 2), back.reshape(-1, 2)
    good = seen & returned & (np.linalg.norm(back - points, axis=1) < 0.7)
    good &= alike(reference, warped, points, found)
    return found, good


def alike(
    reference: UInt8[np.ndarray, "height width"],
    warped: UInt8[np.ndarray, "height width"],
    points: Float32[np.ndarray, "n 2"],
    found: Float32[np.ndarray, "n 2"],
) -> Bool[np.ndarray, " n"]:
    """Return where the surroundings of a point look the same in both pictures (correlation above 0.6)."""
    radius = 8
    offsets = np.arange(-radius, radius + 1, dtype=np.float32)
    offset_x, offset_y = np.tile(offsets, len(offsets)), np.repeat(offsets, len(offsets))

    def patches(picture: np.ndarray, centres: np.ndarray) -> np.ndarray:
        x = (centres[:, :1] + offset_x).astype(np.float32)
        y = (centres[:, 1:] + offset_y).astype(np.float32)
        patch = cv2.remap(picture, x, y, cv2.INTER_LINEAR).astype(np.float32)
        patch -= patch.mean(axis=1, keepdims=True)
        return patch / np.maximum(np.linalg.norm(patch, axis=1, keepdims=True), 1e-3)

    return (patches(reference, points) * patches(warped, found)).sum(axis=1) > 0.6


def fit_homography(
    source: Float32[np.ndarray, "n 2"], target: Float32[np.ndarray, "n 2"]
) -> tuple[Float64[np.ndarray, "3 3"] | None, Bool[np.ndarray, " n"]]:
    """Return the homography most points agree with (within 3 px) and which they are."""
    cv2.setRNGSeed(0)
    transform, inliers = cv2.findHomography(source, target, cv2.RANSAC, 3.0, maxIters=2000, confidence=0.999)
    if transform is None or not plausible(transform, source):
        return None, np.zeros(len(source), bool)
    return transform, inliers.ravel().astype(bool)


def outlying(
    points: Float32[np.ndarray, "n 2"], shift: Float32[np.ndarray, "n 2"], good: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Return which shifts differ from the median of their eight nearest neighbours by more than 1.5 px."""
    result = np.ones(len(points), bool)
    places = points[good]
    if len(places) < 12:
        return result
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    near = np.argpartition(distance, 9, axis=1)[:, :9]
    median = np.median(shift[good][near], axis=1)
    result[good] = np.linalg.norm(shift[good] - median, axis=1) > 1.5
    return result
