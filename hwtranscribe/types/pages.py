"""What passes from stage to stage while a page is read; as large as the page."""

from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

from hwtranscribe.types.kinds import Box


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One rendered page.

    Attributes:
        document: Name of the document in the outputs.
        number: 1-based.
        dpi: Resolution, or None where the file does not say.
        pixels: Grey, 255 paper.
    """

    document: str
    number: int
    dpi: float | None
    pixels: UInt8[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnTable:
    """A table drawn on a page.

    Attributes:
        row_lines: Its horizontal lines, top to bottom: slope (px down per px to the right) and y where x is 0.
        column_lines: Its upright lines, left to right: slope (px to the right per px down) and x where y is 0.
        cells: Number of the cell, 0-based in reading order, at every row and column; merged cells are at several.
    """

    row_lines: Float64[np.ndarray, "rows_and_1 2"]
    column_lines: Float64[np.ndarray, "columns_and_1 2"]
    cells: Int64[np.ndarray, "rows columns"]

    @property
    def box(self) -> Box:
        """Of the whole table, as far as its lines are level."""
        return self._box_of(0, 0, *self.cells.shape)

    @property
    def cell_count(self) -> int:
        """Number of cells, merged ones counted once."""
        return int(self.cells.max()) + 1

    def cells_at(self, x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """Numbers of the cells at points, -1 outside the table."""
        row = (self.row_lines[:, :1] * x + self.row_lines[:, 1:] <= y).sum(axis=0) - 1
        column = (self.column_lines[:, :1] * y + self.column_lines[:, 1:] <= x).sum(axis=0) - 1
        rows, columns = self.cells.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return np.where(inside, self.cells[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)], -1)

    def place_of(self, cell: int) -> tuple[int, int]:
        """First row and column of a cell, 0-based."""
        rows, columns = np.nonzero(self.cells == cell)
        return int(rows[0]), int(columns[rows == rows[0]].min())

    def box_of(self, cell: int) -> Box:
        """Around a cell."""
        rows, columns = np.nonzero(self.cells == cell)
        return self._box_of(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)

    def _box_of(self, first_row: int, first_column: int, end_row: int, end_column: int) -> Box:
        middle_y = float(self.row_lines[[first_row, end_row], 1].mean())
        lefts, rights = self.column_lines[first_column], self.column_lines[end_column]
        left, right = float(lefts @ (middle_y, 1)), float(rights @ (middle_y, 1))
        middle_x = (left + right) / 2
        top, bottom = float(self.row_lines[first_row] @ (middle_x, 1)), float(self.row_lines[end_row] @ (middle_x, 1))
        return round(left), round(top), round(right), round(bottom)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where in the tables of a page something stands; all 1-based.

    Attributes:
        table: Number of the table on its page, in reading order.
        row: The first, where a merged cell is in several.
        column: The same.
    """

    table: int
    row: int
    column: int

    @property
    def field(self) -> str:
        """Name of its field."""
        return f"table{self.table}_r{self.row}_c{self.column}"


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPage:
    """A page brought into the frame it is read in, with the writing separated from the printing.

    The frame is that of the template page, enlarged by `scale` where the scan is finer than the template; in page mode
    it is the page set upright.

    Attributes:
        page: 1-based number of the page in its document.
        template_page: 0-based page of the template, or None in page mode.
        scale: Aligned px per px of the template.
        pixels: The aligned page, grey, 255 paper.
        ink: Darkness of what is taken to be writing: 0 paper, 255 full ink. Shadows, the blank form's printing and
            rules are removed and crossed strokes repaired. With a blank form it is known around the fields only.
        printing: True where the blank form has printing (slightly widened), or None without a blank form.
        page_from_aligned: Homography from aligned px to px of the rendered page.
        residual_px: Median distance between the form's printing and where the scan has it, in px of the template
            frame; 0 where nothing is registered.
        registered: False when the scan does not match the blank form: its fields are then for review.
        warnings: What a person should know of this page.
        doubtful: Parts of a registered page, aligned px, where the blank form's printing was not found: cut off,
            covered, folded or in the dark. Fields there are for review.
        tables: Drawn on a page without a template, aligned px.
        rules: 1 on the level rules of a blank form, and on those that were found on a page of which none is known
            (slightly widened); None otherwise.
    """

    page: int
    template_page: int | None
    scale: float
    pixels: UInt8[np.ndarray, "height width"]
    ink: UInt8[np.ndarray, "height width"]
    printing: Bool[np.ndarray, "height width"] | None
    page_from_aligned: Float64[np.ndarray, "3 3"]
    residual_px: float
    registered: bool = True
    warnings: tuple[str, ...] = ()
    doubtful: tuple[Box, ...] = ()
    tables: tuple[DrawnTable, ...] = ()
    rules: UInt8[np.ndarray, "height width"] | None = None

    def doubts(self, box: Box) -> bool:
        """Return whether a good part of a box, in aligned px, lies where the page is in doubt."""
        left, top, right, bottom = box
        shared = sum(
            max(0, min(right, other[2]) - max(left, other[0])) * max(0, min(bottom, other[3]) - max(top, other[1]))
            for other in self.doubtful
        )
        return shared > 0.25 * (right - left) * (bottom - top)


