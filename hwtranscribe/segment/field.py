"""The characters of one field of a form."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from hwtranscribe.segment.cells import CellGrid, cell_boxes
from hwtranscribe.segment.free import free_boxes
from hwtranscribe.segment.place import written_box
from hwtranscribe.segment.strike import WHOLE, struck_share
from hwtranscribe.types import CROSSED_OUT, AlignedPage, Box, CharBoxes

_FOOT_PX = 4
"""A character stands on a rule that begins no more than this under its ink."""
_ALONG = 0.9
"""Share of a character's width that a rule goes along under it."""


def field_boxes(aligned: AlignedPage, field: str, box: Box, grid: CellGrid | None) -> CharBoxes:
    """The characters of a comb, or the lattice of free writing where there is none.

    Args:
        aligned: The page.
        field: Name of the field.
        box: In aligned px.
        grid: Its cells, from `find_cells`; None when it is no comb.
    """
    if grid is None:
        boxes, frame = free_boxes(aligned, field, written_box(aligned, box)), (box[1], box[3])
    else:
        boxes, frame = cell_boxes(aligned, field, box, grid), (grid.top, grid.bottom)
    boxes = replace(boxes, on_rule=_on_rule(aligned, boxes))
    struck = struck_share(aligned, boxes, frame)
    if struck == 0:
        return boxes
    why = CROSSED_OUT if struck >= WHOLE else f"{CROSSED_OUT} in part"
    return replace(boxes, doubt="; ".join(filter(None, [boxes.doubt, why])))


def _on_rule(aligned: AlignedPage, boxes: CharBoxes) -> Bool[np.ndarray, " n"] | None:
    """Return which characters stand on a rule of the form; None where none does."""
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
