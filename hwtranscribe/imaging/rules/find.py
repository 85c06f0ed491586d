"""Find ruled lines."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int32

from hwtranscribe.imaging.masks import Binary, widened
from hwtranscribe.imaging.rules.boxes import corner_reach_px, with_closing_sides
from hwtranscribe.imaging.rules.candidates import Candidates, chosen, find_candidates
from hwtranscribe.imaging.rules.ticks import which_are_ticks

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

    def joined(self, others: "Rules") -> "Rules":
        """Return the rules, and after them others of their direction."""
        return Rules(
            self.upright,
            np.concatenate([self.ys, others.ys]),
            np.concatenate([self.xs, others.xs]),
            np.concatenate([self.owner, others.owner + np.int32(len(self))]),
            np.concatenate([self.thickness_px, others.thickness_px]),
        )

    def mask(self, shape: tuple[int, ...], chosen: Bool[np.ndarray, " n"] | None = None) -> Binary:
        """Return 1 on the rules, or on some of them, in a picture of a shape."""
        result = np.zeros(shape, np.uint8)
        mine = slice(None) if chosen is None else chosen[self.owner]
        result[self.ys[mine], self.xs[mine]] = 1
        return result


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
    horizontal, upright = (find_candidates(small, u, round(length * SEPARATOR), thickness) for u in (False, True))
    horizontal, upright = with_closing_sides((horizontal, upright), small, BOX_SIDE * length, length)
    kept = _closed((horizontal, upright), length, small.shape)
    one, other = (
        _measured(chosen(pieces, keep), binary, factor, thickness_px)
        for pieces, keep in zip((horizontal, upright), kept, strict=True)
    )
    return one, other


def _closed(
    candidates: tuple[Candidates, Candidates], length_px: int, shape: tuple[int, ...]
) -> list[Bool[np.ndarray, " n"]]:
    """Return which pieces are rules: long ones, sides of boxes, and what divides them."""
    spans = [0.95 * shape[0] if c.upright else 0.95 * shape[1] for c in candidates]
    strong = [(c.length >= length_px) | (c.length >= max(span, 12)) for c, span in zip(candidates, spans, strict=True)]
    sides = [c.length >= BOX_SIDE * length_px for c in candidates]
    reach_px = corner_reach_px(length_px)
    # Sides with a free end are dropped until none is left; what stays is closed.
    kept = sides
    while True:
        now = [
            strong[own] | (kept[own] & _meets(candidates[own], candidates[1 - own], kept[1 - own], reach_px, shape))
            for own in (0, 1)
        ]
        if all((a == b).all() for a, b in zip(now, kept, strict=True)):
            break
        kept = now
    level, upright = (
        kept[own] | _meets(candidates[own], candidates[1 - own], kept[1 - own], reach_px, shape) for own in (0, 1)
    )
    return [level, upright | which_are_ticks(candidates[1], candidates[0], level, reach_px, shape)]


def _meets(
    pieces: Candidates, others: Candidates, kept: Bool[np.ndarray, " m"], reach_px: int, shape: tuple[int, ...]
) -> Bool[np.ndarray, " n"]:
    """Return which pieces meet a kept piece of the other direction with both ends."""
    near = np.zeros(shape, np.uint8)
    mine = kept[others.owner]
    near[others.ys[mine], others.xs[mine]] = 1
    near = widened(near, reach_px)
    ends = pieces.ends
    return (near[ends[:, 1], ends[:, 0]] > 0) & (near[ends[:, 3], ends[:, 2]] > 0)


def _measured(pieces: Candidates, binary: Binary, factor: int, most_px: int) -> Rules:
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
    # Of a piece that a stroke hides all along nothing may be left.
    kept, number = np.unique(owner[clear], return_inverse=True)
    return Rules(pieces.upright, ys[clear], xs[clear], number.astype(np.int32), usual[kept])
