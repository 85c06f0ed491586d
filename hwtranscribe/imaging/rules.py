"""Ruled lines: finding them, and taking them off the page without eating the strokes that cross them.

A rule is long, straight and thin. Across it, the run of dark px is as thick as the rule; where a stroke crosses or
touches, the run is longer and is kept whole, so the stroke stays in one piece (run-length line removal, as in
leptonica's line removal and Yu & Jain 1996).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Rules of one direction.

    Attributes:
        mask: True on the rules.
        thickness_px: Their usual thickness.
    """

    mask: Bool[np.ndarray, "height width"]
    thickness_px: int


def find_rules(
    binary: UInt8[np.ndarray, "height width"],
    length_px: int,
    thickness_px: int,
    gap_px: int = 3,
) -> Rules:
    """Return the horizontal rules of a picture; for vertical ones pass the picture transposed.

    Args:
        binary: 1 where dark.
        length_px: Shortest rule.
        thickness_px: Thickest rule.
        gap_px: Gaps that are bridged: dots, scanning noise.
    """
    # Rules that climb a px now and then are joined by the vertical closing, dots by the horizontal one.
    joined = cv2.morphologyEx(binary, cv2.MORPH_CLOSE, np.ones((1, gap_px), np.uint8))
    joined = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    long = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((1, length_px), np.uint8))
    thick = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((thickness_px + 3, 1), np.uint8))
    if thick.any():
        # Only what is thick over a length is no rule; strokes cross rules all the time.
        solid = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length_px // 2), np.uint8))
        long = cv2.subtract(long, cv2.dilate(solid, np.ones((5, 5), np.uint8)))
        long = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((1, length_px // 2), np.uint8))
    mask = cv2.bitwise_and(long, binary)
    if not mask.any():
        return Rules(mask.astype(bool), 0)
    columns_dark = cv2.bitwise_and(mask, cv2.subtract(mask, np.vstack([np.zeros_like(mask[:1]), mask[:-1]])))
    starts = int(columns_dark.sum())
    thickness = max(1, round(float(mask.sum()) / max(starts, 1)))
    return Rules(mask.astype(bool), min(thickness, thickness_px))


def erase_rules(
    dark: UInt8[np.ndarray, "height width"],
    binary: UInt8[np.ndarray, "height width"],
    rules: Rules,
    slack_px: int = 1,
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without horizontal rules; what crosses them stays.

    Args:
        dark: Soft picture.
        binary: 1 where dark.
        rules: From `find_rules`.
        slack_px: How much thicker than usual a rule may be before it counts as crossed.
    """
    if not rules.mask.any():
        return dark
    reach = rules.thickness_px + slack_px
    crossing = cv2.morphologyEx(binary, cv2.MORPH_OPEN, np.ones((reach + 1, 1), np.uint8))
    band = cv2.dilate(rules.mask.astype(np.uint8), np.ones((2 * slack_px + 3, 3), np.uint8))
    # A run counts as crossing only where it leaves the band: noise thickens rules too.
    leaving = cv2.bitwise_and(crossing, cv2.bitwise_not(band * 255) // 255)
    near = cv2.dilate(leaving, np.ones((2 * (reach + slack_px) + 3, 3), np.uint8))
    kept = cv2.bitwise_and(crossing, near)
    gone = cv2.bitwise_and(band, 1 - cv2.dilate(kept, np.ones((1, 3), np.uint8)))
    return np.where(gone.astype(bool), 0, dark).astype(np.uint8)


def erase_all_rules(
    dark: UInt8[np.ndarray, "height width"], threshold: int, length_px: int, thickness_px: int
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without horizontal and vertical rules.

    Args:
        dark: Soft picture.
        threshold: From which darkness on a px counts as dark.
        length_px: Shortest rule.
        thickness_px: Thickest rule.
    """
    for _ in range(2):
        binary = (dark > threshold).astype(np.uint8)
        rules = find_rules(binary, length_px, thickness_px)
        dark = np.ascontiguousarray(erase_rules(dark, binary, rules).T)
    return dark
