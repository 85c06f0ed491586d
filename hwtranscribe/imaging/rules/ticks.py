"""Ticks: the short separators of a comb, which stand on a rule or hang from one and end free."""

from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Int32

from hwtranscribe.imaging.rules.candidates import Candidates

LEAST_TICKS = 5
"""Fewer pieces on a rule may be strokes of writing."""

ALIKE = 0.12
"""By how much of their length ticks may differ."""

PITCH = 0.06
"""By how much of it their distance may."""

REGULAR = 0.7
"""Share of the distances between pieces on a rule that keep a pitch, where these are ticks."""

MOST_MISSING = 2
"""Ticks next to one another that writing may hide."""


def which_are_ticks(
    upright: Candidates, level: Candidates, kept: Bool[np.ndarray, " m"], reach_px: int, shape: tuple[int, ...]
) -> Bool[np.ndarray, " n"]:
    """Return which upright pieces are ticks: alike, and at the same distance from one another along a rule.

    Args:
        upright: Pieces.
        level: Pieces.
        kept: Which of the level ones are rules.
        reach_px: How far from a rule a tick may begin.
        shape: Height and width of the picture.
    """
    result = np.zeros(len(upright.length), bool)
    mine = kept[level.owner]
    rules, owner = np.unique(level.owner[mine], return_inverse=True)
    if not len(result) >= LEAST_TICKS or not 0 < len(rules) < 1 << 16:
        return result
    on_rules = np.zeros(shape, np.uint16)
    on_rules[level.ys[mine], level.xs[mine]] = owner + 1
    size = 2 * reach_px + 1
    near = cv2.dilate(on_rules, np.ones((size, size), np.uint8))
    above, below = near[upright.ends[:, 1], upright.ends[:, 0]], near[upright.ends[:, 3], upright.ends[:, 2]]
    for own, other in ((above, below), (below, above)):
        one_sided = np.where(other == 0, own, 0)
        for rule in np.flatnonzero(np.bincount(one_sided)[1:] >= LEAST_TICKS) + 1:
            there = np.flatnonzero(one_sided == rule)
            usual_px = np.median(upright.length[there])
            alike = there[np.abs(upright.length[there] - usual_px) <= max(1.5, ALIKE * usual_px)]
            result[_regular(alike, upright.ends[alike, 0])] = True
    return result


def _regular(numbers: np.ndarray, places: Int32[np.ndarray, " n"]) -> list[int]:
    """Those of some pieces that keep a pitch with the one beside them; none where most do not."""
    order = np.argsort(places)
    numbers, places = numbers[order], places[order]
    if len(places) < LEAST_TICKS:
        return []
    gaps = np.diff(places)
    pitch_px = float(np.median(gaps))
    if pitch_px <= 0:
        return []
    steps = np.round(gaps / pitch_px)
    fits = (np.abs(gaps - steps * pitch_px) <= np.maximum(1.5, PITCH * pitch_px)) & (steps >= 1)
    fits &= steps <= 1 + MOST_MISSING
    if fits.sum() < max(LEAST_TICKS - 1, REGULAR * len(gaps)):
        return []
    pairs = [pair for pair, good in zip(pairwise(numbers.tolist()), fits, strict=True) if good]
    return sorted({number for pair in pairs for number in pair})
