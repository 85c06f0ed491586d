import cv2
import numpy as np
import pytest
from drawn_combs import BOX, comb_page, with_blank, without_blank
from drawn_forms import as_aligned, as_page, field_boxes, write_cells
from PIL import Image

from hwtranscribe.register import align, blank_page, prepare_reference
from hwtranscribe.segment.cells import cell_boxes, find_cells
from hwtranscribe.segment.place import written_box


@pytest.mark.parametrize("style", ["full", "ticks", "dotted", "open"])
@pytest.mark.parametrize("cells", [2, 5, 8, 13])
def test_combs_are_found(style, cells):
    if style == "ticks" and cells == 2:
        pytest.skip("one tick alone may be anything")
    box = (100, 100, 100 + 40 * cells, 145)
    grid = find_cells(with_blank(comb_page(cells, style, box)), box, None)
    assert grid is not None
    assert len(grid) == grid.found == cells
    assert np.abs(grid.edges - np.linspace(box[0], box[2], cells + 1)).max() < 4


@pytest.mark.parametrize("style", ["full", "ticks", "open", "dotted"])
def test_combs_are_found_without_a_blank_and_under_writing(style):
    page = comb_page(8, style, shade=90)
    write_cells(page, BOX, 8, "11475 1H")
    grid = find_cells(without_blank(page), BOX, None)
    assert grid is not None
    assert len(grid) == 8
    assert np.abs(grid.edges - np.linspace(100, 500, 9)).max() < 4


def test_a_box_drawn_by_eye_still_finds_its_comb():
    aligned = with_blank(comb_page(8))
    for box in ((112, 118, 488, 168), (90, 80, 512, 132), (100, 105, 470, 150)):
        grid = find_cells(aligned, box, None)
        assert grid is not None
        assert len(grid) == 8
        assert abs(grid.top - 100) <= 3 and abs(grid.bottom - 150) <= 3


def test_cells_of_different_width_are_found_on_a_blank():
    page = np.full((300, 700), 255, np.uint8)
    cv2.rectangle(page, (100, 100), (500, 150), 0, 2)
    for x in (160, 260, 300, 430):
        cv2.line(page, (x, 100), (x, 150), 0, 2)
    grid = find_cells(with_blank(page), BOX, None)
    assert grid is not None
    assert np.abs(grid.edges - [100, 160, 260, 300, 430, 500]).max() < 3


@pytest.mark.parametrize("written", ["", "47 1H"])
def test_cells_of_different_width_are_found_on_the_page_itself(written):
    page = np.full((300, 700), 255, np.uint8)
    cv2.rectangle(page, (100, 100), (500, 150), 90, 2)
    edges = [100, 160, 260, 300, 430, 500]
    for x in edges[1:-1]:
        cv2.line(page, (x, 100), (x, 150), 90, 2)
    for left, right, character in zip(edges, edges[1:], written, strict=False):
        write_cells(page, (left, 100, right, 150), 1, character)
    grid = find_cells(without_blank(page), BOX, None)
    assert grid is not None
    assert np.abs(grid.edges - edges).max() < 4


@pytest.mark.parametrize("style", ["full", "dotted", "open", "ticks"])
def test_separators_that_are_missing_are_put_in_without_a_blank(style):
    page = comb_page(8, style, shade=90)
    for x in (100, 300, 500):
        page[103:148, x - 3 : x + 4] = 255
    write_cells(page, BOX, 8, "4075 1H")
    grid = find_cells(without_blank(page), BOX, None)
    assert grid is not None
    assert np.abs(grid.edges - np.linspace(100, 500, 9)).max() < 4


def test_a_plain_box_and_a_line_are_no_combs():
    box = np.full((300, 700), 255, np.uint8)
    cv2.rectangle(box, BOX[:2], BOX[2:], 0, 2)
    cv2.putText(box, "HILL 117 LIH", (110, 138), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3, cv2.LINE_AA)
    line = np.full((300, 700), 255, np.uint8)
    cv2.line(line, (100, 150), (500, 150), 0, 2)
    cv2.putText(line, "HILL 117 LIH", (110, 149), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3, cv2.LINE_AA)
    for page in (box, line, np.full((300, 700), 255, np.uint8)):
        assert find_cells(without_blank(page), BOX, None) is None


