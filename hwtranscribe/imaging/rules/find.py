"""Find ruled lines."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from hwtranscribe.imaging.masks import Binary, bar, places

SEARCH_SIZE_PX = 1800
"""Rules are searched at a scale at which the page's long side is not more than this."""

BOX_SIDE = 0.4
"""Shortest side of a box that stands alone, as a share of the shortest free rule."""

SEPARATOR = 0.2
"""Shortest piece between two rules, as a share of the shortest free rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Rules of one direction, as lists of px: they are few.

    Attributes:
        upright: Whether they are vertical.
        ys: Rows of their px.
        xs: Columns.
        owner: To which rule every px belongs, 0-based.
        thickness_px: Of each rule.
    """

    upright: bool
    ys: Int32[np.ndarray, " px"]
    xs: Int32[np.ndarray, " px"]
    owner: Int32[np.ndarray, " px"]
    thickness_px: Int32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.thickness_px)

    def within(self, window: tuple[slice, slice]) -> "Rules":
        """Return what of the rules lies in a window, in px of it."""
        rows, columns = window
        mine = (self.ys >= rows.start) & (self.ys < rows.stop) & (self.xs >= columns.start) & (self.xs < columns.stop)
        ys, xs = self.ys[mine] - rows.start, self.xs[mine] - columns.start
        return Rules(self.upright, ys, xs, self.owner[mine], self.thickness_px)

    def mask(self, shape: tuple[int, ...], chosen: Bool[np.ndarray, " n"] | None = None) -> Binary:
        """Return 1 on the rules, or on some of them, in a picture of a shape."""
        result = np.zeros(shape, np.uint8)
        mine = slice(None) if chosen is None else chosen[self.owner]
        result[self.ys[mine], self.xs[mine]] = 1
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Thin straight pieces of one direction.

    Attributes:
        upright: Whether they are vertical.
        ys: Rows of their px.
        xs: Columns.
        owner: 0-based number of the piece.
        ends: First and last px of every piece as x, y, x, y.
        length: Along the direction, px.
    """

    upright: bool
    ys: Int32[np.ndarray, " px"]
    xs: Int32[np.ndarray, " px"]
    owner: Int32[np.ndarray, " px"]
    ends: Int32[np.ndarray, "n 4"]
    length: Int32[np.ndarray, " n"]


def find_rules(binary: Binary, length_px: int, thickness_px: int) -> tuple[Rules, Rules]:
    """Return the horizontal and the vertical rules of a picture.

    Args:
        binary: 1 where dark.
        length_px: Shortest rule that stands alone.
        thickness_px: Thickest rule.
    """
    factor = min(-(-max(binary.shape) // SEARCH_SIZE_PX), *binary.shape)  # a strip may be thinner than a block
    small = binary
    if factor > 1:
        # The darkest px of every block, so that a thin rule stays unbroken.
        small = cv2.dilate(binary, np.ones((factor, factor), np.uint8), anchor=(0, 0))[::factor, ::factor]
        small = np.ascontiguousarray(small)
    length, thickness = max(8, length_px // factor), max(2, -(-thickness_px // factor))
    horizontal, upright = (_candidates(small, u, round(length * SEPARATOR), thickness) for u in (False, True))
    kept = _closed((horizontal, upright), length, small.shape)
    one, other = (
        _measured(_chosen(pieces, keep), binary, factor, thickness_px)
        for pieces, keep in zip((horizontal, upright), kept, strict=True)
    )
    return one, other


def _candidates(binary: Binary, upright: bool, length_px: int, thickness_px: int) -> _Candidates:
    """Return thin straight dark pieces of at least a length."""
    # Beyond the picture there is paper, or a rule along its rim would have no end to its thickness.
    thick = cv2.morphologyEx(
        binary, cv2.MORPH_OPEN, bar(thickness_px + 1, not upright), borderType=cv2.BORDER_CONSTANT, borderValue=(0,)
    )
    thin = cv2.subtract(binary, thick)
    joined = cv2.morphologyEx(binary, cv2.MORPH_CLOSE, bar(3, upright))
    # Steps shorter than the rule, for it may climb a px now and then, but longer than rules across are thick.
    straight = cv2.morphologyEx(joined, cv2.MORPH_OPEN, bar(min(length_px, thickness_px + 3), upright))
    # Where a stroke crosses, the run is thick but the rule goes on: such gaps are bridged where they are dark.
    own = cv2.bitwise_and(thin, straight)
    bridged = cv2.morphologyEx(own, cv2.MORPH_CLOSE, bar(4 * thickness_px + 1, upright))
    count, labels = cv2.connectedComponents(cv2.bitwise_or(own, cv2.bitwise_and(bridged, joined)), connectivity=8)
    ys, xs = places(own)
    owner = labels[ys, xs]
    thin_px = np.bincount(owner, minlength=count)
    low, high = _extent(xs, ys, owner, count)
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
    middle = (low + high) // 2
    if upright:
        ends = np.column_stack([middle[good, 0], low[good, 1], middle[good, 0], high[good, 1]])
    else:
        ends = np.column_stack([low[good, 0], middle[good, 1], high[good, 0], middle[good, 1]])
    everything = _Candidates(upright, ys, xs, owner, ends.astype(np.int32), along[good].astype(np.int32))
    return _chosen(everything, good)


def _extent(
    xs: Int32[np.ndarray, " px"], ys: Int32[np.ndarray, " px"], owner: Int32[np.ndarray, " px"], count: int
) -> tuple[Int64[np.ndarray, "n 2"], Int64[np.ndarray, "n 2"]]:
    """Return the smallest and the largest x and y of every piece."""
    low, high = np.full((count, 2), 1 << 30), np.full((count, 2), -1)
    for axis, place in enumerate((xs, ys)):
        np.minimum.at(low[:, axis], owner, place)
        np.maximum.at(high[:, axis], owner, place)
    return low, high


def _chosen(pieces: _Candidates, keep: Bool[np.ndarray, " n"]) -> _Candidates:
    """Return some of the pieces, renumbered; their ends and lengths are narrowed down when they still hold all."""
    numbers = np.cumsum(keep) - 1
    mine = keep[pieces.owner]
    rest = keep if len(pieces.length) == len(keep) else slice(None)
    return _Candidates(
        pieces.upright,
        pieces.ys[mine],
        pieces.xs[mine],
        numbers[pieces.owner[mine]].astype(np.int32),
        pieces.ends[rest],
        pieces.length[rest],
    )


def _scatter_px(
    across: Int32[np.ndarray, " px"], along: Int32[np.ndarray, " px"], owner: Int32[np.ndarray, " px"], count: int
) -> Float64[np.ndarray, " n"]:
    """Return how far the px of pieces scatter about a straight line: standard deviation from the regression."""
    size = np.maximum(np.bincount(owner, minlength=count), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, weights=values, minlength=count) / size

    x, y = along - mean(along)[owner], across - mean(across)[owner]
    slope = mean(x * y) / np.maximum(mean(x * x), 1e-9)
    return np.sqrt(np.maximum(mean(y * y) - slope**2 * mean(x * x), 0))


def _closed(
    candidates: tuple[_Candidates, _Candidates], length_px: int, shape: tuple[int, ...]
) -> list[Bool[np.ndarray, " n"]]:
    """Return which pieces are rules: long ones, sides of boxes, and what divides them."""
    spans = [0.95 * shape[0] if c.upright else 0.95 * shape[1] for c in candidates]
    strong = [(c.length >= length_px) | (c.length >= max(span, 12)) for c, span in zip(candidates, spans, strict=True)]
    sides = [c.length >= BOX_SIDE * length_px for c in candidates]
    # Sides with a free end are dropped until none is left; what stays is closed.
    kept = sides
    while True:
        now = [
            strong[own] | (kept[own] & _meets(candidates[own], candidates[1 - own], kept[1 - own], length_px, shape))
            for own in (0, 1)
        ]
        if all((a == b).all() for a, b in zip(now, kept, strict=True)):
            break
        kept = now
    return [kept[own] | _meets(candidates[own], candidates[1 - own], kept[1 - own], length_px, shape) for own in (0, 1)]


def _meets(
    pieces: _Candidates, others: _Candidates, kept: Bool[np.ndarray, " m"], length_px: int, shape: tuple[int, ...]
) -> Bool[np.ndarray, " n"]:
    """Return which pieces meet a kept piece of the other direction with both ends."""
    reach = max(2, round(0.05 * length_px))
    near = np.zeros(shape, np.uint8)
    mine = kept[others.owner]
    near[others.ys[mine], others.xs[mine]] = 1
    near = cv2.dilate(near, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    ends = pieces.ends
    return (near[ends[:, 1], ends[:, 0]] > 0) & (near[ends[:, 3], ends[:, 2]] > 0)


def _measured(pieces: _Candidates, binary: Binary, factor: int, most_px: int) -> Rules:
    """Return pieces at full scale with their median thickness, without the places where strokes touch and thicken them.

    Args:
        pieces: At reduced scale.
        binary: 1 where dark, at full scale.
        factor: Full px per px of the pieces.
        most_px: Largest thickness.
    """
    ys, xs, owner = pieces.ys, pieces.xs, pieces.owner
    if factor > 1:
        step = np.arange(factor, dtype=np.int32)
        down, right = np.repeat(step, factor), np.tile(step, factor)
        ys = np.minimum((ys[:, None] * factor + down).ravel(), binary.shape[0] - 1)
        xs = np.minimum((xs[:, None] * factor + right).ravel(), binary.shape[1] - 1)
        owner = np.repeat(owner, factor * factor)
        dark = binary[ys, xs] > 0
        ys, xs, owner = ys[dark], xs[dark], owner[dark]
    count = len(pieces.length)
    span = binary.shape[0] if pieces.upright else binary.shape[1]
    place = ys if pieces.upright else xs
    across = np.bincount(owner.astype(np.int64) * span + place, minlength=count * span).reshape(count, span)
    thickness = np.array([np.median(row[row > 0]) if row.any() else 1 for row in across])
    if not count:
        return Rules(pieces.upright, ys, xs, owner, np.zeros(0, np.int32))
    clear = across[owner, place] <= np.maximum(1.4 * thickness[owner], thickness[owner] + 1)
    usual = np.clip(np.round(thickness), 1, most_px).astype(np.int32)
    return Rules(pieces.upright, ys[clear], xs[clear], owner[clear], usual)
