"""Ruled lines: finding them, and taking them off the page without eating the strokes that cross them.

A rule is long, straight and thin. Across it, the run of dark px is as thick as the rule; where a stroke crosses or
touches, the run is longer and is kept whole, so the stroke stays in one piece (line removal by run lengths, as in
Yu & Jain 1996). Short rules count when both ends meet rules of the other direction: the sides of a box.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, UInt8

SEARCH_SIZE_PX = 1800
"""Rules are searched at a scale at which the page's long side is not more than this."""

BOX_SIDE = 0.4
"""Shortest side of a box that stands alone, as a share of the shortest free rule."""

SEPARATOR = 0.2
"""Shortest piece between two rules, as a share of the shortest free rule."""

PIECE_PX = 64
"""A rule of a blank form is followed in pieces of this length."""

Binary = UInt8[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Rules of one direction.

    Attributes:
        upright: Whether they are vertical.
        labels: 0 elsewhere, else 1-based number of the rule.
        thickness_px: Of each rule.
    """

    upright: bool
    labels: Int32[np.ndarray, "height width"]
    thickness_px: Int32[np.ndarray, " n"]

    @property
    def mask(self) -> Bool[np.ndarray, "height width"]:
        """True on the rules."""
        return self.labels > 0


def find_rules(binary: UInt8[np.ndarray, "height width"], length_px: int, thickness_px: int) -> tuple[Rules, Rules]:
    """Return the horizontal and the vertical rules of a picture.

    Args:
        binary: 1 where dark.
        length_px: Shortest rule that stands alone.
        thickness_px: Thickest rule.
    """
    factor = min(-(-max(binary.shape) // SEARCH_SIZE_PX), *binary.shape)  # a strip may be thinner than a block
    small = binary
    if factor > 1:
        height, width = (side // factor * factor for side in binary.shape)
        # The darkest px of every block, so that a thin rule stays unbroken.
        blocks = binary[:height, :width].reshape(height // factor, factor, width // factor, factor)
        small = blocks.max(axis=(1, 3))
    length, thickness = max(8, length_px // factor), max(2, -(-thickness_px // factor))
    candidates = [_candidates(small, upright, round(length * SEPARATOR), thickness) for upright in (False, True)]
    kept = _closed(candidates, length, small.shape)
    result = []
    for upright, candidate, keep in zip((False, True), candidates, kept, strict=True):
        numbers = np.zeros(len(keep) + 1, np.int32)
        numbers[1:][keep] = np.arange(1, keep.sum() + 1)
        labels = numbers[candidate.labels]
        if factor > 1:
            labels = cv2.resize(labels.astype(np.float32), binary.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(
                np.int32
            )
            labels[binary == 0] = 0
        result.append(_measured(labels, upright, thickness_px))
    return result[0], result[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Thin straight pieces of one direction.

    Attributes:
        upright: Whether they are vertical.
        labels: 0 elsewhere, else 1-based number of the piece.
        ends: First and last px of every piece as x, y, x, y.
        length: Along the direction, px.
    """

    upright: bool
    labels: Int32[np.ndarray, "height width"]
    ends: Int32[np.ndarray, "n 4"]
    length: Int32[np.ndarray, " n"]


def bar(length_px: int, upright: bool) -> UInt8[np.ndarray, "rows columns"]:
    """Return a kernel one px wide along a direction."""
    return np.ones((length_px, 1) if upright else (1, length_px), np.uint8)


def _candidates(binary: Binary, upright: bool, length_px: int, thickness_px: int) -> _Candidates:
    """Return thin straight dark pieces of at least a length."""
    thick = cv2.morphologyEx(binary, cv2.MORPH_OPEN, bar(thickness_px + 1, not upright))
    thin = cv2.subtract(binary, thick)
    joined = cv2.morphologyEx(binary, cv2.MORPH_CLOSE, bar(3, upright))
    # Steps shorter than the rule, for it may climb a px now and then, but longer than rules across are thick.
    straight = cv2.morphologyEx(joined, cv2.MORPH_OPEN, bar(min(length_px, thickness_px + 3), upright))
    # Where a stroke crosses, the run is thick but the rule goes on: such gaps are bridged where they are dark.
    own = cv2.bitwise_and(thin, straight)
    bridged = cv2.morphologyEx(own, cv2.MORPH_CLOSE, bar(4 * thickness_px + 1, upright))
    count, labels = cv2.connectedComponents(cv2.bitwise_or(own, cv2.bitwise_and(bridged, joined)), connectivity=8)
    ys, xs = np.nonzero(own)
    owner = labels[ys, xs]
    thin_px = np.bincount(owner, minlength=count)
    low, high = np.full((count, 2), 1 << 30), np.full((count, 2), -1)
    for axis, place in enumerate((xs, ys)):
        np.minimum.at(low[:, axis], owner, place)
        np.maximum.at(high[:, axis], owner, place)
    along, across = (high - low + 1).T if not upright else (high - low + 1)[:, ::-1].T
    usual_px = thin_px / np.maximum(along, 1)
    # The longer, the more it may lean: scans are never quite level.
    level = across <= usual_px + 2 + 0.03 * np.maximum(along - 3 * length_px, 0)
    # Serifs of a word make a broken line; much writing may break a long rule.
    whole = thin_px >= np.where(along < 10 * length_px, 0.8, 0.6) * along
    # The upper edge of a word is a row of bows: it does not keep to a line as a rule does.
    keeps = _scatter_px(ys if not upright else xs, xs if not upright else ys, owner, count) <= 0.29 * usual_px + 0.25
    good = whole & (along >= length_px) & level & (keeps | (along >= 10 * length_px))
    good[0] = False
    numbers = np.zeros(count, np.int32)
    numbers[good] = np.arange(1, good.sum() + 1)
    labels = numbers[labels]
    labels[thin == 0] = 0
    middle = (low + high) // 2
    if upright:
        ends = np.column_stack([middle[good, 0], low[good, 1], middle[good, 0], high[good, 1]])
    else:
        ends = np.column_stack([low[good, 0], middle[good, 1], high[good, 0], middle[good, 1]])
    return _Candidates(upright, labels, ends.astype(np.int32), along[good].astype(np.int32))


def _scatter_px(
    across: Int64[np.ndarray, " px"], along: Int64[np.ndarray, " px"], owner: Int32[np.ndarray, " px"], count: int
) -> Float64[np.ndarray, " n"]:
    """Return how far the px of pieces scatter about a straight line: standard deviation from the regression."""
    size = np.maximum(np.bincount(owner, minlength=count), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, weights=values, minlength=count) / size

    x, y = along - mean(along)[owner], across - mean(across)[owner]
    slope = mean(x * y) / np.maximum(mean(x * x), 1e-9)
    return np.sqrt(np.maximum(mean(y * y) - slope**2 * mean(x * x), 0))


def _closed(candidates: list[_Candidates], length_px: int, shape: tuple[int, ...]) -> list[Bool[np.ndarray, " n"]]:
    """Return which pieces are rules: long ones, sides of boxes, and what divides them."""
    spans = [0.95 * shape[0] if c.upright else 0.95 * shape[1] for c in candidates]
    strong = [(c.length >= length_px) | (c.length >= max(span, 12)) for c, span in zip(candidates, spans, strict=True)]
    sides = [c.length >= BOX_SIDE * length_px for c in candidates]
    # Sides with a free end are dropped until none is left; what stays is closed.
    kept = sides
    while True:
        now = [
            strong[own] | (kept[own] & _meets(candidates[own], candidates[1 - own], kept[1 - own], length_px))
            for own in (0, 1)
        ]
        if all((a == b).all() for a, b in zip(now, kept, strict=True)):
            break
        kept = now
    return [kept[own] | _meets(candidates[own], candidates[1 - own], kept[1 - own], length_px) for own in (0, 1)]


def _meets(
    pieces: _Candidates, others: _Candidates, kept: Bool[np.ndarray, " m"], length_px: int
) -> Bool[np.ndarray, " n"]:
    """Return which pieces meet a kept piece of the other direction with both ends."""
    reach = max(2, round(0.05 * length_px))
    alive = np.concatenate([[False], kept])[others.labels].astype(np.uint8)
    near = cv2.dilate(alive, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    ends = pieces.ends
    return (near[ends[:, 1], ends[:, 0]] > 0) & (near[ends[:, 3], ends[:, 2]] > 0)


def _measured(labels: Int32[np.ndarray, "height width"], upright: bool, most_px: int) -> Rules:
    """Return rules with their median thickness, without the places where they are much thicker: strokes touch there."""
    count = int(labels.max())
    if count == 0:
        return Rules(upright, labels, np.zeros(0, np.int32))
    ys, xs = np.nonzero(labels)
    owner, place = labels[ys, xs], ys if upright else xs
    span = labels.shape[0] if upright else labels.shape[1]
    across = np.bincount(owner * span + place, minlength=(count + 1) * span).reshape(count + 1, span)
    thickness = np.array([np.median(row[row > 0]) if row.any() else 1 for row in across])
    touched = across[owner, place] > np.maximum(1.4 * thickness[owner], thickness[owner] + 1)
    labels[ys[touched], xs[touched]] = 0
    return Rules(upright, labels, np.clip(np.round(thickness[1:]), 1, most_px).astype(np.int32))


def follow_rules(rules: Rules, dark: UInt8[np.ndarray, "height width"], reach_px: int, full: float) -> Rules:
    """Return rules of a blank form moved across onto those of a scan, piece by piece.

    Registration is smooth, but printers and scanners shift a line by a px or two; a rule is straight and long, so it
    can be found again exactly.

    Args:
        rules: Of one direction, in the blank form.
        dark: Darkness of the scan in the same frame.
        reach_px: How far a rule may have moved.
        full: Darkness that is enough for a rule; what is darker, such as writing, counts no more.
    """
    ys, xs = np.nonzero(rules.labels)
    if not len(ys):
        return rules
    owner = rules.labels[ys, xs]
    along, across = (ys, xs) if rules.upright else (xs, ys)
    pieces = -(-rules.labels.shape[0 if rules.upright else 1] // PIECE_PX)
    piece = owner * pieces + along // PIECE_PX
    limit = rules.labels.shape[1 if rules.upright else 0]
    offsets = np.arange(-reach_px, reach_px + 1)
    scores = np.zeros((len(offsets), (len(rules.thickness_px) + 1) * pieces))
    for row, offset in zip(scores, offsets, strict=True):
        moved = np.clip(across + offset, 0, limit - 1)
        found = dark[along, moved] if rules.upright else dark[moved, along]
        row += np.bincount(piece, weights=np.minimum(found, full), minlength=len(row))
    # Staying is preferred, or noise would move rules that the scan hardly shows.
    scores *= (1 - 0.04 * np.abs(offsets))[:, None]
    best = offsets[scores.argmax(axis=0)]
    moved = np.clip(across + best[piece], 0, limit - 1)
    labels = np.zeros_like(rules.labels)
    if rules.upright:
        labels[along, moved] = owner
    else:
        labels[moved, along] = owner
    return Rules(rules.upright, labels, rules.thickness_px)


def erase_rules(
    dark: UInt8[np.ndarray, "height width"],
    binary: UInt8[np.ndarray, "height width"],
    rules: tuple[Rules, Rules],
    reach_px: int = 1,
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without rules; what crosses or touches them stays whole.

    Args:
        dark: Soft picture.
        binary: 1 where dark.
        rules: Of both directions, in this picture or in that of the blank form.
        reach_px: How far beside `rules` they may lie, and by how much they may be thicker.
    """
    if not any(len(own.thickness_px) for own in rules):
        return dark
    bands = [_band(own, reach_px) for own in rules]
    gone = np.zeros_like(binary)
    for own, band, other in zip(rules, bands, bands[::-1], strict=True):
        if len(own.thickness_px):
            # Rules of the other direction cross too, but are no strokes.
            gone |= _erased(cv2.subtract(binary, other), own, band, reach_px)
    left = np.where(gone.astype(bool), 0, dark).astype(np.uint8)
    return _without_crumbs(left, binary, bands)


def _band(rules: Rules, reach_px: int) -> Binary:
    """Return 1 on rules and around them, drawn through where a stroke crosses."""
    most_px = int(rules.thickness_px.max()) if len(rules.thickness_px) else 1
    along = cv2.morphologyEx(rules.mask.astype(np.uint8), cv2.MORPH_CLOSE, bar(8 * most_px + 1, rules.upright))
    along = cv2.dilate(along, bar(2 * most_px + 3, rules.upright))
    return cv2.dilate(along, bar(2 * reach_px + 1, not rules.upright))


def _erased(binary: Binary, rules: Rules, band: Binary, reach_px: int) -> Binary:
    """Return 1 on rules of one direction where nothing crosses them."""
    gone = np.zeros_like(binary)
    classes = 2 ** np.ceil(np.log2(np.maximum(rules.thickness_px, 2))).astype(int)
    for most_px in np.unique(classes):
        mine = band
        if len(np.unique(classes)) > 1:
            chosen = np.concatenate([[0], classes == most_px]).astype(np.uint8)[rules.labels]
            mine = cv2.bitwise_and(band, cv2.dilate(chosen, np.ones((4 * most_px + 1, 4 * most_px + 1), np.uint8)))
        run_px = int(rules.thickness_px[classes == most_px].max()) + reach_px
        crossing = cv2.morphologyEx(binary, cv2.MORPH_OPEN, bar(run_px + 1, not rules.upright))
        # Only a run that leaves the band is a stroke: noise and blots thicken rules too.
        leaving = cv2.bitwise_and(crossing, 1 - mine)
        # From both sides this meets in the middle of the rule; a stroke that only touches keeps half of it.
        near = cv2.dilate(leaving, bar(run_px + reach_px + 3, not rules.upright))
        kept = cv2.dilate(cv2.bitwise_and(crossing, near), bar(3, rules.upright))
        halo = cv2.dilate(mine, bar(3, not rules.upright))
        gone |= cv2.bitwise_and(halo, 1 - kept)
    return gone


def _without_crumbs(
    left: UInt8[np.ndarray, "height width"], binary: Binary, bands: list[Binary]
) -> UInt8[np.ndarray, "height width"]:
    """Return darkness without pieces that lie on rules alone: where noise or writing near them made them thicker."""
    zone = cv2.dilate(cv2.bitwise_or(*bands), np.ones((3, 3), np.uint8))
    pieces = cv2.bitwise_and(binary, (left > 0).astype(np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    on_rule = np.bincount(labels[zone > 0], minlength=count)
    crumbs = on_rule >= 0.9 * stats[:, cv2.CC_STAT_AREA]
    crumbs[0] = False
    gone = cv2.dilate(crumbs[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.where((gone > 0) & ((labels == 0) | crumbs[labels]), 0, left).astype(np.uint8)