def test_the_number_of_cells_can_be_given():
    plain = np.full((300, 700), 255, np.uint8)
    grid = find_cells(without_blank(plain), BOX, 5)
    assert grid is not None and grid.found is None
    assert grid.edges.tolist() == [100, 180, 260, 340, 420, 500]
    wrong = find_cells(with_blank(comb_page(8)), BOX, 4)
    assert wrong is not None
    assert len(wrong) == 4 and wrong.found == 8


def test_every_cell_gets_its_ink_and_empty_ones_none():
    blank, page = comb_page(8), comb_page(8)
    write_cells(page, BOX, 8, "47 1 802")
    aligned = with_blank(blank, page)
    boxes = cell_boxes(aligned, "number", BOX, find_cells(aligned, BOX, None))
    assert boxes.blank.tolist() == [c == " " for c in "47 1 802"]
    assert boxes.cells and boxes.node_count == 9
    assert boxes.start.tolist() == list(range(8)) and boxes.end.tolist() == list(range(1, 9))
    for ink, (left, top, right, bottom), blank_cell in zip(boxes.inks, boxes.boxes, boxes.blank, strict=True):
        if not blank_cell:
            assert ink.shape == (bottom - top, right - left)
            assert ink.max() > 200


def test_an_empty_comb_is_blank_with_and_without_a_blank_form():
    for shade in (0, 120):
        page = comb_page(8, shade=shade)
        for aligned in (with_blank(page), without_blank(page)):
            boxes = cell_boxes(aligned, "number", BOX, find_cells(aligned, BOX, None))
            assert boxes.blank.all()


def test_what_is_left_of_the_border_at_the_rim_is_no_character():
    page = np.full((250, 1200), 255, np.uint8)
    ink = np.zeros_like(page)
    cv2.putText(ink, "A", (1030, 190), cv2.FONT_HERSHEY_SIMPLEX, 6, 255, 14)
    cv2.line(ink, (1197, 0), (1197, 249), 255, 5)
    aligned = as_aligned(page, ink)
    boxes = cell_boxes(aligned, "letters", (0, 0, 1200, 250), find_cells(aligned, (0, 0, 1200, 250), 5))
    assert boxes.blank.tolist() == [True] * 4 + [False]
    assert boxes.boxes[4, 2] < 1190


def test_writing_that_leaves_its_cell_stays_whole():
    blank, page = comb_page(8), comb_page(8)
    # A broad character most of which is in the third cell, and a tail that leaves the comb below.
    cv2.ellipse(page, (232, 125), (20, 16), 0, 0, 360, 40, 3)
    cv2.line(page, (375, 108), (370, 172), 40, 3)
    aligned = as_aligned(page, np.where(page == 40, 255, 0).astype(np.uint8), with_blank(blank).printing)
    boxes = cell_boxes(aligned, "number", BOX, find_cells(aligned, BOX, None))
    assert np.flatnonzero(~boxes.blank).tolist() == [2, 5]
    widths = boxes.boxes[:, 2] - boxes.boxes[:, 0]
    assert widths[2] >= 40
    assert boxes.boxes[5, 3] >= 170


def test_characters_that_touch_are_cut_at_the_separator():
    blank, page = comb_page(8), comb_page(8)
    cv2.ellipse(page, (178, 125), (20, 16), 0, 0, 360, 40, 3)
    cv2.ellipse(page, (219, 125), (20, 16), 0, 0, 360, 40, 3)
    aligned = as_aligned(page, np.where(page == 40, 255, 0).astype(np.uint8), with_blank(blank).printing)
    boxes = cell_boxes(aligned, "number", BOX, find_cells(aligned, BOX, None))
    assert np.flatnonzero(~boxes.blank).tolist() == [1, 2]
    assert abs(boxes.boxes[1, 2] - 200) <= 6 and abs(boxes.boxes[2, 0] - 200) <= 6


