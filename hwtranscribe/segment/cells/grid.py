"""The cells that the lines of a comb show: a pitch that most keep, with the missing ones put in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from hwtranscribe.segment.cells.lines import CombLines, comb_lines, merged
from hwtranscribe.types import AlignedPage, Box

TEARING = 0.25
"""A separator this far from the ends of a cell, in its widths, goes through the midst of it."""

LEAST_UNEQUAL = 3
"""Separators that make a comb of unequal cells where no blank form says what is printed; fewer may be strokes."""

DOUBLE = 0.2
"""Separators that are nearer than this share of the height of a comb are one: the sides of boxes that stand apart."""

CELL_WIDTHS = (0.35, 2.5)
"""Equal cells of a comb are between these shares of its height wide."""


@dataclass(frozen=True, slots=True, eq=False)
class CellGrid:
    """The cells of a comb.

    Attributes:
        edges: x of the separators and of both ends, ascending: one more than there are cells, aligned px.
        top: Upper end of the cells, aligned px.
        bottom: Lower end.
        separator_px: Thickness of the separators as scanned, or as printed where a blank form is known.
        found: How many cells the separators alone show, or None where they show no comb; differs from the number of
            cells when the template says otherwise.
        torn: Whether separators run through the midst of cells, because the template says otherwise.
        left_in: First row of the separators, aligned px, and the one after the last, where they may still be in the
            ink; None where a blank form is known.
    """

    edges: Float32[np.ndarray, " n_edges"]
    top: int
    bottom: int
    separator_px: int
    found: int | None
    torn: bool = False
    left_in: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.edges) - 1

    def scaled(self, scale: float) -> "CellGrid":
        """Return the cells in a frame that has `scale` px per px of this one."""
        if scale == 1:
            return self
        top, bottom = (round(y * scale) for y in (self.top, self.bottom))
        separator_px = max(1, round(self.separator_px * scale))
        return replace(self, edges=self.edges * np.float32(scale), top=top, bottom=bottom, separator_px=separator_px)


def find_cells(aligned: AlignedPage, box: Box, cells: int | None) -> CellGrid | None:
    """Return the cells of a field, or None when it is no comb.

    Args:
        aligned: The page; separators are taken from the blank form's printing where there is one.
        box: Of the field, aligned px. The comb may lie a little beside it: boxes are often drawn by eye.
        cells: How many the template says there are, or None to find out.
    """
    left, top, right, bottom = box
    best = None
    for lines, edges in _combs(aligned, box):
        if best is None or len(edges) - 1 == cells:
            rows = None if lines.sure else lines.rows
            best = CellGrid(edges, lines.top, lines.bottom, lines.thickness_px, len(edges) - 1, left_in=rows)
            if cells is None or len(best) == cells:
                return best
    if cells is None:
        return None
    if best is None:
        edges = np.linspace(left, right, cells + 1, dtype=np.float32)
        return CellGrid(edges, top, bottom, 1, None)
    edges = given_edges(best.edges, left, right, cells)
    off_px = np.abs(best.edges[:, None] - edges[None, :]).min(axis=1)
    inside = (best.edges > left) & (best.edges < right)
    torn = bool((off_px[inside] > TEARING * (right - left) / cells).any())
    return replace(best, edges=edges, found=len(best), torn=torn)


def _combs(aligned: AlignedPage, box: Box) -> Iterator[tuple[CombLines, Float32[np.ndarray, " n_edges"]]]:
    """Yield the lines that make a comb of a field, and the edges of its cells; the likeliest first."""
    left, _, right, _ = box
    unequal = []
    for lines in comb_lines(aligned, box):
        edges = regular_edges(lines, left, right)
        if edges is not None:
            yield lines, edges
            continue
        edges = unequal_edges(lines, left, right)
        if edges is not None and lines.sure:
            yield lines, edges
        elif edges is not None:
            unequal.append((lines, edges))
    # Strokes of writing may look like unequal cells; they keep no pitch.
    yield from unequal


def regular_edges(lines: CombLines, left: int, right: int) -> Float32[np.ndarray, " n_edges"] | None:
    """Return the edges of equal cells that separators show, or None when they show no comb.

    Such a comb has a pitch that its separators keep; one or the other may be missing, also at the ends.

    Args:
        lines: In and around the field.
        left: Left end of the field.
        right: Right end of the field.
    """
    height_px = lines.bottom - lines.top
    places = merged(lines.places, DOUBLE * height_px)
    clear = np.array([np.abs(lines.places[lines.clear] - x).min(initial=np.inf) <= DOUBLE * height_px for x in places])
    least_share = (0.5 if lines.sure else 0.75) if lines.full.any() else 0.85
    pitch = best_pitch(places, clear, (left, right), height_px, least_share)
    if pitch is None:
        return None
    edges = filled_edges(places, pitch, left, right, lines.reach)
    # Two or three lines that do not run from border to border may be anything.
    return edges if len(edges) > 2 and (len(_inner(lines, left, right)) or len(edges) > 4) else None


def unequal_edges(lines: CombLines, left: int, right: int) -> Float32[np.ndarray, " n_edges"] | None:
    """Return the edges of cells that differ in width, or None where there are none.

    Only separators from border to border count; where no blank form is known, when there are several.

    Args:
        lines: In and around the field.
        left: Left end of the field.
        right: Right end of the field.
    """
    inner = _inner(lines, left, right)
    unequal = np.array([left, *inner, right], np.float32)
    if lines.sure:
        return unequal if len(inner) else None
    widths = np.diff(unequal) / (lines.bottom - lines.top)
    return unequal if len(inner) >= LEAST_UNEQUAL and widths.min() >= CELL_WIDTHS[0] else None


def _inner(lines: CombLines, left: int, right: int) -> Float32[np.ndarray, " n"]:
    """Separators from border to border that no writing touches, away from the ends of a field."""
    height_px = lines.bottom - lines.top
    full = merged(lines.places[lines.full & lines.clear], DOUBLE * height_px)
    return full[(full > left + 0.3 * height_px) & (full < right - 0.3 * height_px)]


def best_pitch(
    places: Float32[np.ndarray, " n"],
    clear: Bool[np.ndarray, " n"],
    ends: tuple[int, int],
    height_px: int,
    least_share: float,
) -> float | None:
    """Return the cell width that the places keep, or None when they keep none.

    Of all distances between places, that one is taken whose multiples explain the most places with the fewest
    missing.

    Args:
        places: x of possible separators.
        clear: Which of them no writing touches; the others may be strokes.
        ends: Left and right end of the field.
        height_px: Of the field.
        least_share: Share of the separators in the field that must be there.
    """
    left, right = ends
    chosen = (places > left - height_px) & (places < right + height_px)
    near, clear = places[chosen], clear[chosen]
    if len(near) < 3:
        return None
    steps = near[None, :] - near[:, None]
    usual = (steps > CELL_WIDTHS[0] * height_px) & (steps < CELL_WIDTHS[1] * height_px)
    candidates = np.unique(np.round(steps[usual], 1))
    best, best_score = None, 0.0
    for pitch in candidates:
        number = np.round(steps / pitch)
        hit = np.abs(steps - number * pitch) < np.maximum(1.5, 0.06 * pitch) + 0.02 * np.abs(steps)
        row = int(hit.sum(axis=1).argmax())
        inner = hit[row] & (near > left + 0.3 * pitch) & (near < right - 0.3 * pitch)
        seen = len(np.unique(number[row][inner]))
        expected = max(1, round((right - left) / pitch) - 1)
        score = min(1.0, seen / expected) - float((~hit[row] & clear).mean())
        if seen and len(np.unique(number[row][hit[row]])) >= 3 and score > best_score + 1e-6:
            best, best_score = float(pitch), score
    return best if best_score >= least_share else None


def filled_edges(
    places: Float32[np.ndarray, " n"], pitch: float, left: int, right: int, reach: tuple[int, int]
) -> Float32[np.ndarray, " n_edges"]:
    """Return the separators that keep the pitch, with the missing ones put in and the ends added where a cell fits."""
    votes = [(np.abs(((places - start) / pitch + 0.5) % 1 - 0.5) < 0.1).sum() for start in places]
    start = places[int(np.argmax(votes))]
    number = np.round((places - start) / pitch).astype(int)
    hit = np.abs(places - start - number * pitch) < 0.2 * pitch
    known: dict[int, float] = {}
    for k, place in zip(number[hit], places[hit], strict=True):
        known.setdefault(int(k), float(place))
    numbers = sorted(known)
    # The pitch that was seen is off by a fraction of a px, which adds up over a long comb: it is fitted.
    slope, origin = np.polyfit(numbers, [known[k] for k in numbers], 1)
    first, last = numbers[0], numbers[-1]
    # A cell belongs to the field when most of it lies in it. Its outer line may be missing, not what carries it.
    slack_px = 0.3 * slope
    while origin + slope * (first - 0.5) > left and origin + slope * (first - 1) >= reach[0] - slack_px:
        first -= 1
    # The outermost cell of a comb is meant even when the box is drawn short.
    while origin + slope * (first + (0.7 if first == numbers[0] else 0.5)) < left:
        first += 1
    while origin + slope * (last + 0.5) < right and origin + slope * (last + 1) <= reach[1] + slack_px:
        last += 1
    while origin + slope * (last - (0.7 if last == numbers[-1] else 0.5)) > right:
        last -= 1
    return np.array([known.get(k, origin + slope * k) for k in range(first, last + 1)], np.float32)


def given_edges(
    places: Float32[np.ndarray, " n"], left: int, right: int, cells: int
) -> Float32[np.ndarray, " n_edges"]:
    """Return the edges of a given number of equal cells, each moved to a separator near it."""
    pitch = (right - left) / cells
    edges = left + pitch * np.arange(cells + 1, dtype=np.float32)
    if len(places) == 0:
        return edges
    nearest = places[np.abs(places[None, :] - edges[:, None]).argmin(axis=1)]
    return np.where(np.abs(nearest - edges) < 0.12 * pitch, nearest, edges).astype(np.float32)
