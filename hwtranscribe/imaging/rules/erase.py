"""Take ruled lines off a page."""

import cv2
import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hwtranscribe.imaging.masks import Binary, bar, widened, without
from hwtranscribe.imaging.rules.find import Rules
from hwtranscribe.imaging.rules.overwritten import written_upon

PIECE_PX = 64
"""A rule of a blank form is followed in pieces of this length."""

AS_DARK = 0.95
"""A rule that is thicker in the scan is as dark, to this share, when it is moved by the difference."""

LEAST_THICKENED_PX, MOST_THICKENED_PX = 2, 7
"""Such a difference: `reach_of` sees to less, and more is something else that is dark."""

THICKENED = 0.15
"""Share of the px just beyond a rule that are dark where strokes cross it; with more, the rule itself reaches there."""


def follow_rules(rules: Rules, dark: UInt8[np.ndarray, "height width"], reach_px: int, full: float) -> Rules:
    """Return rules of a blank form moved across onto those of a scan, piece by piece, and as thick as there.

    Registration is smooth, but printers and scanners shift a line by a px or two; a rule is straight and long, so it
    can be found again exactly. Scans that are out of focus and dark copies show it thicker.

    Args:
        rules: Of one direction, in the blank form.
        dark: Darkness of the scan in the same frame.
        reach_px: How far a rule may have moved.
        full: Darkness that is enough for a rule; what is darker, such as writing, counts no more.
    """
    if not len(rules):
        return rules
    along, across = (rules.ys, rules.xs) if rules.upright else (rules.xs, rules.ys)
    length, limit = dark.shape if rules.upright else dark.shape[::-1]
    pieces = -(-length // PIECE_PX)
    piece = rules.owner * pieces + along // PIECE_PX
    offsets = np.arange(-reach_px, reach_px + 1, dtype=np.int32)
    scores = np.zeros((len(offsets), len(rules) * pieces))
    # Every other px tells as much, in half the time.
    some = np.flatnonzero(along % 2 == 0)
    some_along, some_across, some_piece = along[some], across[some], piece[some]
    for row, offset in zip(scores, offsets, strict=True):
        moved = np.clip(some_across + offset, 0, limit - 1)
        found = dark[some_along, moved] if rules.upright else dark[moved, some_along]
        row += np.bincount(some_piece, weights=np.minimum(found, full), minlength=len(row))
    # Staying is preferred, or noise would move rules that the scan hardly shows.
    best = ((scores + 1) * (1 - 0.04 * np.abs(offsets))[:, None]).argmax(axis=0)
    first, last = _run_around(scores >= AS_DARK * np.take_along_axis(scores, best[None], axis=0), best)
    wider = np.where(last - first <= MOST_THICKENED_PX, last - first, 0)
    moved = np.clip(across + offsets[best][piece], 0, limit - 1)
    ys, xs = (along, moved) if rules.upright else (moved, along)
    there = np.bincount(piece, minlength=len(wider)).reshape(-1, pieces) > 0
    seen = there.any(axis=1)
    thicker_px = np.zeros(len(rules), np.int32)
    # Not the mean: where much is written on a rule, it looks far thicker.
    thicker_px[seen] = np.nanmedian(np.where(there, wider.reshape(there.shape), np.nan)[seen], axis=1)
    thicker_px[thicker_px < LEAST_THICKENED_PX] = 0
    return Rules(rules.upright, ys, xs, rules.owner, rules.thickness_px + thicker_px)


def _run_around(
    chosen: Bool[np.ndarray, "places n"], at: Int64[np.ndarray, " n"]
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Return the first and the last of the chosen places around one of them, in every column."""
    first, last, columns = at.copy(), at.copy(), np.arange(len(at))
    for _ in range(len(chosen)):
        first -= (first > 0) & chosen[np.maximum(first - 1, 0), columns]
        last += (last < len(chosen) - 1) & chosen[np.minimum(last + 1, len(chosen) - 1), columns]
    return first, last


def reach_of(rules: tuple[Rules, Rules], binary: Binary, reach_px: int) -> int:
    """Return how far beside rules that were followed onto a scan they have to be erased: a px less than elsewhere.

    With more, the foot of an E that stands on a rule would go with it. But a blurred or noisy scan has thicker rules.

    Args:
        rules: Of both directions, as `follow_rules` found them.
        binary: 1 where the scan is dark.
        reach_px: How far rules may be off before they are followed.
    """
    near_px = max(1, reach_px - 1)
    for own in rules:
        beyond = cv2.subtract(drawn_through(own, binary.shape, reach_px), drawn_through(own, binary.shape, near_px))
        if cv2.countNonZero(cv2.bitwise_and(binary, beyond)) > THICKENED * cv2.countNonZero(beyond):
            return reach_px
    return near_px


def erase_rules(
    dark: UInt8[np.ndarray, "height width"],
    binary: Binary,
    rules: tuple[Rules, Rules],
    reach_px: int = 1,
    tones: tuple[float, float] | None = None,
) -> tuple[UInt8[np.ndarray, "height width"], Binary]:
    """Return darkness without rules, and where the rules were; what crosses or touches them stays whole.

    What is left and lies on the rules alone is a crumb of them.

    Args:
        dark: Soft picture.
        binary: 1 where dark.
        rules: Of both directions, in this picture or in that of the blank form.
        reach_px: How far beside `rules` they may lie, and by how much they may be thicker.
        tones: Darkness of the ground and of pen strokes. Where rules are paler than these, strokes upon them stay too.
    """
    if not any(len(own) for own in rules):
        return dark, np.zeros_like(binary)
    bands = [drawn_through(own, binary.shape, reach_px) for own in rules]
    gone = np.zeros_like(binary)
    for own, band, other in zip(rules, bands, bands[::-1], strict=True):
        if len(own):
            # Rules of the other direction cross too, but are no strokes.
            gone |= _erased(cv2.subtract(binary, other), own, band, reach_px)
    left = without(dark, gone)
    if tones is not None:
        crossings = cv2.bitwise_and(*(widened(band, 1) for band in bands))
        left = cv2.max(left, written_upon(dark, gone, rules, crossings, *tones))
    return left, widened(cv2.bitwise_or(*bands), 1)


def drawn_through(rules: Rules, shape: tuple[int, ...], reach_px: int) -> Binary:
    """Return 1 on rules and up to a reach beside them, drawn through where a stroke crosses."""
    if not len(rules.ys):
        return np.zeros(shape, np.uint8)
    most_px = int(rules.thickness_px.max())
    along = rules.mask(shape)
    # Rules are on few rows, or columns.
    lines = np.flatnonzero(along.any(axis=0 if rules.upright else 1))
    chosen = (slice(None), lines) if rules.upright else lines
    closed = cv2.morphologyEx(along[chosen], cv2.MORPH_CLOSE, bar(8 * most_px + 1, rules.upright))
    along[chosen] = cv2.dilate(closed, bar(2 * most_px + 3, rules.upright))
    return cv2.dilate(along, bar(2 * reach_px + 1, not rules.upright))


def _erased(binary: Binary, rules: Rules, band: Binary, reach_px: int) -> Binary:
    """Return 1 on rules of one direction where nothing crosses them."""
    gone = np.zeros_like(binary)
    classes = 2 ** np.ceil(np.log2(np.maximum(rules.thickness_px, 2))).astype(int)
    for most_px in np.unique(classes):
        mine = band
        if len(np.unique(classes)) > 1:
            chosen = rules.mask(binary.shape, classes == most_px)
            mine = cv2.bitwise_and(band, cv2.dilate(chosen, np.ones((4 * most_px + 1, 4 * most_px + 1), np.uint8)))
        run_px = int(rules.thickness_px[classes == most_px].max()) + reach_px
        crossing = cv2.morphologyEx(binary, cv2.MORPH_OPEN, bar(run_px + 1, not rules.upright))
        # Only a run that leaves the band is a stroke: noise and blots thicken rules too.
        leaving = cv2.subtract(crossing, mine)
        # From both sides this meets in the middle of the rule; a stroke that only touches keeps half of it.
        near = cv2.dilate(leaving, bar(run_px + reach_px + 3, not rules.upright))
        kept = cv2.dilate(cv2.bitwise_and(crossing, near), bar(3, rules.upright))
        halo = cv2.dilate(mine, bar(3, not rules.upright))
        gone |= cv2.subtract(halo, kept)
    return gone
