"""Free writing: the ink of a form's field, or of the lines of a page, as lattices."""

from dataclasses import replace
from itertools import count, groupby

import numpy as np
from jaxtyping import Int32

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.lattice import empty_boxes, hand_of, line_lattice
from hwtranscribe.segment.lines import find_lines
from hwtranscribe.types import AlignedPage, Box, CharBoxes

MARGIN = 0.5
"""Writing is followed this far out of its field, in field heights."""


def page_lines(aligned: AlignedPage) -> list[CharBoxes]:
    """The lines of a page in reading order, named line001 and so on; those of drawn tables after their cells.

    A cell has as many as lines are written in it, and an empty one where there are none.
    """
    numbers = count(1)
    lattices = []
    for table, group in groupby(
        find_lines(aligned.ink, aligned.tables), key=lambda line: line.cell and line.cell.table
    ):
        lines = list(group)
        inks = [line.ink for line in lines if line.ink is not None]
        hand = hand_of(inks) if table and inks else None
        for line in lines:
            field = line.cell.field if line.cell else f"line{next(numbers):03d}"
            if line.ink is None:
                lattice = empty_boxes(field, line.box)
            else:
                lattice = line_lattice(line.ink, field, line.box, hand)
            lattices.append(replace(lattice, in_table=line.cell))
    return lattices


def free_boxes(aligned: AlignedPage, field: str, box: Box) -> CharBoxes:
    """The lattice of a field with free writing.

    A component belongs to the field when most of its ink lies in it; then all of it does, also what sticks out.

    Args:
        aligned: The page.
        field: Name of the field.
        box: In aligned px.
    """
    height, width = aligned.ink.shape
    margin_px = round(MARGIN * (box[3] - box[1]))
    left, top = max(0, box[0] - margin_px), max(0, box[1] - margin_px)
    right, bottom = min(width, box[2] + margin_px), min(height, box[3] + margin_px)
    if right <= left or bottom <= top:
        return empty_boxes(field, box)
    ink = np.ascontiguousarray(aligned.ink[top:bottom, left:right])
    components = find_components(ink)
    inner = (slice(max(0, box[1] - top), box[3] - top), slice(max(0, box[0] - left), box[2] - left))
    mine = _mostly_inside(components, inner)
    if not len(mine):
        return empty_boxes(field, box)
    window = (
        slice(int(components.top[mine].min()), int(components.bottom[mine].max())),
        slice(int(components.left[mine].min()), int(components.right[mine].max())),
    )
    written = components.soft_ink(ink, mine, window)
    origin = left + window[1].start, top + window[0].start
    at = (origin[0], origin[1], origin[0] + written.shape[1], origin[1] + written.shape[0])
    lattice = line_lattice(written, field, at)
    return lattice


def _mostly_inside(components: Components, inner: tuple[slice, slice]) -> Int32[np.ndarray, " n"]:
    """Components with more than half of their ink in a window."""
    if not len(components):
        return np.zeros(0, np.int32)
    inside = np.bincount(components.labels[inner].ravel(), minlength=len(components) + 1)[1:]
    return np.flatnonzero(inside > 0.5 * components.area).astype(np.int32)
