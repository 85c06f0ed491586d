"""The characters of one field of a form."""

from collections.abc import Sequence
from dataclasses import replace

from hwtranscribe.segment.beside import BESIDE, has_writing_beside
from hwtranscribe.segment.cells import CellGrid, cell_boxes, find_cells
from hwtranscribe.segment.free import free_lines
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


def field_lines(
    aligned: AlignedPage, field: str, box: Box, grid: CellGrid | None, others: Sequence[Box] = ()
) -> list[CharBoxes]:
    """The characters of a comb, or the lattice of each line of free writing where there is none, top to bottom.

    There is at least one; what makes the field as a whole doubtful is said of the first.

    Args:
        aligned: The page.
        field: Name of the field.
        box: In aligned px.
        grid: Its cells, from `find_cells`; None when it is no comb.
        others: Boxes of the other fields, to which writing beside this one may belong.
    """
    if grid is None:
        lines, frame = free_lines(aligned, field, written_box(aligned, box)), (box[1], box[3])
    else:
        lines, frame = [cell_boxes(aligned, field, box, grid)], (grid.top, grid.bottom)
    lines = [with_rules_touched(aligned, line) for line in lines]
    struck = [struck_share(aligned, line, frame) for line in lines]
    cancelled = grid is not None and end_in_slashes(lines[0])
    some = f"{CROSSED_OUT} in part" if cancelled or max(struck) > 0 else ""
    crossed_out = CROSSED_OUT if min(struck) >= WHOLE else some
    blank = all(bool(line.blank.all()) for line in lines)
    beside = BESIDE if has_writing_beside(aligned, _with_characters(box, lines), others, blank) else ""
    return [replace(lines[0], doubt="; ".join(filter(None, [lines[0].doubt, crossed_out, beside]))), *lines[1:]]


def _with_characters(box: Box, lines: Sequence[CharBoxes]) -> Box:
    """The box of a field, made wider by the characters that stand over its ends: it is drawn by eye."""
    left, top, right, bottom = box
    for line in lines:
        if len(line.boxes):
            left, right = min(left, round(line.boxes[:, 0].min())), max(right, round(line.boxes[:, 2].max()))
    return left, top, right, bottom
