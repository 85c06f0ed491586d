"""Pages with drawn tables, from the scan to the cells and the files."""

import csv

import numpy as np
import pytest
from drawn_pages import SHEET_PX, Sheet, on_aligned, scanned
from PIL import Image
from test_batch import outputs

from hwtranscribe.cli import run
from hwtranscribe.register.upright import upright
from hwtranscribe.segment.free import page_lines

XS, YS = (120, 520, 860, 1500), (300, 420, 540, 780)
CELLS = {(1, 1): ["APPLES"], (1, 2): ["12"], (2, 1): ["BREAD"], (2, 3): ["NOT SLICED"], (3, 1): ["HONEY", "AND MILK"]}


def sheet() -> Sheet:
    made = Sheet(SHEET_PX)
    for x in XS:
        made.line(x, YS[0], x, YS[-1])
    for y in YS:
        made.line(XS[0], y, XS[-1], y)
    return made


def texts() -> list[tuple[float, float, str]]:
    inside = [
        (XS[column - 1] + 30, YS[row - 1] + 80 + 90 * number, text)
        for (row, column), lines in CELLS.items()
        for number, text in enumerate(lines)
    ]
    return [(150, 180, "WHAT WE NEED"), *inside, (150, 950, "THANK YOU")]


@pytest.mark.parametrize("scan", [{}, {"angle_deg": 2.5, "scale": 0.7}, {"angle_deg": -4.0}], ids=str)
def test_lines_are_found_cell_by_cell_in_their_place(scan):
    page, _ = scanned(texts(), sheet(), **scan)
    lines = page_lines(upright(page))
    names = [line.field for line in lines]
    assert names[0] == "line001" and names[-1] == "line002"
    cells = [line.in_table for line in lines[1:-1]]
    assert [(cell.row, cell.column) for cell in cells if cell] == [
        *((row, column) for row in (1, 2) for column in (1, 2, 3)),
        *((3, 1), (3, 1), (3, 2), (3, 3)),
    ]
    written = {(line.in_table.row, line.in_table.column) for line in lines if line.in_table and line.inks}
    assert written == set(CELLS)


def test_writing_on_squared_paper_is_read_as_lines():
    squared = Sheet(SHEET_PX)
    for x in range(20, SHEET_PX[0], 39):
        squared.line(x, 0, x, SHEET_PX[1], 1.5)
    for y in range(20, SHEET_PX[1], 39):
        squared.line(0, y, SHEET_PX[0], y, 1.5)
    page, _ = scanned([(150, 300, "SQUARED PAPER"), (150, 500, "HAS MANY RULES")], squared, angle_deg=1.5)
    assert [line.field for line in page_lines(upright(page))] == ["line001", "line002"]


def test_files_of_a_page_with_a_table(tmp_path):
    page, _ = scanned(texts(), sheet())
    Image.fromarray(page.pixels).save(tmp_path / "list.png")
    out = tmp_path / "out"
    command = ["transcribe", str(tmp_path / "list.png"), "--case", "upper", "--out", str(out), "--quiet", "--jobs", "1"]
    assert run(command) == 0
    with (out / "tables" / "list.png.page0001.table1.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert np.array(rows).shape == (3, 3)
    assert [[bool(text) for text in row] for row in rows] == [
        [(row, column) in CELLS for column in (1, 2, 3)] for row in (1, 2, 3)
    ]
    text = (out / "text" / "list.png.txt").read_text(encoding="utf-8").splitlines()
    assert text[1:4] == ["\t".join(row) for row in rows] and len(text) == 5
    before = outputs(out)
    (out / "tables" / "gone.png.page0001.table1.csv").write_text("old")
    (out / "tables" / "list.png.page0001.table1.csv").unlink()
    assert run(["export", str(out)]) == 0
    assert outputs(out) == before


def test_a_dashed_table_is_one():
    made = Sheet(SHEET_PX)
    for x in XS:
        made.line(x, YS[0], x, YS[-1], dash="4.3 2.9")
    for y in YS:
        made.line(XS[0], y, XS[-1], y, dash="4.3 2.9")
    page, _ = scanned(texts(), made, angle_deg=0.7)
    (table,) = upright(page).tables
    assert table.cells.shape == (3, 3)


def test_writing_on_dotted_rules_stands_free():
    made = Sheet(SHEET_PX)
    for y in (305, 505):
        made.line(60, y, 1600, y, 2.5, dash="1.1 3.2")
    writing = [(150, 300, "WRITTEN ON DOTS"), (150, 500, "OF A RULE")]
    plain, on_dots = (upright(scanned(writing, own)[0]).ink for own in (None, made))
    assert plain.shape == on_dots.shape
    assert np.minimum(plain, on_dots).sum() > 0.95 * plain.sum()
    assert np.subtract(on_dots, np.minimum(plain, on_dots)).sum() < 0.05 * plain.sum()


@pytest.mark.parametrize("grey, seed", [(0.4, 3), (0.4, 5), (0.57, 14)])
def test_writing_that_hides_lines_of_squared_paper_keeps_its_characters(grey, seed):
    made = Sheet(SHEET_PX)
    made.operators.append(f"{grey} G")
    for x in np.arange(17, SHEET_PX[0], 39.4):
        made.line(x, 0, x, SHEET_PX[1], 1.5)
    for y in np.arange(9, SHEET_PX[1], 39.4):
        made.line(0, y, SHEET_PX[0], y, 1.5)
    writing = [
        (150, 200, "MEETING ON TUESDAY AT NOON"),
        (150, 310, "ASK VICTOR ABOUT THE KEYS"),
        (150, 420, "GREETINGS FROM HANNA"),
    ]
    plain, squared = (
        np.array([line.box for line in page_lines(upright(scanned(writing, own, seed=seed)[0]))])
        for own in (None, made)
    )
    # The slant of the hand may turn the plain page by a fraction of a degree.
    assert plain.shape == squared.shape == (3, 4)
    assert np.abs(plain - squared).max() <= 15


def test_small_letters_of_a_heading_all_belong_to_it():
    made = sheet()
    made.text(XS[0] + 14, YS[1] - 24, "Name", 34, bold=True)
    writing = [(left, baseline, text) for left, baseline, text in texts() if text != "APPLES"]
    page, page_from_sheet = scanned(writing, made)
    aligned = upright(page)
    (heading,) = (
        line for line in page_lines(aligned) if line.in_table and line.in_table.row == line.in_table.column == 1
    )
    middle = (YS[1] - 35,) * 2
    (begin, _), (end, _) = on_aligned(
        aligned, page_from_sheet, list(zip((XS[0] + 18, XS[0] + 90), middle, strict=True))
    )
    assert heading.box[0] <= begin and heading.box[2] >= end
