"""What is left of a page when the paper, the rules and the blank form's printing are taken away: the writing."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from hwtranscribe.imaging.paper import noise_and_stroke, normalise_ink
from hwtranscribe.imaging.rules import erase_rules, find_rules, follow_rules

PRINTED = 40
"""Darkness from which on the blank form counts as printed."""

OVERWRITTEN = 0.6
"""Printing lighter than this share of a pen stroke (hints such as D D M M) can be told from writing upon it."""


TONE_STEP = 16
"""Tones of printing that differ by less are taken as one."""


PALE = 0.65
"""Printing paler than this share of the darkest is a hint to be written over."""


CROSSING = 0.45
"""A stroke meets a rule when there is this share of a stroke's darkness between them, not just the blur of both."""


def rule_limits(long_side_px: int) -> tuple[int, int]:
    """Return the shortest length and the largest thickness of a rule, px: 12 mm and 1 mm of an A4 page."""
    return max(50, round(long_side_px / 25)), max(3, round(long_side_px / 300))


def ink_without_blank(dark: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Return the ink of a page of which no blank form is known.

    Args:
        dark: From `imaging.paper.darkness`.
    """
    noise, stroke = noise_and_stroke(dark)
    binary = (dark > max(noise, 0.3 * stroke)).astype(np.uint8)
    rules = find_rules(binary, *rule_limits(max(dark.shape)))
    return settle(erase_rules(dark, (dark > max(noise, CROSSING * stroke)).astype(np.uint8), rules))


def ink_with_blank(
    dark: UInt8[np.ndarray, "height width"], printing: UInt8[np.ndarray, "height width"], reach_px: int
) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Return the ink of a page without its blank form's printing, and where that printing is.

    Rules go by run lengths; other printing goes whole, except where the scan is far darker than the printing can be.
    Strokes that it cut in two are joined again.

    Args:
        dark: Darkness of the aligned scan.
        printing: Darkness of the blank form in the same frame.
        reach_px: How far scanned printing may lie beside or grow over the blank form's.
    """
    printed = (printing > PRINTED).astype(np.uint8)
    mask = widened(printed, reach_px)
    noise, stroke = noise_and_stroke(np.where(mask > 0, 0, dark).astype(np.uint8))
    threshold = max(noise, 0.3 * stroke)
    length_px, thickness_px = rule_limits(max(dark.shape))
    printed_rules = find_rules((printing > 2 * PRINTED).astype(np.uint8), length_px, thickness_px)
    horizontal, upright = (follow_rules(one, dark, 3 * reach_px, CROSSING * stroke) for one in printed_rules)
    rules = horizontal, upright
    on_rule = cv2.dilate((printed_rules[0].mask | printed_rules[1].mask).astype(np.uint8), np.ones((3, 3), np.uint8))
    solid = cv2.bitwise_and(printed, 1 - on_rule)
    left = erase_rules(dark, (dark > max(noise, CROSSING * stroke)).astype(np.uint8), rules, reach_px)
    left, light = without_solid(left, printing, solid, stroke, noise, reach_px)
    left = without_slivers(left, cv2.bitwise_and(mask, 1 - light), threshold, reach_px)
    left = joined(left, dark, solid, threshold, reach_px)
    return settle(left), mask.astype(bool)


def widened(binary: UInt8[np.ndarray, "height width"], by_px: int) -> UInt8[np.ndarray, "height width"]:
    """Return a mask grown by some px on all sides."""
    return cv2.dilate(binary, np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8))


def without_solid(
    dark: UInt8[np.ndarray, "height width"],
    printing: UInt8[np.ndarray, "height width"],
    solid: UInt8[np.ndarray, "height width"],
    stroke: float,
    noise: float,
    reach_px: int,
) -> tuple[UInt8[np.ndarray, "height width"], UInt8[np.ndarray, "height width"]]:
    """Return darkness without printed text and areas, and where they are so light that writing shows upon them.

    Light printing is subtracted as a level: what is clearly darker stays. Dark printing goes whole.

    Args:
        dark: Darkness of the scan.
        printing: Darkness of the blank form.
        solid: 1 where there is such printing.
        stroke: Darkness of pen strokes.
        noise: Darkness of the ground.
        reach_px: How far the printing may be off.
    """
    kernel = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    expected = cv2.dilate(scanned_printing(dark, printing, solid, kernel), kernel)
    mask = cv2.dilate(solid, kernel) > 0
    light = mask & (expected < OVERWRITTEN * stroke)
    # From the expected level (with a margin for noise) up to a pen's, darkness fades in.
    floor = expected.astype(np.float32) * 1.15 + 0.5 * noise
    gain = np.clip((dark - floor) / np.maximum(0.5 * (stroke - floor), 16), 0, 1)
    kept = np.where(light, dark * gain, 0)
    return np.where(mask, kept, dark).astype(np.uint8), light.astype(np.uint8)


