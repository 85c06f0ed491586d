"""Point features of a page at reduced scale, and the transform that brings one page's onto another's."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from hwtranscribe.imaging.geometry import project
from hwtranscribe.imaging.paper import darkness, full_contrast, reduced

COARSE_PX, COARSE_COUNT = 1100, 1200
"""Long side of the picture features are taken from at first, about 95 dpi for A4, and how many are."""

FINE_PX, FINE_COUNT = 1750, 3000
"""The same where that is not enough: pages that are cut off, or small ones side by side."""
RATIO = 0.85
"""A match counts when it is this much nearer than the second nearest (Lowe 2004)."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Corners of a page with their descriptions (ORB, Rublee et al. 2011).

    Attributes:
        points: x, y in px of the page as given.
        descriptors: 256 bits each.
    """

    points: Float32[np.ndarray, "n 2"]
    descriptors: UInt8[np.ndarray, "n 32"]


def page_features(pixels: UInt8[np.ndarray, "height width"], fine: bool = False, pale: bool = False) -> Features:
    """Return the features of a page.

    Args:
        pixels: Grey, 255 paper.
        fine: Whether more of them, at a finer scale.
        pale: Whether the print on it is far paler than the writing.
    """
    height, width = pixels.shape
    size_px, count = (FINE_PX, FINE_COUNT) if fine else (COARSE_PX, COARSE_COUNT)
    factor = min(1.0, size_px / max(height, width))
    # Blurred darkness looks alike for a grey scan, a bilevel one and a clean drawing.
    dark = cv2.GaussianBlur(full_contrast(darkness(reduced(pixels, factor)), pale), (0, 0), 1.2)
    dark = cv2.convertScaleAbs(dark, alpha=1.5)
    orb = cv2.ORB.create(nfeatures=count, scaleFactor=1.2, nlevels=8, fastThreshold=10)
    keypoints, descriptors = orb.detectAndCompute(dark, None)
    if descriptors is None:
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8))
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return Features(((points + 0.5) / factor - 0.5).astype(np.float32), descriptors)


def match_features(
    reference: Features, page: Features, tolerance_px: float
) -> tuple[Float64[np.ndarray, "3 3"], int] | None:
    """Return the homography from reference px to page px and the number of matches that agree with it.

    Args:
        reference: Of the blank form.
        page: Of the scan.
        tolerance_px: How far a match may lie off, px of the page.

    Returns:
        None when too few matches agree, or the transform is no way paper can lie.
    """
    if min(len(reference.points), len(page.points)) < 8:
        return None
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    # Not the other way about: the form may be there more than once, and many of its corners may be on nothing there.
    pairs = matcher.knnMatch(page.descriptors, reference.descriptors, k=2)
    good = [first for first, second in pairs if first.distance < RATIO * second.distance]
    if len(good) < 8:
        return None
    source = reference.points[[match.trainIdx for match in good]]
    target = page.points[[match.queryIdx for match in good]]
    cv2.setRNGSeed(0)
    affine, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=2 * tolerance_px, maxIters=5000, confidence=0.999
    )
    if affine is None or inliers.sum() < 8:
        return None
    transform = np.vstack([affine, [0.0, 0.0, 1.0]])
    count = int(inliers.sum())
    near = np.linalg.norm(project(transform, source) - target, axis=1) < 8 * tolerance_px
    if near.sum() >= 20:
        cv2.setRNGSeed(0)
        bent, agreeing = cv2.findHomography(source[near], target[near], cv2.RANSAC, tolerance_px)
        if bent is not None and plausible(bent, source) and agreeing.sum() >= count:
            transform, count = bent, int(agreeing.sum())
    return (transform, count) if plausible(transform, source) else None


def plausible(transform: Float64[np.ndarray, "3 3"], points: Float32[np.ndarray, "n 2"]) -> bool:
    """Return whether a flat form can lie so in front of a scanner or camera: not mirrored, torn or squeezed."""
    low, high = points.min(axis=0), points.max(axis=0)
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]], np.float64)
    depth = np.column_stack([corners, np.ones(4)]) @ transform[2]
    if (depth <= 0).any() or depth.max() > 1.6 * depth.min():
        return False
    moved = project(transform, corners)
    if not cv2.isContourConvex(moved.astype(np.float32)):
        return False
    linear = np.linalg.lstsq(np.column_stack([corners, np.ones(4)]), moved, rcond=None)[0][:2]
    values = np.linalg.svd(linear, compute_uv=False)
    return bool(np.linalg.det(linear) > 0 and values[1] > 0 and values[0] / values[1] < 1.6)
