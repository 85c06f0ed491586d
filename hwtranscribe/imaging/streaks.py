"""Take streaks off a scan: dirt on the glass of a document feeder draws a line down every page, from rim to rim."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from hwtranscribe.imaging.masks import above

STREAKS = "lines from rim to rim were painted over: clean the glass of the scanner"

RIM = 0.03
"""Lines so near to the rim, as a share of the side, are the edge of the paper."""

LEAST_SIDE_PX = 500
"""Pictures less high or wide are cut-outs: a stroke may go through all of them."""

BANDS = 64
"""A streak is followed through bands of this share of the long side: 5 mm of an A4 page."""

BROADEST_OF_PAGE = 1 / 400
"""The broadest streak, as a share of the long side: 0.7 mm of an A4 page."""

CONTRAST = 0.12
"""By how much a streak is darker than what is beside it, as a share of the paper's brightness."""

FREE = 0.7
"""What is as bright as this share of the paper is free of print and writing."""

UNBROKEN = 0.75
"""Least share of the rows of a band in which a streak is seen, where nothing beside it is dark."""

LEAST_FREE = 0.3
"""Least share of the rows of a band with nothing dark beside a place: with fewer, nothing can be told."""

END_OF_SIDE = 1 / 150
"""A streak begins and ends in this share of the side at the rims, or where the scan's black border ends. Forms keep
their lines off the rim."""

WHOLE = 0.85
"""Least share of the bands in which a streak is seen, of those where it can be told."""

LEAST_TOLD = 0.25
"""Least share of the bands in which something can be told: the rest is hidden by printing."""

MOST = 8
"""More such lines are the ruling of paper."""

LEAN = 2
"""The most that a streak leans, in columns per band: software may have set the page upright."""

STRAIGHT_PX = 1.0
"""How far a streak strays from a straight line."""

EVERY = 4
"""Of how many rows one is looked at."""


def without_streaks(
    pixels: UInt8[np.ndarray, "height width"],
) -> tuple[UInt8[np.ndarray, "height width"], bool]:
    """Return a scan without thin straight lines from rim to rim, and whether they are dirt; strokes go on.

    Several in both directions are a grid that was cut out, and stay.

    Args:
        pixels: Grey picture, 255 paper.
    """
    if min(pixels.shape) < LEAST_SIDE_PX:
        return pixels, False
    down, across = (_lines(pixels, upright) for upright in (True, False))
    if min(len(down), len(across)) > 1:
        return pixels, False
    height, width = pixels.shape
    inner = [_is_inner(line, height, width) for line in down] + [_is_inner(line, width, height) for line in across]
    if down:
        pixels = _painted_over(pixels, down)
    if across:
        pixels = np.ascontiguousarray(_painted_over(np.ascontiguousarray(pixels.T), across).T)
    return pixels, any(inner)


def _is_inner(line: tuple[float, float], length: int, width: int) -> bool:
    """Return whether a line is no edge of the paper."""
    middle = line[0] + line[1] * length / 2
    return RIM * width <= middle <= (1 - RIM) * width


def _lines(pixels: UInt8[np.ndarray, "height width"], down: bool) -> list[tuple[float, float]]:
    """Return straight lines from rim to rim: their columns at row 0, and columns per row.

    Args:
        pixels: Grey picture, 255 paper.
        down: False looks for those that run across; then rows are columns, and the other way round.
    """
    length, width = pixels.shape if down else pixels.shape[::-1]
    band_px, beside_px = max(pixels.shape) // BANDS, _broad_px(pixels.shape) + 1
    count = length // band_px
    if count < 3 or width <= 4 * beside_px:
        return []
    rows = pixels[: count * band_px : EVERY] if down else np.ascontiguousarray(pixels[:, : count * band_px : EVERY].T)
    paper = float(np.percentile(rows[::8, ::8], 80))
    # Most pages have nothing in their margins: there is no need to look further.
    for end in (rows[: band_px // EVERY], rows[-(band_px // EVERY) :]):
        seen, told = _seen(end, paper, 1, beside_px)
        if told.any() and not seen.any():
            return []
    found = _through(*_seen(rows, paper, count, beside_px))
    if len(found) > MOST:
        return []
    lines = [(start - slope * 0.5, slope / band_px) for start, slope in found]
    return [line for line in lines if _ends_at_rims(pixels if down else pixels.T, line, paper, beside_px)]


def _seen(
    rows: UInt8[np.ndarray, "rows width"], paper: float, count: int, beside_px: int
) -> tuple[Bool[np.ndarray, "bands width"], Bool[np.ndarray, "bands width"]]:
    """Return where a thin dark line goes down through a whole band, and where that can be told.

    Args:
        rows: Some rows of a picture.
        paper: How bright its paper is.
        count: Of bands.
        beside_px: How far beside a place the paper is looked for.
    """
    beside = np.zeros_like(rows)
    beside[:, beside_px:-beside_px] = cv2.min(rows[:, : -2 * beside_px], rows[:, 2 * beside_px :])
    free = 255 * above(beside, FREE * paper)
    # A line that leans is in the next column in some of the rows.
    near = cv2.erode(rows, np.ones((1, 3), np.uint8))
    line = cv2.bitwise_and(free, free, mask=above(cv2.subtract(beside, near), CONTRAST * paper))
    size = (rows.shape[1], count)
    line_share, free_share = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) for mask in (line, free))
    told = free_share >= 255 * LEAST_FREE
    return told & (line_share >= UNBROKEN * free_share), told


