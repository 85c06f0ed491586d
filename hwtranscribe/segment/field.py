"""The characters of one field of a form."""

from dataclasses import replace

from hwtranscribe.segment.cells import cell_boxes, find_cells
from hwtranscribe.segment.free import free_boxes
from hwtranscribe.segment.place import written_box
from hwtranscribe.segment.strike import WHOLE, struck_share
from hwtranscribe.types import CROSSED_OUT, AlignedPage, Box, CharBoxes


def field_boxes(aligned: AlignedPage, field: str, box: Box, cells: int | None) -> CharBoxes:
    """The characters of a comb, or the lattice of free writing where there is none.

    Args:
        aligned: The page.
        field: Name of the field.
        box: In aligned px.
        cells: Number of cells, or None to find out whether the field is a comb.
    """
    grid = find_cells(aligned, box, cells)
    if grid is None:
        boxes = free_boxes(aligned, field, written_box(aligned, box))
    else:
        boxes = cell_boxes(aligned, field, box, grid)
    struck = struck_share(aligned, boxes)
    if struck == 0:
        return boxes
    why = CROSSED_OUT if struck >= WHOLE else f"{CROSSED_OUT} in part"
    return replace(boxes, doubt="; ".join(filter(None, [boxes.doubt, why])))