@dataclass(frozen=True, slots=True, eq=False)
class CharBoxes:
    """Hypotheses of characters in one field or line, as a lattice.

    Nodes 0..node_count-1 are positions along the writing; an edge is one hypothesis of a character between two nodes
    (a cell of a comb is the edge from cell i to i + 1). Every path from node 0 to the last node is a way to cut the
    field into characters. Edges are sorted by (start, end).

    Attributes:
        field: Name of the field or line.
        box: Of the whole field in aligned px.
        node_count: Number of nodes; 1 when there is no ink at all.
        start: Node an edge leaves.
        end: Node it arrives at; larger than start.
        boxes: Ink box of each edge, aligned px.
        inks: One ink map per edge, 255 full ink, cropped to its box; set upright and widened where the hand is slanted
            or narrow.
        geometry_log_prob: Log-probability, up to a constant, of the edge by geometry alone (width, gaps, cut cost).
        blank: Edges without ink (empty cells); they are read as nothing, never as a letter.
        skip_log_prob: Log-probability, by geometry alone, that the edge is no character at all (a speck, punctuation, a
            printed remnant) and is to be left out; -inf where it can't be.
        extent: Left and right end of each edge on the line set upright, in heights of its characters; 0 in a comb.
        cells: True when edges are cells of a comb: then there is one edge per cell.
        uncut: Edges that are a component as it stands where others cut it.
        marks: Edges that are a dot, a comma or a dash by itself: they may be punctuation.
        on_rule: Edges that stand on a rule of the form: what lay on the rule went with it. None where there are none.
        under_rule: Edges that hang from one, likewise.
        strip: The whole line as `LineNet` sees it, 0 to 1; None in a comb, without ink, and where it is too long.
        slashes: Whether some edges may be slashes, which that network does not know.
        in_table: The cell of a drawn table that the line stands in, or None.
        doubt: Why the characters may be cut apart wrongly or may not count, for a person; empty otherwise. What is read
            of them is then for review.
    """

    field: str
    box: Box
    node_count: int
    start: Int32[np.ndarray, " n"]
    end: Int32[np.ndarray, " n"]
    boxes: Float32[np.ndarray, "n 4"]
    inks: tuple[UInt8[np.ndarray, "_h _w"], ...]
    geometry_log_prob: Float32[np.ndarray, " n"]
    blank: Bool[np.ndarray, " n"]
    skip_log_prob: Float32[np.ndarray, " n"]
    extent: Float32[np.ndarray, "n 2"]
    cells: bool
    uncut: Bool[np.ndarray, " n"]
    marks: Bool[np.ndarray, " n"]
    on_rule: Bool[np.ndarray, " n"] | None = None
    under_rule: Bool[np.ndarray, " n"] | None = None
    strip: Float32[np.ndarray, "32 _w"] | None = None
    slashes: bool = False
    in_table: Cell | None = None
    doubt: str = ""

    def only(self, kept: Bool[np.ndarray, " n"]) -> "CharBoxes":
        """The lattice with some of its edges."""
        return replace(
            self,
            start=self.start[kept],
            end=self.end[kept],
            boxes=self.boxes[kept],
            inks=tuple(compress(self.inks, kept)),
            geometry_log_prob=self.geometry_log_prob[kept],
            blank=self.blank[kept],
            skip_log_prob=self.skip_log_prob[kept],
            extent=self.extent[kept],
            uncut=self.uncut[kept],
            marks=self.marks[kept],
            on_rule=None if self.on_rule is None else self.on_rule[kept],
            under_rule=None if self.under_rule is None else self.under_rule[kept],
        )


@dataclass(frozen=True, slots=True, eq=False)
class CharScores:
    """What the network makes of glyphs.

    Attributes:
        log_probs: Calibrated log-probabilities.
        labels: One per class; "" is the class of things that are no character.
    """

    log_probs: Float32[np.ndarray, "n classes"]
    labels: tuple[str, ...]
