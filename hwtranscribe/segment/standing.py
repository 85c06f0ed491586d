"""Which characters touch a rule: a foot that lay on one below them went with it, or a head that lay on one above."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from hwtranscribe.types import AlignedPage, CharBoxes

_FOOT_PX, _HEAD_PX = 4, 1
"""A character touches a rule that is no more than this under its ink, or above it."""
_ALONG = 0.9
"""Share of a character's width that a rule goes along it."""
_HANGING = 0.4
"""Heads are taken to be lost when this share of what is written hangs from a rule: a tall character may touch one."""


def with_rules_touched(aligned: AlignedPage, boxes: CharBoxes) -> CharBoxes:
    """Return a lattice that says which of its characters stand on a rule of the page, and which hang from one."""
    printed = aligned.rules if aligned.printing is None else aligned.printing
    if printed is None or not len(boxes.boxes):
        return boxes
    on_rule, under_rule = (np.zeros(len(boxes.boxes), bool) for _ in range(2))
    for edge, (left, top, right, bottom) in enumerate(boxes.boxes.astype(int).tolist()):
        columns = slice(max(0, left), right)
        under = printed[max(0, bottom - 1) : bottom + _FOOT_PX, columns]
        over = printed[max(0, top - _HEAD_PX) : max(0, top) + 1, columns]
        inside = printed[max(0, top + _HEAD_PX) : max(0, bottom - _FOOT_PX), columns]
        if inside.size and inside.mean() < 1 - _ALONG:
            on_rule[edge] = _goes_along(under)
            under_rule[edge] = _goes_along(over)
    written = ~boxes.blank
    # What a blank form prints is known to the px: of the heads that touched it, none had gone.
    hangs = aligned.printing is None and written.any() and under_rule[written].mean() >= _HANGING
    return replace(boxes, on_rule=on_rule if on_rule.any() else None, under_rule=under_rule if hangs else None)


def _goes_along(printed: Bool[np.ndarray, "height width"]) -> bool:
    return printed.size > 0 and float(printed.any(axis=0).mean()) >= _ALONG