def test_a_field_without_a_comb_is_free_writing():
    page = np.full((300, 700), 255, np.uint8)
    write_cells(page, BOX, 8, "HALLO")
    boxes = field_boxes(without_blank(page), "name", BOX, find_cells(without_blank(page), BOX, None))
    assert not boxes.cells
    assert boxes.node_count > 1


def test_a_tail_that_the_frame_cut_off_belongs_to_the_field():
    ink = np.zeros((300, 700), np.uint8)
    cv2.putText(ink, "AV", (120, 140), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 4)
    cv2.line(ink, (230, 110), (216, 152), 255, 4)
    cv2.line(ink, (214, 157), (208, 175), 255, 4)
    cv2.putText(ink, "below", (110, 190), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 4)
    boxes = field_boxes(as_aligned(255 - ink, ink), "name", BOX, None)
    assert boxes.boxes[:, 3].max() >= 175
    assert boxes.boxes[:, 0].min() >= 118


def test_a_box_follows_the_line_that_it_cuts():
    page = np.full((400, 700), 255, np.uint8)
    write_cells(page, (100, 100, 500, 150), 8, "ABCD")
    write_cells(page, (100, 190, 500, 240), 8, "EFGHIJ")
    aligned = without_blank(page)
    ink_rows = np.flatnonzero(aligned.ink[:160].any(axis=1))
    box = written_box(aligned, (120, 132, 480, 172))
    assert box[1] <= ink_rows[0] and box[3] >= ink_rows[-1]
    assert box[0] <= np.flatnonzero(aligned.ink[:160].any(axis=0))[0]
    whole = (100, 100, 500, 150)
    assert written_box(aligned, whole) == whole


def test_the_combs_of_a_real_form(shared):
    folder = shared / "real" / "sbi"
    blank, scan = (
        np.array(Image.open(folder / name).convert("L")) for name in ("sbi_blank_p2.jpg", "sbi_filled_p2.jpg")
    )
    aligned = align(as_page(scan), [prepare_reference(blank, (1241, 1754))])
    combs = {
        (421, 110, 822, 137): (17, 17),
        (995, 111, 1183, 137): (8, 8),
        (176, 923, 346, 954): (7, 7),
        (461, 923, 776, 953): (13, 9),
        (886, 924, 1081, 953): (8, 8),
        (176, 954, 776, 985): (25, 9),
        (886, 953, 1200, 983): (13, 6),
        (175, 984, 776, 1015): (25, 10),
        (886, 984, 1201, 1014): (13, 10),
        (70, 1467, 271, 1498): (8, 8),
        (433, 1465, 825, 1497): (16, 6),
        (86, 1673, 308, 1709): (8, 8),
    }
    for box, (cells, written) in combs.items():
        grid = find_cells(aligned, box, None)
        assert grid is not None and len(grid) == cells, box
        assert int((~cell_boxes(aligned, "field", box, grid).blank).sum()) == written, box
    for box in ((415, 1090, 901, 1121), (199, 1599, 580, 1631), (740, 1603, 920, 1632), (399, 1673, 620, 1706)):
        assert find_cells(aligned, box, None) is None


