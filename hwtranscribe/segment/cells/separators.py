"""Separators of a comb that are still in the ink: where no blank form is known, only some are found as rules."""

import numpy as np
from jaxtyping import Float32, UInt8

from hwtranscribe.imaging.masks import above, places
from hwtranscribe.imaging.rules import Rules, erase_rules

INK = 64
"""Ink from which on a px belongs to a stroke or separator."""

THERE = 0.6
"""Share of its length that is dark where a separator is still there."""

REACH_PX = 2
"""How far beside its place a separator may lie."""


def without_separators(
    ink: UInt8[np.ndarray, "height width"],
    edges: Float32[np.ndarray, " n_edges"],
    rows: tuple[int, int],
    separator_px: int,
) -> UInt8[np.ndarray, "height width"]:
    """Return ink without separators; strokes that touch or cross them stay.

    Args:
        ink: Surroundings of the field.
        edges: x of the cells' edges in it.
        rows: First row of the separators in it and the one after the last.
        separator_px: Their thickness.
    """
    binary = above(ink, INK)
    first, last = max(0, rows[0]), min(len(ink), rows[1])
    nothing = np.zeros(0, np.int32)
    ys, xs, owner = [nothing], [nothing], [nothing]
    count = 0
    for edge in edges.tolist():
        left = round(edge - separator_px / 2)
        if left < REACH_PX or left + separator_px + REACH_PX > ink.shape[1] or last <= first:
            continue
        near = binary[first:last, left - REACH_PX : left + separator_px + REACH_PX]
        # It lies where most is dark.
        filled = np.convolve(near.mean(axis=0), np.ones(separator_px), "valid")
        at = min(range(len(filled)), key=lambda k: (-round(float(filled[k]), 2), abs(k - REACH_PX)))
        there = near[:, at : at + separator_px]
        if there.any(axis=1).mean() < THERE:
            continue
        down, across = places(there)
        ys.append(down + first)
        xs.append(across + left - REACH_PX + at)
        owner.append(np.full(len(down), count, np.int32))
        count += 1
    level = Rules(False, nothing, nothing, nothing, nothing)
    thickness_px = np.full(count, separator_px, np.int32)
    upright = Rules(True, np.concatenate(ys), np.concatenate(xs), np.concatenate(owner), thickness_px)
    return erase_rules(ink, binary, (level, upright))[0]
