"""AlignedPage to CharBoxes: where the characters are.

`field` decides between a comb (`cells`) and free writing (`free`). Free writing goes `components` -> `lines`, in a
field `stacked` -> `cuts` -> `lattice`; `layout` finds columns, `printing` tells labels from writing.
"""

from hwtranscribe.segment.beside import BESIDE, has_mark_beside
from hwtranscribe.segment.cells import CellGrid, find_cells
from hwtranscribe.segment.field import field_lines, field_place
from hwtranscribe.segment.free import cut_off_lines, page_lines

__all__ = [
    "BESIDE",
    "CellGrid",
    "cut_off_lines",
    "field_lines",
    "field_place",
    "find_cells",
    "has_mark_beside",
    "page_lines",
]