def test_cells_of_a_blank_form_are_found_at_its_own_size_however_coarse_the_scan():
    blank = np.full((1400, 1000), 255, np.uint8)
    for row in range(30):
        cv2.putText(blank, f"{row} printed words {row * 37}", (60, 40 + 45 * row), 0, 0.6, 0, 1, cv2.LINE_AA)
    box = (560, 600, 880, 650)
    # Boxes apart, ruled with hair lines: a coarse scan runs them together.
    for left in range(box[0], box[2], 64):
        cv2.rectangle(blank, (left, box[1]), (left + 56, box[3]), 90, 1)
    reference = prepare_reference(blank, (1000, 1400), (box,))
    coarse = cv2.resize(blank, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    aligned = align(as_page(coarse), [reference])
    assert aligned.registered and aligned.scale < 0.5
    grid = find_cells(blank_page(aligned, reference), box, 5).scaled(aligned.scale)
    assert grid.found == 5 and not grid.torn
    expected = np.array([560, 620, 684, 748, 812, 872]) * aligned.scale
    assert np.abs(grid.edges - expected).max() < 0.1 * 64 * aligned.scale


def ticked_box():
    """A box with ticks on its lower side."""
    page = comb_page(8, "ticks")
    cv2.rectangle(page, BOX[:2], BOX[2:], 0, 2)
    return page


@pytest.mark.parametrize("comb", [comb_page, ticked_box])
def test_separators_that_characters_lean_on_are_taken_off_without_a_blank(comb):
    page = comb()
    write_cells(page, BOX, 8, "HN  HN", shift=(19, 0))
    aligned = without_blank(page)
    boxes = cell_boxes(aligned, "name", BOX, find_cells(aligned, BOX, 8))
    assert boxes.blank.tolist() == [False, False, True, True, False, False, True, True]
    heights = boxes.boxes[~boxes.blank, 3] - boxes.boxes[~boxes.blank, 1]
    # The characters are 18 px high, ticks 25 and separators 50.
    assert heights.max() <= 24


def test_ticks_of_a_box_are_found_beside_strokes_that_touch_its_sides():
    page = ticked_box()
    for cell, top in ((0, 100), (2, 100), (5, 100)):
        cv2.line(page, (125 + 50 * cell, top + 2), (121 + 50 * cell, top + 16), 40, 2)
    for cell in (1, 3):
        cv2.line(page, (125 + 50 * cell, 138), (123 + 50 * cell, 149), 40, 2)
    grid = find_cells(without_blank(page), BOX, None)
    assert grid is not None and len(grid) == 8


def test_characters_that_stand_on_a_rule_are_known_without_a_blank():
    page = np.full((300, 700), 255, np.uint8)
    cv2.line(page, (80, 150), (600, 150), 0, 2)
    for left, bottom in ((320, 150), (420, 120)):
        cv2.putText(page, "E", (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 40, 3)
    boxes = field_boxes(without_blank(page), "name", (300, 90, 600, 155), None)
    assert boxes.on_rule is not None
    standing = boxes.boxes[boxes.on_rule]
    assert len(standing) and standing[:, 2].max() < 380


@pytest.mark.parametrize("blur", [0, 1.2])
def test_separators_that_nearly_all_are_written_upon_are_found_without_a_blank(blur):
    box = (100, 100, 412, 128)
    page = comb_page(12, box=box, shade=110)
    for k in range(12):
        # Broader than the cells of 26 px.
        cv2.putText(page, "HMWN"[k % 4], (98 + 26 * k, 123), cv2.FONT_HERSHEY_SIMPLEX, 0.75, 70, 2, cv2.LINE_AA)
    if blur:
        page = cv2.GaussianBlur(page, (0, 0), blur)
    grid = find_cells(without_blank(page), box, None)
    assert grid is not None and len(grid) == grid.found == 12
    assert np.abs(grid.edges - np.linspace(100, 412, 13)).max() < 4


def test_free_writing_in_a_box_is_no_comb():
    page = np.full((300, 700), 255, np.uint8)
    cv2.rectangle(page, BOX[:2], BOX[2:], 0, 2)
    cv2.putText(page, "HILLMILL 1171", (120, 144), cv2.FONT_HERSHEY_SIMPLEX, 1.35, 60, 2, cv2.LINE_AA)
    assert find_cells(without_blank(page), BOX, None) is None


def test_boxes_that_stand_apart_are_cells_without_a_blank():
    page = np.full((300, 700), 255, np.uint8)
    for k in range(5):
        cv2.rectangle(page, (105 + 62 * k, 100), (155 + 62 * k, 160), 0, 2)
        cv2.putText(page, "7", (125 + 62 * k, 150), cv2.FONT_HERSHEY_SIMPLEX, 1, 60, 3, cv2.LINE_AA)
    grid = find_cells(without_blank(page), (105, 100, 403, 160), None)
    assert grid is not None and len(grid) == 5
