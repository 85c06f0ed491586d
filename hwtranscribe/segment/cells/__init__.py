"""Combs and ruled cells: where the separators are, and which ink belongs to which cell."""

from hwtranscribe.segment.cells.grid import CellGrid, find_cells
from hwtranscribe.segment.cells.ink import cell_boxes

__all__ = ["CellGrid", "cell_boxes", "find_cells"]
