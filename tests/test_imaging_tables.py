"""Drawn tables are found from their rules, and what only looks like one is not."""

import cv2
import numpy as np
import pytest

from hwtranscribe.imaging.paper import darkness
from hwtranscribe.imaging.tables import find_tables
from hwtranscribe.register.clean import rules_of
from hwtranscribe.register.upright import turned
from hwtranscribe.types import DrawnTable

HEIGHT, WIDTH = 1170, 827
XS, YS = (80, 150, 420, 560, 740), (200, 260, 320, 420, 470)


def paper() -> np.ndarray:
    return np.full((HEIGHT, WIDTH), 242, np.uint8)


def rule(page: np.ndarray, x0: int, y0: int, x1: int, y1: int, shade: int = 30) -> None:
    cv2.line(page, (x0, y0), (x1, y1), shade, 2)


def table(page: np.ndarray, xs=XS, ys=YS) -> np.ndarray:
    for x in xs:
        rule(page, x, ys[0], x, ys[-1])
    for y in ys:
        rule(page, xs[0], y, xs[-1], y)
    return page


def erase(page: np.ndarray, x0: int, y0: int, x1: int, y1: int) -> None:
    page[y0:y1, x0:x1] = 242


def found(page: np.ndarray) -> tuple[DrawnTable, ...]:
    dark = darkness(page)
    return find_tables(rules_of(dark), page.shape)


def test_cells_of_unequal_widths_and_heights():
    (one,) = found(table(paper()))
    assert one.cells.tolist() == np.arange(16).reshape(4, 4).tolist()
    assert np.abs(np.array(one.box) - (80, 200, 740, 470)).max() <= 3
    assert np.abs(np.array(one.box_of(6)) - (420, 260, 560, 320)).max() <= 3
    assert one.place_of(6) == (1, 2)
    x, y = np.array([100.0, 700, 10]), np.array([210.0, 460, 10])
    assert one.cells_at(x, y).tolist() == [0, 15, -1]


@pytest.mark.parametrize("angle_deg", [-0.4, 0.3])
def test_a_table_that_is_not_quite_level(angle_deg):
    page, _ = turned(table(paper()), angle_deg)
    (one,) = found(page)
    assert one.cells.shape == (4, 4) and one.cell_count == 16


@pytest.mark.parametrize("scale", [0.6, 2.0])
def test_a_table_of_another_resolution(scale):
    page = cv2.resize(table(paper()), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (one,) = found(page)
    assert one.cells.shape == (4, 4) and one.cell_count == 16


def test_broken_rules():
    page = table(paper())
    erase(page, 250, 250, 290, 430)
    erase(page, 410, 340, 430, 360)
    (one,) = found(page)
    assert one.cell_count == 16


def test_double_rules_are_one_line():
    page = table(paper())
    rule(page, 80, 206, 740, 206)
    rule(page, 156, 200, 156, 470)
    (one,) = found(page)
    assert one.cells.shape == (4, 4) and one.cell_count == 16


@pytest.mark.parametrize("sides", ["left and right", "top and bottom", "all"])
def test_missing_outer_borders(sides):
    page = table(paper())
    if sides != "top and bottom":
        erase(page, 70, 0, 78, HEIGHT)
        page[:, 78:84] = np.where(page[:, 84:85] < 100, page[:, 84:90], 242)
        page[:, 736:746] = np.where(page[:, 730:731] < 100, page[:, 726:736], 242)
    if sides != "left and right":
        page[196:204, :] = np.where(page[210:211] < 100, page[208:216], 242)
        page[466:474, :] = np.where(page[460:461] < 100, page[454:462], 242)
    (one,) = found(page)
    assert one.cells.shape == (4, 4) and one.cell_count == 16


def test_merged_cells():
    page = table(paper())
    erase(page, 145, 203, 155, 258)
    erase(page, 425, 255, 555, 265)
    (one,) = found(page)
    assert one.cells.tolist() == [[0, 0, 1, 2], [3, 4, 1, 5], [6, 7, 8, 9], [10, 11, 12, 13]]
    assert one.place_of(1) == (0, 2)


def test_a_line_that_parts_nothing_is_no_row():
    page = table(paper())
    rule(page, 80, 370, 115, 370)
    (one,) = found(page)
    assert one.cells.shape == (4, 4)


def test_a_table_with_one_row():
    (one,) = found(table(paper(), ys=(200, 260)))
    assert one.cells.tolist() == [[0, 1, 2, 3]]


def test_a_table_cut_by_the_edge_of_the_page():
    page = table(paper(), xs=(80, 300, 560, 900), ys=(950, 1010, 1080, 1200))
    (one,) = found(page)
    assert one.cells.shape == (3, 3) and one.cell_count == 9


def test_two_tables_and_a_box_in_a_cell():
    page = table(table(paper()), ys=tuple(y + 400 for y in YS))
    cv2.rectangle(page, (180, 335), (380, 405), 30, 2)
    assert [one.cell_count for one in found(page)] == [16, 16]


def test_a_table_in_a_cell_is_part_of_it():
    page = table(paper(), xs=(60, 300, 780), ys=(100, 400, 1000))
    table(page, xs=(350, 480, 700), ys=(500, 560, 620, 680))
    assert [one.cell_count for one in found(page)] == [4]


@pytest.mark.parametrize("pitch", [20, 28])
@pytest.mark.parametrize("shade", [30, 180])
def test_squared_paper_is_no_table(pitch, shade):
    page = paper()
    for x in range(7, WIDTH, pitch):
        rule(page, x, 0, x, HEIGHT, shade)
    for y in range(11, HEIGHT, pitch):
        rule(page, 0, y, WIDTH, y, shade)
    assert found(page) == ()


def test_many_large_squares_are_a_table():
    assert [one.cell_count for one in found(table(paper(), range(60, 780, 77), range(200, 900, 70)))] == [81]


def test_ruled_paper_with_a_margin_is_no_table():
    page = paper()
    for y in range(120, HEIGHT, 32):
        rule(page, 0, y, WIDTH, y, 120)
    rule(page, 110, 0, 110, HEIGHT, 120)
    assert found(page) == ()


def test_a_comb_is_no_table():
    page = table(paper(), xs=tuple(range(80, 500, 26)), ys=(200, 234))
    table(page, xs=(*range(80, 500, 26)[:6], *range(80, 500, 26)[8:]), ys=(400, 434))
    assert found(page) == ()


def test_boxes_and_frames_are_no_tables():
    page = paper()
    cv2.rectangle(page, (40, 40), (790, 1130), 30, 2)
    cv2.rectangle(page, (80, 80), (400, 130), 30, 2)
    cv2.rectangle(page, (420, 80), (700, 130), 30, 2)
    for y in (300, 350, 400):
        rule(page, 80, y, 700, y)
    assert found(page) == ()


def test_a_frame_with_a_strip_for_notes_is_no_table():
    page = table(paper(), xs=(30, 700, 800), ys=(30, 1140))
    assert found(page) == ()


def test_an_empty_page_has_none():
    assert found(paper()) == ()
