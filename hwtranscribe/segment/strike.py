"""Lines that strike writing through: near level, straight, over more than one character, with ink above and below."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.imaging.paper import darkness, noise_and_stroke
from hwtranscribe.types import AlignedPage, CharBoxes

SHORTEST = 2.2
"""Length of such a line in heights of the writing: bars of letters that touch are hardly as long."""

SLOPES = np.linspace(-0.18, 0.18, 13)
"""Rise per px of the lines that are looked for."""

MIDDLE = (0.25, 0.72)
"""Rows of the writing, as shares of its height, in which it is struck through; others are lines to write on."""

BESIDE = 0.12
"""Share of its columns in which there must be ink above, and below: a dash has none, wide combs have little."""

FRAME = 0.12
"""A line this near the upper or lower end of a field, in its heights, is the printed frame."""

INK = 80
"""Ink from which on a px is dark."""

WHOLE = 0.7
"""From this share of the writing on, all of it is struck through."""


def struck_share(aligned: AlignedPage, boxes: CharBoxes, frame: tuple[int, int]) -> float:
    """Return how much of a field's writing is struck through, as a share of its width.

    Without a blank form it looks at the page and not at its ink: a long straight line is taken off with the rules.

    Args:
        aligned: The page.
        boxes: Of the field's characters.
        frame: Upper and lower end of the field, or of its cells, aligned px.
    """
    written = boxes.boxes[~boxes.blank]
    if not len(written):
        return 0.0
    height_px, width_px = aligned.pixels.shape
    left, top = np.maximum(np.floor(written[:, :2].min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(written[:, 2:].max(axis=0)), (width_px, height_px)).astype(int)
    # Not the median: a line under the writing is in pieces, too, and they are low.
    tall_px = round(float(np.percentile(written[:, 3] - written[:, 1], 80)))
    if bottom - top < 8 or right - left < SHORTEST * tall_px:
        return 0.0
    if aligned.printing is not None:
        dark = (aligned.ink[top:bottom, left:right] >= INK).astype(np.uint8)
    else:
        # The level of the paper needs some of it around the writing.
        x0, y0 = max(0, left - tall_px), max(0, top - tall_px)
        shade = darkness(np.ascontiguousarray(aligned.pixels[y0 : bottom + tall_px, x0 : right + tall_px]))
        noise, stroke = noise_and_stroke(shade)
        shade = shade[top - y0 : bottom - y0, left - x0 : right - x0]
        dark = (shade > max(noise, 0.3 * stroke)).astype(np.uint8)
        # Tails reach under the frame, so that it may run through the middle of what is written.
        near_px = round(FRAME * (frame[1] - frame[0]))
        for end in frame:
            dark[max(0, end - near_px - top) : max(0, end + near_px + 1 - top)] = 0
    return float(struck_columns(dark, tall_px).mean())


def struck_columns(dark: UInt8[np.ndarray, "height width"], tall_px: int) -> Float32[np.ndarray, " width"]:
    """Return 1 for the columns of writing that are struck through.

    Args:
        dark: 1 where dark: the writing, cropped to its box.
        tall_px: Usual height of its characters.
    """
    height, width = dark.shape
    found = np.zeros(width, np.float32)
    run_px = round(SHORTEST * tall_px)
    gaps = np.flatnonzero(~dark.any(axis=0))
    # Most writing has gaps between its characters, which no line bridges, whatever its slope.
    if np.diff(gaps, prepend=-1, append=width).max() <= run_px:
        return found
    run = np.ones((1, run_px), np.uint8)
    around = np.ones((2 * max(1, round(0.05 * tall_px)) + 1, 1), np.uint8)
    pad_px = int(np.ceil(SLOPES.max() * width / 2)) + 1
    # Hands tremble: a line may climb or fall by its own width.
    thick = cv2.copyMakeBorder(cv2.dilate(dark, np.ones((3, 1), np.uint8)), pad_px, pad_px, 0, 0, cv2.BORDER_CONSTANT)
    rows, across = np.arange(len(thick))[:, None], np.arange(width) - (width - 1) / 2
    for slope in SLOPES:
        level = np.array([[1, 0, 0], [slope, 1, slope * across[0]]], np.float32)
        sheared = cv2.warpAffine(thick, level, thick.shape[::-1], flags=cv2.INTER_NEAREST)
        full = np.flatnonzero(np.count_nonzero(sheared, axis=1) >= run_px)
        if not len(full):
            continue
        line = np.zeros_like(sheared)
        line[full] = cv2.morphologyEx(sheared[full], cv2.MORPH_OPEN, run, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        if not line.any():
            continue
        unsheared = (rows - pad_px - slope * across) / height
        inside = line * ((unsheared >= MIDDLE[0]) & (unsheared <= MIDDLE[1]))
        columns = inside.any(axis=0)
        if not columns.any():
            continue
        others = cv2.subtract(sheared, cv2.dilate(line, around))
        above = (others * (rows < inside.argmax(axis=0))).any(axis=0)
        below = (others * (rows > len(rows) - 1 - inside[::-1].argmax(axis=0))).any(axis=0)
        if min(above[columns].mean(), below[columns].mean()) >= BESIDE:
            found[columns] = 1
    return found
