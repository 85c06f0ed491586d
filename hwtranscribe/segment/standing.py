"""Which characters stand on a rule: a foot that lay on it went with it."""

import numpy as np
from jaxtyping import Bool

from hwtranscribe.types import AlignedPage, CharBoxes

_FOOT_PX = 4
"""A character stands on a rule that begins no more than this under its ink."""
_ALONG = 0.9
"""Share of a character's width that a rule goes along under it."""


def standing_on_rules(aligned: AlignedPage, boxes: CharBoxes) -> Bool[np.ndarray, " n"] | None:
    """Return which characters of a lattice stand on a rule of the page; None where none does."""
    printed = aligned.rules if aligned.printing is None else aligned.printing
    if printed is None or not len(boxes.boxes):
        return None
    on_rule = np.zeros(len(boxes.boxes), bool)
    for edge, (left, top, right, bottom) in enumerate(boxes.boxes.astype(int).tolist()):
        columns = slice(max(0, left), right)
        under = printed[max(0, bottom - 1) : bottom + _FOOT_PX, columns]
        if under.size and under.any(axis=0).mean() >= _ALONG:
            inside = printed[max(0, top) : max(0, bottom - _FOOT_PX), columns]
            on_rule[edge] = inside.size > 0 and inside.mean() < 1 - _ALONG
    return on_rule if on_rule.any() else None
