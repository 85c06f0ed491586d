"""Thin straight pieces that may be rules, or sides of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from hwtranscribe.imaging.masks import Binary, bar, places


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
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


def find_candidates(binary: Binary, upright: bool, length_px: int, thickness_px: int) -> Candidates:
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
    everything = Candidates(upright, ys, xs, owner, ends.astype(np.int32), along[good].astype(np.int32))
    return chosen(everything, good)


def _extent(
    xs: Int32[np.ndarray, " px"], ys: Int32[np.ndarray, " px"], owner: Int32[np.ndarray, " px"], count: int
) -> tuple[Int64[np.ndarray, "n 2"], Int64[np.ndarray, "n 2"]]:
    """Return the smallest and the largest x and y of every piece."""
    low, high = np.full((count, 2), 1 << 30), np.full((count, 2), -1)
    for axis, place in enumerate((xs, ys)):
        np.minimum.at(low[:, axis], owner, place)
        np.maximum.at(high[:, axis], owner, place)
    return low, high


def chosen(pieces: Candidates, keep: Bool[np.ndarray, " n"]) -> Candidates:
    """Return some of the pieces, renumbered; their ends and lengths are narrowed down when they still hold all."""
    numbers = np.cumsum(keep) - 1
    mine = keep[pieces.owner]
    rest = keep if len(pieces.length) == len(keep) else slice(None)
    return Candidates(
        pieces.upright,
        pieces.ys[mine],
        pieces.xs[mine],
        numbers[pieces.owner[mine]].astype(np.int32),
        pieces.ends[rest],
        pieces.length[rest],
    )


def joined_with(pieces: Candidates, others: Sequence[Int64[np.ndarray, "_px 2"]]) -> Candidates:
    """Return pieces and others of their direction, given by the rows and columns of their px."""
    if not others:
        return pieces
    px, count = np.concatenate(others), len(pieces.length)
    owner = np.repeat(np.arange(count, count + len(others)), [len(one) for one in others])
    low, high = (np.array([reach(one, axis=0)[::-1] for one in others]) for reach in (np.min, np.max))
    across = 0 if pieces.upright else 1
    along = (high - low + 1)[:, 1 - across]
    low[:, across] = high[:, across] = (low[:, across] + high[:, across]) // 2
    return Candidates(
        pieces.upright,
        np.concatenate([pieces.ys, px[:, 0]]).astype(np.int32),
        np.concatenate([pieces.xs, px[:, 1]]).astype(np.int32),
        np.concatenate([pieces.owner, owner]).astype(np.int32),
        np.concatenate([pieces.ends, np.hstack([low, high])]).astype(np.int32),
        np.concatenate([pieces.length, along]).astype(np.int32),
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
