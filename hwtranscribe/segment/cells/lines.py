"""The printed lines in and around a field that may divide it into cells."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from hwtranscribe.imaging.areas import without_areas
from hwtranscribe.imaging.masks import Binary, above
from hwtranscribe.imaging.paper import darkness, noise_and_stroke
from hwtranscribe.types import AlignedPage, Box

SHORTEST_TICK = 0.22
"""Separators are at least this share of the field's height."""

WIDEST_SEPARATOR = 0.14
"""And at most this share of it thick."""

BORDER_SHARE = 0.7
"""A line is a border of a field when it runs along this share of it."""

LEAST_OVERLAP = 0.3
"""A comb belongs to a field when they share at least this much of their height."""

STRAY_ON_LINE, STRAY_IN_BOX = 0.2, 0.4
"""Share of the upright strokes on a line, and on two that make a box with writing in it, that may be longer or shorter
than its ticks."""

ALL_ALONG, IN_PART, LEAN = 0.92, 0.25, 0.02
"""Of a separator that writing touches: the share of its length that is dark and the share that is no broader than a
separator; how far it leans, as a share of its length."""


@dataclass(frozen=True, slots=True, eq=False)
class CombLines:
    """The printed lines in and around a field, aligned px.

    Attributes:
        places: x of lines that may be separators, ascending.
        full: Which of them run from the upper to the lower border.
        clear: Which of them no writing touches.
        top: Upper border, or that of the field where none is found.
        bottom: Lower border.
        rows: First row of the separators and the one after the last.
        thickness_px: Usual thickness of the separators.
        reach: First and last x of the level lines.
        sure: Whether they come from a blank form; else strokes of writing may be among them.
    """

    places: Float32[np.ndarray, " n"]
    full: Bool[np.ndarray, " n"]
    clear: Bool[np.ndarray, " n"]
    top: int
    bottom: int
    rows: tuple[int, int]
    thickness_px: int
    reach: tuple[int, int]
    sure: bool


def comb_lines(aligned: AlignedPage, box: Box) -> Iterator[CombLines]:
    """Yield the lines that may divide a field: upright ones that stand on a level line or hang from one.

    Full separators, ticks and dotted ones are found. The level lines that lie best over the field come first.

    Args:
        aligned: The page.
        box: Of the field, aligned px.
    """
    left, top, right, bottom = box
    height_px = bottom - top
    page_height, page_width = aligned.pixels.shape
    # Wide enough for the one cell by which a field is drawn too narrow.
    x0, x1 = max(0, left - 2 * height_px), min(page_width, right + 2 * height_px)
    y0, y1 = max(0, top - height_px), min(page_height, bottom + height_px)
    if x1 - x0 < 12 or y1 - y0 < 8 or height_px < 8 or right - left < 8:
        return
    sure = aligned.printing is not None
    if aligned.printing is not None:
        dark = level_dark = aligned.printing[y0:y1, x0:x1].astype(np.uint8)
    else:
        shade = darkness(np.ascontiguousarray(aligned.pixels[y0:y1, x0:x1]))
        noise, stroke = noise_and_stroke(without_areas(shade, max(page_height, page_width)))
        # Separators are often printed far lighter than a pen writes.
        dark = (shade > max(noise, 0.2 * stroke)).astype(np.uint8)
        widest_px = max(4, round(WIDEST_SEPARATOR * height_px))
        level_dark = dark & _not_halo(shade, (2 * widest_px + 1, 1))
        dark &= _not_halo(shade, (1, 2 * widest_px + 1))
    slack_px = max(3, round(0.12 * height_px))
    # Lines of print are as long as rules, but not as thin.
    thick = cv2.morphologyEx(level_dark, cv2.MORPH_OPEN, np.ones((max(6, round(0.22 * height_px)), 1), np.uint8))
    thin = cv2.subtract(level_dark, thick)
    rows = level_lines(np.ascontiguousarray(thin[:, left - x0 : right - x0]))
    for upper, lower, has_upper, has_lower in bands(rows, top - y0, bottom - y0):
        inside = np.ascontiguousarray(dark[max(0, upper) : lower + 1])
        carriers = [row for row, there in ((upper, has_upper), (lower, has_lower)) if there]
        uprights = upright_lines(inside)
        if not sure:
            # Pens are broader than the hair lines of a comb.
            uprights = uprights[uprights[:, 1] <= 1.4 * line_thickness_px(thin, carriers) + 1.5]
        clear = np.ones(len(uprights), bool)
        if not sure and has_upper and has_lower:
            touched = touched_lines(inside)
            uprights = np.concatenate([uprights, touched])
            clear = np.concatenate([clear, np.zeros(len(touched), bool)])
        hangs = uprights[:, 2] <= slack_px
        stands = uprights[:, 3] >= inside.shape[0] - slack_px
        middle = uprights[:, 0] + x0
        full = hangs & stands & has_upper & has_lower
        first, last = level_reach(thin, carriers, left - x0, right - x0)
        held = clear & ((hangs & has_upper) | (stands & has_lower))
        if (full & clear & (middle > left + 0.3 * height_px) & (middle < right - 0.3 * height_px)).any():
            held = full
        elif held.any():
            # A line alone is often a line to write on: only ticks of one length make a comb of it.
            lengths = uprights[:, 3] - uprights[:, 2]
            ticks = held & ~full
            alike = full | (np.abs(lengths - np.median(lengths[ticks] if ticks.any() else 0)) <= slack_px)
            most = STRAY_IN_BOX if has_upper and has_lower and not sure else STRAY_ON_LINE
            stray = (held & ~alike).sum() > most * held.sum() or last - first < 0.9 * (right - left)
            held = full & ~clear if stray else held & alike
        else:
            held = full
        if not held.any():
            continue
        order = np.argsort(uprights[held, 0])
        high, low = (round(float(np.median(uprights[held, end]))) + max(0, upper) + y0 for end in (2, 3))
        yield CombLines(
            places=(uprights[held, 0][order] + x0).astype(np.float32),
            full=full[held][order],
            clear=clear[held][order],
            top=upper + y0,
            bottom=lower + y0,
            rows=(high, low),
            thickness_px=round(float(np.median(uprights[held, 1]))),
            reach=(x0 + first, x0 + last),
            sure=sure,
        )


