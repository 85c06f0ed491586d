"""What is left of a page when the paper, the rules and the blank form's printing are taken away: the writing."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from hwtranscribe.imaging.paper import noise_and_stroke, normalise_ink
from hwtranscribe.imaging.rules import Rules, erase_all_rules, erase_rules, find_rules

PRINTED = 48
"""Darkness from which on the blank form counts as printed."""


def rule_limits(long_side_px: int) -> tuple[int, int]:
    """Return the shortest length and the largest thickness of a rule, px: 12 mm and 1 mm of an A4 page."""
    return max(50, round(long_side_px / 25)), max(3, round(long_side_px / 300))


def ink_without_blank(dark: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Return the ink of a page of which no blank form is known.

    Args:
        dark: From `imaging.paper.darkness`.
    """
    noise, stroke = noise_and_stroke(dark)
    threshold = round(max(noise, 0.3 * stroke))
    length_px, thickness_px = rule_limits(max(dark.shape))
    return settle(erase_all_rules(dark, threshold, length_px, thickness_px), dark)


def ink_with_blank(
    dark: UInt8[np.ndarray, "height width"], printing: UInt8[np.ndarray, "height width"], reach_px: int
) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Return the ink of a page without its blank form's printing, and where that printing is.

    Args:
        dark: Darkness of the aligned scan.
        printing: Darkness of the blank form in the same frame.
        reach_px: How far scanned printing may lie beside or grow over the blank form's.
    """
    noise, stroke = noise_and_stroke(dark)
    threshold = round(max(noise, 0.3 * stroke))
    printed = (printing > PRINTED).astype(np.uint8)
    length_px, thickness_px = rule_limits(max(dark.shape))
    ruled = np.zeros_like(printed)
    left = dark
    for _ in range(2):
        rules = find_rules(np.ascontiguousarray(printed), length_px // 3, thickness_px)
        binary = (left > threshold).astype(np.uint8)
        band = cv2.dilate(rules.mask.astype(np.uint8), np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8))
        here = Rules(cv2.bitwise_and(band, binary).astype(bool), rules.thickness_px + reach_px)
        left = erase_rules(left, binary, here, slack_px=1)
        ruled |= rules.mask.astype(np.uint8)
        left, ruled, printed = (np.ascontiguousarray(picture.T) for picture in (left, ruled, printed))
    solid = cv2.subtract(printed, ruled)
    grown = cv2.dilate(solid, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8))
    left = np.where(grown.astype(bool), 0, left).astype(np.uint8)
    mask = cv2.dilate(printed, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)).astype(bool)
    return settle(left, left), mask


def settle(
    left: UInt8[np.ndarray, "height width"], reference: UInt8[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width"]:
    """Return normalised ink without specks and without what is nowhere dark.

    Args:
        left: Darkness of what may be writing.
        reference: Darkness that the levels are taken from.
    """
    ink = normalise_ink(left)
    binary = (ink > 40).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    if count <= 1:
        return np.zeros_like(ink)
    peak = np.zeros(count, np.uint8)
    ys, xs = np.nonzero(ink > 160)
    peak[labels[ys, xs]] = 1
    speck_px = (max(ink.shape) / 1800) ** 2 * 3
    peak[stats[:, cv2.CC_STAT_AREA] < speck_px] = 0
    peak[0] = 1
    return np.where(peak[labels] == 1, ink, 0).astype(np.uint8)