def _through(seen: Bool[np.ndarray, "bands width"], told: Bool[np.ndarray, "bands width"]) -> list[tuple[float, float]]:
    """Return straight lines through all bands, the columns at band 0 and columns per band.

    Each is the one that most of what is left lies on (the Hough transform), as long as there is one.

    Args:
        seen: Where a thin dark line goes down through a whole band.
        told: Where that can be told.
    """
    count, width = seen.shape
    # Most of what goes down through a band is writing or print, and ends there.
    near = cv2.dilate(seen.astype(np.uint8), np.ones((1, 2 * LEAN + 3), np.uint8)) > 0
    goes_on = np.zeros_like(seen)
    goes_on[1:] |= near[:-1]
    goes_on[:-1] |= near[1:]
    seen = seen & goes_on
    # Of several columns side by side the middle.
    steps = np.diff(np.pad(seen, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (bands, first), (_, end) = np.nonzero(steps == 1), np.nonzero(steps == -1)
    places = (first + end - 1) / 2
    slopes = np.arange(-LEAN * count, LEAN * count + 1) / count
    offset = LEAN * count
    result: list[tuple[float, float]] = []
    while len(result) <= MOST and len(np.unique(bands)) >= WHOLE * LEAST_TOLD * count:
        most, slope, column = 0, 0.0, 0
        for leaning in slopes:
            votes = np.bincount(
                np.round(places - leaning * bands).astype(np.int64) + offset, minlength=width + 2 * offset
            )
            # A line that is not quite straight is in several columns.
            near = votes[:-2] + votes[1:-1] + votes[2:]
            if near.max() > most:
                most, slope, column = int(near.max()), float(leaning), int(near.argmax()) + 1 - offset
        mine = np.abs(places - column - slope * bands) <= 2 * STRAIGHT_PX
        line = _fitted(bands[mine], places[mine], told)
        if line is None:
            break
        result.append(line)
        other = np.abs(places - line[0] - line[1] * bands) > 2 * STRAIGHT_PX + 1
        bands, places = bands[other], places[other]
    return result


def _fitted(
    bands: Int64[np.ndarray, " n"],
    places: Float64[np.ndarray, " n"],
    told: Bool[np.ndarray, "bands width"],
) -> tuple[float, float] | None:
    """Return the line through some places, as `_through` does; None where it is no streak."""
    count, width = told.shape
    if len(bands) < 3:
        return None
    slope, start = np.polyfit(bands, places, 1)
    through = np.clip(np.round(start + slope * np.arange(count)), 0, width - 1).astype(np.int64)
    known = np.flatnonzero(told[np.arange(count), through])
    whole = len(known) >= LEAST_TOLD * count and len(np.unique(bands)) >= WHOLE * len(known)
    straight = np.std(places - start - slope * bands) <= STRAIGHT_PX
    return (float(start), float(slope)) if whole and straight else None


def _ends_at_rims(
    pixels: UInt8[np.ndarray, "height width"], line: tuple[float, float], paper: float, beside_px: int
) -> bool:
    """Return whether a line that runs down begins and ends at the rims of a picture."""
    places = _around(pixels.shape, *line, beside_px)
    tones = pixels[np.arange(len(pixels))[:, None], places]
    beside, near = np.minimum(tones[:, 0], tones[:, -1]), tones[:, beside_px - 1 : beside_px + 2].min(axis=1)
    darker = (beside.astype(float) - near > CONTRAST * paper)[beside > FREE * paper]
    end_px = max(8, round(END_OF_SIDE * len(pixels)))
    return bool(min(darker[:end_px].mean(), darker[-end_px:].mean()) >= UNBROKEN) if len(darker) else False


def _painted_over(
    pixels: UInt8[np.ndarray, "height width"], streaks: list[tuple[float, float]]
) -> UInt8[np.ndarray, "height width"]:
    """Return a picture with streaks that run down painted over, row by row, with the tones on both sides of them."""
    result, reach_px = pixels.copy(), _broad_px(pixels.shape) + 2
    rows = np.arange(len(pixels))[:, None]
    for start, slope in streaks:
        places = _around(pixels.shape, start, slope, reach_px)
        tones = result[rows, places].astype(np.float32)
        profile = np.median(tones, axis=0)
        dark = np.flatnonzero(profile < profile.max() - 0.25 * (profile.max() - profile.min()))
        first, last = max(int(dark[0]) - 1, 1), min(int(dark[-1]) + 1, 2 * reach_px - 1)
        share = (np.arange(first, last + 1) - first + 1) / (last - first + 2)
        between = tones[:, first - 1 : first] * (1 - share) + tones[:, last + 1 : last + 2] * share
        mended = np.maximum(tones[:, first : last + 1], between)
        result[rows, places[:, first : last + 1]] = mended.round().astype(np.uint8)
    return result


def _broad_px(shape: tuple[int, ...]) -> int:
    return max(3, round(max(shape) * BROADEST_OF_PAGE))


def _around(shape: tuple[int, ...], start: float, slope: float, reach_px: int) -> Int64[np.ndarray, "height across"]:
    """Return the columns on and around a line in every row."""
    middle = np.round(start + slope * np.arange(shape[0])).astype(np.int64)
    return np.clip(middle, reach_px, shape[1] - reach_px - 1)[:, None] + np.arange(-reach_px, reach_px + 1)
