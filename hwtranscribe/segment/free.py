"""Free writing: the ink of a form's field, or of the lines of a page, as lattices."""

from dataclasses import replace
from itertools import count, groupby

import numpy as np
from jaxtyping import Bool, Int32

from hwtranscribe.segment.components import Components, find_components
from hwtranscribe.segment.lattice import empty_boxes, line_lattice
from hwtranscribe.segment.lines import Line, find_lines
from hwtranscribe.segment.stacked import stacked_lines
from hwtranscribe.segment.standing import with_rules_touched
from hwtranscribe.segment.surroundings import CHARACTER, NOT_LEFT_OUT, RIM
from hwtranscribe.segment.upright import hand_of
from hwtranscribe.types import AlignedPage, Box, CharBoxes

TAIL = 0.15
"""How far from the lower end of a field, in its heights, tails begin that its frame cut off."""

MARGIN = 0.5
"""Writing is followed this far out of its field, in field heights."""

SIDE_REACH, SIDE_LENGTH, SIDE_LEAN, HAIR_LINE = 0.35, 0.3, 0.1, 0.6
"""What stands no further than this from an end of a field, is at least so high and leans no more, all in field heights,
and is thinner than this share of the pen, is left of the frame."""


def page_lines(aligned: AlignedPage) -> list[CharBoxes]:
    """The lines of a page in reading order, named line001 and so on; those of drawn tables after their cells.

    A cell has as many as lines are written in it, and an empty one where there are none.
    """
    return _lattices(aligned, find_lines(aligned.ink, aligned.tables), 1)


def cut_off_lines(aligned: AlignedPage, first: int) -> list[CharBoxes]:
    """The lines that `page_lines` leaves out because an edge of the picture cuts through them.

    Args:
        aligned: The page.
        first: Number of the first one, after those of the page's other lines.
    """
    lines = find_lines(aligned.ink, aligned.tables, cut_off=True)
    return _lattices(aligned, [line for line in lines if line.cell is None], first)


def _lattices(aligned: AlignedPage, found: list[Line], first: int) -> list[CharBoxes]:
    numbers = count(first)
    lattices = []
    for table, group in groupby(found, key=lambda line: line.cell and line.cell.table):
        lines = list(group)
        inks = [line.ink for line in lines if line.ink is not None]
        hand = hand_of(inks) if table and inks else None
        for line in lines:
            field = line.cell.field if line.cell else f"line{next(numbers):03d}"
            if line.ink is None:
                lattice = empty_boxes(field, line.box)
            else:
                lattice = line_lattice(line.ink, field, line.box, hand)
            lattice = with_rules_touched(aligned, lattice)
            lattices.append(replace(lattice, in_table=line.cell, doubt=line.doubt))
    return lattices


def free_lines(aligned: AlignedPage, field: str, box: Box) -> list[CharBoxes]:
    """The lattices of a field with free writing, one for each of its lines, top to bottom; one where it is empty.

    What makes the field doubtful is said of the first.

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
        return [empty_boxes(field, box)]
    ink = np.ascontiguousarray(aligned.ink[top:bottom, left:right])
    components = find_components(ink)
    inner = (slice(max(0, box[1] - top), box[3] - top), slice(max(0, box[0] - left), box[2] - left))
    inside = _mostly_inside(components, inner)
    mine = inside[~_of_the_frame(components, inside, inner)]
    doubt = NOT_LEFT_OUT if _holds_more(components, inside, inner) else ""
    if not len(mine):
        return [replace(empty_boxes(field, box), doubt=doubt)]
    lines, joined = stacked_lines(components, _with_tails(components, mine, inner[0].stop, box[3] - box[1]))
    windows = [_window(components, line) for line in lines]
    inks = [components.soft_ink(ink, line, window) for line, window in zip(lines, windows, strict=True)]
    hand = hand_of(inks) if len(inks) > 1 else None
    lattices = []
    for (rows, columns), written in zip(windows, inks, strict=True):
        at = (left + columns.start, top + rows.start, left + columns.stop, top + rows.stop)
        lattices.append(line_lattice(written, field, at, hand))
    return [replace(lattices[0], doubt="; ".join(filter(None, [doubt, joined]))), *lattices[1:]]


def _window(components: Components, chosen: Int32[np.ndarray, " n"]) -> tuple[slice, slice]:
    """Rows and columns of some components."""
    return (
        slice(int(components.top[chosen].min()), int(components.bottom[chosen].max())),
        slice(int(components.left[chosen].min()), int(components.right[chosen].max())),
    )


def _mostly_inside(components: Components, inner: tuple[slice, slice]) -> Int32[np.ndarray, " n"]:
    """Components with more than half of their ink in a window."""
    if not len(components):
        return np.zeros(0, np.int32)
    inside = np.bincount(components.labels[inner].ravel(), minlength=len(components) + 1)[1:]
    return np.flatnonzero(inside > 0.5 * components.area).astype(np.int32)


def _of_the_frame(
    components: Components, mine: Int32[np.ndarray, " n"], inner: tuple[slice, slice]
) -> Bool[np.ndarray, " n"]:
    """Which of some components are upright hair lines at the ends of a window."""
    rows, columns = inner
    height_px = rows.stop - rows.start
    middle = (components.left[mine] + components.right[mine]) / 2
    to_end = np.minimum(np.abs(middle - columns.start), np.abs(middle - columns.stop))
    tall, broad = components.height[mine], components.width[mine]
    thickness_px = components.area[mine] / np.maximum(tall, 1)
    return (
        (to_end <= SIDE_REACH * height_px)
        & (tall >= SIDE_LENGTH * height_px)
        & (broad <= SIDE_LEAN * height_px)
        & (thickness_px <= HAIR_LINE * components.stroke_width_px)
    )


def _holds_more(components: Components, mine: Int32[np.ndarray, " n"], inner: tuple[slice, slice]) -> bool:
    """Whether well within a window there is writing that belongs to none of some components."""
    rows, columns = inner
    height_px = rows.stop - rows.start
    rim_px = round(RIM * height_px)
    middle = components.labels[rows.start + rim_px : rows.stop - rim_px, columns.start + rim_px : columns.stop - rim_px]
    there = np.bincount(middle.ravel(), minlength=len(components) + 1)[1:]
    there[mine] = 0
    return bool(there.max(initial=0) >= CHARACTER * height_px * components.stroke_width_px)


def _with_tails(
    components: Components, mine: Int32[np.ndarray, " n"], bottom: int, height_px: int
) -> Int32[np.ndarray, " m"]:
    """Components of a field with the tails that were torn off where they cross its lower frame.

    Args:
        components: Of the surroundings of the field.
        mine: 0-based components of the field.
        bottom: Lower end of the field in the surroundings.
        height_px: Of the field.
    """
    reach_px = max(1, round(components.stroke_width_px / 2))
    lowest = components.bottom[mine].max()
    near = np.abs(components.top - bottom) <= TAIL * height_px
    near &= (components.top <= lowest + reach_px) & (components.bottom > lowest)
    tails = []
    for k in np.setdiff1d(np.flatnonzero(near), mine):
        top, left, right = (int(side[k]) for side in (components.top, components.left, components.right))
        over = components.labels[max(0, top - reach_px) : top + 1, max(0, left - reach_px) : right + reach_px]
        if np.isin(over, mine + 1).any():
            tails.append(k)
    return np.concatenate([mine, np.array(tails, np.int32)]).astype(np.int32)
