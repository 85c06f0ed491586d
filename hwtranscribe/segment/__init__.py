"""AlignedPage to CharBoxes: where the characters are.

`field` decides between a comb (`cells`) and free writing (`free`). Free writing goes `components` -> `lines` ->
`cuts` -> `lattice`; `layout` finds columns, `printing` tells labels from writing.
"""

from hwtranscribe.segment.cells import CellGrid, find_cells
from hwtranscribe.segment.field import field_boxes
from hwtranscribe.segment.free import cut_off_lines, page_lines
from hwtranscribe.segment.ruled import above_its_rule

__all__ = ["CellGrid", "above_its_rule", "cut_off_lines", "field_boxes", "find_cells", "page_lines"]
