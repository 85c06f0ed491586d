"""When the characters of a field are in doubt: then it is for review, whatever is read."""

import cv2
import numpy as np
import pytest
from drawn_combs import BOX, comb_page, with_blank, without_blank
from drawn_forms import as_aligned, field_boxes, write_cells

from hwtranscribe.segment.beside import BESIDE
from hwtranscribe.segment.cells import cell_boxes, find_cells


@pytest.mark.parametrize("blank_known", [True, False])
@pytest.mark.parametrize("cells", [8, None])
def test_writing_that_is_struck_through_is_in_doubt(cells, blank_known):
    blank = comb_page(8, shade=90) if cells else np.full((300, 700), 255, np.uint8)
    page = blank.copy()
    write_cells(page, BOX, 8, "4R75AHEB")
    for ends, doubt in (
        (None, ""),
        (((95, 136), (505, 129)), "crossed out"),
        (((95, 134), (252, 131)), "crossed out in part"),
    ):
        struck = page.copy()
        if ends:
            cv2.line(struck, *ends, 40, 3, cv2.LINE_AA)
        aligned = with_blank(blank, struck) if blank_known else without_blank(struck)
        assert field_boxes(aligned, "name", BOX, find_cells(aligned, BOX, cells)).doubt == doubt


def test_dashes_and_underlined_writing_are_not_struck_through():
    page = np.full((300, 700), 255, np.uint8)
    cv2.line(page, (110, 125), (490, 123), 40, 3, cv2.LINE_AA)
    assert field_boxes(without_blank(page), "name", BOX, find_cells(without_blank(page), BOX, None)).doubt == ""
    page[:] = 255
    write_cells(page, BOX, 8, "4R75AHEB")
    cv2.line(page, (100, 151), (500, 149), 40, 3, cv2.LINE_AA)
    assert field_boxes(without_blank(page), "name", BOX, find_cells(without_blank(page), BOX, None)).doubt == ""


def test_the_frame_of_a_box_does_not_strike_writing_with_tails_through():
    page = np.full((300, 700), 255, np.uint8)
    box = (100, 60, 500, 150)
    cv2.rectangle(page, box[:2], box[2:], 0, 2)
    for k, letter in enumerate("bpgqbypg"):
        cv2.putText(page, letter, (110 + 48 * k, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 40, 4, cv2.LINE_AA)
    aligned = without_blank(page)
    assert field_boxes(aligned, "name", box, find_cells(aligned, box, None)).doubt == ""
    cv2.line(page, (104, 130), (496, 134), 40, 4, cv2.LINE_AA)
    aligned = without_blank(page)
    assert field_boxes(aligned, "name", box, find_cells(aligned, box, None)).doubt == "crossed out"


def test_a_comb_on_the_page_that_the_template_denies_is_in_doubt():
    page = comb_page(8, shade=90)
    write_cells(page, BOX, 8, "4075 11")
    aligned = without_blank(page)
    for cells, doubt in ((8, ""), (6, "8 cells are printed, not 6 as the template says"), (16, "")):
        boxes = field_boxes(aligned, "number", BOX, find_cells(aligned, BOX, cells))
        assert (len(boxes.inks), boxes.doubt) == (cells, doubt)
    empty = without_blank(comb_page(8, shade=90))
    assert field_boxes(empty, "number", BOX, find_cells(empty, BOX, 6)).doubt == ""


@pytest.mark.parametrize("cells", [8, None])
@pytest.mark.parametrize("text", ["40751183", ""])
def test_writing_beyond_the_end_of_a_field_is_in_doubt_unless_it_is_another_fields(cells, text):
    blank = comb_page(8) if cells else np.full((300, 700), 255, np.uint8)
    page = blank.copy()
    write_cells(page, BOX, 8, text)

    def doubt(others=()):
        aligned = with_blank(blank, page)
        return field_boxes(aligned, "number", BOX, find_cells(aligned, BOX, cells), others).doubt

    assert doubt() == ""
    cv2.putText(page, ".", (515, 141), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 3, cv2.LINE_AA)
    cv2.putText(page, "9", (600, 141), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 3, cv2.LINE_AA)
    assert doubt() == "", "a dot, and what stands too far away"
    cv2.putText(page, "9", (515, 141), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 40, 3, cv2.LINE_AA)
    assert doubt() == BESIDE
    assert doubt([BOX, (506, 100, 560, 150)]) == ""


@pytest.mark.parametrize(
    ("cells", "text", "doubt"), [(8, "LETHALKM", ""), (16, "LETHALKMWREDNPSO", "more characters than cells")]
)
def test_more_characters_than_cells_are_in_doubt(cells, text, doubt):
    blank = comb_page(8)
    page = blank.copy()
    write_cells(page, BOX, cells, text, shift=(-1, 0))
    aligned = with_blank(blank, page)
    assert field_boxes(aligned, "name", BOX, find_cells(aligned, BOX, 8)).doubt == doubt


def test_a_comb_whose_writing_hangs_on_its_frame_is_in_doubt():
    grid = find_cells(with_blank(comb_page(8)), BOX, 8)
    empty = cell_boxes(with_blank(comb_page(8)), "name", BOX, grid)
    assert empty.blank.all() and empty.doubt == ""
    ink = np.zeros((300, 700), np.uint8)
    # A frame that was not taken off, more of it outside the field than within, with characters upon it.
    cv2.rectangle(ink, (60, 60), (640, 152), 255, 6)
    for k in range(4):
        cv2.putText(ink, "H", (112 + 50 * k, 150), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 3)
    hanging = cell_boxes(as_aligned(255 - ink, ink), "name", BOX, grid)
    assert hanging.blank.all() and hanging.doubt