def touched_lines(dark: Binary) -> Float32[np.ndarray, "m 4"]:
    """Return upright lines that writing touches: dark all the way between two borders, and in part as thin as a line.

    Args:
        dark: 1 where dark, between the borders.

    Returns:
        x of the middle, width, first row, last row and one, px.
    """
    height_px = len(dark)
    widest_px = max(4, round(WIDEST_SEPARATOR * height_px))
    lean_px = max(1, round(LEAN * height_px))
    along = cv2.dilate(dark, np.ones((1, 2 * lean_px + 1), np.uint8)).mean(axis=0)
    whole = np.flatnonzero(along >= ALL_ALONG)
    broad = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, widest_px + 1), np.uint8))
    thin = (dark > broad).mean(axis=0)
    found = []
    for columns in np.split(whole, np.flatnonzero(np.diff(whole) > 1) + 1):
        if thin[columns].max(initial=0) >= IN_PART:
            x = float((columns * thin[columns]).sum() / thin[columns].sum())
            found.append((x, min(len(columns), widest_px), 0, height_px))
    return np.array(found, np.float32).reshape(-1, 4)


def _not_halo(shade: UInt8[np.ndarray, "height width"], size: tuple[int, int]) -> Binary:
    """Return where it is not less than half as dark as nearby: lines out of focus then are as thick as they are.

    Args:
        shade: Darkness.
        size: Height and width of what is near.
    """
    return above(cv2.subtract(shade, cv2.dilate(shade, np.ones(size, np.uint8)) // 2), 0)


def level_lines(dark: UInt8[np.ndarray, "height width"]) -> list[int]:
    """Return the rows in which a line runs along most of the width, from top to bottom.

    Args:
        dark: 1 where dark.
    """
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((1, 11), np.uint8))
    # A line that climbs a px or two over the field still fills the rows around it.
    filled = cv2.dilate(joined, np.ones((3, 1), np.uint8)).mean(axis=1)
    rows = np.flatnonzero(filled >= BORDER_SHARE).astype(np.float32)
    return [round(row) for row in merged(rows, 1).tolist()]


def level_reach(dark: UInt8[np.ndarray, "height width"], rows: list[int], left: int, right: int) -> tuple[int, int]:
    """Return from where to where level lines run without a gap through the middle of a field.

    Args:
        dark: 1 where dark.
        rows: Of the lines.
        left: Left end of the field.
        right: Right end of the field.
    """
    reaches = []
    for row in rows:
        run = dark[max(0, row - 2) : row + 3].max(axis=0, keepdims=True)
        run = cv2.morphologyEx(run, cv2.MORPH_CLOSE, np.ones((1, 11), np.uint8))[0]
        gaps = np.flatnonzero(run == 0)
        # The longest piece within the field, and how far it goes on outside.
        cuts = np.concatenate([[left - 1], gaps[(gaps >= left) & (gaps < right)], [right]])
        k = int(np.diff(cuts).argmax())
        before, after = gaps[gaps < cuts[k] + 1], gaps[gaps >= cuts[k + 1]]
        reaches.append((int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else len(run)))
    return min(first for first, _ in reaches), max(last for _, last in reaches)


def line_thickness_px(dark: UInt8[np.ndarray, "height width"], rows: list[int]) -> float:
    """Return the usual thickness of level lines.

    Args:
        dark: 1 where dark.
        rows: Of the lines.
    """
    across = np.concatenate([dark[max(0, row - 5) : row + 6].sum(axis=0) for row in rows])
    return float(np.median(across[across > 0])) if across.any() else 1.0


def bands(rows: list[int], top: int, bottom: int) -> list[tuple[int, int, bool, bool]]:
    """Return where cells may lie: between two level lines, above one or under one; the likeliest first.

    Args:
        rows: Of level lines.
        top: Of the field.
        bottom: Of the field.

    Returns:
        Upper and lower end, and whether there is a line at each.
    """
    height_px = bottom - top

    def overlap(band: tuple[int, int, bool, bool]) -> float:
        upper, lower = band[:2]
        return (min(lower, bottom) - max(upper, top)) / max(lower - upper, height_px)

    between = [
        (upper, lower, True, True)
        for k, upper in enumerate(rows)
        for lower in rows[k + 1 :]
        if 0.5 * height_px <= lower - upper <= 1.5 * height_px
    ]
    beside = [(row - height_px, row, False, True) for row in rows] + [
        (row, row + height_px, True, False) for row in rows
    ]
    return [
        band
        for group in (between, beside)
        for band in sorted(group, key=overlap, reverse=True)
        if overlap(band) >= LEAST_OVERLAP
    ]


def merged(places: Float32[np.ndarray, " n"], near_px: float) -> Float32[np.ndarray, " m"]:
    """Return places with those nearer than `near_px` to each other taken as one: the two lines of a double rule."""
    if len(places) == 0:
        return places
    groups = np.split(places, np.flatnonzero(np.diff(places) > near_px) + 1)
    return np.array([group.mean() for group in groups], np.float32)


def upright_lines(dark: UInt8[np.ndarray, "height width"]) -> Float32[np.ndarray, "n 4"]:
    """Return thin upright lines between two borders: x of the middle, width, first row, last row and one, px."""
    height_px = dark.shape[0]
    gap_px = max(3, round(0.1 * height_px)) | 1
    joined = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((gap_px, 1), np.uint8))
    tick_px = max(4, round(SHORTEST_TICK * height_px))
    tall = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    widest_px = max(4, round(WIDEST_SEPARATOR * height_px))
    # A filled area or a broad stroke is no separator.
    broad = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((max(3, tick_px // 2), widest_px + 1), np.uint8))
    tall = cv2.subtract(tall, cv2.dilate(broad, np.ones((3, 5), np.uint8)))
    tall = cv2.morphologyEx(tall, cv2.MORPH_OPEN, np.ones((tick_px, 1), np.uint8))
    count, _, stats, centres = cv2.connectedComponentsWithStats(tall, connectivity=8)
    top = stats[:, cv2.CC_STAT_TOP]
    result = np.column_stack(
        [centres[:, 0], stats[:, cv2.CC_STAT_WIDTH], top, top + stats[:, cv2.CC_STAT_HEIGHT]]
    ).astype(np.float32)
    thin = result[:, 1] <= widest_px
    thin[0] = False
    return result[thin]
