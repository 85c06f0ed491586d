"""The characters of one field of a form."""

from collections.abc import Sequence
from dataclasses import replace

from hwtranscribe.segment.beside import BESIDE, has_writing_beside
from hwtranscribe.segment.cells import CellGrid, cell_boxes, find_cells
from hwtranscribe.segment.free import free_boxes
from hwtranscribe.segment.place import written_box
from hwtranscribe.segment.ruled import above_its_rule
from hwtranscribe.segment.slashes import end_in_slashes
from hwtranscribe.segment.standing import with_rules_touched
from hwtranscribe.segment.strike import WHOLE, struck_share
from hwtranscribe.types import CROSSED_OUT, AlignedPage, Box, CharBoxes


def field_place(page: AlignedPage, box: Box, cells: int | None) -> tuple[Box, CellGrid | None]:
    """Where a field is, and its cells: what is printed counts, for boxes are drawn by eye.

    Args:
        page: The blank form, or a page of which none is known.
        box: Of the field, aligned px.
        cells: How many the template says there are, or None to find out.
    """
    grid = find_cells(page, box, cells)
    return (above_its_rule(page, box) if grid is None else box), grid


def field_boxes(
    aligned: AlignedPage, field: str, box: Box, grid: CellGrid | None, others: Sequence[Box] = ()
) -> CharBoxes:
    """The characters of a comb, or the lattice of free writing where there is none.

    Args:
        aligned: The page.
        field: Name of the field.
        box: In aligned px.
        grid: Its cells, from `find_cells`; None when it is no comb.
        others: Boxes of the other fields, to which writing beside this one may belong.
    """
    if grid is None:
        boxes, frame = free_boxes(aligned, field, written_box(aligned, box)), (box[1], box[3])
    else:
        boxes, frame = cell_boxes(aligned, field, box, grid), (grid.top, grid.bottom)
    boxes = with_rules_touched(aligned, boxes)
    struck = struck_share(aligned, boxes, frame)
    cancelled = grid is not None and end_in_slashes(boxes)
    crossed_out = "" if not (struck or cancelled) else CROSSED_OUT if struck >= WHOLE else f"{CROSSED_OUT} in part"
    blank = bool(boxes.blank.all())
    beside = BESIDE if has_writing_beside(aligned, _with_characters(box, boxes), others, blank) else ""
    return replace(boxes, doubt="; ".join(filter(None, [boxes.doubt, crossed_out, beside])))


def _with_characters(box: Box, boxes: CharBoxes) -> Box:
    """The box of a field, made wider by the characters that stand over its ends: it is drawn by eye."""
    left, top, right, bottom = box
    if len(boxes.boxes):
        left, right = min(left, round(boxes.boxes[:, 0].min())), max(right, round(boxes.boxes[:, 2].max()))
    return left, top, right, bottom