def scanned_printing(
    dark: UInt8[np.ndarray, "height width"],
    printing: UInt8[np.ndarray, "height width"],
    solid: UInt8[np.ndarray, "height width"],
    kernel: UInt8[np.ndarray, "size size"],
) -> UInt8[np.ndarray, "height width"]:
    """Return how dark every printed thing should be in the scan, on its px; 0 elsewhere.

    Each connected piece of printing has one tone on the blank form, that of its darkest px: thin lines are pale where
    they fall between two rows. How dark a tone is scanned is taken from all the pieces that have it; since pens
    write over hints, for pale ones from the lower quarter of what is found there.

    Args:
        dark: Darkness of the scan.
        printing: Darkness of the blank form.
        solid: 1 where there is such printing.
        kernel: Surroundings in which the scanned stroke is looked for.
    """
    count, labels = cv2.connectedComponents(solid, connectivity=8)
    ys, xs = np.nonzero(labels)
    if not len(ys):
        return np.zeros_like(solid)
    owner, levels = labels[ys, xs], 256 // TONE_STEP
    found = np.bincount(owner * levels + printing[ys, xs] // TONE_STEP, minlength=count * levels)
    below = np.cumsum(found.reshape(count, levels), axis=1)
    tone = (below < 0.95 * below[:, -1:]).sum(axis=1)
    core = printing[ys, xs] >= 0.7 * TONE_STEP * tone[owner]
    scanned = np.bincount(
        tone[owner][core] * 256 + cv2.dilate(dark, kernel)[ys, xs][core], minlength=levels * 256
    ).reshape(levels, 256)
    below = np.cumsum(scanned, axis=1)
    pale = np.arange(levels) <= PALE * np.percentile(tone[owner], 95)
    usual = (below < np.where(pale, 0.25, 0.6)[:, None] * below[:, -1:]).sum(axis=1)
    seen = below[:, -1] >= 50
    if not seen.any():
        return np.where(solid > 0, printing, 0).astype(np.uint8)
    # Tones of which there is too little take those around them.
    usual = np.interp(np.arange(levels), np.flatnonzero(seen), usual[seen])
    result = np.zeros_like(solid)
    result[ys, xs] = usual[tone[owner]].astype(np.uint8)
    return result


def joined(
    left: UInt8[np.ndarray, "height width"],
    dark: UInt8[np.ndarray, "height width"],
    solid: UInt8[np.ndarray, "height width"],
    threshold: float,
    reach_px: int,
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness with the strokes that removed printing has cut in two joined again.

    A removed px comes back where ink lies on both sides of it in one of four directions, within the thickness of thin
    printing.
    """
    binary = (left > threshold).astype(np.uint8)
    size = 4 * reach_px + 3
    closed = np.zeros_like(binary)
    line = np.eye(size, dtype=np.uint8)
    for kernel in (np.ones((1, size), np.uint8), np.ones((size, 1), np.uint8), line, np.fliplr(line)):
        closed |= cv2.morphologyEx(binary, cv2.MORPH_CLOSE, np.ascontiguousarray(kernel))
    back = closed & widened(solid, reach_px) & (1 - binary)
    return np.where(back.astype(bool), np.maximum(left, dark), left).astype(np.uint8)


def without_slivers(
    left: UInt8[np.ndarray, "height width"],
    mask: UInt8[np.ndarray, "height width"],
    threshold: float,
    reach_px: int,
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without components that do nothing but hug the printing: its own edges, a little off."""
    binary = (left > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    near = widened(mask, reach_px + 1).astype(bool)
    hugging = np.bincount(labels[near], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    across = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    gone = (hugging >= 0.8 * area) & (across <= 3 * reach_px + 2)
    gone[0] = False
    sliver = gone[labels].astype(np.uint8)
    return np.where(widened(sliver, 1).astype(bool) & ((labels == 0) | gone[labels]), 0, left).astype(np.uint8)


def settle(left: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Return normalised ink without specks and without what is nowhere dark.

    Args:
        left: Darkness of what may be writing.
    """
    ink = normalise_ink(left)
    binary = (ink > 40).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    if count <= 1:
        return np.zeros_like(ink)
    real = np.zeros(count, bool)
    real[labels[ink > 160]] = True
    speck_px = (max(ink.shape) / 1800) ** 2 * 3
    real[stats[:, cv2.CC_STAT_AREA] < speck_px] = False
    real[0] = True
    return np.where(real[labels], ink, 0).astype(np.uint8)
