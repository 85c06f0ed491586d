"""The value objects that pass from stage to stage.

Coordinates: x right, y down, origin top-left, px. A box is left, top, right, bottom; right and bottom are exclusive.
All objects are frozen and picklable. Pages and lattices are as large as the page; results are small.
"""

from hwtranscribe.types.jobs import DocumentJob, ReadOptions
from hwtranscribe.types.kinds import CROSSED_OUT, Box, Case, Kind, Status
from hwtranscribe.types.pages import AlignedPage, Cell, CharBoxes, CharScores, DrawnTable, Page
from hwtranscribe.types.results import (
    Alternative,
    CharReading,
    DocumentPart,
    DocumentResult,
    FieldReading,
    FilledForm,
    PageError,
    PageReadings,
    Provenance,
)

__all__ = [
    "AlignedPage",
    "Alternative",
    "Box",
    "CROSSED_OUT",
    "Case",
    "Cell",
    "CharBoxes",
    "CharReading",
    "CharScores",
    "DocumentJob",
    "DocumentPart",
    "DocumentResult",
    "DrawnTable",
    "FieldReading",
    "FilledForm",
    "Kind",
    "Page",
    "PageError",
    "PageReadings",
    "Provenance",
    "ReadOptions",
    "Status",
]
