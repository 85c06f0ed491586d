"""The characters of one field of a form."""

from dataclasses import replace

from hwtranscribe.segment.cells import CellGrid, cell_boxes
from hwtranscribe.segment.free import free_boxes
from hwtranscribe.segment.place import written_box
from hwtranscribe.segment.standing import with_rules_touched
from hwtranscribe.segment.strike import WHOLE, struck_share
from hwtranscribe.types import CROSSED_OUT, AlignedPage, Box, CharBoxes


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
    boxes = with_rules_touched(aligned, boxes)
    struck = struck_share(aligned, boxes, frame)
    if struck == 0:
        return boxes
    why = CROSSED_OUT if struck >= WHOLE else f"{CROSSED_OUT} in part"
    return replace(boxes, doubt="; ".join(filter(None, [boxes.doubt, why])))
